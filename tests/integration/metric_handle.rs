//! `recorder.metric::<M>()`: components that share a metric, and the handles that read it.
//! Covers ST14, RM1, RM2, RM6, RM10, RE11, RE12, FL1, FL5, HX6.

use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mvx_metrics::testing::CaptureRecorder;
use mvx_metrics::{
    Counter, EventHandler, Metric, MetricFailurePolicy, MetricHandle, MetricSnapshot, MetricsRecorder,
    MetricsRecorderError, MetricsRecorderState, Recorder, RecorderOptions, Registered, TypedMetric,
    metric_event,
};
use mvx_metrics_tests::{
    Act, CallsOnce, Direct, Fragile, Gate, HooksAndListener, Script, SnapshotPanics, Step, Steps,
    StepsSnapshot, bounded, eventually, in_threads, running_runtime,
};

use crate::failures::{Holding, holding};
use crate::recorder_states::{STATES, assert_refused, recorder_in_state};
use MetricsRecorderState::{Failure, Running, Starting, Stopped, Virgin};

#[metric_event(crate = mvx_metrics)]
struct Saved;

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    total: Counter,
}

/// A component that has its metric and emits its events.
struct Storage<R> {
    recorder: R,
    saves: MetricHandle<Saves>,
}

impl<R: Recorder> Storage<R> {
    fn new(recorder: R) -> Result<Self, MetricsRecorderError> {
        let saves = recorder.metric::<Saves>()?;
        Ok(Self { recorder, saves })
    }

    fn save(&self) {
        self.recorder.emit(Saved);
    }
}

fn total(handle: &MetricHandle<Steps>) -> u64 {
    handle.snapshot().expect("reads").total
}

#[track_caller]
fn assert_mismatch<T: std::fmt::Debug>(result: Result<T, MetricsRecorderError>, name: &str) {
    let error = result.expect_err("another type");
    assert_eq!(error.reason(), "INVALID_ARGUMENT");
    assert_eq!(error.to_string(), format!("the recorder's metric `{name}` has another type"));
    assert!(matches!(error, MetricsRecorderError::MetricTypeMismatch { metric } if metric == name));
}

#[test]
fn st14_two_components_share_one_metric_and_lose_nothing() {
    bounded(|| {
        let runtime = running_runtime("st14");
        let recorder = runtime.create_recorder("a").expect("creates");
        let first = Storage::new(recorder.clone()).expect("registers");
        for _ in 0..3 {
            first.save();
        }
        let second = Storage::new(recorder.clone()).expect("finds");
        second.save();
        assert_eq!(first.saves.snapshot().expect("reads").total, 4);
        assert_eq!(second.saves.snapshot().expect("reads"), first.saves.clone().snapshot().expect("reads"));
        assert_eq!(first.saves.name(), "saves");
        assert_eq!(first.saves.failed().expect("reads"), None);
        assert_eq!(recorder.metrics().expect("reads").len(), 1);
        assert_eq!(recorder.metric_snapshot::<Saves>().expect("reads").map(|saves| saves.total), Some(4));
        assert_eq!(format!("{:?}", first.saves), r#"MetricHandle { name: "saves", .. }"#);
    });
}

/// A metric that threads cannot share.
#[derive(Default)]
struct NotSync(std::cell::Cell<u64>);

impl Metric for NotSync {
    fn metric_name(&self) -> &'static str {
        "not_sync"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        &[]
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::of_static("not_sync").with("value", self.0.get())
    }
}

impl TypedMetric for NotSync {
    type Snapshot = u64;

    fn typed_snapshot(&self) -> u64 {
        self.0.get()
    }
}

#[test]
fn st14_a_handle_can_be_shared_by_threads_whatever_its_metric() {
    fn assert_shared<T: Clone + Send + Sync + UnwindSafe + RefUnwindSafe + 'static>() {}

    assert_shared::<MetricHandle<NotSync>>();
    let handle = CaptureRecorder::new().metric::<NotSync>().expect("accepted");
    assert_eq!(in_threads(2, |_| handle.snapshot().expect("reads")), [0, 0]);
}

#[test]
fn st14_threads_that_race_get_one_metric_and_lose_nothing() {
    const ROUNDS: usize = 10_000;
    const THREADS: usize = 2;

    bounded(|| {
        let application = Direct::new();
        let recorders: Vec<_> = (0..ROUNDS).map(|_| application.recorder(RecorderOptions::new())).collect();
        let arrivals: Vec<_> = (0..ROUNDS).map(|_| AtomicUsize::new(0)).collect();
        let handles = in_threads(THREADS, |_| {
            let rounds = recorders.iter().zip(&arrivals).map(|(recorder, arrivals)| {
                arrivals.fetch_add(1, Ordering::SeqCst);
                // A thread that spins begins sooner than one that is woken. On one core the other thread needs its turn.
                let mut spins = 0_u32;
                while arrivals.load(Ordering::SeqCst) < THREADS {
                    spins += 1;
                    if spins > 10_000 { std::thread::yield_now() } else { std::hint::spin_loop() }
                }
                let handle = recorder.metric::<Steps>().expect("the metric");
                recorder.emit(Step(3));
                handle
            });
            rounds.collect::<Vec<_>>()
        });
        for handle in handles.iter().flatten() {
            assert_eq!(handle.snapshot().expect("reads"), StepsSnapshot { total: 2, sum: 6 });
        }
        for recorder in &recorders {
            assert_eq!(recorder.metrics().expect("reads").len(), 1);
        }
    });
}

#[test]
fn st14_a_metric_that_waits_for_its_first_event_is_found() {
    bounded(|| {
        let gate = Gate::new();
        let application = Direct::new();
        let script = Script::new().starting(Act::Wait(gate.clone()));
        let recorder = application.recorder(RecorderOptions::new().hooks_and_listener(script));
        recorder.register_event(Step(1)).expect("accepted");
        gate.wait_for_arrival();
        // The first event is pending, so the metrics take part from the second one on.
        let first = recorder.metric::<Steps>().expect("registers");
        recorder.register_event(Step(2)).expect("accepted");
        let second = recorder.metric::<Steps>().expect("finds");
        assert_eq!((total(&first), total(&second)), (0, 0));
        assert_mismatch(recorder.register_metric_if_absent(holding("steps", Arc::new(()))), "steps");
        gate.open();
        recorder.flush().wait().expect("flushes");
        assert_eq!((total(&first), total(&second)), (1, 1));
        assert_eq!(recorder.metrics().expect("reads").len(), 1);
    });
}

#[test]
fn st14_metrics_without_a_default_are_shared_by_their_names() {
    bounded(|| {
        let runtime = running_runtime("st14");
        let recorder = runtime.create_recorder("a").expect("creates");
        let walks = recorder.register_metric_if_absent(Steps::named("walks")).expect("registers");
        recorder.emit(Step(1));
        let runs = recorder.register_metric_if_absent(Steps::named("runs")).expect("registers");
        recorder.emit(Step(1));
        let again = recorder.register_metric_if_absent(Steps::named("walks")).expect("finds");
        assert_eq!((walks.name(), runs.name(), again.name()), ("walks", "runs", "walks"));
        assert_eq!((total(&walks), total(&runs), total(&again)), (2, 1, 2));
        // The default is a third metric.
        assert_eq!(total(&recorder.metric::<Steps>().expect("registers")), 0);
        assert_eq!(recorder.metrics().expect("reads").len(), 3);
    });
}

/// A metric whose `Drop` reads its recorder, and notes the answer.
struct ReadsWhenDropped(MetricsRecorder, Arc<Mutex<Vec<Result<usize, &'static str>>>>);

impl Drop for ReadsWhenDropped {
    fn drop(&mut self) {
        let answer = self.0.metric_snapshots().map(|snapshots| snapshots.len());
        self.1.lock().expect("not poisoned").push(answer.map_err(|error| error.reason()));
    }
}

impl Metric for ReadsWhenDropped {
    fn metric_name(&self) -> &'static str {
        "reads_when_dropped"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        &[]
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::of_static("reads_when_dropped")
    }
}

impl TypedMetric for ReadsWhenDropped {
    type Snapshot = ();

    fn typed_snapshot(&self) {}
}

#[test]
fn st14_a_metric_that_is_not_needed_is_dropped_under_no_lock() {
    bounded(|| {
        let application = Direct::new();
        let other = application.recorder(RecorderOptions::new());
        let answers = Arc::default();
        // The first is found by the second. A third is refused, because its name is taken, and a fourth by the state.
        let recorder = application.recorder(RecorderOptions::new());
        let given = || ReadsWhenDropped(recorder.clone(), Arc::clone(&answers));
        recorder
            .register_metric_if_absent(ReadsWhenDropped(other.clone(), Arc::clone(&answers)))
            .expect("registers");
        recorder.register_metric_if_absent(given()).expect("finds");
        assert_eq!(*answers.lock().expect("not poisoned"), [Ok(1)]);

        recorder.register_metric(Steps::named("reads_when_dropped")).expect("replaces");
        assert_eq!(
            *answers.lock().expect("not poisoned"),
            [Ok(1), Ok(0)],
            "the replaced one reads the other"
        );
        assert_mismatch(recorder.register_metric_if_absent(given()), "reads_when_dropped");
        assert_eq!(answers.lock().expect("not poisoned")[2..], [Ok(1)]);

        other.start().wait().expect("starts");
        other.stop().wait().expect("stops");
        let refused = other.register_metric_if_absent(ReadsWhenDropped(other.clone(), Arc::clone(&answers)));
        assert_refused(&refused.expect_err("it has stopped"), Stopped, &[Virgin, Starting, Running]);
        assert_eq!(answers.lock().expect("not poisoned")[3..], [Ok(0)]);
    });
}

#[test]
fn rm1_the_table_of_metric() {
    bounded(|| {
        for state in STATES {
            let case = recorder_in_state(state);
            // The metric `steps` is there, `late` is not.
            let found = case.recorder.metric::<Steps>().expect("it is there");
            assert_eq!(total(&found), 0, "an existing metric in {state}");
            assert_eq!(found.failed().expect("reads"), None);
            let new = case.recorder.register_metric_if_absent(Steps::named("late"));
            match state {
                Virgin | Starting | Running => {
                    assert_eq!(total(&new.expect("registers")), 0, "a new metric in {state}");
                    assert_eq!(case.recorder.metrics().expect("reads").len(), 2);
                }
                _ => {
                    assert_refused(&new.expect_err("refused"), state, &[Virgin, Starting, Running]);
                    assert_eq!(case.recorder.metrics().expect("reads").len(), 1);
                }
            }
            assert_eq!(case.recorder.status(), state, "it changes no state");
            case.gate.open();
        }
    });
}

#[test]
fn rm1_a_blank_name_is_refused() {
    bounded(|| {
        let recorder = Direct::new().recorder(RecorderOptions::new());
        let error = recorder.register_metric_if_absent(Steps::named(" ")).expect_err("a blank name");
        assert_eq!(error.to_string(), "invalid metric name: must not be blank");
    });
}

#[test]
fn rm1_a_name_of_another_type_is_a_mismatch_and_changes_nothing() {
    bounded(|| {
        let runtime = running_runtime("rm1");
        let recorder = runtime.create_recorder("a").expect("creates");
        recorder.register_metric(Steps::named("saves")).expect("registers");
        recorder.emit(Step(1));
        assert_mismatch(recorder.metric::<Saves>(), "saves");
        assert_mismatch(recorder.register_metric_if_absent(holding("saves", Arc::new(()))), "saves");
        assert_eq!((Steps::total_of(&recorder, "saves"), recorder.metrics().expect("reads").len()), (1, 1));
        runtime.shutdown().expect("shuts down");
        assert_mismatch(recorder.metric::<Saves>(), "saves");
    });
}

#[test]
fn rm2_after_a_replacement_old_handles_read_the_new_metric() {
    bounded(|| {
        let runtime = running_runtime("rm2");
        let recorder = runtime.create_recorder("a").expect("creates");
        let old = recorder.metric::<Steps>().expect("registers");
        recorder.emit(Step(1));
        recorder.emit(Step(1));
        assert_eq!(total(&old), 2);
        assert_eq!(recorder.register_metric(Steps::default()).expect("replaces"), Registered::Replaced);
        assert_eq!(total(&old), 0);
        recorder.emit(Step(1));
        assert_eq!((total(&old), total(&recorder.metric::<Steps>().expect("finds"))), (1, 1));

        recorder.register_metric(holding("steps", Arc::new(()))).expect("replaces");
        assert_mismatch(old.snapshot(), "steps");
        assert_mismatch(old.failed(), "steps");
        recorder.register_metric(Steps::default()).expect("replaces");
        assert_eq!(total(&old), 0, "the type is right again");
    });
}

#[test]
fn rm6_a_handle_reads_after_its_recorder_and_its_runtime() {
    bounded(|| {
        let runtime = running_runtime("rm6");
        let [kept, dropped] = ["a", "b"].map(|id| {
            let recorder = runtime.create_recorder(id).expect("creates");
            let handle = recorder.metric::<Steps>().expect("registers");
            recorder.emit(Step(1));
            (recorder, handle)
        });
        drop(dropped.0);
        assert_eq!(total(&dropped.1), 1);
        runtime.shutdown().expect("shuts down");
        drop(runtime);
        assert_eq!((total(&kept.1), total(&dropped.1)), (1, 1));
        assert_eq!(total(&kept.0.metric::<Steps>().expect("finds")), 1);
    });
}

#[test]
fn rm6_a_handle_does_not_keep_its_recorder_running() {
    bounded(|| {
        let application = Direct::new();
        let script = Script::new();
        let hook_log = script.hook_log();
        let recorder = application.recorder(RecorderOptions::new().hooks_and_listener(script));
        let handle = recorder.metric::<Steps>().expect("registers");
        recorder.emit(Step(1));
        drop(recorder);
        eventually("the recorder stops", || hook_log.count("stopped") == 1);
        eventually("its task ends", || application.tasks() == 0);
        assert_eq!(total(&handle), 1, "the event was processed");
    });
}

#[test]
fn rm6_the_metrics_end_with_the_last_handle() {
    bounded(|| {
        let runtime = running_runtime("rm6");
        let recorder = runtime.create_recorder("a").expect("creates");
        let alive = Arc::new(());
        let handle: MetricHandle<Holding> =
            recorder.register_metric_if_absent(holding("holds", Arc::clone(&alive))).expect("registers");
        drop(recorder);
        runtime.shutdown().expect("shuts down");
        drop(runtime);
        assert_eq!(Arc::strong_count(&alive), 2);
        handle.snapshot().expect("reads");
        drop(handle);
        assert_eq!(Arc::strong_count(&alive), 1);
    });
}

#[test]
fn re11_on_a_disabled_recorder_a_handle_reads_the_metric_it_was_given() {
    let recorder = MetricsRecorder::disabled();
    let storage = Storage::new(recorder.clone()).expect("accepted");
    storage.save();
    assert_eq!((storage.saves.name(), storage.saves.snapshot().expect("reads").total), ("saves", 0));
    assert_eq!(storage.saves.failed().expect("reads"), None);
    let mut walked = Steps::named("walked");
    mvx_metrics::HandleEvent::handle(&mut walked, &Step(7));
    let walked = recorder.register_metric_if_absent(walked).expect("accepted");
    recorder.emit(Step(1));
    assert_eq!(walked.snapshot().expect("reads"), StepsSnapshot { total: 1, sum: 7 });
    assert_eq!(walked.clone().snapshot().expect("reads").sum, 7);
    // No name is taken.
    let other = recorder.register_metric_if_absent(holding("walked", Arc::new(()))).expect("accepted");
    other.snapshot().expect("reads");
    assert!(recorder.metrics().expect("reads").is_empty());
    assert!(recorder.metric_snapshot::<Saves>().expect("reads").is_none());
}

#[test]
fn re11_a_capture_recorder_notes_the_name_once_and_registers_nothing() {
    let recorder = CaptureRecorder::new();
    let storages = [0, 1].map(|_| Storage::new(recorder.clone()).expect("accepted"));
    for storage in &storages {
        storage.save();
        assert_eq!(storage.saves.snapshot().expect("reads").total, 0);
    }
    let alive = Arc::new(());
    let holds = recorder.register_metric_if_absent(holding("holds", Arc::clone(&alive))).expect("accepted");
    assert_eq!(
        (recorder.metric_names(), recorder.count::<Saved>()),
        (vec!["saves".into(), "holds".into()], 2)
    );
    assert!(recorder.metrics().expect("reads").is_empty());
    assert!(recorder.metric_snapshot::<Saves>().expect("reads").is_none());
    assert_eq!((recorder.entity_id(), recorder.status()), ("capture", Running));
    holds.snapshot().expect("reads");
    assert_eq!(Arc::strong_count(&alive), 2);
    drop(holds);
    assert_eq!(Arc::strong_count(&alive), 1);
}

/// All calls of the trait.
fn use_generically<R: Recorder>(recorder: &R) -> [u64; 2] {
    let handle = recorder.metric::<Steps>().expect("the metric");
    recorder.emit(Step(1));
    let other = recorder.register_metric_if_absent(Steps::named("other")).expect("the metric");
    recorder.emit(Step(1));
    // The typed snapshot is that of the first metric of its type.
    let typed = recorder.metric_snapshot::<Steps>().expect("reads").map_or(0, |steps| steps.total);
    assert_eq!(typed, total(&handle));
    assert!(recorder.metric_snapshot::<Holding>().expect("reads").is_none());
    assert!(!recorder.entity_id().is_empty());
    assert!([Virgin, Running].contains(&recorder.status()));
    let names: Vec<_> = recorder.metrics().expect("reads").into_iter().map(|metric| metric.name).collect();
    assert!(names == ["steps", "other"] || names.is_empty(), "{names:?}");
    assert!(matches!(
        recorder.metric::<SnapshotPanics>().expect("the metric").snapshot(),
        Err(MetricsRecorderError::Unexpected { .. })
    ));
    [total(&handle), total(&other)]
}

#[test]
fn re12_generic_code_and_trait_objects_have_metrics() {
    bounded(|| {
        let application = Direct::new();
        let new = || application.recorder(RecorderOptions::new());
        assert_eq!(use_generically(&new()), [2, 1]);
        assert_eq!(use_generically(&(Arc::new(new()) as Arc<dyn Recorder>)), [2, 1]);
        assert_eq!(use_generically(&(Box::new(new()) as Box<dyn Recorder>)), [2, 1]);
        assert_eq!(use_generically(&(&new() as &dyn Recorder)), [2, 1]);

        let capture = CaptureRecorder::new();
        assert_eq!(use_generically(&capture), [0, 0]);
        assert_eq!(use_generically(&(Arc::new(capture.clone()) as Arc<dyn Recorder>)), [0, 0]);
        assert_eq!(capture.metric_names(), ["steps", "other", "snapshot_panics"]);
        assert_eq!(use_generically(&MetricsRecorder::disabled()), [0, 0]);
    });
}

#[test]
fn re12_the_trait_shows_the_recorder_behind_it() {
    bounded(|| {
        let application = Direct::new();
        let recorder = application.recorder(RecorderOptions::new().entity_id("door-1"));
        let narrow: Arc<dyn Recorder> = Arc::new(recorder.clone());
        assert_eq!((narrow.entity_id(), narrow.status()), ("door-1", Virgin));
        let storage = Storage::new(Arc::clone(&narrow)).expect("registers");
        storage.save();
        assert_eq!(storage.saves.snapshot().expect("reads").total, 1);
        assert_eq!(narrow.metric_snapshot::<Saves>().expect("reads").map(|saves| saves.total), Some(1));
        assert_eq!(narrow.metrics().expect("reads"), recorder.metrics().expect("reads"));
        assert_eq!(narrow.status(), Running);
        recorder.register_metric(SnapshotPanics).expect("registers");
        let error = narrow.metric_snapshot::<SnapshotPanics>().expect_err("it panics");
        assert_eq!(error.reason(), "UNEXPECTED_ERROR");
    });
}

#[test]
fn fl1_a_handle_tells_of_the_quarantine_of_its_metric() {
    bounded(|| {
        let runtime = running_runtime("fl1");
        let recorder = runtime.create_recorder("a").expect("creates");
        let fragile = recorder.register_metric_if_absent(Fragile::at(3)).expect("registers");
        let steps = recorder.metric::<Steps>().expect("registers");
        for step in [1, 2] {
            recorder.emit(Step(step));
        }
        assert_eq!((fragile.failed().expect("reads"), fragile.snapshot().expect("reads")), (None, 2));
        for step in [3, 4] {
            recorder.emit(Step(step));
        }
        let failed = fragile.failed().expect("reads").expect("it failed");
        assert!(failed.starts_with("panicked: ") && failed.contains("fragile broke"), "{failed}");
        assert_eq!(fragile.snapshot().expect("reads"), 2, "its last state stays");
        assert_eq!((steps.failed().expect("reads"), total(&steps)), (None, 4));
        let snapshots = recorder.metric_snapshots().expect("reads");
        assert_eq!(snapshots.get("fragile").and_then(|metric| metric.failed.clone()), Some(failed.clone()));
        // The next component finds the failed metric. A new one takes its place.
        let found = recorder.register_metric_if_absent(Fragile::at(9)).expect("finds");
        assert_eq!(found.failed().expect("reads"), Some(failed));
        recorder.register_metric(Fragile::at(9)).expect("replaces");
        assert_eq!((found.failed().expect("reads"), fragile.snapshot().expect("reads")), (None, 0));
    });
}

#[test]
fn fl1_a_handle_tells_which_metric_failed_its_recorder() {
    bounded(|| {
        let runtime = running_runtime("fl1");
        let options = RecorderOptions::new().metric_failure_policy(MetricFailurePolicy::FailRecorder);
        let recorder = runtime.create_recorder_with("a", options).expect("creates");
        let fragile = recorder.register_metric_if_absent(Fragile::at(1)).expect("registers");
        recorder.emit(Step(1));
        eventually("the recorder fails", || recorder.status() == Failure);
        assert!(fragile.failed().expect("reads").is_some());
        assert_eq!(fragile.snapshot().expect("reads"), 0);
    });
}

/// A metric that panics in its default state, or when it is asked for its name.
struct Unnamed<const IN_DEFAULT: bool>;

impl<const IN_DEFAULT: bool> Default for Unnamed<IN_DEFAULT> {
    fn default() -> Self {
        assert!(!IN_DEFAULT, "no default");
        Self
    }
}

impl<const IN_DEFAULT: bool> Metric for Unnamed<IN_DEFAULT> {
    fn metric_name(&self) -> &'static str {
        panic!("no name")
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        &[]
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::of_static("unnamed")
    }
}

impl<const IN_DEFAULT: bool> TypedMetric for Unnamed<IN_DEFAULT> {
    type Snapshot = ();

    fn typed_snapshot(&self) {}
}

#[test]
fn fl5_panics_of_the_default_the_name_and_the_snapshot_are_errors() {
    #[track_caller]
    fn assert_unexpected<T: std::fmt::Debug>(result: Result<T, MetricsRecorderError>, text: &str) {
        let error = result.expect_err("it panics");
        assert_eq!(error.reason(), "UNEXPECTED_ERROR");
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        assert_eq!(cause, Some(format!("panicked: {text}")));
    }

    fn check(recorder: &impl Recorder) {
        for _ in 0..2 {
            assert_unexpected(recorder.metric::<Unnamed<true>>(), "no default");
            assert_unexpected(recorder.metric::<Unnamed<false>>(), "no name");
            let handle = recorder.metric::<SnapshotPanics>().expect("registers");
            assert_unexpected(handle.snapshot(), "the snapshot panics");
            assert_eq!(handle.failed().expect("it gets events"), None);
            assert_eq!(total(&recorder.metric::<Steps>().expect("registers")), 0);
        }
    }

    bounded(|| {
        check(&Direct::new().recorder(RecorderOptions::new()));
        check(&MetricsRecorder::disabled());
        check(&CaptureRecorder::new());
    });
}

#[test]
fn rm6_inside_of_a_metric_handles_are_refused_and_nothing_hangs() {
    bounded(|| {
        let application = Direct::new();
        let recorder = application.recorder(RecorderOptions::new());
        let steps = recorder.metric::<Steps>().expect("registers");
        let unregistered = MetricsRecorder::disabled().metric::<Steps>().expect("accepted");
        let reasons = Arc::new(Mutex::new(Vec::new()));
        let other = application.recorder(RecorderOptions::new());
        let calls = CallsOnce::new({
            let (reasons, steps) = (Arc::clone(&reasons), steps.clone());
            move || {
                let results = [
                    other.metric::<Steps>().map(drop),
                    other.register_metric_if_absent(Steps::named("new")).map(drop),
                    steps.snapshot().map(drop),
                    steps.failed().map(drop),
                    unregistered.snapshot().map(drop),
                ];
                let results = results.map(|result| result.map_err(|error| error.reason()));
                reasons.lock().expect("not poisoned").extend(results);
            }
        });
        recorder.register_metric(calls).expect("registers");
        recorder.emit(Step(1));
        assert_eq!(total(&steps), 1);
        assert_eq!(*reasons.lock().expect("not poisoned"), [Err("WOULD_DEADLOCK"); 5]);
    });
}

#[test]
fn rm10_in_a_hook_handles_read_the_state_it_was_called_with() {
    bounded(|| {
        let answers = Arc::new(Mutex::new(Vec::new()));
        let slot: Arc<Mutex<Option<MetricHandle<Steps>>>> = Arc::default();
        let script = Script::new().observing({
            let (answers, slot) = (Arc::clone(&answers), Arc::clone(&slot));
            move |_| {
                let handle = slot.lock().expect("not poisoned").clone().expect("it is there");
                answers.lock().expect("not poisoned").push(total(&handle));
            }
        });
        let runtime = running_runtime("rm10");
        let options = RecorderOptions::new().hooks_and_listener(script);
        let recorder = runtime.create_recorder_with("a", options).expect("creates");
        *slot.lock().expect("not poisoned") = Some(recorder.metric::<Steps>().expect("registers"));
        for step in 0..3 {
            recorder.emit(Step(step));
        }
        recorder.flush().wait().expect("flushes");
        assert_eq!(*answers.lock().expect("not poisoned"), [1, 2, 3]);
        // The hook has a handle of its own recorder, so neither would ever be dropped.
        *slot.lock().expect("not poisoned") = None;
    });
}

/// A metric that blocks at a gate when it is read.
struct BlocksReaders(Gate);

impl Metric for BlocksReaders {
    fn metric_name(&self) -> &'static str {
        "blocks_readers"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        &[]
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::of_static("blocks_readers")
    }
}

impl TypedMetric for BlocksReaders {
    type Snapshot = ();

    fn typed_snapshot(&self) {
        self.0.block();
    }
}

#[test]
fn hx6_handles_wait_for_another_reader_and_give_up() {
    bounded(|| {
        let runtime = running_runtime("hx6");
        let registered = runtime.create_recorder("a").expect("creates");
        // The second recorder registers nothing, so its handle has the metric.
        in_threads(2, |index| {
            let recorder = if index == 0 { registered.clone() } else { MetricsRecorder::disabled() };
            let gate = Gate::new();
            let handle = recorder.register_metric_if_absent(BlocksReaders(gate.clone())).expect("registers");
            std::thread::scope(|scope| {
                let reader = scope.spawn(|| handle.snapshot());
                gate.wait_for_arrival();
                let error = handle.failed().expect_err("a reader has the metric");
                let MetricsRecorderError::Stalled { waited_for, waited } = error else {
                    panic!("not stalled: {error:?}");
                };
                assert_eq!(waited_for, "the recorder's metrics, which a handler or another reader holds");
                assert!(waited >= Duration::from_secs(5), "{waited:?}");
                gate.open();
                reader.join().expect("the thread ends").expect("reads");
            });
            assert_eq!(handle.failed().expect("reads"), None);
        });
    });
}
