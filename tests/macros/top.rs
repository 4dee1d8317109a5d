//! `Top` keeps the largest labels of any stream. Each count has the error that it states, also once merged and read back.

// Much data and no `unsafe` code of its own: Miri would take many minutes.
#![cfg(not(miri))]

use std::collections::HashMap;
use std::time::Duration;

use mvx_metrics::{
    Breakdown, Counter, Dimension, DimensionKind, DimensionValue, HandleEvent, Label, Merge, MergeRule,
    Metric, MetricSnapshot, MetricSnapshots, Scope, Sum, Top, TopSnapshot, Totals, TypedMetric, metric_event,
};
use mvx_metrics_tests::running_runtime;
use proptest::prelude::*;
use serde::Serialize;
use serde_json::{Value, json};

/// A label with a weight.
type Item = (u16, u64);

/// Streams that are easy, hard and hostile for a summary that keeps this many labels.
fn streams(keep: u16) -> impl Strategy<Value = Vec<Item>> {
    let skewed = prop::collection::vec((0.0..1.0_f64, 1..4_u64), 0..600).prop_map(|items| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 300")]
        let label = |share: f64| 300_f64.powf(share) as u16;
        items.into_iter().map(|(share, weight)| (label(share), weight)).collect()
    });
    let uniform = prop::collection::vec((0..60_u16, 0..1_000_u64), 0..600);
    let each_once = (0..500_u16).prop_map(|count| (0..count).map(|label| (label, 1)).collect());
    // One label more than there is room for: each event replaces the label that comes next.
    let rotating = (1..3 * keep, 0..600_usize)
        .prop_map(|(labels, count)| (0..labels).cycle().take(count).map(|label| (label, 1)).collect());
    // The only large label hides behind many small ones, at the end or in between.
    let hidden = (1..20_usize, 0..600_u16).prop_map(|(distance, count)| {
        let items = (0..count).map(|label| (label + 1, 1));
        let items = items.enumerate().flat_map(|(index, small)| {
            let large = index.is_multiple_of(distance).then_some((0, 1));
            [Some(small), large].into_iter().flatten()
        });
        items.collect()
    });
    let overflowing = prop::collection::vec((0..9_u16, any::<u64>()), 0..40);
    prop_oneof![skewed, uniform, each_once, rotating, hidden, overflowing]
}

fn summary(items: &[Item], keep: u16) -> TopSnapshot<u16, u64> {
    let mut top = Top::<u16, Sum<u64>>::default();
    for (label, weight) in items {
        let is_counted = top.update_within(*label, usize::from(keep), |sum| {
            sum.record(*weight);
            true
        });
        assert_eq!(is_counted, *weight > 0);
    }
    top.read()
}

/// Asserts all that `Top` promises about a stream.
fn assert_kept(top: &TopSnapshot<u16, u64>, streams: &[&[Item]], keep: u16) {
    let mut exact: HashMap<u16, u128> = HashMap::new();
    for (label, weight) in streams.iter().copied().flatten() {
        *exact.entry(*label).or_default() += u128::from(*weight);
    }
    exact.retain(|_, count| *count > 0);
    let (keep, whole) = (u128::from(keep), exact.values().sum::<u128>());
    // Sums saturate, so the largest number stands for all above it.
    let fits = whole <= u128::from(u64::MAX);
    assert!(top.len() as u128 <= keep, "{top:?}");
    for (label, count) in &exact {
        let shown = u64::try_from(*count).unwrap_or(u64::MAX);
        let Some(entry) = top.get(*label) else {
            assert!(shown <= top.unseen(), "{label} is not kept: {count} in {top:?}");
            assert!(
                !fits || *count * keep <= whole,
                "{label} has {count} of {whole} and is not kept: {top:?}"
            );
            continue;
        };
        assert!(entry.at_least() <= shown && shown <= entry.value, "{label} has {count}: {top:?}");
        assert!(!fits || u128::from(entry.error) * keep <= whole, "{label}: {top:?}");
    }
    assert!(top.iter().all(|entry| exact.contains_key(&entry.labels[0].parse().expect("a number"))));
    assert!(top.iter().is_sorted_by(|one, next| one.value >= next.value), "{top:?}");
    if exact.len() as u128 <= keep {
        assert!(top.unseen() == 0 && top.len() == exact.len(), "few labels are exact: {top:?}");
    }
}

fn read_back(top: &TopSnapshot<u16, u64>) -> TopSnapshot<u16, u64> {
    let text = serde_json::to_string(top).expect("it is written");
    let read = serde_json::from_str(&text).expect("it is read");
    assert_eq!(&read, top, "{text}");
    let bytes = rmp_serde::to_vec_named(top).expect("it is written");
    assert_eq!(&rmp_serde::from_slice::<TopSnapshot<u16, u64>>(&bytes).expect("it is read"), top);
    read
}

fn keep_and_stream() -> impl Strategy<Value = (u16, Vec<Item>)> {
    (1..40_u16).prop_flat_map(|keep| (Just(keep), streams(keep)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn di8_each_large_label_is_kept_with_the_stated_error((keep, stream) in keep_and_stream()) {
        assert_kept(&summary(&stream, keep), &[&stream], keep);
    }

    #[test]
    fn di8_the_same_holds_after_a_round_trip_and_for_what_is_merged_after_it(
        (keep, one) in keep_and_stream(),
        (other_keep, other) in keep_and_stream(),
        (third_keep, third) in keep_and_stream(),
    ) {
        let summaries = [summary(&one, keep), summary(&other, other_keep), summary(&third, third_keep)];
        // A summary that has had no event does not know how many labels it keeps.
        let smallest = |summaries: &[TopSnapshot<u16, u64>]| {
            let kept = summaries.iter().map(TopSnapshot::keep).filter(|keep| *keep > 0);
            kept.min().map_or(1, |keep| u16::try_from(keep).expect("it is small"))
        };
        let mut merged = read_back(&summaries[0]);
        merged.merge(&read_back(&summaries[1]));
        assert_kept(&merged, &[&one, &other], smallest(&summaries[..2]));
        let mut merged = read_back(&merged);
        merged.merge(&summaries[2]);
        assert_kept(&read_back(&merged), &[&one, &other, &third], smallest(&summaries));
    }

    #[test]
    fn di8_merging_is_commutative((keep, one) in keep_and_stream(), (other_keep, other) in keep_and_stream()) {
        let (one, other) = (summary(&one, keep), summary(&other, other_keep));
        let (mut forth, mut back) = (one.clone(), other.clone());
        forth.merge(&other);
        back.merge(&one);
        prop_assert_eq!(forth, back);
    }
}

#[metric_event]
#[derive(Debug, Clone)]
struct Seen {
    label: u16,
    weight: u64,
}

const KEEP: u16 = 5;

#[derive(Metric, Default)]
#[metric(on(Seen))]
struct Labels {
    #[dimension(by = label, keep = KEEP as usize, value = weight)]
    largest: Top<u16, Sum<u64>>,
}

fn labels(items: &[Item]) -> Labels {
    let mut metric = Labels::default();
    for (label, weight) in items {
        metric.handle(&Seen { label: *label, weight: *weight });
    }
    metric
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn di8_totals_over_recorders_keep_the_promise_also_for_removed_ones(
        parts in prop::collection::vec(streams(KEEP), 1..5),
        removed in 0..5_usize,
    ) {
        let runtime = running_runtime("largest");
        for (index, items) in parts.iter().enumerate() {
            let id = index.to_string();
            let recorder = runtime.create_recorder(&id).expect("the id is free");
            recorder.register_metric(labels(items)).expect("it runs");
            if index == removed {
                runtime.stop_and_remove_recorder(&id).expect("it stops");
            }
        }
        let totals = runtime.totals(Scope::Rollup).expect("they can be read");
        runtime.shutdown().expect("it ends");
        let all: Vec<&[Item]> = parts.iter().map(Vec::as_slice).collect();
        let largest = |totals: &Totals| totals.get::<Labels>("largest").expect("it has the metric").largest;
        assert_kept(&largest(&totals), &all, KEEP);
        let text = serde_json::to_string(&totals).expect("they are written");
        let mut read: Totals = serde_json::from_str(&text).expect("they are read");
        prop_assert_eq!(&read, &totals);
        read.merge(&totals).expect("one declaration");
        assert_kept(&largest(&read), &[all.clone(), all].concat(), KEEP);
    }

    #[test]
    fn di8_snapshots_without_types_merge_as_those_with_types_do(one in streams(KEEP), other in streams(KEEP)) {
        let (one, other) = (labels(&one), labels(&other));
        let mut typed = one.typed_snapshot();
        typed.merge(&other.typed_snapshot());
        let mut erased = recorded(one);
        erased.merge(&recorded(other)).expect("one declaration");
        prop_assert_eq!(to_json(&erased.dimensions), to_json(&typed));
    }
}

#[test]
fn di8_shards_count_long_labels_and_the_label_other_together() {
    let of = |label: &str| {
        let mut top = Top::<String, Counter>::default();
        top.update_within(label, 3, |counter| {
            counter.increment();
            true
        });
        top
    };
    let (mut top, mut shard) = (of("other"), of(&"g".repeat(300)));
    top.absorb_shard(&mut shard);
    let entries: Vec<_> = top.read().iter().map(|entry| (entry.labels[0].to_string(), entry.value)).collect();
    assert_eq!(entries, [("other".to_owned(), 2)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn di8_each_large_label_is_kept_also_by_shards_that_are_absorbed(
        (keep, stream) in keep_and_stream(),
        places in prop::collection::vec((0..5_usize, 0..40_u8), 600),
    ) {
        let mut parts: [Top<u16, Sum<u64>>; 5] = std::array::from_fn(|_| Top::default());
        for ((label, weight), (place, absorb)) in stream.iter().zip(places.into_iter().cycle()) {
            parts[place].update_within(*label, usize::from(keep), |sum| {
                sum.record(*weight);
                true
            });
            // The first part is the metric's own.
            if absorb == 0 && place > 0 {
                let mut shard = std::mem::take(&mut parts[place]);
                parts[0].absorb_shard(&mut shard);
                read_back(&parts[0].read());
            }
        }
        let [mut top, shards @ ..] = parts;
        for mut shard in shards {
            top.absorb_shard(&mut shard);
        }
        assert_kept(&read_back(&top.read()), &[&stream], keep);
    }
}

fn to_json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).expect("it is written")
}

/// The snapshot that a recorder takes of the metric, so with its declaration.
fn recorded(metric: impl Metric) -> MetricSnapshot {
    let runtime = running_runtime("recorded");
    let recorder = runtime.create_recorder("one").expect("the id is free");
    recorder.register_metric(metric).expect("it runs");
    let snapshots = recorder.metric_snapshots().expect("it can be read");
    runtime.shutdown().expect("it ends");
    snapshots.into_iter().next().expect("it has one metric")
}

#[derive(Label, Debug, Clone, Copy)]
enum Size {
    Small,
    Other,
}

#[metric_event]
#[derive(Clone)]
struct Sent {
    host: Option<String>,
    size: Size,
    secure: bool,
    bytes: u32,
    elapsed: Duration,
}

fn sent(host: &str, bytes: u32) -> Sent {
    let elapsed = Duration::from_millis(u64::from(bytes));
    Sent { host: Some(host.to_owned()), size: Size::Other, secure: true, bytes, elapsed }
}

type Heaviest = Top<String, Sum<u64>>;

#[derive(Metric, Default)]
#[metric(on(Sent))]
struct Traffic {
    /// The busiest hosts.
    #[dimension(by = host, keep = 2)]
    busiest: Top<String, Counter>,
    #[dimension(by(host, secure), keep = 3, value = elapsed)]
    slowest: Top<(String, bool), Sum<Duration>>,
    #[dimension(on(Sent, by = host, keep = 2, value = bytes, when = |e| e.bytes > 1), unit = bytes)]
    heaviest: Heaviest,
    #[dimension(by = size, keep = 5, add = bytes)]
    by_size: Top<Size, Counter>,
}

#[test]
fn a_top_describes_itself() {
    let descriptor = Traffic::default().descriptor();
    let shown: Vec<_> = (descriptor.dimensions.iter())
        .map(|dimension| (&*dimension.name, dimension.kind, dimension.keep, dimension.limit))
        .collect();
    let top = |name, keep| (name, DimensionKind::Top, Some(keep), None);
    assert_eq!(shown, [top("busiest", 2), top("slowest", 3), top("heaviest", 2), top("by_size", 5)]);
    let slowest = &descriptor.dimensions[1];
    assert_eq!((slowest.unit.as_deref(), slowest.merge), (Some("seconds"), Some(MergeRule::Sum)));
    assert_eq!(*slowest.labels, ["host", "secure"]);
    assert_eq!(descriptor.dimensions[2].unit.as_deref(), Some("bytes"));
}

#[test]
fn a_top_shows_how_many_labels_it_keeps_before_the_first_event() {
    let traffic = Traffic::default();
    let empty = json!({"keep": 2, "unseen": 0, "entries": []});
    assert_eq!(to_json(&traffic.typed_snapshot())["busiest"], empty);
    assert_eq!(to_json(&traffic.snapshot())["dimensions"]["heaviest"], empty);
    assert_eq!(traffic.typed_snapshot().slowest.unseen(), Duration::ZERO);
}

#[test]
fn the_smallest_label_makes_room_for_a_new_one() {
    let mut traffic = Traffic::default();
    for (host, bytes) in [("a", 5), ("b", 1), ("a", 6), ("c", 9)] {
        assert!(traffic.handle(&sent(host, bytes)));
    }
    let snapshot = traffic.typed_snapshot();
    assert_eq!(
        to_json(&snapshot.busiest),
        json!({"keep": 2, "unseen": 1, "entries": [
            {"labels": ["a"], "value": 2, "error": 0},
            {"labels": ["c"], "value": 2, "error": 1},
        ]})
    );
    assert_eq!(snapshot.heaviest.get("a").map(|entry| (entry.value, entry.error)), Some((11, 0)));
    assert_eq!(snapshot.heaviest.get("b"), None, "`when` has ignored it");
    assert_eq!(snapshot.heaviest.get(None::<&str>), None);
    let slowest = snapshot.slowest.get(("c", true)).expect("it is kept");
    assert_eq!((slowest.value, slowest.error), (Duration::from_millis(9), Duration::ZERO));
    let text = to_json(&snapshot.slowest);
    assert_eq!(text["entries"][0], json!({"labels": ["a", "true"], "value": 0.011, "error": 0.0}));
    assert_eq!(snapshot.by_size.get(Size::Other).map(|entry| entry.value), Some(21));
    assert_eq!(snapshot.by_size.get(Size::Small), None);
}

#[test]
fn an_event_without_a_label_or_with_nothing_to_add_changes_nothing() {
    let mut traffic = Traffic::default();
    traffic.handle(&Sent { host: None, bytes: 0, elapsed: Duration::ZERO, ..sent("a", 1) });
    let snapshot = traffic.typed_snapshot();
    assert!(snapshot.busiest.is_empty() && snapshot.slowest.is_empty() && snapshot.by_size.is_empty());
    let mut top = Top::<String, Sum<u64>>::default();
    assert!(!top.update_within("a", 1, |_| false), "`update` did nothing");
    assert!(!top.update_within("a", 1, |sum| {
        sum.record(3);
        false
    }));
    assert_eq!(top.read(), TopSnapshot::default());
}

#[test]
fn labels_with_more_than_256_bytes_are_counted_under_other() {
    let mut traffic = Traffic::default();
    let (long, longer, longest_kept) = ("x".repeat(257), "y".repeat(300_000), "z".repeat(256));
    for host in [&long, &longer, "other", &longest_kept] {
        traffic.handle(&sent(host, 4));
    }
    let snapshot = traffic.typed_snapshot();
    assert_eq!(snapshot.busiest.get("other").map(|entry| (entry.value, entry.error)), Some((3, 0)));
    assert_eq!(snapshot.busiest.get(&longest_kept).map(|entry| entry.value), Some(1));
    assert_eq!(snapshot.busiest.get(&long), None);
    let slowest: Vec<_> = snapshot.slowest.iter().map(|entry| entry.labels.join(" ")).collect();
    assert_eq!(slowest, ["other other", "other true", &format!("{longest_kept} true")]);
    let text = serde_json::to_string(&snapshot).unwrap();
    assert_eq!(serde_json::from_str::<TrafficSnapshot>(&text).unwrap(), snapshot);
    assert!(text.len() < 2_000, "long labels take no memory");
    // `other` makes room for others as any label does, and may come again.
    for host in ["a", "a", "a", "b", "b", "b", "b", "b", &long] {
        traffic.handle(&sent(host, 4));
    }
    let busiest = traffic.typed_snapshot().busiest;
    let shown: Vec<_> = busiest.iter().map(|entry| (&*entry.labels[0], entry.value, entry.error)).collect();
    assert_eq!(shown, [("b", 8, 3), ("other", 5, 4)]);
}

#[test]
fn more_labels_are_kept_once_a_caller_asks_for_more() {
    let mut top = Top::<u16, Counter>::default();
    let mut add = |label: u16, keep: usize| {
        top.update_within(label, keep, |counter| {
            counter.increment();
            true
        });
        top.read()
    };
    assert_eq!(add(1, 0).keep(), 1);
    assert_eq!(add(2, 1).unseen(), 1);
    let grown = add(3, 2);
    assert_eq!((grown.len(), grown.keep()), (2, 2));
    assert_eq!(grown.get(3).map(|entry| (entry.value, entry.error)), Some((2, 1)), "it may have been there");
    assert_eq!(add(3, 1).keep(), 2);
    assert_eq!(add(4, usize::MAX).keep(), 65_536);
}

#[test]
fn an_interval_shows_the_later_labels() {
    let recorded_after = |hosts: &[&str]| {
        let mut traffic = Traffic::default();
        for host in hosts {
            traffic.handle(&sent(host, 2));
        }
        (traffic.typed_snapshot(), recorded(traffic))
    };
    let (earlier, earlier_erased) = recorded_after(&["a", "a", "b"]);
    let (later, later_erased) = recorded_after(&["a", "a", "b", "c", "c", "c"]);
    assert!(!later.restarted_since(&earlier), "a label that is gone tells of no restart");
    assert_eq!(later.since(&earlier).busiest, later.busiest);
    let interval = later_erased.since(&earlier_erased).unwrap();
    assert_eq!(interval.get("busiest"), later_erased.get("busiest"));
}

#[test]
fn an_empty_top_of_unknown_size_merges_as_nothing() {
    let mut top = Heaviest::default();
    top.update_within("a", 3, |sum| {
        sum.record(7);
        true
    });
    let (some, none) = (top.read(), Heaviest::default().read());
    assert_eq!(none.keep(), 0);
    for (mut into, from) in [(some.clone(), &none), (none.clone(), &some)] {
        into.merge(from);
        assert_eq!(into, some);
    }
}

#[test]
fn a_smaller_keep_holds_for_both() {
    let (few, many) = (summary(&[(1, 5), (2, 4)], 2), summary(&[(1, 1), (2, 1), (3, 9)], 8));
    let mut both = many;
    both.merge(&few);
    let shown: Vec<_> = both.iter().map(|entry| (&*entry.labels[0], entry.value, entry.error)).collect();
    assert_eq!((both.keep(), shown), (2, vec![("3", 9, 0), ("1", 6, 0)]));
    assert_eq!(both.unseen(), 5, "the label 2 had 5, and was cut off");
}

fn refused(change: impl FnOnce(&mut Value)) -> String {
    let mut traffic = Traffic::default();
    for host in ["a", "b", "c"] {
        traffic.handle(&sent(host, 3));
    }
    let mut snapshot = to_json(&traffic.typed_snapshot());
    assert!(serde_json::from_value::<TrafficSnapshot>(snapshot.clone()).is_ok());
    change(&mut snapshot["busiest"]);
    serde_json::from_value::<TrafficSnapshot>(snapshot).unwrap_err().to_string()
}

#[test]
fn a_hostile_snapshot_is_refused() {
    let twice = refused(|busiest| busiest["entries"][1]["labels"] = busiest["entries"][0]["labels"].clone());
    assert_eq!(twice, "`busiest`: the label `c` stands twice");
    let many = refused(|busiest| {
        let entry = json!({"labels": ["d"], "value": 2, "error": 0});
        busiest["entries"].as_array_mut().unwrap().push(entry);
    });
    assert_eq!(many, "`busiest`: there are 3 labels, and `keep` is 2");
    let error = |error: u64| refused(move |busiest| busiest["entries"][0]["error"] = error.into());
    assert_eq!(error(9), "`busiest`: the label `c` has an error above its value");
    assert_eq!(error(2), "`busiest`: the label `c` has an error above `unseen`");
    let unseen = refused(|busiest| busiest["unseen"] = 9.into());
    assert_eq!(unseen, "`busiest`: the label `c` has a value below `unseen`");
    let keep = refused(|busiest| busiest["keep"] = 65_537.into());
    assert_eq!(keep, "`busiest`: `keep` is above 65536");
    let lost = refused(|busiest| *busiest = json!({"keep": 0, "unseen": 5, "entries": []}));
    assert_eq!(lost, "`busiest`: `keep` is 0, so `unseen` must be 0");
    for labels in [json!([]), json!(["a", "b"])] {
        let parts = refused(move |busiest| busiest["entries"][0]["labels"] = labels);
        assert!(parts.starts_with("`busiest`: there is no label"), "{parts}");
    }
    let long = refused(|busiest| busiest["entries"][0]["labels"] = json!(["x".repeat(257)]));
    assert!(long.starts_with("`busiest`: there is no label `xxx"), "{long}");
    let negative = refused(|busiest| busiest["unseen"] = (-1).into());
    assert!(negative.starts_with("`busiest`: invalid value"), "{negative}");
    let unknown = refused(|busiest| busiest["sum"] = 3.into());
    assert!(unknown.starts_with("`busiest`: unknown field `sum`"), "{unknown}");
    let missing = refused(|busiest| {
        busiest.as_object_mut().unwrap().remove("keep");
    });
    assert_eq!(missing, "`busiest`: missing field `keep`");
    assert!(refused(|busiest| *busiest = json!({"a": 1})).starts_with("`busiest`: "));
    assert!(refused(|busiest| *busiest = json!(null)).starts_with("`busiest`: "));
}

#[test]
fn hostile_totals_are_refused() {
    let runtime = running_runtime("hostile");
    let recorder = runtime.create_recorder("one").unwrap();
    recorder.metric::<Traffic>().unwrap();
    for host in ["a", "b", "c"] {
        recorder.emit(sent(host, 3));
    }
    let totals = serde_json::to_string(&runtime.totals(Scope::Rollup).unwrap()).unwrap();
    runtime.shutdown().unwrap();
    assert!(serde_json::from_str::<Totals>(&totals).is_ok());
    let refusal = |from: &str, to: &str| {
        assert!(totals.contains(from), "{from} in {totals}");
        serde_json::from_str::<Totals>(&totals.replacen(from, to, 1)).unwrap_err().to_string()
    };
    let twice = refusal(r#"{"labels":["b"],"#, r#"{"labels":["c"],"#);
    assert!(twice.contains("`busiest` of the metric `traffic` does not fit: the label `c` stands twice"));
    let parts = refusal(r#"{"labels":["a","true"],"#, r#"{"labels":["a"],"#);
    assert!(
        parts.contains("`slowest` of the metric `traffic` does not fit: there is no label `a`"),
        "{parts}"
    );
    let number = refusal(r#""value":0.003"#, r#""value":-1"#);
    assert!(number.contains("`slowest` of the metric `traffic` does not fit: "), "{number}");
}

#[test]
fn a_snapshot_without_a_declaration_keeps_its_text() {
    let mut traffic = Traffic::default();
    traffic.handle(&sent("a", 3));
    let snapshots: MetricSnapshots = [traffic.snapshot()].into_iter().collect();
    let text = serde_json::to_string(&snapshots).unwrap();
    let read: MetricSnapshots = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), text);
    let Some(DimensionValue::Top(busiest)) = traffic.snapshot().get("busiest").cloned() else {
        panic!("no top");
    };
    assert_eq!(busiest.iter().map(|entry| entry.labels.join("")).collect::<Vec<_>>(), ["a"]);
}

#[test]
fn a_top_and_a_breakdown_of_the_same_labels_agree_while_there_are_few() {
    #[derive(Metric, Default)]
    #[metric(on(Sent))]
    struct Both {
        #[dimension(by = host, limit = 9, value = bytes)]
        all: Breakdown<String, Sum<u64>>,
        #[dimension(by = host, keep = 9, value = bytes)]
        largest: Top<String, Sum<u64>>,
    }

    let mut both = Both::default();
    for number in 0..100_u32 {
        both.handle(&sent(&format!("host-{}", number % 9), number + 1));
    }
    let BothSnapshot { all, largest, .. } = both.typed_snapshot();
    assert_eq!(all.len(), largest.len());
    for (labels, bytes) in &all {
        let entry = largest.get(&*labels[0]).expect("it is kept");
        assert_eq!((entry.value, entry.error), (*bytes, 0));
    }
}
