//! Covers skipped dimensions: names that clash, limits, shapes that differ, and how they are reported and logged.

use std::borrow::Cow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use mvx_metrics::export::{Exposition, Format, Scope};
use mvx_metrics::{
    BreakdownEntry, Bucket, DimensionKind, DimensionValue, Extreme, HistogramSnapshot, LogPolicy,
    MetricsRuntime, Number,
};
use mvx_metrics_tests::capture::{self, Listener};
use tracing::{Event, Level};

use crate::fixtures::{running, value};
use crate::handwritten::{lines, metric, runtime_with};

use DimensionKind::{Counter, Gauge, Histogram, Sum};

/// Everything the exposition skips, as it is logged.
fn reasons(exposition: &Exposition) -> Vec<String> {
    exposition.skipped.iter().map(ToString::to_string).collect()
}

#[test]
fn a_name_of_two_dimensions_belongs_to_the_first() {
    let runtime = runtime_with(vec![
        metric("jobs", vec![("done", Counter, 3_u64.into()), ("done_total", Gauge, 5_i64.into())]),
        metric("jobs.done", vec![("total", Counter, 7_u64.into()), ("other", Counter, 9_u64.into())]),
    ]);
    let exposition = runtime.exposition(Scope::Rollup, Format::OpenMetrics).expect("the runtime runs");
    assert_eq!(value(&exposition.text, "jobs_done_total{namespace=\"shop\"}").to_string(), "3");
    assert_eq!(value(&exposition.text, "jobs_done_other_total{namespace=\"shop\"}").to_string(), "9");
    assert_eq!(
        value(&exposition.text, "mvx_metrics_dimensions_left_out{namespace=\"shop\"}").to_string(),
        "2"
    );
    assert_eq!(
        reasons(&exposition),
        [
            "`done_total` of the metric `jobs` is skipped in the family `jobs_done`: `jobs_done` belongs to `done` \
             of the metric `jobs`",
            "`total` of the metric `jobs.done` is skipped in the family `jobs_done`: `jobs_done` belongs to `done` \
             of the metric `jobs`",
        ]
    );
}

#[test]
fn a_skipped_dimension_is_logged_once() {
    capture::install();
    let silent = MetricsRuntime::builder("shop").log_policy(LogPolicy::Silent);
    for (runtime, name, lines) in
        [(running("shop"), "lg.jobs", 1), (silent.build().expect("valid choices"), "lg.silent", 0)]
    {
        runtime.start().expect("it runs");
        let recorder = runtime.create_recorder("one").expect("the id is free");
        let dimensions = vec![("done", Counter, 3_u64.into()), ("done_total", Gauge, 5_i64.into())];
        recorder.register_metric(metric(name, dimensions)).expect("the recorder runs");
        for format in [Format::OpenMetrics, Format::Prometheus, Format::Prometheus] {
            let exposition = runtime.exposition(Scope::Rollup, format).expect("the runtime runs");
            assert_eq!(exposition.skipped.len(), 1);
        }
        let snapshot = runtime.snapshot().expect("the runtime runs");
        assert_eq!(snapshot.exposition(Scope::Rollup, Format::OpenMetrics).skipped.len(), 1);
        let logged = capture::matching(|logged| logged.field("error").contains(name));
        assert_eq!(logged.len(), lines, "{logged:?}");
        for logged in logged {
            assert_eq!((logged.level, &*logged.target), (Level::WARN, "mvx_metrics::export"));
            assert_eq!(logged.field("event"), "metrics_export.skipped");
            let error = "`done_total` of the metric `lg.jobs` is skipped in the family `lg_jobs_done`: \
                         `lg_jobs_done` belongs to `done` of the metric `lg.jobs`";
            assert_eq!(logged.field("error"), error);
        }
    }
}

#[test]
fn an_exposition_succeeds_when_a_subscriber_panics() {
    let runtime = runtime_with(vec![metric(
        "job",
        vec![("done", Counter, 3_u64.into()), ("done_total", Gauge, 5_i64.into())],
    )]);
    let offered = Arc::new(AtomicUsize::new(0));
    let refusing = {
        let offered = Arc::clone(&offered);
        move |_: &Event<'_>| {
            offered.fetch_add(1, Ordering::SeqCst);
            panic!("the subscriber panics");
        }
    };
    let render = || runtime.exposition(Scope::Rollup, Format::OpenMetrics).expect("the runtime runs");
    let exposition = tracing::subscriber::with_default(Listener(refusing), render);
    assert_eq!((exposition.skipped.len(), offered.load(Ordering::SeqCst)), (1, 1));
}

#[test]
fn the_series_names_of_a_histogram_clash_with_other_names() {
    let histogram = HistogramSnapshot {
        count: 0,
        sum: Number::Unsigned(0),
        min: Extreme::None,
        max: Extreme::None,
        buckets: vec![].into(),
    };
    let runtime = runtime_with(vec![metric(
        "job",
        vec![("size_count", Gauge, 1_i64.into()), ("size", Histogram, DimensionValue::Histogram(histogram))],
    )]);
    let exposition = runtime.exposition(Scope::Rollup, Format::OpenMetrics).expect("the runtime runs");
    assert_eq!(exposition.skipped.len(), 1, "{:?}", exposition.skipped);
    assert_eq!(exposition.skipped[0].dimension, "size");
}

#[test]
fn histograms_with_other_buckets_are_skipped_in_a_rollup() {
    let histogram = |bound: u64| {
        let bucket = |upper_bound, count| Bucket { upper_bound, count };
        let buckets = vec![bucket(Some(Number::Unsigned(bound)), 1), bucket(None, 1)].into();
        let histogram = HistogramSnapshot {
            count: 2,
            sum: Number::Unsigned(9),
            min: Extreme::None,
            max: Extreme::None,
            buckets,
        };
        vec![("size", Histogram, DimensionValue::Histogram(histogram))]
    };
    let runtime = runtime_with(vec![metric("job", histogram(10))]);
    let other = runtime.create_recorder("other").expect("the id is free");
    other.register_metric(metric("job", histogram(20))).expect("the recorder runs");
    let exposition = runtime.exposition(Scope::Rollup, Format::OpenMetrics).expect("the runtime runs");
    assert_eq!(exposition.skipped.len(), 1, "{:?}", exposition.skipped);
    assert_eq!(value(&exposition.text, "job_size_count{namespace=\"shop\"}").to_string(), "2");
    // Each entity shows its own buckets.
    let exposition = runtime.exposition(Scope::PerEntity, Format::OpenMetrics).expect("the runtime runs");
    assert_eq!(exposition.skipped, []);
}

#[test]
fn metrics_beyond_the_limit_are_reported() {
    let names = (0..4_097).map(|number| format!("m{number}"));
    let runtime = runtime_with(names.map(|name| metric(name, vec![("d", Counter, 1_u64.into())])).collect());
    let exposition = runtime.exposition(Scope::Rollup, Format::OpenMetrics).expect("the runtime runs");
    assert_eq!(
        reasons(&exposition),
        ["values of the metric `m4096` are skipped: there are more than 4,096 metrics"]
    );
    assert_eq!(value(&exposition.text, "m4095_d_total{namespace=\"shop\"}").to_string(), "1");
}

#[test]
fn dimensions_beyond_the_limit_are_reported() {
    static NAMES: LazyLock<Vec<String>> =
        LazyLock::new(|| (0..4_097).map(|number| format!("d{number}")).collect());
    let dimensions = NAMES.iter().map(|name| (&**name, Counter, 1_u64.into())).collect();
    let runtime = runtime_with(vec![metric("m", dimensions)]);
    let exposition = runtime.exposition(Scope::Rollup, Format::OpenMetrics).expect("the runtime runs");
    assert_eq!(
        reasons(&exposition),
        ["values of the metric `m` are skipped: the metric has more than 4,096 dimensions"]
    );
    assert_eq!(value(&exposition.text, "m_d4095_total{namespace=\"shop\"}").to_string(), "1");
    assert!(!exposition.text.contains("m_d4096"), "{}", exposition.text);
}

#[test]
fn labels_with_values_of_another_type_than_before_are_reported() {
    let by_label = |value: DimensionValue| {
        let entries = vec![BreakdownEntry { labels: vec![Cow::Borrowed("a")], value }];
        metric("m", vec![("d", Sum, DimensionValue::Breakdown(entries))])
    };
    let runtime = runtime_with(vec![by_label(1_u64.into())]);
    let other = runtime.create_recorder("other").expect("the id is free");
    other.register_metric(by_label(0.5.into())).expect("the recorder runs");
    let exposition = runtime.exposition(Scope::Rollup, Format::OpenMetrics).expect("the runtime runs");
    assert_eq!(
        reasons(&exposition),
        [
            "`d` of the metric `m` is skipped in the family `m_d`: some of its values have other forms than the first ones"
        ]
    );
    assert_eq!(value(&exposition.text, "m_d_total{namespace=\"shop\",label=\"a\"}").to_string(), "1");
}

#[test]
fn a_metric_with_the_librarys_name_is_skipped() {
    let runtime =
        runtime_with(vec![metric("mvx_metrics", vec![("events_accepted", Counter, 99_u64.into())])]);
    let exposition = runtime.exposition(Scope::Rollup, Format::Prometheus).expect("the runtime runs");
    assert_eq!(
        value(&exposition.text, "mvx_metrics_events_accepted_total{namespace=\"shop\"}").to_string(),
        "0"
    );
    assert_eq!(exposition.skipped.len(), 1);
}

#[test]
fn the_count_of_skipped_dimensions_cannot_be_skipped() {
    let gauge = || vec![("dimensions_left_out", Gauge, 99_i64.into())];
    let runtime = runtime_with(vec![metric("mvx_metrics", gauge())]);
    let exposition = runtime.exposition(Scope::Rollup, Format::Prometheus).expect("the runtime runs");
    let series = "mvx_metrics_dimensions_left_out{namespace=\"shop\"}";
    assert_eq!(value(&exposition.text, series).to_string(), "1");
    assert_eq!(exposition.skipped.len(), 1);
}

#[test]
fn an_entity_has_no_series_in_a_family_of_the_library() {
    let runtime =
        runtime_with(vec![metric("mvx_metrics", vec![("recorders_stalled", Gauge, 99_i64.into())])]);
    let exposition = runtime.exposition(Scope::PerEntity, Format::OpenMetrics).expect("the runtime runs");
    let stalled = lines(&exposition.text, "mvx_metrics_recorders_stalled");
    assert_eq!(stalled, ["mvx_metrics_recorders_stalled{namespace=\"shop\"} 0"]);
    assert_eq!(exposition.skipped.len(), 1);
}

#[test]
fn labels_with_values_of_another_type_are_reported() {
    let entry = |label: &'static str, value: DimensionValue| BreakdownEntry {
        labels: vec![Cow::Borrowed(label)],
        value,
    };
    let entries = vec![entry("a", 1_u64.into()), entry("b", (-1_i64).into()), entry("c", 2_u64.into())];
    let runtime = runtime_with(vec![metric("m", vec![("d", Sum, DimensionValue::Breakdown(entries))])]);
    let exposition = runtime.exposition(Scope::Rollup, Format::Prometheus).expect("the runtime runs");
    assert_eq!(lines(&exposition.text, "m_d_total").len(), 2, "{}", exposition.text);
    let skipped: Vec<_> = exposition.skipped.iter().map(|skipped| &*skipped.dimension).collect();
    assert_eq!(skipped, ["d"]);
}
