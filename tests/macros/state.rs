//! Snapshots as data: they come back from JSON and `MessagePack`, they merge, and an interval is the difference of two.
//! Covers ST1, ST2, ST3, ST4, ST5, ST6, ST7, ST11, ST13.

// Much data and no `unsafe` code of its own: Miri would take many minutes.
#![cfg(not(miri))]

mod bad_input;
mod by_metric;
mod metrics;
mod zeros;

use std::marker::PhantomData;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mvx_metrics::{
    Breakdown, Counter, DimensionValue, Extreme, Gauge, HandleEvent, Histogram, Merge, MergeError, Metric,
    MetricSnapshot, MetricSnapshots, MetricsRecorder, MetricsRuntime, Sum, TypedMetric,
};
use mvx_metrics_tests::running_runtime;
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use metrics::{Done, Everything, EverythingSnapshot, Levels, Outcome, done, events};

fn fed<M: Default + HandleEvent<Done>>(events: &[Done]) -> M {
    let mut metric = M::default();
    for event in events {
        metric.handle(event);
    }
    metric
}

fn typed<M: Default + HandleEvent<Done> + TypedMetric>(events: &[Done]) -> M::Snapshot {
    fed::<M>(events).typed_snapshot()
}

static RUNTIME: LazyLock<MetricsRuntime> = LazyLock::new(|| running_runtime("state"));

fn new_recorder() -> MetricsRecorder {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let id = format!("recorder-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    RUNTIME.create_recorder(&id).expect("a fresh id")
}

/// The snapshot that a recorder takes of the metric, so with its declaration and its times.
fn recorded<M: Metric>(metric: M) -> MetricSnapshot {
    let recorder = new_recorder();
    recorder.register_metric(metric).expect("it runs");
    let snapshots = recorder.metric_snapshots().expect("it can be read");
    RUNTIME.stop_and_remove_recorder(recorder.entity_id()).expect("it stops");
    snapshots.into_iter().next().expect("it has one metric")
}

fn erased<M: Default + HandleEvent<Done> + Metric>(events: &[Done]) -> MetricSnapshot {
    recorded(fed::<M>(events))
}

fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).expect("it is written")
}

fn assert_comes_back<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(snapshot: &T) {
    let text = serde_json::to_string(snapshot).expect("it is written");
    let read: T = serde_json::from_str(&text).expect("it is read");
    assert_eq!(read, *snapshot, "{text}");
    assert_eq!(serde_json::to_string(&read).expect("it is written"), text);
    let bytes = rmp_serde::to_vec_named(snapshot).expect("it is written");
    assert_eq!(rmp_serde::from_slice::<T>(&bytes).expect("it is read"), *snapshot, "{text}");
}

/// Erased snapshots that were read have no declaration; they serialise as before.
fn assert_comes_back_erased(snapshot: &MetricSnapshot) {
    let snapshots: MetricSnapshots = [snapshot.clone()].into_iter().collect();
    let text = serde_json::to_string(&snapshots).expect("it is written");
    let read: MetricSnapshots = serde_json::from_str(&text).expect("it is read");
    assert_eq!(serde_json::to_string(&read).expect("it is written"), text);
    let bytes = rmp_serde::to_vec_named(&snapshots).expect("it is written");
    let read: MetricSnapshots = rmp_serde::from_slice(&bytes).expect("it is read");
    assert_eq!(serde_json::to_string(&read).expect("it is written"), text);
}

/// Both forms of two snapshots merged, which agree.
fn merged<S: Merge + Clone + Serialize>(
    (typed, erased): &(S, MetricSnapshot),
    (other_typed, other_erased): &(S, MetricSnapshot),
) -> (S, MetricSnapshot) {
    let (mut typed, mut erased) = (typed.clone(), erased.clone());
    typed.merge(other_typed);
    erased.merge(other_erased).expect("they have one declaration");
    assert_agree(&typed, &erased);
    (typed, erased)
}

fn assert_agree(typed: &impl Serialize, erased: &MetricSnapshot) {
    // A snapshot knows its declaration, and so the units of its dimensions.
    let mut shown = json(erased)["dimensions"].take();
    if erased.invalid != 0 {
        shown["invalid"] = erased.invalid.into();
    }
    assert_eq!(shown, json(typed));
}

fn both<M>(events: &[Done]) -> (M::Snapshot, MetricSnapshot)
where
    M: Default + HandleEvent<Done> + TypedMetric,
{
    (typed::<M>(events), erased::<M>(events))
}

/// A recorder with one metric, which is read in both forms.
struct Recorded<M> {
    recorder: MetricsRecorder,
    metric: PhantomData<M>,
}

impl<M: Default + TypedMetric> Recorded<M> {
    fn new() -> Self {
        let recorder = new_recorder();
        recorder.register_metric(M::default()).expect("it runs");
        Self { recorder, metric: PhantomData }
    }

    /// The snapshots once the recorder has got these events too.
    fn after(&self, events: &[Done]) -> (M::Snapshot, MetricSnapshot) {
        for event in events {
            self.recorder.emit(event.clone());
        }
        let typed = self.recorder.metric_snapshot::<M>().expect("it can be read").expect("it is registered");
        let erased = self.recorder.metric_snapshots().expect("it can be read");
        (typed, erased.into_iter().next().expect("it has one metric"))
    }
}

impl<M> Drop for Recorded<M> {
    fn drop(&mut self) {
        RUNTIME.stop_and_remove_recorder(self.recorder.entity_id()).expect("it stops");
    }
}

/// Replaces each unknown extreme by that of the other value: all else must be equal.
fn with_extremes_of(value: &mut Value, known: &Value) {
    match (value, known) {
        (value @ Value::String(_), known) if *value == "unknown" => *value = known.clone(),
        (Value::Object(values), Value::Object(known)) => {
            for (name, value) in values {
                with_extremes_of(value, known.get(name).unwrap_or(&Value::Null));
            }
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn st1_snapshots_come_back_from_json_and_messagepack(events in events()) {
        assert_comes_back(&typed::<Everything>(&events));
        assert_comes_back(&typed::<Levels>(&events));
        assert_comes_back_erased(&erased::<Everything>(&events));
        assert_comes_back_erased(&erased::<Levels>(&events));
    }

    #[test]
    fn st1_every_float_and_duration_comes_back_exactly(
        ratio in any::<f64>().prop_filter("finite", |ratio| ratio.is_finite()),
        seconds in any::<u64>(),
        shift in 0..64_u32,
        nanos in 0..1_000_000_000_u32,
        event in done(),
    ) {
        let elapsed = Duration::new(seconds >> shift, nanos);
        let event = Done { elapsed, ratio, ..event };
        let snapshot = typed::<Everything>(std::slice::from_ref(&event));
        prop_assert_eq!((snapshot.ratio, snapshot.elapsed), (ratio, elapsed));
        assert_comes_back(&snapshot);
        assert_comes_back_erased(&erased::<Levels>(&[event]));
    }

    #[test]
    fn st2_two_merged_metrics_equal_one_that_got_both_streams(one in events(), other in events()) {
        let streams = [one.clone(), other.clone()].concat();
        let (typed, erased) = merged(&both::<Everything>(&one), &both::<Everything>(&other));
        let (all_typed, all_erased) = both::<Everything>(&streams);
        prop_assert_eq!(typed, all_typed);
        prop_assert_eq!(erased, all_erased);
    }

    #[test]
    fn st2_gauges_merge_by_their_rule(one in events(), other in events()) {
        let (typed, _) = merged(&both::<Levels>(&one), &both::<Levels>(&other));
        let (one, other) = (self::typed::<Levels>(&one), self::typed::<Levels>(&other));
        let combined = |left: Option<i64>, right: Option<i64>, rule: fn(i64, i64) -> i64| match (left, right) {
            (Some(left), Some(right)) => Some(rule(left, right)),
            (left, right) => left.or(right),
        };
        prop_assert_eq!(typed.added, combined(one.added, other.added, |left, right| left + right));
        let least = one.least.into_iter().chain(other.least).reduce(f64::min);
        prop_assert_eq!(typed.least, least);
        prop_assert_eq!(typed.most, one.most.max(other.most));
        prop_assert_eq!(typed.kept, one.kept, "a type without a rule keeps the first value");
        for outcome in [Outcome::Success, Outcome::Failure, Outcome::Timeout] {
            let (left, right) = (one.most_by.get(outcome), other.most_by.get(outcome));
            let most = combined(left.copied().flatten(), right.copied().flatten(), i64::max);
            prop_assert_eq!(typed.most_by.get(outcome).copied().flatten(), most);
        }
    }

    #[test]
    fn st3_merging_is_associative_and_commutative(one in events(), two in events(), three in events()) {
        let [one, two, three] = [one, two, three].map(|events| both::<Everything>(&events));
        let left = merged(&merged(&one, &two), &three);
        let right = merged(&one, &merged(&two, &three));
        prop_assert_eq!(&left.0, &right.0);
        prop_assert_eq!(&left.1, &right.1);
        let (forth, back) = (merged(&one, &two), merged(&two, &one));
        prop_assert_eq!(&forth.0, &back.0);
        prop_assert_eq!(&forth.1, &back.1);
    }

    #[test]
    fn st3_merging_a_default_changes_nothing(events in events()) {
        let (snapshot, none) = (both::<Everything>(&events), both::<Everything>(&[]));
        for merged in [merged(&snapshot, &none), merged(&none, &snapshot)] {
            prop_assert_eq!(&merged.0, &snapshot.0);
            prop_assert_eq!(&merged.1, &snapshot.1);
        }
    }

    #[test]
    fn st4_the_earlier_snapshot_merged_with_the_interval_is_the_later_one(before in events(), after in events()) {
        let recorder = Recorded::<Everything>::new();
        let (earlier, earlier_erased) = recorder.after(&before);
        let (later, later_erased) = recorder.after(&after);
        prop_assert!(!later.restarted_since(&earlier));
        prop_assert_eq!(later_erased.restarted_since(&earlier_erased), Ok(false));
        let interval = later.since(&earlier);
        let interval_erased = later_erased.since(&earlier_erased).expect("one declaration");
        assert_agree(&interval, &interval_erased);
        assert_comes_back(&interval);
        assert_comes_back_erased(&interval_erased);
        let (again, _) = merged(&(earlier, earlier_erased), &(interval, interval_erased));
        let (mut again, known) = (json(&again), json(&later));
        with_extremes_of(&mut again, &known);
        prop_assert_eq!(again, known);
    }

    #[test]
    fn st4_levels_of_an_interval_are_the_later_ones(before in events(), after in events()) {
        let all = [before.clone(), after].concat();
        let (earlier, later) = (typed::<Levels>(&before), typed::<Levels>(&all));
        prop_assert_eq!(later.since(&earlier).added, later.added);
        prop_assert_eq!(later.since(&earlier).most_by, later.most_by);
    }
}

#[test]
fn st3_an_unknown_extreme_stays_unknown() {
    let events = |count: u64| -> Vec<Done> { (1..=count).map(sample).collect() };
    let recorder = Recorded::<Everything>::new();
    let (earlier, later) = (recorder.after(&events(2)), recorder.after(&events(3)));
    let interval = (later.0.since(&earlier.0), later.1.since(&earlier.1).unwrap());
    assert_eq!(interval.0.least, Extreme::Unknown);
    assert_eq!((interval.0.latency.min, interval.0.latency.max), (Extreme::Unknown, Extreme::Unknown));
    assert_eq!(interval.0.latency.count, 3);
    assert!(interval.0.latency.quantile(0.5).is_some(), "the buckets alone answer it");
    for merged in [merged(&interval, &earlier), merged(&earlier, &interval), merged(&interval, &interval)] {
        assert_eq!(merged.0.least, Extreme::Unknown);
        assert_eq!(merged.0.latency.max, Extreme::Unknown);
        assert_eq!(merged.1.get("least"), Some(&DimensionValue::Unknown));
    }
}

/// Events that differ in a number.
fn sample(number: u64) -> Done {
    Done {
        outcome: Outcome::Failure,
        host: format!("host-{number}"),
        code: 7,
        cached: true,
        count: number,
        delta: 3,
        elapsed: Duration::from_millis(number),
        ratio: 0.25,
        opened: 2,
        closed: 1,
    }
}

#[test]
fn st5_after_a_restart_the_interval_counts_from_zero() {
    let recorder = Recorded::<Everything>::new();
    let (earlier, earlier_erased) = recorder.after(&[sample(1)]);
    // The replaced metric is gone, and the new one counts more than it did.
    recorder.recorder.register_metric(Everything::default()).unwrap();
    let (later, later_erased) = recorder.after(&[sample(1), sample(2)]);
    assert!(later.counting_since() > earlier.counting_since(), "{:?}", later.counting_since());
    assert!(later.taken_at() >= later.counting_since());
    assert!(later.restarted_since(&earlier));
    assert_eq!(later.since(&earlier), later);
    assert_eq!(later_erased.restarted_since(&earlier_erased), Ok(true));
    assert_eq!(later_erased.since(&earlier_erased), Ok(later_erased));
}

#[test]
fn st5_a_count_that_fell_tells_of_a_restart_without_times() {
    let snapshot =
        |numbers: &[u64]| typed::<Everything>(&numbers.iter().copied().map(sample).collect::<Vec<_>>());
    let later = snapshot(&[2]);
    assert_eq!((later.taken_at(), later.counting_since()), (None, None));
    assert!(later.restarted_since(&snapshot(&[1, 2])), "fewer events");
    assert!(later.restarted_since(&snapshot(&[1])), "a label is gone");
    assert!(!later.restarted_since(&snapshot(&[])));
    assert_eq!(later.since(&snapshot(&[1, 2])), later);
    // As many values in all, and fewer in one bucket: the metric began anew.
    let sizes = |counts: [u64; 3]| {
        let values = std::iter::zip([1, 10, 1_000], counts);
        let mut metric = Sizes::default();
        for (count, times) in values {
            for _ in 0..times {
                metric.handle(&Done { count, ..sample(1) });
            }
        }
        metric.typed_snapshot()
    };
    let (earlier, later) = (sizes([3, 0, 0]), sizes([1, 4, 0]));
    assert!(later.restarted_since(&earlier));
    assert_eq!(later.since(&earlier), later);
    assert!(!sizes([3, 4, 0]).restarted_since(&earlier));
}

#[derive(Metric, Default)]
#[metric(on(Done))]
struct Sizes {
    #[dimension(value = count, buckets = [1, 100])]
    sizes: Histogram<u64>,
}

#[test]
fn st5_equality_does_not_look_at_times() {
    let recorder = Recorded::<Everything>::new();
    let (one, one_erased) = recorder.after(&[sample(1)]);
    let (two, two_erased) = recorder.after(&[]);
    assert!(one.taken_at() < two.taken_at());
    assert_eq!(one.counting_since(), two.counting_since());
    assert_eq!((&one, &one_erased), (&two, &two_erased));
    assert_eq!(one, typed::<Everything>(&[sample(1)]), "a snapshot without times");
    assert_eq!(serde_json::to_string(&one).unwrap(), serde_json::to_string(&two).unwrap());
}

#[test]
fn st6_two_readers_take_intervals_at_their_own_pace() {
    let recorder = Recorded::<Everything>::new();
    let start = recorder.after(&[]).0;
    let (mut often, mut seldom) = (vec![start.clone()], vec![start.clone()]);
    for number in 1..=12 {
        let now = recorder.after(&[sample(number)]).0;
        if number % 4 == 0 {
            seldom.push(now.clone());
        }
        often.push(now);
    }
    let intervals = |snapshots: &[EverythingSnapshot]| -> Vec<u64> {
        snapshots.windows(2).map(|pair| pair[1].since(&pair[0]).count).collect()
    };
    assert_eq!(intervals(&often), (1..=12).collect::<Vec<_>>());
    assert_eq!(intervals(&seldom), [1 + 2 + 3 + 4, 5 + 6 + 7 + 8, 9 + 10 + 11 + 12]);
    assert_eq!(often.last(), seldom.last());
}

/// Metrics of one name that are declared in different ways, each with its first event.
macro_rules! declared {
    ($($(#[$doc:meta])* $metric:ident { $($(#[$option:meta])* $field:ident: $ty:ty,)* })*) => {
        $(
            #[derive(Metric, Default)]
            #[metric(name = "declared", on(Done))]
            struct $metric {
                $($(#[$option])* $field: $ty,)*
            }
        )*
    };
}

declared! {
    Declared {
        total: Counter,
        #[dimension(by = code, limit = 5, value = count, unit = "things", buckets = [1, 2])]
        things: Breakdown<i16, Histogram<u64>>,
        #[dimension(set = ratio)]
        level: Gauge<f64>,
    }
    OtherName {
        totals: Counter,
        #[dimension(by = code, limit = 5, value = count, unit = "things", buckets = [1, 2])]
        things: Breakdown<i16, Histogram<u64>>,
        #[dimension(set = ratio)]
        level: Gauge<f64>,
    }
    OtherKind {
        #[dimension(value = count)]
        total: Sum<u64>,
        #[dimension(by = code, limit = 5, value = count, unit = "things", buckets = [1, 2])]
        things: Breakdown<i16, Histogram<u64>>,
        #[dimension(set = ratio)]
        level: Gauge<f64>,
    }
    OtherNumber {
        total: Counter,
        #[dimension(by = code, limit = 5, value = delta, unit = "things", buckets = [1, 2])]
        things: Breakdown<i16, Histogram<i64>>,
        #[dimension(set = ratio)]
        level: Gauge<f64>,
    }
    OtherUnit {
        total: Counter,
        #[dimension(by = code, limit = 5, value = count, unit = "bytes", buckets = [1, 2])]
        things: Breakdown<i16, Histogram<u64>>,
        #[dimension(set = ratio)]
        level: Gauge<f64>,
    }
    OtherLabels {
        total: Counter,
        #[dimension(by = host, limit = 5, value = count, unit = "things", buckets = [1, 2])]
        things: Breakdown<String, Histogram<u64>>,
        #[dimension(set = ratio)]
        level: Gauge<f64>,
    }
    OtherBuckets {
        total: Counter,
        #[dimension(by = code, limit = 5, value = count, unit = "things", buckets = [1, 3])]
        things: Breakdown<i16, Histogram<u64>>,
        #[dimension(set = ratio)]
        level: Gauge<f64>,
    }
    OtherRule {
        total: Counter,
        #[dimension(by = code, limit = 5, value = count, unit = "things", buckets = [1, 2])]
        things: Breakdown<i16, Histogram<u64>>,
        #[dimension(set = ratio, merge = max)]
        level: Gauge<f64>,
    }
    Added {
        total: Counter,
        #[dimension(by = code, limit = 5, value = count, unit = "things", buckets = [1, 2])]
        things: Breakdown<i16, Histogram<u64>>,
        #[dimension(set = ratio)]
        level: Gauge<f64>,
        another: Counter,
    }
    OtherOrder {
        total: Counter,
        #[dimension(set = ratio)]
        level: Gauge<f64>,
        #[dimension(by = code, limit = 5, value = count, unit = "things", buckets = [1, 2])]
        things: Breakdown<i16, Histogram<u64>>,
    }
    /// The limit of labels, a description and a dimension that no rule merges do not matter.
    SameMeaning {
        /// All of them.
        total: Counter,
        #[dimension(by = code, limit = 9, value = count, unit = "things", buckets = [1, 2])]
        things: Breakdown<i16, Histogram<u64>>,
        #[dimension(set = ratio)]
        level: Gauge<f64>,
        #[dimension(value = elapsed)]
        longest: metrics::Longest,
    }
}

/// Asserts that nothing merges, that no interval is taken, and that nothing changes; returns the error.
fn refusal(snapshot: &MetricSnapshot, other: &MetricSnapshot) -> MergeError {
    let mut merged = snapshot.clone();
    let error = merged.merge(other).unwrap_err();
    assert_eq!(&merged, snapshot);
    assert_eq!(merged.counting_since(), snapshot.counting_since());
    assert_eq!(snapshot.since(other).as_ref(), Err(&error));
    assert_eq!(snapshot.restarted_since(other).as_ref(), Err(&error));
    assert_eq!(error.reason(), "MERGE_ERROR");
    error
}

#[test]
fn st7_snapshots_of_other_declarations_do_not_merge() {
    fn of<M: Default + HandleEvent<Done> + Metric>() -> MetricSnapshot {
        erased::<M>(&[sample(1)])
    }
    let snapshot = of::<Declared>();
    let others = [
        (of::<OtherName>(), "only one of them has the dimension `total`"),
        (of::<OtherKind>(), "the kinds of `total` differ"),
        (of::<OtherNumber>(), "the types of numbers of `things` differ"),
        (of::<OtherUnit>(), "the units of `things` differ"),
        (of::<OtherLabels>(), "the labels of `things` differ"),
        (of::<OtherBuckets>(), "the buckets of `things` differ"),
        (of::<OtherRule>(), "the merge rules of `level` differ"),
        (of::<Added>(), "only one of them has the dimension `another`"),
        (of::<OtherOrder>(), "the dimensions stand in another order"),
    ];
    for (other, difference) in others {
        let error = refusal(&snapshot, &other);
        assert_eq!(error.to_string(), format!("`declared` is declared in another way: {difference}"));
        refusal(&other, &snapshot);
    }
    let mut same = snapshot.clone();
    same.merge(&of::<SameMeaning>()).unwrap();
    assert_eq!(same.get("total").and_then(DimensionValue::as_u64), Some(2));
}

#[test]
fn st7_snapshots_of_other_metrics_or_without_a_declaration_do_not_merge() {
    let snapshot = erased::<Declared>(&[sample(1)]);
    let error = refusal(&snapshot, &erased::<Levels>(&[]));
    assert_eq!(error.to_string(), "`levels` does not merge into `declared`: it is another metric");
    let undeclared = fed::<Declared>(&[]).snapshot();
    for (left, right) in [(&snapshot, &undeclared), (&undeclared, &snapshot), (&undeclared, &undeclared)] {
        let error = refusal(left, right);
        assert!(error.to_string().contains("its declaration is not known"), "{error}");
    }
}

#[test]
fn st7_values_of_another_form_do_not_merge() {
    let snapshot = erased::<Declared>(&[sample(1)]);
    for (name, value) in [
        ("total", DimensionValue::from("many".to_owned())),
        ("total", DimensionValue::Signed(1)),
        ("things", DimensionValue::Unsigned(1)),
        ("level", DimensionValue::Unsigned(1)),
    ] {
        let mut other = snapshot.clone();
        let values = snapshot
            .dimensions
            .iter()
            .map(|(own, old)| (own.to_owned().into(), if own == name { value.clone() } else { old.clone() }));
        other.dimensions = values.collect();
        let mut merged = snapshot.clone();
        let error = merged.merge(&other).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("a value of `{name}` of `declared` does not have the declared form")
        );
        assert_eq!(merged, snapshot);
    }
}

#[test]
fn st7_a_merge_takes_what_only_the_other_snapshot_has() {
    let snapshot = erased::<Declared>(&[sample(1)]);
    // A snapshot that panicked has no values.
    let mut failed = snapshot.clone();
    failed.dimensions = mvx_metrics::Dimensions::default();
    failed.merge(&snapshot).unwrap();
    assert_eq!(failed, snapshot);
    // A program with fewer dimensions of users' own sent one that lacks a value.
    let mut fewer = snapshot.clone();
    fewer.dimensions = snapshot
        .dimensions
        .iter()
        .filter(|(name, _)| *name != "things")
        .map(|(name, value)| (name.to_owned().into(), value.clone()))
        .collect();
    fewer.merge(&snapshot).unwrap();
    assert_eq!(fewer.get("things"), snapshot.get("things"));
    let names: Vec<&str> = fewer.dimensions.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["total", "things", "level"]);
}

#[test]
fn the_option_merge_changes_only_gauges_and_types_of_the_users_own() {
    type Hits = Counter;

    #[derive(Metric, Default)]
    #[metric(on(Done))]
    struct Aliased {
        #[dimension(merge = max)]
        hits: Hits,
    }

    let snapshots = (typed::<Aliased>(&[sample(1)]), erased::<Aliased>(&[sample(1)]));
    let (typed, erased) = merged(&snapshots, &snapshots);
    assert_eq!((typed.hits, erased.get("hits").and_then(DimensionValue::as_u64)), (2, Some(2)));
}

/// A type of the user's own of another kind, with the option `merge`.
#[derive(Default)]
struct Highest(u64);

impl mvx_metrics::Dimension for Highest {
    type Output = u64;
    const KIND: mvx_metrics::DimensionKind = mvx_metrics::DimensionKind::Counter;

    fn read(&self) -> u64 {
        self.0
    }

    fn value(highest: u64) -> DimensionValue {
        highest.into()
    }
}

impl mvx_metrics::feed::Record<u64> for Highest {
    fn record(&mut self, value: u64) -> bool {
        self.0 = self.0.max(value);
        true
    }
}

#[test]
fn st2_a_type_of_the_users_own_merges_by_its_option_whatever_its_kind() {
    #[derive(Metric, Default)]
    #[metric(on(Done))]
    struct Highs {
        #[dimension(value = count, merge = max)]
        highest: Highest,
        #[dimension(value = count, merge = max)]
        marks: Marks,
    }

    let (three, seven) = (both::<Highs>(&[sample(3)]), both::<Highs>(&[sample(7)]));
    let (typed, erased) = merged(&three, &seven);
    assert_eq!(typed.marks, MarksOutput { first: Some(7), last: 7 });
    assert_eq!((typed.highest, erased.get("highest").and_then(DimensionValue::as_u64)), (7, Some(7)));
    assert_agree(&three.0.since(&seven.0), &three.1.since(&seven.1).unwrap());
}

/// A type of the user's own that is shown as a map.
#[derive(Default)]
struct Marks(MarksOutput);

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct MarksOutput {
    first: Option<u64>,
    last: u64,
}

impl mvx_metrics::Output for MarksOutput {}

impl mvx_metrics::Dimension for Marks {
    type Output = MarksOutput;
    const KIND: mvx_metrics::DimensionKind = mvx_metrics::DimensionKind::Custom;

    fn read(&self) -> MarksOutput {
        self.0.clone()
    }

    fn value(marks: MarksOutput) -> DimensionValue {
        DimensionValue::map([("first", marks.first.into()), ("last", marks.last.into())])
    }
}

impl mvx_metrics::feed::Record<u64> for Marks {
    fn record(&mut self, value: u64) -> bool {
        self.0 = MarksOutput { first: self.0.first.or(Some(value)), last: value };
        true
    }
}
