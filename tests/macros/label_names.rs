//! Names of labels, and labels that an event may lack; the contract's section on breakdowns. Covers LB1, LB3.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use mvx_metrics::{
    Breakdown, Counter, HandleEvent, Label, Max, Metric, MetricsRuntime, Sum, TypedMetric,
    export::{Format, Scope},
    metric_event,
};
use serde_json::json;

#[derive(Label, Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Get,
    Post,
}

#[metric_event]
struct Answered {
    method: Method,
    host: String,
    r#type: &'static str,
    status: u16,
    cached: bool,
}

impl Answered {
    fn route(&self) -> &str {
        self.host.split('/').next().unwrap_or_default()
    }

    fn class<const SIZE: u16>(&self) -> u16 {
        self.status / SIZE
    }
}

mod free {
    pub(super) fn region(_: &super::Answered) -> &'static str {
        "eu"
    }
}

type ByText = Breakdown<String, Counter>;

#[derive(Metric, Default)]
#[metric(on(Answered))]
struct Names {
    #[dimension(by = method)]
    a_field: Breakdown<Method, Counter>,
    #[dimension(by = r#type, limit = 9)]
    a_raw_field: ByText,
    #[dimension(by = Answered::route, limit = 9)]
    a_method: ByText,
    #[dimension(by = Answered::class::<100>, limit = 9)]
    a_generic_method: Breakdown<u16, Counter>,
    #[dimension(by = free::region, limit = 9)]
    a_function: Breakdown<&'static str, Counter>,
    #[dimension(by = |e| e.method)]
    a_closure: Breakdown<Method, Counter>,
    #[dimension(by = |event: &Answered| &(event.host), limit = 9)]
    a_reference: ByText,
    #[dimension(by(route = |e| e.host.as_str(), method), limit = 9)]
    a_list: Breakdown<(String, Method), Counter>,
    #[dimension(by(method,), when = |e| !e.cached)]
    a_list_of_one: Breakdown<Method, Counter>,
    #[dimension(by(verb = method))]
    a_renamed_field: Breakdown<Method, Counter>,
    #[dimension(by(path = Answered::route), limit = 9)]
    a_renamed_path: ByText,
    #[dimension(by(type = |e| e.r#type, r#match = cached, is_error = |e| e.status >= 400, Answered::route), limit = 9)]
    all: Breakdown<(&'static str, bool, bool, String), Counter>,
    #[dimension(by = (method, Answered::route, |e| e.cached), limit = 9)]
    a_tuple: Breakdown<(Method, String, bool), Counter>,
}

fn answered(method: Method, status: u16) -> Answered {
    Answered { method, host: "shop/cart".to_owned(), r#type: "json", status, cached: false }
}

#[test]
fn lb1_labels_are_named_after_fields_last_segments_or_as_written() {
    let descriptor = Names::default().descriptor();
    let labels = |name: &str| {
        let dimension = descriptor.dimensions.iter().find(|dimension| dimension.name == name).unwrap();
        dimension.labels.join(",")
    };
    assert_eq!(labels("a_field"), "method");
    assert_eq!(labels("a_raw_field"), "type");
    assert_eq!(labels("a_method"), "route");
    assert_eq!(labels("a_generic_method"), "class");
    assert_eq!(labels("a_function"), "region");
    assert_eq!(labels("a_closure"), "method");
    assert_eq!(labels("a_reference"), "host");
    assert_eq!(labels("a_list"), "route,method");
    assert_eq!(labels("a_list_of_one"), "method");
    assert_eq!(labels("a_renamed_field"), "verb");
    assert_eq!(labels("a_renamed_path"), "path");
    assert_eq!(labels("all"), "type,match,is_error,route");
    assert_eq!(labels("a_tuple"), "method,route,cached");
}

#[test]
fn lb1_one_helper_gives_one_label_in_all_dimensions_of_the_text() {
    #[derive(Metric, Default)]
    #[metric(name = "http", on(Answered))]
    struct Http {
        #[dimension(by = Answered::route, limit = 9)]
        by_route: ByText,
        #[dimension(by(Answered::route, method), limit = 9, value = |e| u64::from(e.status))]
        statuses: Breakdown<(String, Method), Sum<u64>>,
        #[dimension(by(le = Answered::route), limit = 9)]
        reserved: ByText,
    }

    let runtime = MetricsRuntime::new("labels").unwrap();
    runtime.start().unwrap();
    let recorder = runtime.create_recorder("web").unwrap();
    recorder.register_metric(Http::default()).unwrap();
    recorder.emit(answered(Method::Get, 200));
    let text = runtime.exposition(Scope::Rollup, Format::Prometheus).unwrap().text;
    let series: Vec<_> = text.lines().filter(|line| line.starts_with("http_")).collect();
    assert_eq!(
        series,
        [
            "http_by_route_total{namespace=\"labels\",route=\"shop\"} 1",
            "http_reserved_total{namespace=\"labels\",exported_le=\"shop\"} 1",
            "http_statuses_total{namespace=\"labels\",route=\"shop\",method=\"get\"} 200",
        ]
    );
}

#[metric_event]
struct Ended {
    method: Option<Method>,
    user: Option<String>,
    region: Option<Arc<str>>,
    kind: Option<&'static str>,
    class: Option<u8>,
    urgent: Option<bool>,
    host: String,
    elapsed: Duration,
}

impl Ended {
    fn zone(&self) -> Option<&str> {
        self.region.as_deref().and_then(|region| region.split_once('-')).map(|(zone, _)| zone)
    }
}

#[derive(Metric, Default)]
#[metric(on(Ended))]
struct Ends {
    total: Counter,
    #[dimension(by = method)]
    by_method: Breakdown<Method, Counter>,
    #[dimension(by = user, limit = 2)]
    by_user: ByText,
    #[dimension(by = region, limit = 9)]
    by_region: Breakdown<Arc<str>, Counter>,
    #[dimension(by = kind, limit = 9)]
    by_kind: Breakdown<&'static str, Counter>,
    #[dimension(by = kind, limit = 9)]
    by_kind_as_text: ByText,
    #[dimension(by = class, limit = 9)]
    by_class: Breakdown<u8, Counter>,
    #[dimension(by = Ended::zone, limit = 9)]
    by_zone: ByText,
    #[dimension(by(length = |e| e.user.as_ref().map(String::len)), limit = 9)]
    by_length: Breakdown<usize, Counter>,
    #[dimension(by(text = |e| e.user.as_deref().map(Cow::Borrowed)), limit = 9)]
    by_text: ByText,
    #[dimension(by(method, host, urgent), limit = 9, value = elapsed)]
    by_three: Breakdown<(Method, String, bool), Max<Duration>>,
    #[dimension(by(method, urgent))]
    by_two: Breakdown<(Method, bool), Counter>,
}

fn ended() -> Ended {
    Ended {
        method: Some(Method::Post),
        user: Some("ann".to_owned()),
        region: Some(Arc::from("eu-1")),
        kind: Some("small"),
        class: Some(3),
        urgent: Some(true),
        host: "a".to_owned(),
        elapsed: Duration::from_secs(1),
    }
}

fn nothing() -> Ended {
    let (host, elapsed) = ("a".to_owned(), Duration::ZERO);
    Ended { method: None, user: None, region: None, kind: None, class: None, urgent: None, host, elapsed }
}

#[test]
fn lb3_an_event_whose_label_is_none_is_skipped_in_that_dimension_only() {
    let mut metric = Ends::default();
    metric.handle(&ended());
    let one = metric.typed_snapshot();
    metric.handle(&nothing());
    let snapshot = metric.typed_snapshot();
    assert_eq!(snapshot.total, 2);
    assert_eq!(snapshot.by_method.get(Method::Post), Some(&1));
    // The first variant has index 0, and `None` is not counted for it.
    assert_eq!(snapshot.by_method.get(Method::Get), Some(&0));
    let json = serde_json::to_value(&snapshot).unwrap();
    assert_eq!(json["by_user"], json!({"ann": 1}));
    assert_eq!(json["by_region"], json!({"eu-1": 1}));
    assert_eq!(json["by_kind"], json!({"small": 1}));
    assert_eq!(json["by_kind_as_text"], json!({"small": 1}));
    assert_eq!(json["by_class"], json!({"3": 1}));
    assert_eq!(json["by_zone"], json!({"eu": 1}));
    assert_eq!(json["by_length"], json!({"3": 1}));
    assert_eq!(json["by_text"], json!({"ann": 1}));
    let mut expected = serde_json::to_value(&one).unwrap();
    expected["total"] = json!(2);
    assert_eq!(json, expected);
}

#[test]
fn lb3_one_none_skips_a_label_of_several_parts() {
    let mut metric = Ends::default();
    metric.handle(&Ended { urgent: None, ..ended() });
    metric.handle(&Ended { method: None, ..ended() });
    let snapshot = metric.typed_snapshot();
    assert!(snapshot.by_three.is_empty());
    assert!(snapshot.by_two.iter().all(|(_, count)| *count == 0), "{:?}", snapshot.by_two);
    metric.handle(&ended());
    let snapshot = metric.typed_snapshot();
    assert_eq!(snapshot.by_two.get((Method::Post, true)), Some(&1));
    assert_eq!(snapshot.by_three.len(), 1);
    assert!(snapshot.by_three.get((Method::Post, "a", true)).is_some());
}

#[test]
fn lb3_a_none_is_no_change_and_takes_no_label_of_the_limit() {
    #[derive(Metric, Default)]
    #[metric(on(Ended))]
    struct Users {
        #[dimension(by = user, limit = 1)]
        by_user: ByText,
    }

    let mut metric = Users::default();
    assert!(!metric.handle(&nothing()));
    assert!(metric.handle(&ended()));
    let snapshot = metric.typed_snapshot();
    assert_eq!(serde_json::to_value(&snapshot.by_user).unwrap(), json!({"ann": 1}));
}

#[test]
fn lb3_a_look_up_of_none_finds_nothing() {
    let mut metric = Ends::default();
    metric.handle(&ended());
    assert!(metric.by_method.get(None::<Method>).is_none());
    assert!(metric.by_user.get(None::<String>).is_none());
    assert!(metric.by_two.get((Some(Method::Post), None::<bool>)).is_none());
    let snapshot = metric.typed_snapshot();
    assert_eq!(snapshot.by_method.get(None::<Method>), None);
    assert_eq!(snapshot.by_method.get(Some(Method::Post)), Some(&1));
    assert_eq!(snapshot.by_user.get(Some("ann")), Some(&1));
    assert_eq!(snapshot.by_user.get(None::<&str>), None);
}
