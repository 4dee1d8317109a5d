//! How recorders share the runtime's thread: a flooded recorder, busy hooks and readers without a pause delay the others by
//! one turn at most. No ids; the contract's section on fairness.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use mvx_metrics::{
    ChangeListener, EventHandler, HandleEvent, HookError, Metric, MetricChange, MetricSnapshot,
    MetricsRecorder, MetricsRecorderState, MetricsRuntime, RecorderOptions, metric_event,
};
use mvx_metrics_tests::{
    Act, Gate, Gated, GatedSnapshot, HooksAndListener, Script, Step, Steps, bounded, eventually,
    running_runtime,
};

/// The most events that the event loop processes in one turn of a recorder.
const EVENTS_PER_TURN: u64 = 1_024;
const FLOOD: u64 = 50_000;

#[metric_event]
struct FloodEvent;

/// Counts the events of the flood in a number that other metrics read.
struct FloodCounter(Arc<AtomicU64>);

impl HandleEvent<FloodEvent> for FloodCounter {
    fn handle(&mut self, _event: &FloodEvent) -> bool {
        self.0.fetch_add(1, Ordering::Relaxed);
        true
    }
}

impl Metric for FloodCounter {
    fn metric_name(&self) -> &'static str {
        "flood"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        const { &[EventHandler::of::<FloodEvent>()] }
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::new("flood")
    }
}

#[metric_event]
struct Call;

/// Notes how many events of the flood were processed before each call.
struct Calls {
    flood: Arc<AtomicU64>,
    answered_at: Vec<u64>,
}

impl HandleEvent<Call> for Calls {
    fn handle(&mut self, _event: &Call) -> bool {
        self.answered_at.push(self.flood.load(Ordering::Relaxed));
        true
    }
}

impl Metric for Calls {
    fn metric_name(&self) -> &'static str {
        "calls"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        const { &[EventHandler::of::<Call>()] }
    }

    fn snapshot(&self) -> MetricSnapshot {
        let (first, last) = (self.answered_at.first(), self.answered_at.last());
        MetricSnapshot::new("calls")
            .with("answered", self.answered_at.len() as u64)
            .with("first_at", first.copied().unwrap_or(u64::MAX))
            .with("last_at", last.copied().unwrap_or(u64::MAX))
    }
}

/// The parts of a test with a flood.
struct Setup {
    runtime: MetricsRuntime,
    flooded: MetricsRecorder,
    calls: MetricsRecorder,
    gate: Gate,
}

/// A runtime with its thread blocked at the gate, a recorder with 50,000 pending events, and a recorder for calls.
fn flooded(interval: Duration) -> Setup {
    let runtime = running_runtime("fairness");
    let options = || RecorderOptions::new().queue_max_size(100_000).poll_interval(interval);
    let create = |id| runtime.create_recorder_with(id, options()).expect("a fresh id");
    let (blocked, flooded, calls) = (create("blocked"), create("flooded"), create("calls"));
    let flood = Arc::default();
    flooded.register_metric(FloodCounter(Arc::clone(&flood))).expect("it runs");
    calls.register_metric(Calls { flood, answered_at: Vec::new() }).expect("it runs");
    let gate = Gate::new();
    blocked.register_metric(Gated(gate.clone())).expect("it runs");
    blocked.emit(Step(1));
    gate.wait_for_arrival();
    (0..FLOOD).for_each(|_| flooded.emit(FloodEvent));
    Setup { runtime, flooded, calls, gate }
}

fn read(recorder: &MetricsRecorder, dimension: &str) -> u64 {
    let snapshots = recorder.metric_snapshots().expect("this is not the runtime's thread");
    snapshots.get("calls").and_then(|calls| calls.get(dimension)?.as_u64()).expect("it is there")
}

#[test]
fn fairness_one_event_waits_for_one_turn_of_a_flooded_recorder() {
    for interval in [Duration::ZERO, Duration::from_millis(1)] {
        let Setup { runtime, flooded, calls, gate } = flooded(interval);
        calls.emit(Call);
        gate.open();
        assert_eq!(read(&calls, "answered"), 1);
        let at = read(&calls, "first_at");
        assert!(at <= EVENTS_PER_TURN, "answered after {at} events of the flood");
        runtime.shutdown().expect("everything stops");
        assert_eq!(flooded.stats().processed, FLOOD);
    }
}

#[test]
fn fairness_many_events_get_as_many_turns_as_a_flooded_recorder() {
    let Setup { runtime, flooded, calls, gate } = flooded(Duration::from_millis(1));
    let count = 10 * EVENTS_PER_TURN;
    (0..count).for_each(|_| calls.emit(Call));
    gate.open();
    assert_eq!(read(&calls, "answered"), count);
    let at = read(&calls, "last_at");
    assert!(at <= 11 * EVENTS_PER_TURN, "answered after {at} events of the flood");
    runtime.shutdown().expect("everything stops");
    assert_eq!(flooded.stats().processed, FLOOD);
}

#[test]
fn fairness_readers_of_a_flooded_recorder_give_it_no_extra_turns() {
    let Setup { runtime, flooded, calls, gate } = flooded(Duration::from_millis(1));
    // Each flush asks for a turn.
    let flushes: Vec<_> = (0..20).map(|_| flooded.flush()).collect();
    calls.emit(Call);
    gate.open();
    assert_eq!(read(&calls, "answered"), 1);
    let at = read(&calls, "first_at");
    assert!(at <= EVENTS_PER_TURN, "answered after {at} events of the flood");
    for flush in flushes {
        flush.wait().expect("everything is processed");
    }
    assert_eq!(flooded.stats().processed, FLOOD);
    runtime.shutdown().expect("everything stops");
}

/// The longest interval that an option accepts.
const MAX_INTERVAL: Duration = Duration::from_secs(1);
/// How often an action is repeated. If it waited for the timer, it would take about as many intervals.
const TIMES: u32 = 20;

/// Checks that an action does not wait for the timer: repeated, it takes less than half as many intervals.
fn does_not_wait(what: &str, mut action: impl FnMut()) {
    let begin = Instant::now();
    (0..TIMES).for_each(|_| action());
    let elapsed = begin.elapsed();
    assert!(elapsed < MAX_INTERVAL * TIMES / 2, "{what} took {elapsed:?}");
}

#[test]
fn fairness_the_longest_interval_delays_no_burst_reader_or_stop() {
    const LIMIT: u64 = 10_000;
    bounded(|| {
        let runtime = running_runtime("fairness");
        let options = || RecorderOptions::new().queue_max_size(10_000).poll_interval(MAX_INTERVAL);
        let recorder = runtime.create_recorder_with("patient", options()).expect("a fresh id");
        recorder.register_metric(Steps::default()).expect("registers");
        does_not_wait("a queue that fills up", || {
            (0..LIMIT / 2).for_each(|_| recorder.emit(Step(1)));
            // No reader asks for a turn. Up to a quarter of the limit the event loop leaves events to the timer.
            eventually("the burst is processed", || recorder.stats().pending <= LIMIT / 4);
        });
        let mut total = u64::from(TIMES) * LIMIT / 2;
        does_not_wait("reading", || {
            recorder.emit(Step(1));
            total += 1;
            assert_eq!(Steps::total(&recorder), total);
        });
        does_not_wait("flushing", || {
            recorder.emit(Step(1));
            recorder.flush().wait().expect("flushes");
            total += 1;
        });
        assert_eq!((recorder.stats().processed, recorder.stats().dropped), (total, 0));
        let recorders: Vec<_> = (0..TIMES)
            .map(|number| runtime.create_recorder_with(&number.to_string(), options()).expect("a fresh id"))
            .collect();
        let mut left = recorders.iter();
        does_not_wait("stopping", || {
            let recorder = left.next().expect("as many as times");
            recorder.emit(Step(1));
            recorder.flush().wait().expect("flushes");
            recorder.emit(Step(1));
            recorder.stop().wait().expect("stops");
            assert_eq!(recorder.stats().processed, 2);
        });
        runtime.shutdown().expect("everything stops");
    });
}

/// A metric with a snapshot that takes 40 ms.
struct SlowSnapshot;

impl Metric for SlowSnapshot {
    fn metric_name(&self) -> &'static str {
        "large"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        &[]
    }

    fn snapshot(&self) -> MetricSnapshot {
        thread::sleep(Duration::from_millis(40));
        MetricSnapshot::new("large")
    }
}

#[test]
fn fairness_readers_without_a_pause_let_other_readers_in() {
    bounded(|| {
        let runtime = running_runtime("fairness");
        let recorder = runtime.create_recorder("large").expect("a fresh id");
        recorder.register_metric(SlowSnapshot).expect("it runs");
        let ends = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !ends.load(Ordering::Relaxed) {
                        recorder
                            .metric_snapshots()
                            .expect("the other reader releases the metrics in between");
                    }
                });
            }
            let stalled = (0..10).filter(|_| {
                let snapshot = runtime.snapshot().expect("it runs");
                snapshot.recorders[0].stalled
            });
            let stalled = stalled.count();
            ends.store(true, Ordering::Relaxed);
            assert_eq!(stalled, 0, "so often the metric seemed to be stuck");
        });
        runtime.shutdown().expect("everything stops");
    });
}

/// Hooks that compute for a while and never yield. The first call waits at the gate.
struct BusyHooks {
    changes: Arc<AtomicU64>,
    gate: Gate,
}

/// How long each call takes at least.
const WORK: Duration = Duration::from_micros(50);
/// How long the worker task of a recorder with hooks runs before it yields to others.
const MAX_TURN: Duration = Duration::from_micros(200);

impl ChangeListener for BusyHooks {
    async fn on_metric_changed(&self, _: MetricChange<'_>) -> Result<(), HookError> {
        self.gate.block();
        let begin = Instant::now();
        while begin.elapsed() < WORK {
            std::hint::spin_loop();
        }
        self.changes.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

#[test]
fn fairness_a_recorder_with_busy_hooks_yields_to_the_others() {
    const CHANGES: u64 = 1_000;
    let runtime = running_runtime("fairness");
    let changes = Arc::<AtomicU64>::default();
    let gate = Gate::new();
    let hooks = BusyHooks { changes: Arc::clone(&changes), gate: gate.clone() };
    let busy = runtime
        .create_recorder_with("busy", RecorderOptions::new().change_listener(hooks))
        .expect("a fresh id");
    let calls = runtime.create_recorder("calls").expect("a fresh id");
    busy.register_metric(FloodCounter(Arc::default())).expect("it runs");
    calls.register_metric(Calls { flood: Arc::clone(&changes), answered_at: Vec::new() }).expect("it runs");
    (0..CHANGES).for_each(|_| busy.emit(FloodEvent));
    gate.wait_for_arrival();
    calls.emit(Call);
    gate.open();
    assert_eq!(read(&calls, "answered"), 1);
    let at = read(&calls, "first_at");
    // Each hook takes at least `WORK`, which bounds the hooks of one turn. The call waits for two turns at most.
    let in_a_turn = u64::try_from(MAX_TURN.as_micros() / WORK.as_micros()).expect("small") + 1;
    assert!(at <= 2 * in_a_turn, "answered after {at} hooks");
    busy.flush().wait().expect("everything is processed");
    assert_eq!(changes.load(Ordering::Relaxed), CHANGES);
    runtime.shutdown().expect("everything stops");
}

#[test]
fn fairness_reading_a_recorder_with_hooks_that_starts_or_stops_delays_no_other() {
    bounded(|| {
        let runtime = running_runtime("fairness");
        let start = Gate::new();
        let script = Script::new().starting(Act::Pass).starting(Act::Wait(start.clone()));
        let hooked = RecorderOptions::new().hooks_and_listener(script);
        let recorder = runtime.create_recorder_with("hooked", hooked).expect("a fresh id");
        let other = runtime.create_recorder("other").expect("a fresh id");
        let while_read = |action: &dyn Fn()| {
            let gate = Gate::new();
            recorder.register_metric(GatedSnapshot(gate.clone())).expect("registers");
            std::thread::scope(|scope| {
                let reader = scope.spawn(|| recorder.metric_snapshots());
                gate.wait_for_arrival();
                action();
                for _ in 0..10 {
                    other.emit(Step(1));
                    eventually("the other recorder has its turn", || other.stats().pending == 0);
                }
                gate.open();
                reader.join().expect("no panic").expect("reads");
            });
        };
        while_read(&|| drop(recorder.stop()));
        eventually("it stops", || recorder.status() == MetricsRecorderState::Stopped);
        let started = recorder.start();
        start.wait_for_arrival();
        while_read(&|| start.open());
        started.wait().expect("starts");
        recorder.emit(Step(1));
        recorder.flush().wait().expect("flushes");
        runtime.shutdown().expect("everything stops");
    });
}
