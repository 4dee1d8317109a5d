//! Histograms: their buckets and quantiles. No ids; the contract's section on dimension types.

use std::time::Duration;

use mvx_metrics::{
    Breakdown, Bucket, Dimension, DimensionValue, Extreme, HandleEvent, Histogram, HistogramSnapshot, Label,
    Metric, Number, TypedMetric, metric_event,
};
use serde_json::{Value, json};

use crate::basics::dimensions;

#[derive(Label, Clone, Copy)]
enum Direction {
    In,
    Out,
}

#[metric_event]
struct Moved {
    direction: Direction,
    bytes: u64,
    elapsed: Duration,
    ratio: f64,
}

fn moved(bytes: u64, millis: u64, ratio: f64) -> Moved {
    let direction = if bytes < 100 { Direction::In } else { Direction::Out };
    Moved { direction, bytes, elapsed: Duration::from_millis(millis), ratio }
}

const RATIOS: [f64; 3] = [0.25, 0.5, 1.0];
const OFFSETS: &[i64] = &[-10, 0, 10];

#[derive(Metric, Default)]
#[metric(on(Moved))]
struct Moves {
    #[dimension(value = elapsed)]
    elapsed: Histogram<Duration>,
    #[dimension(value = elapsed, buckets = [0.001, 0.1, 1])]
    rough: Histogram<Duration>,
    #[dimension(value = bytes, unit = bytes)]
    bytes: Histogram<u64>,
    #[dimension(value = bytes, buckets = [10, 100])]
    sizes: Histogram<u64>,
    #[dimension(value = ratio, buckets = RATIOS)]
    ratio: Histogram<f64>,
    #[dimension(value = |e| e.bytes.cast_signed() - 50, buckets = self::OFFSETS)]
    offset: Histogram<i64>,
    #[dimension(by = direction, value = bytes, buckets = [10, 1_000])]
    by_direction: Breakdown<Direction, Histogram<u64>>,
    #[dimension(value = elapsed)]
    alias: Latency,
}

type Latency = Histogram<Duration>;

fn bounds(histogram: &Value) -> Vec<Value> {
    histogram["buckets"].as_array().unwrap().iter().map(|bucket| bucket["up_to"].clone()).collect()
}

fn counts(histogram: &Value) -> Vec<u64> {
    histogram["buckets"].as_array().unwrap().iter().map(|bucket| bucket["count"].as_u64().unwrap()).collect()
}

#[test]
fn an_empty_histogram_shows_its_buckets() {
    let shown = dimensions(&Moves::default());
    assert_eq!(
        shown["sizes"],
        json!({"count": 0, "sum": 0, "min": null, "max": null, "buckets": [
            {"up_to": 10, "count": 0}, {"up_to": 100, "count": 0}, {"up_to": null, "count": 0},
        ]})
    );
    assert_eq!(bounds(&shown["rough"]), [json!(0.001), json!(0.1), json!(1.0), json!(null)]);
    let none = json!({"offset": 0, "counts": []});
    let exponential = json!({
        "count": 0, "sum": 0.0, "min": null, "max": null, "scale": 8, "zero": 0, "positive": none, "negative": none,
    });
    assert_eq!((&shown["elapsed"], &shown["alias"]), (&exponential, &exponential));
    assert_eq!((&shown["bytes"]["scale"], &shown["bytes"]["positive"]), (&json!(8), &none));
    assert_eq!(bounds(&shown["offset"]), [json!(-10), json!(0), json!(10), json!(null)]);
}

#[test]
fn bounds_of_durations_are_durations_or_seconds() {
    const LIST: [Duration; 2] = [Duration::from_millis(1), Duration::from_secs(2)];
    const SLICE: &[Duration] = &LIST;
    const MILLISECOND: Duration = LIST[0];
    const SECONDS: f64 = 0.001;

    #[derive(Metric, Default)]
    #[metric(on(Moved))]
    struct Latencies {
        #[dimension(value = elapsed, buckets = [Duration::from_millis(1), Duration::from_secs(2)])]
        durations: Histogram<Duration>,
        #[dimension(value = elapsed, buckets = [MILLISECOND, LIST[1]])]
        constants: Histogram<Duration>,
        #[dimension(value = elapsed, buckets = LIST)]
        list: Histogram<Duration>,
        #[dimension(value = elapsed, buckets = SLICE)]
        slice: Histogram<Duration>,
        #[dimension(value = elapsed, buckets = [SECONDS, 2])]
        seconds: Histogram<Duration>,
        #[dimension(by = direction, value = elapsed, buckets = [Duration::from_millis(1), Duration::from_secs(2)])]
        by_direction: Breakdown<Direction, Histogram<Duration>>,
    }

    let mut metric = Latencies::default();
    metric.handle(&moved(1, 1, 0.0));
    let shown = dimensions(&metric);
    for name in ["durations", "constants", "list", "slice", "seconds"] {
        assert_eq!(bounds(&shown[name]), [json!(0.001), json!(2.0), json!(null)], "{name}");
        assert_eq!(counts(&shown[name]), [1, 0, 0], "{name}");
    }
    assert_eq!(bounds(&shown["by_direction"]["in"]), bounds(&shown["list"]));
}

#[test]
fn bounds_are_computed_from_a_start_a_factor_and_a_number() {
    const START: Duration = Duration::from_micros(500);
    const FACTOR: f64 = 1.5;
    const COUNT: usize = 3;

    #[derive(Metric, Default)]
    #[metric(on(Moved))]
    struct Exponential {
        #[dimension(value = bytes, buckets = exponential(64, 4, 13))]
        bytes: Histogram<u64>,
        #[dimension(value = bytes, buckets = exponential(10, FACTOR, COUNT))]
        rounded: Histogram<u64>,
        #[dimension(value = |e| e.bytes.cast_signed(), buckets = exponential(1, 10, 3))]
        signed: Histogram<i64>,
        #[dimension(value = ratio, buckets = exponential(0.5, 2, 3))]
        ratio: Histogram<f64>,
        #[dimension(value = elapsed, buckets = exponential(0.001, 10, 3))]
        seconds: Histogram<Duration>,
        #[dimension(value = elapsed, buckets = exponential(START, 2, 1 + 2))]
        durations: Histogram<Duration>,
        #[dimension(by = direction, value = bytes, buckets = exponential(1, 2, 2))]
        by_direction: Breakdown<Direction, Histogram<u64>>,
    }

    let mut metric = Exponential::default();
    metric.handle(&moved(65, 1, 1.0));
    let shown = dimensions(&metric);
    assert_eq!(bounds(&shown["bytes"])[..4], [json!(64), json!(256), json!(1024), json!(4096)]);
    assert_eq!(bounds(&shown["bytes"])[12..], [json!(1_u64 << 30), json!(null)]);
    assert_eq!(counts(&shown["bytes"])[..3], [0, 1, 0]);
    // 22.5 is rounded.
    assert_eq!(bounds(&shown["rounded"]), [json!(10), json!(15), json!(23), json!(null)]);
    assert_eq!(bounds(&shown["signed"]), [json!(1), json!(10), json!(100), json!(null)]);
    assert_eq!(bounds(&shown["ratio"]), [json!(0.5), json!(1.0), json!(2.0), json!(null)]);
    assert_eq!(counts(&shown["ratio"]), [0, 1, 0, 0]);
    assert_eq!(bounds(&shown["seconds"]), [json!(0.001), json!(0.01), json!(0.1), json!(null)]);
    assert_eq!(bounds(&shown["durations"]), [json!(0.0005), json!(0.001), json!(0.002), json!(null)]);
    assert_eq!(bounds(&shown["by_direction"]["in"]), [json!(1), json!(2), json!(null)]);
}

#[test]
fn a_field_declares_how_many_exponential_buckets_it_may_have() {
    const FEW: usize = 4;

    #[derive(Metric, Default)]
    #[metric(on(Moved))]
    struct Limited {
        #[dimension(value = bytes)]
        default: Histogram<u64>,
        #[dimension(value = bytes, max_buckets = 20)]
        twenty: Histogram<u64>,
        #[dimension(on(Moved, by = direction, value = bytes, max_buckets = FEW))]
        by_direction: Breakdown<Direction, Histogram<u64>>,
    }

    let mut metric = Limited::default();
    for bytes in 1..=4_096 {
        metric.handle(&moved(bytes, 1, 0.0));
    }
    let Limited { default, twenty, by_direction } = &metric;
    let [default, twenty] = [default, twenty].map(|histogram| {
        let buckets = histogram.read().buckets.exponential().cloned().unwrap();
        (buckets.scale, buckets.positive.counts.len())
    });
    // 12 powers of two, and the bucket that 1 bounds.
    assert_eq!((default, twenty), ((3, 97), (0, 13)));
    for direction in [Direction::In, Direction::Out] {
        let read = by_direction.get(direction).unwrap().read();
        let buckets = read.buckets.exponential().unwrap();
        assert!(buckets.positive.counts.len() <= FEW);
        assert_eq!(buckets.count(), read.count);
    }
    let declared = metric.descriptor().dimensions;
    let declared: Vec<_> = declared.iter().map(|dimension| dimension.max_buckets).collect();
    assert_eq!(declared, [Some(160), Some(20), Some(FEW)]);
    for declared in Moves::default().descriptor().dimensions.iter() {
        assert_eq!(declared.max_buckets, declared.buckets.is_empty().then_some(160), "{}", declared.name);
    }
}

#[test]
fn a_bound_belongs_to_its_bucket() {
    let mut metric = Moves::default();
    for bytes in [0, 10, 11, 100, 101, u64::MAX] {
        metric.handle(&moved(bytes, 100, 0.25));
    }
    let shown = dimensions(&metric);
    assert_eq!(counts(&shown["sizes"]), [2, 2, 2]);
    assert_eq!(counts(&shown["rough"]), [0, 6, 0, 0]);
    assert_eq!(counts(&shown["ratio"]), [6, 0, 0, 0]);
    assert_eq!(counts(&shown["offset"]), [4, 0, 0, 2]);
    assert_eq!(counts(&shown["by_direction"]["in"]), [2, 1, 0]);
    assert_eq!(counts(&shown["by_direction"]["out"]), [0, 2, 1]);
    assert_eq!(shown["sizes"]["sum"], u64::MAX);
    assert_eq!((&shown["sizes"]["min"], &shown["sizes"]["max"]), (&json!(0), &json!(u64::MAX)));
}

#[test]
fn a_histogram_ignores_what_is_not_finite() {
    let mut metric = Moves::default();
    for ratio in [f64::NAN, f64::INFINITY, 0.3] {
        metric.handle(&moved(1, 1, ratio));
    }
    let shown = dimensions(&metric);
    assert_eq!(shown["invalid"], 2);
    assert_eq!(shown["ratio"]["count"], 1);
}

#[test]
fn quantiles_are_interpolated() {
    let buckets = [(Some(10), 10), (Some(20), 80), (Some(40), 0), (None, 10)];
    let histogram = HistogramSnapshot::<u64> {
        count: 100,
        sum: 0,
        min: Extreme::Known(5),
        max: Extreme::Known(100),
        buckets: buckets.map(|(upper_bound, count)| Bucket { upper_bound, count }).to_vec().into(),
    };
    let quantiles =
        [0.0, 0.05, 0.1, 0.5, 0.9, 0.95, 1.0].map(|quantile| histogram.quantile(quantile).unwrap());
    let rounded = quantiles.map(|quantile| format!("{quantile:.2}"));
    assert_eq!(rounded, ["5.00", "7.07", "10.00", "14.14", "20.00", "40.00", "100.00"]);
    assert_eq!(histogram.quantile(1.5), None);
    assert_eq!(histogram.quantile(f64::NAN), None);
    assert_eq!(Moves::default().typed_snapshot().bytes.quantile(0.5), None);
}

#[test]
fn di5_the_open_bucket_answers_its_bound_or_the_minimum_and_at_1_the_maximum() {
    let histogram = |min: u64, counts: [u64; 3]| HistogramSnapshot::<u64> {
        count: counts.iter().sum(),
        sum: 0,
        min: Extreme::Known(min),
        max: Extreme::Known(900),
        buckets: [Some(10), Some(20), None]
            .into_iter()
            .zip(counts)
            .map(|(upper_bound, count)| Bucket { upper_bound, count })
            .collect::<Vec<_>>()
            .into(),
    };
    let answers =
        |histogram: HistogramSnapshot<u64>| [0.5, 0.99, 1.0].map(|quantile| histogram.quantile(quantile));
    assert_eq!(answers(histogram(5, [1, 0, 9])), [Some(20.0), Some(20.0), Some(900.0)]);
    assert_eq!(answers(histogram(70, [0, 0, 9])), [Some(70.0), Some(70.0), Some(900.0)]);
}

#[test]
fn di5_quantiles_of_explicit_buckets_are_monotone_and_work_without_extremes() {
    let buckets = [(Some(-10.0), 3), (Some(-1.0), 1), (Some(0.5), 4), (Some(8.0), 1), (None, 2)];
    let known = HistogramSnapshot::<f64> {
        count: 11,
        sum: 0.0,
        min: Extreme::Known(-30.0),
        max: Extreme::Known(100.0),
        buckets: buckets.map(|(upper_bound, count)| Bucket { upper_bound, count }).to_vec().into(),
    };
    let unknown = HistogramSnapshot { min: Extreme::Unknown, max: Extreme::Unknown, ..known.clone() };
    for (histogram, ends) in [(&known, [-30.0, 100.0]), (&unknown, [-10.0, 8.0])] {
        let answers: Vec<f64> =
            (0..=1_000).map(|permille| histogram.quantile(f64::from(permille) / 1_000.0).unwrap()).collect();
        assert!(answers.is_sorted(), "{answers:?}");
        assert_eq!([answers[0], answers[1_000]].map(f64::to_bits), ends.map(f64::to_bits));
    }
}

/// Users choose no bounds, and the estimates are within the stated bound.
#[test]
fn di5_a_recorded_histogram_without_bounds_answers_quantiles_within_the_stated_bound() {
    let mut metric = Moves::default();
    for millis in 1..=900 {
        metric.handle(&moved(millis, millis, 0.0));
    }
    let MovesSnapshot { elapsed, bytes, .. } = metric.typed_snapshot();
    for (quantile, millis) in [(0.01, 9.0), (0.5, 450.0), (0.95, 855.0), (0.99, 891.0)] {
        let answers = [elapsed.quantile(quantile).unwrap() * 1_000.0, bytes.quantile(quantile).unwrap()];
        assert!(
            answers.iter().all(|answer| (answer / millis - 1.0).abs() < 0.022),
            "{quantile}: {answers:?}"
        );
    }
    let whole = elapsed.clone();
    let interval = {
        metric.handle(&moved(1, 2_000, 0.0));
        metric.typed_snapshot().elapsed.since(&whole)
    };
    assert_eq!((interval.count, interval.max), (1, Extreme::Unknown));
    // From 1 ms to 2 s.
    assert!((interval.quantile(1.0).unwrap() / 2.0 - 1.0).abs() < 0.045);
}

#[test]
fn one_outlier_in_the_open_bucket_does_not_move_the_other_quantiles() {
    let histogram = HistogramSnapshot::<f64> {
        count: 1_000,
        sum: 619.5,
        min: Extreme::Known(0.5),
        max: Extreme::Known(60.0),
        // 899 of 0.5 s, 100 of 1.1 s, and one of 60 s.
        buckets: vec![
            Bucket { upper_bound: Some(0.1), count: 0 },
            Bucket { upper_bound: Some(1.0), count: 899 },
            Bucket { upper_bound: None, count: 101 },
        ]
        .into(),
    };
    let quantiles = [0.95, 0.99, 1.0].map(|quantile| histogram.quantile(quantile));
    assert_eq!(quantiles, [Some(1.0), Some(1.0), Some(60.0)]);
}

#[test]
fn quantiles_between_bounds_that_are_not_positive_are_interpolated_linearly() {
    let histogram = HistogramSnapshot::<i64> {
        count: 4,
        sum: 0,
        min: Extreme::Known(-20),
        max: Extreme::Known(10),
        buckets: vec![
            Bucket { upper_bound: Some(-10), count: 2 },
            Bucket { upper_bound: Some(10), count: 2 },
            Bucket { upper_bound: None, count: 0 },
        ]
        .into(),
    };
    let quantiles = [0.0, 0.25, 0.5, 0.75, 1.0].map(|quantile| histogram.quantile(quantile));
    assert_eq!(quantiles, [-20.0, -15.0, -10.0, 0.0, 10.0].map(Some));
}

#[test]
fn quantiles_of_an_impossible_snapshot_do_not_panic() {
    let histogram = |min: f64, max: f64| HistogramSnapshot::<f64> {
        count: 2,
        sum: 0.0,
        min: Extreme::Known(min),
        max: Extreme::Known(max),
        buckets: vec![Bucket { upper_bound: Some(0.0), count: 1 }, Bucket { upper_bound: None, count: 1 }]
            .into(),
    };
    assert_eq!(histogram(9.0, 1.0).quantile(0.5), None);
    assert_eq!(histogram(f64::NAN, 1.0).quantile(0.5), None);
    let wide = HistogramSnapshot {
        buckets: vec![Bucket { upper_bound: None, count: 2 }].into(),
        ..histogram(f64::MIN, f64::MAX)
    };
    let quantiles = [0.0, 0.5, 1.0].map(|quantile| wide.quantile(quantile).unwrap());
    assert_eq!(
        quantiles.map(|quantile| format!("{quantile:e}")),
        [f64::MIN, f64::MIN, f64::MAX].map(|end| format!("{end:e}"))
    );
}

#[test]
fn quantiles_of_durations_are_seconds() {
    let mut metric = Moves::default();
    for millis in [20, 30, 40] {
        metric.handle(&moved(1, millis, 0.0));
    }
    let median = metric.typed_snapshot().elapsed.quantile(0.5).unwrap();
    assert!((0.02..=0.04).contains(&median), "{median}");
}

#[test]
fn an_erased_histogram_keeps_its_buckets() {
    let mut metric = Moves::default();
    metric.handle(&moved(11, 1, 0.0));
    let snapshot = metric.snapshot();
    let Some(DimensionValue::Histogram(histogram)) = snapshot.get("sizes") else { panic!("no histogram") };
    assert_eq!(
        histogram.buckets.explicit().unwrap()[1],
        Bucket { upper_bound: Some(Number::Unsigned(100)), count: 1 }
    );
    assert_eq!(histogram.sum, Number::Unsigned(11));
}

#[test]
fn a_histogram_made_by_hand_keeps_its_buckets() {
    let mut histogram = Histogram::with_buckets(&[1_u64, 2]);
    histogram.record(2);
    assert_eq!((histogram.count(), histogram.sum()), (1, 2));
}

#[derive(Metric, Default)]
#[metric(on(Moved, with = Self::moved))]
struct Manual {
    #[dimension(manual, buckets = [1, 2, 3])]
    sizes: Histogram<u64>,
    #[dimension(manual, max_buckets = 4)]
    limited: Histogram<u64>,
}

impl Manual {
    fn moved(&mut self, event: &Moved) -> bool {
        self.sizes.record(event.bytes);
        self.limited.record(event.bytes);
        true
    }
}

#[test]
fn a_hand_written_handler_finds_the_buckets_in_place() {
    let mut metric = Manual::default();
    metric.handle(&moved(2, 1, 0.0));
    assert_eq!(counts(&dimensions(&metric)["sizes"]), [0, 1, 0, 0]);
    for bytes in 0..100 {
        metric.handle(&moved(bytes, 1, 0.0));
    }
    let buckets = metric.typed_snapshot().limited.buckets.exponential().cloned().unwrap();
    assert!(buckets.positive.counts.len() <= 4, "{buckets:?}");
}
