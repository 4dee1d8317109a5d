//! A program for `.ci/catalogue`: metrics of every kind, and each kind of loss and failure, on purpose.
//!
//! `catalogue_program --catalogue FILE --empty FILE` writes its catalogue, and one without metrics. It prints `serving ADDRESS ADDRESS`:
//! the namespace `shop` with all metrics, and the namespace `stuck`, in which a handler never ends. The program reads commands from its standard input, answers each with the command's name, and ends with its input.
//!
//! | command | effect |
//! |---|---|
//! | `work` | 20 orders of 0.2 s, 5 of which fail; an import of 5 attempts, 1 of which fails |
//! | `lose` | events are dropped, rejected and discarded, a value is invalid, and a recorder fails |

use std::borrow::Cow;
use std::error::Error;
use std::fs;
use std::io::stdin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mvx_metrics::catalogue::Catalogue;
use mvx_metrics::feed::{IntoMeasure, Record};
use mvx_metrics::http::EndpointOptions;
use mvx_metrics::{
    Breakdown, BreakdownEntry, Counter, Dimension, DimensionDescriptor, DimensionKind, DimensionValue,
    Distinct, EventHandler, Gauge, Histogram, InFlight, Label, Max, Mean, Merge, Metric, MetricDescriptor,
    MetricFailurePolicy, MetricSnapshot, MetricsRecorder, MetricsRecorderState, MetricsRuntime,
    MetricsRuntimeError, Min, Output, QueueOverflowPolicy, Recent, RecorderOptions, Sum, Top, catalogue,
    metric_event,
};
use mvx_metrics_tests::{Gate, Gated, Step, eventually};
use serde::{Deserialize, Serialize};

const WAIT: Duration = Duration::from_secs(10);
/// How long names and texts may be.
const LONG: usize = 10_000;
/// What may stand in the middle of a page, a template, a query and a variable.
const HOSTILE: &str = "</script><b>\"quoted\" 'x' {{ $labels.namespace }} {{ $namespace ${datasource} [[namespace]] %{} \\ \u{7f}\u{feff}";

#[derive(Label, Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Paid,
    Failed,
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
struct Imported {
    source: &'static str,
    is_failure: bool,
    bytes: u64,
}

#[metric_event]
struct Weighed {
    weight: f64,
    gate: Option<Gate>,
}

/// Counts values by a rule of its own.
#[derive(Default)]
struct Spread {
    values: u64,
    largest: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct SpreadSnapshot {
    values: u64,
    largest: f64,
}

impl Output for SpreadSnapshot {}

impl Merge for SpreadSnapshot {
    fn merge(&mut self, other: &Self) {
        self.values += other.values;
        self.largest = self.largest.max(other.largest);
    }
}

impl Dimension for Spread {
    type Output = SpreadSnapshot;
    const KIND: DimensionKind = DimensionKind::Custom;
    const MERGE: Option<fn(&mut SpreadSnapshot, &SpreadSnapshot)> = Some(Merge::merge);

    fn read(&self) -> SpreadSnapshot {
        SpreadSnapshot { values: self.values, largest: self.largest }
    }

    fn value(spread: SpreadSnapshot) -> DimensionValue {
        DimensionValue::map([("values", spread.values.into()), ("largest", spread.largest.into())])
    }
}

impl<V: IntoMeasure<f64>> Record<V> for Spread {
    fn record(&mut self, value: V) -> bool {
        let Some(value) = value.into_measure() else { return false };
        self.values += 1;
        self.largest = self.largest.max(value);
        true
    }
}

/// All orders. Failed ones count, too: {{ "they" }} are `Failed` & <b>.
#[derive(Metric, Default)]
#[metric(name = "shop.orders", on(Ordered))]
struct Orders {
    /// All orders.
    all: Counter,
    /// What was sent.
    #[dimension(value = bytes, unit = bytes)]
    sent: Sum<u64>,
    #[dimension(value = elapsed)]
    time: Sum<Duration>,
    #[dimension(value = elapsed, unit = milliseconds)]
    time_in_milliseconds: Sum<Duration>,
    #[dimension(value = balance, unit = "euros")]
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
    #[dimension(set = balance, merge = min)]
    floor: Gauge<i64>,
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
    #[dimension(value = customer)]
    customers: Distinct,
    #[dimension(value = ratio)]
    spread: Spread,
    /// Orders by outcome.
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
    #[dimension(by = outcome, value = balance)]
    level_by: Breakdown<Outcome, Gauge<i64>>,
    #[dimension(by = customer, value = elapsed, limit = 3)]
    exact_by: Breakdown<&'static str, Histogram<Duration>>,
    #[dimension(by = customer, limit = 5)]
    by_customer: Breakdown<&'static str, Counter>,
    #[dimension(by = customer, keep = 4, value = bytes)]
    largest: Top<&'static str, Sum<u64>>,
    #[dimension(value = bytes)]
    recent: Recent<Sum<u64>, 3_600>,
    #[dimension(value = elapsed)]
    recent_longest: Recent<Max<Duration>, 3_600>,
    #[dimension(value = elapsed)]
    recent_mean: Recent<Mean<Duration>, 3_600>,
    #[dimension(value = elapsed)]
    recent_times: Recent<Histogram<Duration>, 3_600>,
    #[dimension(by = outcome)]
    recent_by: Breakdown<Outcome, Recent<Counter, 3_600>>,
}

/// Imports. No label says which ones failed, but a counter does.
#[derive(Metric, Default)]
#[metric(name = "shop.imports", on(Imported), by(source), limit = 4)]
struct Imports {
    attempts: Breakdown<&'static str, Counter>,
    #[dimension(when = |e| e.is_failure)]
    failed: Breakdown<&'static str, Counter>,
    #[dimension(value = bytes, buckets = [100, 1000], unit = bytes)]
    sizes: Breakdown<&'static str, Histogram<u64>>,
}

fn pass(gate: Option<&Gate>) -> bool {
    gate.inspect(|gate| gate.block());
    true
}

/// Waits at the gate of each event.
#[derive(Metric, Default)]
#[metric(name = "weights", on(Weighed))]
struct Weights {
    #[dimension(when = |e| pass(e.gate.as_ref()))]
    total: Counter,
    #[dimension(value = weight)]
    sum: Sum<f64>,
}

/// Panics at a weight below zero.
#[derive(Metric, Default)]
#[metric(name = "broken", on(Weighed))]
struct Broken {
    #[dimension(when = |e| { assert!(e.weight >= 0.0, "a weight below zero, on purpose"); true })]
    total: Counter,
}

/// A metric with names and texts that no derived metric has.
struct Handwritten {
    name: String,
    dimension: String,
    label: String,
    value: String,
    /// Each snapshot counts one failure and three others more.
    snapshots: AtomicU64,
}

impl Handwritten {
    fn hostile() -> Self {
        let [dimension, label, value] = [1, 2, 3].map(|number| format!("{HOSTILE}{number}"));
        Self { name: HOSTILE.to_owned(), dimension, label, value, snapshots: AtomicU64::new(0) }
    }

    fn long() -> Self {
        let [name, dimension, label, value] = ["n", "d", "l", "v"].map(|letter| letter.repeat(LONG));
        Self { name, dimension, label, value, snapshots: AtomicU64::new(0) }
    }

    /// Its only dimension has the name of one of `Orders`, so it is left out.
    fn clashing() -> Self {
        let [name, dimension, label, value] = ["shop", "orders_all", "label", "value"].map(str::to_owned);
        Self { name, dimension, label, value, snapshots: AtomicU64::new(0) }
    }
}

impl Metric for Handwritten {
    fn metric_name(&self) -> &str {
        &self.name
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        &[]
    }

    fn snapshot(&self) -> MetricSnapshot {
        let entry =
            |label: String, count: u64| BreakdownEntry { labels: vec![label.into()], value: count.into() };
        let count = self.snapshots.fetch_add(1, Ordering::Relaxed);
        let entries = vec![entry(self.value.clone(), 3 * count), entry("failed".to_owned(), count)];
        MetricSnapshot::new(self.name.clone())
            .with(self.dimension.clone(), DimensionValue::Breakdown(entries))
    }

    fn descriptor(&self) -> MetricDescriptor {
        let mut dimension = DimensionDescriptor::new("", DimensionKind::Counter);
        dimension.name = self.dimension.clone().into();
        dimension.help = self.value.clone().into();
        dimension.labels = Cow::Owned(vec![self.label.clone().into()]);
        MetricDescriptor::new(self.name.clone())
            .with_help(self.value.clone())
            .with_dimensions(vec![dimension])
    }
}

fn work(recorder: &MetricsRecorder) -> Result<(), Box<dyn Error>> {
    const CUSTOMERS: [&str; 7] = ["ada", "bob", "cid", "dan", "eve", "fay", "a \"b\"\n\\"];
    for (number, customer) in (0_u8..20).zip(CUSTOMERS.into_iter().cycle()) {
        let ordered = Ordered {
            outcome: if number % 4 == 0 { Outcome::Failed } else { Outcome::Paid },
            express: number % 2 == 0,
            customer,
            elapsed: Duration::from_millis(200),
            bytes: 50 * u64::from(number % 4 + 1),
            balance: i64::from(number) - 10,
            ratio: f64::from(number) / 8.0 - 1.0,
        };
        recorder.register_event_blocking(ordered, WAIT)?;
    }
    for (is_failure, source) in
        [(true, "disk"), (false, "disk"), (false, "web"), (false, "web"), (false, "web")]
    {
        recorder.register_event_blocking(Imported { source, is_failure, bytes: 300 }, WAIT)?;
    }
    Ok(())
}

/// Ends with `number`, which tells its recorders from earlier ones.
fn lose(runtime: &MetricsRuntime, number: u32) -> Result<(), Box<dyn Error>> {
    // The queue has room for four events while the first one waits at the gate.
    let options = RecorderOptions::new().queue_max_size(4).queue_overflow_policy(QueueOverflowPolicy::Drop);
    let small = runtime.create_recorder_with(&format!("small-{number}"), options)?;
    small.register_metric(Weights::default())?;
    small.register_metric(Broken::default())?;
    let gate = Gate::new();
    small.emit(Weighed { weight: 1.0, gate: Some(gate.clone()) });
    gate.wait_for_arrival();
    for weight in [f64::NAN, -1.0, 2.0, 3.0, 4.0] {
        small.emit(Weighed { weight, gate: None });
    }
    gate.open();
    small.flush().wait()?;

    let options = RecorderOptions::new().metric_failure_policy(MetricFailurePolicy::FailRecorder);
    let failing = runtime.create_recorder_with(&format!("failing-{number}"), options)?;
    failing.register_metric(Weights::default())?;
    failing.register_metric(Broken::default())?;
    let gate = Gate::new();
    failing.emit(Weighed { weight: 1.0, gate: Some(gate.clone()) });
    gate.wait_for_arrival();
    failing.emit(Weighed { weight: -1.0, gate: None });
    // Events of another type are in a later batch.
    for is_failure in [false, true, false] {
        failing.emit(Imported { source: "disk", is_failure, bytes: 300 });
    }
    gate.open();
    eventually("the recorder fails", || failing.status() == MetricsRecorderState::Failure);
    let refused = failing.register_event(Weighed { weight: 1.0, gate: None });
    if refused.is_ok() {
        return Err("a failed recorder has accepted an event".into());
    }
    Ok(())
}

/// The value of an option.
fn option(name: &str) -> Result<String, Box<dyn Error>> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    arguments.nth(1).ok_or_else(|| "usage: catalogue_program --catalogue FILE --empty FILE".into())
}

fn main() -> Result<(), Box<dyn Error>> {
    let catalogue = Catalogue::builder()
        .metric::<Orders>()
        .metric::<Imports>()
        .metric::<Weights>()
        .metric::<Broken>()
        .metric_of(&Handwritten::hostile())
        .metric_of(&Handwritten::long())
        .build()?;
    fs::write(option("--catalogue")?, catalogue.to_json())?;
    fs::write(option("--empty")?, catalogue![]?.to_json())?;

    let shop = MetricsRuntime::new("shop")?;
    shop.start()?;
    let recorder = shop.create_recorder("one")?;
    recorder.metric::<Orders>()?;
    recorder.metric::<Imports>()?;
    recorder.metric::<Weights>()?;
    recorder.metric::<Broken>()?;
    for metric in [Handwritten::hostile(), Handwritten::long(), Handwritten::clashing()] {
        recorder.register_metric(metric)?;
    }
    shop.create_recorder("removed")?;
    shop.stop_and_remove_recorder("removed")?;
    let stuck = MetricsRuntime::builder("stuck").shutdown_timeout(Duration::from_millis(100)).build()?;
    stuck.start()?;
    let gate = Gate::new();
    let waiting = stuck.create_recorder("waiting")?;
    waiting.register_metric(Gated(gate.clone()))?;
    waiting.emit(Step(1));
    gate.wait_for_arrival();

    let serve = |runtime: &MetricsRuntime| runtime.serve_http(EndpointOptions::new().port(0));
    let [of_shop, of_stuck] = [serve(&shop)?, serve(&stuck)?];
    println!("serving {} {}", of_shop.address(), of_stuck.address());
    for (number, command) in (0..).zip(stdin().lines()) {
        match &*command? {
            "work" => {
                work(&recorder)?;
                println!("work");
            }
            "lose" => {
                lose(&shop, number)?;
                println!("lose");
            }
            other => return Err(format!("there is no command `{other}`").into()),
        }
    }
    gate.open();
    stuck.shutdown()?;
    match shop.shutdown() {
        // The recorders that failed on purpose.
        Err(MetricsRuntimeError::Shutdown { timed_out: false, .. }) | Ok(()) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
