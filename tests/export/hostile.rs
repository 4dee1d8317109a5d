//! Names, texts and shapes that nobody should use, from metrics written by hand.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mvx_metrics::export::{Format, Scope};
use mvx_metrics::{
    BreakdownEntry, Bucket, DimensionDescriptor, DimensionKind, DimensionValue, EventHandler,
    HistogramSnapshot, LogPolicy, Metric, MetricDescriptor, MetricSnapshot, MetricsRuntime, Number,
};
use mvx_metrics_tests::capture::{self, Listener};
use tracing::{Event, Level};

use crate::traffic::{running, value};

/// A metric that shows whatever it is made of.
struct Shown {
    name: &'static str,
    dimensions: Vec<(DimensionDescriptor, DimensionValue)>,
}

impl Metric for Shown {
    fn metric_name(&self) -> &str {
        self.name
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        &[]
    }

    fn snapshot(&self) -> MetricSnapshot {
        let snapshot = MetricSnapshot::new(self.name);
        self.dimensions.iter().fold(snapshot, |snapshot, (descriptor, value)| {
            snapshot.with(descriptor.name.clone(), value.clone())
        })
    }

    fn descriptor(&self) -> MetricDescriptor {
        let dimensions: Vec<_> = self.dimensions.iter().map(|(descriptor, _)| descriptor.clone()).collect();
        MetricDescriptor::new(self.name).with_dimensions(dimensions)
    }
}

fn shown(name: &'static str, dimensions: Vec<(&'static str, DimensionKind, DimensionValue)>) -> Shown {
    let dimensions = dimensions.into_iter();
    let dimensions =
        dimensions.map(|(name, kind, value)| (DimensionDescriptor::new(name, kind), value)).collect();
    Shown { name, dimensions }
}

fn runtime_with(metrics: Vec<Shown>) -> MetricsRuntime {
    let runtime = running("shop");
    let recorder = runtime.create_recorder("one").expect("the id is free");
    for metric in metrics {
        recorder.register_metric(metric).expect("the recorder runs");
    }
    runtime
}

use DimensionKind::{Counter, Custom, Gauge, Histogram, Sum};

#[test]
fn a_name_that_means_two_things_stands_for_the_first_and_the_scrape_answers() {
    let runtime = runtime_with(vec![
        shown("jobs", vec![("done", Counter, 3_u64.into()), ("done_total", Gauge, 5_i64.into())]),
        shown("jobs.done", vec![("total", Counter, 7_u64.into()), ("other", Counter, 9_u64.into())]),
    ]);
    let exposition = runtime.exposition(Scope::Rollup, Format::OpenMetrics).expect("the runtime runs");
    assert_eq!(value(&exposition.text, "jobs_done_total{namespace=\"shop\"}").to_string(), "3");
    assert_eq!(value(&exposition.text, "jobs_done_other_total{namespace=\"shop\"}").to_string(), "9");
    assert_eq!(
        value(&exposition.text, "mvx_metrics_dimensions_left_out{namespace=\"shop\"}").to_string(),
        "2"
    );
    let left_out: Vec<_> = exposition.left_out.iter().map(ToString::to_string).collect();
    assert_eq!(
        left_out,
        [
            "`done_total` of the metric `jobs` is left out of the family `jobs_done`: `jobs_done` stands for `done` \
             of the metric `jobs` already",
            "`total` of the metric `jobs.done` is left out of the family `jobs_done`: `jobs_done` stands for `done` \
             of the metric `jobs` already",
        ]
    );
}

#[test]
fn what_is_left_out_is_logged_once() {
    capture::install();
    let silent = MetricsRuntime::builder("shop").log_policy(LogPolicy::Silent);
    for (runtime, metric, lines) in
        [(running("shop"), "lg.jobs", 1), (silent.build().expect("valid choices"), "lg.silent", 0)]
    {
        runtime.start().expect("it runs");
        let recorder = runtime.create_recorder("one").expect("the id is free");
        let dimensions = vec![("done", Counter, 3_u64.into()), ("done_total", Gauge, 5_i64.into())];
        recorder.register_metric(shown(metric, dimensions)).expect("the recorder runs");
        for format in [Format::OpenMetrics, Format::Prometheus, Format::Prometheus] {
            let exposition = runtime.exposition(Scope::Rollup, format).expect("the runtime runs");
            assert_eq!(exposition.left_out.len(), 1);
        }
        let logged = capture::matching(|logged| logged.field("error").contains(metric));
        assert_eq!(logged.len(), lines, "{logged:?}");
        for logged in logged {
            assert_eq!((logged.level, &*logged.target), (Level::WARN, "mvx_metrics::export"));
            assert_eq!(logged.field("event"), "metrics_export.left_out");
            let name = "`done_total` of the metric `lg.jobs` is left out of the family `lg_jobs_done`: `lg_jobs_done` \
                        stands for `done` of the metric `lg.jobs` already";
            assert_eq!(logged.field("error"), name);
        }
    }
}

#[test]
fn a_subscriber_that_panics_is_no_reason_for_an_exposition_to_fail() {
    let runtime = runtime_with(vec![shown(
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
    assert_eq!((exposition.left_out.len(), offered.load(Ordering::SeqCst)), (1, 1));
}

#[test]
fn the_series_of_a_histogram_are_names_too() {
    let histogram =
        HistogramSnapshot { count: 0, sum: Number::Unsigned(0), min: None, max: None, buckets: vec![] };
    let runtime = runtime_with(vec![shown(
        "job",
        vec![("size_count", Gauge, 1_i64.into()), ("size", Histogram, DimensionValue::Histogram(histogram))],
    )]);
    let exposition = runtime.exposition(Scope::Rollup, Format::OpenMetrics).expect("the runtime runs");
    assert_eq!(exposition.left_out.len(), 1, "{:?}", exposition.left_out);
    assert_eq!(exposition.left_out[0].dimension, "size");
}

#[test]
fn histograms_of_other_buckets_are_not_added_up() {
    let histogram = |bound: u64| {
        let bucket = |up_to, count| Bucket { up_to, count };
        let buckets = vec![bucket(Some(Number::Unsigned(bound)), 1), bucket(None, 1)];
        let histogram =
            HistogramSnapshot { count: 2, sum: Number::Unsigned(9), min: None, max: None, buckets };
        vec![("size", Histogram, DimensionValue::Histogram(histogram))]
    };
    let runtime = runtime_with(vec![shown("job", histogram(10))]);
    let other = runtime.create_recorder("other").expect("the id is free");
    other.register_metric(shown("job", histogram(20))).expect("the recorder runs");
    let exposition = runtime.exposition(Scope::Rollup, Format::OpenMetrics).expect("the runtime runs");
    assert_eq!(exposition.left_out.len(), 1, "{:?}", exposition.left_out);
    assert_eq!(value(&exposition.text, "job_size_count{namespace=\"shop\"}").to_string(), "2");
    // Each for itself they can both be shown.
    let exposition = runtime.exposition(Scope::PerEntity, Format::OpenMetrics).expect("the runtime runs");
    assert_eq!(exposition.left_out, []);
}

#[test]
fn metrics_beyond_the_most_that_can_be_shown_are_reported() {
    let names = (0..4_097).map(|number| &*format!("m{number}").leak());
    let runtime = runtime_with(names.map(|name| shown(name, vec![("d", Counter, 1_u64.into())])).collect());
    let exposition = runtime.exposition(Scope::Rollup, Format::OpenMetrics).expect("the runtime runs");
    let left_out: Vec<_> = exposition.left_out.iter().map(ToString::to_string).collect();
    assert_eq!(left_out, ["values of the metric `m4096` are left out: there are too many metrics before it"]);
    assert_eq!(value(&exposition.text, "m4095_d_total{namespace=\"shop\"}").to_string(), "1");
}

#[test]
fn a_metric_in_the_librarys_own_name_cannot_disturb_it() {
    let runtime = runtime_with(vec![shown("mvx_metrics", vec![("events_accepted", Counter, 99_u64.into())])]);
    let exposition = runtime.exposition(Scope::Rollup, Format::Prometheus).expect("the runtime runs");
    assert_eq!(
        value(&exposition.text, "mvx_metrics_events_accepted_total{namespace=\"shop\"}").to_string(),
        "0"
    );
    assert_eq!(exposition.left_out.len(), 1);
}

#[test]
fn odd_numbers_are_written_as_prometheus_spells_them() {
    let runtime = runtime_with(vec![shown(
        "odd",
        vec![
            ("nan", Custom, f64::NAN.into()),
            ("low", Custom, f64::NEG_INFINITY.into()),
            ("text", Custom, DimensionValue::Text("no number".into())),
            ("empty", Counter, DimensionValue::Empty),
            ("fall", Sum, (-3_i64).into()),
            ("tiny", Sum, Duration::from_nanos(5).into()),
        ],
    )]);
    let text = runtime.exposition(Scope::Rollup, Format::OpenMetrics).expect("the runtime runs").text;
    assert!(text.contains("# TYPE odd_nan unknown\nodd_nan{namespace=\"shop\"} NaN\n"), "{text}");
    assert!(text.contains("odd_low{namespace=\"shop\"} -Inf\n"), "{text}");
    assert!(text.contains("# TYPE odd_fall gauge\nodd_fall{namespace=\"shop\"} -3\n"), "{text}");
    assert!(text.contains("odd_tiny_total{namespace=\"shop\"} 0.000000005\n"), "{text}");
    assert!(!text.contains("odd_text") && !text.contains("odd_empty"), "{text}");
}

fn histogram(bounds: &[f64], observed: &[f64]) -> DimensionValue {
    let mut histogram = mvx_metrics::Histogram::with_buckets(bounds.to_vec().leak());
    for value in observed {
        histogram.record(*value);
    }
    mvx_metrics::Dimension::value(&histogram)
}

#[test]
fn bounds_that_are_there_twice_are_one_bucket() {
    let runtime =
        runtime_with(vec![shown("m", vec![("h", Histogram, histogram(&[1.0, 1.0, 2.0, 2.0], &[1.0, 2.0]))])]);
    let text = runtime.exposition(Scope::Rollup, Format::OpenMetrics).expect("the runtime runs").text;
    let buckets: Vec<&str> = text.lines().filter(|line| line.starts_with("m_h_bucket")).collect();
    let expected = [("1.0", 1), ("2.0", 2), ("+Inf", 2)];
    let expected =
        expected.map(|(bound, count)| format!("m_h_bucket{{namespace=\"shop\",le=\"{bound}\"}} {count}"));
    assert_eq!(buckets, expected);
}

#[test]
fn the_sum_of_a_histogram_that_may_fall_is_no_counter() {
    let runtime = runtime_with(vec![shown("m", vec![("h", Histogram, histogram(&[1.0], &[10.0, -3.0]))])]);
    let text = |format| runtime.exposition(Scope::Rollup, format).expect("the runtime runs").text;
    assert_eq!(value(&text(Format::Prometheus), "m_h_sum{namespace=\"shop\"}").to_string(), "7");
    let text = text(Format::OpenMetrics);
    assert!(
        text.contains("m_h_bucket{") && !text.contains("m_h_sum") && !text.contains("m_h_count"),
        "{text}"
    );
}

#[test]
fn totals_beyond_the_largest_number_stay_there() {
    let mean = DimensionValue::Mean { sum: f64::MAX, count: 1 };
    let dimensions = || {
        let histogram = histogram(&[1.0], &[f64::MAX]);
        vec![
            ("sum", Sum, f64::MAX.into()),
            ("mean", DimensionKind::Mean, mean.clone()),
            ("h", Histogram, histogram),
        ]
    };
    let runtime = runtime_with(vec![shown("m", dimensions())]);
    let other = runtime.create_recorder("other").expect("the id is free");
    other.register_metric(shown("m", dimensions())).expect("the recorder runs");
    let text = runtime.exposition(Scope::Rollup, Format::OpenMetrics).expect("the runtime runs").text;
    let read =
        ["m_sum", "m_mean", "m_h_sum"].map(|name| value(&text, &format!("{name}{{namespace=\"shop\"}}")));
    assert_eq!(read.map(f64::to_bits), [f64::MAX, f64::MAX / 2.0, f64::MAX].map(f64::to_bits), "{read:?}");
}

#[test]
fn labels_that_are_there_twice_are_one_series() {
    let entry = |label: &'static str, value: u64| BreakdownEntry {
        labels: vec![Cow::Borrowed(label)],
        value: value.into(),
    };
    let entries = vec![entry("a", 1), entry("a", 2), entry("\"\\\n", 4)];
    let runtime = runtime_with(vec![shown("m", vec![("d", Counter, DimensionValue::Breakdown(entries))])]);
    let text = runtime.exposition(Scope::PerEntity, Format::Prometheus).expect("the runtime runs").text;
    assert!(text.contains("m_d_total{namespace=\"shop\",entity_id=\"one\",label=\"a\"} 3\n"), "{text}");
    assert!(text.contains(r#"m_d_total{namespace="shop",entity_id="one",label="\"\\\n"} 4"#), "{text}");
}
