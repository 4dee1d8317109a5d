//! Shards of metrics that are boxed, and the reasons why a metric has none.

use std::marker::PhantomData;
use std::time::{Duration, Instant};

use super::*;
use crate::dispatch::{EventHandler, HandleEvent};
use crate::feed::Record;
use crate::queue::{Consumer, Queue, SegmentPool};
use crate::snapshot::{DimensionValue, MetricSnapshot, Timestamp};
use crate::{
    Breakdown, Counter, Dimension, DimensionKind, Gauge, Histogram, Metric, Recent, Sum, Top, metric_event,
};

#[metric_event]
struct Sold {
    shop: &'static str,
    pieces: u64,
    load: f64,
    at: Instant,
}

#[metric_event]
struct Returned {
    shop: &'static str,
    at: Instant,
}

#[derive(Metric, Default)]
#[metric(name = "sales", on(Sold))]
struct Sales {
    total: Counter,
    #[dimension(value = |e| { assert!(e.pieces < 100, "too many"); e.pieces })]
    pieces: Sum<u64>,
}

#[derive(Metric, Default)]
#[metric(on(Sold))]
struct Shops {
    #[dimension(by = shop, limit = 2)]
    by_shop: Breakdown<&'static str, Counter>,
    #[dimension(by = shop, keep = 3)]
    top: Top<&'static str, Counter>,
}

fn set_of(metrics: Vec<MetricBox>) -> MetricSet {
    let mut set = MetricSet::default();
    for metric in metrics {
        assert!(set.register(metric).is_none());
    }
    set
}

fn boxed<M: Metric + Default>() -> MetricBox {
    MetricBox::of_default::<M>().expect("it has a name")
}

/// Applies one batch with sales of these numbers of pieces.
fn sell(set: &mut MetricSet, shop: &'static str, pieces: &[u64], failures: &mut Vec<MetricFailure>) {
    let queue = Queue::new(1_000, Arc::new(SegmentPool::new()));
    for pieces in pieces {
        let event = Sold { shop, pieces: *pieces, load: 0.5, at: Instant::now() };
        assert!(queue.push(event).is_ok(), "there is room");
    }
    let mut consumer = Consumer::new();
    let batch = queue.next_batch(&mut consumer, 1_000).expect("events are pending");
    set.apply_batch(batch.published(), failures);
    batch.consume();
}

/// The value of each dimension of a metric.
fn values(set: &MetricSet, name: &str) -> serde_json::Value {
    let (metric, panic) = set.find(name).expect("it is registered");
    let snapshot = serde_json::to_value(metric.snapshot(panic, Timestamp::now())).expect("it is written");
    snapshot["dimensions"].clone()
}

#[test]
fn a_shard_applies_batches_and_is_absorbed() {
    let mut set = set_of(vec![boxed::<Sales>(), boxed::<Shops>()]);
    let (plan, mut failures) = (set.shard_plan(), Vec::new());
    let (mut one, mut other, idle) = (plan.make(), plan.make(), plan.make());
    sell(&mut one, "a", &[1, 2], &mut failures);
    sell(&mut one, "b", &[1], &mut failures);
    sell(&mut other, "b", &[3, 4], &mut failures);
    sell(&mut set, "c", &[5], &mut failures);
    for shard in [other, idle, one] {
        assert!(set.absorb(shard, &mut failures).is_empty());
    }
    assert!(failures.is_empty());
    assert_eq!(values(&set, "sales"), serde_json::json!({"total": 6, "pieces": 16}));
    assert_eq!(values(&set, "shops")["by_shop"], serde_json::json!({"b": 3, "c": 1, "other": 2}));
}

#[test]
fn a_shard_of_a_replaced_metric_is_returned() {
    let mut set = set_of(vec![boxed::<Shops>(), boxed::<Sales>()]);
    let (plan, mut failures) = (set.shard_plan(), Vec::new());
    let mut shard = plan.make();
    sell(&mut shard, "a", &[7], &mut failures);
    assert!(set.register(boxed::<Sales>()).is_some());
    let replaced = set.absorb(shard, &mut failures);
    let names: Vec<_> = replaced.iter().map(|metric| &*metric.name).collect();
    assert_eq!(names, ["sales"]);
    let state = replaced[0].snapshot(None, Timestamp::now());
    assert_eq!(state.get("pieces"), Some(&DimensionValue::Unsigned(7)));
    assert_eq!(values(&set, "sales"), serde_json::json!({"total": 0, "pieces": 0}));
    assert_eq!(values(&set, "shops")["by_shop"], serde_json::json!({"a": 1}));
}

#[test]
fn a_panic_in_shards_fails_the_metric_once_and_keeps_what_was_recorded() {
    let mut set = set_of(vec![boxed::<Sales>(), boxed::<Shops>()]);
    let (plan, mut failures) = (set.shard_plan(), Vec::new());
    let (mut one, mut other) = (plan.make(), plan.make());
    sell(&mut one, "a", &[1, 100, 2], &mut failures);
    sell(&mut other, "a", &[1, 2, 300], &mut failures);
    failures.clear();
    assert!(set.absorb(one, &mut failures).is_empty() && set.absorb(other, &mut failures).is_empty());
    let failures: Vec<_> =
        failures.iter().map(|failure| (&*failure.metric, failure.panic.to_string())).collect();
    assert_eq!(failures, [("sales", "panicked: too many".to_owned())]);
    assert!(set.find("sales").expect("it is registered").1.is_some());
    // A panicking closure comes after the count.
    assert_eq!(values(&set, "sales"), serde_json::json!({"total": 5, "pieces": 4}));
    assert_eq!(values(&set, "shops")["by_shop"], serde_json::json!({"a": 6}));
}

#[test]
fn a_failed_metric_gets_no_more_events_from_new_shards() {
    let (mut set, mut failures) = (set_of(vec![boxed::<Sales>(), boxed::<Shops>()]), Vec::new());
    sell(&mut set, "a", &[100], &mut failures);
    assert_eq!(failures.len(), 1);
    let mut shard = set.shard_plan().make();
    sell(&mut shard, "a", &[1], &mut failures);
    assert!(set.absorb(shard, &mut failures).is_empty());
    assert_eq!(failures.len(), 1);
    assert_eq!(values(&set, "sales"), serde_json::json!({"total": 1, "pieces": 0}));
    assert_eq!(values(&set, "shops")["by_shop"], serde_json::json!({"a": 2}));
}

/// A label's metric whose drop panics.
#[derive(Metric, Default)]
#[metric(on(Sold))]
struct Fragile {
    sold: Counter,
}

impl Drop for Fragile {
    fn drop(&mut self) {
        assert!(self.sold.get() != 7, "broken");
    }
}

#[derive(Metric, Default)]
#[metric(on(Sold))]
struct Glasses {
    #[dimension(by = shop, limit = 2)]
    by_shop: Breakdown<&'static str, Fragile>,
}

#[test]
fn a_panic_while_a_shard_is_absorbed_fails_the_metric() {
    let mut set = set_of(vec![boxed::<Glasses>()]);
    let (plan, mut failures) = (set.shard_plan(), Vec::new());
    for pieces in [&[1][..], &[1; 7]] {
        let mut shard = plan.make();
        sell(&mut shard, "a", pieces, &mut failures);
        assert!(set.absorb(shard, &mut failures).is_empty());
    }
    let failures: Vec<_> = failures.iter().map(|failure| failure.panic.to_string()).collect();
    assert_eq!(failures, ["panicked: broken"]);
    assert_eq!(values(&set, "glasses"), serde_json::json!({"by_shop_sold": {"a": 8}}));
}

#[derive(Default)]
struct Rises(u64);

impl Dimension for Rises {
    type Output = u64;
    const KIND: DimensionKind = DimensionKind::Counter;
    const MERGE: Option<fn(&mut u64, &u64)> = Some(|rises, others| *rises += others);

    fn read(&self) -> u64 {
        self.0
    }

    fn value(rises: u64) -> DimensionValue {
        rises.into()
    }
}

impl Record<f64> for Rises {
    fn record(&mut self, _load: f64) -> bool {
        self.0 += 1;
        true
    }
}

#[derive(Metric, Default)]
#[metric(on(Sold))]
struct Level {
    total: Counter,
    #[dimension(value = load, name = "depth")]
    level: Gauge<f64>,
}

macro_rules! metrics {
    ($($name:ident { $(#[$meta:meta])* $field:ident: $ty:ty })*) => {
        $(#[derive(Metric, Default)]
        #[metric(on(Sold))]
        struct $name {
            total: Counter,
            $(#[$meta])*
            $field: $ty,
        })*
    };
}

type Alias = Gauge<f64>;

metrics! {
    Aliased { #[dimension(value = load)] depth: Alias }
    OfLabels { #[dimension(by = shop, limit = 2, value = load)] depths: Breakdown<&'static str, Gauge<f64>> }
    OfUnknown { #[dimension(by = shop, limit = 2)] seen: Breakdown<&'static str, Seen> }
    Window { lately: Recent<Counter, 60> }
    Own { #[dimension(value = load)] rises: Rises }
    OwnLately { #[dimension(value = load)] rises: Recent<Rises, 60> }
    Skips { #[dimension(skip)] config: PhantomData<u8> }
    Flattened { #[dimension(flatten(prefix = "inner_"))] inner: Level }
    FlattenedSkip { #[dimension(flatten(prefix = "inner_"))] inner: Skips }
    PerLabel { #[dimension(by = shop, limit = 2)] shops: Breakdown<&'static str, Level> }
}

type Seen = Recent<Counter, 60>;

#[derive(Metric, Default)]
struct Between {
    #[dimension(
        on(Sold, begin = shop, at = at),
        on(Returned, end = shop, at = at),
        limit = 10
    )]
    kept: Histogram<Duration>,
}

#[derive(Metric, Default)]
#[metric(on(Sold, with = Handled::sold))]
struct Handled {
    #[dimension(manual)]
    total: Counter,
}

impl Handled {
    fn sold(&mut self, event: &Sold) -> bool {
        self.total.increment_by(event.pieces);
        true
    }
}

#[derive(Default)]
struct ByHand;

impl HandleEvent<Sold> for ByHand {
    fn handle(&mut self, _event: &Sold) -> bool {
        true
    }
}

impl Metric for ByHand {
    fn metric_name(&self) -> &'static str {
        "by_hand"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        const { &[EventHandler::of::<Sold>()] }
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::of_static("by_hand")
    }
}

#[test]
fn pt5_each_metric_that_needs_a_total_order_says_why() {
    let order = "needs the events of all threads in one order";
    let own = "is of a type outside of the library, which does not add up threads";
    let problems = [
        (boxed::<Level>(), format!("metric `level`: the gauge `depth` {order}")),
        (boxed::<Aliased>(), format!("metric `aliased`: the gauge `depth` {order}")),
        (boxed::<OfLabels>(), format!("metric `of_labels`: the gauge `depths` {order}")),
        (boxed::<OfUnknown>(), format!("metric `of_unknown`: the window of `seen` {order}")),
        (boxed::<Window>(), format!("metric `window`: the window of `lately` {order}")),
        (boxed::<Own>(), format!("metric `own`: `rises` {own}")),
        (boxed::<OwnLately>(), format!("metric `own_lately`: the window of `rises` {order}")),
        (
            boxed::<Skips>(),
            "metric `skips`: the field `config` with `skip` cannot be split by threads".to_owned(),
        ),
        (boxed::<Flattened>(), format!("metric `flattened`: the gauge `inner_depth` {order}")),
        (
            boxed::<FlattenedSkip>(),
            "metric `flattened_skip`: the field `inner_config` with `skip` cannot be split by threads"
                .to_owned(),
        ),
        (boxed::<PerLabel>(), format!("metric `per_label`: the gauge `shops_depth` {order}")),
        (boxed::<Between>(), format!("metric `between`: `kept` with `begin` and `end` {order}")),
        (boxed::<Handled>(), format!("metric `handled`: the handler `Handled::sold` of `with` {order}")),
        (
            boxed::<ByHand>(),
            "metric `by_hand`: only a derived metric adds up threads, and this one is written by hand"
                .to_owned(),
        ),
    ];
    for (metric, problem) in problems {
        assert_eq!(metric.order_problem(), Some(problem));
    }
}

/// Claims that it can be split, and has no shard.
#[derive(Default)]
struct Forgetful;

impl HandleEvent<Sold> for Forgetful {
    fn handle(&mut self, _event: &Sold) -> bool {
        true
    }
}

impl Metric for Forgetful {
    fn metric_name(&self) -> &'static str {
        "forgetful"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        const { &[EventHandler::of::<Sold>()] }
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::of_static("forgetful")
    }

    fn order_problem() -> Option<String> {
        None
    }
}

#[test]
fn pt5_a_metric_without_a_shard_is_refused_whatever_it_claims() {
    let problem = "metric `forgetful`: one of its dimensions cannot be split by threads";
    assert_eq!(boxed::<Forgetful>().order_problem().as_deref(), Some(problem));
}

#[test]
fn pt5_a_metric_whose_dimensions_add_up_has_no_problem() {
    for metric in [boxed::<Sales>(), boxed::<Shops>(), boxed::<Glasses>()] {
        assert_eq!(metric.order_problem(), None);
        assert_eq!(metric.empty_shard().name, metric.name);
    }
}
