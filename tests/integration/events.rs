//! Events of every form, size and ownership, their order, and their dispatch to the metrics that list them.
//! Covers EV3, EV5 to EV12; `tests/macros` has EV1, EV2, EV4.

use std::marker::PhantomData;
use std::ptr;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;

use mvx_metrics::{
    Counter, EventHandler, HandleEvent, Max, Metric, MetricEvent, MetricSnapshot, MetricsRecorder,
    MetricsRuntime, QueueOverflowPolicy, RecorderOptions, Sum, metric_event,
};
use mvx_metrics_tests::{
    Act, Direct, Drops, Gate, Gated, HooksAndListener, Journal, Other, Script, Step, Steps, StepsSnapshot,
    Tracked, bounded, bounded_async, eventually, in_threads, running_runtime,
};

/// A recorder of the runtime. Without hooks events are applied in batches, with hooks one by one.
fn recorder(runtime: &MetricsRuntime, id: &str, hooks: bool) -> MetricsRecorder {
    let options = RecorderOptions::new().queue_max_size(100_000);
    let options = if hooks { options.hooks_and_listener(Script::new()) } else { options };
    runtime.create_recorder_with(id, options).expect("creates")
}

#[test]
fn ev3_two_metrics_read_one_event_differently() {
    bounded(|| {
        let runtime = running_runtime("ev3");
        let recorder = recorder(&runtime, "a", false);
        let journal = Journal::new();
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.register_metric(journal.clone()).expect("registers");
        for step in [5, 3, 8] {
            recorder.register_event(Step(step)).expect("accepted");
        }
        let steps = recorder.metric_snapshot::<Steps>().expect("reads");
        assert_eq!(steps, Some(StepsSnapshot { total: 3, sum: 16 }));
        assert_eq!(journal.numbers(), [5, 3, 8]);
    });
}

#[test]
fn ev5_an_event_without_listener_is_accepted_processed_and_dropped() {
    bounded(|| {
        for hooks in [false, true] {
            let runtime = running_runtime("ev5");
            let recorder = recorder(&runtime, "a", hooks);
            let journal = Journal::new();
            recorder.register_metric(journal.clone()).expect("registers");
            let drops = Drops::new();
            for _ in 0..10 {
                recorder.register_event(drops.event()).expect("accepted");
                recorder.register_event(Other).expect("accepted");
            }
            recorder.flush().wait().expect("flushes");
            let stats = recorder.stats();
            assert_eq!((stats.accepted, stats.processed, stats.discarded), (20, 20, 0));
            assert_eq!(drops.dropped(), 10);
            assert!(journal.numbers().is_empty());
        }
    });
}

/// Keeps the events it handles, after a check of their alignment.
struct KeepsEvents<E>(Arc<Mutex<Vec<E>>>);

impl<E: MetricEvent + Clone> HandleEvent<E> for KeepsEvents<E> {
    fn handle(&mut self, event: &E) -> bool {
        assert!(ptr::from_ref(event).is_aligned(), "a reference to an event is aligned");
        self.0.lock().expect("not poisoned").push(event.clone());
        true
    }
}

impl<E: MetricEvent + Clone> Metric for KeepsEvents<E> {
    fn metric_name(&self) -> &'static str {
        "keeps_events"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        const { &[EventHandler::of::<E>()] }
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::of_static("keeps_events")
    }
}

/// Sends events through recorders, alone and between others, and checks that they arrive unchanged.
fn assert_arrives_intact<E: MetricEvent + Clone + PartialEq + std::fmt::Debug>(event: impl Fn(u64) -> E) {
    for hooks in [false, true] {
        let runtime = running_runtime("ev7");
        let recorder = recorder(&runtime, "a", hooks);
        let kept = Arc::default();
        recorder.register_metric(KeepsEvents::<E>(Arc::clone(&kept))).expect("registers");
        recorder.register_metric(Steps::default()).expect("registers");
        let sent: Vec<E> = (0..2_000).map(&event).collect();
        for (number, event) in sent.iter().enumerate() {
            recorder.register_event(event.clone()).expect("accepted");
            if number % 3 == 0 {
                recorder.register_event(Step(1)).expect("accepted");
            }
        }
        recorder.flush().wait().expect("flushes");
        let snapshots = recorder.metric_snapshots().expect("reads");
        assert_eq!(snapshots.get("keeps_events").expect("it is registered").failed, None);
        assert!(*kept.lock().expect("not poisoned") == sent, "they arrive as they were");
        assert_eq!(Steps::total(&recorder), 667);
    }
}

/// An event that is generic over the kind of work.
#[metric_event(name = "finished")]
struct Finished<K: Send + 'static> {
    kind: K,
    items: u64,
}

/// Finished work of two kinds. Each kind makes an event type of its own.
#[derive(Metric, Default)]
#[metric(
    name = "finishes",
    on(Finished<String>, when = |e| !e.kind.is_empty()),
    on(Finished<u8>, when = |e| e.kind != 0)
)]
struct Finishes {
    total: Counter,
    #[dimension(on(Finished<String>, value = items), on(Finished<u8>, value = items))]
    items: Sum<u64>,
    #[dimension(on(Finished<u8>))]
    numbered: Counter,
}

/// A metric that is generic over the kind of its events.
#[derive(Metric)]
#[metric(name = "most", on(Finished<K>))]
struct Most<K: Send + Sync + 'static> {
    #[dimension(value = items)]
    items: Max<u64>,
    #[dimension(skip)]
    _kind: PhantomData<fn() -> K>,
}

#[test]
fn ev6_a_generic_event_travels_through_a_recorder() {
    bounded(|| {
        for hooks in [false, true] {
            let runtime = running_runtime("ev6");
            let recorder = recorder(&runtime, "a", hooks);
            recorder.register_metric(Finishes::default()).expect("registers");
            let most = Most::<String> { items: Max::default(), _kind: PhantomData };
            recorder.register_metric(most).expect("registers");
            for (kind, number, items) in [("mail", 0, 10), ("print", 1, 11), ("", 2, 12)] {
                recorder.emit(Finished { kind: kind.to_owned(), items });
                recorder.emit(Finished::<u8> { kind: number, items: 100 });
                // No metric listens to this kind.
                recorder.emit(Finished { kind: (), items: 1_000 });
            }
            let finishes = recorder.metric_snapshot::<Finishes>().expect("reads").expect("it is registered");
            assert_eq!((finishes.total, finishes.items, finishes.numbered), (4, 221, 2));
            let most = recorder.metric_snapshot::<Most<String>>().expect("reads").expect("it is registered");
            assert_eq!(most.items, Some(12));
            let stats = recorder.stats();
            assert_eq!((stats.accepted, stats.processed), (9, 9));
        }
    });
}

#[metric_event]
#[derive(Debug, Clone, PartialEq)]
struct Bytes<const N: usize>([u8; N]);

#[test]
fn ev7_an_event_of_any_size_arrives_intact() {
    bounded(|| {
        #[expect(clippy::cast_possible_truncation, reason = "any pattern will do")]
        fn bytes<const N: usize>(number: u64) -> Bytes<N> {
            Bytes(std::array::from_fn(|index| (number as usize * 31 + index) as u8))
        }
        assert_arrives_intact(bytes::<1>);
        assert_arrives_intact(bytes::<55>);
        assert_arrives_intact(bytes::<56>);
        assert_arrives_intact(bytes::<57>);
        assert_arrives_intact(bytes::<64>);
        assert_arrives_intact(bytes::<4_096>);
    });
}

#[test]
fn ev7_an_event_of_large_alignment_arrives_intact() {
    #[metric_event]
    #[repr(align(16))]
    #[derive(Debug, Clone, PartialEq)]
    struct Aligned(u64);

    #[metric_event]
    #[repr(align(4096))]
    #[derive(Debug, Clone, PartialEq)]
    struct Page(u64);

    bounded(|| {
        assert_arrives_intact(Aligned);
        assert_arrives_intact(Page);
    });
}

#[test]
fn ev7_a_zero_sized_event_arrives_intact() {
    #[metric_event]
    #[derive(Debug, Clone, PartialEq)]
    struct Empty;

    #[metric_event]
    #[repr(align(128))]
    #[derive(Debug, Clone, PartialEq)]
    struct EmptyAligned;

    bounded(|| {
        assert_arrives_intact(|_| Empty);
        assert_arrives_intact(|_| EmptyAligned);
    });
}

/// A tracked event too large for a slot.
struct Wide {
    _tracked: Tracked,
    _padding: [u64; 16],
}

impl MetricEvent for Wide {
    const EVENT_TYPE: &'static str = "wide";
}

/// Emits pairs of tracked events. One of each pair is too large for a slot.
fn emit_tracked(recorder: &MetricsRecorder, drops: &Drops, pairs: usize) {
    for _ in 0..pairs {
        recorder.emit(drops.event());
        recorder.emit(Wide { _tracked: drops.event(), _padding: [7; 16] });
    }
}

#[test]
fn ev8_an_event_that_is_handled_is_dropped_once() {
    bounded(|| {
        for hooks in [false, true] {
            let runtime = running_runtime("ev8");
            let recorder = recorder(&runtime, "a", hooks);
            recorder.register_metric(Steps::default()).expect("registers");
            let drops = Drops::new();
            emit_tracked(&recorder, &drops, 1_000);
            recorder.flush().wait().expect("flushes");
            assert_eq!((drops.dropped(), Steps::total(&recorder)), (2_000, 1_000));
            runtime.shutdown().expect("shuts down");
            drop((runtime, recorder));
            assert_eq!(drops.dropped(), 2_000);
        }
    });
}

#[test]
fn ev8_an_event_beyond_the_limit_is_dropped_once() {
    bounded(|| {
        for policy in [QueueOverflowPolicy::Drop, QueueOverflowPolicy::Error] {
            let application = Direct::new();
            let options = RecorderOptions::new().queue_max_size(1).queue_overflow_policy(policy);
            let recorder = application.recorder(options);
            let gate = Gate::new();
            recorder.register_metric(Gated(gate.clone())).expect("registers");
            recorder.register_event(Step(0)).expect("accepted");
            gate.wait_for_arrival();
            let drops = Drops::new();
            emit_tracked(&recorder, &drops, 100);
            assert_eq!(drops.dropped(), 200, "{policy:?}");
            gate.open();
            recorder.stop().wait().expect("stops");
            drop(recorder);
            assert_eq!(drops.dropped(), 200, "{policy:?}");
        }
    });
}

#[test]
fn ev8_an_event_discarded_by_a_failure_is_dropped_once() {
    bounded(|| {
        let gate = Gate::new();
        let application = Direct::new();
        let script = Script::new().starting(Act::WaitAndFail(gate.clone(), "no publisher"));
        let recorder = application.recorder(RecorderOptions::new().hooks_and_listener(script));
        let drops = Drops::new();
        emit_tracked(&recorder, &drops, 100);
        assert_eq!((recorder.stats().accepted, drops.dropped()), (200, 0));
        gate.open();
        eventually("the task ends", || application.tasks() == 0);
        assert_eq!((recorder.stats().discarded, drops.dropped()), (200, 200));
        drop(recorder);
        assert_eq!(drops.dropped(), 200);
    });
}

#[test]
fn ev8_an_event_that_races_with_a_stop_is_dropped_once() {
    bounded(|| {
        let application = Direct::new();
        for _ in 0..50 {
            let recorder = application.recorder(RecorderOptions::new());
            recorder.start().wait().expect("starts");
            let drops = Drops::new();
            in_threads(3, |thread| match thread {
                0 => recorder.stop().wait().expect("stops"),
                _ => emit_tracked(&recorder, &drops, 100),
            });
            let stats = recorder.stats();
            assert_eq!((stats.accepted + stats.rejected, stats.pending), (400, 0));
            assert_eq!(drops.dropped(), 400);
            drop(recorder);
            assert_eq!(drops.dropped(), 400);
        }
    });
}

#[test]
fn ev8_an_event_for_a_stopped_recorder_is_dropped_once() {
    bounded(|| {
        let application = Direct::new();
        let recorder = application.recorder(RecorderOptions::new());
        recorder.start().wait().expect("starts");
        recorder.stop().wait().expect("stops");
        let drops = Drops::new();
        emit_tracked(&recorder, &drops, 100);
        assert_eq!(drops.dropped(), 200);
        recorder.start().wait().expect("starts");
        recorder.flush().wait().expect("flushes");
        assert_eq!((recorder.stats().processed, drops.dropped()), (0, 200));
    });
}

#[test]
fn ev8_an_event_that_is_never_processed_is_dropped_once() {
    bounded(|| {
        for recorder_first in [false, true] {
            // No thread drives this tokio runtime.
            let tokio = tokio::runtime::Builder::new_current_thread().build().expect("a tokio runtime");
            let recorder = {
                let _inside = tokio.enter();
                MetricsRecorder::new("a", RecorderOptions::new()).expect("inside of a tokio runtime")
            };
            let drops = Drops::new();
            emit_tracked(&recorder, &drops, 500);
            assert_eq!((recorder.stats().pending, drops.dropped()), (1_000, 0));
            if recorder_first {
                drop(recorder);
                drop(tokio);
            } else {
                drop(tokio);
                drop(recorder);
            }
            assert_eq!(drops.dropped(), 1_000);
        }
    });
}

/// Code as a user writes it. The compiler forbids unsafe code in it.
#[forbid(unsafe_code)]
mod by_a_user {
    use super::{Counter, EventHandler, HandleEvent, Max, Metric, MetricSnapshot, metric_event};

    #[metric_event]
    pub struct Shipped {
        pub parcels: u64,
    }

    #[metric_event]
    pub struct Returned;

    #[derive(Metric, Default)]
    #[metric(on(Shipped))]
    pub struct Shipments {
        total: Counter,
        #[dimension(value = parcels)]
        largest: Max<u64>,
    }

    /// Parcels that are with customers.
    #[derive(Default)]
    pub struct Delivered {
        parcels: u64,
    }

    impl HandleEvent<Shipped> for Delivered {
        fn handle(&mut self, event: &Shipped) -> bool {
            self.parcels += event.parcels;
            event.parcels > 0
        }
    }

    impl HandleEvent<Returned> for Delivered {
        fn handle(&mut self, _: &Returned) -> bool {
            self.parcels -= 1;
            true
        }
    }

    impl Metric for Delivered {
        fn metric_name(&self) -> &'static str {
            "delivered"
        }

        fn handlers() -> &'static [EventHandler<Self>] {
            const { &[EventHandler::of::<Shipped>(), EventHandler::of::<Returned>()] }
        }

        fn snapshot(&self) -> MetricSnapshot {
            MetricSnapshot::of_static("delivered").with("parcels", self.parcels)
        }
    }
}

#[test]
fn ev9_a_metric_written_by_hand_works_beside_a_derived_one() {
    use by_a_user::{Delivered, Returned, Shipments, Shipped};

    bounded(|| {
        let runtime = running_runtime("ev9");
        let recorder = recorder(&runtime, "a", false);
        recorder.register_metric(Delivered::default()).expect("registers");
        recorder.register_metric(Shipments::default()).expect("registers");
        for parcels in [2, 5, 0] {
            recorder.register_event(Shipped { parcels }).expect("accepted");
        }
        recorder.register_event(Returned).expect("accepted");
        let snapshots = recorder.metric_snapshots().expect("reads");
        assert_eq!(
            serde_json::to_value(&snapshots).expect("serialises"),
            serde_json::json!({
                "delivered": {"name": "delivered", "dimensions": {"parcels": 6}},
                "shipments": {"name": "shipments", "dimensions": {"total": 3, "largest": 5}},
            })
        );
    });
}

#[test]
fn ev10_events_of_threads_that_take_turns_apply_in_the_order_of_the_turns() {
    const THREADS: u64 = 8;
    const STEPS: u64 = 16_000;

    bounded(|| {
        for hooks in [false, true] {
            let runtime = running_runtime("ev10");
            let recorder = recorder(&runtime, "a", hooks);
            let journal = Journal::new();
            recorder.register_metric(journal.clone()).expect("registers");
            let (turns, places): (Vec<_>, Vec<_>) = (0..THREADS).map(|_| mpsc::channel()).unzip();
            turns[0].send(0).expect("no thread has ended yet");
            thread::scope(|scope| {
                for (place, turn) in places.into_iter().enumerate() {
                    let next = turns[(place + 1) % turns.len()].clone();
                    let recorder = recorder.clone();
                    scope.spawn(move || {
                        for _ in 0..STEPS / THREADS {
                            let step = turn.recv().expect("another thread passes the turn on");
                            recorder.register_event(Step(step)).expect("accepted");
                            // After the last step the next thread has ended.
                            let _ = next.send(step + 1);
                        }
                    });
                }
            });
            recorder.flush().wait().expect("flushes");
            assert!(journal.numbers().into_iter().eq(0..STEPS), "in order of their acceptance");
        }
    });
}

#[test]
fn ev10_events_of_each_of_many_threads_apply_in_its_order() {
    const STEPS: u64 = 10_000;

    bounded(|| {
        let runtime = running_runtime("ev10");
        let recorder = recorder(&runtime, "a", false);
        let journal = Journal::new();
        recorder.register_metric(journal.clone()).expect("registers");
        in_threads(4, |thread| {
            for step in 0..STEPS {
                recorder.register_event(Step(thread as u64 * STEPS + step)).expect("accepted");
            }
        });
        recorder.flush().wait().expect("flushes");
        let numbers = journal.numbers();
        for thread in 0..4 {
            let range = thread * STEPS..(thread + 1) * STEPS;
            let own = numbers.iter().copied().filter(|number| range.contains(number));
            assert!(own.eq(range.clone()), "in the order of thread {thread}");
        }
    });
}

#[test]
fn ev11_a_metric_does_not_see_events_accepted_before_it_was_registered() {
    for hooks in [false, true] {
        // One thread runs the test and the recorder, so the events stay pending until the test awaits.
        bounded_async(move || async move {
            let options = RecorderOptions::new();
            let options = if hooks { options.hooks_and_listener(Script::new()) } else { options };
            let recorder = MetricsRecorder::new("a", options).expect("in tokio");
            let journal = Journal::new();
            recorder.register_event(Step(1)).expect("accepted");
            recorder.register_event(Step(2)).expect("accepted");
            recorder.register_metric(journal.clone()).expect("registers");
            recorder.register_event(Step(3)).expect("accepted");
            assert_eq!(recorder.stats().pending, 3);
            recorder.flush().await.expect("flushes");
            assert_eq!(journal.numbers(), [3]);
        });
    }
}

#[metric_event]
struct Numbered<const KIND: u8>(u64);

/// Takes events of its own kind, and panics when it is offered any other event.
struct Only<const KIND: u8> {
    name: String,
    sum: u64,
}

impl<const KIND: u8> Only<KIND> {
    fn new() -> Self {
        Self { name: format!("only_{KIND}"), sum: 0 }
    }
}

impl<const KIND: u8> HandleEvent<Numbered<KIND>> for Only<KIND> {
    fn handle(&mut self, event: &Numbered<KIND>) -> bool {
        assert_eq!(event.0 % 10, u64::from(KIND), "the fact of another metric");
        self.sum += event.0;
        true
    }
}

impl<const KIND: u8> Metric for Only<KIND> {
    fn metric_name(&self) -> &str {
        &self.name
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        const { &[EventHandler::of::<Numbered<KIND>>()] }
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::new(self.name.as_str()).with("sum", self.sum)
    }

    fn handle_event(&mut self, event: mvx_metrics::EventRef<'_>) -> bool {
        let own = event.downcast_ref::<Numbered<KIND>>().expect("offered a foreign event");
        self.handle(own)
    }
}

#[test]
fn ev12_a_metric_is_never_offered_an_event_it_does_not_list() {
    bounded(|| {
        for hooks in [false, true] {
            let runtime = running_runtime("ev12");
            let recorder = recorder(&runtime, "a", hooks);
            recorder.register_metric(Only::<1>::new()).expect("registers");
            recorder.register_metric(Only::<2>::new()).expect("registers");
            recorder.register_metric(Only::<3>::new()).expect("registers");
            for round in 0..1_000 {
                recorder.register_event(Numbered::<1>(round * 10 + 1)).expect("accepted");
                recorder.register_event(Numbered::<3>(round * 10 + 3)).expect("accepted");
                recorder.register_event(Numbered::<4>(round * 10 + 4)).expect("accepted");
                recorder.register_event(Other).expect("accepted");
                recorder.register_event(Numbered::<3>(round * 10 + 3)).expect("accepted");
            }
            recorder.flush().wait().expect("flushes");
            let snapshots = recorder.metric_snapshots().expect("reads");
            let rounds = (0..1_000).sum::<u64>() * 10;
            for (name, sum) in [("only_1", rounds + 1_000), ("only_2", 0), ("only_3", 2 * (rounds + 3_000))] {
                let snapshot = snapshots.get(name).expect("it is registered");
                assert_eq!(snapshot.failed, None, "{name}");
                let seen = snapshot.get("sum").and_then(mvx_metrics::DimensionValue::as_u64);
                assert_eq!(seen, Some(sum), "{name}");
            }
        }
    });
}
