//! A snapshot that JSON or MessagePack could be read as, with or without types, is written and read back without a change. It merges
//! with the snapshot of a fresh metric, and has an interval since it.

#![no_main]

use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;
use std::{env, fs};

use libfuzzer_sys::{Corpus, fuzz_target};
use mvx_metrics::{
    Breakdown, Counter, Gauge, HandleEvent, Histogram, InFlight, Label, Max, Mean, Merge, Metric,
    MetricSnapshot, MetricSnapshots, MetricsRecorderState, MetricsRuntime, MetricsRuntimeState, Min, Sum,
    TypedMetric, metric_event,
};
use serde::Serialize;
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
    #[dimension(by(outcome, host), limit = 3, value = ratio)]
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
    |input: &[u8]| -> Corpus {
        let _ = serde_json::from_slice::<MetricsRecorderState>(input);
        let _ = serde_json::from_slice::<MetricsRuntimeState>(input);
        let typed = [serde_json::from_slice(input).ok(), rmp_serde::from_slice(input).ok()];
        let erased = [serde_json::from_slice(input).ok(), rmp_serde::from_slice(input).ok()];
        let metrics = [serde_json::from_slice(input).ok(), rmp_serde::from_slice(input).ok()];
        let mut is_read = false;
        for snapshot in typed.into_iter().flatten() {
            is_read = true;
            assert_typed(&snapshot);
        }
        for snapshots in erased.into_iter().flatten() {
            is_read = true;
            assert_erased(&snapshots);
        }
        for snapshot in metrics.into_iter().flatten() {
            is_read = true;
            assert_metric(&snapshot);
        }
        if is_read { Corpus::Keep } else { Corpus::Reject }
    }
);

fn assert_typed(snapshot: &EverythingSnapshot) {
    assert_comes_back(snapshot);
    let fresh = metric_with_events().typed_snapshot();
    for (one, other) in [(snapshot, &fresh), (&fresh, snapshot), (snapshot, snapshot)] {
        let mut merged = one.clone();
        merged.merge(other);
        assert_comes_back(&merged);
        assert_comes_back(&merged.since(one));
        assert_comes_back(&one.since(&merged));
    }
}

fn assert_comes_back(snapshot: &EverythingSnapshot) {
    let written = serde_json::to_string(snapshot).expect("a snapshot that was read is written");
    let read: EverythingSnapshot =
        serde_json::from_str(&written).unwrap_or_else(|error| panic!("{error}: {written}"));
    assert_eq!(read, *snapshot, "{written}");
    let value: Value = serde_json::from_str(&written).expect("it is JSON");
    assert_eq!(serde_json::to_value(&read).expect("it is written again"), value);
    let bytes = rmp_serde::to_vec_named(snapshot).expect("it is written as MessagePack");
    assert_eq!(rmp_serde::from_slice::<EverythingSnapshot>(&bytes).expect("it is read"), *snapshot);
}

fn assert_erased(snapshots: &MetricSnapshots) {
    let written = serde_json::to_string(snapshots).expect("snapshots that were read are written");
    let read: MetricSnapshots = serde_json::from_str(&written).expect("they are read");
    assert_eq!(serde_json::to_string(&read).expect("they are written again"), written);
    for snapshot in snapshots {
        assert_metric(snapshot);
    }
}

fn assert_metric(snapshot: &MetricSnapshot) {
    let fresh = declared();
    for (one, other) in [(snapshot, &fresh), (&fresh, snapshot), (snapshot, snapshot)] {
        let mut merged = one.clone();
        let result = merged.merge(other);
        if result.is_err() {
            assert_eq!(merged, *one, "a merge that failed changes nothing");
        }
        serde_json::to_string(&merged).expect("it is written");
        if let Ok(interval) = merged.since(one) {
            serde_json::to_string(&interval).expect("it is written");
        }
        let _ = one.since(other);
    }
}

/// The snapshot that a recorder takes, with its declaration.
fn declared() -> MetricSnapshot {
    static DECLARED: LazyLock<MetricSnapshot> = LazyLock::new(|| {
        let runtime = MetricsRuntime::new("fuzz").expect("a name");
        runtime.start().expect("it starts");
        let recorder = runtime.create_recorder("fuzz").expect("a fresh id");
        recorder.register_metric(metric_with_events()).expect("it runs");
        let snapshots = recorder.metric_snapshots().expect("it can be read");
        runtime.shutdown().expect("it stops");
        snapshots.into_iter().next().expect("it has one metric")
    });
    DECLARED.clone()
}

fn metric_with_events() -> Everything {
    let mut metric = Everything::default();
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
    metric
}

fn write_seeds() {
    let some = metric_with_events();
    let none = Everything::default().typed_snapshot();
    let erased: MetricSnapshots = [declared()].into_iter().collect();
    for (name, snapshot) in [("none", none), ("some", some.typed_snapshot())] {
        assert_typed(&snapshot);
        write_seed(name, &snapshot);
    }
    assert_erased(&erased);
    write_seed("erased", &erased);
}

/// Writes a seed in both formats.
fn write_seed(name: &str, snapshot: &impl Serialize) {
    let Some(folder) = env::var_os(SEEDS) else { return };
    let folder = Path::new(&folder);
    let json = serde_json::to_vec(snapshot).expect("a snapshot is written");
    let message_pack = rmp_serde::to_vec_named(snapshot).expect("a snapshot is written");
    fs::write(folder.join(name), json).expect("the folder for seeds takes one");
    fs::write(folder.join(format!("{name}.msgpack")), message_pack).expect("the folder for seeds takes one");
}
