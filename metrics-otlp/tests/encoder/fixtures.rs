//! The events and the metrics of these tests.

use std::borrow::Cow;
use std::time::Duration;

use mvx_metrics::{
    Breakdown, Counter, DimensionDescriptor, DimensionKind, DimensionValue, Distinct, Gauge, Histogram,
    InFlight, Label, Max, Mean, Metric, MetricsRecorder, MetricsRuntime, Min, Recent, Sum, Top, metric_event,
};
use mvx_metrics_tests::Handwritten;

#[derive(Label, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Success,
    Failure,
}

#[metric_event]
#[derive(Debug, Clone, Copy)]
pub struct Worked {
    pub outcome: Outcome,
    pub place: &'static str,
    pub elapsed: Duration,
    pub bytes: u64,
    pub balance: i64,
    pub ratio: f64,
}

/// Work of all kinds.
#[derive(Metric, Default)]
#[metric(name = "work", on(Worked))]
pub struct Work {
    /// All work.
    all: Counter,
    #[dimension(value = bytes, unit = bytes)]
    moved: Sum<u64>,
    #[dimension(value = elapsed, unit = milliseconds)]
    time: Sum<Duration>,
    #[dimension(value = balance, unit = "euros")]
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
    #[dimension(value = bytes, buckets = [10, 100])]
    sizes: Histogram<u64>,
    #[dimension(value = balance, buckets = [-10, 0, 10])]
    balances: Histogram<i64>,
    #[dimension(value = bytes, unit = bytes)]
    spread: Histogram<u64>,
    #[dimension(value = ratio, max_buckets = 8)]
    ratios: Histogram<f64>,
    #[dimension(value = place)]
    places: Distinct,
    #[dimension(by = place, keep = 2)]
    busiest: Top<&'static str, Counter>,
    #[dimension(value = bytes)]
    recent_bytes: Recent<Sum<u64>, 3_600>,
    #[dimension(value = elapsed)]
    recent_mean: Recent<Mean<Duration>, 3_600>,
    #[dimension(value = bytes)]
    recent_sizes: Recent<Histogram<u64>, 3_600>,
    #[dimension(by = outcome)]
    by_outcome: Breakdown<Outcome, Counter>,
    #[dimension(by = outcome, value = bytes)]
    mean_by: Breakdown<Outcome, Mean<u64>>,
    #[dimension(by = outcome, value = bytes)]
    spread_by: Breakdown<Outcome, Histogram<u64>>,
    #[dimension(by = outcome, value = bytes)]
    recent_by: Breakdown<Outcome, Recent<Histogram<u64>, 3_600>>,
    #[dimension(by(place, outcome), value = elapsed, limit = 3)]
    time_by: Breakdown<(&'static str, Outcome), Sum<Duration>>,
}

pub const PLACES: [&str; 6] = ["here", "there", "", "far \"away\"", "größe\0", "\n"];

pub fn running(namespace: &str) -> MetricsRuntime {
    let runtime = MetricsRuntime::new(namespace).expect("a valid namespace");
    runtime.start().expect("a thread can be started");
    runtime
}

pub fn worker(runtime: &MetricsRuntime, id: &str) -> MetricsRecorder {
    let recorder = runtime.create_recorder(id).expect("the id is free");
    recorder.metric::<Work>().expect("the recorder runs");
    recorder
}

/// A dimension of a metric that is written by hand.
pub fn dimension(
    name: impl Into<Cow<'static, str>>,
    kind: DimensionKind,
    value: impl Into<DimensionValue>,
) -> (DimensionDescriptor, DimensionValue) {
    let mut declared = DimensionDescriptor::new("", kind);
    declared.name = name.into();
    declared.merge = declared.merge.or(Some(mvx_metrics::MergeRule::Sum));
    (declared, value.into())
}

/// A runtime with one recorder that has these metrics.
pub fn runtime_with(metrics: Vec<Handwritten>) -> MetricsRuntime {
    let runtime = running("shop");
    let recorder = runtime.create_recorder("one").expect("the id is free");
    for metric in metrics {
        recorder.register_metric(metric).expect("the recorder runs");
    }
    runtime
}
