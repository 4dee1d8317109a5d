// Numbers only: under Miri they take minutes and show nothing.
#![cfg(not(miri))]

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Mutex;
use std::time::Duration;

use proptest::prelude::*;

use super::*;

/// Keeps a value for the life of the process. The list makes it reachable: the sanitizer reports what nothing refers to.
fn kept<T: Send + Sync + 'static>(value: T) -> &'static T {
    static KEPT: Mutex<Vec<&'static (dyn Any + Send + Sync)>> = Mutex::new(Vec::new());
    let value: &'static T = Box::leak(Box::new(value));
    KEPT.lock().unwrap().push(value);
    value
}

/// What a histogram must show, computed in the simplest way.
struct Expected<T> {
    values: Vec<T>,
}

impl<T: Measure + Debug> Expected<T> {
    fn sum(&self) -> T {
        self.values.iter().fold(T::default(), |sum, value| sum.plus(*value))
    }

    fn extreme(&self, is_better: impl Fn(T, T) -> bool) -> Option<T> {
        self.values.iter().copied().reduce(|best, value| if is_better(value, best) { value } else { best })
    }

    /// The indexes at a scale with their counts: of zero, of positive and of negative values.
    fn buckets(&self, scale: i32) -> (u64, BTreeMap<i32, u64>, BTreeMap<i32, u64>) {
        let shift = index::FINEST_SHIFT + u8::try_from(index::FINEST_SCALE - scale).unwrap();
        let bucket = |position: u64| index::bucket(u32::try_from(position >> shift).unwrap(), shift);
        let (mut zero, mut positive, mut negative) = (0, BTreeMap::new(), BTreeMap::new());
        for value in &self.values {
            match value.place() {
                Place::Zero => zero += 1,
                Place::Positive(position) => *positive.entry(bucket(position)).or_default() += 1,
                Place::Negative(position) => *negative.entry(bucket(position)).or_default() += 1,
            }
        }
        (zero, positive, negative)
    }

    /// The finest scale at which the buckets are not too many.
    fn scale(&self, max_buckets: usize) -> i32 {
        let span = |counts: &BTreeMap<i32, u64>| match (counts.keys().next(), counts.keys().last()) {
            (Some(first), Some(last)) => usize::try_from(last - first + 1).unwrap(),
            _ => 0,
        };
        let fits = |scale: &i32| {
            let (_, positive, negative) = self.buckets(*scale);
            span(&positive) + span(&negative) <= max_buckets
        };
        (index::COARSEST_SCALE..=index::FINEST_SCALE).rev().find(fits).unwrap()
    }
}

fn counts(range: &BucketRange) -> BTreeMap<i32, u64> {
    let counts = range.counts.iter().enumerate().filter(|(_, count)| **count > 0);
    counts.map(|(place, count)| (range.offset + i32::try_from(place).unwrap(), *count)).collect()
}

/// The bytes of a histogram with all it has allocated.
fn bytes<T>(histogram: &Histogram<T>) -> usize {
    let rest = histogram.rest.as_ref();
    let of_rest = |rest: &Rest<T>| {
        let seldom = if rest.seldom.is_some() { size_of::<Seldom<T>>() } else { 0 };
        size_of::<Rest<T>>() + size_of_val(&*rest.negative.counts) + seldom
    };
    size_of::<Histogram<T>>() + size_of_val(&*histogram.counts) + rest.map_or(0, |rest| of_rest(rest))
}

/// Records the values, and compares all that the histogram shows.
fn check<T: Measure + Debug>(values: Vec<T>, max_buckets: u16) {
    let mut histogram = Histogram::default();
    let mut invalid = 0;
    let mut expected = Expected { values: Vec::new() };
    for value in values {
        assert!(Record::record(&mut histogram.up_to(max_buckets), value));
        if value.is_finite() {
            expected.values.push(value);
        } else {
            invalid += 1;
        }
        let negative = histogram.rest.as_ref().map_or(0, |rest| rest.negative.counts.len());
        assert!(histogram.counts.len() + negative <= max_buckets.into(), "too much memory");
    }
    let read = histogram.read();
    assert_eq!(Dimension::invalid(&histogram), invalid);
    assert_eq!(read.count, expected.values.len() as u64);
    assert_eq!(histogram.count(), read.count);
    assert_eq!(read.sum, expected.sum());
    assert_eq!(read.min, expected.extreme(|new, old| new < old));
    assert_eq!(read.max, expected.extreme(|new, old| new > old));
    let buckets = read.buckets.exponential().unwrap();
    assert!(buckets.positive.counts.len() + buckets.negative.counts.len() <= max_buckets.into());
    assert_eq!(buckets.scale, expected.scale(max_buckets.into()));
    let (zero, positive, negative) = expected.buckets(buckets.scale);
    assert_eq!(
        (buckets.zero, counts(&buckets.positive), counts(&buckets.negative)),
        (zero, positive, negative)
    );
}

fn any_f64() -> impl Strategy<Value = f64> {
    let special = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        f64::MAX,
        f64::MIN,
        f64::MIN_POSITIVE,
        5e-324,
        -5e-324,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
    ];
    prop_oneof![3 => 0.001..50_f64, 1 => any::<f64>(), 1 => prop::sample::select(special.to_vec()), 1 => -3.0..3_f64]
}

fn any_i64() -> impl Strategy<Value = i64> {
    prop_oneof![3 => 0..10_000_i64, 1 => any::<i64>(), 1 => -50..50_i64, 1 => prop::sample::select(vec![i64::MIN, i64::MAX, 0])]
}

fn any_u64() -> impl Strategy<Value = u64> {
    prop_oneof![3 => 0..10_000_u64, 1 => any::<u64>(), 1 => prop::sample::select(vec![0, 1, 1 << 63, u64::MAX])]
}

fn any_duration() -> impl Strategy<Value = Duration> {
    prop_oneof![
        4 => (1_000..3_000_000_u64).prop_map(Duration::from_nanos),
        1 => any::<Duration>(),
        1 => prop::sample::select(vec![Duration::ZERO, Duration::from_nanos(1), Duration::MAX, Duration::from_secs(9_223_372_035)]),
    ]
}

fn max_buckets() -> impl Strategy<Value = u16> {
    prop_oneof![Just(160_u16), Just(4), Just(5), 4..40_u16, Just(1_024)]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn di4_any_numbers_are_counted_in_at_most_max_buckets_at_the_finest_scale(
        values in prop::collection::vec(any_f64(), 0..120), max in max_buckets()
    ) {
        check(values, max);
    }

    #[test]
    fn di4_any_signed_integers_are_counted(values in prop::collection::vec(any_i64(), 0..120), max in max_buckets()) {
        check(values, max);
    }

    #[test]
    fn di4_any_unsigned_integers_are_counted(values in prop::collection::vec(any_u64(), 0..120), max in max_buckets()) {
        check(values, max);
    }

    #[test]
    fn di4_any_durations_are_counted(values in prop::collection::vec(any_duration(), 0..120), max in max_buckets()) {
        check(values, max);
    }

    #[test]
    fn explicit_buckets_of_integers_are_found(bounds in prop::collection::btree_set(any_u64(), 1..40), values in prop::collection::vec(any_u64(), 1..60)) {
        let bounds: &'static [u64] = kept(bounds.into_iter().collect::<Vec<_>>());
        check_explicit(bounds, kept(guesses(bounds, 0).to_vec()), values);
    }

    #[test]
    fn explicit_buckets_of_signed_integers_are_found(bounds in prop::collection::btree_set(any_i64(), 1..40), values in prop::collection::vec(any_i64(), 1..60)) {
        let bounds: &'static [i64] = kept(bounds.into_iter().collect::<Vec<_>>());
        let negative = bounds.partition_point(|bound| *bound < 0);
        let keys: Vec<_> = bounds[negative..].iter().map(|bound| bound.unsigned_abs()).collect();
        check_explicit(bounds, kept(guesses(&keys, negative).to_vec()), values);
    }

    #[test]
    fn explicit_buckets_of_numbers_are_found(mut bounds in prop::collection::vec(-1e3..1e3_f64, 1..40), values in prop::collection::vec(any_f64(), 1..60)) {
        bounds.sort_by(f64::total_cmp);
        bounds.dedup();
        check_explicit(kept(bounds), &[], values);
    }
}

/// Compares the buckets with a linear search, for a field with these bounds and for a histogram that was made with them.
fn check_explicit<T: Measure + Debug>(bounds: &'static [T], guesses: &'static [Guess], values: Vec<T>) {
    let layout: &'static BucketLayout<T> = kept(BucketLayout::new(bounds, guesses));
    let other: &'static BucketLayout<T> = kept(BucketLayout::new(&bounds[..1], guesses));
    let (mut declared, mut made) = (Histogram::default(), Histogram::with_buckets(bounds));
    let mut expected = vec![0; bounds.len() + 1];
    for value in bounds.iter().copied().chain(values) {
        Record::record(&mut declared.within(layout), value);
        // The field's bounds do not replace those that the histogram was made with.
        Record::record(&mut made.within(other), value);
        if value.is_finite() {
            expected[bounds.iter().take_while(|bound| **bound < value).count()] += 1;
        }
    }
    for histogram in [&declared, &made] {
        let read = histogram.read();
        let buckets = read.buckets.explicit().unwrap();
        assert_eq!(buckets.iter().map(|bucket| bucket.count).collect::<Vec<_>>(), expected);
        assert!(buckets.iter().map_while(|bucket| bucket.upper_bound).eq(bounds.iter().copied()));
        assert_eq!(read.count, expected.iter().sum::<u64>());
    }
    assert_eq!(declared.read(), made.read());
}

fn times(values: &[u64]) -> Histogram<Duration> {
    let mut histogram = Histogram::default();
    for nanos in values {
        histogram.record(Duration::from_nanos(*nanos));
    }
    histogram
}

#[test]
fn di4_a_histogram_grows_from_72_bytes_and_64_for_its_first_buckets_to_1_4_kib() {
    assert_eq!(size_of::<Histogram<Duration>>(), 72);
    assert_eq!(bytes(&Histogram::<Duration>::default()), 72);
    assert_eq!(bytes(&times(&[200_000])), 72 + 64);
    // 160 buckets of equal width in the logarithm, at scale 4.
    let times_160 =
        (0..160).map(|index| Duration::from_secs_f64(1e-6 * 2_f64.powf((f64::from(index) + 0.5) / 16.0)));
    let mut full = Histogram::default();
    for time in times_160 {
        full.record(time);
    }
    assert_eq!(full.counts.len(), 160);
    assert_eq!(bytes(&full), 72 + 1_280);
    full.record(Duration::ZERO);
    assert!(bytes(&full) <= 1_433, "{} bytes", bytes(&full));
    let mut signed = Histogram::<f64>::default();
    for index in 0..20_000 {
        signed.record((f64::from(index) - 9_000.0).powi(9));
    }
    assert!(bytes(&signed) <= 1_433, "{} bytes", bytes(&signed));
}

#[test]
fn di4_zeros_subnormal_and_the_largest_numbers_are_counted() {
    let mut histogram = Histogram::<f64>::default();
    for value in [0.0, -0.0, 5e-324, f64::MIN_POSITIVE, f64::MAX, f64::MIN, -5e-324] {
        histogram.record(value);
    }
    let read = histogram.read();
    let buckets = read.buckets.exponential().unwrap();
    // Two powers of two to the 1,022 are 4 powers to the 512 in each direction: scale -5 has 64 buckets on each side.
    assert_eq!((read.count, buckets.zero, buckets.scale), (7, 2, -5));
    assert_eq!(buckets.positive.counts.iter().sum::<u64>(), 3);
    assert_eq!((buckets.positive.counts[0], buckets.negative.counts[0]), (2, 1));
    assert_eq!((read.min.known(), read.max.known()), (Some(f64::MIN), Some(f64::MAX)));
}

#[test]
fn numbers_that_are_not_finite_are_invalid_and_nothing_else() {
    let mut histogram = Histogram::<f64>::default();
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        histogram.record(value);
    }
    assert_eq!(Dimension::invalid(&histogram), 3);
    assert_eq!(histogram.read(), Histogram::default().read());
}

#[test]
fn a_duration_above_292_years_counts_with_its_sum_and_extremes() {
    let long = Duration::from_secs(1 << 40);
    let mut histogram = times(&[5, 1_000]);
    histogram.record(long);
    let read = histogram.read();
    assert_eq!((read.count, read.sum), (3, long + Duration::from_nanos(1_005)));
    assert_eq!((read.min.known(), read.max.known()), (Some(Duration::from_nanos(5)), Some(long)));
    histogram.record(Duration::MAX);
    assert_eq!((histogram.sum(), histogram.read().max.known()), (Duration::MAX, Some(Duration::MAX)));
    let mut only = Histogram::default();
    only.record(long);
    assert_eq!((only.read().min.known(), only.read().max.known()), (Some(long), Some(long)));
}

#[test]
fn a_factor_of_950_is_recorded_at_scale_4_and_one_of_900_000_at_scale_3() {
    let scale = |factor: f64| {
        let mut histogram = Histogram::<f64>::default();
        (0..5_000).for_each(|index| histogram.record(0.7 * factor.powf(f64::from(index) / 4_999.0)));
        histogram.read().buckets.exponential().unwrap().scale
    };
    assert_eq!((scale(950.0), scale(900_000.0)), (4, 3));
}

#[test]
fn the_values_of_a_label_that_an_event_has_not_had_are_read_in_the_declared_buckets() {
    const BOUNDS: &[u64] = &[10, 20];
    static LAYOUT: BucketLayout<u64> =
        BucketLayout::new(BOUNDS, const { &crate::dimension::BucketsOf::<u64>::guesses::<2>(BOUNDS) });
    let unused = Histogram::<u64>::default();
    assert_eq!(unused.read_within(&LAYOUT, true).buckets.explicit().map(<[_]>::len), Some(3));
    assert!(unused.read().buckets.exponential().is_some());
    // Values came before the declared buckets: the histogram keeps the buckets that it has.
    let mut used = Histogram::<u64>::default();
    used.record(7);
    Record::record(&mut used.within(&LAYOUT), 8_u64);
    assert_eq!(used.read_within(&LAYOUT, true).buckets.exponential().map(ExponentialBuckets::count), Some(2));
}
