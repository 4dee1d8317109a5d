//! Covers custom dimensions: numbers, and several named values, in a rollup.

use mvx_metrics::export::{Exposition, Format, Scope};
use mvx_metrics::feed::{IntoMeasure, Record};
use mvx_metrics::{
    Breakdown, Dimension, DimensionKind, DimensionValue, Metric, MetricsRuntime, Output, metric_event,
};
use serde::{Deserialize, Serialize};

use crate::fixtures::{running, value};

#[metric_event]
struct Measured {
    secure: bool,
    load: f64,
}

/// Several named values, one of them empty, one a text.
#[derive(Default)]
struct Load {
    last: f64,
    calls: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct LoadSnapshot {
    last: f64,
    calls: Calls,
    size: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Calls {
    made: u64,
    lost: Option<u64>,
}

impl Output for LoadSnapshot {}

impl Dimension for Load {
    type Output = LoadSnapshot;
    const KIND: DimensionKind = DimensionKind::Custom;
    const MERGE: Option<fn(&mut LoadSnapshot, &LoadSnapshot)> = Some(|load, other| {
        load.last += other.last;
        load.calls.made += other.calls.made;
    });

    fn read(&self) -> LoadSnapshot {
        let size = if self.last > 0.5 { "large" } else { "small" };
        LoadSnapshot { last: self.last, calls: Calls { made: self.calls, lost: None }, size: size.to_owned() }
    }

    fn value(load: LoadSnapshot) -> DimensionValue {
        let calls = DimensionValue::map([("made", load.calls.made.into()), ("lost", load.calls.lost.into())]);
        DimensionValue::map([("last", load.last.into()), ("calls", calls), ("size", load.size.into())])
    }
}

impl<V: IntoMeasure<f64>> Record<V> for Load {
    fn record(&mut self, value: V) -> bool {
        let Some(value) = value.into_measure() else { return false };
        self.last = value;
        self.calls += 1;
        true
    }
}

/// A number.
#[derive(Default)]
struct Last(f64);

impl Dimension for Last {
    type Output = f64;
    const KIND: DimensionKind = DimensionKind::Custom;

    fn read(&self) -> f64 {
        self.0
    }

    fn value(last: f64) -> DimensionValue {
        last.into()
    }
}

impl<V: IntoMeasure<f64>> Record<V> for Last {
    fn record(&mut self, value: V) -> bool {
        let Some(value) = value.into_measure() else { return false };
        self.0 = value;
        true
    }
}

#[derive(Metric, Default)]
#[metric(on(Measured))]
struct Machine {
    /// The work it had to do.
    #[dimension(value = load)]
    load: Load,
    #[dimension(value = load, by = secure)]
    by_security: Breakdown<bool, Load>,
    #[dimension(value = load, merge = sum)]
    sum: Last,
    #[dimension(value = load, merge = min)]
    least: Last,
    #[dimension(value = load, merge = max)]
    most: Last,
}

fn machines() -> (MetricsRuntime, Exposition) {
    let runtime = running("shop");
    for (id, load) in [("one", 0.25), ("other", 0.75)] {
        let recorder = runtime.create_recorder(id).expect("the id is free");
        recorder.register_metric(Machine::default()).expect("the recorder runs");
        for secure in [true, false, true] {
            recorder.emit(Measured { secure, load });
        }
    }
    let exposition = runtime.exposition(Scope::Rollup, Format::OpenMetrics).expect("the runtime runs");
    (runtime, exposition)
}

#[test]
fn each_named_value_has_a_family() {
    let (_runtime, exposition) = machines();
    let text = &exposition.text;
    assert_eq!(value(text, "machine_load_last{namespace=\"shop\"}").to_string(), "1");
    assert_eq!(value(text, "machine_load_calls_made{namespace=\"shop\"}").to_string(), "6");
    assert_eq!(value(text, "machine_by_security_last{namespace=\"shop\",secure=\"true\"}").to_string(), "1");
    let calls = "machine_by_security_calls_made{namespace=\"shop\",secure=";
    assert_eq!(value(text, &format!("{calls}\"true\"}}")).to_string(), "4");
    assert_eq!(value(text, &format!("{calls}\"false\"}}")).to_string(), "2");
    assert!(text.contains("# HELP machine_load_last The work it had to do.\n"), "{text}");
    assert!(text.contains("# TYPE machine_load_last unknown\n"), "{text}");
    for nothing in ["NaN", "machine_load{", "_size", "_lost"] {
        assert!(!text.contains(nothing), "{nothing} in\n{text}");
    }
    assert!(exposition.skipped.is_empty(), "{:?}", exposition.skipped);
}

#[test]
fn named_values_of_a_removed_recorder_stay() {
    let (runtime, _) = machines();
    runtime.stop_and_remove_recorder("other").expect("it stops");
    let text = runtime.exposition(Scope::Rollup, Format::OpenMetrics).expect("the runtime runs").text;
    assert_eq!(value(&text, "machine_load_calls_made{namespace=\"shop\"}").to_string(), "6");
}

#[test]
fn custom_numbers_merge_by_the_declared_rule() {
    let (_runtime, exposition) = machines();
    let texts = ["sum", "least", "most"]
        .map(|name| value(&exposition.text, &format!("machine_{name}{{namespace=\"shop\"}}")).to_string());
    assert_eq!(texts, ["1", "0.25", "0.75"]);
}
