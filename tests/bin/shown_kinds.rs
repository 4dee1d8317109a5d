//! A program for the tests of the page in a browser, and of `mvx-metrics top`: it has all that they show.
//!
//! `shown_kinds [--recorders N] [--load EVENTS_PER_SECOND] [--hostile] [--calm] [--port PORT]` serves the page of a runtime. It prints
//! `serving ADDRESS`, and reads commands from its standard input. It answers each command with the command itself, and ends with its input.
//!
//! | option | effect |
//! |---|---|
//! | `--recorders N` | so many recorders `connection-1`, `connection-2`, .. with the metric `requests`; 30 by default |
//! | `--load EVENTS_PER_SECOND` | a thread emits so many requests, one recorder after the other; none by default |
//! | `--hostile` | names, ids, labels and help texts with markup, control characters and 10,000 characters |
//! | `--calm` | nothing has gone wrong: no failed recorder, no quarantined metric, no dropped event, no name that is left out |
//!
//! | command | effect |
//! |---|---|
//! | `add N` | so many recorders more |
//! | `remove N` | the last so many recorders are removed |
//! | `emit N` | each recorder counts so many requests |
//! | `stop` | the runtime is shut down; the page shows the final state |

use std::borrow::Cow;
use std::error::Error;
use std::io::stdin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use mvx_metrics::http::{EndpointOptions, ServiceOptions};
use mvx_metrics::{
    Breakdown, BreakdownEntry, Counter, DimensionDescriptor, DimensionKind, DimensionValue, Distinct,
    EventHandler, Gauge, Histogram, InFlight, Label, Max, Mean, Metric, MetricDescriptor,
    MetricFailurePolicy, MetricSnapshot, MetricsRecorder, MetricsRuntime, Min, Recent, RecorderOptions, Sum,
    Top, metric_event,
};

#[derive(Label, Debug, Clone, Copy, PartialEq, Eq)]
#[label(rename_all = "kebab-case")]
enum Outcome {
    Success,
    NotFound,
    ServerError,
}

#[metric_event(name = "request.answered")]
struct Answered {
    outcome: Outcome,
    route: String,
    elapsed: Duration,
    bytes: u64,
    load: f64,
}

impl Answered {
    /// The request of this number. The numbers have all outcomes and routes, and times from 1 ms to 1 s.
    fn numbered(number: u64) -> Self {
        let outcome = match number % 20 {
            0 => Outcome::ServerError,
            1 | 2 => Outcome::NotFound,
            _ => Outcome::Success,
        };
        // A few routes have most of the requests.
        let route = format!("/route/{}", (number % 40) * (number % 7) % 40);
        let elapsed = Duration::from_micros(1_000 + number.wrapping_mul(7_919) % 1_000 * (number % 10) * 100);
        #[expect(clippy::cast_precision_loss, reason = "a number below 100")]
        let load = (number % 100) as f64 / 100.0;
        Self { outcome, route, elapsed, bytes: 100 + number % 900, load }
    }
}

/// Requests that a connection has answered.
#[derive(Metric, Default)]
#[metric(name = "requests", on(Answered))]
struct Requests {
    /// All requests.
    total: Counter,
    /// Bytes of all answers.
    #[dimension(value = bytes, unit = bytes)]
    sent: Sum<u64>,
    /// From the first byte of the request to the last one of the answer.
    #[dimension(value = elapsed)]
    duration: Histogram<Duration>,
    /// Requests by outcome.
    #[dimension(by = outcome)]
    outcomes: Breakdown<Outcome, Counter>,
}

/// Every kind of dimension once.
#[derive(Metric, Default)]
#[metric(name = "kinds", on(Answered))]
struct Kinds {
    /// A counter.
    counted: Counter,
    /// A sum of times.
    #[dimension(value = elapsed, unit = milliseconds)]
    busy: Sum<Duration>,
    /// The least value.
    #[dimension(value = elapsed)]
    fastest: Min<Duration>,
    /// The largest value.
    #[dimension(value = bytes, unit = bytes)]
    largest: Max<u64>,
    /// A mean.
    #[dimension(value = bytes, unit = bytes)]
    mean: Mean<u64>,
    /// The last value.
    #[dimension(set = load, merge = max)]
    load: Gauge<f64>,
    /// Work that has begun and not ended.
    #[dimension(add = bytes, sub = 50)]
    flying: InFlight,
    /// Exponential buckets.
    #[dimension(value = elapsed)]
    latency: Histogram<Duration>,
    /// Explicit buckets.
    #[dimension(value = load, buckets = [0.25, 0.5, 0.75, 1])]
    loads: Histogram<f64>,
    /// How many routes there are.
    #[dimension(value = route)]
    routes: Distinct,
    /// The routes with the most bytes.
    #[dimension(by = route, keep = 5, value = bytes, unit = bytes)]
    heaviest: Top<String, Sum<u64>>,
    /// Requests of the last minute.
    lately: Recent<Counter, 60>,
    /// Times of the last minute.
    #[dimension(value = elapsed)]
    latency_lately: Recent<Histogram<Duration>, 60>,
    /// Requests by route.
    #[dimension(by = route, limit = 100)]
    by_route: Breakdown<String, Counter>,
    /// Times by outcome.
    #[dimension(by = outcome, value = elapsed)]
    latency_by_outcome: Breakdown<Outcome, Histogram<Duration>>,
    /// Means by two labels.
    #[dimension(by(outcome, route), limit = 200, value = bytes, unit = bytes)]
    mean_by_both: Breakdown<(Outcome, String), Mean<u64>>,
}

#[metric_event(name = "fault.injected")]
struct Fault;

/// A metric that panics.
#[derive(Metric, Default)]
#[metric(name = "broken", on(Fault))]
struct Broken {
    #[dimension(value = |_| -> u64 { panic!("the handler of this metric panics on purpose") })]
    faults: Sum<u64>,
}

#[metric_event(name = "tick")]
struct Tick;

/// Ticks of a recorder with a small queue.
#[derive(Metric, Default)]
#[metric(name = "ticks", on(Tick))]
struct Ticks {
    total: Counter,
}

#[metric_event(name = "value.measured")]
struct Measured {
    value: f64,
}

/// Values, of which some are not finite.
#[derive(Metric, Default)]
#[metric(name = "measured", on(Measured))]
struct Measurements {
    #[dimension(value = value)]
    values: Mean<f64>,
}

/// A metric that is written by hand.
struct Handwritten {
    descriptor: MetricDescriptor,
    values: Vec<DimensionValue>,
}

impl Handwritten {
    fn new(name: &str, help: &str, dimensions: Vec<(DimensionDescriptor, DimensionValue)>) -> Self {
        let (dimensions, values): (Vec<_>, Vec<_>) = dimensions.into_iter().unzip();
        let descriptor = MetricDescriptor::new(name.to_owned()).with_help(help.to_owned());
        Self { descriptor: descriptor.with_dimensions(dimensions), values }
    }
}

impl Metric for Handwritten {
    fn metric_name(&self) -> &str {
        &self.descriptor.name
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        &[]
    }

    fn snapshot(&self) -> MetricSnapshot {
        let values = self.descriptor.dimensions.iter().zip(&self.values);
        values.fold(MetricSnapshot::new(self.metric_name()), |snapshot, (declared, value)| {
            snapshot.with(declared.name.clone(), value.clone())
        })
    }

    fn descriptor(&self) -> MetricDescriptor {
        self.descriptor.clone()
    }
}

fn dimension(
    name: &str,
    kind: DimensionKind,
    value: DimensionValue,
) -> (DimensionDescriptor, DimensionValue) {
    let mut declared = DimensionDescriptor::new("", kind);
    declared.name = name.to_owned().into();
    (declared, value)
}

/// Values that are no numbers.
fn states() -> Handwritten {
    use DimensionKind::Gauge;
    let own = |name, value: DimensionValue| {
        let (mut declared, value) = dimension(name, Gauge, value);
        declared.kind = DimensionKind::Custom;
        (declared, value)
    };
    Handwritten::new(
        "state",
        "Values that are no numbers.",
        vec![
            own("phase", DimensionValue::Text("warming up".to_owned())),
            own("ready", true.into()),
            own("versions", vec![1_u64, 2, 3].into()),
            own(
                "pool",
                DimensionValue::map([
                    ("open", 7_u64.into()),
                    ("name", DimensionValue::Text("main".to_owned())),
                ]),
            ),
        ],
    )
}

const MARKUP: &str = "</script><img src=x onerror=alert(1)>";

/// Names that a page must show as text, and long ones.
fn hostile() -> [Handwritten; 2] {
    let entry = |label: &str, value: u64| BreakdownEntry {
        labels: vec![Cow::Owned(label.to_owned())],
        value: DimensionValue::Unsigned(value),
    };
    let labels = [MARKUP, "\"'`<&>\u{202e}\u{0}\n\t${1}", "javascript:alert(1)", "日本語 ☃ ünï", ""];
    let mut entries: Vec<_> = labels.iter().zip(10..).map(|(label, value)| entry(label, value)).collect();
    entries.push(entry(&"l".repeat(10_000), 99));
    let (mut declared, value) = dimension(MARKUP, DimensionKind::Counter, DimensionValue::Breakdown(entries));
    declared.labels = vec![Cow::Owned(MARKUP.to_owned())].into();
    declared.help = MARKUP.into();
    declared.unit = Some(MARKUP.into());
    let text = dimension("text", DimensionKind::Custom, DimensionValue::Text(MARKUP.to_owned()));
    let long = "n".repeat(10_000);
    let long = Handwritten::new(&long, &long, vec![dimension(&long, DimensionKind::Counter, 1_u64.into())]);
    [Handwritten::new(MARKUP, MARKUP, vec![(declared, value), text]), long]
}

/// The recorders that commands add, remove and let count.
struct Recorders {
    runtime: MetricsRuntime,
    /// With their ids.
    all: Vec<(String, MetricsRecorder)>,
    created: u64,
    events: u64,
}

impl Recorders {
    fn add(&mut self, count: u64) -> Result<(), Box<dyn Error>> {
        for _ in 0..count {
            self.created += 1;
            let id = format!("connection-{}", self.created);
            let options = RecorderOptions::new().entity_id(format!("client-{}", self.created % 1_000));
            let recorder = self.runtime.create_recorder_with(&id, options)?;
            recorder.metric::<Requests>()?;
            self.all.push((id, recorder));
        }
        Ok(())
    }

    fn remove(&mut self, count: usize) -> Result<(), Box<dyn Error>> {
        for (id, _) in self.all.split_off(self.all.len().saturating_sub(count)) {
            self.runtime.stop_and_remove_recorder(&id)?;
        }
        Ok(())
    }

    fn emit(&mut self, count: u64) {
        for (_, recorder) in &self.all {
            for _ in 0..count {
                self.events += 1;
                recorder.emit(Answered::numbered(self.events));
            }
        }
    }

    /// One event each for so many recorders, which take turns.
    fn emit_in_turn(&mut self, count: u64) {
        for _ in 0..count {
            self.events += 1;
            let recorder =
                usize::try_from(self.events).ok().and_then(|event| event.checked_rem(self.all.len()));
            if let Some(recorder) = recorder {
                self.all[recorder].1.emit(Answered::numbered(self.events));
            }
        }
    }
}

struct Options {
    recorders: u64,
    load: u64,
    hostile: bool,
    calm: bool,
    port: u16,
}

impl Options {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        let mut options = Self { recorders: 30, load: 0, hostile: false, calm: false, port: 0 };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("`{argument}` needs a value"));
            match &*argument {
                "--recorders" => options.recorders = value()?.parse()?,
                "--load" => options.load = value()?.parse()?,
                "--port" => options.port = value()?.parse()?,
                "--hostile" => options.hostile = true,
                "--calm" => options.calm = true,
                other => return Err(format!("there is no option `{other}`").into()),
            }
        }
        Ok(options)
    }
}

/// Recorders with all kinds of dimensions, in a namespace of their own.
fn add_kinds(runtime: &MetricsRuntime) -> Result<Vec<MetricsRecorder>, Box<dyn Error>> {
    let mut all = Vec::new();
    for id in ["kinds-1", "kinds-2"] {
        let recorder = runtime.create_recorder_with(id, RecorderOptions::new().namespace("shop.kinds"))?;
        recorder.metric::<Kinds>()?;
        recorder.register_metric(states())?;
        (0..500).for_each(|number| recorder.emit(Answered::numbered(number)));
        all.push(recorder);
    }
    Ok(all)
}

/// All that can go wrong.
fn add_problems(runtime: &MetricsRuntime) -> Result<Vec<MetricsRecorder>, Box<dyn Error>> {
    // The panics are on purpose.
    std::panic::set_hook(Box::new(|_| {}));
    let quarantined = runtime.create_recorder("quarantined")?;
    quarantined.metric::<Broken>()?;
    quarantined.emit(Fault);
    let failing = RecorderOptions::new().metric_failure_policy(MetricFailurePolicy::FailRecorder);
    let failed = runtime.create_recorder_with("failed", failing)?;
    failed.metric::<Broken>()?;
    failed.emit(Fault);
    let lossy = runtime.create_recorder_with("lossy", RecorderOptions::new().queue_max_size(8))?;
    lossy.metric::<Ticks>()?;
    for _ in 0..100_000 {
        lossy.emit(Tick);
    }
    let invalid = runtime.create_recorder("invalid")?;
    invalid.metric::<Measurements>()?;
    [1.0, f64::NAN, f64::INFINITY].into_iter().for_each(|value| invalid.emit(Measured { value }));
    let clashing = runtime.create_recorder("clashing")?;
    let same = |metric: &str, name: &str| {
        Handwritten::new(metric, "", vec![dimension(name, DimensionKind::Counter, 3_u64.into())])
    };
    clashing.register_metric(same("jobs", "done"))?;
    clashing.register_metric(same("jobs.done", "total"))?;
    Ok(vec![quarantined, failed, lossy, invalid, clashing])
}

fn add_hostile(runtime: &MetricsRuntime) -> Result<Vec<MetricsRecorder>, Box<dyn Error>> {
    let namespaced = RecorderOptions::new().namespace(MARKUP).entity_id(MARKUP);
    let hostile = runtime.create_recorder_with(MARKUP, namespaced)?;
    for metric in self::hostile() {
        hostile.register_metric(metric)?;
    }
    let long = runtime.create_recorder(&"i".repeat(10_000))?;
    Ok(vec![hostile, long])
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::read(std::env::args().skip(1))?;
    let runtime = MetricsRuntime::new("shop")?;
    runtime.start()?;
    // Kept, so that these recorders go on.
    let mut kept = add_kinds(&runtime)?;
    if !options.calm {
        kept.extend(add_problems(&runtime)?);
    }
    if options.hostile {
        kept.extend(add_hostile(&runtime)?);
    }
    let service = runtime.metrics_service(ServiceOptions::new().page(true));
    let mut recorders = Recorders { runtime, all: Vec::new(), created: 0, events: 0 };
    recorders.add(options.recorders)?;
    let endpoint = service.serve(EndpointOptions::new().port(options.port))?;
    println!("serving {}", endpoint.address());

    let recorders = Arc::new(Mutex::new(recorders));
    let is_over = Arc::new(AtomicBool::new(false));
    let load = {
        const TICKS: u64 = 50;
        let (recorders, is_over) = (Arc::clone(&recorders), Arc::clone(&is_over));
        let events = options.load;
        move || {
            for tick in (0..TICKS).cycle() {
                if is_over.load(Ordering::Relaxed) {
                    return;
                }
                let due = events * (tick + 1) / TICKS - events * tick / TICKS;
                recorders.lock().unwrap_or_else(PoisonError::into_inner).emit_in_turn(due);
                thread::sleep(Duration::from_secs(1) / u32::try_from(TICKS).unwrap_or(1));
            }
        }
    };
    let load = (options.load > 0).then(|| thread::spawn(load));
    for line in stdin().lines() {
        let line = line?;
        let (command, number) = line.split_once(' ').unwrap_or((&line, "1"));
        let mut recorders = recorders.lock().unwrap_or_else(PoisonError::into_inner);
        match command {
            "add" => recorders.add(number.parse()?)?,
            "remove" => recorders.remove(number.parse()?)?,
            "emit" => recorders.emit(number.parse()?),
            "stop" => {
                // That some recorder has failed is no news.
                let _ = recorders.runtime.shutdown();
            }
            other => return Err(format!("there is no command `{other}`").into()),
        }
        println!("{line}");
    }
    is_over.store(true, Ordering::Relaxed);
    if let Some(load) = load {
        // It ends at its next tick.
        let _ = load.join();
    }
    let _ = recorders.lock().unwrap_or_else(PoisonError::into_inner).runtime.shutdown();
    drop(kept);
    Ok(())
}
