//! Metrics and events that panic, what the failure policies make of it, and the codes and messages of all errors.
//! Covers FL1 to FL6.

use std::error::Error;
use std::sync::{Arc, Mutex};

use mvx_metrics::{
    EventHandler, HandleEvent, Metric, MetricEvent, MetricFailurePolicy, MetricSnapshot, MetricSnapshots,
    MetricsRecorder, MetricsRecorderError, MetricsRecorderState, MetricsRuntime, RecorderOptions,
};
use mvx_metrics_tests::{
    Act, Direct, Drops, Fragile, Gate, Gated, HooksAndListener, Journal, Script, SnapshotPanics, Step, Steps,
    bounded, bounded_async, eventually, running_runtime,
};

use crate::recorder_states::assert_refused;
use MetricsRecorderState::{Cancelled, Failure, Running, Starting, Virgin};

/// A metric that listens to no event and owns a value.
pub struct Holding {
    name: &'static str,
    _held: Arc<()>,
}

/// A metric that owns this value for as long as it exists.
pub fn holding(name: &'static str, held: Arc<()>) -> Holding {
    Holding { name, _held: held }
}

impl Metric for Holding {
    fn metric_name(&self) -> &str {
        self.name
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        &[]
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::of_static(self.name)
    }
}

fn options(policy: MetricFailurePolicy) -> RecorderOptions {
    RecorderOptions::new().metric_failure_policy(policy)
}

fn failure_of<'a>(snapshots: &'a MetricSnapshots, metric: &str) -> Option<&'a str> {
    snapshots.get(metric).expect("the metric is registered").failed.as_deref()
}

#[test]
fn fl1_a_metric_that_panics_is_quarantined_and_the_others_go_on() {
    bounded(|| {
        for hooks in [false, true] {
            let application = Direct::new();
            let options = RecorderOptions::new();
            let recorder =
                application.recorder(if hooks { options.hooks_and_listener(Script::new()) } else { options });
            let journal = Journal::new();
            recorder.register_metric(Fragile::at(3)).expect("registers");
            recorder.register_metric(Steps::default()).expect("registers");
            recorder.register_metric(journal.clone()).expect("registers");
            recorder.start().wait().expect("starts");
            for step in 0..10 {
                recorder.register_event(Step(step)).expect("accepted");
            }
            recorder.flush().wait().expect("flushes");
            let snapshots = recorder.metric_snapshots().expect("reads");
            let failed = failure_of(&snapshots, "fragile").expect("it failed");
            assert!(failed.starts_with("panicked: ") && failed.contains("fragile broke"), "{failed}");
            assert_eq!(failure_of(&snapshots, "steps"), None);
            assert_eq!(Steps::total(&recorder), 10);
            assert_eq!(journal.numbers(), (0..10).collect::<Vec<_>>());
            assert_eq!(
                recorder.metric_snapshot::<Fragile>().expect("reads"),
                Some(3),
                "its last state stays"
            );
            assert_eq!((recorder.status(), recorder.stats().processed), (Running, 10));
            let json = serde_json::to_value(&snapshots).expect("serialises");
            assert_eq!(json["fragile"]["failed"], failed);
            assert!(json["steps"].get("failed").is_none());
        }
    });
}

#[test]
fn fl1_a_quarantined_metric_is_replaced_by_a_sound_one() {
    bounded(|| {
        let runtime = running_runtime("fl1");
        let recorder = runtime.create_recorder("a").expect("creates");
        recorder.register_metric(Fragile::at(1)).expect("registers");
        recorder.register_event(Step(1)).expect("accepted");
        assert!(failure_of(&recorder.metric_snapshots().expect("reads"), "fragile").is_some());
        recorder.register_metric(Fragile::at(1_000)).expect("registers");
        recorder.register_event(Step(1)).expect("accepted");
        assert_eq!(failure_of(&recorder.metric_snapshots().expect("reads"), "fragile"), None);
        assert_eq!(recorder.metric_snapshot::<Fragile>().expect("reads"), Some(1));
    });
}

#[test]
fn fl2_with_fail_recorder_the_recorder_fails_with_the_metric_as_cause() {
    bounded(|| {
        for hooks in [false, true] {
            let application = Direct::new();
            let script = Script::new();
            let hook_log = script.hook_log();
            let options = options(MetricFailurePolicy::FailRecorder);
            let recorder =
                application.recorder(if hooks { options.hooks_and_listener(script) } else { options });
            recorder.register_metric(Fragile::at(3)).expect("registers");
            recorder.start().wait().expect("starts");
            for step in 0..10 {
                recorder.emit(Step(step));
            }
            eventually("the recorder fails", || recorder.status() == Failure);
            eventually("nothing is pending", || recorder.stats().pending == 0);
            let refused = recorder.register_event(Step(1)).expect_err("it has failed");
            let MetricsRecorderError::InvalidState { state: Failure, cause: Some(cause), .. } =
                refused.error()
            else {
                panic!("{refused:?}");
            };
            assert_eq!(cause.reason(), "METRIC_FAILED");
            assert_eq!(cause.to_string(), "metric `fragile` failed");
            let panic = cause.source().map(ToString::to_string).unwrap_or_default();
            assert!(panic.contains("fragile broke"), "{panic}");
            let stats = recorder.stats();
            assert!(stats.processed >= 4, "{stats:?}");
            assert_eq!(stats.accepted, stats.processed + stats.discarded);
            eventually("the task ends", || application.tasks() == 0);
            assert_eq!(hook_log.count("stopped"), usize::from(hooks), "the cleanup");
        }
    });
}

#[test]
fn fl2_a_metric_that_fails_the_recorder_fails_the_stop_in_progress() {
    bounded(|| {
        let application = Direct::new();
        let recorder = application.recorder(options(MetricFailurePolicy::FailRecorder));
        let gate = Gate::new();
        recorder.register_metric(Gated(gate.clone())).expect("registers");
        recorder.register_metric(Fragile::at(5)).expect("registers");
        recorder.register_event(Step(0)).expect("accepted");
        gate.wait_for_arrival();
        for step in 1..10 {
            recorder.register_event(Step(step)).expect("accepted");
        }
        let stop = recorder.stop();
        gate.open();
        assert_eq!(stop.wait().expect_err("the metric fails").reason(), "METRIC_FAILED");
        assert_eq!(recorder.status(), Failure);
    });
}

#[test]
fn fl2_a_stop_right_after_the_failure_never_succeeds() {
    bounded(|| {
        let application = Direct::new();
        for _ in 0..500 {
            let recorder = application.recorder(options(MetricFailurePolicy::FailRecorder));
            recorder.register_metric(Fragile::at(1)).expect("registers");
            recorder.start().wait().expect("starts");
            recorder.register_event(Step(1)).expect("accepted");
            recorder.stop().wait().expect_err("the metric failed before, or fails it");
            assert_eq!(recorder.status(), Failure);
        }
    });
}

#[test]
fn fl2_a_flush_of_a_failed_recorder_is_refused_after_its_events_are_discarded() {
    bounded(|| {
        let application = Direct::new();
        let recorder = application.recorder(options(MetricFailurePolicy::FailRecorder));
        recorder.register_metric(Fragile::at(1)).expect("registers");
        recorder.start().wait().expect("starts");
        for step in 0..10 {
            recorder.emit(Step(step));
        }
        eventually("the recorder fails", || recorder.status() == Failure);
        eventually("nothing is pending", || recorder.stats().pending == 0);
        let error = recorder.flush().wait().expect_err("it has failed");
        assert_eq!(error.reason(), "INVALID_RECORDER_STATE");
    });
}

#[test]
fn fl3_a_snapshot_that_panics_does_not_harm_other_snapshots() {
    bounded(|| {
        let runtime = running_runtime("fl3");
        let recorder = runtime.create_recorder("a").expect("creates");
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.register_metric(SnapshotPanics).expect("registers");
        recorder.register_metric(Steps::named("after")).expect("registers");
        for round in 1..=3 {
            recorder.register_event(Step(1)).expect("accepted");
            let snapshots = recorder.metric_snapshots().expect("reads");
            assert_eq!(
                failure_of(&snapshots, "snapshot_panics"),
                Some("snapshot panicked: the snapshot panics")
            );
            assert!(snapshots.get("snapshot_panics").expect("it is there").dimensions.is_empty());
            assert_eq!(Steps::total_of(&recorder, "after"), round);
        }
        let error = recorder.metric_snapshot::<SnapshotPanics>().expect_err("it panics");
        assert_eq!(error.reason(), "UNEXPECTED_ERROR");
        assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("panicked: the snapshot panics"));
        let descriptors = recorder.metrics().expect("reads");
        assert_eq!(descriptors[1].name, "snapshot_panics");
        assert_eq!(recorder.status(), Running);
        runtime.shutdown().expect("shuts down");
    });
}

/// An event that panics in its `Drop`.
struct PanicsOnDrop(Drops);

impl MetricEvent for PanicsOnDrop {
    const EVENT_TYPE: &'static str = "panics_on_drop";
}

impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        drop(self.0.event());
        panic!("the drop of the event panics");
    }
}

#[test]
fn fl4_an_event_whose_drop_panics_does_not_harm_the_recorder() {
    bounded(|| {
        for hooks in [false, true] {
            let runtime = running_runtime("fl4");
            let options = RecorderOptions::new().queue_max_size(600);
            let options = if hooks { options.hooks_and_listener(Script::new()) } else { options };
            let recorder = runtime.create_recorder_with("a", options).expect("creates");
            recorder.register_metric(Steps::default()).expect("registers");
            let drops = Drops::new();
            for _ in 0..500 {
                recorder.register_event(PanicsOnDrop(drops.clone())).expect("accepted");
            }
            recorder.register_event(Step(1)).expect("accepted");
            recorder.flush().wait().expect("flushes");
            assert_eq!((drops.dropped(), recorder.stats().processed), (500, 501));
            assert_eq!(Steps::total(&recorder), 1);
            runtime.shutdown().expect("shuts down");
            recorder.emit(PanicsOnDrop(drops.clone()));
            assert_eq!(drops.dropped(), 501, "refused events too");
        }
    });
}

#[test]
fn fl4_an_event_whose_drop_panics_on_overflow_or_in_the_queue_harms_nothing() {
    bounded(|| {
        let mut application = Direct::new();
        let policy = mvx_metrics::QueueOverflowPolicy::Drop;
        let options = RecorderOptions::new().queue_max_size(1).queue_overflow_policy(policy);
        let gate = Gate::new();
        let recorder =
            application.recorder(options.hooks_and_listener(Script::new().starting(Act::Wait(gate.clone()))));
        let drops = Drops::new();
        recorder.register_event(PanicsOnDrop(drops.clone())).expect("accepted");
        recorder.register_event(PanicsOnDrop(drops.clone())).expect("dropped without an error");
        assert_eq!(drops.dropped(), 1);
        gate.wait_for_arrival();
        application.end();
        assert_eq!((drops.dropped(), recorder.status()), (2, Cancelled));
        MetricsRecorder::disabled().emit(PanicsOnDrop(drops.clone()));
        assert_eq!(drops.dropped(), 3);
    });
}

#[test]
fn fl4_a_failed_recorder_discards_pending_events_when_its_task_is_aborted() {
    bounded(|| {
        let tokio = tokio::runtime::Builder::new_current_thread().build().expect("a tokio runtime");
        let options = RecorderOptions::new().metric_failure_policy(MetricFailurePolicy::FailRecorder);
        let recorder = {
            let _inside = tokio.enter();
            MetricsRecorder::new("direct", options).expect("inside of a tokio runtime")
        };
        recorder.register_metric(Fragile::at(1)).expect("registers");
        recorder.register_event(Step(1)).expect("accepted");
        let drops = Drops::new();
        for _ in 0..3 {
            recorder.register_event(drops.event()).expect("accepted");
        }
        let flushed = recorder.flush();
        // The worker task gets one turn, in which the metric fails.
        tokio.block_on(tokio::task::yield_now());
        assert_eq!((recorder.status(), drops.dropped()), (Failure, 0));
        drop(tokio);
        assert_eq!((drops.dropped(), recorder.status()), (3, Failure));
        let stats = recorder.stats();
        assert_eq!((stats.processed, stats.discarded, stats.pending), (1, 3, 0));
        assert!(flushed.is_finished());
        assert_eq!(flushed.wait().expect_err("it has failed").reason(), "INVALID_RECORDER_STATE");
    });
}

/// A metric with one part that panics. The type parameter chooses the part.
struct Broken<const PART: u8>;

const NAME: u8 = 0;
const HANDLERS: u8 = 1;
const DROP: u8 = 2;
const PAYLOAD: u8 = 3;

/// A panic payload that panics when it is dropped.
struct Payload;

impl Drop for Payload {
    fn drop(&mut self) {
        panic!("the payload of the panic panics");
    }
}

impl<const PART: u8> HandleEvent<Step> for Broken<PART> {
    fn handle(&mut self, _: &Step) -> bool {
        if PART == PAYLOAD {
            std::panic::panic_any(Payload);
        }
        true
    }
}

impl<const PART: u8> Metric for Broken<PART> {
    fn metric_name(&self) -> &'static str {
        assert_ne!(PART, NAME, "no name");
        "broken"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        assert_ne!(PART, HANDLERS, "no handlers");
        const { &[EventHandler::of::<Step>()] }
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::of_static("broken")
    }
}

impl<const PART: u8> Drop for Broken<PART> {
    fn drop(&mut self) {
        assert_ne!(PART, DROP, "no end");
    }
}

/// Checks that a recorder of a running runtime still works, and shuts the runtime down.
fn assert_works(runtime: &MetricsRuntime, recorder: &MetricsRecorder) {
    recorder.register_metric(Steps::named("works")).expect("registers");
    recorder.register_event(Step(1)).expect("accepted");
    assert_eq!(Steps::total_of(recorder, "works"), 1);
    runtime.shutdown().expect("shuts down");
}

#[test]
fn fl5_a_metric_whose_name_panics_is_refused() {
    bounded(|| {
        let runtime = running_runtime("fl5");
        let recorder = runtime.create_recorder("a").expect("creates");
        let error = recorder.register_metric(Broken::<NAME>).expect_err("it panics");
        assert_eq!(error.reason(), "UNEXPECTED_ERROR");
        assert!(recorder.metrics().expect("reads").is_empty());
        assert_works(&runtime, &recorder);
    });
}

#[test]
fn fl5_a_metric_whose_handlers_panic_is_refused() {
    bounded(|| {
        let runtime = running_runtime("fl5");
        let recorder = runtime.create_recorder("a").expect("creates");
        let error = recorder.register_metric(Broken::<HANDLERS>).expect_err("it panics");
        assert_eq!(error.reason(), "UNEXPECTED_ERROR");
        let panic = error.source().map(ToString::to_string).unwrap_or_default();
        assert!(panic.contains("no handlers"), "{panic}");
        assert!(recorder.metrics().expect("reads").is_empty());
        assert_works(&runtime, &recorder);
    });
}

#[test]
fn fl5_a_metric_whose_drop_panics_is_replaced_and_dropped_alone() {
    bounded(|| {
        let runtime = running_runtime("fl5");
        let recorder = runtime.create_recorder("a").expect("creates");
        recorder.register_metric(Broken::<DROP>).expect("registers");
        recorder.register_metric(Broken::<DROP>).expect("replaces");
        assert_works(&runtime, &recorder);
        drop(recorder);
    });
}

#[test]
fn fl5_a_panic_whose_payload_panics_is_a_quarantine_too() {
    bounded(|| {
        let runtime = running_runtime("fl5");
        let recorder = runtime.create_recorder("a").expect("creates");
        recorder.register_metric(Broken::<PAYLOAD>).expect("registers");
        recorder.register_event(Step(1)).expect("accepted");
        let snapshots = recorder.metric_snapshots().expect("reads");
        assert_eq!(
            failure_of(&snapshots, "broken"),
            Some("panicked: panicked with a value that is not text")
        );
        assert_works(&runtime, &recorder);
    });
}

#[test]
fn fl5_no_call_hangs_after_all_kinds_of_panics() {
    bounded(|| {
        let runtime = running_runtime("fl5");
        let recorder = runtime.create_recorder("a").expect("creates");
        recorder.register_metric(Fragile::at(0)).expect("registers");
        recorder.register_metric(SnapshotPanics).expect("registers");
        recorder.register_metric(Broken::<DROP>).expect("registers");
        let drops = Drops::new();
        for _ in 0..10 {
            recorder.register_event(Step(0)).expect("accepted");
            recorder.register_event(PanicsOnDrop(drops.clone())).expect("accepted");
        }
        recorder.flush().wait().expect("flushes");
        assert_eq!(recorder.metric_snapshots().expect("reads").len(), 3);
        recorder.stop().wait().expect("stops");
        recorder.start().wait().expect("starts");
        assert_works(&runtime, &recorder);
    });
}

/// An error that panics in its `Display` and is its own source.
#[derive(Debug)]
struct DisplayPanics;

impl std::fmt::Display for DisplayPanics {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        panic!("the display panics")
    }
}

impl Error for DisplayPanics {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self)
    }
}

/// Hooks that fail with [`DisplayPanics`], and panic when they are dropped.
struct HooksPanicOnDrop;

impl mvx_metrics::ChangeListener for HooksPanicOnDrop {
    async fn on_metric_changed(
        &self,
        _: mvx_metrics::MetricChange<'_>,
    ) -> Result<(), mvx_metrics::HookError> {
        Err(Box::new(DisplayPanics))
    }
}

impl mvx_metrics::RecorderHooks for HooksPanicOnDrop {
    async fn on_stopped(&self, _: mvx_metrics::RecorderContext<'_>) -> Result<(), mvx_metrics::HookError> {
        Err(Box::new(DisplayPanics))
    }
}

impl Drop for HooksPanicOnDrop {
    fn drop(&mut self) {
        panic!("the drop of the hooks panics");
    }
}

#[test]
fn fl5_hooks_whose_errors_cannot_be_formatted_block_nothing() {
    // The subscriber formats the errors.
    mvx_metrics_tests::capture::install();
    bounded(|| {
        let runtime = running_runtime("lg.fl5.hooks");
        let options = RecorderOptions::new().entity_id("lg.fl5.hooks").hooks_and_listener(HooksPanicOnDrop);
        let recorder = runtime.create_recorder_with("a", options).expect("creates");
        recorder.register_metric(Steps::default()).expect("registers");
        for _ in 0..10 {
            recorder.emit(Step(1));
        }
        eventually("the recorder fails", || recorder.status() == Failure);
        drop(recorder.flush().wait());
        eventually("nothing is pending", || recorder.stats().pending == 0);
        let stopped = runtime.stop_and_remove_recorder("a").expect_err("it has failed");
        assert_eq!(stopped.reason(), "RECORDER_STOP_ERROR");
        drop(stopped);
        drop(recorder);
        runtime.shutdown().expect("shuts down");
    });
}

#[test]
fn fl5_a_metric_that_emits_to_its_cancelled_recorder_while_it_is_read_is_shown() {
    // The test takes the recorder out at the end, because a metric that owns its recorder keeps both alive.
    struct EmitsWhenRead(Arc<Mutex<Option<MetricsRecorder>>>);

    impl Metric for EmitsWhenRead {
        fn metric_name(&self) -> &'static str {
            "emits_when_read"
        }
        fn handlers() -> &'static [EventHandler<Self>] {
            &[]
        }
        fn snapshot(&self) -> MetricSnapshot {
            if let Some(recorder) = &*self.0.lock().expect("not poisoned") {
                recorder.emit(Step(1));
            }
            MetricSnapshot::of_static("emits_when_read")
        }
    }

    bounded(|| {
        let mut application = Direct::new();
        let recorder = application.recorder(RecorderOptions::new());
        let own = Arc::new(Mutex::new(Some(recorder.clone())));
        recorder.register_metric(EmitsWhenRead(Arc::clone(&own))).expect("registers");
        application.end();
        assert_eq!(recorder.metric_snapshots().expect("reads").len(), 1);
        assert_eq!(recorder.status(), Cancelled);
        let stats = recorder.stats();
        assert_eq!((stats.accepted, stats.discarded, stats.pending), (1, 1, 0));
        own.lock().expect("not poisoned").take();
    });
}

#[test]
fn fl6_every_recorder_error_has_its_code_message_and_source() {
    bounded_async(|| async {
        let cause =
            || -> mvx_metrics::SharedError { Arc::from(Box::<dyn Error + Send + Sync>::from("the cause")) };
        let cancelled = Arc::new(MetricsRecorderError::DispatcherCancelled);
        let invalid = |cause| MetricsRecorderError::InvalidState {
            state: Cancelled,
            expected: &[Virgin, Starting, Running],
            cause,
        };
        let no_loop = "no event loop is available: create the recorder in a running tokio runtime or through \
                       `MetricsRuntime`";
        let deadlock =
            "waiting here would deadlock: the call comes from the thread that would have to do the work";
        let table = [
            (MetricsRecorderError::LoopUnavailable, "EVENT_LOOP_UNAVAILABLE", no_loop, None),
            (
                invalid(None),
                "INVALID_RECORDER_STATE",
                "recorder is CANCELLED, expected VIRGIN or STARTING or RUNNING",
                None,
            ),
            (
                invalid(Some(cancelled)),
                "INVALID_RECORDER_STATE",
                "recorder is CANCELLED, expected VIRGIN or STARTING or RUNNING",
                Some("the task that processes events was cancelled"),
            ),
            (
                MetricsRecorderError::OnStartingHookFailed { cause: cause() },
                "ON_STARTING_HOOK_FAILED",
                "the on_starting hook failed",
                Some("the cause"),
            ),
            (
                MetricsRecorderError::OnStoppedHookFailed { cause: cause() },
                "ON_STOPPED_HOOK_FAILED",
                "the on_stopped hook failed",
                Some("the cause"),
            ),
            (
                MetricsRecorderError::QueueOverflow { limit: 4 },
                "QUEUE_OVERFLOW",
                "4 events are pending, the limit of this recorder",
                None,
            ),
            (
                MetricsRecorderError::DispatcherCancelled,
                "DISPATCHER_UNEXPECTEDLY_CANCELLED",
                "the task that processes events was cancelled",
                None,
            ),
            (
                MetricsRecorderError::MetricFailed { metric: "m".to_owned(), cause: cause() },
                "METRIC_FAILED",
                "metric `m` failed",
                Some("the cause"),
            ),
            (
                MetricsRecorderError::MetricTypeMismatch { metric: "m".to_owned() },
                "INVALID_ARGUMENT",
                "the recorder's metric `m` has another type",
                None,
            ),
            (
                MetricsRecorderError::InvalidArgument { argument: "size", problem: "must not be" },
                "INVALID_ARGUMENT",
                "invalid size: must not be",
                None,
            ),
            (MetricsRecorderError::WouldDeadlock, "WOULD_DEADLOCK", deadlock, None),
            (
                MetricsRecorderError::Unexpected { cause: cause() },
                "UNEXPECTED_ERROR",
                "unexpected error",
                Some("the cause"),
            ),
        ];
        for (error, reason, message, source) in table {
            assert_eq!(error.reason(), reason);
            assert_eq!(error.to_string(), message);
            assert_eq!(error.source().map(ToString::to_string).as_deref(), source, "{reason}");
            assert_eq!(error.clone().reason(), reason);
        }
    });
}

#[test]
fn fl6_a_refused_event_names_its_error_as_source() {
    bounded(|| {
        let case = crate::recorder_states::recorder_in_state(Cancelled);
        let refused = case.recorder.register_event(Step(9)).expect_err("cancelled");
        assert_eq!(refused.to_string(), "the event was not accepted");
        let source = refused.source().expect("the error");
        assert_eq!(source.to_string(), refused.error().to_string());
        let (event, error) = refused.into_parts();
        assert_eq!(event, Step(9));
        assert_refused(&error, Cancelled, &[Virgin, Starting, Running]);
    });
}
