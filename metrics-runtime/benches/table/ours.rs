//! Our runtime. The first metric of each recorder does the work of the table.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mvx_metrics::{
    Breakdown, ChangeListener, Counter, DimensionValue, EventHandler, HandleEvent, Handoff, Histogram,
    HookError, Max, Metric, MetricChange, MetricSnapshot, MetricsRecorder, MetricsRuntime,
    QueueOverflowPolicy, RecorderHooks, RecorderOptions, RegisterEventError, Sum, metric_event,
};

use crate::event_loop::{EventLoop, LoopRecorder};
use crate::subject::{Counted, Producer, Setup};
use crate::workload::{DURATION_BOUNDS, SaveFinished, SaveOutcome};

/// The work of the table as an application writes it.
#[derive(Metric, Default)]
#[metric(name = "save.attempts", on(SaveFinished))]
struct SaveAttempts {
    total: Counter,
    #[dimension(by = outcome)]
    by_outcome: Breakdown<SaveOutcome, Counter>,
    #[dimension(value = bytes)]
    bytes: Sum<u64>,
    #[dimension(value = duration_ns)]
    longest_ns: Max<u64>,
    #[dimension(value = duration_ns, buckets = DURATION_BOUNDS)]
    durations_ns: Histogram<u64>,
}

/// One more metric on the same event: a lone counter.
struct ExtraCounter {
    name: String,
    total: Counter,
}

impl HandleEvent<SaveFinished> for ExtraCounter {
    fn handle(&mut self, _event: &SaveFinished) -> bool {
        self.total.increment();
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
        MetricSnapshot::new(&*self.name).with("total", self.total.get())
    }
}

/// Code to run on the loop's thread, as an event.
#[metric_event]
struct RunOnLoop(Cell<Option<Action>>);

type Action = Box<dyn FnOnce() + Send>;

/// The metric that runs the code.
struct ActionRunner;

impl HandleEvent<RunOnLoop> for ActionRunner {
    fn handle(&mut self, event: &RunOnLoop) -> bool {
        event.0.take().map(|action| action()).is_some()
    }
}

impl Metric for ActionRunner {
    fn metric_name(&self) -> &'static str {
        "action_runner"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        const { &[EventHandler::of::<RunOnLoop>()] }
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::new(self.metric_name())
    }
}

/// A runtime with default options.
pub struct OurLoop {
    runtime: MetricsRuntime,
    /// The recorder that runs code on the loop's thread.
    actions: MetricsRecorder,
    created: AtomicU64,
}

/// The hooks of a recorder. They do nothing.
#[derive(Debug, Clone, Copy)]
pub enum HookKind {
    None,
    Lifecycle,
    Listener,
}

struct Idle;

impl RecorderHooks for Idle {}

impl ChangeListener for Idle {
    async fn on_metric_changed(&self, _: MetricChange<'_>) -> Result<(), HookError> {
        Ok(())
    }
}

impl OurLoop {
    /// Creates a recorder with these hooks.
    pub fn create_hooked_recorder(&self, hooks: HookKind) -> OurRecorder {
        let options = RecorderOptions::new().queue_overflow_policy(QueueOverflowPolicy::Error);
        let options = match hooks {
            HookKind::None => options,
            HookKind::Lifecycle => options.hooks(Idle),
            HookKind::Listener => options.change_listener(Idle),
        };
        let recorder = self.runtime.create_recorder_with("hooked", options).expect("a fresh id");
        recorder.register_metric(SaveAttempts::default()).expect("the recorder runs");
        OurRecorder(recorder)
    }

    fn create(&self, setup: Setup, options: RecorderOptions) -> OurRecorder {
        let id = format!("recorder-{}", self.created.fetch_add(1, Ordering::Relaxed));
        // The harness offers a refused event again, or fails where no event may be refused.
        let options =
            options.queue_max_size(setup.pending_limit).queue_overflow_policy(QueueOverflowPolicy::Error);
        let recorder = self.runtime.create_recorder_with(&id, options).expect("a fresh id");
        if setup.metrics > 0 {
            recorder.register_metric(SaveAttempts::default()).expect("the recorder runs");
        }
        for number in 1..setup.metrics {
            let counter = ExtraCounter { name: format!("counter-{number}"), total: Counter::default() };
            recorder.register_metric(counter).expect("the recorder runs");
        }
        OurRecorder(recorder)
    }

    /// Creates a recorder with a poll interval so long that only a snapshot makes the loop process its events.
    pub fn create_slow_polled_recorder(&self) -> OurRecorder {
        let options = RecorderOptions::new().poll_interval(Duration::from_secs(1));
        let recorder = self.runtime.create_recorder_with("slow_polled", options).expect("a fresh id");
        recorder.register_metric(SaveAttempts::default()).expect("the recorder runs");
        OurRecorder(recorder)
    }
}

impl EventLoop for OurLoop {
    const NAME: &'static str = "mvx-metrics";
    type Recorder = OurRecorder;

    fn start() -> Self {
        let runtime = MetricsRuntime::new("bench").expect("a valid namespace");
        runtime.start().expect("the runtime starts");
        let actions = runtime.create_recorder("actions").expect("a fresh id");
        actions.register_metric(ActionRunner).expect("the recorder runs");
        Self { runtime, actions, created: AtomicU64::new(0) }
    }

    fn create_recorder(&self, setup: Setup) -> OurRecorder {
        self.create(setup, RecorderOptions::new())
    }

    fn run(&self, action: impl FnOnce() + Send + 'static) {
        self.actions.emit(RunOnLoop(Cell::new(Some(Box::new(action)))));
    }

    fn shut_down(self) {
        drop(self.actions);
        self.runtime.shutdown().expect("everything stops");
    }
}

/// As [`OurLoop`], with a ring for each thread that produces.
pub struct OurPerThread(OurLoop);

impl EventLoop for OurPerThread {
    const NAME: &'static str = "mvx-metrics, per thread";
    type Recorder = OurRecorder;

    fn start() -> Self {
        Self(OurLoop::start())
    }

    fn create_recorder(&self, setup: Setup) -> OurRecorder {
        self.0.create(setup, RecorderOptions::new().handoff(Handoff::PerThread))
    }

    fn run(&self, action: impl FnOnce() + Send + 'static) {
        self.0.run(action);
    }

    fn shut_down(self) {
        self.0.shut_down();
    }
}

#[derive(Clone)]
pub struct OurRecorder(MetricsRecorder);

impl OurRecorder {
    /// Waits until all events are applied, and their hooks have run.
    pub fn flush(&self) {
        self.0.flush().wait().expect("this is not the runtime's thread");
    }
}

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
