//! The last seconds of each dimension type, with paused time. Covers DI7.

// Tokio's clock, and much data.
#![cfg(not(miri))]

use std::future::Future;
use std::time::Duration;

use mvx_metrics::feed::{IntoMeasure, Record};
use mvx_metrics::{
    Breakdown, Counter, Dimension, DimensionKind, DimensionValue, Distinct, Gauge, HandleEvent, Histogram,
    InFlight, Label, Max, Mean, Merge, Metric, Min, Recent, Sum, TypedMetric, metric_event,
};
use proptest::prelude::*;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::runtime::Builder;
use tokio::time::advance;

#[derive(Label, Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Success,
    Failure,
}

#[metric_event]
#[derive(Debug, Clone)]
struct Done {
    outcome: Outcome,
    host: &'static str,
    count: u64,
    delta: i64,
    ratio: f64,
    elapsed: Duration,
}

/// How many values were even, a type of the user's own.
#[derive(Debug, Default)]
struct Evens(u64);

impl Dimension for Evens {
    type Output = u64;
    const KIND: DimensionKind = DimensionKind::Custom;
    const MERGE: Option<fn(&mut u64, &u64)> = Some(|evens, others| *evens += others);

    fn read(&self) -> u64 {
        self.0
    }

    fn value(evens: u64) -> DimensionValue {
        evens.into()
    }
}

impl<V: IntoMeasure<u64>> Record<V> for Evens {
    fn record(&mut self, value: V) -> bool {
        self.0 += u64::from(value.into_measure().is_some_and(|value| value.is_multiple_of(2)));
        true
    }
}

/// The seconds of the windows below, and the time after which their values are certainly forgotten.
const SECONDS: u64 = 60;
const WINDOW: Duration = Duration::from_secs(SECONDS);
const FORGOTTEN: Duration = Duration::from_secs(SECONDS + SECONDS / 10);
const TENTH: Duration = Duration::from_secs(SECONDS / 10);

/// Declares one metric for all time and one for the last seconds, with the same dimensions.
macro_rules! dimensions {
    ($($(#[$option:meta])* $name:ident: $dimension:ty,)*) => {
        #[derive(Metric, Default)]
        #[metric(name = "done", on(Done))]
        struct Always {
            $($(#[$option])* $name: $dimension,)*
        }

        #[derive(Metric, Default)]
        #[metric(name = "done", on(Done))]
        struct Lately {
            $($(#[$option])* $name: Recent<$dimension, SECONDS>,)*
        }
    };
}

dimensions! {
    total: Counter,
    #[dimension(add = count)]
    added: Counter,
    #[dimension(value = delta)]
    delta: Sum<i64>,
    #[dimension(value = elapsed)]
    elapsed: Sum<Duration>,
    #[dimension(value = ratio)]
    lowest: Min<f64>,
    #[dimension(value = elapsed)]
    longest: Max<Duration>,
    #[dimension(value = count, when = |e| e.outcome == Outcome::Success)]
    mean: Mean<u64>,
    #[dimension(value = ratio)]
    mean_ratio: Mean<f64>,
    #[dimension(set = delta)]
    level: Gauge<i64>,
    #[dimension(set = ratio, merge = max, when = |e| e.outcome == Outcome::Failure)]
    peak: Gauge<f64>,
    #[dimension(add = count, sub = 3)]
    open: InFlight,
    #[dimension(value = count)]
    different: Distinct,
    #[dimension(value = elapsed)]
    latency: Histogram<Duration>,
    #[dimension(value = count, buckets = [2, 4, 8])]
    sizes: Histogram<u64>,
    #[dimension(value = delta)]
    deltas: Histogram<i64>,
    #[dimension(value = ratio)]
    ratios: Histogram<f64>,
    #[dimension(value = count)]
    evens: Evens,
}

#[derive(Metric, Default)]
#[metric(name = "by_label", on(Done))]
struct ByLabel {
    #[dimension(by = outcome)]
    outcomes: Breakdown<Outcome, Recent<Counter, 60>>,
    #[dimension(by = host, limit = 2, value = delta)]
    levels: Breakdown<String, Recent<Gauge<i64>, 60>>,
    #[dimension(by(outcome, host), limit = 9, value = count, buckets = [4])]
    sizes: Breakdown<(Outcome, String), Recent<Histogram<u64>, 60>>,
}

fn done(count: u64) -> Done {
    Done {
        outcome: Outcome::Success,
        host: "a",
        count,
        delta: 7,
        ratio: 0.5,
        elapsed: Duration::from_millis(250),
    }
}

/// Runs a test in a tokio runtime with a paused clock.
fn paused<R>(test: impl Future<Output = R>) -> R {
    Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime").block_on(test)
}

fn shown(metric: &impl Metric) -> Value {
    json_of(&metric.snapshot().dimensions)
}

fn json_of(snapshot: &impl Serialize) -> Value {
    serde_json::to_value(snapshot).expect("it serialises")
}

fn fed<'a, M: Default + HandleEvent<Done>>(events: impl IntoIterator<Item = &'a Done>) -> M {
    let mut metric = M::default();
    for event in events {
        metric.handle(event);
    }
    metric
}

#[test]
fn di7_each_dimension_type_forgets_after_its_seconds_and_not_before() {
    paused(async {
        // Wherever the first value lies in its slot.
        for offset in [0, 1, 2_999, 3_000, 5_999, 6_000, 10_007].map(Duration::from_millis) {
            advance(offset).await;
            let events = [done(4), Done { outcome: Outcome::Failure, ratio: -1.5, ..done(9) }];
            let lately: Lately = fed(&events);
            let always: Always = fed(&events);
            assert_eq!(shown(&lately), shown(&always), "at once");
            advance(WINDOW).await;
            assert_eq!(shown(&lately), shown(&always), "after {WINDOW:?}");
            advance(TENTH).await;
            assert_eq!(shown(&lately), shown(&Always::default()), "after {FORGOTTEN:?}");
            assert_eq!(shown(&lately), shown(&Lately::default()));
        }
    });
}

#[test]
fn di7_reading_changes_nothing() {
    paused(async {
        let mut lately: Lately = fed(&[done(1)]);
        for _ in 0..30 {
            advance(WINDOW / 40).await;
            let before = shown(&lately);
            assert_eq!((shown(&lately), lately.typed_snapshot().total), (before, 1));
        }
        lately.handle(&done(2));
        advance(WINDOW).await;
        assert_eq!(lately.typed_snapshot().added, 2);
    });
}

#[test]
fn di7_a_value_after_a_long_pause_stands_alone() {
    paused(async {
        let mut lately: Lately = fed(&[done(1)]);
        for pause in [WINDOW * 2, WINDOW * 10_000, FORGOTTEN, Duration::from_hours(24 * 365)] {
            advance(pause).await;
            lately.handle(&done(5));
            assert_eq!(shown(&lately), shown(&fed::<Always>(&[done(5)])), "after {pause:?}");
        }
    });
}

#[test]
fn di7_each_label_has_a_window_of_its_own() {
    paused(async {
        let mut metric = ByLabel::default();
        metric.handle(&done(4));
        advance(WINDOW / 2).await;
        metric.handle(&Done { outcome: Outcome::Failure, host: "b", delta: -2, ..done(9) });
        let size = |count: u64, up_to_4: u64, value: u64| {
            json!({"count": count, "sum": value * count,
                "min": (count > 0).then_some(value), "max": (count > 0).then_some(value),
                "buckets": [{"up_to": 4, "count": up_to_4}, {"up_to": null, "count": count - up_to_4}]})
        };
        let sizes = |success, failure| json!({"success": {"a": success}, "failure": {"b": failure}});
        let expected = json!({"outcomes": {"success": 1, "failure": 1}, "levels": {"a": 7, "b": -2},
            "sizes": sizes(size(1, 1, 4), size(1, 0, 9))});
        assert_eq!(shown(&metric), expected);
        advance(WINDOW / 2 + TENTH).await;
        let expected = json!({"outcomes": {"success": 0, "failure": 1}, "levels": {"a": null, "b": -2},
            "sizes": sizes(size(0, 0, 0), size(1, 0, 9))});
        assert_eq!(shown(&metric), expected);
        // A label keeps its place within the limit.
        metric.handle(&Done { host: "c", ..done(1) });
        assert_eq!(shown(&metric)["levels"], json!({"a": null, "b": -2, "other": 7}));
    });
}

#[test]
fn di7_labels_known_by_type_stand_at_zero_before_and_after_their_events() {
    paused(async {
        let zeros = json!({"success": 0, "failure": 0});
        let mut metric = ByLabel::default();
        assert_eq!(shown(&metric)["outcomes"], zeros);
        metric.handle(&done(1));
        advance(FORGOTTEN).await;
        assert_eq!(shown(&metric)["outcomes"], zeros);
    });
}

#[test]
fn di7_the_count_of_invalid_values_never_falls() {
    paused(async {
        let mut lately = Lately::default();
        let mut expected = 0;
        for step in 0..40 {
            lately.handle(&Done { ratio: f64::NAN, ..done(step) });
            // Of the lowest value, the mean ratio and the histogram of ratios.
            expected += 3;
            assert_eq!(lately.typed_snapshot().invalid, expected);
            advance(if step % 9 == 0 { WINDOW * 2 } else { WINDOW / 15 }).await;
            assert_eq!(lately.typed_snapshot().invalid, expected);
        }
    });
}

/// One metric is driven in a runtime with a clock that is an hour ahead, and then by the system's clock.
#[test]
fn di7_a_clock_that_goes_backwards_forgets_nothing() {
    let mut lately = Lately::default();
    paused(async {
        advance(Duration::from_hours(1)).await;
        lately.handle(&done(4));
    });
    let newest = Done { delta: 9, ..done(5) };
    lately.handle(&newest);
    assert_eq!(shown(&lately), shown(&fed::<Always>([&done(4), &newest])));
    paused(async {
        assert_eq!(lately.typed_snapshot().total, 2);
        // Both values are as old as the newest slot.
        advance(Duration::from_hours(1) + FORGOTTEN + Duration::from_secs(1)).await;
        assert_eq!(lately.typed_snapshot().total, 0);
    });
}

#[test]
fn di7_a_handler_by_hand_reaches_the_slot_that_records() {
    #[derive(Metric, Default)]
    #[metric(on(Done, with = Self::on_done))]
    struct ByHand {
        #[dimension(manual)]
        count: Recent<Counter, 60>,
        #[dimension(manual, buckets = [4])]
        sizes: Recent<Histogram<u64>, 60>,
        #[dimension(manual, max_buckets = 8)]
        rough: Recent<Histogram<u64>, 60>,
    }

    impl ByHand {
        fn on_done(&mut self, event: &Done) -> bool {
            self.count.newest().increment_by(event.count);
            self.sizes.newest().record(event.count);
            self.rough.newest().record(event.count);
            true
        }
    }

    paused(async {
        let mut metric: ByHand = fed(&[done(3)]);
        advance(WINDOW / 2).await;
        metric.handle(&done(30));
        let snapshot = metric.typed_snapshot();
        assert_eq!((metric.count.get(), snapshot.count, snapshot.sizes.sum), (33, 33, 33));
        let counts = |snapshot: &ByHandSnapshot| -> Vec<_> {
            snapshot.sizes.buckets.explicit().expect("bounds").iter().map(|bucket| bucket.count).collect()
        };
        assert_eq!(counts(&snapshot), [1, 1]);
        assert_eq!(snapshot.rough.count, 2);
        advance(WINDOW / 2 + TENTH).await;
        let snapshot = metric.typed_snapshot();
        assert_eq!((metric.count.get(), snapshot.count), (30, 30));
        assert_eq!(counts(&snapshot), [0, 1]);
    });
}

#[test]
fn di7_the_shortest_and_the_longest_window() {
    #[derive(Metric, Default)]
    #[metric(on(Done))]
    struct Extremes {
        shortest: Recent<Counter, 1>,
        longest: Recent<Counter, 4_294_967_295>,
    }

    paused(async {
        let mut metric: Extremes = fed(&[done(1)]);
        let expect = |metric: &Extremes, counts| {
            let snapshot = metric.typed_snapshot();
            assert_eq!((snapshot.shortest, snapshot.longest), counts);
        };
        expect(&metric, (1, 1));
        advance(Duration::from_secs(1)).await;
        expect(&metric, (1, 1));
        advance(Duration::from_millis(100)).await;
        expect(&metric, (0, 1));
        advance(Duration::from_hours(24 * 365 * 50)).await;
        metric.handle(&done(1));
        expect(&metric, (1, 2));
        let seconds: Vec<_> =
            metric.descriptor().dimensions.iter().map(|dimension| dimension.window).collect();
        assert_eq!(seconds, [Some(1), Some(4_294_967_295)]);
    });
}

#[test]
fn di7_windows_of_two_metrics_merge_by_the_rule_of_their_dimension() {
    paused(async {
        let one: Lately = fed(&[done(4), Done { outcome: Outcome::Failure, ratio: 2.5, ..done(6) }]);
        let other: Lately = fed(&[Done { outcome: Outcome::Failure, delta: -3, ratio: 0.25, ..done(9) }]);
        let mut merged = one.typed_snapshot();
        merged.merge(&other.typed_snapshot());
        let (mut always, other) = (
            fed::<Always>(&[done(4), Done { outcome: Outcome::Failure, ratio: 2.5, ..done(6) }])
                .typed_snapshot(),
            fed::<Always>(&[Done { outcome: Outcome::Failure, delta: -3, ratio: 0.25, ..done(9) }]),
        );
        always.merge(&other.typed_snapshot());
        assert_eq!(json_of(&merged), json_of(&always));
        assert_eq!((merged.level, merged.peak), (Some(4), Some(2.5)), "a sum, and the option `merge`");
    });
}

#[test]
fn di7_an_interval_keeps_the_later_window_and_no_restart_is_seen() {
    paused(async {
        let mut lately: Lately = fed(&[done(4), done(5), done(6)]);
        let earlier = lately.typed_snapshot();
        advance(FORGOTTEN).await;
        lately.handle(&done(1));
        let later = lately.typed_snapshot();
        assert!(!later.restarted_since(&earlier));
        assert_eq!(later.since(&earlier), later);
    });
}

#[derive(Debug, Clone)]
enum Step {
    Event(Done),
    Advance(Duration),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let outcome = prop::bool::ANY.prop_map(|ok| if ok { Outcome::Success } else { Outcome::Failure });
    let ratio = (-64_i16..64).prop_map(|ratio| f64::from(ratio) / 8.0);
    let event = (outcome, 0..20_u64, -9..9_i64, ratio, 0..3_000_u64);
    let event = event.prop_map(|(outcome, count, delta, ratio, millis)| {
        let elapsed = Duration::from_millis(millis);
        Step::Event(Done { outcome, host: "a", count, delta, ratio, elapsed })
    });
    let pauses = prop_oneof![
        6 => (0..9_000_u64).prop_map(Duration::from_millis),
        2 => (0..100_u64).prop_map(Duration::from_secs),
        1 => Just(Duration::from_secs(6)),
        1 => (0..7_u64).prop_map(Duration::from_nanos),
    ];
    prop::collection::vec(prop_oneof![event, pauses.prop_map(Step::Advance)], 0..120)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn di7_a_window_is_a_metric_that_got_the_latest_events_only(steps in steps()) {
        paused(async {
            let mut lately = Lately::default();
            let (mut events, mut now) = (Vec::new(), Duration::ZERO);
            for step in steps {
                match step {
                    Step::Event(event) => {
                        lately.handle(&event);
                        events.push((now, event));
                    }
                    Step::Advance(by) => {
                        advance(by).await;
                        now += by;
                    }
                }
                let kept = usize::try_from(lately.typed_snapshot().total).expect("a small count");
                let (forgotten, latest) = events.split_at(events.len() - kept);
                for (at, _) in forgotten {
                    prop_assert!(now.saturating_sub(*at) > WINDOW, "forgotten after {:?}", now.saturating_sub(*at));
                }
                for (at, _) in latest {
                    prop_assert!(now.saturating_sub(*at) < FORGOTTEN, "still there after {:?}", now.saturating_sub(*at));
                }
                let expected: Always = fed(latest.iter().map(|(_, event)| event));
                prop_assert_eq!(shown(&lately), shown(&expected));
            }
            Ok(())
        })?;
    }
}

#[derive(Metric, Default)]
#[metric(on(Done, with = self::record_size))]
struct ByHand {
    #[dimension(manual, buckets = [2, 4])]
    sizes: Recent<Histogram<u64>, 60>,
}

fn record_size(metric: &mut ByHand, done: &Done) -> bool {
    metric.sizes.newest().record(done.count);
    true
}

#[test]
fn di7_a_slot_that_begins_inside_of_a_handler_has_the_buckets_of_the_field() {
    paused(async {
        let mut metric: ByHand = fed(&[done(3)]);
        advance(WINDOW / 10).await;
        // As a handler does whose slot has ended since it was called.
        metric.sizes.newest().record(5);
        let buckets =
            json!([{"up_to": 2, "count": 0}, {"up_to": 4, "count": 1}, {"up_to": null, "count": 1}]);
        assert_eq!(shown(&metric)["sizes"]["buckets"], buckets);
    });
}
