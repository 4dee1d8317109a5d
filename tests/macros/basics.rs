//! The first program, values of every simple dimension, several events, conditions, invalid values, saturation.
//! Covers EV1, EV2, EV4, RM9.

use std::time::Duration;

use mvx_metrics::{
    Counter, DimensionKind, Gauge, HandleEvent, Label, Max, Mean, Metric, MetricEvent, MetricSnapshots, Min,
    Sum, TypedMetric, metric_event,
};
use serde_json::{Value, json};

#[derive(Label, Debug, Clone, Copy, PartialEq, Eq)]
enum SaveOutcome {
    Success,
    Failure,
}

#[metric_event(name = "document_storage.save.attempt")]
struct DocumentSaveAttempt {
    outcome: SaveOutcome,
    elapsed: Duration,
    bytes: u64,
}

/// Attempts to save a document.
#[derive(Metric, Default)]
#[metric(name = "document_storage.save.attempts", on(DocumentSaveAttempt))]
struct DocumentSaveAttempts {
    /// All attempts.
    total: Counter,
    #[dimension(when = |e| e.outcome == SaveOutcome::Success)]
    success_total: Counter,
    #[dimension(when = |e| e.outcome == SaveOutcome::Failure)]
    failure_total: Counter,
}

/// An attempt that took so long and saved so many bytes.
fn save(outcome: SaveOutcome, millis: u64, bytes: u64) -> DocumentSaveAttempt {
    DocumentSaveAttempt { outcome, elapsed: Duration::from_millis(millis), bytes }
}

pub fn json<M: Metric>(metric: &M) -> Value {
    let snapshots: MetricSnapshots = [metric.snapshot()].into_iter().collect();
    serde_json::to_value(&snapshots).unwrap()
}

/// The erased dimensions as JSON. Checks before that the typed snapshot serialises to the same and reads back equal.
pub fn dimensions<M>(metric: &M) -> Value
where
    M: TypedMetric<Snapshot: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>,
{
    let snapshot = metric.snapshot();
    let mut erased = serde_json::to_value(&snapshot.dimensions).unwrap();
    if snapshot.invalid != 0 {
        erased["invalid"] = snapshot.invalid.into();
    }
    let typed = metric.typed_snapshot();
    let text = serde_json::to_string(&typed).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), erased);
    assert_eq!(serde_json::from_str::<M::Snapshot>(&text).unwrap(), typed);
    erased
}

#[test]
fn the_first_program_counts() {
    let mut metric = DocumentSaveAttempts::default();
    for outcome in [SaveOutcome::Success, SaveOutcome::Failure, SaveOutcome::Success] {
        assert!(metric.handle(&save(outcome, 1, 1)));
    }
    assert_eq!(
        json(&metric),
        json!({"document_storage.save.attempts": {
            "name": "document_storage.save.attempts",
            "dimensions": {"total": 3, "success_total": 2, "failure_total": 1},
        }})
    );
    assert_eq!(metric.typed_snapshot().success_total, 2);
    dimensions(&metric);
}

#[test]
fn rm9_a_descriptor_lists_names_kinds_units_and_help() {
    let descriptor = DocumentSaveAttempts::default().descriptor();
    assert_eq!(descriptor.name, "document_storage.save.attempts");
    assert_eq!(descriptor.help, "Attempts to save a document.");
    let dimensions: Vec<_> = descriptor.dimensions.iter().map(|d| (&*d.name, d.kind, &*d.help)).collect();
    assert_eq!(
        dimensions,
        [
            ("total", DimensionKind::Counter, "All attempts."),
            ("success_total", DimensionKind::Counter, ""),
            ("failure_total", DimensionKind::Counter, ""),
        ]
    );
}

#[derive(Metric, Default)]
#[metric(on(DocumentSaveAttempt))]
struct SaveValues {
    #[dimension(value = bytes)]
    bytes: Sum<u64>,
    #[dimension(value = elapsed, when = |e| e.bytes > 0)]
    shortest: Min<Duration>,
    #[dimension(value = |e| e.bytes.cast_signed() - 10)]
    largest: Max<i64>,
    #[dimension(value = elapsed)]
    elapsed: Mean<Duration>,
    #[dimension(value = DocumentSaveAttempt::load, name = "load_now")]
    load: Gauge<f64>,
    #[dimension(set = elapsed)]
    last: Gauge<Duration>,
    #[dimension(add = bytes, when = SaveOutcome::failed)]
    lost_bytes: Counter,
    #[dimension(skip)]
    note: String,
}

impl DocumentSaveAttempt {
    fn load(&self) -> f64 {
        self.elapsed.as_secs_f64() * 100.0
    }
}

impl SaveOutcome {
    fn failed(event: &DocumentSaveAttempt) -> bool {
        event.outcome == Self::Failure
    }
}

#[test]
fn values_feed_every_simple_dimension() {
    let mut metric = SaveValues { note: "not shown".to_owned(), ..SaveValues::default() };
    assert_eq!(
        dimensions(&metric),
        json!({"bytes": 0, "shortest": null, "largest": null, "elapsed": {"mean": null, "sum": 0.0, "count": 0},
            "load_now": null, "last": null, "lost_bytes": 0})
    );
    metric.handle(&save(SaveOutcome::Success, 500, 4));
    metric.handle(&save(SaveOutcome::Failure, 1500, 7));
    metric.handle(&save(SaveOutcome::Success, 250, 0));
    assert_eq!(
        dimensions(&metric),
        json!({"bytes": 11, "shortest": 0.5, "largest": -3, "elapsed": {"mean": 0.75, "sum": 2.25, "count": 3},
            "load_now": 25.0, "last": 0.25, "lost_bytes": 7})
    );
    assert_eq!(metric.typed_snapshot().shortest, Some(Duration::from_millis(500)));
    assert_eq!(metric.note, "not shown");
}

#[test]
fn durations_have_the_unit_seconds() {
    let units: Vec<_> =
        SaveValues::default().descriptor().dimensions.iter().map(|d| d.unit.clone()).collect();
    assert_eq!(units.iter().flatten().collect::<Vec<_>>(), ["seconds"; 3]);
}

#[metric_event]
struct Connected(u64, Option<f64>);

#[metric_event]
struct HTTPConnectionClosed;

#[metric_event]
enum Request {
    Done { elapsed: Duration },
    Failed(String),
    Ignored,
}

#[metric_event]
struct Finished<K: Send + 'static> {
    kind: K,
}

#[test]
fn ev1_event_types_are_the_given_name_or_snake_case() {
    assert_eq!(DocumentSaveAttempt::EVENT_TYPE, "document_storage.save.attempt");
    assert_eq!(HTTPConnectionClosed::EVENT_TYPE, "http_connection_closed");
    assert_eq!(<Finished<u8> as MetricEvent>::EVENT_TYPE, "finished");
}

/// A metric of several events, one of them with a hand-written handler.
#[derive(Metric, Default)]
#[metric(on(Connected), on(Request), on(HTTPConnectionClosed, with = Self::closed, when = |_| true), on(Finished<u8>))]
struct Traffic {
    events: Counter,
    #[dimension(on(Connected, value = 0))]
    port: Max<u64>,
    #[dimension(on(Connected, value = 1))]
    load: Sum<f64>,
    #[dimension(on(Request, when = |e| matches!(e, Request::Failed(reason) if reason.is_empty())))]
    unexplained: Counter,
    #[dimension(on(Request, value = |e| match e {
        Request::Done { elapsed } => Some(*elapsed),
        Request::Failed(_) | Request::Ignored => None,
    }))]
    elapsed: Sum<Duration>,
    #[dimension(on(Connected, set = 1), on(Finished<u8>, set = |e| i64::from(e.kind)))]
    state: Gauge<i64>,
    #[dimension(manual)]
    closed: Gauge<i64>,
}

impl Traffic {
    fn closed(&mut self, _: &HTTPConnectionClosed) -> bool {
        let closed = self.closed.get().unwrap_or(0);
        self.closed.set(closed + 1);
        closed < 1
    }
}

#[test]
fn ev4_a_metric_listens_to_several_events() {
    let mut metric = Traffic::default();
    assert!(metric.handle(&Connected(80, None)));
    assert!(metric.handle(&Connected(443, Some(0.5))));
    assert!(metric.handle(&Request::Done { elapsed: Duration::from_secs(1) }));
    assert!(metric.handle(&Request::Failed(String::new())));
    assert!(metric.handle(&Request::Ignored));
    assert!(metric.handle(&Finished { kind: 7_u8 }));
    assert!(metric.handle(&HTTPConnectionClosed));
    assert!(!metric.handle(&HTTPConnectionClosed));
    assert_eq!(
        dimensions(&metric),
        json!({"events": 6, "port": 443, "load": 0.5, "unexplained": 1, "elapsed": 1.0, "state": 7, "closed": 2})
    );
    assert_eq!(Traffic::handlers().len(), 4);
}

#[derive(Metric, Default)]
#[metric(on(Connected), when = |e| e.0 > 1024)]
struct HighPorts {
    seen: Counter,
    #[dimension(value = 1)]
    load: Sum<f64>,
    #[dimension(value = 1)]
    mean: Mean<f64>,
}

#[test]
fn ev2_a_metric_ignores_what_it_does_not_list_or_want() {
    let mut metric = HighPorts::default();
    assert!(!metric.handle(&Connected(80, Some(1.0))));
    assert!(!metric.handle_event((&HTTPConnectionClosed).into()));
    assert_eq!(
        dimensions(&metric),
        json!({"seen": 0, "load": 0.0, "mean": {"mean": null, "sum": 0.0, "count": 0}})
    );
}

#[test]
fn values_that_are_not_finite_are_counted_as_invalid() {
    let mut metric = HighPorts::default();
    metric.handle(&Connected(8080, Some(f64::NAN)));
    metric.handle(&Connected(8080, Some(f64::INFINITY)));
    metric.handle(&Connected(8080, Some(2.0)));
    let mean = json!({"mean": 2.0, "sum": 2.0, "count": 1});
    assert_eq!(dimensions(&metric), json!({"seen": 3, "load": 2.0, "mean": mean, "invalid": 4}));
    assert_eq!(json(&metric)["high_ports"]["invalid"], 4);
    assert_eq!(metric.typed_snapshot().invalid, 4);
}

#[test]
fn arithmetic_saturates() {
    let mut metric = SaveValues::default();
    metric.handle(&save(SaveOutcome::Failure, 1, u64::MAX >> 1));
    metric.handle(&save(SaveOutcome::Failure, u64::MAX, u64::MAX >> 1));
    metric.handle(&save(SaveOutcome::Failure, 1, 5));
    assert_eq!(dimensions(&metric)["bytes"], u64::MAX);
    assert_eq!(dimensions(&metric)["lost_bytes"], u64::MAX);
    let mut metric = HighPorts::default();
    metric.handle(&Connected(8080, Some(f64::MAX)));
    metric.handle(&Connected(8080, Some(f64::MAX)));
    assert_eq!(metric.load.get().to_bits(), f64::MAX.to_bits());
}
