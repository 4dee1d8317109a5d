//! A program for `.ci/otlp`: metrics of every kind, pushed as OTLP, and the totals that were pushed, as JSON.
//!
//! `pushed_totals SEED SINK COLLECTOR STORE` has the base URLs of three receivers, and reads commands from its standard input. After
//! each command the program pushes, prints its totals by both scopes in lines that begin with `totals`, and answers with the
//! command's name. It ends with its input, and does the same once more after the shutdown.
//!
//! | command | effect |
//! |---|---|
//! | `work` | every recorder records a random number of random events |
//! | `remove` | the last recorder is removed |
//! | `replace` | the metric of the first recorder is replaced by a new one |
//!
//! | pushed to | what |
//! |---|---|
//! | `SINK/cumulative` | the rollup |
//! | `SINK/small` | the same in requests of 2,000 bytes, not compressed |
//! | `SINK/delta` | deltas of the rollup |
//! | `COLLECTOR` | each entity |
//! | `STORE` | the rollup |

use std::error::Error;
use std::io::stdin;
use std::time::Duration;

use mvx_metrics::{
    Breakdown, Counter, Distinct, Gauge, Histogram, InFlight, Label, Max, Mean, Metric, MetricsRecorder,
    MetricsRuntime, Min, Recent, Scope, Sum, Top, metric_event,
};
use mvx_metrics_otlp::{OtlpOptions, OtlpPusher, Temporality};

const WAIT: Duration = Duration::from_secs(10);
const ENTITIES: [&str; 3] = ["north", "south \"1\"", "öst\\2"];
const CUSTOMERS: [&str; 12] =
    ["ada", "bob", "cid", "dan", "eve", "fay", "gus", "hal", "ida", "jan", "kay", "a \"b\"\n\\"];

#[derive(Label, Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Paid,
    Refused,
    /// No event has this one, so its counts are 0.
    #[expect(dead_code, reason = "its counts are 0")]
    Lost,
}

#[metric_event]
struct Ordered {
    outcome: Outcome,
    express: bool,
    customer: &'static str,
    elapsed: Duration,
    bytes: u64,
    balance: i64,
    ratio: f64,
}

#[metric_event]
struct Forgotten {
    elapsed: Duration,
}

/// Orders of all kinds.
#[derive(Metric, Default)]
#[metric(name = "shop.orders", on(Ordered))]
struct Orders {
    /// All orders.
    all: Counter,
    /// What was sent.
    #[dimension(value = bytes, unit = bytes)]
    sent: Sum<u64>,
    #[dimension(value = |e| e.bytes << 43)]
    beyond_signed: Sum<u64>,
    #[dimension(value = elapsed)]
    time: Sum<Duration>,
    #[dimension(value = elapsed, unit = milliseconds)]
    time_in_milliseconds: Sum<Duration>,
    #[dimension(value = balance)]
    balance: Sum<i64>,
    #[dimension(value = ratio)]
    ratio: Sum<f64>,
    #[dimension(value = balance)]
    least: Min<i64>,
    #[dimension(value = elapsed)]
    longest: Max<Duration>,
    #[dimension(value = bytes, unit = bytes)]
    mean_size: Mean<u64>,
    #[dimension(value = elapsed)]
    mean_time: Mean<Duration>,
    #[dimension(value = ratio)]
    mean_ratio: Mean<f64>,
    #[dimension(add = 3, sub = |e| u64::from(e.express))]
    open: InFlight,
    #[dimension(set = balance)]
    level: Gauge<i64>,
    #[dimension(set = ratio, merge = max, unit = percent)]
    peak: Gauge<f64>,
    #[dimension(value = bytes, buckets = [10, 100, 1000], unit = bytes)]
    sizes: Histogram<u64>,
    #[dimension(value = elapsed, buckets = [0.005, 0.25, 0.5, 2])]
    took: Histogram<Duration>,
    /// Without declared buckets: exponential ones.
    #[dimension(value = elapsed)]
    exact: Histogram<Duration>,
    /// Values on both sides of zero.
    #[dimension(value = ratio)]
    signed: Histogram<f64>,
    #[dimension(value = balance, max_buckets = 8)]
    coarse: Histogram<i64>,
    #[dimension(on(Forgotten), value = elapsed)]
    never: Histogram<Duration>,
    #[dimension(on(Forgotten), value = elapsed)]
    never_longest: Max<Duration>,
    #[dimension(value = customer)]
    customers: Distinct,
    #[dimension(by = outcome)]
    by_outcome: Breakdown<Outcome, Counter>,
    #[dimension(by(outcome, express))]
    by_both: Breakdown<(Outcome, bool), Counter>,
    #[dimension(by = express, value = elapsed)]
    time_by: Breakdown<bool, Sum<Duration>>,
    #[dimension(by = outcome, value = bytes)]
    mean_by: Breakdown<Outcome, Mean<u64>>,
    #[dimension(by = outcome, value = bytes, buckets = [100, 500])]
    sizes_by: Breakdown<Outcome, Histogram<u64>>,
    #[dimension(by = outcome, value = elapsed)]
    exact_by: Breakdown<Outcome, Histogram<Duration>>,
    #[dimension(by = customer, limit = 5)]
    by_customer: Breakdown<&'static str, Counter>,
    #[dimension(by = customer, keep = 4, value = bytes)]
    largest: Top<&'static str, Sum<u64>>,
    #[dimension(value = bytes)]
    recent: Recent<Sum<u64>, 3_600>,
    #[dimension(value = elapsed)]
    recent_times: Recent<Histogram<Duration>, 3_600>,
}

/// Pseudo-random numbers, the same in every run with one seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % end
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        let place = self.below(u64::try_from(all.len()).unwrap_or(u64::MAX));
        all[usize::try_from(place).unwrap_or_default()]
    }

    /// A number with six decimals between both bounds, in millions.
    fn signed(&mut self, bound: u32) -> f64 {
        let magnitude = self.below(u64::from(bound));
        let magnitude = f64::from(u32::try_from(magnitude).unwrap_or(bound)) / 1e6;
        if self.below(3) == 0 { -magnitude } else { magnitude }
    }
}

fn work(recorder: &MetricsRecorder, random: &mut Random) -> Result<(), Box<dyn Error>> {
    for _ in 0..random.below(300) {
        let order = Ordered {
            outcome: random.one_of(&[Outcome::Paid, Outcome::Paid, Outcome::Refused]),
            express: random.below(4) == 0,
            customer: random.one_of(&CUSTOMERS),
            elapsed: if random.below(30) == 0 {
                Duration::ZERO
            } else {
                Duration::from_nanos(random.below(3_000_000_000) >> random.below(24))
            },
            bytes: random.below(2000),
            balance: i64::try_from(random.below(2_000_000))? - 700_000,
            ratio: if random.below(20) == 0 { 0.0 } else { random.signed(90_000_000) },
        };
        recorder.register_event_blocking(order, WAIT)?;
    }
    recorder.flush().wait()?;
    Ok(())
}

fn print_totals(runtime: &MetricsRuntime) -> Result<(), Box<dyn Error>> {
    for scope in [Scope::Rollup, Scope::PerEntity] {
        println!("totals {}", serde_json::to_string(&runtime.totals(scope)?)?);
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [seed, sink, collector, store] = &arguments[..] else {
        return Err("usage: pushed_totals SEED SINK COLLECTOR STORE".into());
    };
    let mut random = Random(seed.parse()?);
    let runtime = MetricsRuntime::builder("ci.otlp").label("region", "north").build()?;
    runtime.start()?;
    let create = |entity: &str| -> Result<MetricsRecorder, Box<dyn Error>> {
        let recorder = runtime.create_recorder(entity)?;
        recorder.metric::<Orders>()?;
        Ok(recorder)
    };
    let mut recorders = ENTITIES.iter().map(|entity| create(entity)).collect::<Result<Vec<_>, _>>()?;
    // The commands alone decide when there is a push.
    let options = OtlpOptions::new().interval(Duration::from_hours(1));
    let to = |address: &str| options.clone().endpoint(address);
    let pushers = [
        to(&format!("{sink}/cumulative")),
        to(&format!("{sink}/small")).max_request_size(2_000).gzip(false),
        to(&format!("{sink}/delta")).temporality(Temporality::Delta),
        to(collector).scope(Scope::PerEntity),
        to(store),
    ];
    let pushers = pushers
        .into_iter()
        .map(|options| OtlpPusher::start(&runtime, options))
        .collect::<Result<Vec<_>, _>>()?;
    for command in stdin().lines() {
        let command = command?;
        match &*command {
            "work" => {
                for recorder in &recorders {
                    work(recorder, &mut random)?;
                }
            }
            "remove" => {
                recorders.pop();
                runtime.stop_and_remove_recorder(ENTITIES[recorders.len()])?;
            }
            "replace" => {
                recorders[0].register_metric(Orders::default())?;
            }
            other => return Err(format!("there is no command `{other}`").into()),
        }
        pushers.iter().try_for_each(OtlpPusher::push)?;
        print_totals(&runtime)?;
        println!("{command}");
    }
    runtime.shutdown()?;
    for pusher in pushers {
        let stats = pusher.shutdown(WAIT)?;
        if (stats.failures, stats.rejected_points) != (0, 0) {
            return Err(format!("a push has failed: {stats:?}").into());
        }
    }
    print_totals(&runtime)
}
