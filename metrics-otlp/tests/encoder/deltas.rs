//! Covers OT2: what deltas count, and since when.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use mvx_metrics::{
    Counter, DimensionKind, DimensionValue, Histogram, Max, Metric, MetricsRuntime, Scope, Totals,
    metric_event,
};
use mvx_metrics_otlp::{Encoder, OtlpOptions, Temporality};
use mvx_metrics_tests::Handwritten;

use crate::decode::{Decoded, Distribution, Kind, Value, decode, push};
use crate::fixtures::{dimension, running, runtime_with};

#[metric_event]
struct Sent {
    bytes: u64,
    change: i64,
}

#[derive(Metric, Default)]
#[metric(name = "sends", on(Sent))]
struct Sends {
    all: Counter,
    #[dimension(add = bytes)]
    bytes: Counter,
    #[dimension(add = bytes, sub = 1)]
    flying: mvx_metrics::InFlight,
    #[dimension(value = change)]
    changes: mvx_metrics::Sum<i64>,
    #[dimension(value = change)]
    most: Max<i64>,
    #[dimension(value = bytes, max_buckets = 4)]
    spread: Histogram<u64>,
    #[dimension(value = change)]
    distances: Histogram<i64>,
}

fn deltas() -> Encoder {
    Encoder::new(&OtlpOptions::new().temporality(Temporality::Delta))
}

fn sent(runtime: &MetricsRuntime, bytes: u64, change: i64) {
    let recorder = runtime.try_get_recorder("one").expect("it runs");
    let recorder = recorder.unwrap_or_else(|| {
        let recorder = runtime.create_recorder("one").expect("the id is free");
        recorder.metric::<Sends>().expect("it runs");
        recorder
    });
    recorder.emit(Sent { bytes, change });
}

fn rollup(runtime: &MetricsRuntime) -> Totals {
    runtime.totals(Scope::Rollup).expect("it runs")
}

fn distribution(pushed: &Decoded, name: &str) -> Distribution {
    match &pushed.only(name).value {
        Value::Distribution(distribution) => distribution.clone(),
        other => panic!("{name} is {other:?}"),
    }
}

/// Makes a push that does not arrive.
fn lose(encoder: &mut Encoder, totals: &Totals) -> Decoded {
    let mut all = Decoded::default();
    let mut requests = encoder.requests(totals);
    while let Some(request) = requests.next_request() {
        all.extend(decode(&request));
    }
    all
}

#[test]
fn ot2_a_lost_push_is_part_of_the_next_delta() {
    let (runtime, mut encoder) = (running("shop"), deltas());
    sent(&runtime, 10, 1);
    let first = push(&mut encoder, &rollup(&runtime));
    sent(&runtime, 20, 1);
    lose(&mut encoder, &rollup(&runtime));
    sent(&runtime, 40, 1);
    let next = push(&mut encoder, &rollup(&runtime));
    assert_eq!(
        (&first.only("sends.bytes").value, &next.only("sends.bytes").value),
        (&Value::Int(10), &Value::Int(60))
    );
    // The interval begins where the last delivered one ends.
    let (first, next) = (first.only("sends.bytes"), next.only("sends.bytes"));
    assert!(first.start < first.time && next.start == first.time && next.start < next.time);
    // Nothing came after it, so no counter has a delta.
    let quiet = push(&mut encoder, &rollup(&runtime));
    assert!(!quiet.names().contains("sends.bytes") && quiet.names().contains("sends.flying"));
}

#[test]
fn ot2_what_may_fall_is_cumulative_in_deltas_too() {
    let (runtime, mut encoder) = (running("shop"), deltas());
    for (flying, changes) in [(9, -5), (18, -10), (27, -15)] {
        sent(&runtime, 10, -5);
        let pushed = push(&mut encoder, &rollup(&runtime));
        for (name, value) in [("sends.flying", flying), ("sends.changes", changes)] {
            let point = pushed.only(name);
            assert_eq!(
                (point.kind, point.is_delta, &point.value),
                (Kind::UpDownCounter, false, &Value::Int(value))
            );
            assert!(point.start > 0 && point.start < point.time);
        }
        assert_eq!(pushed.only("sends.most").value, Value::Int(-5));
        assert_eq!(pushed.only("sends.most").kind, Kind::Gauge);
    }
}

#[test]
fn ot2_counters_near_the_largest_number() {
    let (runtime, mut encoder) = (running("shop"), deltas());
    let mut cumulative = Encoder::new(&OtlpOptions::new());
    let mut push_both = || {
        let totals = rollup(&runtime);
        [&mut cumulative, &mut encoder].map(|encoder| {
            let pushed = push(encoder, &totals);
            let mut points = pushed.points.into_iter();
            points.find(|((name, _), _)| name == "sends.bytes").map(|(_, point)| point.value)
        })
    };
    let limit = i64::MAX.unsigned_abs();
    sent(&runtime, limit, 0);
    assert_eq!(push_both(), [Some(Value::Int(i64::MAX)), Some(Value::Int(i64::MAX))]);
    // A number that no signed integer can be is the nearest floating-point number; its delta is exact.
    sent(&runtime, 7, 0);
    assert_eq!(push_both(), [Some(Value::Double(9_223_372_036_854_775_808.0)), Some(Value::Int(7))]);
    sent(&runtime, limit - 6, 0);
    assert_eq!(
        push_both(),
        [Some(Value::Double(18_446_744_073_709_551_616.0)), Some(Value::Int(i64::MAX - 6))]
    );
    // The counter has ended at the largest number.
    sent(&runtime, 1_000, 0);
    assert_eq!(push_both(), [Some(Value::Double(18_446_744_073_709_551_616.0)), None]);
}

#[test]
fn ot2_extremes_are_those_of_the_first_interval_only() {
    let (runtime, mut encoder) = (running("shop"), deltas());
    sent(&runtime, 5, 0);
    sent(&runtime, 9, 0);
    assert_eq!(
        distribution(&push(&mut encoder, &rollup(&runtime)), "sends.spread").extremes,
        [Some(5.0), Some(9.0)]
    );
    sent(&runtime, 7, 0);
    let next = distribution(&push(&mut encoder, &rollup(&runtime)), "sends.spread");
    assert_eq!((next.count, next.sum, next.extremes), (1, Some(7.0), [None; 2]));
    // A cumulative histogram always knows its extremes.
    let cumulative = push(&mut Encoder::new(&OtlpOptions::new()), &rollup(&runtime));
    assert_eq!(distribution(&cumulative, "sends.spread").extremes, [Some(5.0), Some(9.0)]);
}

#[test]
fn ot2_a_histogram_that_becomes_coarser_has_exact_deltas() {
    let (runtime, mut encoder) = (running("shop"), deltas());
    sent(&runtime, 4, 0);
    sent(&runtime, 5, 0);
    let first = distribution(&push(&mut encoder, &rollup(&runtime)), "sends.spread");
    sent(&runtime, 1 << 20, 0);
    let second = distribution(&push(&mut encoder, &rollup(&runtime)), "sends.spread");
    assert!(second.scale < first.scale, "{first:?} {second:?}");
    // The bucket of 2^20, and nothing of what was counted at the finer scale. 2^20 is the upper bound of its bucket.
    let steps = -second.scale;
    let index = if steps > 0 { (20 - 1) >> steps } else { (20 << second.scale) - 1 };
    assert_eq!((second.count, second.positive.into_iter().collect::<Vec<_>>()), (1, vec![(index, 1)]));
}

#[test]
fn ot2_a_histogram_with_values_below_zero_has_no_sum() {
    let (runtime, mut encoder) = (running("shop"), deltas());
    sent(&runtime, 1, 8);
    assert_eq!(distribution(&push(&mut encoder, &rollup(&runtime)), "sends.distances").sum, Some(8.0));
    sent(&runtime, 1, -2);
    let below = distribution(&push(&mut encoder, &rollup(&runtime)), "sends.distances");
    assert_eq!((below.sum, below.count, below.negative.len(), below.positive.len()), (None, 1, 1, 0));
    // The sum of the whole has fallen once, so the interval has none either.
    sent(&runtime, 1, 8);
    assert_eq!(distribution(&push(&mut encoder, &rollup(&runtime)), "sends.distances").sum, None);
}

#[test]
fn ot2_a_replaced_metric_counts_from_zero_by_entity_and_goes_on_in_a_rollup() {
    let runtime = running("shop");
    let (mut by_entity, mut in_all) = (deltas(), deltas());
    let push_both = |by_entity: &mut Encoder, in_all: &mut Encoder| {
        let totals = runtime.totals(Scope::PerEntity).expect("it runs");
        let points = [push(by_entity, &totals), push(in_all, &rollup(&runtime))];
        points.map(|pushed| pushed.only("sends.bytes").clone())
    };
    sent(&runtime, 10, 0);
    let before = push_both(&mut by_entity, &mut in_all);
    assert_eq!(before.clone().map(|point| point.value), [Value::Int(10), Value::Int(10)]);
    sent(&runtime, 3, 0);
    let recorder = runtime.get_recorder("one").expect("it runs");
    recorder.register_metric(Sends::default()).expect("it runs");
    // More than before: the value alone does not show that it is another one.
    sent(&runtime, 50, 0);
    let after = push_both(&mut by_entity, &mut in_all);
    assert_eq!(after.clone().map(|point| point.value), [Value::Int(50), Value::Int(53)]);
    // By entity it counts since the new metric was registered, in the rollup since the last push.
    assert!(after[0].start > before[0].time && after[1].start == before[1].time);
}

#[test]
fn ot2_what_is_gone_is_forgotten() {
    let (runtime, mut encoder) = (running("shop"), deltas());
    sent(&runtime, 10, 0);
    let by_entity = || runtime.totals(Scope::PerEntity).expect("it runs");
    push(&mut encoder, &by_entity());
    let with_entity = encoder.remembered_series();
    runtime.stop_and_remove_recorder("one").expect("it is registered");
    // A push that is abandoned has not seen everything, and forgets nothing.
    let totals = by_entity();
    drop(encoder.requests(&totals));
    assert_eq!(encoder.remembered_series(), with_entity);
    push(&mut encoder, &by_entity());
    // How many recorders were removed.
    assert_eq!(encoder.remembered_series(), 1);
    // The same entity again counts from its beginning.
    sent(&runtime, 20, 0);
    let again = push(&mut encoder, &by_entity());
    assert_eq!(again.only("sends.bytes").value, Value::Int(20));
    assert_eq!(encoder.remembered_series(), with_entity);
    // Cumulative series need no memory.
    let mut cumulative = Encoder::new(&OtlpOptions::new());
    push(&mut cumulative, &by_entity());
    assert_eq!(cumulative.remembered_series(), 0);
}

#[test]
fn ot2_a_request_of_an_earlier_push_changes_nothing() {
    let (runtime, mut encoder) = (running("shop"), deltas());
    sent(&runtime, 10, 0);
    let totals = rollup(&runtime);
    let late = encoder.requests(&totals).next_request().expect("a request");
    sent(&runtime, 5, 0);
    assert_eq!(push(&mut encoder, &rollup(&runtime)).only("sends.bytes").value, Value::Int(15));
    let totals = rollup(&runtime);
    encoder.requests(&totals).delivered(late);
    sent(&runtime, 7, 0);
    assert_eq!(push(&mut encoder, &rollup(&runtime)).only("sends.bytes").value, Value::Int(7));
}

#[metric_event]
struct Block(Mutex<(Sender<()>, Receiver<()>)>);

#[derive(Metric, Default)]
#[metric(name = "slow", on(Block, with = Self::block))]
struct Slow {
    #[dimension(manual)]
    calls: Counter,
}

impl Slow {
    fn block(&mut self, Block(channels): &Block) -> bool {
        let channels = channels.lock().expect("no panic");
        channels.0.send(()).expect("the test waits");
        // The test ends the call, at the latest when it fails and drops its end.
        let _ = channels.1.recv();
        self.calls.increment();
        true
    }
}

#[test]
fn ot2_a_recorder_that_cannot_be_read_is_not_counted_twice() {
    let runtime = running("shop");
    let (mut by_entity, mut in_all) = (deltas(), deltas());
    let recorder = runtime.create_recorder("one").expect("the id is free");
    recorder.metric::<Sends>().expect("it runs");
    recorder.metric::<Slow>().expect("it runs");
    let mut push_both = || {
        let totals = runtime.totals(Scope::PerEntity).expect("it runs");
        [push(&mut by_entity, &totals), push(&mut in_all, &rollup(&runtime))].map(|pushed| {
            let mut points = pushed.points.into_iter();
            points.find(|((name, _), _)| name == "sends.bytes").map(|(_, point)| point.value)
        })
    };
    recorder.emit(Sent { bytes: 10, change: 0 });
    assert_eq!(push_both(), [Some(Value::Int(10)), Some(Value::Int(10))]);
    let (started, start) = channel();
    let (end, ended) = channel();
    recorder.emit(Block(Mutex::new((started, ended))));
    start.recv_timeout(Duration::from_secs(10)).expect("the handler runs");
    recorder.emit(Sent { bytes: 5, change: 0 });
    // The handler holds the metrics: the totals of the entity lack them, and those of the rollup are the last ones.
    assert_eq!(push_both(), [None, None]);
    end.send(()).expect("the handler waits");
    recorder.flush().wait().expect("it runs");
    assert_eq!(push_both(), [Some(Value::Int(5)), Some(Value::Int(5))]);
}

#[test]
fn ot2_a_value_that_falls_counts_in_full() {
    let bytes = |value: u64| {
        Handwritten::new(
            "load",
            vec![dimension("bytes", DimensionKind::Counter, DimensionValue::Unsigned(value))],
        )
    };
    let runtime = runtime_with(vec![bytes(100)]);
    let mut encoder = deltas();
    let by_entity = || runtime.totals(Scope::PerEntity).expect("it runs");
    let first = push(&mut encoder, &by_entity());
    // Two recorders of one entity: their sum falls when one of them goes.
    let options = mvx_metrics::RecorderOptions::default().entity_id("one");
    let other = runtime.create_recorder_with("two", options).expect("the id is free");
    other.register_metric(bytes(30)).expect("it runs");
    let second = push(&mut encoder, &by_entity());
    runtime.stop_and_remove_recorder("two").expect("it is registered");
    let third = push(&mut encoder, &by_entity());
    let points = [&first, &second, &third].map(|pushed| pushed.only("load.bytes"));
    assert_eq!(points.map(|point| &point.value), [&Value::Int(100), &Value::Int(30), &Value::Int(100)]);
    assert!(points[1].start == points[0].time && points[2].start == points[1].time);
}

#[test]
fn ot2_no_interval_begins_after_its_end_when_the_clock_was_set_back() {
    let mut encoder = deltas();
    // The numbers go on, and the clock reads less than at the push before.
    let after = running("shop");
    for _ in 0..5 {
        sent(&after, 10, 0);
    }
    let after = rollup(&after);
    let before = running("shop");
    for _ in 0..2 {
        sent(&before, 10, 0);
    }
    let before = rollup(&before);
    assert!(after.taken_at() < before.taken_at());
    push(&mut encoder, &before);
    let pushed = push(&mut encoder, &after);
    let point = pushed.only("sends.bytes");
    assert_eq!(point.value, Value::Int(30));
    assert!(point.start <= point.time, "from {} to {}", point.start, point.time);
}

#[test]
fn ot2_entities_that_come_and_go_are_forgotten_while_no_push_arrives_as_a_whole() {
    let runtime = running("shop");
    let options = OtlpOptions::new().temporality(Temporality::Delta).max_request_size(2_000);
    let mut encoder = Encoder::new(&options);
    for round in 0..50 {
        let ids: Vec<_> = (0..4).map(|number| format!("{round} {number}")).collect();
        for id in &ids {
            let recorder = runtime.create_recorder(id).expect("a new id");
            recorder.metric::<Sends>().expect("it runs");
            recorder.emit(Sent { bytes: 1, change: 1 });
        }
        let totals = runtime.totals(Scope::PerEntity).expect("it runs");
        let mut requests = encoder.requests(&totals);
        // The collector goes away after some requests.
        for _ in 0..4 {
            let request = requests.next_request().expect("a push has more requests");
            requests.delivered(request);
        }
        drop(requests);
        for id in &ids {
            runtime.stop_and_remove_recorder(id).expect("it runs");
        }
    }
    assert!(encoder.remembered_series() < 100, "{} series", encoder.remembered_series());
}
