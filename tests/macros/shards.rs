//! A metric in parts, one for each thread: once absorbed, they are as one metric that has got all events.

// Much data and no `unsafe` code of its own: Miri would take many minutes.
#![cfg(not(miri))]

use std::time::Duration;

use mvx_metrics::feed::IntoMeasure;
use mvx_metrics::{
    Breakdown, Counter, Distinct, HandleEvent, Histogram, InFlight, Label, Max, Mean, Measure, Metric, Min,
    Sum, Top, TypedMetric, metric_event,
};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;

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
    is_cached: Option<bool>,
    host: String,
    user: u16,
    offset: i16,
    count: u64,
    delta: i64,
    elapsed: Duration,
    /// A whole number, so that each order of addition has one sum; or not finite.
    load: f64,
    milliseconds: f64,
    opened: u8,
    closed: u8,
}

/// What is kept for each label.
#[derive(Metric, Default)]
#[metric(on(Done))]
struct Inner {
    done: Counter,
    #[dimension(value = elapsed)]
    longest: Max<Duration>,
    #[dimension(value = load, buckets = [-8, 0, 8])]
    loads: Histogram<f64>,
    #[dimension(value = user)]
    users: Distinct,
}

#[derive(Metric, Default)]
#[metric(on(Done))]
struct Generic<T: Measure, const KEEP: usize>
where
    u64: IntoMeasure<T>,
{
    #[dimension(value = count)]
    sum: Sum<T>,
    #[dimension(by = user, keep = KEEP)]
    users: Top<u16, Counter>,
}

type Alias = Breakdown<String, Counter>;

/// Every kind of dimension that is the same in each order of events.
#[derive(Metric, Default)]
#[metric(on(Done))]
struct Everything {
    total: Counter,
    #[dimension(add = count)]
    added: Counter,
    #[dimension(value = count)]
    count: Sum<u64>,
    #[dimension(value = delta)]
    delta: Sum<i64>,
    #[dimension(value = load)]
    load: Sum<f64>,
    #[dimension(value = elapsed)]
    elapsed: Sum<Duration>,
    #[dimension(value = milliseconds, from = milliseconds)]
    taken: Sum<Duration>,
    #[dimension(value = load)]
    lowest: Min<f64>,
    #[dimension(value = elapsed)]
    longest: Max<Duration>,
    #[dimension(value = delta)]
    mean_delta: Mean<i64>,
    #[dimension(value = load)]
    mean_load: Mean<f64>,
    #[dimension(add = opened, sub = closed)]
    open: InFlight,
    #[dimension(value = count)]
    counts: Histogram<u64>,
    #[dimension(value = delta, max_buckets = 20)]
    deltas: Histogram<i64>,
    #[dimension(value = load, max_buckets = 4)]
    loads: Histogram<f64>,
    #[dimension(value = elapsed)]
    latency: Histogram<Duration>,
    #[dimension(value = delta, buckets = [-1_000, 0, 5, 1_000_000])]
    rough: Histogram<i64>,
    #[dimension(value = elapsed, buckets = [0.001, 1, 1e9])]
    rough_latency: Histogram<Duration>,
    #[dimension(value = user)]
    users: Distinct,
    #[dimension(by = outcome)]
    by_outcome: Breakdown<Outcome, Counter>,
    #[dimension(by(outcome, is_cached), value = load, zeros = off)]
    by_known: Breakdown<(Outcome, bool), Mean<f64>>,
    #[dimension(by(outcome, host), limit = 100, value = load)]
    by_both: Breakdown<(Outcome, String), Min<f64>>,
    #[dimension(by = host, limit = 100, value = elapsed)]
    by_host: Breakdown<String, Histogram<Duration>>,
    #[dimension(by = offset, limit = 1_000, value = load, buckets = [0, 100])]
    by_offset: Breakdown<i16, Histogram<f64>>,
    #[dimension(by = host, limit = 100, value = user)]
    users_by_host: Breakdown<String, Distinct>,
    #[dimension(by = host, limit = 100)]
    aliased: Alias,
    #[dimension(by = outcome)]
    inner_by_outcome: Breakdown<Outcome, Inner>,
    #[dimension(by = host, limit = 100)]
    inner_by_host: Breakdown<String, Inner>,
    #[dimension(by = user, keep = 1_000, value = elapsed)]
    top: Top<u16, Sum<Duration>>,
    #[dimension(by = host, keep = 100)]
    top_hosts: Top<String, Counter>,
    #[dimension(flatten(prefix = "inner_"))]
    inner: Inner,
    #[dimension(flatten(prefix = "generic_"))]
    generic: Generic<u64, 1_000>,
}

prop_compose! {
    fn done()(
        outcome in prop::sample::select(vec![Outcome::Success, Outcome::Failure, Outcome::Timeout]),
        is_cached in any::<Option<bool>>(),
        // One host is too long for a label.
        host in prop_oneof!["[a-f]|other|", Just("g".repeat(300))],
        (user, offset) in (0..700_u16, -20..20_i16),
        count in any::<u64>(),
        delta in prop_oneof![-1_000..1_000_i64, -(1_i64 << 50)..1 << 50],
        elapsed in prop_oneof![
            (0..1_000_000_000_u64).prop_map(Duration::from_nanos),
            any::<u64>().prop_map(Duration::from_secs),
        ],
        load in prop_oneof![
            8 => (-100..100_i32).prop_map(f64::from),
            4 => (0..40_i32, prop::bool::ANY).prop_map(|(power, sign)| if sign { 2_f64.powi(power) } else { -2_f64.powi(power) }),
            1 => prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY]),
        ],
        milliseconds in (-3..1_000_i32).prop_map(f64::from),
        (opened, closed) in any::<(u8, u8)>(),
    ) -> Done {
        Done { outcome, is_cached, host, user, offset, count, delta, elapsed, load, milliseconds, opened, closed }
    }
}

#[derive(Debug, Clone)]
enum Step {
    /// An event for one of the shards, or for the metric itself.
    Event(Index, Box<Done>),
    Absorb(Index),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let event = (any::<Index>(), done()).prop_map(|(shard, event)| Step::Event(shard, Box::new(event)));
    let absorb = any::<Index>().prop_map(Step::Absorb);
    prop::collection::vec(prop_oneof![12 => event, 1 => absorb], 0..120)
}

/// Takes the steps with so many shards, the first of which is the metric itself; returns it once it has absorbed all others in this
/// order.
fn in_parts<M: Metric + HandleEvent<Done>>(metric: M, steps: &[Step], order: &[usize]) -> M {
    let prototype = metric.empty_shard();
    let shard = |_| prototype.empty_shard();
    let mut parts: Vec<M> = [metric].into_iter().chain((1..order.len()).map(shard)).collect();
    let absorb = |parts: &mut Vec<M>, index: usize| {
        if index > 0 {
            let mut part = std::mem::replace(&mut parts[index], shard(0));
            parts[0].absorb_shard(&mut part);
        }
    };
    for step in steps {
        match step {
            Step::Event(index, event) => {
                index.get_mut(&mut parts).handle(event);
            }
            Step::Absorb(index) => {
                let index = index.index(parts.len());
                absorb(&mut parts, index);
            }
        }
    }
    for index in order {
        absorb(&mut parts, *index);
    }
    parts.swap_remove(0)
}

fn in_one<M: HandleEvent<Done>>(mut metric: M, steps: &[Step]) -> M {
    for step in steps {
        if let Step::Event(_, event) = step {
            metric.handle(event);
        }
    }
    metric
}

/// The numbers of one to eight shards in any order.
fn order() -> impl Strategy<Value = Vec<usize>> {
    (1..=8_usize).prop_flat_map(|count| Just((0..count).collect::<Vec<_>>()).prop_shuffle())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn absorbed_shards_are_as_one_metric_with_all_events(steps in steps(), order in order()) {
        prop_assert_eq!(Everything::order_problem(), None);
        let parts = in_parts(Everything::default(), &steps, &order);
        let (shown, expected) = (dimensions(&parts), dimensions(&in_one(Everything::default(), &steps)));
        for (name, value) in expected.as_object().expect("a map") {
            prop_assert_eq!(&shown[name], value, "{}", name);
        }
        prop_assert_eq!(shown, expected);
    }

    #[test]
    fn exponential_buckets_are_the_same_in_each_order(
        values in prop::collection::vec((0..4_usize, any::<f64>(), any::<i64>()), 0..300),
        zeros in 0..3_usize,
    ) {
        let zeros = std::iter::repeat_n((3, 0.0, 0), zeros);
        let mut whole = Bounds::default();
        let mut parts: [Bounds; 4] = std::array::from_fn(|_| Bounds::default());
        for (part, float, integer) in values.into_iter().chain(zeros) {
            let event = Measured { float, integer };
            whole.handle(&event);
            parts[part].handle(&event);
        }
        let [mut absorbed, rest @ ..] = parts;
        for mut part in rest {
            absorbed.absorb_shard(&mut part);
        }
        let (absorbed, whole) = (absorbed.typed_snapshot(), whole.typed_snapshot());
        prop_assert_eq!(absorbed.floats.buckets, whole.floats.buckets);
        prop_assert_eq!((absorbed.floats.min, absorbed.floats.max), (whole.floats.min, whole.floats.max));
        prop_assert_eq!(absorbed.coarse.buckets, whole.coarse.buckets);
        prop_assert_eq!(absorbed.integers.buckets, whole.integers.buckets);
        prop_assert_eq!((absorbed.integers.min, absorbed.integers.max), (whole.integers.min, whole.integers.max));
    }

    #[test]
    fn a_limit_holds_for_all_shards_together(steps in steps(), order in order()) {
        let metric = in_parts(Limited::default(), &steps, &order);
        let (shown, whole) = (dimensions(&metric), dimensions(&in_one(Limited::default(), &steps)));
        for (name, limit) in [("by_user", 5), ("by_host", 2)] {
            let labels = shown[name].as_object().expect("a breakdown");
            let kept = labels.keys().filter(|label| *label != "other").count();
            prop_assert!(kept <= limit, "{} labels in {}", kept, name);
            // A label is under `other` only if there was no room for it, or if it is too long.
            let expected = whole[name].as_object().expect("a breakdown");
            prop_assert_eq!(kept, expected.keys().filter(|label| *label != "other").count());
            let sum = |labels: &serde_json::Map<String, Value>| -> u64 { labels.values().filter_map(Value::as_u64).sum() };
            prop_assert_eq!(sum(labels), sum(expected));
        }
    }
}

#[metric_event]
struct Measured {
    float: f64,
    integer: i64,
}

#[derive(Metric, Default)]
#[metric(on(Measured))]
struct Bounds {
    #[dimension(value = float)]
    floats: Histogram<f64>,
    #[dimension(value = float, max_buckets = 4)]
    coarse: Histogram<f64>,
    #[dimension(value = integer, max_buckets = 7)]
    integers: Histogram<i64>,
}

#[derive(Metric, Default)]
#[metric(on(Done))]
struct Limited {
    #[dimension(by = user, limit = 5)]
    by_user: Breakdown<u16, Counter>,
    #[dimension(by = host, limit = 2)]
    by_host: Breakdown<String, Counter>,
}

/// Histograms whose buckets are not those of their fields.
#[derive(Metric)]
#[metric(on(Done))]
struct Configured {
    #[dimension(value = delta)]
    own: Histogram<i64>,
    #[dimension(value = count, buckets = [1, 2])]
    used: Histogram<u64>,
    #[dimension(value = count, max_buckets = 10)]
    wide: Histogram<u64>,
}

fn configured() -> Configured {
    let mut used = Histogram::default();
    used.record(700);
    let own = Histogram::with_buckets(&[-5, 5]);
    Configured { own, wide: used.clone(), used }
}

proptest! {
    #[test]
    fn a_shard_has_the_configuration_of_its_metric(steps in steps(), order in order()) {
        let parts = in_parts(configured(), &steps, &order);
        prop_assert_eq!(dimensions(&parts), dimensions(&in_one(configured(), &steps)));
    }
}

/// Without values of its own, a metric keeps the first state of its dimensions.
#[test]
fn what_a_metric_has_before_its_first_shard_stays() {
    let mut metric = Everything::default();
    metric.total.increment_by(40);
    let mut shard = metric.empty_shard();
    assert_eq!(shard.total.get(), 0);
    shard.total.increment_by(2);
    metric.absorb_shard(&mut shard);
    assert_eq!(metric.total.get(), 42);
}
