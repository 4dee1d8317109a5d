//! What hooks and change listeners are told about their recorder, and that nothing of it leaks. Covers HX1.

use std::sync::{Arc, Mutex};

use mvx_metrics::{
    ChangeListener, EventHandler, HandleEvent, HookError, Metric, MetricChange, MetricFailurePolicy,
    MetricSnapshot, MetricsRecorder, MetricsRecorderState, MetricsRuntime, RecorderContext, RecorderHooks,
    RecorderOptions, TypedMetric,
};
use mvx_metrics_tests::{Direct, Fragile, SnapshotPanics, Step, Steps, bounded, eventually, running_runtime};

use MetricsRecorderState::{Failure, Starting, Stopping};

/// What a hook was told.
#[derive(Debug, Clone, PartialEq)]
struct Told {
    hook: &'static str,
    recorder_id: Option<String>,
    entity_id: String,
    namespace: String,
    status: MetricsRecorderState,
    processed: u64,
    discarded: u64,
    /// The count of steps, typed and erased.
    steps: Option<(u64, u64)>,
}

impl Told {
    fn by(hook: &'static str, recorder: RecorderContext<'_>) -> Result<Self, HookError> {
        let typed = recorder.metric_snapshot::<Steps>()?.map(|steps| steps.total);
        let snapshots = recorder.metric_snapshots()?;
        let erased = snapshots.get("steps").and_then(|steps| steps.get("total")?.as_u64());
        let stats = recorder.stats();
        Ok(Self {
            hook,
            recorder_id: recorder.recorder_id().map(str::to_owned),
            entity_id: recorder.entity_id().to_owned(),
            namespace: recorder.namespace().to_owned(),
            status: recorder.status(),
            processed: stats.processed,
            discarded: stats.discarded,
            steps: typed.zip(erased),
        })
    }
}

/// Collects all that it is told. Clones share the list.
#[derive(Clone, Default)]
struct Witness(Arc<Mutex<Vec<Told>>>);

impl Witness {
    fn add(&self, told: Told) {
        self.0.lock().expect("nothing panics under this lock").push(told);
    }

    fn told(&self) -> Vec<Told> {
        self.0.lock().expect("nothing panics under this lock").clone()
    }

    fn options(&self) -> RecorderOptions {
        RecorderOptions::new().hooks(self.clone())
    }
}

impl RecorderHooks for Witness {
    async fn on_starting(&self, recorder: RecorderContext<'_>) -> Result<(), HookError> {
        self.add(Told::by("starting", recorder)?);
        Ok(())
    }

    async fn on_stopped(&self, recorder: RecorderContext<'_>) -> Result<(), HookError> {
        // The context works on both sides of an await.
        tokio::task::yield_now().await;
        self.add(Told::by("stopped", recorder)?);
        Ok(())
    }
}

impl ChangeListener for Witness {
    async fn on_metric_changed(&self, change: MetricChange<'_>) -> Result<(), HookError> {
        self.add(Told::by("changed", change.recorder())?);
        Ok(())
    }
}

fn emit(recorder: &MetricsRecorder, steps: u64) {
    (0..steps).for_each(|step| recorder.emit(Step(step)));
}

#[test]
fn hx1_hooks_of_a_runtimes_recorder_know_it_and_its_final_state() {
    bounded(|| {
        let runtime = running_runtime("hx1");
        let witness = Witness::default();
        let options = witness.options().entity_id("entity");
        let recorder = runtime.create_recorder_with("id", options).expect("creates");
        recorder.register_metric(Steps::default()).expect("registers");
        let told = |hook, status, processed, steps| Told {
            hook,
            recorder_id: Some("id".to_owned()),
            entity_id: "entity".to_owned(),
            namespace: "hx1".to_owned(),
            status,
            processed,
            discarded: 0,
            steps,
        };
        emit(&recorder, 1_000);
        runtime.stop_recorder("id").expect("stops");
        recorder.start().wait().expect("starts again");
        emit(&recorder, 500);
        runtime.shutdown().expect("shuts down");
        let expected = [
            told("starting", Starting, 0, None),
            told("stopped", Stopping, 1_000, Some((1_000, 1_000))),
            told("starting", Starting, 1_000, Some((1_000, 1_000))),
            told("stopped", Stopping, 1_500, Some((1_500, 1_500))),
        ];
        assert_eq!(witness.told(), expected);
    });
}

#[test]
fn hx1_hooks_of_a_direct_recorder_know_that_it_has_no_id() {
    bounded(|| {
        let application = Direct::new();
        let witness = Witness::default();
        let recorder = application.recorder(witness.options().namespace("of the application"));
        // Registered before the start, so `on_starting` reads it.
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.start().wait().expect("starts");
        emit(&recorder, 7);
        recorder.stop().wait().expect("stops");
        let [starting, stopped] = &witness.told()[..] else {
            panic!("two hooks ran: {:?}", witness.told());
        };
        for told in [starting, stopped] {
            assert_eq!(told.recorder_id, None);
            assert_eq!((&*told.entity_id, &*told.namespace), ("direct", "of the application"));
        }
        assert_eq!((starting.steps, stopped.steps), (Some((0, 0)), Some((7, 7))));
    });
}

#[test]
fn hx1_a_change_knows_its_recorder_and_the_other_metrics() {
    bounded(|| {
        let runtime = running_runtime("hx1");
        let witness = Witness::default();
        let options = RecorderOptions::new().change_listener(witness.clone());
        let recorder = runtime.create_recorder_with("id", options).expect("creates");
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.register_metric(Steps::named("others")).expect("registers");
        emit(&recorder, 2);
        recorder.flush().wait().expect("flushes");
        let steps: Vec<_> =
            witness.told().into_iter().map(|told| (told.recorder_id, told.processed, told.steps)).collect();
        // Two metrics change with each step. The step counts as processed when both listeners have run.
        let expected = [(0, 1), (0, 1), (1, 2), (1, 2)]
            .map(|(processed, total)| (Some("id".to_owned()), processed, Some((total, total))));
        assert_eq!(steps, expected);
    });
}

#[test]
fn hx1_after_a_failed_metric_the_cleanup_reads_the_final_state() {
    bounded(|| {
        let runtime = running_runtime("hx1");
        let application = Direct::new();
        for in_runtime in [true, false] {
            let witness = Witness::default();
            let options = witness.options().metric_failure_policy(MetricFailurePolicy::FailRecorder);
            let recorder = if in_runtime {
                runtime.create_recorder_with("a", options).expect("creates")
            } else {
                application.recorder(options)
            };
            recorder.register_metric(Steps::default()).expect("registers");
            recorder.register_metric(Fragile::at(3)).expect("registers");
            emit(&recorder, 4);
            eventually("the cleanup runs", || witness.told().len() == 2);
            let stopped = &witness.told()[1];
            assert_eq!((stopped.hook, stopped.status), ("stopped", Failure));
            // The metrics got the batch in which one of them failed.
            let (steps, _) = stopped.steps.expect("they can be read");
            assert_eq!(stopped.processed + stopped.discarded, recorder.stats().accepted);
            assert!(steps >= stopped.processed, "{stopped:?}");
        }
        runtime.shutdown().expect_err("a recorder has failed");
    });
}

#[test]
fn hx1_a_metric_that_cannot_be_read_is_an_error_of_its_own() {
    struct Reads(Arc<Mutex<Vec<String>>>);

    impl RecorderHooks for Reads {
        async fn on_stopped(&self, recorder: RecorderContext<'_>) -> Result<(), HookError> {
            let typed = recorder.metric_snapshot::<SnapshotPanics>().map_err(|error| error.reason());
            let erased =
                recorder.metric_snapshots()?.get("snapshot_panics").and_then(|read| read.failed.clone());
            let other = recorder.metric_snapshot::<Fragile>()?;
            let lines = [format!("{typed:?}"), format!("{erased:?}"), format!("{other:?}")];
            self.0.lock().expect("not poisoned").extend(lines);
            Ok(())
        }
    }

    bounded(|| {
        let runtime = running_runtime("hx1");
        let lines = Arc::default();
        let options = RecorderOptions::new().hooks(Reads(Arc::clone(&lines)));
        let recorder = runtime.create_recorder_with("a", options).expect("creates");
        recorder.register_metric(SnapshotPanics).expect("registers");
        runtime.stop_recorder("a").expect("stops");
        let lines = lines.lock().expect("not poisoned").clone();
        assert_eq!(
            lines,
            ["Err(\"UNEXPECTED_ERROR\")", "Some(\"snapshot panicked: the snapshot panics\")", "None"]
        );
    });
}

/// A metric that counts steps and holds a token, so that its drop is noticed.
struct Held {
    total: u64,
    _token: Arc<()>,
}

impl HandleEvent<Step> for Held {
    fn handle(&mut self, _: &Step) -> bool {
        self.total += 1;
        true
    }
}

impl Metric for Held {
    fn metric_name(&self) -> &'static str {
        "held"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        const { &[EventHandler::of::<Step>()] }
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::of_static("held").with("total", self.total)
    }
}

impl TypedMetric for Held {
    type Snapshot = u64;

    fn typed_snapshot(&self) -> u64 {
        self.total
    }
}

/// Collects the final counts of recorders.
struct Archive {
    finals: Arc<Mutex<Vec<(String, u64)>>>,
    _token: Arc<()>,
}

impl RecorderHooks for Archive {
    async fn on_stopped(&self, recorder: RecorderContext<'_>) -> Result<(), HookError> {
        let total = recorder.metric_snapshot::<Held>()?.ok_or("it was registered")?;
        let name = recorder.recorder_id().unwrap_or("direct").to_owned();
        self.finals.lock().expect("not poisoned").push((name, total));
        Ok(())
    }
}

#[test]
fn hx1_nothing_leaks_over_10_000_recorders_whose_hooks_collect_the_final_state() {
    const DIRECT: u64 = 2_000;
    const REMOVED: u64 = 5_000;
    const ALL: u64 = 10_000;

    bounded(|| {
        let finals = Arc::default();
        // Each recorder's hooks hold a clone of the first token, and each metric one of the second.
        let (hooks, metrics) = (Arc::new(()), Arc::new(()));
        let options = || {
            RecorderOptions::new().hooks(Archive { finals: Arc::clone(&finals), _token: Arc::clone(&hooks) })
        };
        let feed = |recorder: &MetricsRecorder, steps: u64| {
            recorder.register_metric(Held { total: 0, _token: Arc::clone(&metrics) }).expect("registers");
            emit(recorder, steps);
        };
        {
            let mut application = Direct::new();
            let runtime = MetricsRuntime::new("hx1").expect("a valid namespace");
            runtime.start().expect("starts");
            for number in 0..ALL {
                let steps = number % 7;
                if number < DIRECT {
                    // The drop of the last handle stops it. The first event starts it.
                    feed(&application.recorder(options()), 1 + steps);
                    continue;
                }
                let id = number.to_string();
                feed(&runtime.create_recorder_with(&id, options()).expect("creates"), steps);
                if number < DIRECT + REMOVED {
                    drop(runtime.stop_and_remove_recorder(&id).expect("removes"));
                }
            }
            runtime.shutdown().expect("shuts down");
            eventually("the tasks of direct recorders end", || application.tasks() == 0);
            application.end();
        }
        let mut finals = std::mem::take(&mut *finals.lock().expect("not poisoned"));
        finals.sort_unstable();
        let mut expected: Vec<_> = (0..ALL)
            .map(|number| match number {
                0..DIRECT => ("direct".to_owned(), 1 + number % 7),
                _ => (number.to_string(), number % 7),
            })
            .collect();
        expected.sort_unstable();
        assert!(finals == expected, "{} of {} final states differ", finals.len(), expected.len());
        eventually("all is dropped", || (Arc::strong_count(&hooks), Arc::strong_count(&metrics)) == (1, 1));
    });
}
