//! Labels of the struct, which hold for each dimension without labels of its own. Covers DL2.

use std::time::Duration;

use mvx_metrics::{
    Breakdown, Counter, Gauge, HandleEvent, Histogram, Label, Max, Metric, Sum, Top, metric_event,
};
use serde_json::json;

use crate::basics::dimensions;

#[derive(Label, Debug, Clone, Copy, PartialEq, Eq)]
enum Zone {
    North,
    South,
}

#[metric_event]
struct Request {
    host: String,
    zone: Zone,
    took: Duration,
    bytes: u64,
}

#[metric_event]
struct Refused {
    host: String,
    zone: Zone,
}

fn request(host: &str, zone: Zone, bytes: u64) -> Request {
    Request { host: host.to_owned(), zone, took: Duration::from_secs(bytes), bytes }
}

type ByHost<D> = Breakdown<String, D>;

#[derive(Metric, Default)]
#[metric(on(Request))]
struct Totals {
    requests: Counter,
}

#[expect(clippy::struct_field_names, reason = "a metric of requests counts requests")]
#[derive(Metric, Default)]
#[metric(on(Request), by(host), limit = 2, keep = 5)]
struct Requests {
    requests: Breakdown<String, Counter>,
    #[dimension(value = bytes)]
    bytes: Breakdown<String, Sum<u64>>,
    #[dimension(value = took, buckets = [2.0])]
    took: Breakdown<String, Histogram<Duration>>,
    /// It keeps fewer labels.
    #[dimension(value = bytes, limit = 1)]
    largest: Breakdown<String, Max<u64>>,
    #[dimension(value = bytes)]
    top: Top<String, Sum<u64>>,
    #[dimension(when = |e| e.bytes > 1)]
    alias: ByHost<Counter>,
    metric: Breakdown<String, Totals>,
    #[dimension(by = zone)]
    by_zone: Breakdown<Zone, Counter>,
    #[dimension(flatten(prefix = "all_"))]
    totals: Totals,
    #[dimension(skip)]
    _note: String,
}

#[test]
fn dl2_labels_of_the_struct_hold_for_each_dimension_without_its_own() {
    let mut metric = Requests::default();
    for (host, zone, bytes) in
        [("a", Zone::North, 1), ("b", Zone::South, 5), ("c", Zone::South, 2), ("a", Zone::North, 3)]
    {
        metric.handle(&request(host, zone, bytes));
    }
    let shown = dimensions(&metric);
    assert_eq!(shown["requests"], json!({"a": 2, "b": 1, "other": 1}));
    assert_eq!(shown["bytes"], json!({"a": 4, "b": 5, "other": 2}));
    assert_eq!(shown["took"]["a"]["buckets"][0]["count"], 1);
    assert_eq!(shown["largest"], json!({"a": 3, "other": 5}));
    assert_eq!(shown["alias"], json!({"b": 1, "c": 1, "other": 1}));
    assert_eq!(shown["metric_requests"], json!({"a": 2, "b": 1, "other": 1}));
    assert_eq!(shown["by_zone"], json!({"north": 2, "south": 2}));
    assert_eq!(shown["all_requests"], 4);
}

#[test]
fn dl2_the_descriptors_have_the_labels_and_the_limits() {
    let descriptor = Requests::default().descriptor();
    let described: Vec<_> = descriptor
        .dimensions
        .iter()
        .map(|dimension| {
            (
                &*dimension.name,
                dimension.labels.first().map(|label| &**label),
                dimension.limit,
                dimension.keep,
            )
        })
        .collect();
    assert_eq!(
        described,
        [
            ("requests", Some("host"), Some(2), None),
            ("bytes", Some("host"), Some(2), None),
            ("took", Some("host"), Some(2), None),
            ("largest", Some("host"), Some(1), None),
            ("top", Some("host"), None, Some(5)),
            ("alias", Some("host"), Some(2), None),
            ("metric_requests", Some("host"), Some(2), None),
            ("by_zone", Some("zone"), None, None),
            ("all_requests", None, None, None),
        ]
    );
}

/// Two parts; one of the events comes from the field.
#[derive(Metric, Default)]
#[metric(on(Request), on(Refused), by(zone, host = |e| e.host.to_uppercase()), limit = 9)]
struct Traffic {
    events: Breakdown<(Zone, String), Counter>,
    #[dimension(on(Request, value = bytes))]
    bytes: Breakdown<(Zone, String), Sum<u64>>,
    #[dimension(on(Request, add = 2), on(Refused))]
    weighted: Breakdown<(Zone, String), Counter>,
}

#[test]
fn dl2_with_several_events_the_labels_hold_for_each() {
    let mut metric = Traffic::default();
    metric.handle(&request("a", Zone::North, 7));
    metric.handle(&Refused { host: "a".to_owned(), zone: Zone::North });
    metric.handle(&Refused { host: "b".to_owned(), zone: Zone::South });
    assert_eq!(
        dimensions(&metric),
        json!({
            "events": {"north": {"A": 2}, "south": {"B": 1}},
            "bytes": {"north": {"A": 7}},
            "weighted": {"north": {"A": 3}, "south": {"B": 1}},
        })
    );
    let descriptor = metric.descriptor();
    assert!(descriptor.dimensions.iter().all(|dimension| *dimension.labels == ["zone", "host"]));
}

#[derive(Metric, Default)]
#[metric(on(Refused, with = Self::on_refused), by = zone)]
struct Handled {
    #[dimension(manual)]
    last: Gauge<i64>,
    #[dimension(on(Refused))]
    refused: Breakdown<Zone, Counter>,
}

impl Handled {
    fn on_refused(&mut self, event: &Refused) -> bool {
        self.last.set(i64::try_from(event.host.len()).unwrap_or(i64::MAX));
        true
    }
}

#[test]
fn dl2_a_manual_dimension_has_no_labels_of_the_struct() {
    let mut metric = Handled::default();
    metric.handle(&Refused { host: "abc".to_owned(), zone: Zone::South });
    assert_eq!(dimensions(&metric), json!({"last": 3, "refused": {"north": 0, "south": 1}}));
}

#[metric_event]
struct Begun {
    host: String,
    id: u64,
    at: std::time::Instant,
}

/// The time between two events has no label, so its field inherits none.
#[derive(Metric, Default)]
#[metric(on(Begun), by(host), limit = 5)]
struct Between {
    #[dimension(on(Begun))]
    total: Breakdown<String, Counter>,
    #[dimension(on(Begun, begin = id, at = at, when = |e| e.id < 9), on(Begun, end = id, at = at, when = |e| e.id > 8), limit = 4)]
    latency: mvx_metrics::Histogram<std::time::Duration>,
}

#[test]
fn dl2_a_field_with_begin_and_end_takes_no_labels_of_the_struct() {
    let mut between = Between::default();
    between.handle(&Begun { host: "a".to_owned(), id: 1, at: std::time::Instant::now() });
    assert_eq!(between.descriptor().dimensions[1].labels.len(), 0);
    assert_eq!(between.total.get("a").map(Counter::get), Some(1));
}
