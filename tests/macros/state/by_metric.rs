//! Breakdowns of metrics: one table of labels, with all dimensions of a metric for each label. Covers DL1.

// See `state.rs`.
#![cfg(not(miri))]

use std::time::Duration;

use mvx_metrics::feed::Count;
use mvx_metrics::{
    Breakdown, Counter, Dimension, DimensionKind, DimensionValue, Extreme, Gauge, HandleEvent, Histogram,
    InFlight, Max, Mean, Measure, Merge, Metric, Recent, Sum, TypedMetric,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::metrics::{Done, Outcome, events};
use super::{
    Recorded, assert_agree, assert_comes_back, assert_comes_back_erased, both, json, merged, sample, typed,
    with_extremes_of,
};

/// Of one type of numbers, flattened into the metric of a host.
#[derive(Metric, Default)]
#[metric(on(Done))]
struct Amounts<T: Measure>
where
    Done: Amount<T>,
{
    #[dimension(value = Amount::amount)]
    amount: Sum<T>,
    #[dimension(value = Amount::amount)]
    largest: Max<T>,
}

trait Amount<T> {
    fn amount(&self) -> T;
}

impl Amount<u64> for Done {
    fn amount(&self) -> u64 {
        self.count
    }
}

impl Amount<Duration> for Done {
    fn amount(&self) -> Duration {
        self.elapsed
    }
}

/// What one host did.
#[derive(Metric, Default)]
#[metric(on(Done))]
struct HostStats {
    /// All requests.
    requests: Counter,
    #[dimension(when = |e| e.outcome == Outcome::Failure)]
    failures: Counter,
    #[dimension(value = elapsed, buckets = [0.1, 1.0])]
    latency: Histogram<Duration>,
    #[dimension(value = elapsed)]
    fine: Histogram<Duration>,
    #[dimension(value = ratio)]
    ratio: Mean<f64>,
    #[dimension(add = opened, sub = closed)]
    open: InFlight,
    #[dimension(flatten(prefix = "sent_"))]
    sent: Amounts<u64>,
}

#[derive(Metric, Default)]
#[metric(on(Done))]
struct Hosts {
    total: Counter,
    #[dimension(by = host, limit = 100)]
    per_host: Breakdown<String, HostStats>,
    #[dimension(by(outcome, cached))]
    known: Breakdown<(Outcome, bool), HostStats>,
    #[dimension(by(host, outcome), limit = 100, name = "times.by", when = |e| e.cached)]
    of_generic: Breakdown<(String, Outcome), Amounts<Duration>>,
    after: Counter,
}

#[derive(Metric, Default)]
#[metric(on(Done))]
struct HostLevels {
    events: Counter,
    #[dimension(set = delta, merge = max)]
    level: Gauge<i64>,
}

#[derive(Metric, Default)]
#[metric(on(Done), by = host)]
struct Levels {
    #[dimension(limit = 9)]
    per_host: Breakdown<String, HostLevels>,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn dl1_both_forms_come_back_from_json_and_messagepack(events in events()) {
        let (typed, erased) = both::<Hosts>(&events);
        assert_agree(&typed, &erased);
        assert_comes_back(&typed);
        assert_comes_back_erased(&erased);
        let (typed, erased) = both::<Levels>(&events);
        assert_agree(&typed, &erased);
        assert_comes_back(&typed);
    }

    #[test]
    fn dl1_two_merged_metrics_equal_one_that_got_both_streams(one in events(), other in events()) {
        let streams = [one.clone(), other.clone()].concat();
        let (typed, erased) = merged(&both::<Hosts>(&one), &both::<Hosts>(&other));
        let (all_typed, all_erased) = both::<Hosts>(&streams);
        prop_assert_eq!(typed, all_typed);
        prop_assert_eq!(erased, all_erased);
        merged(&both::<Levels>(&one), &both::<Levels>(&other));
    }

    #[test]
    fn dl1_the_earlier_snapshot_merged_with_the_interval_is_the_later_one(before in events(), after in events()) {
        let recorder = Recorded::<Hosts>::new();
        let (earlier, earlier_erased) = recorder.after(&before);
        let (later, later_erased) = recorder.after(&after);
        prop_assert!(!later.restarted_since(&earlier));
        prop_assert_eq!(later_erased.restarted_since(&earlier_erased), Ok(false));
        let interval = later.since(&earlier);
        let interval_erased = later_erased.since(&earlier_erased).expect("one declaration");
        assert_agree(&interval, &interval_erased);
        assert_comes_back(&interval);
        let (again, _) = merged(&(earlier, earlier_erased), &(interval, interval_erased));
        let (mut again, known) = (json(&again), json(&later));
        with_extremes_of(&mut again, &known);
        prop_assert_eq!(again, known);
    }

    #[test]
    fn dl1_a_breakdown_of_a_metric_equals_one_breakdown_for_each_dimension(one in events(), other in events()) {
        let (grouped, apart) = (both::<Grouped>(&one), both::<Apart>(&one));
        prop_assert_eq!(json(&grouped.0), json(&apart.0));
        prop_assert_eq!(json(&grouped.1), json(&apart.1));
        let (earlier, earlier_apart) = (typed::<Grouped>(&other), typed::<Apart>(&other));
        prop_assert_eq!(grouped.0.restarted_since(&earlier), apart.0.restarted_since(&earlier_apart));
        prop_assert_eq!(json(&grouped.0.since(&earlier)), json(&apart.0.since(&earlier_apart)));
        let (mut grouped, mut apart) = (grouped.0, apart.0);
        grouped.merge(&earlier);
        apart.merge(&earlier_apart);
        prop_assert_eq!(json(&grouped), json(&apart));
    }
}

/// Dimensions of which a label may vanish, or must not.
#[derive(Metric, Default)]
#[metric(on(Done))]
struct OfHost {
    #[dimension(set = delta, merge = max)]
    level: Gauge<i64>,
    #[dimension(value = ratio)]
    ratios: Sum<f64>,
    #[dimension(value = count)]
    most: Max<u64>,
}

#[derive(Metric, Default)]
#[metric(name = "hosts", on(Done), by = host, limit = 3)]
struct Grouped {
    by_host: Breakdown<String, OfHost>,
}

#[expect(clippy::struct_field_names, reason = "the names of a breakdown of a metric")]
#[derive(Metric, Default)]
#[metric(name = "hosts", on(Done), by = host, limit = 3)]
struct Apart {
    #[dimension(set = delta, merge = max)]
    by_host_level: Breakdown<String, Gauge<i64>>,
    #[dimension(value = ratio)]
    by_host_ratios: Breakdown<String, Sum<f64>>,
    #[dimension(value = count)]
    by_host_most: Breakdown<String, Max<u64>>,
}

fn of_hosts(hosts: &[&str]) -> Vec<Done> {
    hosts.iter().zip(1..).map(|(host, number)| Done { host: (*host).to_owned(), ..sample(number) }).collect()
}

#[test]
fn dl1_each_dimension_is_a_breakdown_named_after_field_and_dimension() {
    let (typed, erased) = both::<Hosts>(&of_hosts(&["a", "b", "a"]));
    let names: Vec<_> = erased.dimensions.iter().map(|(name, _)| name.to_owned()).collect();
    assert_eq!(names[..4], ["total", "per_host_requests", "per_host_failures", "per_host_latency"]);
    assert_eq!(names[7..9], ["per_host_sent_amount", "per_host_sent_largest"]);
    assert_eq!(names[17..], ["times.by_amount", "times.by_largest", "after"]);
    let shown = json(&typed);
    assert_eq!(shown["per_host_requests"], json!({"a": 2, "b": 1}));
    assert_eq!(shown["per_host_sent_amount"], json!({"a": 4, "b": 2}));
    assert_eq!(shown["known_requests"]["failure"], json!({"false": 0, "true": 3}));
    assert_eq!(shown["times.by_amount"], json!({"a": {"failure": 0.004}, "b": {"failure": 0.002}}));
    let bounds: Vec<_> = shown["per_host_latency"]["a"]["buckets"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|bucket| bucket["up_to"].clone())
        .collect();
    assert_eq!(bounds, [json!(0.1), json!(1.0), Value::Null]);
}

#[test]
fn dl1_a_typed_snapshot_has_the_snapshot_of_each_label() {
    let snapshot = typed::<Hosts>(&of_hosts(&["a", "b", "a"]));
    let host: &HostStatsSnapshot = snapshot.per_host.get("a").expect("it had events");
    assert_eq!((host.requests, host.failures, host.sent.amount), (2, 2, 4));
    assert_eq!(host.latency.count, 2);
    assert!(snapshot.per_host.get("c").is_none());
    assert_eq!(snapshot.per_host.len(), 2);
    let none = snapshot.known.get((Outcome::Success, true)).expect("it is known");
    assert_eq!((none.requests, none.sent.largest), (0, Extreme::None));
    assert_eq!(
        snapshot.of_generic.get(("b", Outcome::Failure)).map(|times| times.largest),
        Some(Extreme::Known(Duration::from_millis(2)))
    );
}

#[test]
fn dl1_each_dimension_is_described_with_the_labels_of_the_field() {
    let descriptor = Hosts::default().descriptor();
    let described = |name: &str| {
        let mut dimensions = descriptor.dimensions.iter();
        dimensions.find(|dimension| dimension.name == name).expect("it is declared")
    };
    let requests = described("per_host_requests");
    assert_eq!((&*requests.help, requests.kind), ("All requests.", DimensionKind::Counter));
    assert_eq!((&*requests.labels, requests.limit), (&["host".into()][..], Some(100)));
    let latency = described("per_host_latency");
    assert_eq!((latency.unit.as_deref(), latency.buckets.len()), (Some("seconds"), 2));
    let known = described("known_sent_amount");
    assert_eq!((&*known.labels, known.limit), (&["outcome".into(), "cached".into()][..], None));
    let values = Hosts::default().snapshot();
    assert!(
        descriptor
            .dimensions
            .iter()
            .map(|dimension| &*dimension.name)
            .eq(values.dimensions.iter().map(|(name, _)| name))
    );
}

#[test]
fn dl1_labels_known_by_type_are_shown_from_the_beginning_in_each_dimension() {
    let shown = json(&typed::<Hosts>(&[]));
    for name in ["known_requests", "known_latency", "known_sent_largest"] {
        let outcomes = shown[name].as_object().expect("a map");
        assert_eq!(outcomes.keys().collect::<Vec<_>>(), ["failure", "success", "timeout"], "{name}");
        assert!(outcomes.values().all(|cached| cached.as_object().is_some_and(|cached| cached.len() == 2)));
    }
    assert_eq!(shown["known_sent_largest"]["timeout"], json!({"false": null, "true": null}));
    assert_eq!(shown["per_host_requests"], json!({}));
}

#[test]
fn dl1_zeros_off_shows_a_label_after_its_first_event_only() {
    #[derive(Metric, Default)]
    #[metric(on(Done), by = outcome)]
    struct Seen {
        #[dimension(zeros = off)]
        seen: Breakdown<Outcome, HostLevels>,
        #[dimension(zeros = off)]
        alias: Breakdown<Outcome, Events>,
    }
    let shown = |events: &[Done]| {
        let (typed, erased) = both::<Seen>(events);
        assert_agree(&typed, &erased);
        json(&typed)
    };
    assert_eq!(shown(&[]), json!({"seen_events": {}, "seen_level": {}, "alias": {}}));
    assert_eq!(
        shown(&of_hosts(&["a"])),
        json!({"seen_events": {"failure": 1}, "seen_level": {"failure": 3}, "alias": {"failure": 1}})
    );
}

#[test]
fn dl1_labels_beyond_the_limit_share_one_metric() {
    let events = of_hosts(&["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "a"]);
    let (typed, erased) = both::<Levels>(&events);
    assert_agree(&typed, &erased);
    let other = typed.per_host.get("other").expect("two labels were too many");
    assert_eq!((typed.per_host.len(), other.events), (10, 2));
    assert_eq!(typed.per_host.get("a").map(|host| host.events), Some(2));
}

/// It refuses events of the host `b`, and so gets no label for it.
#[test]
fn dl1_a_metric_that_refuses_an_event_adds_no_label() {
    #[derive(Metric, Default)]
    #[metric(on(Done), when = |e| e.host != "b")]
    struct NotOfB {
        events: Counter,
    }
    #[derive(Metric, Default)]
    #[metric(on(Done), by = host, limit = 9)]
    struct Choosy {
        by_host: Breakdown<String, NotOfB>,
    }
    let mut metric = Choosy::default();
    let accepted: Vec<_> = of_hosts(&["a", "b"]).iter().map(|event| metric.handle(event)).collect();
    assert_eq!(accepted, [true, false]);
    assert_eq!(json(&metric.typed_snapshot()), json!({"by_host_events": {"a": 1}}));
}

#[test]
fn dl1_the_outer_metric_counts_invalid_values() {
    let event = |host: &str| Done { ratio: f64::NAN, host: host.to_owned(), ..sample(1) };
    let (typed, erased) = both::<Hosts>(&[event("a"), event("b")]);
    assert_agree(&typed, &erased);
    assert_eq!(typed.invalid, 4, "each host has one, and so has the label of both events");
    assert_eq!(typed.per_host.get("a").map(|host| host.invalid), Some(0));
}

/// An alias of a counter is a dimension.
type Events = Counter;

/// So is a type of the user's own that counts.
#[derive(Default)]
struct Twice(u64);

impl Dimension for Twice {
    type Output = u64;
    const KIND: DimensionKind = DimensionKind::Custom;

    fn read(&self) -> u64 {
        self.0
    }

    fn value(output: u64) -> DimensionValue {
        output.into()
    }

    const MERGE: Option<fn(&mut u64, &u64)> = Some(|count, other| *count += other);
}

impl Count for Twice {
    fn count(&mut self) -> bool {
        self.0 += 2;
        true
    }
}

/// Types that the derive cannot tell from metrics.
#[derive(Metric, Default)]
#[metric(on(Done))]
struct Unknown<T: Measure>
where
    Done: Amount<T>,
{
    /// Events.
    #[dimension(by = host, limit = 9)]
    alias: Breakdown<String, Events>,
    #[dimension(by = outcome)]
    own: Breakdown<Outcome, Twice>,
    #[dimension(by = outcome)]
    metric: Breakdown<Outcome, Amounts<T>>,
    #[dimension(by = outcome, unit = events)]
    with_unit: Breakdown<Outcome, Events>,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn dl1_an_alias_and_a_dimension_of_the_users_own_stay_dimensions(one in events(), other in events()) {
        let (typed, erased) = both::<Unknown<u64>>(&one);
        assert_agree(&typed, &erased);
        assert_comes_back(&typed);
        let streams = [one.clone(), other.clone()].concat();
        let (merged, _) = merged(&(typed, erased), &both::<Unknown<u64>>(&other));
        prop_assert_eq!(merged, super::typed::<Unknown<u64>>(&streams));
    }
}

#[test]
fn dl1_a_dimension_of_an_unknown_type_is_described_as_before() {
    let descriptor = Unknown::<Duration>::default().descriptor();
    let names: Vec<_> = descriptor.dimensions.iter().map(|dimension| &*dimension.name).collect();
    assert_eq!(names, ["alias", "own", "metric_amount", "metric_largest", "with_unit"]);
    let alias = &descriptor.dimensions[0];
    assert_eq!((&*alias.help, alias.kind, alias.limit), ("Events.", DimensionKind::Counter, Some(9)));
    assert_eq!(*alias.labels, ["host"]);
    assert_eq!(json(&typed::<Unknown<u64>>(&of_hosts(&["a"])))["own"]["failure"], 2);
}

#[test]
fn dl1_windows_and_handlers_of_the_metric_work_for_each_label() {
    #[derive(Metric, Default)]
    #[metric(on(Done, with = Self::on_done))]
    struct OfHost {
        #[dimension(on(Done))]
        recent: Recent<Counter, 60>,
        #[dimension(manual)]
        slow: Counter,
    }
    impl OfHost {
        fn on_done(&mut self, event: &Done) -> bool {
            self.slow.increment_by(event.count);
            true
        }
    }
    #[derive(Metric, Default)]
    #[metric(on(Done))]
    struct Handled {
        #[dimension(by = host, limit = 9)]
        hosts: Breakdown<String, OfHost>,
    }
    let recorder = Recorded::<Handled>::new();
    let (typed, erased) = recorder.after(&of_hosts(&["a", "b", "a"]));
    assert_agree(&typed, &erased);
    let host = typed.hosts.get("a").expect("it had events");
    assert_eq!((host.recent, host.slow), (2, 4));
}

#[test]
fn dl1_a_handler_of_the_users_own_updates_the_metric_of_a_label() {
    #[derive(Metric, Default)]
    #[metric(on(Done, with = Self::on_done))]
    struct Manual {
        #[dimension(manual)]
        hosts: Breakdown<String, HostLevels>,
    }
    impl Manual {
        fn on_done(&mut self, event: &Done) -> bool {
            self.hosts.update_within(&event.host, 9, |host| host.handle(event))
        }
    }
    let (typed, erased) = both::<Manual>(&of_hosts(&["a", "b", "a"]));
    assert_agree(&typed, &erased);
    assert_eq!(json(&typed), json!({"hosts_events": {"a": 2, "b": 1}, "hosts_level": {"a": 3, "b": 3}}));
}

/// In totals a gauge goes with its recorder, and so its label may be missing there.
#[test]
fn dl1_a_label_that_one_dimension_lacks_is_read_without_a_value() {
    let read: LevelsSnapshot =
        serde_json::from_value(json!({"per_host_events": {"a": 1, "b": 2}, "per_host_level": {"b": 7}}))
            .expect("it is read");
    assert_eq!(read.per_host.get("a").map(|host| (host.events, host.level)), Some((1, None)));
    assert_eq!(read.per_host.get("b").map(|host| (host.events, host.level)), Some((2, Some(7))));
    let read: LevelsSnapshot =
        serde_json::from_value(json!({"per_host_events": {"b": 2}, "per_host_level": {"a": 7, "b": 7}}))
            .expect("it is read");
    assert_eq!(read.per_host.iter().map(|(label, _)| label[0].to_string()).collect::<Vec<_>>(), ["a", "b"]);
}

#[derive(Metric, Default)]
#[metric(on(Done), by = outcome)]
struct Known {
    seen: Breakdown<Outcome, HostLevels>,
}

#[test]
fn dl1_bad_input_is_refused() {
    let error = |value: Value| serde_json::from_value::<LevelsSnapshot>(value).unwrap_err().to_string();
    assert_eq!(error(json!({"per_host_events": {"a": 1}})), "missing field `per_host_level`");
    assert_eq!(error(json!({})), "missing field `per_host_events`");
    assert_eq!(
        error(json!({"per_host_events": {"a": "x"}})),
        "`per_host_events`: `a`: invalid type: string \"x\", expected u64"
    );
    assert_eq!(error(json!({"per_host_other": {"a": 1}})), "the metric has no dimension `per_host_other`");
    assert_eq!(error(json!({"per_host": {"a": 1}})), "the metric has no dimension `per_host`");
    assert_eq!(
        error(json!({"per_host_events": 1})),
        "`per_host_events`: invalid type: integer `1`, expected a map from labels to values"
    );
    let known = json!({"seen_events": {"never": 1}});
    assert_comes_back(&Known::default().typed_snapshot());
    let error = serde_json::from_value::<KnownSnapshot>(known).unwrap_err().to_string();
    assert_eq!(error, "`seen_events`: there is no label `never`");
}

#[test]
fn dl1_a_snapshot_of_a_recorder_is_read_back_with_its_types() {
    let recorder = Recorded::<Levels>::new();
    let (typed, erased) = recorder.after(&of_hosts(&["a", "b"]));
    assert_agree(&typed, &erased);
    #[expect(clippy::default_trait_access, reason = "its type is not public")]
    let restored = <Levels as TypedMetric>::restore(&erased, Default::default());
    assert_eq!(restored, Some(typed));
}

#[derive(Metric, Default)]
#[metric(on(Done))]
struct Timed {
    #[dimension(value = elapsed, unit = milliseconds)]
    total: Sum<Duration>,
}

#[derive(Metric, Default)]
#[metric(name = "timed", on(Done), by = outcome)]
struct TimedByOutcome {
    each: Breakdown<Outcome, Timed>,
}

#[test]
fn dl1_dl5_the_units_of_a_metric_hold_for_each_label() {
    let recorder = Recorded::<TimedByOutcome>::new();
    let (typed, erased) = recorder.after(&[sample(1), sample(2)]);
    assert_comes_back(&typed);
    let json = json(&typed);
    assert_eq!(serde_json::to_value(&erased).expect("it is serialised")["dimensions"], json);
    let total = typed.each.get(Outcome::Failure).expect("it is known").total;
    let shown = json["each_total"]["failure"].as_f64().expect("it is a number");
    assert!(total > Duration::ZERO);
    assert!((shown - total.as_secs_f64() * 1e3).abs() < 1e-6, "{json}");
}
