//! The last seconds of dimensions in totals, in JSON and in the text. Covers DI7.

use std::time::Duration;

use mvx_metrics::export::{Format, Scope};
use mvx_metrics::feed::Record;
use mvx_metrics::{
    Breakdown, Counter, Dimension, DimensionKind, DimensionValue, Gauge, Histogram, InFlight, Max, Mean,
    Merge, MergeError, Metric, MetricSnapshot, MetricsRecorder, MetricsRuntime, Recent, RuntimeSnapshot, Sum,
    Totals, TypedMetric, metric_event,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::fixtures::{Outcome, assert_grouped, running, value};
use crate::golden::check;

#[metric_event]
struct Served {
    outcome: Outcome,
    path: &'static str,
    elapsed: Duration,
    bytes: u64,
    balance: i64,
    ratio: f64,
}

/// How many values were even, a type of the user's own.
#[derive(Default)]
struct Evens(u64);

impl Dimension for Evens {
    type Output = u64;
    const KIND: DimensionKind = DimensionKind::Custom;
    const MERGE: Option<fn(&mut u64, &u64)> = Some(|evens, others| *evens += others);

    fn read(&self) -> u64 {
        self.0
    }

    fn value(evens: u64) -> DimensionValue {
        evens.into()
    }
}

impl Record<u64> for Evens {
    fn record(&mut self, value: u64) -> bool {
        self.0 += u64::from(value.is_multiple_of(2));
        true
    }
}

/// The last hour: longer than a test.
#[derive(Metric, Default)]
#[metric(name = "lately", on(Served))]
struct Lately {
    /// All requests.
    requests_total: Recent<Counter, 3_600>,
    #[dimension(value = bytes, unit = bytes)]
    sent: Recent<Sum<u64>, 3_600>,
    #[dimension(value = elapsed)]
    busy: Recent<Sum<Duration>, 3_600>,
    #[dimension(value = elapsed)]
    slowest: Recent<Max<Duration>, 3_600>,
    #[dimension(value = bytes)]
    mean: Recent<Mean<u64>, 3_600>,
    #[dimension(set = balance)]
    balance: Recent<Gauge<i64>, 3_600>,
    #[dimension(set = balance, merge = max)]
    peak: Recent<Gauge<i64>, 3_600>,
    #[dimension(add = bytes, sub = 3)]
    change: Recent<InFlight, 3_600>,
    #[dimension(value = bytes, buckets = [100, 200, 400])]
    sizes: Recent<Histogram<u64>, 3_600>,
    #[dimension(value = balance)]
    balances: Recent<Histogram<i64>, 3_600>,
    #[dimension(by = outcome)]
    by_outcome: Breakdown<Outcome, Recent<Counter, 3_600>>,
    #[dimension(by = path, limit = 2, value = bytes, buckets = [100, 200, 400])]
    by_path: Breakdown<String, Recent<Histogram<u64>, 3_600>>,
    #[dimension(value = ratio)]
    ratios: Recent<Mean<f64>, 3_600>,
    #[dimension(value = bytes)]
    evens: Recent<Evens, 3_600>,
    /// For all time.
    all: Counter,
}

fn served(bytes: u64) -> Served {
    Served {
        outcome: Outcome::Success,
        path: "/",
        elapsed: Duration::from_millis(bytes),
        bytes,
        balance: 4,
        ratio: 0.5,
    }
}

fn worker(runtime: &MetricsRuntime, id: &str) -> MetricsRecorder {
    let recorder = runtime.create_recorder(id).expect("the id is free");
    recorder.register_metric(Lately::default()).expect("the recorder runs");
    recorder
}

fn totals_of(runtime: &MetricsRuntime, scope: Scope) -> Totals {
    runtime.totals(scope).expect("the runtime runs")
}

fn lately(runtime: &MetricsRuntime) -> LatelySnapshot {
    totals_of(runtime, Scope::Rollup).get::<Lately>("shop").expect("it is registered")
}

#[test]
fn di7_windows_of_recorders_add_up_and_those_of_removed_ones_go() {
    let runtime = running("shop");
    let (one, other) = (worker(&runtime, "one"), worker(&runtime, "other"));
    one.emit(served(150));
    other.emit(Served { path: "/b", balance: 9, ..served(300) });
    let both = lately(&runtime);
    assert_eq!((both.requests_total, both.sent, both.all), (2, 450, 2));
    assert_eq!((both.balance, both.peak), (Some(13), Some(9)));
    assert_eq!((both.sizes.count, both.mean.mean()), (2, Some(225.0)));
    assert_eq!(both.by_outcome.get(Outcome::Success), Some(&2));
    assert_eq!(both.by_path.iter().count(), 2);
    runtime.stop_and_remove_recorder("one").expect("it stops");
    let left = lately(&runtime);
    assert_eq!(
        (left.requests_total, left.evens, left.sent, left.all),
        (1, 1, 300, 2),
        "the count for all time stays"
    );
    assert_eq!((left.slowest.known(), left.balance), (Some(Duration::from_millis(300)), Some(9)));
    assert_eq!((left.sizes.count, left.change.started, left.busy), (1, 300, Duration::from_millis(300)));
    assert_eq!(left.by_outcome.get(Outcome::Success), Some(&1));
    let paths: Vec<_> = left.by_path.iter().map(|(path, _)| path.join("/")).collect();
    assert_eq!(paths, ["/b"]);
    runtime.stop_and_remove_recorder("other").expect("it stops");
    let none = lately(&runtime);
    assert_eq!((none.requests_total, none.sizes.count, none.balance, none.all), (0, 0, None, 2));
    assert_eq!((none.mean.mean(), none.change.started, none.evens), (None, 0, 0));
    assert_eq!(none.sizes, Lately::default().typed_snapshot().sizes);
}

#[test]
fn di7_after_the_shutdown_the_last_windows_stay() {
    let runtime = running("shop");
    let recorder = worker(&runtime, "one");
    recorder.emit(served(150));
    runtime.shutdown().expect("it ends");
    let last = lately(&runtime);
    assert_eq!((last.requests_total, last.sizes.count, last.all), (1, 1, 1));
    let text = runtime.exposition(Scope::PerEntity, Format::Prometheus).expect("it has ended").text;
    assert!(text.contains("lately_requests{namespace=\"shop\",entity_id=\"one\"} 1\n"), "{text}");
}

#[test]
fn di7_the_window_of_a_replaced_metric_goes() {
    let runtime = running("shop");
    let recorder = worker(&runtime, "one");
    recorder.emit(served(150));
    assert_eq!(lately(&runtime).requests_total, 1);
    recorder.register_metric(Lately::default()).expect("the recorder runs");
    let replaced = lately(&runtime);
    assert_eq!((replaced.requests_total, replaced.sent, replaced.all), (0, 0, 1));
}

fn comes_back<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T) -> T {
    let text = serde_json::to_string(value).expect("it is written");
    let read: T = serde_json::from_str(&text).expect("it is read");
    assert_eq!(read, *value);
    assert_eq!(serde_json::to_string(&read).expect("it is written"), text);
    let bytes = rmp_serde::to_vec_named(value).expect("it is written");
    assert_eq!(rmp_serde::from_slice::<T>(&bytes).expect("it is read"), *value);
    read
}

#[test]
fn di7_windows_come_back_from_json_with_their_seconds() {
    let runtime = running("shop");
    let recorder = worker(&runtime, "one");
    recorder.emit(served(150));
    comes_back(&lately(&runtime));
    comes_back::<RuntimeSnapshot>(&runtime.snapshot().expect("the runtime runs"));
    for scope in [Scope::Rollup, Scope::PerEntity] {
        let totals = totals_of(&runtime, scope);
        let read = comes_back(&totals);
        assert_eq!(read.exposition(Format::Prometheus).text, totals.exposition(Format::Prometheus).text);
        let metric = read.groups[0].metrics.get("lately").expect("it is there");
        let declared = &metric.declaration().expect("totals have declarations").dimensions;
        let seconds: Vec<_> = declared.iter().map(|dimension| dimension.window).collect();
        assert_eq!(seconds, [vec![Some(3_600); 14], vec![None]].concat());
        assert_eq!(read.get::<Lately>("shop"), totals.get::<Lately>("shop"));
    }
    let json = serde_json::to_value(totals_of(&runtime, Scope::Rollup)).expect("it is written");
    let declared = &json["groups"][0]["metrics"]["lately"]["declaration"]["dimensions"];
    assert_eq!((&declared[0]["window"], declared[14].get("window")), (&3_600.into(), None));
}

fn json(value: &impl Serialize) -> serde_json::Value {
    serde_json::to_value(value).expect("it is written")
}

fn both<M: TypedMetric>(recorder: &MetricsRecorder) -> (M::Snapshot, MetricSnapshot) {
    let typed = recorder.metric_snapshot::<M>().expect("reads").expect("it is registered");
    let erased = recorder.metric_snapshots().expect("reads").get(M::NAME).cloned();
    (typed, erased.expect("it is registered"))
}

#[test]
fn di7_windows_without_types_merge_as_those_with_types() {
    let runtime = running("shop");
    let (one, other) = (worker(&runtime, "one"), worker(&runtime, "other"));
    one.emit(served(150));
    other.emit(Served { path: "/b", outcome: Outcome::Failure, ..served(300) });
    let (mut typed, mut erased) = both::<Lately>(&one);
    let (typed_other, erased_other) = both::<Lately>(&other);
    typed.merge(&typed_other);
    erased.merge(&erased_other).expect("they have one declaration");
    assert_eq!(json(&erased.dimensions), json(&typed));
    assert_eq!((typed.requests_total, typed.evens), (2, 2));
}

#[test]
fn di7_a_window_that_falls_is_no_restart_and_an_interval_keeps_the_later_one() {
    #[derive(Metric, Default)]
    #[metric(name = "windows", on(Served))]
    struct Windows {
        served: Recent<Counter, 3_600>,
        #[dimension(value = bytes)]
        evens: Recent<Evens, 3_600>,
        #[dimension(value = bytes, buckets = [100, 200])]
        sizes: Recent<Histogram<u64>, 3_600>,
        #[dimension(value = bytes)]
        largest: Recent<Max<u64>, 3_600>,
        #[dimension(by = path, limit = 9)]
        by_path: Breakdown<String, Recent<Counter, 3_600>>,
    }

    let runtime = running("shop");
    let [later, other] = ["one", "other"].map(|id| {
        let recorder = runtime.create_recorder(id).expect("the id is free");
        recorder.register_metric(Windows::default()).expect("the recorder runs");
        recorder.emit(Served { path: if id == "one" { "/" } else { "/gone" }, ..served(150) });
        both::<Windows>(&recorder)
    });
    // More than the later snapshots have.
    let (mut typed_before, mut erased_before) = later.clone();
    typed_before.merge(&other.0);
    erased_before.merge(&other.1).expect("they have one declaration");
    let (typed, erased) = later;
    assert!(!typed.restarted_since(&typed_before));
    assert!(!erased.restarted_since(&erased_before).expect("they have one declaration"));
    assert_eq!(typed.since(&typed_before), typed);
    assert_eq!(erased.since(&erased_before).expect("they have one declaration"), erased);
}

#[test]
fn di7_windows_of_other_seconds_do_not_merge() {
    #[derive(Metric, Default)]
    #[metric(name = "lately", on(Served))]
    struct Minute {
        served: Recent<Counter, 60>,
    }

    #[derive(Metric, Default)]
    #[metric(name = "lately", on(Served))]
    struct Hour {
        served: Recent<Counter, 3_600>,
    }

    #[derive(Metric, Default)]
    #[metric(name = "lately", on(Served))]
    struct Always {
        served: Counter,
    }

    let runtime = running("shop");
    let snapshot = |id: &str, register: &dyn Fn(&MetricsRecorder)| {
        let recorder = runtime.create_recorder(id).expect("the id is free");
        register(&recorder);
        recorder.emit(served(1));
        recorder.metric_snapshots().expect("reads").get("lately").cloned().expect("it is registered")
    };
    let minute = snapshot("minute", &|recorder| drop(recorder.register_metric(Minute::default())));
    let hour = snapshot("hour", &|recorder| drop(recorder.register_metric(Hour::default())));
    let always = snapshot("always", &|recorder| drop(recorder.register_metric(Always::default())));
    for (one, other) in [(&minute, &hour), (&hour, &always), (&always, &minute)] {
        let error = one.clone().merge(other).expect_err("their windows differ");
        assert!(matches!(error, MergeError::OtherDeclaration { .. }));
        assert!(error.to_string().ends_with("the windows of `served` differ"), "{error}");
    }
    let totals = totals_of(&runtime, Scope::Rollup);
    assert_eq!(totals.left_out.len(), 1, "{:?}", totals.left_out);
    assert_eq!(totals.get::<Minute>("shop").map(|minute| minute.served), Some(1));
}

#[test]
fn di7_the_text_shows_gauges_and_quantiles() {
    let runtime = running("shop");
    let recorder = worker(&runtime, "one");
    for bytes in [150, 250, 300] {
        recorder.emit(served(bytes));
    }
    recorder.emit(Served { outcome: Outcome::Failure, path: "/b\"", balance: -9, ..served(120) });
    for (format, extension) in
        [(Format::Prometheus, "prometheus.txt"), (Format::OpenMetrics, "openmetrics.txt")]
    {
        let exposition = runtime.exposition(Scope::PerEntity, format).expect("the runtime runs");
        assert_eq!(exposition.skipped, []);
        assert_grouped(&exposition.text);
        let lines = exposition.text.split_inclusive('\n');
        let families: String = lines.filter(|line| line.contains("lately")).collect();
        check(&format!("recent.{extension}"), &families);
        let snapshot = recorder.metric_snapshot::<Lately>().expect("reads").expect("it is registered");
        for (quantile, label) in [(0.5, "0.5"), (0.9, "0.9"), (0.95, "0.95"), (0.99, "0.99")] {
            let series = format!("{{namespace=\"shop\",entity_id=\"one\",quantile=\"{label}\"}}");
            let shown = |name: &str| Some(value(&exposition.text, &format!("{name}{series}")));
            assert_eq!(shown("lately_sizes"), snapshot.sizes.quantile(quantile));
            assert_eq!(shown("lately_balances"), snapshot.balances.quantile(quantile));
        }
    }
}

#[test]
fn di7_an_empty_window_has_no_quantiles_and_counts_of_zero() {
    let runtime = running("shop");
    worker(&runtime, "one");
    for format in [Format::Prometheus, Format::OpenMetrics] {
        let text = runtime.exposition(Scope::Rollup, format).expect("the runtime runs").text;
        assert_eq!(value(&text, "lately_requests{namespace=\"shop\"}").to_string(), "0");
        assert_eq!(
            value(&text, "lately_by_outcome{namespace=\"shop\",outcome=\"failure\"}").to_string(),
            "0"
        );
        for empty in ["lately_sizes", "lately_mean", "lately_balance", "lately_slowest", "lately_by_path"] {
            assert!(!text.contains(empty), "{empty} in\n{text}");
        }
    }
}
