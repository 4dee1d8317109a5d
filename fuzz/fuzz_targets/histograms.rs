//! Histograms count whatever values they are given, in bounded buckets. Merging two of them equals recording the values of both
//! in one, and reading changes no written snapshot. Their quantiles lie beside the exact ones.
//!
//! An input is a list of values, each for one of two metrics.

#![no_main]

use std::fmt::Debug;
use std::time::Duration;

use libfuzzer_sys::{Corpus, fuzz_target};
use mvx_metrics::{
    Buckets, ExponentialBuckets, HandleEvent, Histogram, HistogramSnapshot, Merge, Metric, Number,
    TypedMetric, metric_event,
};

#[metric_event]
#[derive(Debug, Clone, Copy)]
struct Value {
    count: u64,
    delta: i64,
    elapsed: Duration,
    ratio: f64,
}

#[derive(Metric, Default)]
#[metric(on(Value))]
struct Values {
    #[dimension(value = count)]
    count: Histogram<u64>,
    #[dimension(value = delta)]
    delta: Histogram<i64>,
    #[dimension(value = elapsed)]
    elapsed: Histogram<Duration>,
    #[dimension(value = ratio)]
    ratio: Histogram<f64>,
    #[dimension(value = ratio, max_buckets = 4)]
    coarse: Histogram<f64>,
    #[dimension(value = ratio, buckets = [-1, 0, 0.5, 1e9])]
    bounded: Histogram<f64>,
}

const SHARES: [f64; 9] = [0.0, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 0.999_999, 1.0];

fuzz_target!(|input: &[u8]| -> Corpus {
    let (mut values, mut metrics) = ([vec![], vec![]], [Values::default(), Values::default()]);
    let mut both = Values::default();
    for (is_second, value) in input.chunks_exact(9).map(value) {
        let index = usize::from(is_second);
        metrics[index].handle(&value);
        both.handle(&value);
        values[index].push(value);
    }
    if values.iter().all(Vec::is_empty) {
        return Corpus::Reject;
    }
    let [first, second] = metrics.map(|metric| metric.typed_snapshot());
    let both = both.typed_snapshot();
    let mut merged = first.clone();
    merged.merge(&second);
    // A histogram, its dimension in every snapshot, how many buckets it may have, and the numbers recorded in it.
    macro_rules! check {
        ($name:ident, $max_buckets:expr, $number:expr) => {{
            let number: fn(&Value) -> Option<f64> = $number;
            let mut numbers: [Vec<f64>; 2] =
                [0, 1].map(|index| values[index].iter().filter_map(number).collect::<Vec<f64>>());
            for (snapshot, numbers) in [&first, &second].into_iter().zip(&mut numbers) {
                check(stringify!($name), &snapshot.$name, $max_buckets, numbers);
            }
            let mut numbers = numbers.concat();
            check(stringify!($name), &both.$name, $max_buckets, &mut numbers);
            check(stringify!($name), &merged.$name, 160, &mut numbers);
            check_merge(&first.$name, &second.$name, &merged.$name, &both.$name);
        }};
    }
    check!(count, 160, |value| Some(value.count as f64));
    check!(delta, 160, |value| Some(value.delta as f64));
    check!(elapsed, 160, |value| Some(value.elapsed.as_secs_f64()));
    check!(ratio, 160, |value| Some(value.ratio).filter(|ratio| ratio.is_finite()));
    check!(coarse, 4, |value| Some(value.ratio).filter(|ratio| ratio.is_finite()));
    check!(bounded, 160, |value| Some(value.ratio).filter(|ratio| ratio.is_finite()));
    for snapshot in [&first, &second, &both, &merged, &both.since(&first)] {
        let written = serde_json::to_string(snapshot).expect("it is written");
        let read: ValuesSnapshot =
            serde_json::from_str(&written).unwrap_or_else(|error| panic!("{error}: {written}"));
        assert_eq!(read, *snapshot, "{written}");
        let bytes = rmp_serde::to_vec_named(snapshot).expect("it is written as MessagePack");
        assert_eq!(rmp_serde::from_slice::<ValuesSnapshot>(&bytes).expect("it is read"), *snapshot);
    }
    Corpus::Keep
});

/// The value of nine bytes, and whether it is for the second metric.
fn value(bytes: &[u8]) -> (bool, Value) {
    let (kind, bits) = (bytes[0], u64::from_le_bytes(bytes[1..].try_into().expect("eight bytes")));
    let count = bits >> (kind & 0x3F);
    let value = match kind & 0x40 {
        0 => Value {
            count,
            delta: bits.cast_signed() >> (kind & 0x3F),
            elapsed: Duration::new(count >> 10, (bits & 0x1FFF_FFFF) as u32),
            ratio: f64::from_bits(bits),
        },
        _ => Value {
            count,
            delta: -(count as u16 as i64),
            elapsed: Duration::from_nanos(count),
            ratio: (bits as u16 as f64 - 1_000.0) / 1_024.0,
        },
    };
    (kind & 0x80 != 0, value)
}

fn check<T: Copy + Into<Number> + Debug + PartialOrd>(
    name: &str,
    histogram: &HistogramSnapshot<T>,
    max_buckets: usize,
    numbers: &mut [f64],
) {
    numbers.sort_by(f64::total_cmp);
    assert_eq!(histogram.count, numbers.len() as u64, "{name}: {histogram:?}");
    assert_eq!(histogram.buckets.count(), histogram.count, "{name}: {histogram:?}");
    let number = |value: T| value.into().as_f64();
    assert_eq!(histogram.min.known().map(number), numbers.first().copied(), "{name}: {histogram:?}");
    assert_eq!(histogram.max.known().map(number), numbers.last().copied(), "{name}: {histogram:?}");
    let error = histogram.buckets.exponential().map(|buckets| {
        let len = buckets.positive.counts.len() + buckets.negative.counts.len();
        assert!(len <= max_buckets, "{name}: {len} buckets");
        assert!((-10..=8).contains(&buckets.scale), "{name}: scale {}", buckets.scale);
        largest_error(buckets.scale)
    });
    let mut last = f64::NEG_INFINITY;
    for share in SHARES {
        let Some(answer) = histogram.quantile(share) else {
            assert_eq!(histogram.count, 0, "{name}: no quantile {share} of {histogram:?}");
            continue;
        };
        assert!(answer >= last, "{name}: quantile {share} is {answer:e} after {last:e} of {histogram:?}");
        last = answer;
        let rank = (share * numbers.len() as f64).ceil() as usize;
        let exact = numbers[rank.max(1) - 1];
        let Some(error) = error else { continue };
        // A subnormal number counts as the smallest normal one.
        let [exact_size, size] = [exact, answer].map(|number| number.abs().max(f64::MIN_POSITIVE));
        let is_near = (exact_size / size).max(size / exact_size) <= error * (1.0 + 1e-9);
        let is_beside = exact == answer || is_near && exact.signum() == answer.signum();
        assert!(is_beside, "{name}: quantile {share} is {answer:e} in place of {exact:e} of {histogram:?}");
    }
    if histogram.count > 0 {
        assert_eq!(Some(last), histogram.max.known().map(number), "{name}: the last quantile is the maximum");
    }
}

/// How far the geometric middle of a bucket is from its ends.
fn largest_error(scale: i32) -> f64 {
    2_f64.powi(-scale).exp2().sqrt()
}

fn check_merge<T: Copy + Into<Number> + Debug + PartialEq>(
    first: &HistogramSnapshot<T>,
    second: &HistogramSnapshot<T>,
    merged: &HistogramSnapshot<T>,
    both: &HistogramSnapshot<T>,
) {
    match (&merged.buckets, &both.buckets) {
        (Buckets::Exponential(merged), Buckets::Exponential(both)) => {
            // Merging may use more buckets than the histograms were recorded with, but is as fine as both parts.
            let scale = merged.scale.min(both.scale);
            assert_eq!(filled(merged, scale), filled(both, scale), "{first:?} and {second:?}");
        }
        (merged, both) => assert_eq!(merged, both, "{first:?} and {second:?}"),
    }
}

/// The buckets with values, of both signs.
fn filled(buckets: &ExponentialBuckets, scale: i32) -> (u64, Vec<(i64, u64)>, Vec<(i64, u64)>) {
    let buckets = buckets.downscaled(scale);
    let filled = |range: &mvx_metrics::BucketRange| {
        let counts = (i64::from(range.offset)..).zip(range.counts.iter().copied());
        counts.filter(|(_, count)| *count > 0).collect()
    };
    (buckets.zero, filled(&buckets.positive), filled(&buckets.negative))
}
