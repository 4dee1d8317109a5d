//! Breakdowns: labels of every form, limits, the label `other`, work in flight; the contract's section on labels.
//! Covers ST11.

use std::time::Duration;

use mvx_metrics::{
    Breakdown, Counter, DimensionKind, DimensionValue, Extreme, Gauge, HandleEvent, InFlight,
    InFlightSnapshot, Label, Max, Mean, MeanSnapshot, Metric, Number, Sum, TypedMetric, metric_event,
};
use serde_json::{Value, json};

use crate::basics::dimensions;

#[derive(Label, Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Get,
    Post,
    #[label(name = "DELETE!")]
    Delete,
}

/// A label that derives nothing but `Label`.
#[derive(Label)]
#[label(rename_all = "SCREAMING-KEBAB-CASE")]
enum Tier {
    FreeOfCharge,
    Paid,
}

#[metric_event]
struct Answered {
    method: Method,
    tier: Tier,
    host: String,
    status: u16,
    cached: bool,
    elapsed: Duration,
    ratio: Option<f64>,
}

fn answered(method: Method, host: &str, status: u16) -> Answered {
    Answered {
        method,
        tier: if status < 300 { Tier::Paid } else { Tier::FreeOfCharge },
        host: host.to_owned(),
        status,
        cached: status == 304,
        elapsed: Duration::from_millis(u64::from(status)),
        ratio: None,
    }
}

#[derive(Metric, Default)]
#[metric(on(Answered))]
struct Answers {
    #[dimension(by = method)]
    by_method: Breakdown<Method, Counter>,
    #[dimension(by(method, cached), value = elapsed)]
    slowest: Breakdown<(Method, bool), Max<Duration>>,
    #[dimension(by = tier, add = |e| u64::from(e.status))]
    by_tier: Breakdown<Tier, Counter>,
    #[dimension(by = host, limit = 2)]
    by_host: Breakdown<String, Counter>,
    #[dimension(by(host = |e| e.host.as_str(), class = |e| e.status / 100, method), limit = 10, value = elapsed)]
    by_all: Breakdown<(String, u16, Method), Mean<Duration>>,
    #[dimension(by = Answered::class, limit = 5, when = |e| e.status >= 400)]
    errors: Breakdown<&'static str, Counter>,
    #[dimension(by = host, limit = 2, value = ratio)]
    ratios: Breakdown<String, Sum<f64>>,
    #[dimension(by = cached, set = |e| i64::from(e.status))]
    last: Breakdown<bool, Gauge<i64>>,
}

impl Answered {
    fn class(&self) -> &'static str {
        if self.status < 500 { "client" } else { "server" }
    }
}

#[test]
fn st11_a_breakdown_shows_zeros_at_first_where_the_type_knows_the_labels() {
    let first = json!({
        "by_method": {"get": 0, "post": 0, "DELETE!": 0},
        "by_tier": {"PAID": 0, "FREE-OF-CHARGE": 0},
        "slowest": {}, "by_host": {}, "by_all": {}, "errors": {}, "ratios": {}, "last": {},
    });
    assert_eq!(dimensions(&Answers::default()), first);
}

/// The mean of one value.
fn one_mean(value: f64) -> Value {
    json!({"mean": value, "sum": value, "count": 1})
}

#[test]
fn a_breakdown_has_one_dimension_for_each_label() {
    let mut metric = Answers::default();
    metric.handle(&answered(Method::Post, "b.example", 200));
    metric.handle(&answered(Method::Get, "a.example", 304));
    metric.handle(&answered(Method::Get, "a.example", 500));
    metric.handle(&answered(Method::Delete, "b.example", 404));
    assert_eq!(
        dimensions(&metric),
        json!({
            "by_method": {"get": 2, "post": 1, "DELETE!": 1},
            "slowest": {
                "get": {"false": 0.5, "true": 0.304},
                "post": {"false": 0.2},
                "DELETE!": {"false": 0.404},
            },
            "by_tier": {"PAID": 200, "FREE-OF-CHARGE": 1208},
            "by_host": {"a.example": 2, "b.example": 2},
            "by_all": {
                "a.example": {"3": {"get": one_mean(0.304)}, "5": {"get": one_mean(0.5)}},
                "b.example": {"2": {"post": one_mean(0.2)}, "4": {"DELETE!": one_mean(0.404)}},
            },
            "errors": {"client": 1, "server": 1},
            "ratios": {},
            "last": {"false": 404, "true": 304},
        })
    );
}

#[test]
fn labels_of_an_enum_are_shown_in_the_order_of_their_declaration() {
    let mut metric = Answers::default();
    for method in [Method::Delete, Method::Post, Method::Get] {
        metric.handle(&answered(method, "", 200));
    }
    let text = serde_json::to_string(&metric.typed_snapshot().by_method).unwrap();
    assert_eq!(text, r#"{"get":1,"post":1,"DELETE!":1}"#);
}

#[test]
fn typed_breakdowns_are_read_by_label() {
    let mut metric = Answers::default();
    metric.handle(&answered(Method::Get, "a.example", 200));
    let snapshot = metric.typed_snapshot();
    assert_eq!(snapshot.by_method.get(Method::Get), Some(&1));
    assert_eq!(snapshot.by_method.get(Method::Post), Some(&0));
    assert_eq!(snapshot.slowest.get((Method::Post, false)), None);
    assert_eq!(snapshot.by_host.get("a.example"), Some(&1));
    assert_eq!(snapshot.slowest.get((Method::Get, false)), Some(&Extreme::Known(Duration::from_millis(200))));
    assert_eq!(metric.by_host.get("a.example").map(Counter::get), Some(1));
    assert_eq!(metric.by_method.get(Method::Get).map(Counter::get), Some(1));
    assert!(metric.by_host.get("b.example").is_none());
}

#[test]
fn the_dimension_of_other_is_read_by_that_label() {
    let mut metric = Answers::default();
    for host in ["a", "b", "c", "other"] {
        metric.handle(&answered(Method::Get, host, 200));
    }
    assert_eq!(metric.by_host.get("other").map(Counter::get), Some(2));
    assert_eq!(metric.typed_snapshot().by_host.get("other"), Some(&2));
    assert!(metric.by_all.get(("other", 2, Method::Get)).is_some_and(|mean| mean.count() == 1));
    assert!(Answers::default().by_host.get("other").is_none());
}

type ByMethod = Breakdown<Method, Counter>;

#[derive(Metric, Default)]
#[metric(on(Answered))]
struct Needless {
    #[dimension(by = method, limit = 1)]
    methods: Breakdown<Method, Counter>,
    #[dimension(by(method, cached), limit = 1)]
    by_method_and_cache: Breakdown<(Method, bool), Counter>,
    #[dimension(by = method, limit = 1)]
    by_alias: ByMethod,
    #[dimension(by(method, host), limit = 2)]
    by_method_and_host: Breakdown<(Method, String), Counter>,
}

#[test]
fn a_limit_is_for_open_labels_alone() {
    let mut metric = Needless::default();
    metric.handle(&answered(Method::Get, "a", 200));
    metric.handle(&answered(Method::Post, "a", 200));
    let snapshot = metric.typed_snapshot();
    assert_eq!(
        (snapshot.methods.len(), snapshot.by_method_and_cache.len(), snapshot.by_alias.len()),
        (3, 6, 3)
    );
    // The descriptor has the limit that totals over several recorders apply.
    let limits: Vec<_> = metric.descriptor().dimensions.iter().map(|dimension| dimension.limit).collect();
    assert_eq!(limits, [None, None, None, Some(2)]);
}

#[test]
fn a_label_beyond_the_limit_is_counted_in_other() {
    let mut metric = Answers::default();
    for host in ["a", "b", "c", "d", "a", "c", "other"] {
        metric.handle(&answered(Method::Get, host, 200));
    }
    assert_eq!(dimensions(&metric)["by_host"], json!({"a": 2, "b": 1, "other": 4}));
}

#[test]
fn a_label_that_is_called_other_shares_its_place() {
    let mut metric = Answers::default();
    for host in ["other", "a", "other", "b", "c"] {
        metric.handle(&answered(Method::Get, host, 200));
    }
    assert_eq!(dimensions(&metric)["by_host"], json!({"a": 1, "b": 1, "other": 3}));
}

#[test]
fn a_label_without_a_recorded_value_takes_no_place() {
    let mut metric = Answers::default();
    for host in ["a", "b", "c"] {
        metric.handle(&answered(Method::Get, host, 200));
    }
    let some = |host| Answered { ratio: Some(0.5), ..answered(Method::Get, host, 200) };
    metric.handle(&some("c"));
    metric.handle(&some("d"));
    metric.handle(&Answered { ratio: Some(f64::NAN), ..answered(Method::Get, "e", 200) });
    let shown = dimensions(&metric);
    assert_eq!(shown["ratios"], json!({"c": 0.5, "d": 0.5, "other": 0.0}));
    assert_eq!(shown["invalid"], 1);
}

#[test]
fn a_label_of_more_than_256_bytes_is_counted_in_other() {
    let mut metric = Answers::default();
    let host = "x".repeat(257);
    metric.handle(&answered(Method::Get, &host, 200));
    metric.handle(&answered(Method::Get, &host[1..], 200));
    assert_eq!(dimensions(&metric)["by_host"], json!({"other": 1, &host[1..]: 1}));
}

#[metric_event]
struct Visited {
    page: u32,
}

#[derive(Metric, Default)]
#[metric(on(Visited))]
struct Visits {
    #[dimension(by = page, limit = 5_000)]
    by_page: Breakdown<u32, Counter>,
    #[dimension(by = page, limit = MAX_PAGES)]
    few: Breakdown<u32, Counter>,
}

const MAX_PAGES: usize = 3;

#[test]
#[cfg_attr(miri, ignore = "7,000 events take minutes")]
fn up_to_limit_labels_are_counted_apart() {
    let mut metric = Visits::default();
    for page in (0..6_000).chain(1_000..2_000) {
        metric.handle(&Visited { page });
    }
    let snapshot = metric.typed_snapshot();
    assert_eq!(snapshot.by_page.len(), 5_001);
    assert_eq!(snapshot.by_page.get(999), Some(&1));
    assert_eq!(snapshot.by_page.get(1_999), Some(&2));
    assert_eq!(snapshot.by_page.get(5_000), None);
    assert_eq!(snapshot.by_page.iter().map(|(_, count)| count).sum::<u64>(), 7_000);
    assert_eq!(serde_json::to_value(&snapshot.few).unwrap(), json!({"0": 1, "1": 1, "2": 1, "other": 6_997}));
}

#[test]
fn a_descriptor_names_kinds_units_and_labels() {
    let descriptor = Answers::default().descriptor();
    let labels: Vec<_> = descriptor.dimensions.iter().map(|dimension| dimension.labels.join(",")).collect();
    assert_eq!(
        labels,
        ["method", "method,cached", "tier", "host", "host,class,method", "class", "host", "cached"]
    );
    assert_eq!(descriptor.dimensions[0].kind, DimensionKind::Counter);
    assert_eq!(descriptor.dimensions[1].kind, DimensionKind::Max);
    assert_eq!(descriptor.dimensions[1].unit.as_deref(), Some("seconds"));
}

#[test]
fn an_erased_breakdown_keeps_labels_and_what_can_be_combined() {
    let mut metric = Answers::default();
    metric.handle(&answered(Method::Get, "a", 500));
    let snapshot = metric.snapshot();
    let Some(DimensionValue::Breakdown(entries)) = snapshot.get("by_all") else { panic!("no breakdown") };
    assert_eq!(entries[0].labels, ["a", "5", "get"]);
    assert_eq!(
        entries[0].value,
        DimensionValue::Mean(MeanSnapshot { sum: Number::Duration(Duration::from_millis(500)), count: 1 })
    );
}

#[metric_event]
enum Job {
    Started { queue: &'static str, size: u64 },
    Finished { queue: &'static str, size: u64 },
}

impl Job {
    fn queue(&self) -> &'static str {
        match self {
            Self::Started { queue, .. } | Self::Finished { queue, .. } => queue,
        }
    }

    fn started(&self) -> bool {
        matches!(self, Self::Started { .. })
    }

    fn size(&self) -> u64 {
        match self {
            Self::Started { size, .. } | Self::Finished { size, .. } => *size,
        }
    }
}

#[derive(Metric, Default)]
struct Jobs {
    #[dimension(on(Job, when = Job::started, add), on(Job, when = |e| !e.started(), sub))]
    running: InFlight,
    #[dimension(
        limit = 4,
        on(Job, by = Job::queue, when = Job::started, add = Job::size),
        on(Job, by = Job::queue, when = |e| !e.started(), sub = Job::size),
    )]
    load: Breakdown<&'static str, InFlight>,
}

#[test]
fn work_in_flight_is_started_minus_finished() {
    let mut metric = Jobs::default();
    let amounts = |started: u64, finished: u64| {
        let current = started.cast_signed() - finished.cast_signed();
        json!({"current": current, "started": started, "finished": finished})
    };
    assert_eq!(dimensions(&metric), json!({"running": amounts(0, 0), "load": {}}));
    metric.handle(&Job::Started { queue: "mail", size: 3 });
    metric.handle(&Job::Started { queue: "mail", size: 4 });
    metric.handle(&Job::Finished { queue: "mail", size: 3 });
    metric.handle(&Job::Finished { queue: "print", size: 9 });
    assert_eq!(
        dimensions(&metric),
        json!({"running": amounts(2, 2), "load": {"mail": amounts(7, 3), "print": amounts(0, 9)}})
    );
    assert_eq!(
        metric.snapshot().get("running"),
        Some(&DimensionValue::InFlight(InFlightSnapshot { started: 2, finished: 2 }))
    );
    assert_eq!((metric.running.started(), metric.running.finished()), (2, 2));
    assert_eq!(metric.snapshot().get("running").and_then(DimensionValue::as_u64), Some(0));
    metric.handle(&Job::Finished { queue: "mail", size: 1 });
    assert_eq!(metric.snapshot().get("running").and_then(DimensionValue::as_u64), None);
}
