//! Covers the text of values: odd numbers, labels that need escapes, totals that saturate, buckets.

use std::borrow::Cow;
use std::time::Duration;

use mvx_metrics::export::{Format, Scope};
use mvx_metrics::{
    BreakdownEntry, Bucket, DimensionKind, DimensionValue, Extreme, HistogramSnapshot, MeanSnapshot, Number,
};

use crate::fixtures::value;
use crate::handwritten::{lines, metric, runtime_with};

use DimensionKind::{Counter, Custom, Histogram, Mean, Sum};

#[test]
fn odd_numbers_are_spelled_as_prometheus_expects() {
    let runtime = runtime_with(vec![metric(
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
    let text = runtime.exposition(Scope::PerEntity, Format::OpenMetrics).expect("the runtime runs").text;
    assert!(
        text.contains("# TYPE odd_nan unknown\nodd_nan{namespace=\"shop\",entity_id=\"one\"} NaN\n"),
        "{text}"
    );
    assert!(text.contains("odd_low{namespace=\"shop\",entity_id=\"one\"} -Inf\n"), "{text}");
    assert!(
        text.contains("# TYPE odd_fall gauge\nodd_fall{namespace=\"shop\",entity_id=\"one\"} -3\n"),
        "{text}"
    );
    assert!(text.contains("odd_tiny_total{namespace=\"shop\",entity_id=\"one\"} 0.000000005\n"), "{text}");
    assert!(!text.contains("odd_text") && !text.contains("odd_empty"), "{text}");
}

#[test]
fn duplicate_labels_are_one_series() {
    let entry = |label: &'static str, value: u64| BreakdownEntry {
        labels: vec![Cow::Borrowed(label)],
        value: value.into(),
    };
    let entries = vec![entry("a", 1), entry("a", 2), entry("\"\\\n", 4)];
    let runtime = runtime_with(vec![metric("m", vec![("d", Counter, DimensionValue::Breakdown(entries))])]);
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
    let buckets = buckets.map(|(upper_bound, count)| Bucket { upper_bound, count }).to_vec().into();
    DimensionValue::Histogram(HistogramSnapshot {
        count,
        sum,
        min: Extreme::Known(min),
        max: Extreme::Unknown,
        buckets,
    })
}

#[test]
fn totals_of_floating_point_numbers_saturate() {
    let mean = DimensionValue::Mean(MeanSnapshot { sum: Number::Float(f64::MAX), count: 1 });
    let buckets = [(None, 1)];
    let histogram = histogram(buckets, Number::Float(f64::MAX), Number::Float(f64::MAX));
    let most = || {
        metric(
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

#[test]
fn a_histogram_with_negative_values_has_no_sum_in_openmetrics() {
    let buckets = [(Some(Number::Signed(10)), 1), (None, 1)];
    let fallen = histogram(buckets, Number::Signed(15), Number::Signed(-5));
    let runtime = runtime_with(vec![metric("job", vec![("size", Histogram, fallen)])]);
    let text = runtime.exposition(Scope::Rollup, Format::OpenMetrics).expect("the runtime runs").text;
    assert_eq!(lines(&text, "job_size_bucket").len(), 2, "{text}");
    assert_eq!(lines(&text, "job_size_sum"), [""; 0], "{text}");
}

#[test]
fn bounds_with_equal_text_are_one_bucket() {
    let large = 1_u64 << 53;
    let buckets = [(Some(Number::Unsigned(large)), 1), (Some(Number::Unsigned(large + 1)), 2), (None, 4)];
    let infinite = [(Some(Number::Float(f64::INFINITY)), 1), (None, 1)];
    let runtime = runtime_with(vec![metric(
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
