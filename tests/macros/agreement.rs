//! Typed and erased snapshots agree after any events, for every type of dimension (property test).
//! Covers RM7.

use std::time::Duration;

use mvx_metrics::{
    Breakdown, Counter, Gauge, HandleEvent, Histogram, InFlight, Label, Max, Mean, Metric, Min, Sum,
    TypedMetric, metric_event,
};
use proptest::prelude::*;

use crate::basics::dimensions;

#[derive(Label, Debug, Clone, Copy)]
enum Outcome {
    Success,
    Failure,
    Timeout,
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
    opened: u8,
    closed: u8,
}

/// One dimension of each type, alone and broken down.
#[derive(Metric, Default)]
#[metric(on(Done))]
struct Everything {
    total: Counter,
    #[dimension(value = count)]
    count: Sum<u64>,
    #[dimension(value = delta)]
    delta: Sum<i64>,
    #[dimension(value = ratio)]
    ratio: Sum<f64>,
    #[dimension(value = elapsed)]
    elapsed: Sum<Duration>,
    #[dimension(value = ratio)]
    lowest: Min<f64>,
    #[dimension(value = elapsed)]
    longest: Max<Duration>,
    #[dimension(value = delta)]
    mean_delta: Mean<i64>,
    #[dimension(value = elapsed)]
    mean_elapsed: Mean<Duration>,
    #[dimension(value = ratio)]
    mean_ratio: Mean<f64>,
    #[dimension(set = delta)]
    level: Gauge<i64>,
    #[dimension(set = elapsed)]
    last: Gauge<Duration>,
    #[dimension(add = opened, sub = closed)]
    open: InFlight,
    #[dimension(value = elapsed)]
    latency: Histogram<Duration>,
    #[dimension(value = ratio, buckets = [-1, 0, 0.5, 1e9])]
    ratios: Histogram<f64>,
    #[dimension(by = outcome)]
    by_outcome: Breakdown<Outcome, Counter>,
    #[dimension(by(outcome, host), limit = 3, value = ratio)]
    by_both: Breakdown<(Outcome, String), Mean<f64>>,
    #[dimension(by = host, limit = 2, value = elapsed)]
    by_host: Breakdown<String, Histogram<Duration>>,
}

prop_compose! {
    fn done()(
        outcome in prop::sample::select(vec![Outcome::Success, Outcome::Failure, Outcome::Timeout]),
        host in "[a-d]|other|",
        count in any::<u64>(),
        delta in any::<i64>(),
        nanos in 0..1_000_000_000_000_u64,
        ratio in any::<f64>(),
        (opened, closed) in any::<(u8, u8)>(),
    ) -> Done {
        Done { outcome, host, count, delta, elapsed: Duration::from_nanos(nanos), ratio, opened, closed }
    }
}

proptest! {
    #[test]
    #[cfg_attr(miri, ignore = "takes minutes")]
    fn rm7_typed_and_erased_snapshots_agree(events in prop::collection::vec(done(), 0..40)) {
        let mut metric = Everything::default();
        for event in &events {
            prop_assert!(metric.handle(event));
        }
        let shown = dimensions(&metric);
        let sum_of = |name: &str| -> u64 {
            let map = shown[name].as_object().unwrap();
            map.values().map(|count| count.as_u64().unwrap()).sum()
        };
        prop_assert_eq!(shown["total"].as_u64().unwrap(), events.len() as u64);
        prop_assert_eq!(sum_of("by_outcome"), events.len() as u64);
        let hosts = shown["by_host"].as_object().unwrap();
        prop_assert!(hosts.len() <= 3);
        prop_assert_eq!(hosts.values().map(|host| host["count"].as_u64().unwrap()).sum::<u64>(), events.len() as u64);
    }
}

#[test]
fn json_that_names_a_field_or_a_label_twice_is_refused() {
    let mut metric = ByHost::default();
    metric.handle(&Asked { host: "a".into(), cached: true });
    let json = serde_json::to_string(&metric.typed_snapshot()).unwrap();
    assert_eq!(json, r#"{"total":1,"by_host":{"a":{"true":1}}}"#);
    let refusal = |json: &str| serde_json::from_str::<ByHostSnapshot>(json).unwrap_err().to_string();
    let twice = refusal(&json.replace(r#""total":1"#, r#""total":1,"total":2"#));
    assert!(twice.starts_with("the field `total` stands twice"), "{twice}");
    let twice = refusal(&json.replace(r#""true":1"#, r#""true":1,"true":2"#));
    assert!(twice.starts_with("`by_host`: `a`: the label `true` stands twice at line 1"), "{twice}");
    let twice = refusal(&json.replace(r#"{"a":"#, r#"{"a":{"true":3},"a":"#));
    assert!(twice.starts_with("`by_host`: the label `a` stands twice at line 1"), "{twice}");
}

#[metric_event]
struct Asked {
    host: String,
    cached: bool,
}

#[derive(Metric, Default)]
#[metric(on(Asked))]
struct ByHost {
    total: Counter,
    #[dimension(by(host, cached), limit = 3)]
    by_host: Breakdown<(String, bool), Counter>,
}
