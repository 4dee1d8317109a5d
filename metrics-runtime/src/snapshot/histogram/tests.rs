//! Exponential buckets beside plain lists of values.

// Numbers only: under Miri they take minutes and show nothing.
#![cfg(not(miri))]

use proptest::prelude::*;

use super::bounds::bound;
use super::{Bucket, BucketRange, Buckets, ExponentialBuckets, HistogramSnapshot};
use crate::snapshot::{Extreme, Merge, Number};

/// The index of the bucket of a value above zero at scale 8.
fn index_of(value: f64) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "an index has at most 20 bits")]
    let mut index = (value.log2() * 256.0).ceil() as i32 - 1;
    while bound(8, index.into()) >= value {
        index -= 1;
    }
    while bound(8, i64::from(index) + 1) < value {
        index += 1;
    }
    index
}

/// The number of buckets of these indexes, empty ones between them included.
fn span(indexes: &[i32], steps: u32) -> usize {
    let ends = indexes.iter().min().zip(indexes.iter().max());
    ends.map_or(0, |(first, last)| ((last >> steps) - (first >> steps)).unsigned_abs() as usize + 1)
}

fn range_of(indexes: &[i32], steps: u32) -> BucketRange {
    let Some(first) = indexes.iter().map(|index| index >> steps).min() else { return BucketRange::default() };
    let mut range = BucketRange { offset: first, counts: vec![0; span(indexes, steps)] };
    for index in indexes {
        range.counts[((index >> steps) - first).unsigned_abs() as usize] += 1;
    }
    range
}

/// What a recorder shows that has recorded these values in at most this many buckets.
fn within(max_buckets: usize, values: &[f64]) -> HistogramSnapshot<f64> {
    let indexes = |sign: f64| -> Vec<i32> {
        values.iter().map(|value| value * sign).filter(|value| *value > 0.0).map(index_of).collect()
    };
    let (above, below) = (indexes(1.0), indexes(-1.0));
    let fits = |steps: &u32| span(&above, *steps) + span(&below, *steps) <= max_buckets;
    let steps = (0..=18).find(fits).expect("six buckets suffice");
    HistogramSnapshot {
        count: values.len() as u64,
        sum: values.iter().sum::<f64>().clamp(f64::MIN, f64::MAX),
        min: values.iter().copied().reduce(f64::min).into(),
        max: values.iter().copied().reduce(f64::max).into(),
        buckets: Buckets::Exponential(ExponentialBuckets {
            scale: 8 - i32::try_from(steps).expect("at most 18"),
            zero: values.iter().filter(|value| **value == 0.0).count() as u64,
            positive: range_of(&above, steps),
            negative: range_of(&below, steps),
        }),
    }
}

fn of(values: &[f64]) -> HistogramSnapshot<f64> {
    within(160, values)
}

fn exponential<T>(histogram: &HistogramSnapshot<T>) -> &ExponentialBuckets {
    histogram.buckets.exponential().expect("the buckets are exponential")
}

fn merged(parts: &[&HistogramSnapshot<f64>]) -> HistogramSnapshot<f64> {
    let mut all = parts[0].clone();
    parts[1..].iter().for_each(|part| all.merge(part));
    all
}

/// All but the sum, which rounding changes.
fn is_same(one: &HistogramSnapshot<f64>, other: &HistogramSnapshot<f64>) -> bool {
    (one.count, one.min, one.max, &one.buckets) == (other.count, other.min, other.max, &other.buckets)
}

fn has_at_most(max_buckets: usize, histogram: &HistogramSnapshot<f64>) -> bool {
    let buckets = exponential(histogram);
    buckets.positive.counts.len() + buckets.negative.counts.len() <= max_buckets
}

/// Numbers of all sizes, zeros and the numbers at the ends among them.
fn any_value() -> impl Strategy<Value = f64> {
    let ends = [0.0, -0.0, f64::from_bits(1), -f64::from_bits(1), f64::MAX, f64::MIN, f64::MIN_POSITIVE, 1.0];
    prop_oneof![
        8 => (-30..30_i32, 1.0..2.0_f64).prop_map(|(exponent, fraction)| fraction * 2_f64.powi(exponent)),
        4 => 0.001..0.002_f64,
        2 => -2.0..2.0_f64,
        1 => proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL,
        1 => proptest::sample::select(ends.to_vec()),
    ]
}

fn any_values() -> impl Strategy<Value = Vec<f64>> {
    proptest::collection::vec(any_value(), 0..40)
}

proptest! {
    #[test]
    fn di3_merging_equals_recording_both(one in any_values(), other in any_values()) {
        let both = merged(&[&of(&one), &of(&other)]);
        let recorded = of(&[one.clone(), other.clone()].concat());
        prop_assert!(is_same(&both, &recorded), "{both:?}\n{recorded:?}");
        prop_assert!(has_at_most(160, &both));
    }

    #[test]
    fn di3_merging_equals_recording_both_up_to_the_scale_of_fewer_buckets(
        one in any_values(),
        other in any_values(),
        max_buckets in 6..160_usize,
    ) {
        let both = merged(&[&within(max_buckets, &one), &of(&other)]);
        let recorded = of(&[one, other].concat());
        let scale = exponential(&both).scale;
        prop_assert!(scale <= exponential(&recorded).scale);
        prop_assert_eq!(exponential(&both), &exponential(&recorded).downscaled(scale));
    }

    #[test]
    fn di3_the_order_of_merging_does_not_matter(
        [one, other, third] in [any_values(), any_values(), any_values()],
        max_buckets in 6..400_usize,
    ) {
        let (one, other, third) = (of(&one), within(max_buckets, &other), of(&third));
        let first = merged(&[&one, &other, &third]);
        prop_assert!(is_same(&first, &merged(&[&third, &other, &one])));
        prop_assert!(is_same(&first, &merged(&[&one, &merged(&[&other, &third])])));
    }

    #[test]
    fn an_interval_has_what_came_since(earlier in any_values(), added in any_values()) {
        let (earlier, added) = (of(&earlier), of(&added));
        let later = merged(&[&earlier, &added]);
        prop_assert!(!later.has_fallen_since(&earlier));
        prop_assert_eq!(added.count > 0, earlier.has_fallen_since(&later));
        let interval = later.since(&earlier);
        let buckets = exponential(&interval);
        prop_assert_eq!(buckets, &exponential(&added).downscaled(buckets.scale));
        prop_assert_eq!(interval.count, added.count);
        prop_assert_eq!(interval.check(), Ok(()));
    }

    #[test]
    fn raised_buckets_are_as_high_as_both(one in any_values(), other in any_values()) {
        let (one, other) = (of(&one), of(&other));
        let mut raised = one.clone();
        raised.raise_to(&other);
        prop_assert!(!raised.has_fallen_since(&one) && !raised.has_fallen_since(&other));
        prop_assert!(raised.count <= one.count + other.count);
        prop_assert!(has_at_most(160, &raised));
        prop_assert_eq!(raised.check(), Ok(()));
        let again = { let mut again = raised.clone(); again.raise_to(&one); again };
        prop_assert!(is_same(&again, &raised));
    }

    /// The totals of a single recorder are complete again after they were raised: a scale that rises is a reset for Prometheus.
    #[test]
    fn raising_keeps_the_buckets_of_a_recorder_with_more_than_160(values in any_values(), max_buckets in 160..1_024_usize) {
        let earlier = within(max_buckets, &values);
        let mut raised = of(&[]);
        raised.raise_to(&earlier);
        prop_assert!(is_same(&raised, &earlier));
    }

    #[test]
    fn di5_quantiles_of_exponential_buckets_are_monotone_and_between_the_extremes(
        values in proptest::collection::vec(any_value(), 1..40),
        mut quantiles in proptest::collection::vec(0.0..=1.0_f64, 2..20),
    ) {
        quantiles.extend([0.0, 1.0]);
        quantiles.sort_by(f64::total_cmp);
        let known = of(&values);
        let unknown = HistogramSnapshot { min: Extreme::Unknown, max: Extreme::Unknown, ..known.clone() };
        for histogram in [&known, &unknown] {
            let answers: Vec<f64> =
                quantiles.iter().map(|quantile| histogram.quantile(*quantile).expect("it has values")).collect();
            prop_assert!(answers.is_sorted(), "{answers:?}");
        }
        let ends = [0.0, 1.0].map(|end| known.quantile(end));
        prop_assert_eq!(ends, [known.min.known(), known.max.known()]);
    }

    #[test]
    fn di5_quantiles_of_exponential_buckets_are_within_the_stated_bound(
        (factor, error) in prop_oneof![Just((950.0, 0.022)), Just((900_000.0, 0.045))],
        least in 1e-9..1e9_f64,
        shares in proptest::collection::vec(0.0..=1.0_f64, 1..200),
        knows_extremes in any::<bool>(),
        sign in prop_oneof![Just(1.0), Just(-1.0)],
    ) {
        let mut values: Vec<f64> =
            shares.into_iter().map(|share: f64| sign * least * f64::powf(factor, share)).collect();
        values.sort_by(f64::total_cmp);
        let mut histogram = of(&values);
        if !knows_extremes {
            (histogram.min, histogram.max) = (Extreme::Unknown, Extreme::Unknown);
        }
        for (position, value) in values.iter().enumerate() {
            // In the middle of the ranks that the value has, so that rounding does not matter.
            #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
            let quantile = (position as f64 + 0.5) / values.len() as f64;
            let answer = histogram.quantile(quantile).expect("it has values");
            prop_assert!((answer / value - 1.0).abs() <= error, "{quantile}: {answer} for {value}");
        }
    }

    #[test]
    fn exponential_buckets_come_back(values in any_values()) {
        let histogram = of(&values);
        prop_assert_eq!(histogram.check(), Ok(()));
        let bytes = rmp_serde::to_vec_named(&histogram).expect("it is written");
        prop_assert_eq!(&rmp_serde::from_slice::<HistogramSnapshot<f64>>(&bytes).expect("it is read"), &histogram);
        let json = serde_json::to_string(&histogram).expect("it is written");
        let read: HistogramSnapshot<f64> = serde_json::from_str(&json).expect("it is read");
        prop_assert_eq!(&read.buckets, &histogram.buckets);
        let erased = HistogramSnapshot::<Number>::of(&histogram);
        prop_assert_eq!(exponential(&erased), exponential(&histogram));
    }

    #[test]
    fn the_bounds_of_buckets_contain_their_values(values in any_values()) {
        let histogram = of(&values);
        let buckets: Vec<_> = exponential(&histogram).iter().collect();
        prop_assert_eq!(buckets.iter().map(|bucket| bucket.count).sum::<u64>(), histogram.count);
        prop_assert!(buckets.windows(2).all(|pair| pair[0].upper_bound <= pair[1].lower_bound));
        for value in values {
            let inside = buckets.iter().filter(|bucket| {
                let (lower, upper) = (bucket.lower_bound, bucket.upper_bound);
                if value == 0.0 {
                    (lower, upper) == (0.0, 0.0)
                } else if value > 0.0 {
                    lower < value && value <= upper
                } else {
                    lower <= value && value < upper
                }
            });
            prop_assert_eq!(inside.count(), 1, "{:e}", value);
        }
    }

    /// Debug builds panic when an addition overflows.
    #[test]
    fn impossible_buckets_do_not_panic(
        scales in [any::<i32>(), any::<i32>()],
        offsets in [any::<i32>(), any::<i32>(), any::<i32>(), any::<i32>()],
        count in any::<u64>(),
        quantile in 0.0..=1.0_f64,
    ) {
        let histogram = |scale: i32, positive: i32, negative: i32| HistogramSnapshot::<f64> {
            count,
            sum: f64::MAX,
            min: Extreme::Unknown,
            max: Extreme::Unknown,
            buckets: Buckets::Exponential(ExponentialBuckets {
                scale,
                zero: count,
                positive: BucketRange { offset: positive, counts: vec![count; 3] },
                negative: BucketRange { offset: negative, counts: vec![0, count, count, 0] },
            }),
        };
        let one = histogram(scales[0], offsets[0], offsets[1]);
        let other = histogram(scales[1], offsets[2], offsets[3]);
        let both = merged(&[&one, &other]);
        prop_assert!(has_at_most(160, &both));
        for histogram in [&one, &other, &both, &both.since(&one), &one.since(&other)] {
            let answer = histogram.quantile(quantile);
            prop_assert!(answer.is_none_or(f64::is_finite));
            prop_assert!(exponential(histogram).iter().all(|bucket| bucket.lower_bound <= bucket.upper_bound));
            let _ = (histogram.check(), both.has_fallen_since(histogram));
        }
    }
}

#[test]
fn merging_stops_at_the_scale_that_fits() {
    let mut one = of(&[1.0]);
    // 160 buckets of scale 4 are ten octaves.
    one.merge(&of(&[1.001 * 2_f64.powi(-10)]));
    assert_eq!(exponential(&one).scale, 4);
    one.merge(&of(&[2_f64.powi(-10)]));
    assert_eq!(exponential(&one).scale, 3);
    assert_eq!(exponential(&of(&[f64::from_bits(1), f64::MAX, f64::MIN, -1.0])).scale, -5);
}

#[test]
fn explicit_and_exponential_buckets_keep_one_bucket() {
    let mut exponential = of(&[0.5, 3.0]);
    let explicit = HistogramSnapshot {
        count: 3,
        sum: 12.0,
        min: Extreme::Known(1.0),
        max: Extreme::Known(9.0),
        buckets: vec![Bucket { upper_bound: Some(2.0), count: 1 }, Bucket { upper_bound: None, count: 2 }]
            .into(),
    };
    let mut other = explicit.clone();
    other.merge(&exponential);
    exponential.merge(&explicit);
    assert_eq!(exponential, other);
    assert_eq!(other.buckets, Buckets::Explicit(vec![Bucket { upper_bound: None, count: 5 }]));
    assert_eq!((other.count, other.sum, other.max), (5, 15.5, Extreme::Known(9.0)));
    assert_eq!(other.check(), Ok(()));
    let interval = other.since(&of(&[0.5, 3.0]));
    assert_eq!((interval.count, interval.sum, interval.check()), (3, 12.0, Ok(())));
    assert!(!other.has_fallen_since(&explicit) && explicit.has_fallen_since(&other));
    let mut raised = explicit.clone();
    raised.raise_to(&of(&[0.5, 3.0, 5.0, 7.0]));
    assert_eq!(raised, explicit);
}

#[test]
fn di5_quantiles_answer_midpoints_and_zero() {
    let histogram = HistogramSnapshot::<f64> {
        count: 10,
        sum: 0.0,
        min: Extreme::Unknown,
        max: Extreme::Unknown,
        buckets: Buckets::Exponential(ExponentialBuckets {
            scale: -1,
            zero: 4,
            positive: BucketRange { offset: 1, counts: vec![0, 3, 0] },
            negative: BucketRange { offset: 0, counts: vec![1, 2] },
        }),
    };
    let answers = [0.0, 0.2, 0.21, 0.3, 0.31, 0.7, 0.71, 1.0].map(|quantile| histogram.quantile(quantile));
    assert_eq!(answers, [-8.0, -8.0, -2.0, -2.0, 0.0, 0.0, 32.0, 32.0].map(Some));
    let known =
        HistogramSnapshot { min: Extreme::Known(-5.0), max: Extreme::Known(17.0), ..histogram.clone() };
    let answers = [0.0, 0.2, 0.3, 0.5, 0.71, 1.0].map(|quantile| known.quantile(quantile));
    assert_eq!(answers, [-5.0, -5.0, -2.0, 0.0, 17.0, 17.0].map(Some));
    let one = HistogramSnapshot { max: Extreme::Known(20.0), ..histogram.clone() };
    assert_eq!([0.0, 1.0].map(|quantile| one.quantile(quantile)), [Some(-8.0), Some(20.0)]);
    assert_eq!([-0.1, 1.1, f64::NAN].map(|quantile| histogram.quantile(quantile)), [None; 3]);
    let wrong = |min, max| HistogramSnapshot {
        min: Extreme::Known(min),
        max: Extreme::Known(max),
        ..histogram.clone()
    };
    assert_eq!((wrong(9.0, 1.0).quantile(0.5), wrong(f64::NAN, 1.0).quantile(0.5)), (None, None));
    assert_eq!(of(&[]).quantile(0.5), None);
}

#[test]
fn json_of_impossible_buckets_is_refused() {
    use serde_json::{Value, json};

    type Case<'a> = (&'a dyn Fn(&mut Value), &'a str);

    fn refusal<T: crate::snapshot::Output + crate::number::Arithmetic>(histogram: &Value) -> String {
        let read = serde_json::from_value::<HistogramSnapshot<T>>(histogram.clone());
        read.expect_err("it is refused").to_string()
    }

    let histogram = json!({
        "count": 6, "sum": 1.5, "min": -1.0, "max": 3.0, "scale": 0, "zero": 2,
        "positive": {"offset": 1, "counts": [1]}, "negative": {"offset": -1, "counts": [2, 1, 0]},
    });
    let read: HistogramSnapshot<f64> = serde_json::from_value(histogram.clone()).expect("it is read");
    assert_eq!(serde_json::to_value(&read).expect("it is written"), histogram);
    let either = "a histogram has either `buckets`, or `scale`, `zero`, `positive` and `negative`";
    let nowhere = "a histogram has buckets in which no number is";
    let outside = "an extreme of a histogram does not lie in the bucket that has it";
    let cases: &[Case<'_>] = &[
        (&|h| h["scale"] = json!(21), "the scale of a histogram is between -10 and 20"),
        (&|h| h["scale"] = json!(-11), "the scale of a histogram is between -10 and 20"),
        (&|h| h["scale"] = json!(1_u64 << 40), "invalid value"),
        (&|h| h["scale"] = Value::Null, "invalid type: null"),
        (&|h| h["positive"]["offset"] = json!(1_024), nowhere),
        (&|h| h["positive"]["offset"] = json!(-1_076), nowhere),
        (&|h| h["negative"]["offset"] = json!(1_022), nowhere),
        (&|h| h["negative"]["offset"] = json!(i32::MAX), nowhere),
        (&|h| h["positive"]["counts"] = json!([2]), "the count of a histogram is the sum of its buckets"),
        (&|h| h["count"] = json!(7), "the count of a histogram is the sum of its buckets"),
        (&|h| h["positive"]["counts"] = json!([-1]), "invalid value"),
        (&|h| h["positive"]["counts"] = json!("1"), "expected the counts of buckets"),
        (&|h| h["positive"]["counts"] = json!(vec![0; 65_537]), "more than 65536 buckets"),
        (&|h| h["positive"]["lost"] = json!(1), "unknown field `lost`"),
        (&|h| h["lost"] = json!(1), "unknown field `lost`"),
        (&|h| h["buckets"] = json!([{"up_to": null, "count": 6}]), either),
        (&|h| h["max"] = json!(4.1), outside),
        (&|h| h["max"] = json!(1.9), outside),
        (&|h| h["min"] = json!(-2.1), outside),
        (&|h| h["min"] = json!(-0.9), outside),
        (&|h| h["min"] = Value::Null, "a minimum and a maximum exactly when it has values"),
        (&|h| h["min"] = json!(3.1), "the minimum of a histogram is above its maximum"),
    ];
    for (change, message) in cases {
        let mut changed = histogram.clone();
        change(&mut changed);
        let refusal = refusal::<f64>(&changed);
        assert!(refusal.contains(message), "{refusal}\nnot: {message}");
    }
    for field in ["scale", "zero", "positive", "negative"] {
        let mut changed = histogram.clone();
        changed.as_object_mut().expect("an object").remove(field);
        assert!(refusal::<f64>(&changed).contains(&format!("missing field `{field}`")), "{field}");
        let mut explicit = json!({"count": 0, "sum": 0.0, "min": null, "max": null, "buckets": []});
        explicit[field] = histogram[field].clone();
        assert!(refusal::<f64>(&explicit).contains(either), "{field}");
    }
    let none = json!({"count": 0, "sum": 0.0, "min": null, "max": null});
    assert!(refusal::<f64>(&none).contains("missing field `buckets`"));
    let mut below = histogram;
    (below["min"], below["max"], below["sum"]) = (json!("unknown"), json!("unknown"), json!(1));
    assert!(refusal::<u64>(&below).contains("never negative"));
    assert!(refusal::<std::time::Duration>(&below).contains("never negative"));
    // MessagePack says its lengths first: this one claims four thousand million counts.
    let mut bytes = rmp_serde::to_vec_named(&of(&[1.0])).expect("it is written");
    let counts =
        bytes.windows(7).rposition(|name| name == b"\xa6counts").expect("the counts of the negative range");
    bytes.truncate(counts + 7);
    bytes.extend(b"\xdd\xff\xff\xff\xff");
    assert!(rmp_serde::from_slice::<HistogramSnapshot<f64>>(&bytes).is_err());
}

#[test]
fn counts_that_are_too_large_saturate() {
    let mut histogram = of(&[1.0, 3.0, -2.0, 0.0]);
    let Buckets::Exponential(buckets) = &mut histogram.buckets else { panic!("the buckets are exponential") };
    for count in buckets.positive.counts.iter_mut().chain(&mut buckets.negative.counts) {
        *count = u64::MAX;
    }
    histogram.count = u64::MAX;
    let both = merged(&[&histogram, &histogram, &of(&[1e-9])]);
    assert_eq!((both.count, both.check()), (u64::MAX, Ok(())));
    assert_eq!(both.quantile(1.0), Some(3.0));
    assert!(both.quantile(0.5).is_some());
}

#[test]
fn erased_histograms_of_other_forms_do_not_merge() {
    use crate::descriptor::{DimensionDescriptor, DimensionKind};
    use crate::snapshot::{DimensionValue, merge_values};

    let declared = DimensionDescriptor::new("sizes", DimensionKind::Histogram);
    let erased =
        |histogram: &HistogramSnapshot<f64>| DimensionValue::Histogram(HistogramSnapshot::of(histogram));
    let explicit = HistogramSnapshot {
        count: 1,
        buckets: vec![Bucket { upper_bound: None, count: 1 }].into(),
        ..of(&[1.0])
    };
    let mut value = erased(&of(&[1.0]));
    assert!(!merge_values(&declared, &mut value, &erased(&explicit)));
    assert_eq!(value, erased(&of(&[1.0])));
    assert!(merge_values(&declared, &mut value, &erased(&within(6, &[1e9, -1e9, 3.0]))));
    assert_eq!(value, erased(&merged(&[&of(&[1.0]), &within(6, &[1e9, -1e9, 3.0])])));
}
