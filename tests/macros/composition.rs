//! Flattened and generic metrics, names, users' own dimension types, constants, and what a typed snapshot reads back.
//! Covers EV6.

use std::fmt::Debug;
use std::time::Duration;

use mvx_metrics::feed::{Count, IntoMeasure, Record};
use mvx_metrics::{
    Breakdown, Counter, Dimension, DimensionKind, DimensionValue, Gauge, HandleEvent, Label, Max, Measure,
    MergeRule, Metric, MetricEvent, Output, Sum, TypedMetric, metric_event,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::basics::dimensions;

#[metric_event]
struct Read {
    bytes: u64,
}

#[metric_event]
struct Written {
    bytes: u64,
    load: f64,
}

/// The dimensions that reads and writes share.
#[derive(Metric, Default)]
#[metric(on(Read), on(Written))]
struct Traffic {
    /// How often.
    calls: Counter,
    #[dimension(on(Read, value = bytes), on(Written, value = bytes), unit = bytes)]
    volume: Sum<u64>,
    #[dimension(on(Written, value = load))]
    load: Max<f64>,
}

#[derive(Metric, Default)]
#[metric(on(Read), on(Written))]
struct Storage {
    calls: Counter,
    #[dimension(flatten(prefix = "traffic."))]
    traffic: Traffic,
    #[dimension(flatten(prefix = "writes_"), on(Written))]
    writes: Traffic,
    #[dimension(on(Written))]
    last: Counter,
}

#[derive(Metric, Default)]
#[metric(on(Read))]
struct Nested {
    #[dimension(flatten(prefix = "a_"))]
    storage: StorageOfReads,
}

#[derive(Metric, Default)]
#[metric(on(Read))]
struct StorageOfReads {
    before: Counter,
    #[dimension(flatten(prefix = "b_"))]
    traffic: Traffic,
    after: Counter,
}

#[test]
fn a_flattened_metric_is_part_of_the_outer_one() {
    let mut metric = Storage::default();
    assert!(metric.handle(&Read { bytes: 1 }));
    assert!(metric.handle(&Written { bytes: 10, load: f64::NAN }));
    assert_eq!(
        dimensions(&metric),
        json!({"calls": 2, "traffic.calls": 2, "traffic.volume": 11, "traffic.load": null,
            "writes_calls": 1, "writes_volume": 10, "writes_load": null, "last": 1, "invalid": 2})
    );
    assert_eq!(metric.typed_snapshot().traffic.volume, 11);
}

#[test]
fn a_flattened_metric_is_described_with_its_prefix() {
    let descriptor = Storage::default().descriptor();
    let names: Vec<_> = descriptor.dimensions.iter().map(|dimension| &*dimension.name).collect();
    assert_eq!(
        names,
        [
            "calls",
            "traffic.calls",
            "traffic.volume",
            "traffic.load",
            "writes_calls",
            "writes_volume",
            "writes_load",
            "last"
        ]
    );
    assert_eq!(descriptor.dimensions[1].help, "How often.");
    assert_eq!(descriptor.dimensions[2].unit.as_deref(), Some("bytes"));
}

#[test]
fn prefixes_of_nested_flattened_metrics_are_joined() {
    let mut metric = Nested::default();
    metric.handle(&Read { bytes: 1 });
    assert_eq!(
        dimensions(&metric),
        json!({"a_before": 1, "a_b_calls": 1, "a_b_volume": 1, "a_b_load": null, "a_after": 1})
    );
    let names: Vec<_> =
        metric.descriptor().dimensions.iter().map(|dimension| dimension.name.to_string()).collect();
    assert_eq!(names, ["a_before", "a_b_calls", "a_b_volume", "a_b_load", "a_after"]);
}

#[metric_event]
struct Finished<K: Send + 'static, const N: usize> {
    kind: K,
    attempts: u32,
}

#[derive(Metric)]
#[metric(on(Finished<K, 3>))]
struct Finishes<K, T, Unused>
where
    K: Label + Send,
    T: Measure,
    Unused: Send + 'static,
    Finished<K, 3>: Amount<T>,
{
    #[dimension(by = kind, limit = 3)]
    by_kind: Breakdown<K, Counter>,
    #[dimension(value = Amount::amount)]
    amount: Sum<T>,
    #[dimension(skip)]
    unused: Option<Unused>,
}

trait Amount<T> {
    fn amount(&self) -> T;
}

impl<K: Send + 'static> Amount<f64> for Finished<K, 3> {
    fn amount(&self) -> f64 {
        f64::from(self.attempts) / 2.0
    }
}

#[test]
fn metrics_and_events_may_be_generic() {
    let mut metric =
        Finishes { by_kind: Breakdown::default(), amount: Sum::<f64>::default(), unused: Some("not shown") };
    metric.handle(&Finished { kind: "mail".to_owned(), attempts: 3 });
    metric.handle(&Finished { kind: "print".to_owned(), attempts: 1 });
    assert_eq!(dimensions(&metric), json!({"by_kind": {"mail": 1, "print": 1}, "amount": 2.0}));
    let snapshot: FinishesSnapshot<String, f64> = metric.typed_snapshot();
    assert_eq!(snapshot.clone(), snapshot);
    assert_eq!(metric.unused, Some("not shown"));
}

/// A metric that is generic over its event.
#[derive(Metric)]
#[metric(on(E), name = "seen")]
struct Seen<E: MetricEvent> {
    total: Counter,
    #[dimension(skip)]
    event: std::marker::PhantomData<fn() -> E>,
}

#[test]
fn ev6_a_metric_may_be_generic_over_its_event() {
    let mut metric = Seen::<Read> { total: Counter::default(), event: std::marker::PhantomData };
    assert!(metric.handle(&Read { bytes: 1 }));
    assert!(!metric.handle_event((&Written { bytes: 1, load: 0.0 }).into()));
    assert_eq!(dimensions(&metric), json!({"total": 1}));
}

#[derive(Metric, Default)]
#[metric(on(Read), rename_all = "SCREAMING_SNAKE_CASE")]
struct HTTPReads {
    all_reads: Counter,
    #[dimension(name = "kept")]
    not_renamed: Counter,
    r#type: Counter,
}

#[derive(Metric, Default)]
#[metric(on(Read), rename_all = "camelCase")]
struct Camel {
    all_the_reads: Counter,
}

#[test]
fn names_follow_rename_all() {
    assert_eq!(HTTPReads::default().metric_name(), "http_reads");
    assert_eq!(dimensions(&HTTPReads::default()), json!({"ALL_READS": 0, "kept": 0, "TYPE": 0}));
    assert_eq!(dimensions(&Camel::default()), json!({"allTheReads": 0}));
    assert_eq!(HTTPReads::default().typed_snapshot().r#type, 0);
}

#[derive(Metric, Default)]
#[metric(on(Written))]
struct Loads {
    #[dimension(value = load, merge = max, unit = "percent")]
    load: Gauge<f64>,
    #[dimension(set = load)]
    other: Gauge<f64>,
}

#[test]
fn a_gauge_says_how_it_is_merged() {
    let dimensions = Loads::default().descriptor().dimensions.into_owned();
    assert_eq!([dimensions[0].merge, dimensions[1].merge], [Some(MergeRule::Max), Some(MergeRule::Sum)]);
    assert_eq!(dimensions[0].unit.as_deref(), Some("percent"));
}

/// A user's own dimension type, which counts events or records values.
#[derive(Default)]
struct Spread {
    low: f64,
    high: f64,
    calls: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct SpreadOutput {
    low: f64,
    high: f64,
    calls: u64,
}

impl Output for SpreadOutput {}

impl Dimension for Spread {
    type Output = SpreadOutput;
    const KIND: DimensionKind = DimensionKind::Custom;

    fn read(&self) -> SpreadOutput {
        SpreadOutput { low: self.low, high: self.high, calls: self.calls }
    }

    fn value(spread: SpreadOutput) -> DimensionValue {
        DimensionValue::map([
            ("low", spread.low.into()),
            ("high", spread.high.into()),
            ("calls", spread.calls.into()),
        ])
    }
}

impl Count for Spread {
    fn count(&mut self) -> bool {
        self.calls += 1;
        true
    }
}

impl<V: IntoMeasure<f64>> Record<V> for Spread {
    fn record(&mut self, value: V) -> bool {
        let Some(value) = value.into_measure() else { return false };
        self.low = self.low.min(value);
        self.high = self.high.max(value);
        true
    }
}

#[derive(Metric, Default)]
struct Spreads {
    #[dimension(on(Written, value = load), on(Read))]
    load: Spread,
    #[dimension(on(Written, by(is_large = |e| e.bytes > 5), value = load))]
    by_size: Breakdown<bool, Spread>,
}

#[test]
fn a_dimension_may_be_of_the_users_own() {
    let mut metric = Spreads::default();
    metric.handle(&Written { bytes: 1, load: 0.5 });
    metric.handle(&Written { bytes: 9, load: -0.5 });
    metric.handle(&Read { bytes: 1 });
    assert_eq!(
        dimensions(&metric),
        json!({
            "load": {"low": -0.5, "high": 0.5, "calls": 1},
            "by_size": {"false": {"low": 0.0, "high": 0.5, "calls": 0}, "true": {"low": -0.5, "high": 0.0, "calls": 0}},
        })
    );
}

/// A dimension named `invalid` keeps its name.
#[derive(Metric, Default)]
#[metric(on(Written))]
struct Requests {
    #[dimension(when = |e| e.bytes == 0)]
    invalid: Counter,
    #[dimension(value = load)]
    load: Sum<f64>,
}

#[test]
fn a_dimension_may_be_called_invalid() {
    let mut metric = Requests::default();
    metric.handle(&Written { bytes: 0, load: f64::NAN });
    let snapshot = metric.typed_snapshot();
    assert_eq!((snapshot.invalid, snapshot.invalid_values), (1, 1));
    let json = serde_json::to_value(&snapshot).unwrap();
    assert_eq!(json, json!({"invalid": 1, "load": 0.0, "invalid_values": 1}));
    assert_eq!(serde_json::from_value::<RequestsSnapshot>(json).unwrap(), snapshot);
}

#[derive(Metric, Default)]
#[metric(on(Written))]
struct Doubts {
    #[dimension(name = "invalid")]
    doubtful: Counter,
    invalid_values: Counter,
    #[dimension(value = load)]
    load: Sum<f64>,
}

#[test]
fn dimensions_may_have_every_name_of_the_invalid_count() {
    let mut metric = Doubts::default();
    metric.handle(&Written { bytes: 0, load: f64::NAN });
    let snapshot = metric.typed_snapshot();
    assert_eq!((snapshot.doubtful, snapshot.invalid_values, snapshot.invalid_values_2), (1, 1, 1));
    let json = serde_json::to_value(&snapshot).unwrap();
    assert_eq!(json, json!({"invalid": 1, "invalid_values": 1, "load": 0.0, "invalid_values_2": 1}));
    assert_eq!(serde_json::from_value::<DoubtsSnapshot>(json).unwrap(), snapshot);
}

#[derive(Metric, Default)]
struct Constants {
    #[dimension(on(Read, set = 0), on(Written, set = 1.5))]
    level: Gauge<f64>,
    #[dimension(on(Read, set = Duration::from_mins(1)))]
    timeout: Gauge<Duration>,
    #[dimension(on(Read, add = 3), on(Written, add = 2_u32))]
    points: Counter,
    #[dimension(on(Read, set = -1))]
    negative: Gauge<i64>,
}

#[test]
fn constants_feed_dimensions() {
    let mut metric = Constants::default();
    metric.handle(&Written { bytes: 0, load: 0.0 });
    assert_eq!(dimensions(&metric), json!({"level": 1.5, "timeout": null, "points": 2, "negative": null}));
    metric.handle(&Read { bytes: 0 });
    assert_eq!(dimensions(&metric), json!({"level": 0.0, "timeout": 60.0, "points": 5, "negative": -1}));
}

/// More dimensions than tuples have elements.
#[derive(Metric, Default)]
#[metric(on(Read))]
struct Many {
    a: Counter,
    b: Counter,
    c: Counter,
    d: Counter,
    e: Counter,
    f: Counter,
    g: Counter,
    h: Counter,
    i: Counter,
    j: Counter,
    k: Counter,
    l: Counter,
    m: Counter,
    #[dimension(flatten(prefix = "storage_"))]
    n: StorageOfReads,
    o: Counter,
    p: Counter,
    q: Counter,
    r: Counter,
    s: Counter,
    t: Counter,
    u: Counter,
    v: Counter,
    w: Counter,
    x: Counter,
    y: Counter,
    z: Counter,
}

#[test]
fn a_metric_may_have_many_dimensions() {
    let mut metric = Many::default();
    metric.handle(&Read { bytes: 1 });
    assert_eq!(dimensions(&metric).as_object().unwrap().len(), 30);
}

/// The flattened metric depends on the type parameter, so rustc compares the names when the metric is used.
#[derive(Metric, Default)]
#[metric(on(Read))]
struct Paired<T: Default + Send + 'static> {
    total: Counter,
    #[dimension(flatten(prefix = "one."))]
    one: Half<T>,
    #[dimension(flatten(prefix = "other_"))]
    other: Half<T>,
}

#[derive(Metric, Default)]
#[metric(on(Read))]
struct Half<T: Default + Send + 'static> {
    total: Counter,
    #[dimension(skip)]
    _state: T,
}

#[test]
fn dl7_a_generic_metric_flattens_names_that_differ_and_a_prefix_may_end_in_a_dot() {
    let mut metric = Paired::<u8>::default();
    assert_eq!(Paired::<u8>::handlers().len(), 1);
    metric.handle(&Read { bytes: 1 });
    assert_eq!(dimensions(&metric), json!({"total": 1, "one.total": 1, "other_total": 1}));
}

#[test]
fn a_typed_snapshot_names_the_missing_field() {
    let error = serde_json::from_str::<ConstantsSnapshot>(r#"{"level": 1.0}"#).unwrap_err();
    assert!(error.to_string().starts_with("missing field `timeout`"), "{error}");
    let error = serde_json::from_str::<ConstantsSnapshot>(r#"{"level": "high"}"#).unwrap_err();
    assert!(error.to_string().starts_with("`level`: invalid type: string"), "{error}");
    let text = r#"{"points": 1, "timeout": 0.5, "negative": null, "level": null}"#;
    assert_eq!(
        serde_json::from_str::<ConstantsSnapshot>(text).unwrap().timeout,
        Some(Duration::from_millis(500))
    );
    let error = serde_json::from_str::<ConstantsSnapshot>(&text.replace("0.5", "-1")).unwrap_err();
    assert!(error.to_string().contains("zero or more"), "{error}");
    let error =
        serde_json::from_str::<ConstantsSnapshot>(&text.replace('{', r#"{"later": [1],"#)).unwrap_err();
    assert!(error.to_string().starts_with("the metric has no dimension `later`"), "{error}");
}

#[test]
fn a_typed_snapshot_is_printed_by_field() {
    fn text(snapshot: &impl Debug) -> String {
        format!("{snapshot:?}")
    }
    let snapshot = Camel::default().typed_snapshot();
    assert_eq!(text(&snapshot), "CamelSnapshot { all_the_reads: 0, invalid: 0 }");
}
