//! Covers serialised totals and snapshots: ST1, and input that is damaged.

use std::time::Duration;

use mvx_metrics::export::{Format, Scope};
use mvx_metrics::{DimensionValue, MetricSnapshot, MetricsRuntime, RecorderStats, RuntimeSnapshot, Totals};
use mvx_metrics_tests::{Gate, Gated, Step, bounded};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::everything::{Work, WorkSnapshot, Worked, emit, replace, worked, worker};
use crate::fixtures::running;
use crate::handwritten::{metric, runtime_with};

/// The value after JSON, and after MessagePack with field names.
fn through<T: Serialize + DeserializeOwned>(value: &T) -> [T; 2] {
    let json = serde_json::to_string(value).expect("it serialises");
    let from_json: T = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error} in {json}"));
    assert_eq!(serde_json::to_string(&from_json).expect("it serialises"), json, "it is equal JSON");
    let packed = rmp_serde::to_vec_named(value).expect("it serialises");
    let unpacked: T = rmp_serde::from_slice(&packed).expect("it is read back");
    assert_eq!(rmp_serde::to_vec_named(&unpacked).expect("it serialises"), packed, "it is equal MessagePack");
    [from_json, unpacked]
}

fn runtime_after(events: &[Worked]) -> MetricsRuntime {
    let runtime = running("shop");
    for (number, part) in events.chunks(8).enumerate() {
        let recorder = worker(&runtime, &number.to_string());
        for event in part {
            recorder.emit(event.clone());
        }
        if number % 3 == 1 {
            replace(&recorder, Work::default());
        }
        if number % 3 == 2 {
            runtime.stop_and_remove_recorder(&number.to_string()).expect("it stops");
        }
    }
    runtime
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn st1_totals_and_snapshots_come_back_equal(events in proptest::collection::vec(worked(), 0..40)) {
        let runtime = runtime_after(&events);
        for scope in [Scope::Rollup, Scope::PerEntity] {
            let totals = runtime.totals(scope).expect("the runtime runs");
            for back in through(&totals) {
                prop_assert_eq!(&back, &totals);
                prop_assert_eq!(back.get::<Work>("shop"), totals.get::<Work>("shop"));
                prop_assert_eq!(back.exposition(Format::OpenMetrics).text, totals.exposition(Format::OpenMetrics).text);
                for group in &totals.groups {
                    for stats in through(&group.stats) {
                        let stats: RecorderStats = stats;
                        prop_assert_eq!(&stats, &group.stats);
                    }
                }
            }
            if let Some(work) = totals.get::<Work>("shop") {
                for back in through(&work) {
                    let back: WorkSnapshot = back;
                    prop_assert_eq!(&back, &work);
                }
            }
        }
        let snapshot = runtime.snapshot().expect("the runtime runs");
        for back in through(&snapshot) {
            let back: RuntimeSnapshot = back;
            prop_assert_eq!(&back, &snapshot);
            // A snapshot that was read back lacks the recorders that were removed before.
            prop_assert_eq!(back.totals(Scope::PerEntity).groups, snapshot.totals(Scope::PerEntity).groups);
        }
    }
}

/// Everything that a program does with totals it got from elsewhere.
fn use_totals(totals: &Totals, own: &Totals) {
    for format in [Format::Prometheus, Format::OpenMetrics] {
        let _ = totals.exposition(format);
    }
    let _ = mvx_metrics_tests::messages::decode(totals.exposition(Format::Protobuf).as_bytes());
    let _ = (totals.get::<Work>("shop"), totals.get_entity::<Work>("shop", "one"), totals == own);
    let _ = (totals.taken_at(), totals.started_at());
    let _: Vec<_> = totals.recorders.iter().map(|recorder| totals.age(recorder)).collect();
    let mut merged = own.clone();
    if merged.merge(totals).is_err() {
        assert_eq!(merged, *own, "an error changes nothing");
    }
    let mut merged = totals.clone();
    if merged.merge(own).is_err() {
        assert_eq!(merged, *totals, "an error changes nothing");
    }
    let _ = serde_json::to_string(totals);
}

fn some_totals() -> Totals {
    let runtime = running("shop");
    emit(&worker(&runtime, "one"), 9);
    runtime.totals(Scope::PerEntity).expect("the runtime runs")
}

#[test]
fn st1_truncated_totals_are_an_error() {
    let totals = some_totals();
    let json = serde_json::to_vec(&totals).expect("totals serialise");
    for end in (0..json.len()).step_by(7) {
        assert!(serde_json::from_slice::<Totals>(&json[..end]).is_err(), "{end} of {} bytes", json.len());
    }
    let packed = rmp_serde::to_vec_named(&totals).expect("totals serialise");
    for end in (0..packed.len()).step_by(7) {
        assert!(rmp_serde::from_slice::<Totals>(&packed[..end]).is_err(), "{end} of {} bytes", packed.len());
    }
}

/// A change of JSON that mostly leaves it valid: another number, another kind of value, or a missing one.
fn damage(value: &mut serde_json::Value, at: &mut usize, with: &serde_json::Value) {
    use serde_json::Value::{Array, Object};
    if *at == 0 {
        *value = with.clone();
    }
    *at = at.wrapping_sub(1);
    match value {
        Array(values) => values.iter_mut().for_each(|value| damage(value, at, with)),
        Object(values) => values.values_mut().for_each(|value| damage(value, at, with)),
        _ => {}
    }
}

fn count_values(value: &serde_json::Value) -> usize {
    use serde_json::Value::{Array, Object};
    1 + match value {
        Array(values) => values.iter().map(count_values).sum(),
        Object(values) => values.values().map(count_values).sum(),
        _ => 0,
    }
}

#[test]
fn st1_totals_with_a_changed_value_are_an_error_or_can_be_used() {
    use serde_json::json;
    let totals = some_totals();
    let json = serde_json::to_value(&totals).expect("totals serialise");
    let values = [
        json!(null),
        json!(-1),
        json!(u64::MAX),
        json!(1e308),
        json!(-1.5),
        json!(true),
        json!(""),
        json!([]),
        json!({}),
        json!({"a": {"b": 1}}),
        json!([1, 2]),
        json!("unknown"),
        json!("1.5"),
        json!("work"),
    ];
    let mut read = 0;
    for (number, value) in values.iter().enumerate() {
        // Each value stands at every place once, in steps to save time.
        for place in (number % 3..count_values(&json)).step_by(3) {
            let (mut damaged, mut at) = (json.clone(), place);
            damage(&mut damaged, &mut at, value);
            if let Ok(damaged) = serde_json::from_value::<Totals>(damaged) {
                use_totals(&damaged, &totals);
                read += 1;
            }
        }
    }
    assert!(read > 100, "only {read} could be read");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn st1_damaged_messagepack_is_an_error_or_can_be_used(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)
    ) {
        let totals = some_totals();
        let mut packed = rmp_serde::to_vec_named(&totals).expect("totals serialise");
        for (index, byte) in changes {
            let index = index.index(packed.len());
            packed[index] = byte;
        }
        if let Ok(damaged) = rmp_serde::from_slice::<Totals>(&packed) {
            use_totals(&damaged, &totals);
        }
    }
}

#[test]
fn st1_totals_with_a_recorder_that_cannot_be_read_come_back_equal() {
    bounded(|| {
        let (runtime, gate) = (running("shop"), Gate::new());
        let recorder = worker(&runtime, "one");
        emit(&recorder, 9);
        recorder.register_metric(Gated(gate.clone())).expect("the recorder runs");
        // The recorder can be read for the last time.
        drop(runtime.totals(Scope::Rollup).expect("the runtime runs"));
        recorder.emit(Step(1));
        gate.wait_for_arrival();
        for scope in [Scope::Rollup, Scope::PerEntity] {
            let totals = runtime.totals(scope).expect("the runtime runs");
            assert!(totals.recorders[0].stalled);
            for back in through(&totals) {
                assert_eq!(back, totals);
            }
        }
        gate.open();
    });
}

#[test]
fn st1_odd_metrics_that_are_written_by_hand_come_back_to_equal_json() {
    use mvx_metrics::DimensionKind::{Counter, Custom, Gauge, Max, Mean, Sum};
    let runtime = runtime_with(vec![metric(
        "odd",
        vec![
            ("nan", Custom, f64::NAN.into()),
            ("low", Custom, f64::NEG_INFINITY.into()),
            ("text", Custom, DimensionValue::Text("no number".into())),
            ("empty", Counter, DimensionValue::Empty),
            ("no_sum", Sum, DimensionValue::Empty),
            ("no_max", Max, DimensionValue::Empty),
            ("no_mean", Mean, DimensionValue::Empty),
            ("no_level", Gauge, DimensionValue::Empty),
            ("fall", Sum, (-3_i64).into()),
            ("tiny", Sum, Duration::from_nanos(5).into()),
            ("real", Counter, 0.5.into()),
            ("list", Custom, vec![1_u64, 2].into()),
            ("flag", Custom, true.into()),
            ("parts", Custom, DimensionValue::map([("a", 1_u64.into()), ("b", DimensionValue::Empty)])),
        ],
    )]);
    for scope in [Scope::Rollup, Scope::PerEntity] {
        let [_, _] = through(&runtime.totals(scope).expect("the runtime runs"));
    }
    let [_, _] = through(&runtime.snapshot().expect("the runtime runs"));
}

#[test]
fn st1_a_group_a_namespace_or_a_recorder_that_stands_twice_is_an_error() {
    let totals = some_totals();
    let twice = |pointer: &str, mut json: serde_json::Value| {
        let list = json.pointer_mut(pointer).and_then(|list| list.as_array_mut()).expect("a list");
        list.push(list[0].clone());
        json
    };
    let json = serde_json::to_value(&totals).expect("totals serialise");
    let error = |json| serde_json::from_value::<Totals>(json).expect_err("it stands twice").to_string();
    let group = error(twice("/groups", json.clone()));
    assert!(group.contains("`shop`") && group.contains("`one`") && group.contains("twice"), "{group}");
    let namespace = error(twice("/namespaces", json));
    assert!(namespace.contains("`shop`") && namespace.contains("twice"), "{namespace}");

    let runtime = running("shop");
    emit(&worker(&runtime, "one"), 9);
    let json = serde_json::to_value(runtime.snapshot().expect("the runtime runs")).expect("it serialises");
    let recorder = serde_json::from_value::<RuntimeSnapshot>(twice("/recorders", json));
    let recorder = recorder.expect_err("it stands twice").to_string();
    assert!(recorder.contains("`one`") && recorder.contains("twice"), "{recorder}");
}

#[test]
fn st1_times_come_back_with_totals_and_snapshots() {
    let runtime = running("shop");
    emit(&worker(&runtime, "one"), 3);
    let totals = runtime.totals(Scope::PerEntity).expect("the runtime runs");
    for back in through(&totals) {
        let (work, of_entity) = (back.get::<Work>("shop"), back.get_entity::<Work>("shop", "one"));
        for work in [work, of_entity, back.groups[0].get::<Work>()].map(|work| work.expect("there is work")) {
            assert_eq!(work.taken_at(), Some(totals.taken_at()));
            assert!(work.counting_since() <= work.taken_at());
        }
        assert_eq!(
            back.groups[0].metrics.get("work").and_then(MetricSnapshot::taken_at),
            Some(totals.taken_at())
        );
        assert_eq!((back.taken_at(), back.started_at()), (totals.taken_at(), totals.started_at()));
        assert_eq!(back.groups[0].counting_since(), totals.groups[0].counting_since());
        assert_eq!(back.recorders[0].created_at(), totals.recorders[0].created_at());
    }
    let snapshot = runtime.snapshot().expect("the runtime runs");
    for back in through(&snapshot) {
        let work = back.recorders[0].metrics.get("work").and_then(MetricSnapshot::taken_at);
        assert_eq!((work, back.taken_at()), (Some(snapshot.taken_at()), snapshot.taken_at()));
    }
}
