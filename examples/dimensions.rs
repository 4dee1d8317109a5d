//! Every kind of dimension and every option of the derive, once.
//!
//! Run with `cargo run --example dimensions`. It feeds a handful of events to a recorder and prints the typed snapshot,
//! then the erased one as JSON.

use std::error::Error;
use std::time::Duration;

use mvx_metrics::feed::{IntoMeasure, Record};
use mvx_metrics::{
    Breakdown, Counter, Dimension, DimensionKind, DimensionValue, Distinct, Gauge, Histogram, InFlight,
    Label, Max, Mean, Metric, MetricsRuntime, Min, Output, Recent, Sum, Top, metric_event,
};
use serde::{Deserialize, Serialize};

/// A label of which all values are known: a breakdown by it needs no limit.
#[derive(Label, Debug, Clone, Copy, PartialEq, Eq)]
#[label(rename_all = "kebab-case")]
enum Outcome {
    Success,
    NotFound,
    #[label(name = "5xx")]
    ServerError,
}

#[metric_event(name = "http.request.started")]
struct RequestStarted;

#[metric_event(name = "http.request.finished")]
struct RequestFinished {
    outcome: Outcome,
    host: String,
    cached: bool,
    elapsed: Duration,
    sent: usize,
    load: f64,
}

/// An event may be an enum ..
#[metric_event]
enum Pool {
    Resized { connections: u32 },
    Drained,
}

/// .. a tuple, and generic.
#[metric_event]
struct Measured<T: Send + 'static>(T);

impl RequestFinished {
    fn millis(&self) -> f64 {
        self.elapsed.as_secs_f64() * 1e3
    }

    fn failed(&self) -> bool {
        self.outcome == Outcome::ServerError
    }
}

/// What every request has in common; other metrics flatten it into themselves.
#[derive(Metric, Default)]
#[metric(on(RequestFinished))]
struct Volume {
    /// Requests.
    count: Counter,
    /// Bytes sent.
    #[dimension(value = sent, unit = bytes)]
    bytes: Sum<u64>,
}

/// Answers to HTTP requests.
#[derive(Metric, Default)]
#[metric(name = "http.requests", on(RequestFinished))]
struct Requests {
    /// Fed by the event alone.
    total: Counter,
    /// Fed under a condition.
    #[dimension(when = RequestFinished::failed)]
    failed: Counter,
    /// Fed by an amount.
    #[dimension(add = sent, name = "sent_bytes", unit = bytes)]
    sent: Counter,
    /// A field of the event.
    #[dimension(value = elapsed)]
    busy: Sum<Duration>,
    /// A closure.
    #[dimension(value = |e| e.elapsed.as_secs_f64() * 1e6, unit = "microseconds")]
    fastest: Min<f64>,
    /// A function.
    #[dimension(value = RequestFinished::millis, unit = "milliseconds")]
    slowest: Max<f64>,
    /// A value that is sometimes not there.
    #[dimension(value = |e| (!e.cached).then_some(e.elapsed))]
    uncached: Mean<Duration>,
    /// Started by one event, finished by another.
    #[dimension(on(RequestStarted, add), on(RequestFinished, sub))]
    in_flight: InFlight,
    /// Buckets that adapt to the values: at most 160 by default, here 10, to print little ..
    #[dimension(value = elapsed, max_buckets = 10)]
    latency: Histogram<Duration>,
    /// .. or 20 ..
    #[dimension(value = sent, unit = bytes, max_buckets = 20)]
    sizes: Histogram<u64>,
    /// .. or bounds of one's own.
    #[dimension(value = load, buckets = [0.25, 0.5, 0.75, 1])]
    load: Histogram<f64>,
    /// How many different hosts asked.
    #[dimension(value = host)]
    hosts: Distinct,
    /// One counter for each outcome, from the beginning on.
    #[dimension(by = outcome)]
    by_outcome: Breakdown<Outcome, Counter>,
    /// One mean for each host, and for at most two of them.
    #[dimension(by = host, limit = 2, value = elapsed)]
    by_host: Breakdown<String, Mean<Duration>>,
    /// Two labels at once. Without `zeros = off` all six pairs would be shown from the beginning.
    #[dimension(by(outcome, cached), zeros = off)]
    by_outcome_and_cache: Breakdown<(Outcome, bool), Counter>,
    /// The hosts with the most bytes, however many hosts there are.
    #[dimension(by = host, keep = 2, value = sent, unit = bytes)]
    heaviest: Top<String, Sum<u64>>,
    /// The value that came last; the largest one counts when recorders are rolled up.
    #[dimension(set = load, merge = max)]
    last_load: Gauge<f64>,
    /// The slowest answer of the last five minutes.
    #[dimension(value = elapsed)]
    slowest_lately: Recent<Max<Duration>, 300>,
    /// The answers of the last five minutes, for each outcome.
    #[dimension(by = outcome)]
    lately_by_outcome: Breakdown<Outcome, Recent<Counter, 300>>,
    /// An aggregation of one's own; its type says how recorders add up.
    #[dimension(value = load)]
    spread: Spread,
    /// Dimensions of another metric.
    #[dimension(flatten(prefix = "all_"))]
    volume: Volume,
    /// Not a dimension at all.
    #[dimension(skip)]
    _note: &'static str,
}

/// Changes of the connection pool, some of them in a handler of one's own.
#[derive(Metric, Default)]
#[metric(rename_all = "camelCase", on(Pool, with = Self::pool), on(Measured<i64>, when = |e| e.0 >= 0))]
struct Connections {
    #[dimension(manual)]
    open_slots: Gauge<i64>,
    #[dimension(on(Pool, when = |e| matches!(e, Pool::Drained)))]
    times_drained: Counter,
    #[dimension(on(Measured<i64>, value = 0))]
    longest_queue: Max<i64>,
}

impl Connections {
    fn pool(&mut self, event: &Pool) -> bool {
        match event {
            Pool::Resized { connections } => self.open_slots.set(i64::from(*connections)),
            Pool::Drained => self.open_slots.set(0),
        }
        true
    }
}

/// The smallest and the largest value, and their distance.
#[derive(Default)]
struct Spread {
    range: Option<Range>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Range {
    low: f64,
    high: f64,
}

impl Output for Range {}

impl Dimension for Spread {
    type Output = Option<Range>;
    const KIND: DimensionKind = DimensionKind::Custom;

    fn read(&self) -> Option<Range> {
        self.range.clone()
    }

    fn value(range: Option<Range>) -> DimensionValue {
        let parts =
            |range: Range| DimensionValue::map([("low", range.low.into()), ("high", range.high.into())]);
        range.map(parts).into()
    }

    /// Without it, totals of several recorders would leave the dimension out.
    const MERGE: Option<fn(&mut Option<Range>, &Option<Range>)> = Some(|range, other| {
        let (Some(own), Some(other)) = (range.as_ref(), other) else {
            return *range = range.take().or_else(|| other.clone());
        };
        *range = Some(Range { low: own.low.min(other.low), high: own.high.max(other.high) });
    });
}

impl<V: IntoMeasure<f64>> Record<V> for Spread {
    fn record(&mut self, value: V) -> bool {
        let Some(value) = value.into_measure() else { return false };
        let Range { low, high } = self.range.take().unwrap_or(Range { low: value, high: value });
        self.range = Some(Range { low: low.min(value), high: high.max(value) });
        true
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = MetricsRuntime::new("example.metrics")?;
    runtime.start()?;
    let recorder = runtime.create_recorder("server")?;
    let answered = recorder.metric::<Requests>()?;
    recorder.metric::<Connections>()?;

    let requests = [
        (Outcome::Success, "a.example", false, 20, 900, 0.2),
        (Outcome::Success, "a.example", true, 1, 900, 0.4),
        (Outcome::NotFound, "b.example", false, 4, 80, 0.4),
        (Outcome::ServerError, "c.example", false, 700, 0, f64::NAN),
    ];
    recorder.emit(Pool::Resized { connections: 8 });
    for (outcome, host, cached, millis, sent, load) in requests {
        let (host, elapsed) = (host.to_owned(), Duration::from_millis(millis));
        recorder.emit(RequestStarted);
        recorder.emit(RequestFinished { outcome, host, cached, elapsed, sent, load });
    }
    recorder.emit(RequestStarted);
    recorder.emit(Measured(-1_i64));
    recorder.emit(Measured(3_i64));
    recorder.emit(Pool::Drained);

    let snapshot = answered.snapshot()?;
    println!("{snapshot:#?}");
    println!("half of the answers took less than {:?} s", snapshot.latency.quantile(0.5));
    println!("different hosts: {}", snapshot.hosts.estimate());
    println!("not found: {:?}", snapshot.by_outcome.get(Outcome::NotFound));
    println!("{}", serde_json::to_string_pretty(&recorder.metric_snapshots()?)?);
    runtime.shutdown()?;
    Ok(())
}
