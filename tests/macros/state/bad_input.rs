//! Snapshots from other versions, truncated or hostile: an error that names the wrong part, never a panic.

// See `state.rs`.
#![cfg(not(miri))]

use std::fmt::Debug;
use std::time::Duration;

use mvx_metrics::{
    Buckets, DimensionValue, Extreme, Histogram, HistogramSnapshot, InFlightSnapshot, Merge, MetricSnapshot,
    MetricSnapshots,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::metrics::{Done, Everything, EverythingSnapshot, Levels, LevelsSnapshot};
use super::{Declared, erased, sample, typed};

fn everything() -> EverythingSnapshot {
    typed::<Everything>(&[sample(1), sample(2)])
}

/// Asserts that the text is refused; returns the message.
fn refused<T: DeserializeOwned + Debug>(text: &str) -> String {
    serde_json::from_str::<T>(text).map(|read| format!("{read:?}")).expect_err(text).to_string()
}

/// The message about a snapshot in which one field has another value.
fn refused_with(field: &str, value: Value) -> String {
    let mut snapshot = serde_json::to_value(everything()).unwrap();
    assert!(snapshot.get(field).is_some(), "{field}");
    snapshot[field] = value;
    let message = refused::<EverythingSnapshot>(&snapshot.to_string());
    assert!(message.starts_with(&format!("`{field}`: ")), "{message}");
    message
}

#[test]
fn a_truncated_snapshot_is_refused_at_every_byte() {
    let typed = typed::<Everything>(&[sample(1)]);
    let text = serde_json::to_string(&typed).unwrap();
    for end in 0..text.len() {
        assert!(serde_json::from_str::<EverythingSnapshot>(&text[..end]).is_err(), "{end}");
    }
    let bytes = rmp_serde::to_vec_named(&typed).unwrap();
    for end in 0..bytes.len() {
        assert!(rmp_serde::from_slice::<EverythingSnapshot>(&bytes[..end]).is_err(), "{end}");
    }
    let erased: MetricSnapshots = [erased::<Declared>(&[sample(1)])].into_iter().collect();
    let text = serde_json::to_string(&erased).unwrap();
    for end in 0..text.len() {
        assert!(serde_json::from_str::<MetricSnapshots>(&text[..end]).is_err(), "{end}");
    }
    let bytes = rmp_serde::to_vec_named(&erased).unwrap();
    for end in 0..bytes.len() {
        assert!(rmp_serde::from_slice::<MetricSnapshots>(&bytes[..end]).is_err(), "{end}");
    }
}

#[test]
fn a_snapshot_of_another_version_is_refused_with_the_field() {
    let snapshot = serde_json::to_value(everything()).unwrap();
    for (field, value) in snapshot.as_object().unwrap() {
        let mut missing = snapshot.clone();
        missing.as_object_mut().unwrap().remove(field);
        let message = refused::<EverythingSnapshot>(&missing.to_string());
        assert!(message.starts_with(&format!("missing field `{field}`")), "{message}");
        let mut renamed = missing.clone();
        renamed[format!("{field}_2")] = value.clone();
        let message = refused::<EverythingSnapshot>(&renamed.to_string());
        assert!(message.contains(&format!("the metric has no dimension `{field}_2`")), "{message}");
        refused_with(field, json!(true));
        refused_with(field, json!([1]));
        refused_with(field, json!({"unheard_of": {"of": 1}}));
    }
    let older = json!({"mean": 1.0});
    for field in ["mean_count", "mean_elapsed", "open", "latency"] {
        refused_with(field, older.clone());
    }
    let message = refused_with("open", json!({"current": 1, "started": 1, "finished": 0, "lost": 0}));
    assert!(message.contains("unknown field `lost`"), "{message}");
}

#[test]
fn a_label_that_does_not_exist_is_refused() {
    for (field, value, label) in [
        ("by_outcome", json!({"succes": 1}), "succes"),
        ("inner_by", json!({"": 1}), ""),
        ("open_by_cached", json!({"yes": {"started": 1, "finished": 0}}), "yes"),
        ("by_both", json!({"failure": {"maybe": 1.0}}), "failure`, `maybe"),
        ("mean_by_host", json!({"lost": {"a": {"sum": 1.0, "count": 1}}}), "lost`, `a"),
        ("delta_by_code", json!({"seven": 1}), "seven"),
        ("delta_by_code", json!({"07": 1}), "07"),
        ("delta_by_code", json!({"40000": 1}), "40000"),
        ("longest_by_host", json!({"x".repeat(257): 1.0}), &*"x".repeat(257)),
    ] {
        let message = refused_with(field, value);
        assert!(message.contains(&format!("there is no label `{label}`")), "{message}");
    }
    // Labels beyond the limit are counted under `other`.
    let mut snapshot = serde_json::to_value(everything()).unwrap();
    snapshot["delta_by_code"]["other"] = json!(5);
    snapshot["mean_by_host"]["other"] = json!({"other": {"sum": 1.0, "count": 1}});
    let read: EverythingSnapshot = serde_json::from_value(snapshot).unwrap();
    assert_eq!(read.by_label.mean_by_host.len(), 3);
}

type Change<'a> = &'a dyn Fn(&mut Value);

#[test]
fn a_histogram_that_cannot_be_is_refused() {
    let histogram = serde_json::to_value(everything()).unwrap()["ratios"].clone();
    let with = |change: &dyn Fn(&mut Value)| {
        let mut changed = histogram.clone();
        change(&mut changed);
        assert_ne!(changed, histogram);
        refused_with("ratios", changed)
    };
    let cases: [(Change<'_>, &str); 14] = [
        (&|h| h["count"] = json!(3), "the count of a histogram is the sum of its buckets"),
        (&|h| h["buckets"][0]["count"] = json!(1), "the count of a histogram is the sum of its buckets"),
        (&|h| h["buckets"][0]["up_to"] = json!(0.1), "the bounds of a histogram's buckets ascend"),
        (&|h| h["buckets"][1]["up_to"] = json!(-1.0), "the bounds of a histogram's buckets ascend"),
        (&|h| h["buckets"][1]["up_to"] = Value::Null, "the bounds of a histogram's buckets ascend"),
        (&|h| h["buckets"][4]["up_to"] = json!(1e10), "the last bucket of a histogram has no bound"),
        (&|h| h["buckets"] = json!([]), "the last bucket of a histogram has no bound"),
        (&|h| h["min"] = Value::Null, "a minimum and a maximum exactly when it has values"),
        (&|h| h["max"] = Value::Null, "a minimum and a maximum exactly when it has values"),
        (&|h| h["min"] = json!(0.3), "the minimum of a histogram is above its maximum"),
        (&|h| h["min"] = json!(-7.0), "an extreme of a histogram does not lie in the bucket that has it"),
        (&|h| h["max"] = json!(7.0), "an extreme of a histogram does not lie in the bucket that has it"),
        (&|h| h["max"] = json!("known"), "expected a number, null or \"unknown\""),
        (&|h| h["buckets"][0]["lost"] = json!(1), "unknown field `lost`"),
    ];
    for (change, message) in cases {
        let refusal = with(change);
        assert!(refusal.contains(message), "{refusal}\nnot: {message}");
    }
    let empty =
        json!({"count": 0, "sum": 0.0, "min": 0.0, "max": 0.0, "buckets": [{"up_to": null, "count": 0}]});
    let refusal = refused_with("ratios", empty);
    assert!(refusal.contains("exactly when it has values"), "{refusal}");
    // An interval does not know its extremes.
    let mut interval = histogram.clone();
    (interval["min"], interval["max"]) = (json!("unknown"), json!("unknown"));
    assert_eq!(serde_json::from_value::<HistogramSnapshot<f64>>(interval).unwrap().max, Extreme::Unknown);
}

#[test]
fn a_number_that_is_not_finite_is_refused() {
    fn refused(snapshot: &(impl Serialize + DeserializeOwned + Debug), field: &str) {
        fn read<T: DeserializeOwned>(_: &T, bytes: &[u8]) -> Result<T, rmp_serde::decode::Error> {
            rmp_serde::from_slice(bytes)
        }
        let bytes = rmp_serde::to_vec_named(snapshot).unwrap();
        let message = read(snapshot, &bytes).unwrap_err().to_string();
        assert!(message.contains(&format!("`{field}`: ")), "{message}");
        assert!(message.contains("expected a finite number"), "{message}");
    }
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let changed = |change: &dyn Fn(&mut EverythingSnapshot)| {
            let mut snapshot = everything();
            change(&mut snapshot);
            snapshot
        };
        refused(&changed(&|snapshot| snapshot.ratio = number), "ratio");
        refused(&changed(&|snapshot| snapshot.highest = Extreme::Known(number)), "highest");
        refused(&changed(&|snapshot| snapshot.mean_ratio.sum = number), "mean_ratio");
        refused(&changed(&|snapshot| snapshot.ratios.sum = number), "ratios");
        refused(&changed(&|snapshot| snapshot.ratios.max = Extreme::Known(number)), "ratios");
        let with_bound = changed(&|snapshot| {
            let Buckets::Explicit(buckets) = &mut snapshot.ratios.buckets else { panic!("it has bounds") };
            buckets[0].upper_bound = Some(number);
        });
        refused(&with_bound, "ratios");
        refused(&LevelsSnapshot { least: Some(number), ..typed::<Levels>(&[]) }, "least");
        let erased = MetricSnapshot::new("any")
            .with("list", DimensionValue::List(vec![1.0.into(), DimensionValue::Float(number)]));
        // A metric that is written by hand may have any number.
        let written = rmp_serde::to_vec_named(&[erased].into_iter().collect::<MetricSnapshots>()).unwrap();
        let read: MetricSnapshots = rmp_serde::from_slice(&written).unwrap();
        assert_eq!(rmp_serde::to_vec_named(&read).unwrap(), written);
    }
}

#[test]
fn numbers_that_do_not_fit_are_refused() {
    let cases = [
        ("total", vec![json!(-1), json!(1.5), json!(1e30)]),
        ("lowest", vec![json!(u64::MAX), json!(-1e30), json!(0.5)]),
        (
            "elapsed",
            vec![json!(-0.5), json!(1e20), json!("1.5"), json!("-1.000000000"), json!("+1.000000000")],
        ),
        ("elapsed", vec![json!("18446744073709551616.000000000"), json!(".000000000"), json!("1.00000000x")]),
        ("longest", vec![json!("unheard of"), json!("1.0000000000"), json!(-1)]),
        ("ratio", vec![json!("unknown"), json!("0.5"), Value::Null]),
        ("open", vec![json!({"started": -1, "finished": 0}), json!({"started": 1.5, "finished": 0})]),
    ];
    for (field, values) in cases {
        for value in values {
            refused_with(field, value);
        }
    }
    let text = serde_json::to_string(&everything()).unwrap();
    for huge in ["18446744073709551616", "1e400", "-18446744073709551616"] {
        refused::<EverythingSnapshot>(&text.replacen(r#""total":2"#, &format!(r#""total":{huge}"#), 1));
    }
}

/// Debug builds panic when an addition overflows.
#[test]
fn the_largest_numbers_saturate() {
    let all = u64::MAX;
    let event = Done { count: all, elapsed: Duration::MAX, ratio: f64::MAX, ..sample(1) };
    let mut snapshot = typed::<Everything>(&[event.clone(), event]);
    snapshot.total = all;
    snapshot.delta = i64::MIN;
    snapshot.open = InFlightSnapshot { started: 0, finished: all };
    snapshot.mean_count.count = all;
    snapshot.invalid = all;
    let Buckets::Explicit(buckets) = &mut snapshot.deltas.buckets else { panic!("it has bounds") };
    for bucket in buckets {
        bucket.count = all;
    }
    snapshot.deltas.count = all;
    (snapshot.deltas.min, snapshot.deltas.max) = (Extreme::Unknown, Extreme::Unknown);
    let read: EverythingSnapshot = serde_json::from_str(&serde_json::to_string(&snapshot).unwrap()).unwrap();
    assert_eq!(read, snapshot);
    let mut merged = snapshot.clone();
    merged.merge(&snapshot);
    assert_eq!((merged.total, merged.delta, merged.elapsed), (all, i64::MIN, Duration::MAX));
    assert_eq!((merged.ratio, merged.deltas.count), (f64::MAX, all));
    assert_eq!(merged.open.current(), i64::MIN);
    super::assert_comes_back(&merged);
    let interval = merged.since(&everything());
    super::assert_comes_back(&interval);
    assert_eq!(interval.deltas.quantile(2.0), None);
    assert!(interval.deltas.quantile(0.5).is_some());
}

#[test]
fn values_that_are_nested_too_deep_are_refused() {
    let within = |levels: usize| {
        let value =
            (0..levels).fold(DimensionValue::from(1_u64), |value, _| DimensionValue::List(vec![value]));
        let snapshots: MetricSnapshots =
            [MetricSnapshot::new("deep").with("lists", value)].into_iter().collect();
        rmp_serde::from_slice::<MetricSnapshots>(&rmp_serde::to_vec_named(&snapshots).unwrap())
    };
    assert!(within(64).is_ok());
    for levels in [65, 300] {
        let message = within(levels).unwrap_err().to_string();
        assert!(message.contains("more than 64 levels of lists and maps"), "{message}");
    }
    // {"deep": {"name": "deep", "dimensions": {"lists": [[[[..
    let mut bytes = b"\x81\xa4deep\x82\xa4name\xa4deep\xaadimensions\x81\xa5lists".to_vec();
    bytes.extend(std::iter::repeat_n(0x91, 1_000_000));
    assert!(rmp_serde::from_slice::<MetricSnapshots>(&bytes).is_err());
}

#[test]
fn erased_snapshots_that_contradict_themselves_are_refused() {
    let metric = json!({"name": "a", "dimensions": {"total": 1}});
    for (text, problem) in [
        (json!({"b": metric}).to_string(), "`b` has the name `a`"),
        (format!(r#"{{"a": {metric}, "a": {metric}}}"#), "the metric `a` stands twice"),
        (r#"{"a": {"name": "a", "dimensions": {"x": 1, "x": 2}}}"#.to_owned(), "`a`: `x` stands twice"),
        (
            r#"{"a": {"name": "a", "dimensions": {"x": {"y": 1, "y": 2}}}}"#.to_owned(),
            "`x`: `y` stands twice",
        ),
        (r#"{"a": {"name": "a"}}"#.to_owned(), "`a`: missing field `dimensions`"),
        (r#"{"a": {"name": "a", "dimensions": {}, "lost": 1}}"#.to_owned(), "`a`: unknown field `lost`"),
        (r#"{"a": {"name": "a", "dimensions": {}, "invalid": -1}}"#.to_owned(), "`a`: invalid value"),
        (r#"{"a": {"name": "a", "dimensions": [1]}}"#.to_owned(), "expected a map from names to values"),
        ("[]".to_owned(), "expected a map from names to metrics"),
    ] {
        let message = refused::<MetricSnapshots>(&text);
        assert!(message.contains(problem), "{message}\nnot: {problem}");
    }
    let read: MetricSnapshots = serde_json::from_value(json!({"a": metric})).unwrap();
    assert_eq!(read.get("a").unwrap().get("total"), Some(&DimensionValue::Unsigned(1)));
    assert_eq!(read.get("a").unwrap().declaration(), None);
}

/// Histograms of other bounds, from a version with other buckets, merge by the bounds that both have.
#[test]
fn histograms_with_other_bounds_merge_by_the_bounds_that_both_have() {
    let of = |bounds: &'static [u64], values: &[u64]| {
        let mut histogram = Histogram::with_buckets(bounds);
        for value in values {
            histogram.record(*value);
        }
        mvx_metrics::Dimension::read(&histogram)
    };
    let mut merged = of(&[1, 5, 10, 20], &[1, 3, 7, 15, 30]);
    merged.merge(&of(&[5, 8, 20, 40], &[4, 6, 9, 25, 50]));
    let buckets = |histogram: &HistogramSnapshot<u64>| -> Vec<_> {
        let buckets = histogram.buckets.explicit().unwrap();
        buckets.iter().map(|bucket| (bucket.upper_bound, bucket.count)).collect()
    };
    assert_eq!(buckets(&merged), [(Some(5), 3), (Some(20), 4), (None, 3)]);
    assert_eq!(
        (merged.count, merged.sum, merged.min, merged.max),
        (10, 150, Extreme::Known(1), Extreme::Known(50))
    );
    let interval = merged.since(&of(&[20, 30], &[2, 25]));
    assert_eq!(buckets(&interval), [(Some(20), 6), (None, 2)]);
    assert_eq!(interval.count, 8);
    super::assert_comes_back(&interval);
}
