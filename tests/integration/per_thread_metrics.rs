//! Metrics of recorders with a ring for each thread: which are refused, and that the others show what an ordered recorder shows.

use std::marker::PhantomData;
use std::thread;
use std::time::{Duration, Instant};

use mvx_metrics::{
    Breakdown, Counter, Distinct, EventHandler, Gauge, HandleEvent, Handoff, Histogram, InFlight, Max, Mean,
    Metric, MetricSnapshot, MetricsRecorder, MetricsRecorderError, Min, Recent, RecorderOptions, Sum, Top,
    metric_event,
};
use mvx_metrics_tests::{bounded, running_runtime};
use serde_json::Value;

#[metric_event]
#[derive(Clone)]
struct Sold {
    shop: u16,
    pieces: u64,
    elapsed: Duration,
    at: Instant,
}

#[metric_event]
struct Returned {
    shop: u16,
    at: Instant,
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

metrics! {
    Level { #[dimension(value = |e| e.pieces.cast_signed())] depth: Gauge<i64> }
    Depths { #[dimension(by = shop, limit = 9, value = |e| e.pieces.cast_signed())] depths: Breakdown<u16, Gauge<i64>> }
    Lately { sold: Recent<Counter, 60> }
    Skips { #[dimension(skip)] config: PhantomData<u8> }
    Flattened { #[dimension(flatten(prefix = "inner_"))] inner: Level }
    PerShop { #[dimension(by = shop, limit = 9)] shops: Breakdown<u16, Level> }
}

#[derive(Metric, Default)]
struct Between {
    #[dimension(on(Sold, begin = shop, at = at), on(Returned, end = shop, at = at), limit = 10)]
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
        MetricSnapshot::new("by_hand")
    }
}

/// Registers a metric on a recorder that must refuse it, and returns the reason.
fn refusal(recorder: &MetricsRecorder, metric: impl Metric) -> String {
    let name = metric.metric_name().to_owned();
    let error = recorder.register_metric(metric).expect_err("it needs an order");
    assert!(
        matches!(&error, MetricsRecorderError::NeedsOrder { metric, .. } if *metric == name),
        "{error:?}"
    );
    error.to_string()
}

#[test]
fn pt5_each_kind_that_needs_a_total_order_is_refused_by_name() {
    bounded(|| {
        let runtime = running_runtime("pt5");
        let options = RecorderOptions::new().handoff(Handoff::PerThread);
        let recorder = runtime.create_recorder_with("rings", options).expect("the id is free");
        let order = "needs the events of all threads in one order; use a recorder with `Handoff::Ordered`";
        let refused = [
            (refusal(&recorder, Level::default()), format!("metric `level`: the gauge `depth` {order}")),
            (refusal(&recorder, Depths::default()), format!("metric `depths`: the gauge `depths` {order}")),
            (refusal(&recorder, Lately::default()), format!("metric `lately`: the window of `sold` {order}")),
            (
                refusal(&recorder, Flattened::default()),
                format!("metric `flattened`: the gauge `inner_depth` {order}"),
            ),
            (
                refusal(&recorder, PerShop::default()),
                format!("metric `per_shop`: the gauge `shops_depth` {order}"),
            ),
            (
                refusal(&recorder, Between::default()),
                format!("metric `between`: `kept` with `begin` and `end` {order}"),
            ),
            (
                refusal(&recorder, Handled::default()),
                format!("metric `handled`: the handler `Handled::sold` of `with` {order}"),
            ),
        ];
        for (message, expected) in refused {
            assert_eq!(message, expected);
        }
        let skips = refusal(&recorder, Skips::default());
        assert!(
            skips.starts_with("metric `skips`: the field `config` with `skip` cannot be split"),
            "{skips}"
        );
        let by_hand = refusal(&recorder, ByHand);
        assert!(by_hand.starts_with("metric `by_hand`: only a derived metric adds up threads"), "{by_hand}");
        // The recorder has none of them.
        assert_eq!(recorder.metric_snapshots().expect("it can be read").len(), 0);
        runtime.shutdown().expect("it ends");
    });
}

#[derive(Metric, Default)]
#[metric(on(Sold))]
struct Sales {
    total: Counter,
    #[dimension(value = pieces)]
    pieces: Sum<u64>,
    #[dimension(add = pieces, sub = 1)]
    open: InFlight,
    #[dimension(value = elapsed)]
    shortest: Min<Duration>,
    #[dimension(value = elapsed)]
    mean: Mean<Duration>,
    #[dimension(value = elapsed)]
    latency: Histogram<Duration>,
    #[dimension(value = pieces, buckets = [10, 1_000])]
    sizes: Histogram<u64>,
    #[dimension(value = shop)]
    shops: Distinct,
    #[dimension(by = shop, limit = 200, value = pieces)]
    by_shop: Breakdown<u16, Max<u64>>,
    #[dimension(by = shop, limit = 200)]
    per_shop: Breakdown<u16, Inner>,
    #[dimension(by = shop, keep = 200)]
    largest: Top<u16, Counter>,
    #[dimension(flatten(prefix = "inner_"))]
    inner: Inner,
}

#[derive(Metric, Default)]
#[metric(on(Sold))]
struct Inner {
    #[dimension(value = elapsed)]
    longest: Max<Duration>,
}

/// Emits events from several threads, with reads in between; returns the dimensions at the end.
fn shown(handoff: Handoff) -> Value {
    const THREADS: u16 = 4;
    const EVENTS: u16 = if cfg!(miri) { 300 } else { 5_000 };
    let runtime = running_runtime("sales");
    let options = RecorderOptions::new().handoff(handoff);
    let recorder = runtime.create_recorder_with("one", options).expect("the id is free");
    recorder.register_metric(Sales::default()).expect("its dimensions add up");
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let recorder = &recorder;
            scope.spawn(move || {
                for number in 0..EVENTS {
                    let pieces = u64::from(number) * u64::from(number) * u64::from(thread);
                    let elapsed = Duration::from_nanos(pieces * 1_000 + u64::from(thread));
                    let shop = (number * THREADS + thread) % 190;
                    recorder.emit(Sold { shop, pieces, elapsed, at: Instant::now() });
                    if number % 1_000 == 0 {
                        recorder.metric_snapshots().expect("it can be read");
                    }
                }
            });
        }
    });
    let snapshots = recorder.metric_snapshots().expect("it can be read");
    runtime.shutdown().expect("it ends");
    serde_json::to_value(&snapshots).expect("it is written")["sales"]["dimensions"].clone()
}

#[test]
fn pt1_a_recorder_with_a_ring_for_each_thread_shows_what_an_ordered_one_shows() {
    bounded(|| {
        let (rings, ordered) = (shown(Handoff::PerThread), shown(Handoff::Ordered));
        assert!(ordered["total"].as_u64().is_some_and(|total| total > 0), "{ordered}");
        assert_eq!(rings, ordered);
    });
}
