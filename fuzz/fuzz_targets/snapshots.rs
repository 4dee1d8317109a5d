//! A typed snapshot that JSON could be read as is written and read back without a change.

#![no_main]

use std::path::Path;
use std::time::Duration;
use std::{env, fs};

use libfuzzer_sys::{Corpus, fuzz_target};
use mvx_metrics::{
    Breakdown, Counter, Gauge, HandleEvent, Histogram, InFlight, Label, Max, Mean, Metric,
    MetricsRecorderState, MetricsRuntimeState, Min, Sum, TypedMetric, metric_event,
};
use serde_json::Value;

#[derive(Label, Debug, Clone, Copy)]
enum Outcome {
    Success,
    Failure,
}

#[metric_event]
struct Done {
    outcome: Outcome,
    host: String,
    count: u64,
    delta: i64,
    elapsed: Duration,
    ratio: f64,
    opened: u8,
    closed: u8,
}

#[derive(Metric, Default)]
#[metric(on(Done))]
struct Inner {
    ended: Counter,
    #[dimension(value = ratio)]
    lowest: Min<f64>,
}

#[derive(Metric, Default)]
#[metric(on(Done))]
struct Everything {
    total: Counter,
    #[dimension(value = count)]
    count: Sum<u64>,
    #[dimension(value = ratio)]
    ratio: Sum<f64>,
    #[dimension(value = elapsed)]
    elapsed: Sum<Duration>,
    #[dimension(value = elapsed)]
    longest: Max<Duration>,
    #[dimension(value = delta)]
    mean: Mean<i64>,
    #[dimension(set = delta)]
    level: Gauge<i64>,
    #[dimension(add = opened, sub = closed)]
    open: InFlight,
    #[dimension(value = elapsed)]
    latency: Histogram<Duration>,
    #[dimension(value = ratio, buckets = [-1, 0, 0.5, 1e9])]
    ratios: Histogram<f64>,
    #[dimension(by = outcome)]
    by_outcome: Breakdown<Outcome, Counter>,
    #[dimension(by = (outcome, host), limit = 3, value = ratio)]
    by_both: Breakdown<(Outcome, String), Mean<f64>>,
    #[dimension(by = host, limit = 2, value = elapsed)]
    by_host: Breakdown<String, Histogram<Duration>>,
    #[dimension(flatten(prefix = "inner_"))]
    inner: Inner,
}

/// Where the seeds go, beside which the fuzzer looks for more: snapshots of a metric without events and with some.
const SEEDS: &str = "MVX_FUZZ_SEEDS";

fuzz_target!(
    init: write_seeds(),
    |json: &[u8]| -> Corpus {
        let _ = serde_json::from_slice::<MetricsRecorderState>(json);
        let _ = serde_json::from_slice::<MetricsRuntimeState>(json);
        match serde_json::from_slice(json) {
            Ok(snapshot) => {
                assert_comes_back(&snapshot);
                Corpus::Keep
            }
            Err(_) => Corpus::Reject,
        }
    }
);

fn assert_comes_back(snapshot: &EverythingSnapshot) {
    let written = serde_json::to_string(snapshot).expect("a snapshot that was read is written");
    let read: EverythingSnapshot =
        serde_json::from_str(&written).expect("a snapshot that was written is read");
    assert_eq!(read, *snapshot, "{written}");
    let value: Value = serde_json::from_str(&written).expect("it is JSON");
    assert_eq!(serde_json::to_value(&read).expect("it is written again"), value);
}

fn write_seeds() {
    let mut metric = Everything::default();
    let none = metric.typed_snapshot();
    for (number, host) in (1..).zip(["a", "b", "c", "d"]) {
        metric.handle(&Done {
            outcome: if number == 1 { Outcome::Failure } else { Outcome::Success },
            host: host.into(),
            count: 7,
            delta: -3,
            elapsed: Duration::from_millis(number),
            ratio: if number == 2 { f64::NAN } else { 0.25 },
            opened: 2,
            closed: 1,
        });
    }
    for (name, snapshot) in [("none", none), ("some", metric.typed_snapshot())] {
        assert_comes_back(&snapshot);
        if let Some(folder) = env::var_os(SEEDS) {
            let json = serde_json::to_vec(&snapshot).expect("a snapshot is written");
            fs::write(Path::new(&folder).join(name), json).expect("the folder for seeds takes one");
        }
    }
}
