//! One case: each action is taken on a real recorder and on the model, and both are compared after it.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Barrier};
use std::thread;

use mvx_metrics::{
    DimensionValue, LifecycleHandle, MetricEvent, MetricFailurePolicy, MetricsRecorder, MetricsRecorderError,
    MetricsRecorderState, MetricsRuntime, QueueOverflowPolicy, Recorder, RecorderOptions, Registered,
};
use mvx_metrics_tests::{HooksAndListener, eventually};
use tokio::runtime::{Builder, Runtime};

use crate::fixtures::{DropCounts, HookCalls, Journal, Large, Plan, PlannedHooks, Small, SmallCounter};
use crate::sequential::{Kind, Model};

use MetricsRecorderState::{Cancelled, Failure, Running, Starting, Stopped, Virgin};

/// Where the recorder lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// In a tokio runtime that runs only when an action drives it, so the pending events are known exactly.
    Direct,
    /// In a runtime of the library. Its thread processes events at any time.
    Runtime,
}

#[derive(Debug, Clone)]
pub enum Action {
    Emit {
        producer: usize,
        kind: Kind,
        count: usize,
    },
    /// Two threads emit this many small events each, at once.
    Burst {
        each: usize,
    },
    Register {
        name: &'static str,
        fragile: bool,
    },
    Start,
    Stop,
    /// Waits until no event is pending, and compares everything.
    Rest,
    Read,
    /// Yields once to the recorder's task.
    Yield,
}

#[derive(Debug, Clone)]
pub struct Case {
    pub placement: Placement,
    pub limit: usize,
    pub overflow: QueueOverflowPolicy,
    pub failure: MetricFailurePolicy,
    pub plan: Option<Plan>,
    /// Whether the application's tokio runtime ends while events are pending.
    pub aborted: bool,
    pub actions: Vec<Action>,
}

const ID: &str = "subject";

struct Subject {
    recorder: MetricsRecorder,
    producers: [Arc<dyn Recorder>; 2],
    tokio: Option<Runtime>,
    limit: u64,
    overflow: QueueOverflowPolicy,
    drop_counts: DropCounts,
    journal: Journal,
    calls: Arc<HookCalls>,
    model: Model,
}

/// Takes the actions of a case.
pub fn run(case: &Case, runtime: &MetricsRuntime) {
    let Some(mut subject) = Subject::new(case, runtime) else {
        return;
    };
    for action in &case.actions {
        subject.take(action);
        subject.check();
    }
    match case.placement {
        Placement::Direct if case.aborted => subject.abort(),
        Placement::Direct => subject.end(),
        Placement::Runtime => {
            subject.rest();
            // The runtime stops the recorder. The plan may let that fail.
            let stops = if subject.model.state == Running { subject.model.stop() } else { true };
            let removed = runtime.stop_and_remove_recorder(ID);
            let succeeds = stops && !subject.model.has_failed();
            assert_eq!(removed.is_ok(), succeeds, "{removed:?}");
            subject.end();
        }
    }
}

impl Subject {
    /// Creates the recorder of a case. `None` when its start fails as planned.
    fn new(case: &Case, runtime: &MetricsRuntime) -> Option<Self> {
        let calls = Arc::<HookCalls>::default();
        let mut options = RecorderOptions::new()
            .queue_max_size(case.limit)
            .queue_overflow_policy(case.overflow)
            .metric_failure_policy(case.failure)
            .log_policy(mvx_metrics::LogPolicy::Silent);
        if let Some(plan) = case.plan {
            options = options.hooks_and_listener(PlannedHooks { plan, calls: Arc::clone(&calls) });
        }
        let mut model = Model::new(case.plan, case.failure == MetricFailurePolicy::FailRecorder);
        let (recorder, tokio) = match case.placement {
            Placement::Direct => {
                let tokio = Builder::new_current_thread().build().expect("a tokio runtime");
                let recorder = {
                    let _inside = tokio.enter();
                    MetricsRecorder::new(ID, options).expect("inside of a tokio runtime")
                };
                (recorder, Some(tokio))
            }
            Placement::Runtime => {
                let created = runtime.create_recorder_with(ID, options);
                if !model.start() {
                    let error = created.expect_err("the hook fails by plan");
                    assert_eq!(error.reason(), "RECORDER_STARTUP_ERROR");
                    return None;
                }
                (created.expect("creates"), None)
            }
        };
        let journal = Journal::default();
        recorder.register_metric(journal.clone()).expect("registers");
        Some(Self {
            producers: [Arc::new(recorder.clone()), Arc::new(recorder.clone())],
            recorder,
            tokio,
            limit: case.limit as u64,
            overflow: case.overflow,
            drop_counts: DropCounts::default(),
            journal,
            calls,
            model,
        })
    }

    fn take(&mut self, action: &Action) {
        match *action {
            Action::Emit { producer, kind, count } => (0..count).for_each(|_| self.emit(producer, kind)),
            Action::Burst { each } => self.burst(each),
            Action::Register { name, fragile } => self.register(name, fragile),
            Action::Start => self.start(),
            Action::Stop => self.stop(),
            Action::Rest => self.rest(),
            Action::Read => self.read(),
            Action::Yield => self.yield_once(),
        }
    }

    fn emit(&mut self, producer: usize, kind: Kind) {
        let token = self.drop_counts.issue();
        let number = token.number;
        let before = self.recorder.stats();
        let handed_back = if kind == Kind::Large {
            self.hand_over(producer, Large { token, _text: [0; 40] }, |event| event.token.number)
        } else {
            let fact = Small { token, panics: kind == Kind::Panicking };
            self.hand_over(producer, fact, |event| event.token.number)
        };
        self.model.calls += 1;
        let after = self.recorder.stats();
        if let Some((back, error)) = handed_back {
            assert_eq!(back, number, "another event comes back");
            self.model.rejected += 1;
            match error {
                MetricsRecorderError::QueueOverflow { limit } => {
                    assert_eq!((limit as u64, self.overflow), (self.limit, QueueOverflowPolicy::Error));
                    assert_eq!(before.pending, self.limit, "rejected below the limit");
                }
                MetricsRecorderError::InvalidState { .. } => assert!(
                    matches!(self.model.state, Stopped | Failure),
                    "rejected while {}",
                    self.model.state
                ),
                error => panic!("{error}"),
            }
        } else if after.dropped > before.dropped {
            assert_eq!(self.overflow, QueueOverflowPolicy::Drop);
            assert_eq!(before.pending, self.limit, "dropped below the limit");
            self.model.dropped[usize::from(kind == Kind::Large)] += 1;
        } else {
            assert_ne!(self.model.state, Stopped, "accepted after a stop");
            if self.tokio.is_some() {
                assert!(before.pending < self.limit, "accepted beyond the limit");
            }
            self.model.accept(number, kind);
        }
    }

    /// Registers an event through one of the producers. Returns the number and the error of an event that was refused.
    fn hand_over<E: MetricEvent>(
        &self,
        producer: usize,
        event: E,
        number: impl Fn(&E) -> u64,
    ) -> Option<(u64, MetricsRecorderError)> {
        let result = match self.producers.get(producer) {
            Some(producer) => producer.register_event(event),
            None => self.recorder.register_event(event),
        };
        let (event, error) = result.err()?.into_parts();
        Some((number(&event), error))
    }

    /// Two threads emit at once. The journal tells the order in which their events were accepted.
    fn burst(&mut self, each: usize) {
        self.rest();
        let start = Barrier::new(2);
        let (drop_counts, recorder) = (&self.drop_counts, &self.recorder);
        let known = self.journal.numbers().len();
        let before = recorder.stats();
        let produce = |_| {
            start.wait();
            let offered = (0..each).map(|_| {
                let token = drop_counts.issue();
                let number = token.number;
                let result = recorder.register_event(Small { token, panics: false });
                (number, result.map_err(|refused| refused.into_parts().1))
            });
            offered.collect::<Vec<_>>()
        };
        let offered: Vec<Vec<_>> = thread::scope(|scope| {
            let threads = [0, 1].map(|index| scope.spawn(move || produce(index)));
            threads.map(|thread| thread.join().expect("a producer")).into()
        });
        let taken = |offered: &[(u64, Result<(), MetricsRecorderError>)]| {
            offered.iter().filter(|(_, result)| result.is_ok()).map(|(number, _)| *number).collect::<Vec<_>>()
        };
        let offered_in_all = 2 * each as u64;
        let rejected = offered.iter().flatten().filter(|(_, result)| result.is_err()).count() as u64;
        for error in offered.iter().flatten().filter_map(|(_, result)| result.as_ref().err()) {
            match error {
                MetricsRecorderError::QueueOverflow { .. } => {
                    assert_eq!(self.overflow, QueueOverflowPolicy::Error);
                }
                error => assert_eq!(error.reason(), "INVALID_RECORDER_STATE"),
            }
        }
        self.wait_for_rest(self.model.has_failed());
        let after = self.recorder.stats();
        let dropped = after.dropped - before.dropped;
        let accepted = after.accepted - before.accepted;
        assert_eq!(offered_in_all, accepted + dropped + rejected);
        assert_eq!(after.rejected - before.rejected, rejected);
        self.model.calls += offered_in_all;
        self.model.rejected += rejected;
        self.model.dropped[0] += dropped;

        let seen = self.journal.numbers().split_off(known);
        for offered in &offered {
            let taken = taken(offered);
            let of_this_thread: Vec<u64> = seen
                .iter()
                .copied()
                .filter(|number| offered.iter().any(|(other, _)| other == number))
                .collect();
            assert!(of_this_thread.is_sorted(), "a thread's events change places: {of_this_thread:?}");
            assert!(of_this_thread.iter().all(|number| taken.contains(number)), "a rejected event is seen");
            if dropped == 0 && self.recorder.status() != Failure {
                assert_eq!(of_this_thread, taken);
            }
        }
        for number in &seen {
            self.model.accept(*number, Kind::Small);
        }
        // The events that were accepted and lost to a failure. No metric has handled them.
        let lost = usize::try_from(accepted).expect("few") - seen.len();
        if lost > 0 {
            if self.model.state == Virgin {
                self.model.start();
            }
            assert!(self.model.has_failed(), "{lost} accepted events are lost");
            (0..lost).for_each(|_| self.model.accept(u64::MAX, Kind::Small));
        }
        self.rest();
    }

    fn register(&mut self, name: &'static str, fragile: bool) {
        if self.model.has_failed() {
            self.rest();
        }
        let result = self.recorder.register_metric(SmallCounter::new(name, fragile));
        if matches!(self.model.state, Virgin | Running) {
            let replaced = self.model.register(name, fragile);
            let expected = if replaced { Registered::Replaced } else { Registered::Added };
            assert_eq!(result.expect("registers"), expected);
        } else {
            assert_eq!(result.expect_err("it has ended").reason(), "INVALID_RECORDER_STATE");
        }
    }

    fn start(&mut self) {
        // The start that the first event triggered may still be in progress.
        self.rest();
        let expected = match self.model.state {
            Virgin | Stopped => {
                if self.model.start() {
                    None
                } else {
                    Some("ON_STARTING_HOOK_FAILED")
                }
            }
            _ => Some("INVALID_RECORDER_STATE"),
        };
        let started = self.wait(self.recorder.start());
        assert_eq!(started.err().map(|error| error.reason()), expected);
    }

    fn stop(&mut self) {
        if self.recorder.status() == Starting {
            self.rest();
        }
        let was = self.model.state;
        let stopped = self.wait(self.recorder.stop()).map_err(|error| error.reason());
        match was {
            Running => {
                let expected = if self.model.stop() { Ok(()) } else { Err("ON_STOPPED_HOOK_FAILED") };
                assert_eq!(stopped, expected);
                assert_eq!(self.recorder.stats().pending, 0);
            }
            // The failure may come before the stop or during it.
            Failure => assert!(stopped.is_err()),
            _ => assert_eq!(stopped, Err("INVALID_RECORDER_STATE")),
        }
        self.rest();
    }

    fn read(&mut self) {
        if self.model.plan.is_some() || self.model.has_failed() {
            // A read does not wait for a running hook.
            self.rest();
        }
        self.check_metrics();
    }

    fn yield_once(&mut self) {
        match &self.tokio {
            Some(tokio) => tokio.block_on(tokio::task::yield_now()),
            None => thread::yield_now(),
        }
    }

    fn wait(&self, handle: LifecycleHandle) -> Result<(), MetricsRecorderError> {
        match &self.tokio {
            Some(tokio) => tokio.block_on(handle),
            None => handle.wait(),
        }
    }

    /// Waits until no event is pending, and compares everything.
    fn rest(&mut self) {
        self.wait_for_rest(self.model.has_failed());
        self.check_rest();
    }

    fn wait_for_rest(&mut self, fails: bool) {
        let flushed = self.wait(self.recorder.flush());
        if fails {
            eventually("the recorder fails", || {
                self.yield_once_if_direct();
                self.recorder.status() == Failure
            });
        }
        if flushed.is_err() || fails {
            eventually("pending events are discarded", || {
                self.yield_once_if_direct();
                self.recorder.stats().pending == 0
            });
        }
    }

    fn yield_once_if_direct(&self) {
        if let Some(tokio) = &self.tokio {
            tokio.block_on(tokio::task::yield_now());
        }
    }

    /// Checks the invariants of every moment.
    fn check(&self) {
        let (stats, model) = (self.recorder.stats(), &self.model);
        model.check_calls();
        assert_eq!(model.calls, stats.accepted + stats.dropped + stats.rejected, "{stats:?}");
        assert_eq!(stats.accepted, model.accepted.len() as u64);
        assert_eq!(stats.rejected, model.rejected);
        let dropped = ["small", "large"].map(|event| stats.dropped_by_type.get(event).copied().unwrap_or(0));
        assert_eq!(dropped, model.dropped);
        assert_eq!(stats.dropped, dropped.iter().sum::<u64>());
        assert_eq!(stats.accepted, stats.processed + stats.discarded + stats.pending);
        assert!(stats.pending <= self.limit, "{stats:?}");
        let seen = self.journal.numbers();
        assert!(seen.len() as u64 >= stats.processed, "processed events that no metric has seen");
        self.assert_in_order(&seen);
        assert!(self.drop_counts.drops().iter().all(|drops| *drops <= 1), "an event is dropped twice");
    }

    fn assert_in_order(&self, seen: &[u64]) {
        let accepted = self.model.accepted.iter().map(|(number, _)| *number);
        assert!(accepted.take(seen.len()).eq(seen.iter().copied()), "not the order of acceptance: {seen:?}");
    }

    /// Checks the invariants that hold when no event is pending.
    fn check_rest(&self) {
        self.check();
        let stats = self.recorder.stats();
        assert_eq!(stats.pending, 0);
        assert_eq!(stats.accepted, stats.processed + stats.discarded);
        assert_eq!(self.recorder.status(), self.model.state);
        assert_eq!(self.journal.numbers().len() as u64, stats.processed);
        match self.model.processed_before_failure {
            None => assert_eq!(stats.discarded, 0),
            Some(processed) if self.model.plan.is_some() => assert_eq!(stats.processed, processed as u64),
            // Without hooks events of one type in a row are applied together.
            Some(processed) => assert!(stats.processed >= processed as u64, "{stats:?}"),
        }
        assert_eq!(self.calls.starting.load(Ordering::SeqCst), self.model.starts);
        assert_eq!(self.calls.changed.load(Ordering::SeqCst), self.model.changes);
        self.check_drops();
        self.check_metrics();
    }

    fn check_drops(&self) {
        let drops = self.drop_counts.drops();
        assert!(drops.iter().all(|drops| *drops == 1), "not every event is dropped exactly once: {drops:?}");
    }

    fn check_metrics(&self) {
        let snapshots = self.recorder.metric_snapshots().expect("reads");
        let processed = self.recorder.stats().processed;
        let total = |snapshot: &mvx_metrics::MetricSnapshot| {
            snapshot.get("total").and_then(DimensionValue::as_u64).expect("a count")
        };
        let journal = snapshots.get("journal").expect("the first metric");
        assert_eq!(total(journal), processed);
        let shown: Vec<_> = snapshots
            .iter()
            .skip(1)
            .map(|snapshot| (snapshot.name.to_string(), total(snapshot), snapshot.failed.is_some()))
            .collect();
        let expected = self.model.shown(usize::try_from(processed).expect("few"));
        let expected: Vec<_> =
            expected.into_iter().map(|(name, total, failed)| (name.to_owned(), total, failed)).collect();
        assert_eq!(shown, expected);
        if self.model.plan.is_none() && !self.model.has_failed() {
            assert_eq!(processed, self.model.accepted.len() as u64, "a read sees all that was accepted");
        }
    }

    /// Ends a case, and checks that the recorder's task ends.
    fn end(mut self) {
        self.rest();
        if self.tokio.is_some() && self.model.state == Running {
            self.stop();
        }
        eventually("the cleanup runs", || {
            self.yield_once_if_direct();
            self.calls.stopped.load(Ordering::SeqCst) >= self.model.stops
        });
        if let Some(tokio) = &self.tokio {
            eventually("the recorder's task ends", || {
                self.yield_once_if_direct();
                tokio.metrics().num_alive_tasks() == 0
            });
        }
        assert_eq!(self.calls.stopped.load(Ordering::SeqCst), self.model.stops);
    }

    /// Ends the application's tokio runtime while events may be pending.
    fn abort(mut self) {
        let before = self.recorder.status();
        drop(self.tokio.take());
        let expected = match before {
            Virgin | Stopped | Failure => before,
            _ => Cancelled,
        };
        assert_eq!(self.recorder.status(), expected);
        self.check();
        assert_eq!(self.recorder.stats().pending, 0);
        self.check_drops();
    }
}
