//! Ours: a runtime with recorders whose first metric does the work of the table.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

use mvx_metrics::{
    DimensionValue, EventHandler, HandleEvent, Metric, MetricEvent, MetricSnapshot, MetricsRecorder,
    MetricsRuntime, QueueOverflowPolicy, RecorderOptions, RegisterEventError,
};

use crate::event_loop::{EventLoop, LoopRecorder};
use crate::harness::{Counted, Producer, Setup};
use crate::workload::{SaveFinished, SaveTotals};

impl MetricEvent for SaveFinished {
    const EVENT_TYPE: &'static str = "save.finished";
}

impl HandleEvent<SaveFinished> for SaveTotals {
    fn handle(&mut self, event: &SaveFinished) -> bool {
        self.apply(event);
        true
    }
}

impl Metric for SaveTotals {
    fn metric_name(&self) -> &'static str {
        "save.attempts"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        const { &[EventHandler::of::<SaveFinished>()] }
    }

    fn snapshot(&self) -> MetricSnapshot {
        let snapshot = MetricSnapshot::new(self.metric_name())
            .with("total", self.total)
            .with("successes", self.successes)
            .with("failures", self.failures)
            .with("bytes", self.bytes)
            .with("longest_ns", self.longest_ns);
        let mut names = 0..;
        self.buckets.iter().fold(snapshot, |snapshot, count| {
            snapshot.with(format!("bucket_{}", names.next().unwrap_or(0)), *count)
        })
    }
}

/// One more metric on the same event: a lone counter.
struct ExtraCounter {
    name: String,
    total: u64,
}

impl HandleEvent<SaveFinished> for ExtraCounter {
    fn handle(&mut self, _event: &SaveFinished) -> bool {
        self.total = self.total.saturating_add(1);
        true
    }
}

impl Metric for ExtraCounter {
    fn metric_name(&self) -> &str {
        &self.name
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        const { &[EventHandler::of::<SaveFinished>()] }
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::new(&*self.name).with("total", self.total)
    }
}

/// Code to run on the loop's thread, as an event.
struct RunOnLoop(Cell<Option<Action>>);

type Action = Box<dyn FnOnce() + Send>;

impl MetricEvent for RunOnLoop {
    const EVENT_TYPE: &'static str = "run_on_loop";
}

struct Runs;

impl HandleEvent<RunOnLoop> for Runs {
    fn handle(&mut self, event: &RunOnLoop) -> bool {
        event.0.take().map(|action| action()).is_some()
    }
}

impl Metric for Runs {
    fn metric_name(&self) -> &'static str {
        "runs"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        const { &[EventHandler::of::<RunOnLoop>()] }
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::new(self.metric_name())
    }
}

/// A runtime as it is by default, apart from its metrics.
pub struct OurLoop {
    runtime: MetricsRuntime,
    /// The recorder of what is to be run on the loop.
    runs: MetricsRecorder,
    created: AtomicU64,
}

impl EventLoop for OurLoop {
    const NAME: &'static str = "mvx-metrics";
    type Recorder = OurRecorder;

    fn start() -> Self {
        let runtime = MetricsRuntime::new("bench").expect("a valid namespace");
        runtime.start().expect("the runtime starts");
        let runs = runtime.create_recorder("runs").expect("a fresh id");
        runs.register_metric(Runs).expect("the recorder runs");
        Self { runtime, runs, created: AtomicU64::new(0) }
    }

    fn create_recorder(&self, setup: Setup) -> OurRecorder {
        let id = format!("recorder-{}", self.created.fetch_add(1, Ordering::Relaxed));
        // The harness offers a refused event again, or fails when there must be none.
        let options = RecorderOptions::new()
            .queue_max_size(setup.pending_limit)
            .queue_overflow_policy(QueueOverflowPolicy::Error);
        let recorder = self.runtime.create_recorder_with(&id, options).expect("a fresh id");
        if setup.metrics > 0 {
            recorder.register_metric(SaveTotals::default()).expect("the recorder runs");
        }
        for number in 1..setup.metrics {
            let counter = ExtraCounter { name: format!("counter-{number}"), total: 0 };
            recorder.register_metric(counter).expect("the recorder runs");
        }
        OurRecorder(recorder)
    }

    fn run(&self, action: impl FnOnce() + Send + 'static) {
        self.runs.emit(RunOnLoop(Cell::new(Some(Box::new(action)))));
    }

    fn shut_down(self) {
        drop(self.runs);
        self.runtime.shutdown().expect("everything stops");
    }
}

#[derive(Clone)]
pub struct OurRecorder(MetricsRecorder);

impl LoopRecorder for OurRecorder {
    fn processed(&self) -> u64 {
        self.0.stats().processed
    }

    fn snapshot(&self) -> Counted {
        let snapshots = self.0.metric_snapshots().expect("this is not the runtime's thread");
        let Some(metric) = snapshots.get("save.attempts") else {
            return Counted::default();
        };
        let count = |name| metric.get(name).and_then(DimensionValue::as_u64).unwrap_or_default();
        Counted { total: count("total"), bytes: count("bytes") }
    }
}

impl Producer for OurRecorder {
    fn hand_over(&mut self, event: SaveFinished) -> Result<(), SaveFinished> {
        self.0.register_event(event).map_err(RegisterEventError::into_event)
    }
}
