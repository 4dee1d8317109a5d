//! Variants of an enum as events.

use std::time::Duration;

use mvx_metrics::{
    Breakdown, Counter, Distinct, Gauge, HandleEvent, InFlight, Label, Max, Metric, Sum, TypedMetric,
    metric_event,
};
use mvx_metrics_tests::running_runtime;
use serde_json::json;

use crate::basics::dimensions;

#[derive(Label, Clone, Copy)]
enum Method {
    Get,
    Put,
}

#[metric_event]
enum Request {
    Started { host: String, method: Method },
    Ended { host: String, peer: Option<&'static str>, bytes: u64, elapsed: Duration, r#type: u8 },
    Refused(u16, String),
    Idle,
}

impl Request {
    fn size(&self) -> u64 {
        if let Self::Ended { bytes, .. } = self { *bytes } else { u64::MAX }
    }

    fn is_large(&self) -> bool {
        self.size() > 100
    }
}

fn started(host: &str) -> Request {
    Request::Started { host: host.to_owned(), method: Method::Get }
}

fn ended(host: &str, bytes: u64) -> Request {
    let elapsed = Duration::from_secs(bytes);
    Request::Ended { host: host.to_owned(), peer: None, bytes, elapsed, r#type: 7 }
}

fn refused(code: u16) -> Request {
    Request::Refused(code, "full".to_owned())
}

/// All kinds of feeds, beside fields that listen to the whole enum.
#[derive(Metric, Default)]
struct Requests {
    #[dimension(on(Request))]
    events: Counter,
    #[dimension(on(Request::Started, add), on(Request::Ended, sub), on(Request::Refused, sub))]
    open: InFlight,
    #[dimension(on(Request::Ended, value = bytes))]
    bytes: Sum<u64>,
    #[dimension(on(Request::Ended, value = bytes, when = Request::is_large))]
    largest: Max<u64>,
    #[dimension(on(Request::Ended, value = Request::size))]
    sizes: Sum<u64>,
    #[dimension(on(Request::Ended, value = |e| e.size() * 2))]
    twice: Sum<u64>,
    #[dimension(on(Request::Ended, add = r#type))]
    types: Counter,
    #[dimension(on(Request::Refused, value = 0), on(Request::Ended, value = r#type))]
    codes: Sum<u64>,
    #[dimension(on(Request::Idle, set = 1), on(Request::Started, set = 2))]
    state: Gauge<i64>,
    #[dimension(on(Request::Started, by = host), on(Request::Ended, by = host), limit = 3)]
    by_host: Breakdown<String, Counter>,
    #[dimension(on(Request::Ended, by(host = peer), limit = 3, value = elapsed))]
    by_peer: Breakdown<&'static str, Sum<Duration>>,
    #[dimension(on(Request::Refused, by(reason = 1, code = 0), limit = 3))]
    by_reason: Breakdown<(String, u16), Counter>,
    #[dimension(on(Request::Started, by = method))]
    by_method: Breakdown<Method, Counter>,
    #[dimension(on(Request::Ended, value = host))]
    hosts: Distinct,
}

#[test]
fn dl3_only_events_of_the_variant_count_and_its_fields_are_named_without_it() {
    let mut requests = Requests::default();
    for event in [
        started("a"),
        started("b"),
        ended("a", 200),
        refused(503),
        Request::Idle,
        ended("b", 3),
        Request::Started { host: "a".to_owned(), method: Method::Put },
        Request::Ended {
            host: "c".to_owned(),
            peer: Some("p"),
            bytes: 5,
            elapsed: Duration::from_secs(9),
            r#type: 1,
        },
    ] {
        assert!(requests.handle(&event));
    }
    assert_eq!(
        dimensions(&requests),
        json!({
            "events": 8,
            "open": {"current": -1, "started": 3, "finished": 4},
            "bytes": 208,
            "largest": 200,
            "sizes": 208,
            "twice": 416,
            "types": 15,
            "codes": 503 + 15,
            "state": 2,
            "by_host": {"a": 3, "b": 2, "c": 1},
            "by_peer": {"p": 9.0},
            "by_reason": {"full": {"503": 1}},
            "by_method": {"get": 2, "put": 1},
            "hosts": serde_json::to_value(requests.hosts_seen()).expect("it is written"),
        })
    );
    assert_eq!(requests.hosts.estimate(), 3);
}

impl Requests {
    fn hosts_seen(&self) -> mvx_metrics::DistinctSnapshot {
        self.typed_snapshot().hosts
    }
}

#[test]
fn dl3_labels_are_named_after_the_field_of_the_variant() {
    let descriptor = Requests::default().descriptor();
    let labels = |name: &str| {
        let dimension = descriptor.dimensions.iter().find(|dimension| dimension.name == name);
        dimension.map(|dimension| dimension.labels.join(", "))
    };
    let names = ["by_host", "by_peer", "by_reason", "by_method"].map(labels);
    assert_eq!(names, ["host", "host", "reason, code", "method"].map(|name| Some(name.to_owned())));
}

#[test]
fn dl3_a_metric_lists_an_enum_once_however_many_variants_it_listens_to() {
    assert_eq!(Requests::handlers().len(), 1);
    assert_eq!(Listed::handlers().len(), 1);
}

/// Variants on the struct.
#[derive(Metric, Default)]
#[metric(
    on(Request::Started),
    on(Request::Ended, when = Request::is_large),
    on(Request::Refused, with = Self::refused)
)]
struct Listed {
    events: Counter,
    #[dimension(on(Request::Ended, value = bytes))]
    bytes: Sum<u64>,
    #[dimension(on(Request::Refused))]
    refused: Counter,
    #[dimension(on(Request))]
    all: Counter,
    #[dimension(manual)]
    last_code: Max<u64>,
}

impl Listed {
    fn refused(&mut self, event: &Request) -> bool {
        let Request::Refused(code, _) = event else { return false };
        self.last_code.record(u64::from(*code));
        true
    }
}

#[test]
fn dl3_the_struct_lists_variants_with_a_condition_and_a_handler() {
    let mut listed = Listed::default();
    let events = [started("a"), ended("a", 7), ended("a", 700), refused(503), Request::Idle];
    let accepted = events.map(|event| listed.handle(&event));
    assert_eq!(accepted, [true, false, true, true, true]);
    assert_eq!(
        dimensions(&listed),
        json!({"events": 2, "bytes": 700, "refused": 1, "all": 4, "last_code": 503})
    );
}

#[derive(Metric, Default)]
#[metric(on(Request::Ended), when = Request::is_large)]
struct Large {
    #[dimension(value = bytes)]
    bytes: Sum<u64>,
}

#[test]
fn dl3_options_outside_of_on_belong_to_the_only_variant() {
    let mut large = Large::default();
    let accepted = [started("a"), ended("a", 7), ended("a", 700)].map(|event| large.handle(&event));
    assert_eq!((accepted, large.bytes.get()), ([false, false, true], 700));
}

/// What is flattened listens to the whole enum.
#[derive(Metric, Default)]
#[metric(on(Request))]
struct All {
    events: Counter,
    #[dimension(on(Request::Ended, value = bytes))]
    bytes: Sum<u64>,
}

#[derive(Metric, Default)]
#[metric(on(Request::Ended), on(Request::Idle))]
struct Outer {
    total: Counter,
    #[dimension(flatten(prefix = "listed_"))]
    listed: All,
    #[dimension(flatten(prefix = "whole_"), on(Request))]
    whole: All,
    #[dimension(flatten(prefix = "started_"), on(Request::Started))]
    started: All,
}

#[test]
fn dl3_a_flattened_metric_gets_the_whole_enum_unless_its_field_lists_a_variant() {
    let mut outer = Outer::default();
    for event in [started("a"), ended("a", 7), refused(1), Request::Idle] {
        assert!(outer.handle(&event));
    }
    assert_eq!(
        dimensions(&outer),
        json!({
            "total": 2,
            "listed_events": 4, "listed_bytes": 7,
            "whole_events": 4, "whole_bytes": 7,
            "started_events": 1, "started_bytes": 0,
        })
    );
}

#[metric_event]
enum Job<T: Send + 'static, const N: usize> {
    Ended(T),
    Split { parts: [T; N] },
}

#[derive(Metric)]
#[metric(on(Job::<T, N>::Ended))]
struct Jobs<T: Into<u64> + Copy + Send + 'static, const N: usize> {
    total: Counter,
    #[dimension(on(Job<T, N>::Split, value = Job::parts))]
    parts: Sum<u64>,
    #[dimension(skip)]
    unit: std::marker::PhantomData<T>,
}

impl<T: Into<u64> + Copy + Send + 'static, const N: usize> Job<T, N> {
    fn parts(&self) -> u64 {
        match self {
            Self::Ended(part) => (*part).into(),
            Self::Split { parts } => parts.iter().map(|part| (*part).into()).sum(),
        }
    }
}

#[derive(Metric, Default)]
struct SmallJobs {
    #[dimension(on(Job<u8, 2>::Ended, value = 0))]
    ended: Sum<u64>,
    #[dimension(on(Job::<u8, 2>::Split))]
    split: Counter,
}

#[test]
fn dl3_variants_of_generic_enums_are_events() {
    let mut jobs =
        Jobs::<u32, 3> { total: Counter::default(), parts: Sum::default(), unit: std::marker::PhantomData };
    assert!(jobs.handle(&Job::Ended(9)));
    assert!(jobs.handle(&Job::Split { parts: [1, 2, 3] }));
    assert_eq!((jobs.total.get(), jobs.parts.get()), (1, 6));
    let mut small = SmallJobs::default();
    assert!(small.handle(&Job::Ended(9)));
    assert!(small.handle(&Job::Split { parts: [1, 2] }));
    assert_eq!((small.ended.get(), small.split.get()), (9, 1));
}

/// The events of a source of events: an associated type is no variant.
trait Source: Send + 'static {
    type Event: mvx_metrics::MetricEvent;
}

struct Idle;

impl Source for Idle {
    type Event = Request;
}

#[derive(Metric)]
#[metric(on(S::Event))]
struct Events<S: Source> {
    total: Counter,
    #[dimension(skip)]
    source: std::marker::PhantomData<fn(S)>,
}

#[test]
fn dl3_an_associated_type_of_a_parameter_is_no_variant() {
    let mut events = Events::<Idle> { total: Counter::default(), source: std::marker::PhantomData };
    assert!(events.handle(&Request::Idle));
    assert!(events.handle(&started("a")));
    assert_eq!(events.total.get(), 2);
}

#[test]
#[cfg_attr(miri, ignore = "a runtime and 2,000 events")]
fn dl3_a_recorder_applies_variants_in_batches() {
    let runtime = running_runtime("test.variants");
    let recorder = runtime.create_recorder("requests").expect("it is created");
    recorder.metric::<Requests>().expect("it is registered");
    for index in 0..1_000 {
        recorder.emit(started("a"));
        recorder.emit(if index % 2 == 0 { ended("a", 1) } else { refused(1) });
    }
    let snapshot = recorder.metric_snapshot::<Requests>().expect("it is read").expect("it is registered");
    assert_eq!((snapshot.events, snapshot.bytes, snapshot.open.current()), (2_000, 500, 0));
}

/// With a condition in each, a variant may stand twice.
#[derive(Metric, Default)]
struct Conditional {
    #[dimension(
        on(Request::Ended, add = bytes, when = Request::is_large),
        on(Request::Ended, add = 1, when = |e| !e.is_large()),
        on(Request, add = 1_000, when = |e| matches!(e, Request::Idle))
    )]
    weighted: Counter,
}

#[test]
fn dl3_a_variant_stands_twice_on_a_field_with_a_condition_in_each_place() {
    let mut conditional = Conditional::default();
    for event in [ended("a", 7), ended("a", 700), Request::Idle] {
        assert!(conditional.handle(&event));
    }
    assert_eq!(conditional.weighted.get(), 1 + 700 + 1_000);
}

#[metric_event]
enum Answer {
    Sent { host: String, is_cached: bool },
    Failed { host: String },
}

/// The labels of the struct, and conditions, name fields of the variants.
#[derive(Metric, Default)]
#[metric(on(Answer::Sent, when = is_cached), on(Answer::Failed), by(host), limit = 2)]
struct Answers {
    total: Breakdown<String, Counter>,
}

#[derive(Metric, Default)]
struct Cached {
    #[dimension(on(Answer::Sent, when = is_cached))]
    total: Counter,
    #[dimension(on(Answer::Sent, by = host, when = is_cached), limit = 2)]
    by_host: Breakdown<String, Counter>,
}

#[test]
fn dl3_dl2_conditions_and_the_labels_of_the_struct_name_fields_of_the_variant() {
    let (mut answers, mut cached) = (Answers::default(), Cached::default());
    let sent = |is_cached| Answer::Sent { host: "a".to_owned(), is_cached };
    for event in [sent(true), sent(false), Answer::Failed { host: "b".to_owned() }] {
        answers.handle(&event);
        cached.handle(&event);
    }
    assert_eq!(dimensions(&answers), json!({"total": {"a": 1, "b": 1}}));
    assert_eq!(dimensions(&cached), json!({"total": 1, "by_host": {"a": 1}}));
}
