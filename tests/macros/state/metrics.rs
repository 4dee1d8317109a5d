//! A metric with every type of dimension, alone, broken down and flattened, and the events that it listens to.

use std::time::Duration;

use mvx_metrics::feed::{IntoMeasure, Record};
use mvx_metrics::{
    Breakdown, Counter, Dimension, DimensionKind, DimensionValue, Distinct, Gauge, Histogram, InFlight,
    Label, Max, Mean, Merge, Metric, Min, Output, Sum, Top, metric_event,
};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Label, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Outcome {
    #[default]
    Success,
    Failure,
    Timeout,
}

#[metric_event]
#[derive(Debug, Clone)]
pub struct Done {
    pub outcome: Outcome,
    pub host: String,
    pub code: i16,
    pub cached: bool,
    pub count: u64,
    pub delta: i64,
    pub elapsed: Duration,
    pub ratio: f64,
    pub opened: u8,
    pub closed: u8,
}

/// The number of even values, which merges by the type's own rule.
#[derive(Default)]
pub struct Evens(u64);

impl Dimension for Evens {
    type Output = u64;
    const KIND: DimensionKind = DimensionKind::Custom;
    const MERGE: Option<fn(&mut u64, &u64)> = Some(|evens, others| *evens = evens.saturating_add(*others));

    fn read(&self) -> u64 {
        self.0
    }

    fn value(evens: u64) -> DimensionValue {
        evens.into()
    }

    fn since(later: &u64, earlier: &u64) -> u64 {
        later.saturating_sub(*earlier)
    }
}

impl<V: IntoMeasure<u64>> Record<V> for Evens {
    fn record(&mut self, value: V) -> bool {
        let is_even = value.into_measure().is_some_and(|value| value.is_multiple_of(2));
        self.0 += u64::from(is_even);
        true
    }
}

/// How far values are spread, as a map.
#[derive(Default)]
pub struct Spread(Option<(f64, f64)>);

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpreadOutput {
    pub range: Option<(f64, f64)>,
}

impl Output for SpreadOutput {}

impl Merge for SpreadOutput {
    fn merge(&mut self, other: &Self) {
        self.range = match (self.range, other.range) {
            (Some((low, high)), Some((other_low, other_high))) => {
                Some((low.min(other_low), high.max(other_high)))
            }
            (range, None) | (None, range) => range,
        };
    }
}

impl Dimension for Spread {
    type Output = SpreadOutput;
    const KIND: DimensionKind = DimensionKind::Custom;
    const MERGE: Option<fn(&mut SpreadOutput, &SpreadOutput)> = Some(Merge::merge);

    fn read(&self) -> SpreadOutput {
        SpreadOutput { range: self.0 }
    }

    fn value(spread: SpreadOutput) -> DimensionValue {
        let range = spread.range.map(|(low, high)| vec![low, high]);
        DimensionValue::map([("range", range.map_or(DimensionValue::Empty, Into::into))])
    }
}

impl<V: IntoMeasure<f64>> Record<V> for Spread {
    fn record(&mut self, value: V) -> bool {
        let Some(value) = value.into_measure().filter(|value| value.is_finite()) else { return false };
        let (low, high) = self.0.unwrap_or((value, value));
        self.0 = Some((low.min(value), high.max(value)));
        true
    }
}

/// The longest duration, for the option `merge = max`; and the latest one, for a type without a rule.
#[derive(Default)]
pub struct Longest(Option<Duration>);

impl Dimension for Longest {
    type Output = Option<Duration>;
    const KIND: DimensionKind = DimensionKind::Custom;

    fn read(&self) -> Option<Duration> {
        self.0
    }

    fn value(longest: Option<Duration>) -> DimensionValue {
        longest.into()
    }
}

impl<V: IntoMeasure<Duration>> Record<V> for Longest {
    fn record(&mut self, value: V) -> bool {
        self.0 = self.0.max(value.into_measure());
        true
    }
}

/// Dimensions that show the same after two streams were merged as after one metric got both.
#[derive(Metric, Default)]
#[metric(on(Done))]
pub struct Everything {
    pub total: Counter,
    #[dimension(add = count)]
    pub added: Counter,
    #[dimension(value = count)]
    pub count: Sum<u64>,
    #[dimension(value = delta)]
    pub delta: Sum<i64>,
    #[dimension(value = ratio)]
    pub ratio: Sum<f64>,
    #[dimension(value = elapsed)]
    pub elapsed: Sum<Duration>,
    #[dimension(value = count)]
    pub least: Min<u64>,
    #[dimension(value = delta)]
    pub lowest: Min<i64>,
    #[dimension(value = ratio)]
    pub highest: Max<f64>,
    #[dimension(value = elapsed)]
    pub longest: Max<Duration>,
    #[dimension(value = count)]
    pub mean_count: Mean<u64>,
    #[dimension(value = delta)]
    pub mean_delta: Mean<i64>,
    #[dimension(value = ratio)]
    pub mean_ratio: Mean<f64>,
    #[dimension(value = elapsed)]
    pub mean_elapsed: Mean<Duration>,
    #[dimension(add = opened, sub = closed)]
    pub open: InFlight,
    #[dimension(value = elapsed)]
    pub latency: Histogram<Duration>,
    #[dimension(value = ratio, buckets = [-1, 0, 0.5, 1e9])]
    pub ratios: Histogram<f64>,
    #[dimension(value = count, unit = bytes)]
    pub sizes: Histogram<u64>,
    #[dimension(value = delta, buckets = [-10, 0, 10])]
    pub deltas: Histogram<i64>,
    #[dimension(value = host)]
    pub hosts: Distinct,
    #[dimension(value = count)]
    pub evens: Evens,
    #[dimension(value = ratio)]
    pub spread: Spread,
    #[dimension(value = elapsed, merge = max)]
    pub peak: Longest,
    #[dimension(flatten)]
    pub by_label: ByLabel,
    #[dimension(flatten(prefix = "inner_"))]
    pub inner: Inner<Outcome>,
}

/// The same broken down, by fixed and by open labels.
#[derive(Metric, Default)]
#[metric(on(Done))]
pub struct ByLabel {
    #[dimension(by = outcome)]
    pub by_outcome: Breakdown<Outcome, Counter>,
    #[dimension(by = outcome, zeros = off)]
    pub seen: Breakdown<Outcome, Counter>,
    #[dimension(by(outcome, cached), value = elapsed)]
    pub by_both: Breakdown<(Outcome, bool), Sum<Duration>>,
    #[dimension(by = outcome, value = ratio)]
    pub mean_by_outcome: Breakdown<Outcome, Mean<f64>>,
    #[dimension(by = cached, add = opened, sub = closed)]
    pub open_by_cached: Breakdown<bool, InFlight>,
    #[dimension(by = outcome, value = count, buckets = [1, 1_000])]
    pub sizes_by_outcome: Breakdown<Outcome, Histogram<u64>>,
    #[dimension(by = outcome, value = count, buckets = [1, 1_000], zeros = off)]
    pub seen_sizes: Breakdown<Outcome, Histogram<u64>>,
    #[dimension(by(cached, outcome), value = ratio)]
    pub highest_by_both: Breakdown<(bool, Outcome), Max<f64>>,
    #[dimension(by = host, limit = 9, value = elapsed)]
    pub longest_by_host: Breakdown<String, Max<Duration>>,
    #[dimension(by = host, limit = 9, value = elapsed)]
    pub latency_by_host: Breakdown<String, Histogram<Duration>>,
    #[dimension(by(outcome, host), limit = 30, value = ratio)]
    pub mean_by_host: Breakdown<(Outcome, String), Mean<f64>>,
    #[dimension(by = code, limit = 70_000, value = delta)]
    pub delta_by_code: Breakdown<i16, Sum<i64>>,
    #[dimension(by = outcome, value = count)]
    pub counts_by_outcome: Breakdown<Outcome, Distinct>,
    #[dimension(by = host, limit = 9, value = |e| e.outcome)]
    pub outcomes_by_host: Breakdown<String, Distinct>,
    #[dimension(by = outcome, value = count)]
    pub evens_by_outcome: Breakdown<Outcome, Evens>,
    #[dimension(by = host, limit = 9, value = elapsed, merge = max)]
    pub peak_by_host: Breakdown<String, Longest>,
}

/// A generic metric that is flattened.
#[derive(Metric, Default)]
#[metric(on(Done))]
pub struct Inner<K>
where
    K: Label,
    Outcome: mvx_metrics::ToLabel<K>,
{
    pub ended: Counter,
    #[dimension(by = |e| e.outcome, limit = 9, value = ratio)]
    pub lowest_by: Breakdown<K, Min<f64>>,
    #[dimension(by = |e| e.outcome, limit = 9)]
    pub by: Breakdown<K, Counter>,
}

/// Dimensions that show something else after two streams were merged than after one metric got both.
#[derive(Metric, Default)]
#[metric(on(Done))]
pub struct Levels {
    #[dimension(set = delta)]
    pub added: Gauge<i64>,
    #[dimension(set = ratio, merge = min)]
    pub least: Gauge<f64>,
    #[dimension(set = elapsed, merge = max)]
    pub most: Gauge<Duration>,
    #[dimension(by = outcome, set = delta, merge = max)]
    pub most_by: Breakdown<Outcome, Gauge<i64>>,
    #[dimension(value = elapsed)]
    pub kept: Longest,
    #[dimension(by = host, keep = 9, value = count)]
    pub largest: Top<String, Sum<u64>>,
    #[dimension(by(outcome, host), keep = 30, value = elapsed)]
    pub longest_by: Top<(Outcome, String), Sum<Duration>>,
}

/// Numbers that add up exactly in any order: they neither round nor overflow below zero.
pub fn done() -> impl Strategy<Value = Done> {
    let durations = prop_oneof![
        (0..20_000_000_000_u64).prop_map(Duration::from_nanos),
        (any::<u64>(), 0..1_000_000_000_u32).prop_map(|(seconds, nanos)| Duration::new(seconds, nanos)),
        Just(Duration::MAX),
    ];
    let outcomes = prop::sample::select(vec![Outcome::Success, Outcome::Failure, Outcome::Timeout]);
    let ratios = prop_oneof![
        9 => any::<i16>().prop_map(|number| f64::from(number) / 256.0),
        1 => prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY]),
    ];
    let counts = prop_oneof![0..2_000_u64, any::<u64>()];
    let text = "[a-c]|other|";
    (outcomes, text, any::<(i16, bool)>(), counts, any::<i32>(), durations, ratios, any::<(u8, u8)>())
        .prop_map(|(outcome, host, (code, cached), count, delta, elapsed, ratio, (opened, closed))| Done {
            outcome,
            host,
            code,
            cached,
            count,
            delta: i64::from(delta),
            elapsed,
            ratio,
            opened,
            closed,
        })
}

pub fn events() -> impl Strategy<Value = Vec<Done>> {
    prop::collection::vec(done(), 0..25)
}
