//! Registering and replacing metrics, and what their snapshots contain.
//! Covers RM1 to RM10.

use std::sync::Arc;
use std::time::Duration;

use mvx_metrics::{MetricsRecorderError, MetricsRecorderState, MetricsRuntime, RecorderOptions, Registered};
use mvx_metrics_tests::{
    Act, Direct, Fragile, Gate, Gated, HooksAndListener, Journal, Script, Step, Steps, StepsSnapshot,
    bounded, eventually, in_threads, running_runtime,
};
use serde_json::json;

use crate::failures::{Holding, holding};

fn one_recorder(namespace: &str) -> (MetricsRuntime, mvx_metrics::MetricsRecorder) {
    let runtime = running_runtime(namespace);
    let recorder = runtime.create_recorder("a").expect("creates");
    (runtime, recorder)
}

#[test]
fn rm1_metrics_are_registered_before_and_while_running() {
    bounded(|| {
        let application = Direct::new();
        let recorder = application.recorder(RecorderOptions::new());
        assert_eq!(recorder.register_metric(Steps::named("virgin")).expect("registers"), Registered::Added);
        recorder.start().wait().expect("starts");
        assert_eq!(recorder.register_metric(Steps::named("running")).expect("registers"), Registered::Added);
        recorder.register_event(Step(1)).expect("accepted");
        assert_eq!((Steps::total_of(&recorder, "virgin"), Steps::total_of(&recorder, "running")), (1, 1));
    });
}

#[test]
fn rm1_a_metric_without_a_name_is_refused() {
    bounded(|| {
        let (_runtime, recorder) = one_recorder("rm1");
        for name in ["", " \t"] {
            let error = recorder.register_metric(Steps::named(name)).expect_err("a blank name");
            assert_eq!(error.reason(), "INVALID_ARGUMENT");
            assert_eq!(error.to_string(), "invalid metric name: must not be blank");
        }
        assert!(recorder.metrics().expect("reads").is_empty());
    });
}

#[test]
fn rm2_the_same_name_replaces_and_counts_from_zero() {
    bounded(|| {
        let (_runtime, recorder) = one_recorder("rm2");
        assert_eq!(recorder.register_metric(Steps::default()).expect("registers"), Registered::Added);
        recorder.register_event(Step(5)).expect("accepted");
        assert_eq!(Steps::total(&recorder), 1);
        assert_eq!(recorder.register_metric(Steps::default()).expect("registers"), Registered::Replaced);
        assert_eq!(Steps::total(&recorder), 0);
        recorder.register_event(Step(5)).expect("accepted");
        assert_eq!(Steps::total(&recorder), 1);
        assert_eq!(recorder.metrics().expect("reads").len(), 1);
    });
}

#[test]
fn rm2_a_metric_of_another_type_takes_the_place_of_its_namesake() {
    bounded(|| {
        let (_runtime, recorder) = one_recorder("rm2");
        let alive = Arc::new(());
        recorder.register_metric(Steps::named("first")).expect("registers");
        recorder.register_metric(holding("same", Arc::clone(&alive))).expect("registers");
        recorder.register_metric(Steps::named("last")).expect("registers");
        assert_eq!(recorder.register_metric(Steps::named("same")).expect("registers"), Registered::Replaced);
        assert_eq!(Arc::strong_count(&alive), 1, "the old one is dropped");
        recorder.register_event(Step(1)).expect("accepted");
        assert_eq!(Steps::total_of(&recorder, "same"), 1);
        let names: Vec<_> =
            recorder.metrics().expect("reads").into_iter().map(|metric| metric.name).collect();
        assert_eq!(names, ["first", "same", "last"]);
        assert!(recorder.metric_snapshot::<Fragile>().expect("reads").is_none());
    });
}

#[test]
fn rm2_a_metric_replaced_behind_pending_events_sees_only_later_ones() {
    bounded(|| {
        let (_runtime, recorder) = one_recorder("rm2");
        let gate = Gate::new();
        recorder.register_metric(Gated(gate.clone())).expect("registers");
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.register_event(Step(0)).expect("accepted");
        gate.wait_for_arrival();
        // The consumer holds the lock of the metrics while it processes the event.
        let register = {
            let recorder = recorder.clone();
            std::thread::spawn(move || recorder.register_metric(Steps::default()))
        };
        for _ in 0..100 {
            recorder.register_event(Step(1)).expect("accepted");
        }
        gate.open();
        assert_eq!(register.join().expect("the thread ends").expect("registers"), Registered::Replaced);
        recorder.register_event(Step(1)).expect("accepted");
        let total = Steps::total(&recorder);
        assert!((1..=101).contains(&total), "{total} is not what came after the replacement");
    });
}

#[test]
fn rm2_a_replaced_metric_is_dropped_when_its_last_event_is_processed() {
    bounded(|| {
        for hooks in [false, true] {
            let runtime = running_runtime("rm2");
            let holder = runtime.create_recorder("holder").expect("creates");
            let gate = Gate::new();
            holder.register_metric(Gated(gate.clone())).expect("registers");
            let options = RecorderOptions::new();
            let options = if hooks { options.hooks_and_listener(Script::new()) } else { options };
            let recorder = runtime.create_recorder_with("a", options).expect("creates");
            holder.register_event(Step(1)).expect("accepted");
            gate.wait_for_arrival();
            let alive = Arc::new(());
            recorder.register_metric(holding("holds", Arc::clone(&alive))).expect("registers");
            recorder.register_event(Step(1)).expect("accepted");
            recorder.register_metric(holding("holds", Arc::clone(&alive))).expect("replaces");
            assert_eq!(Arc::strong_count(&alive), 3, "the first one waits for its event");
            gate.open();
            // No event comes after it.
            recorder.flush().wait().expect("flushes");
            assert_eq!(Arc::strong_count(&alive), 2);
        }
    });
}

#[test]
fn rm2_a_metric_replaced_before_its_first_event_is_dropped_at_once() {
    bounded(|| {
        let gate = Gate::new();
        let application = Direct::new();
        let script = Script::new().starting(Act::Wait(gate.clone()));
        let recorder = application.recorder(RecorderOptions::new().hooks_and_listener(script));
        // The event is pending until the hook ends.
        recorder.register_event(Step(1)).expect("accepted");
        gate.wait_for_arrival();
        recorder.register_metric(Steps::default()).expect("registers");
        let alive = Arc::new(());
        for number in 0..100 {
            let answer = recorder.register_metric(holding("holds", Arc::clone(&alive))).expect("registers");
            assert_eq!(answer, if number == 0 { Registered::Added } else { Registered::Replaced });
        }
        assert_eq!(Arc::strong_count(&alive), 2, "the last one is kept");
        let names = |recorder: &mvx_metrics::MetricsRecorder| {
            let snapshots = recorder.metric_snapshots().expect("reads");
            snapshots.iter().map(|snapshot| snapshot.name.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(names(&recorder), ["steps", "holds"]);
        recorder.register_event(Step(1)).expect("accepted");
        gate.open();
        recorder.flush().wait().expect("flushes");
        assert_eq!((Steps::total(&recorder), names(&recorder).len()), (1, 2));
    });
}

#[test]
fn rm3_snapshots_come_in_order_of_registration_and_by_name() {
    bounded(|| {
        let (_runtime, recorder) = one_recorder("rm3");
        let names = ["zeta", "alpha", "mid", "beta"];
        for name in names {
            recorder.register_metric(Steps::named(name)).expect("registers");
        }
        let snapshots = recorder.metric_snapshots().expect("reads");
        assert_eq!(snapshots.iter().map(|snapshot| snapshot.name.as_ref()).collect::<Vec<_>>(), names);
        assert_eq!(snapshots.len(), 4);
        assert_eq!(snapshots.get("mid").map(|snapshot| snapshot.name.as_ref()), Some("mid"));
        assert!(snapshots.get("gamma").is_none());
    });
}

#[test]
fn rm4_a_snapshot_contains_the_earlier_events_of_its_thread() {
    bounded(|| {
        let (_runtime, recorder) = one_recorder("rm4");
        recorder.register_metric(Steps::default()).expect("registers");
        for step in 1..=2_000 {
            recorder.register_event(Step(step)).expect("accepted");
            if step % 7 == 0 {
                assert_eq!(Steps::total(&recorder), step);
            }
        }
    });
}

#[test]
fn rm4_a_snapshot_contains_the_earlier_events_of_other_threads() {
    bounded(|| {
        let (_runtime, recorder) = one_recorder("rm4");
        recorder.register_metric(Steps::default()).expect("registers");
        for round in 1..=20 {
            in_threads(4, |_| {
                for step in 0..100 {
                    recorder.register_event(Step(step)).expect("accepted");
                }
            });
            assert_eq!(Steps::total(&recorder), round * 400);
        }
    });
}

#[test]
fn rm5_reading_changes_nothing() {
    bounded(|| {
        let (_runtime, recorder) = one_recorder("rm5");
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.register_event(Step(3)).expect("accepted");
        let first = recorder.metric_snapshots().expect("reads");
        let second = recorder.metric_snapshots().expect("reads");
        assert_eq!(first, second);
        assert_eq!(Steps::total(&recorder), 1);
    });
}

#[test]
fn rm6_the_final_state_stays_readable() {
    bounded(|| {
        let (runtime, recorder) = one_recorder("rm6");
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.register_event(Step(1)).expect("accepted");
        runtime.stop_recorder("a").expect("stops");
        assert_eq!((recorder.status(), Steps::total(&recorder)), (MetricsRecorderState::Stopped, 1));
        let removed = runtime.create_recorder("b").expect("creates");
        removed.register_metric(Steps::default()).expect("registers");
        removed.register_event(Step(1)).expect("accepted");
        runtime.shutdown().expect("shuts down");
        drop(runtime);
        assert_eq!((Steps::total(&recorder), Steps::total(&removed)), (1, 1));
        assert_eq!(
            recorder.metric_snapshot::<Steps>().expect("reads"),
            Some(StepsSnapshot { total: 1, sum: 1 })
        );
    });
}

#[test]
fn rm7_typed_and_erased_snapshots_agree_and_have_the_shape_of_the_contract() {
    bounded(|| {
        let (_runtime, recorder) = one_recorder("rm7");
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.register_event(Step(4)).expect("accepted");
        recorder.register_event(Step(5)).expect("accepted");
        let typed = recorder.metric_snapshot::<Steps>().expect("reads").expect("it is there");
        let erased = recorder.metric_snapshots().expect("reads");
        assert_eq!(
            serde_json::to_value(&erased).expect("serialises"),
            json!({"steps": {"name": "steps", "dimensions": {"total": 2, "sum": 9}}})
        );
        let dimensions = &erased.get("steps").expect("it is there").dimensions;
        let text = serde_json::to_string(&typed).expect("serialises");
        assert_eq!(text, serde_json::to_string(dimensions).expect("serialises"));
        assert_eq!(serde_json::from_str::<StepsSnapshot>(&text).expect("deserialises"), typed);
        assert!(recorder.metric_snapshot::<Fragile>().expect("reads").is_none());
    });
}

#[test]
fn rm8_two_recorders_share_no_state() {
    bounded(|| {
        let runtime = running_runtime("rm8");
        let recorders = ["a", "b"].map(|id| runtime.create_recorder(id).expect("creates"));
        for recorder in &recorders {
            recorder.register_metric(Steps::default()).expect("registers");
        }
        recorders[0].register_event(Step(1)).expect("accepted");
        assert_eq!((Steps::total(&recorders[0]), Steps::total(&recorders[1])), (1, 0));
    });
}

#[test]
fn rm9_metrics_lists_descriptors_in_order() {
    bounded(|| {
        let (_runtime, recorder) = one_recorder("rm9");
        recorder.register_metric(Steps::named("b")).expect("registers");
        recorder.register_metric(Journal::new()).expect("registers");
        let descriptors = recorder.metrics().expect("reads");
        let listed: Vec<_> =
            descriptors.iter().map(|metric| (metric.name.as_ref(), metric.help.as_ref())).collect();
        assert_eq!(listed, [("b", "Steps that were taken."), ("journal", "")]);
    });
}

#[test]
fn rm10_a_snapshot_does_not_wait_for_a_hook() {
    bounded(|| {
        let gate = Gate::new();
        let runtime = running_runtime("rm10");
        let script = Script::new().changed(Act::Wait(gate.clone()));
        let recorder = runtime
            .create_recorder_with("a", RecorderOptions::new().hooks_and_listener(script))
            .expect("creates");
        recorder.register_metric(Steps::default()).expect("registers");
        for step in 0..3 {
            recorder.register_event(Step(step)).expect("accepted");
        }
        gate.wait_for_arrival();
        assert_eq!(Steps::total(&recorder), 1, "the state the hook was called with");
        assert_eq!(recorder.metric_snapshot::<Steps>().expect("reads").map(|steps| steps.total), Some(1));
        assert_eq!(recorder.metrics().expect("reads").len(), 1);
        gate.open();
        recorder.flush().wait().expect("flushes");
        assert_eq!(Steps::total(&recorder), 3);
    });
}

#[test]
fn rm10_a_snapshot_does_not_wait_for_a_start_or_a_stop_hook() {
    bounded(|| {
        let (starts, stops) = (Gate::new(), Gate::new());
        let application = Direct::new();
        let script = Script::new().starting(Act::Wait(starts.clone())).stopped(Act::Wait(stops.clone()));
        let recorder = application.recorder(RecorderOptions::new().hooks_and_listener(script));
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.register_event(Step(1)).expect("accepted");
        starts.wait_for_arrival();
        assert_eq!(Steps::total(&recorder), 0);
        starts.open();
        recorder.flush().wait().expect("flushes");
        let stop = recorder.stop();
        stops.wait_for_arrival();
        assert_eq!(Steps::total(&recorder), 1);
        stops.open();
        stop.wait().expect("stops");
    });
}

#[test]
fn rm10_a_snapshot_is_read_while_another_recorder_blocks_the_loop() {
    bounded(|| {
        let gate = Gate::new();
        let runtime = running_runtime("rm10");
        let script = Script::new().changed(Act::Block(gate.clone()));
        let blocking = runtime
            .create_recorder_with("blocks", RecorderOptions::new().hooks_and_listener(script))
            .expect("creates");
        blocking.register_metric(Steps::default()).expect("registers");
        let recorder = runtime.create_recorder("a").expect("creates");
        recorder.register_metric(Steps::default()).expect("registers");
        blocking.register_event(Step(1)).expect("accepted");
        gate.wait_for_arrival();
        recorder.register_event(Step(1)).expect("accepted");
        assert_eq!(Steps::total(&recorder), 1, "the reader helps itself");
        gate.open();
    });
}

/// Sleeps in its handler for each step.
struct SlowHandler(Duration);

impl mvx_metrics::HandleEvent<Step> for SlowHandler {
    fn handle(&mut self, _: &Step) -> bool {
        std::thread::sleep(self.0);
        true
    }
}

impl mvx_metrics::Metric for SlowHandler {
    fn metric_name(&self) -> &'static str {
        "slow_handler"
    }
    fn handlers() -> &'static [mvx_metrics::EventHandler<Self>] {
        const { &[mvx_metrics::EventHandler::of::<Step>()] }
    }
    fn snapshot(&self) -> mvx_metrics::MetricSnapshot {
        mvx_metrics::MetricSnapshot::of_static("slow_handler")
    }
}

#[test]
fn rm4_a_snapshot_waits_for_a_loop_that_is_busy_with_others() {
    bounded(|| {
        let gates = [Gate::new(), Gate::new()];
        let runtime = running_runtime("rm4");
        let options = RecorderOptions::new().hooks_and_listener(Script::new());
        let hooked = runtime.create_recorder_with("hooked", options).expect("creates");
        hooked.register_metric(Steps::default()).expect("registers");
        let [before, first] = [0, 1].map(|number| {
            let recorder = runtime.create_recorder(&format!("gated-{number}")).expect("creates");
            recorder.register_metric(Gated(gates[number].clone())).expect("registers");
            recorder
        });
        before.register_event(Step(0)).expect("accepted");
        gates[0].wait_for_arrival();
        // The event loop processes these in one round that takes more than a second. After a second without progress a reader
        // processes events itself.
        first.register_event(Step(0)).expect("accepted");
        for number in 0..5 {
            let slow = runtime.create_recorder(&format!("slow-{number}")).expect("creates");
            slow.register_metric(SlowHandler(Duration::from_millis(300))).expect("registers");
            slow.register_event(Step(0)).expect("accepted");
        }
        gates[0].open();
        gates[1].wait_for_arrival();
        hooked.register_event(Step(1)).expect("accepted");
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| Steps::total(&hooked));
            gates[1].open();
            assert_eq!(reader.join().expect("reading works"), 1);
        });
    });
}

#[test]
fn rm1_metrics_are_registered_and_dropped_under_traffic() {
    bounded(|| {
        let (_runtime, recorder) = one_recorder("rm1");
        let alive = Arc::new(());
        in_threads(3, |thread| {
            for round in 0..300_u64 {
                if thread == 0 {
                    recorder.register_metric(Steps::default()).expect("registers");
                    recorder.register_metric(holding("holds", Arc::clone(&alive))).expect("registers");
                } else {
                    recorder.register_event(Step(round)).expect("accepted");
                }
            }
        });
        assert_eq!(recorder.metrics().expect("reads").len(), 2);
        eventually("all replaced metrics are dropped", || Arc::strong_count(&alive) == 2);
        assert!(recorder.metric_snapshot::<Steps>().expect("reads").is_some());
    });
}

/// `Holding` gets a typed snapshot, so that the typed read finds it.
impl mvx_metrics::TypedMetric for Holding {
    type Snapshot = ();

    fn typed_snapshot(&self) {}
}

#[test]
fn rm6_reading_inside_of_a_metric_is_refused_and_does_not_hang() {
    // The handler takes the recorder out, because a metric that owns its recorder keeps both alive.
    struct CallsItsRecorder(Option<mvx_metrics::MetricsRecorder>, Arc<std::sync::Mutex<Vec<&'static str>>>);

    impl mvx_metrics::HandleEvent<Step> for CallsItsRecorder {
        fn handle(&mut self, _: &Step) -> bool {
            let Some(recorder) = self.0.take() else {
                return false;
            };
            let reasons = [
                recorder.metric_snapshots().map(drop),
                recorder.metric_snapshot::<Steps>().map(drop),
                recorder.metrics().map(drop),
                recorder.register_metric(Steps::default()).map(drop),
                recorder.flush().wait(),
                recorder.stop().wait(),
            ]
            .map(|result| {
                result.map_err(|error: MetricsRecorderError| error.reason()).err().unwrap_or("none")
            });
            self.1.lock().expect("not poisoned").extend(reasons);
            true
        }
    }

    impl mvx_metrics::Metric for CallsItsRecorder {
        fn metric_name(&self) -> &'static str {
            "calls_its_recorder"
        }
        fn handlers() -> &'static [mvx_metrics::EventHandler<Self>] {
            const { &[mvx_metrics::EventHandler::of::<Step>()] }
        }
        fn snapshot(&self) -> mvx_metrics::MetricSnapshot {
            mvx_metrics::MetricSnapshot::of_static("calls_its_recorder")
        }
    }

    bounded(|| {
        let (_runtime, recorder) = one_recorder("rm6");
        let reasons = Arc::default();
        recorder
            .register_metric(CallsItsRecorder(Some(recorder.clone()), Arc::clone(&reasons)))
            .expect("registers");
        recorder.register_event(Step(1)).expect("accepted");
        eventually("the recorder stops", || recorder.status() == MetricsRecorderState::Stopped);
        assert_eq!(*reasons.lock().expect("not poisoned"), ["WOULD_DEADLOCK"; 6]);
    });
}
