//! Snapshots without types that are written with their declaration, and read back. Covers ST1, ST2 and ST7.

// Much data and no `unsafe` code of its own: Miri would take many minutes.
#![cfg(not(miri))]

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::metric::Declared;
use super::{DimensionValue, Merge, MergeError, MetricSnapshot, Timestamp};
use crate::dispatch::MetricBox;
use crate::feed::{IntoMeasure, Record};
use crate::{
    Breakdown, Counter, Dimension, DimensionKind, Gauge, HandleEvent, Histogram, InFlight, InFlightSnapshot,
    Label, Max, Mean, MeanSnapshot, Metric, Min, Sum, TypedMetric, metric_event,
};

#[derive(Label, Debug, Clone, Copy)]
enum Outcome {
    Success,
    Failure,
}

#[metric_event]
#[derive(Debug, Clone)]
struct Done {
    outcome: Outcome,
    host: String,
    count: u64,
    delta: i64,
    elapsed: Duration,
    ratio: f64,
}

/// A mean of the user's own, which merges by its own rule.
#[derive(Default)]
struct Weighted(Mean<f64>);

impl Dimension for Weighted {
    type Output = MeanSnapshot<f64>;
    const KIND: DimensionKind = DimensionKind::Mean;
    const MERGE: Option<fn(&mut Self::Output, &Self::Output)> = Some(Merge::merge);

    fn read(&self) -> Self::Output {
        self.0.read()
    }

    fn value(output: Self::Output) -> DimensionValue {
        Mean::value(output)
    }

    fn since(later: &Self::Output, earlier: &Self::Output) -> Self::Output {
        later.since(earlier)
    }
}

impl<V: IntoMeasure<f64>> Record<V> for Weighted {
    fn record(&mut self, value: V) -> bool {
        Record::record(&mut self.0, value)
    }
}

/// The longest duration of the user's own.
#[derive(Default)]
struct Longest(Duration);

impl Dimension for Longest {
    type Output = Duration;
    const KIND: DimensionKind = DimensionKind::Custom;

    fn read(&self) -> Duration {
        self.0
    }

    fn value(longest: Duration) -> DimensionValue {
        longest.into()
    }
}

impl<V: IntoMeasure<Duration>> Record<V> for Longest {
    fn record(&mut self, value: V) -> bool {
        self.0 = self.0.max(value.into_measure().unwrap_or_default());
        true
    }
}

/// Work that ended.
#[derive(Metric, Default)]
#[metric(on(Done))]
struct Dones {
    /// All of them.
    total: Counter,
    #[dimension(value = count, unit = "things")]
    count: Sum<u64>,
    #[dimension(value = elapsed)]
    elapsed: Sum<Duration>,
    #[dimension(value = delta)]
    lowest: Min<i64>,
    #[dimension(value = elapsed)]
    longest: Max<Duration>,
    #[dimension(value = elapsed)]
    mean: Mean<Duration>,
    #[dimension(set = ratio, merge = max)]
    level: Gauge<f64>,
    #[dimension(add = count, sub = |e| e.count)]
    open: InFlight,
    #[dimension(value = elapsed)]
    latency: Histogram<Duration>,
    #[dimension(value = ratio, buckets = [0.1, 1])]
    ratios: Histogram<f64>,
    #[dimension(by = outcome, value = elapsed)]
    by_outcome: Breakdown<Outcome, Sum<Duration>>,
    #[dimension(by(outcome, host), limit = 9, value = delta)]
    by_both: Breakdown<(Outcome, String), Mean<i64>>,
    #[dimension(by = host, limit = 9, value = elapsed)]
    longest_by_host: Breakdown<String, Max<Duration>>,
    #[dimension(value = ratio)]
    weighted: Weighted,
    #[dimension(by = outcome, value = ratio)]
    weighted_by: Breakdown<Outcome, Weighted>,
    #[dimension(value = elapsed, merge = max)]
    peak: Longest,
    #[dimension(value = elapsed)]
    kept: Longest,
}

prop_compose! {
    fn done()(
        is_success in any::<bool>(),
        host in "[ab]|other|",
        count in 0..100_u64,
        delta in -100..100_i64,
        elapsed in prop_oneof![
            (0..u64::MAX).prop_map(Duration::from_nanos),
            (0..u64::MAX / 64, 0..1_000_000_000_u32).prop_map(|(seconds, nanos)| Duration::new(seconds, nanos)),
        ],
        ratio in any::<i16>().prop_map(|number| f64::from(number) / 256.0),
    ) -> Done {
        let outcome = if is_success { Outcome::Success } else { Outcome::Failure };
        Done { outcome, host, count, delta, elapsed, ratio }
    }
}

fn sample(count: u64) -> Done {
    Done {
        outcome: Outcome::Failure,
        host: "a".to_owned(),
        count,
        delta: -1,
        elapsed: Duration::from_millis(count),
        ratio: 0.5,
    }
}

/// The snapshot that a recorder takes.
fn recorded<M: Metric>(metric: M) -> MetricSnapshot {
    MetricBox::named(metric).expect("it has a name").snapshot(None, Timestamp::now())
}

fn of(events: &[Done]) -> MetricSnapshot {
    let mut metric = Dones::default();
    for event in events {
        metric.handle(event);
    }
    recorded(metric)
}

fn written(snapshot: &MetricSnapshot) -> Value {
    serde_json::to_value(Declared(snapshot)).expect("it is written")
}

fn read(value: &Value) -> Result<MetricSnapshot, String> {
    serde_json::from_str(&value.to_string()).map_err(|error| error.to_string())
}

fn came_back(snapshot: &MetricSnapshot) -> MetricSnapshot {
    read(&written(snapshot)).expect("it is read")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn st1_a_declared_snapshot_comes_back(events in prop::collection::vec(done(), 0..9)) {
        let snapshot = of(&events);
        let back = came_back(&snapshot);
        prop_assert_eq!(&back, &snapshot);
        prop_assert_eq!(back.declaration(), snapshot.declaration());
        prop_assert_eq!(back.counting_since(), snapshot.counting_since());
        prop_assert_eq!(written(&back), written(&snapshot));
        let bytes = rmp_serde::to_vec_named(&Declared(&snapshot)).unwrap();
        let back: MetricSnapshot = rmp_serde::from_slice(&bytes).unwrap();
        prop_assert_eq!(&back, &snapshot);
        prop_assert_eq!(rmp_serde::to_vec_named(&Declared(&back)).unwrap(), bytes);
    }

    #[test]
    fn st2_a_snapshot_that_was_read_merges_like_one_of_this_program(
        one in prop::collection::vec(done(), 0..9),
        other in prop::collection::vec(done(), 0..9),
    ) {
        let (one, other) = (of(&one), of(&other));
        let mut merged = one.clone();
        merged.merge(&other).unwrap();
        // One of the two knows how types of the user's own merge.
        for (mut own, from) in [(one.clone(), came_back(&other)), (came_back(&one), other.clone())] {
            own.merge(&from).unwrap();
            prop_assert_eq!(&own, &merged);
            prop_assert_eq!(&own.since(&came_back(&one)).unwrap(), &merged.since(&one).unwrap());
        }
    }
}

#[test]
fn st7_a_type_that_is_not_known_here_is_named() {
    let snapshot = came_back(&of(&[sample(1)]));
    let mut merged = snapshot.clone();
    let error = merged.merge(&snapshot).unwrap_err();
    let [metric, dimension] = ["dones", "weighted"].map(str::to_owned);
    assert_eq!(error, MergeError::UnknownType { metric, dimension });
    assert_eq!(merged, snapshot);
    // Once a snapshot of this program was merged, the rule is known.
    let mut merged = of(&[]);
    merged.merge(&snapshot).unwrap();
    merged.merge(&snapshot).unwrap();
    let mut from_read = snapshot.clone();
    from_read.merge(&of(&[])).unwrap();
    from_read.merge(&snapshot).unwrap();
    for dimension in ["total", "weighted", "weighted_by"] {
        assert_eq!(from_read.get(dimension), merged.get(dimension), "{dimension}");
    }
}

/// The message about a snapshot that was changed at a path of keys.
fn refused_with(path: &[&str], value: Value) -> String {
    let mut snapshot = written(&of(&[sample(1), sample(2)]));
    let at = path.iter().fold(&mut snapshot, |value, key| match key.parse::<usize>() {
        Ok(index) => &mut value[index],
        Err(_) => &mut value[*key],
    });
    *at = value;
    read(&snapshot).expect_err("it does not fit")
}

#[test]
fn a_declaration_that_does_not_fit_is_refused() {
    let cases = [
        (&["declaration", "fingerprint"][..], json!("0000000000000000"), "does not have the fingerprint"),
        (&["declaration", "fingerprint"], json!(1), "invalid type: integer"),
        (
            &["declaration", "dimensions", "0", "name"],
            json!("count"),
            "the dimension `count` of `dones` stands twice",
        ),
        (&["declaration", "dimensions", "0", "kind"], json!("sum"), "does not have the fingerprint"),
        (&["declaration", "dimensions", "0", "kind"], json!("quantum"), "unknown variant `quantum`"),
        (&["declaration", "dimensions", "0", "number"], json!("i64"), "does not have the fingerprint"),
        (&["declaration", "dimensions", "0", "merge"], json!("max"), "does not have the fingerprint"),
        (&["declaration", "dimensions", "0", "lost"], json!(1), "unknown field `lost`"),
        (&["declaration", "dimensions", "1", "unit"], json!("bytes"), "does not have the fingerprint"),
        (&["declaration", "dimensions", "9", "buckets"], json!([0.1, 2.0]), "does not have the fingerprint"),
        (&["declaration", "dimensions", "9", "buckets"], json!([0.1, "x"]), "invalid value: string \"x\""),
        (
            &["declaration", "dimensions", "8", "buckets"],
            json!([-1]),
            "a bucket of `latency` of `dones` has another type",
        ),
        (&["declaration", "dimensions", "11", "labels"], json!(["a", "b"]), "does not have the fingerprint"),
        (&["declaration", "dimensions", "11", "parts"], json!(3), "does not have the fingerprint"),
        (&["declaration", "dimensions", "0"], Value::Null, "invalid type: null"),
        (&["counting_since"], json!(-1), "expected seconds since 1970"),
    ];
    for (path, value, problem) in cases {
        let message = refused_with(path, value);
        assert!(message.contains(problem), "{path:?}: {message}");
    }
    let mut missing = written(&of(&[]));
    missing["declaration"]["dimensions"].as_array_mut().unwrap().pop();
    let message = read(&missing).unwrap_err();
    assert_eq!(
        message.split(" at line").next(),
        None.or(Some("`kept` of the metric `dones` is not declared"))
    );
}

#[test]
fn a_value_that_does_not_have_the_declared_form_is_refused() {
    let fine = written(&of(&[sample(1)]));
    let values = fine["dimensions"].as_object().unwrap();
    for name in values.keys().filter(|name| !["kept", "peak", "weighted", "weighted_by"].contains(&&***name))
    {
        for value in [json!(true), json!("many"), json!([1]), json!({"lost": {"lost": {"lost": 1}}})] {
            let message = refused_with(&["dimensions", name], value);
            let start = format!("`{name}` of the metric `dones` does not fit: ");
            assert!(message.starts_with(&start), "{message}");
        }
    }
    for (name, value) in [
        ("total", json!(-1)),
        ("total", json!(1.5)),
        ("elapsed", json!(-1.0)),
        ("lowest", json!(u64::MAX)),
        ("level", json!("unknown")),
        ("open", json!({"started": 1})),
        ("by_outcome", json!({"failure": {"a": 1.0}})),
        ("by_both", json!({"failure": 1.0})),
        ("latency", json!({"count": 1, "sum": 0.0, "min": null, "max": null, "buckets": []})),
    ] {
        let message = refused_with(&["dimensions", name], value);
        assert!(message.starts_with(&format!("`{name}` of the metric `dones` does not fit: ")), "{message}");
    }
    let mut missing = fine.clone();
    missing["dimensions"].as_object_mut().unwrap().remove("mean");
    assert!(read(&missing).unwrap_err().starts_with("`mean` of the metric `dones` is missing"));
    let mut more = fine;
    more["dimensions"]["mean_2"] = json!(1);
    assert!(read(&more).unwrap_err().starts_with("`mean_2` of the metric `dones` is not declared"));
    // The snapshot of a metric may fail; then it has no values.
    let mut failed = of(&[]);
    (failed.dimensions, failed.failed) = (super::Dimensions::default(), Some("snapshot panicked".to_owned()));
    assert_eq!(came_back(&failed), failed);
}

/// The same without the decimal points of whole numbers.
fn without_points(value: Value) -> Value {
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 => {
                float.to_string().parse().expect("a whole number")
            }
            _ => Value::Number(number),
        },
        Value::Array(values) => values.into_iter().map(without_points).collect(),
        Value::Object(values) => {
            values.into_iter().map(|(name, value)| (name, without_points(value))).collect()
        }
        value => value,
    }
}

/// Formats other than Rust's may write a whole number without a decimal point.
#[test]
fn the_declaration_gives_numbers_their_type() {
    let snapshot = of(&[Done { ratio: 2.0, elapsed: Duration::from_secs(3), ..sample(1) }]);
    let back = read(&without_points(written(&snapshot))).unwrap();
    assert!(matches!(back.get("level"), Some(DimensionValue::Float(_))), "{back:?}");
    assert!(matches!(back.get("peak"), Some(DimensionValue::Duration(_))), "{back:?}");
    assert_eq!(back, snapshot);
}

/// A metric that is written by hand, with values that it does not declare.
struct Handmade;

impl Metric for Handmade {
    #[expect(clippy::unnecessary_literal_bound, reason = "the trait has this signature")]
    fn metric_name(&self) -> &str {
        "handmade"
    }

    fn handlers() -> &'static [crate::EventHandler<Self>] {
        &[]
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::new("handmade")
            .with("bool", true)
            .with("text", "unknown".to_owned())
            .with("list", vec![1_u64, 2])
            .with("long", Duration::MAX)
            .with("mean", DimensionValue::Mean(MeanSnapshot { sum: 7_u64.into(), count: 2 }))
            .with("open", DimensionValue::InFlight(InFlightSnapshot { started: 3, finished: 1 }))
            .with("none", DimensionValue::Breakdown(Vec::new()))
            .with("map", DimensionValue::map([("inner", None::<u64>.into())]))
    }
}

#[test]
fn st1_values_of_hand_written_metrics_come_back() {
    let snapshot = recorded(Handmade);
    let back = came_back(&snapshot);
    assert_eq!(back, snapshot);
    assert_eq!(written(&back), written(&snapshot));
    let typed = Dones::default().typed_snapshot();
    assert_eq!(serde_json::to_string(&typed.weighted).unwrap(), r#"{"mean":null,"sum":0.0,"count":0}"#);
}
