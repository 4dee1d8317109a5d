//! A metric with every dimension type, alone and broken down, and its events.

use std::time::Duration;

use mvx_metrics::feed::{IntoMeasure, Record};
use mvx_metrics::{
    Breakdown, Counter, Dimension, DimensionKind, DimensionValue, Distinct, Gauge, Histogram, InFlight, Max,
    Mean, Merge, Metric, MetricsRecorder, MetricsRuntime, Min, Output, Registered, Sum, metric_event,
};
use proptest::prelude::{Strategy, any};
use serde::{Deserialize, Serialize};

use crate::fixtures::Outcome;

#[metric_event]
#[derive(Debug, Clone)]
pub struct Worked {
    pub outcome: Outcome,
    pub urgent: bool,
    pub place: &'static str,
    pub elapsed: Duration,
    pub bytes: u64,
    pub balance: i64,
    pub ratio: f64,
}

/// Counts values by a rule of its own.
#[derive(Default)]
pub struct Spread {
    values: u64,
    largest: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SpreadSnapshot {
    pub values: u64,
    pub largest: f64,
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
        let Some(value) = value.into_measure().filter(|value| value.is_finite()) else { return false };
        self.values += 1;
        self.largest = self.largest.max(value);
        true
    }
}

/// Work of all kinds.
#[derive(Metric, Default)]
#[metric(on(Worked))]
pub struct Work {
    all: Counter,
    #[dimension(value = bytes, unit = "bytes")]
    moved: Sum<u64>,
    #[dimension(value = elapsed)]
    time: Sum<Duration>,
    #[dimension(value = balance)]
    balance: Sum<i64>,
    #[dimension(value = ratio)]
    ratio: Sum<f64>,
    #[dimension(value = balance)]
    least: Min<i64>,
    #[dimension(value = elapsed)]
    longest: Max<Duration>,
    #[dimension(value = bytes)]
    mean_bytes: Mean<u64>,
    #[dimension(value = elapsed)]
    mean_time: Mean<Duration>,
    #[dimension(value = ratio)]
    mean_ratio: Mean<f64>,
    #[dimension(add = bytes, sub = 1)]
    flying: InFlight,
    #[dimension(value = balance)]
    level: Gauge<i64>,
    #[dimension(value = ratio, merge = max)]
    peak: Gauge<f64>,
    #[dimension(value = bytes, buckets = [10, 100])]
    sizes: Histogram<u64>,
    #[dimension(value = elapsed, buckets = [0.5, 2])]
    took: Histogram<Duration>,
    #[dimension(value = place)]
    places: Distinct,
    #[dimension(value = ratio)]
    spread: Spread,
    #[dimension(by = outcome)]
    by_outcome: Breakdown<Outcome, Counter>,
    #[dimension(by(outcome, urgent))]
    by_both: Breakdown<(Outcome, bool), Counter>,
    #[dimension(by = urgent, value = elapsed)]
    time_by: Breakdown<bool, Sum<Duration>>,
    #[dimension(by = outcome, value = bytes)]
    mean_by: Breakdown<Outcome, Mean<u64>>,
    #[dimension(by = outcome, add = bytes, sub = 1)]
    flying_by: Breakdown<Outcome, InFlight>,
    #[dimension(by = outcome, value = bytes, buckets = [10, 100])]
    sizes_by: Breakdown<Outcome, Histogram<u64>>,
    #[dimension(by = outcome, value = elapsed)]
    longest_by: Breakdown<Outcome, Max<Duration>>,
    #[dimension(by = outcome, value = bytes)]
    bytes_by: Breakdown<Outcome, Distinct>,
    #[dimension(by = outcome, value = balance)]
    level_by: Breakdown<Outcome, Gauge<i64>>,
    #[dimension(by = place, limit = 3)]
    by_place: Breakdown<&'static str, Counter>,
    #[dimension(by(place, outcome), value = bytes, limit = 3, unit = "bytes")]
    moved_by: Breakdown<(&'static str, Outcome), Sum<u64>>,
    #[dimension(by = place, value = ratio, limit = 3)]
    spread_by: Breakdown<&'static str, Spread>,
}

pub fn worker(runtime: &MetricsRuntime, id: &str) -> MetricsRecorder {
    let recorder = runtime.create_recorder(id).expect("the id is free");
    recorder.metric::<Work>().expect("the recorder runs");
    recorder
}

/// Events whose floating-point sums are exact in any order.
pub fn worked() -> impl Strategy<Value = Worked> {
    let place = proptest::sample::select(vec!["north", "south", "east", "west", "centre"]);
    (any::<[bool; 2]>(), place, 0..4_000_000_000_u64, 0..200_u64, -50..50_i64, -64..64_i32).prop_map(
        |([failed, urgent], place, nanos, bytes, balance, ratio)| Worked {
            outcome: if failed { Outcome::Failure } else { Outcome::Success },
            urgent,
            place,
            elapsed: Duration::from_nanos(nanos),
            bytes,
            balance,
            ratio: f64::from(ratio) / 8.0,
        },
    )
}

/// Some different events; more places than there are labels.
pub fn some_work(events: u64) -> impl Iterator<Item = Worked> {
    const PLACES: [&str; 5] = ["north", "south", "east", "west", "centre"];
    (1..=events).map(|number| Worked {
        outcome: if number % 3 == 0 { Outcome::Failure } else { Outcome::Success },
        urgent: number % 2 == 0,
        place: PLACES[usize::try_from(number % 5).unwrap_or(0)],
        elapsed: Duration::new(number % 4, 123_456_789),
        bytes: number * 7 % 150,
        balance: if number % 2 == 0 { 9 } else { -4 },
        ratio: f64::from(u32::try_from(number).unwrap_or(0)) / 8.0,
    })
}

pub fn emit(recorder: &MetricsRecorder, events: u64) {
    some_work(events).for_each(|event| recorder.emit(event));
}

/// Registers a metric in place of one of the same name.
pub fn replace(recorder: &MetricsRecorder, metric: impl Metric) {
    let registered = recorder.register_metric(metric).expect("the recorder runs");
    assert_eq!(registered, Registered::Replaced);
}
