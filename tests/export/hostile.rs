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
    name: Cow<'static, str>,
    dimensions: Vec<(DimensionDescriptor, DimensionValue)>,
}

impl Metric for Shown {
    fn metric_name(&self) -> &str {
        &self.name
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        &[]
    }

    fn snapshot(&self) -> MetricSnapshot {
        let snapshot = MetricSnapshot::new(self.name.clone());
        self.dimensions.iter().fold(snapshot, |snapshot, (descriptor, value)| {
            snapshot.with(descriptor.name.clone(), value.clone())
        })
    }

    fn descriptor(&self) -> MetricDescriptor {
        let dimensions: Vec<_> = self.dimensions.iter().map(|(descriptor, _)| descriptor.clone()).collect();
        MetricDescriptor::new(self.name.clone()).with_dimensions(dimensions)
    }
}

fn shown(
    name: impl Into<Cow<'static, str>>,
    dimensions: Vec<(&'static str, DimensionKind, DimensionValue)>,
) -> Shown {
    let dimensions = dimensions.into_iter();
    let dimensions =
        dimensions.map(|(name, kind, value)| (DimensionDescriptor::new(name, kind), value)).collect();
    Shown { name: name.into(), dimensions }
}

fn runtime_with(metrics: Vec<Shown>) -> MetricsRuntime {
    let runtime = running("shop");
    let recorder = runtime.create_recorder("one").expect("the id is free");
    for metric in metrics {
        recorder.register_metric(metric).expect("the recorder runs");
    }
    runtime
}

use DimensionKind::{Counter, Custom, Gauge, Histogram, Mean, Sum};

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
    let skipped: Vec<_> = exposition.skipped.iter().map(ToString::to_string).collect();
    assert_eq!(
        skipped,
        [
            "`done_total` of the metric `jobs` is skipped in the family `jobs_done`: `jobs_done` belongs to `done` \
             of the metric `jobs`",
            "`total` of the metric `jobs.done` is skipped in the family `jobs_done`: `jobs_done` belongs to `done` \
             of the metric `jobs`",
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
            assert_eq!(exposition.skipped.len(), 1);
        }
        let snapshot = runtime.snapshot().expect("the runtime runs");
        assert_eq!(snapshot.exposition(Scope::Rollup, Format::OpenMetrics).skipped.len(), 1);
        let logged = capture::matching(|logged| logged.field("error").contains(metric));
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
    assert_eq!((exposition.skipped.len(), offered.load(Ordering::SeqCst)), (1, 1));
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
    assert_eq!(exposition.skipped.len(), 1, "{:?}", exposition.skipped);
    assert_eq!(exposition.skipped[0].dimension, "size");
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
    assert_eq!(exposition.skipped.len(), 1, "{:?}", exposition.skipped);
    assert_eq!(value(&exposition.text, "job_size_count{namespace=\"shop\"}").to_string(), "2");
    // Each for itself they can both be shown.
    let exposition = runtime.exposition(Scope::PerEntity, Format::OpenMetrics).expect("the runtime runs");
    assert_eq!(exposition.skipped, []);
}

#[test]
fn metrics_beyond_the_most_that_can_be_shown_are_reported() {
    let names = (0..4_097).map(|number| format!("m{number}"));
    let runtime = runtime_with(names.map(|name| shown(name, vec![("d", Counter, 1_u64.into())])).collect());
    let exposition = runtime.exposition(Scope::Rollup, Format::OpenMetrics).expect("the runtime runs");
    let skipped: Vec<_> = exposition.skipped.iter().map(ToString::to_string).collect();
    assert_eq!(
        skipped,
        ["values of the metric `m4096` are skipped: more than 4096 metrics in this namespace"]
    );
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
    assert_eq!(exposition.skipped.len(), 1);
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

/// The snapshot of a histogram with these bounds and counts, the last without a bound.
fn histogram<const N: usize>(
    buckets: [(Option<Number>, u64); N],
    sum: Number,
    min: Number,
) -> DimensionValue {
    let count = buckets.iter().map(|(_, count)| count).sum();
    let buckets = buckets.map(|(up_to, count)| Bucket { up_to, count }).to_vec();
    DimensionValue::Histogram(HistogramSnapshot { count, sum, min: Some(min), max: None, buckets })
}

#[test]
fn totals_of_floating_point_numbers_saturate() {
    let mean = DimensionValue::Mean { sum: f64::MAX, count: 1 };
    let buckets = [(None, 1)];
    let histogram = histogram(buckets, Number::Float(f64::MAX), Number::Float(f64::MAX));
    let most = || {
        shown(
            "most",
            vec![
                ("sum", Sum, f64::MAX.into()),
                ("mean", Mean, mean.clone()),
                ("size", Histogram, histogram.clone()),
            ],
        )
    };
    let runtime = runtime_with(vec![most()]);
    let other = runtime.create_recorder("other").expect("the id is free");
    other.register_metric(most()).expect("the recorder runs");
    let text = runtime.exposition(Scope::Rollup, Format::OpenMetrics).expect("the runtime runs").text;
    for (series, expected) in
        [("most_sum", f64::MAX), ("most_mean", f64::MAX / 2.0), ("most_size_sum", f64::MAX)]
    {
        let total = value(&text, &format!("{series}{{namespace=\"shop\"}}"));
        assert_eq!(total.to_bits(), expected.to_bits(), "{series} is {total}");
    }
}

fn lines<'a>(text: &'a str, begin: &str) -> Vec<&'a str> {
    text.lines().filter(|line| line.starts_with(begin)).collect()
}

#[test]
fn a_sum_that_may_have_fallen_is_no_series_of_a_histogram() {
    let buckets = [(Some(Number::Signed(10)), 1), (None, 1)];
    let fallen = histogram(buckets, Number::Signed(15), Number::Signed(-5));
    let runtime = runtime_with(vec![shown("job", vec![("size", Histogram, fallen)])]);
    let text = runtime.exposition(Scope::Rollup, Format::OpenMetrics).expect("the runtime runs").text;
    assert_eq!(lines(&text, "job_size_bucket").len(), 2, "{text}");
    assert_eq!(lines(&text, "job_size_sum"), [""; 0], "{text}");
}

#[test]
fn bounds_that_are_written_alike_are_one_bucket() {
    let large = 1_u64 << 53;
    let buckets = [(Some(Number::Unsigned(large)), 1), (Some(Number::Unsigned(large + 1)), 2), (None, 4)];
    let infinite = [(Some(Number::Float(f64::INFINITY)), 1), (None, 1)];
    let runtime = runtime_with(vec![shown(
        "job",
        vec![
            ("size", Histogram, histogram(buckets, Number::Unsigned(9), Number::Unsigned(1))),
            ("load", Histogram, histogram(infinite, Number::Float(9.0), Number::Float(1.0))),
        ],
    )]);
    let text = runtime.exposition(Scope::Rollup, Format::OpenMetrics).expect("the runtime runs").text;
    let expected = ["9.007199254740992e+15\"} 3", "+Inf\"} 7"];
    let expected = expected.map(|end| format!("job_size_bucket{{namespace=\"shop\",le=\"{end}"));
    assert_eq!(lines(&text, "job_size_bucket"), expected, "{text}");
    assert_eq!(
        lines(&text, "job_load_bucket"),
        ["job_load_bucket{namespace=\"shop\",le=\"+Inf\"} 2"],
        "{text}"
    );
}

#[test]
fn the_number_of_what_is_left_out_cannot_be_left_out() {
    let gauge = || vec![("dimensions_left_out", Gauge, 99_i64.into())];
    let runtime = runtime_with(vec![shown("mvx_metrics", gauge())]);
    let exposition = runtime.exposition(Scope::Rollup, Format::Prometheus).expect("the runtime runs");
    let series = "mvx_metrics_dimensions_left_out{namespace=\"shop\"}";
    assert_eq!(value(&exposition.text, series).to_string(), "1");
    assert_eq!(exposition.skipped.len(), 1);
}

#[test]
fn no_entity_has_a_series_in_a_family_of_the_librarys_own() {
    let runtime = runtime_with(vec![shown("mvx_metrics", vec![("recorders_stalled", Gauge, 99_i64.into())])]);
    let exposition = runtime.exposition(Scope::PerEntity, Format::OpenMetrics).expect("the runtime runs");
    let stalled = lines(&exposition.text, "mvx_metrics_recorders_stalled");
    assert_eq!(stalled, ["mvx_metrics_recorders_stalled{namespace=\"shop\"} 0"]);
    assert_eq!(exposition.skipped.len(), 1);
}

#[test]
fn labels_with_values_of_another_type_are_named() {
    let entry = |label: &'static str, value: DimensionValue| BreakdownEntry {
        labels: vec![Cow::Borrowed(label)],
        value,
    };
    let entries = vec![entry("a", 1_u64.into()), entry("b", (-1_i64).into()), entry("c", 2_u64.into())];
    let runtime = runtime_with(vec![shown("m", vec![("d", Sum, DimensionValue::Breakdown(entries))])]);
    let exposition = runtime.exposition(Scope::Rollup, Format::Prometheus).expect("the runtime runs");
    assert_eq!(lines(&exposition.text, "m_d_total").len(), 2, "{}", exposition.text);
    let skipped: Vec<_> = exposition.skipped.iter().map(|skipped| &*skipped.dimension).collect();
    assert_eq!(skipped, ["d"]);
}
