//! The events, metrics and helpers of these tests.

use std::collections::BTreeSet;
use std::time::Duration;

use mvx_metrics::export::{Format, Scope};
use mvx_metrics::{
    Breakdown, Counter, Gauge, Histogram, InFlight, Label, Max, Mean, Metric, MetricsRecorder,
    MetricsRuntime, Min, Sum, metric_event,
};

pub const FORMATS: [Format; 2] = [Format::Prometheus, Format::OpenMetrics];
pub const SCOPES: [Scope; 2] = [Scope::Rollup, Scope::PerEntity];

#[derive(Label, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Success,
    Failure,
}

#[metric_event]
pub struct RequestStarted;

#[metric_event]
pub struct RequestFinished {
    pub outcome: Outcome,
    pub path: &'static str,
    pub elapsed: Duration,
    pub bytes: u64,
    pub balance: i64,
}

/// Requests to the service.
#[derive(Metric, Default)]
#[metric(name = "service.requests", on(RequestFinished))]
pub struct Requests {
    /// All requests.
    total: Counter,
    /// Requests by outcome; "failed" ones too,
    /// with a back\slash.
    #[dimension(by = outcome)]
    by_outcome: Breakdown<Outcome, Counter>,
    #[dimension(by(outcome, path), value = bytes, limit = 3, unit = "bytes")]
    sent: Breakdown<(Outcome, &'static str), Sum<u64>>,
    /// Money.
    #[dimension(value = balance, unit = "euros")]
    balance_total: Sum<i64>,
    #[dimension(value = elapsed)]
    fastest: Min<Duration>,
    #[dimension(value = elapsed)]
    slowest_seconds: Max<Duration>,
    #[dimension(value = elapsed)]
    mean: Mean<Duration>,
    /// The size of a response.
    #[dimension(value = bytes, unit = "bytes", buckets = [100, 1_000, 1_000_000])]
    size: Histogram<u64>,
    /// How long requests took.
    #[dimension(value = elapsed)]
    took: Histogram<Duration>,
    #[dimension(value = balance)]
    level: Gauge<i64>,
    #[dimension(value = balance, merge = max)]
    peak: Gauge<i64>,
    #[dimension(on(RequestStarted, add), on(RequestFinished, sub))]
    in_flight: InFlight,
}

pub fn running(namespace: &str) -> MetricsRuntime {
    let runtime = MetricsRuntime::new(namespace).expect("a valid namespace");
    runtime.start().expect("a thread can be started");
    runtime
}

pub fn recorder(runtime: &MetricsRuntime, id: &str) -> MetricsRecorder {
    let recorder = runtime.create_recorder(id).expect("the id is free");
    recorder.register_metric(Requests::default()).expect("the recorder runs");
    recorder
}

pub fn finished(outcome: Outcome, bytes: u64) -> RequestFinished {
    let elapsed = Duration::from_millis(bytes);
    let balance = if outcome == Outcome::Success { 5 } else { -7 };
    RequestFinished { outcome, path: "/", elapsed, bytes, balance }
}

/// Asserts that each head stands once and in front of all samples of its family, and that no series stands twice.
pub fn assert_grouped(text: &str) {
    let (mut heads, mut series, mut family) = (BTreeSet::new(), BTreeSet::new(), "");
    for line in text.lines().filter(|line| *line != "# EOF") {
        if let Some(head) = line.strip_prefix("# ") {
            let name = head.split(' ').nth(1).expect("a name");
            assert!(heads.insert(head.split(' ').take(2).collect::<Vec<_>>()), "{line} stands twice\n{text}");
            family = name;
        } else {
            assert!(line.starts_with(family), "{line} is not in its family {family}\n{text}");
            let sample = line.rsplit_once(' ').expect("a value").0;
            assert!(series.insert(sample), "{sample} stands twice\n{text}");
        }
    }
}

/// The value of a series, which must appear once.
pub fn value(text: &str, series: &str) -> f64 {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    let value = lines.next().unwrap_or_else(|| panic!("no {series} in\n{text}"));
    assert_eq!(lines.next(), None, "{series} appears twice");
    value.parse().expect("a number")
}
