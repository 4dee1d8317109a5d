//! Covers the library's own metrics: losses and failures, and that no exposition is rendered in the event loop.

use std::sync::{Arc, Mutex};

use mvx_metrics::export::{Format, Scope};
use mvx_metrics::{
    ChangeListener, Counter, HookError, Metric, MetricChange, MetricsRuntime, MetricsRuntimeError,
    QueueOverflowPolicy, RecorderOptions, Sum, metric_event,
};
use mvx_metrics_tests::{Gate, bounded};

use crate::fixtures::{running, value};

#[metric_event]
struct Weighed {
    weight: f64,
    gate: Option<Gate>,
}

fn pass(gate: Option<&Gate>) -> bool {
    gate.inspect(|gate| gate.block());
    true
}

/// Waits at the gate of each event.
#[derive(Metric, Default)]
#[metric(on(Weighed))]
struct Weights {
    #[dimension(when = |e| pass(e.gate.as_ref()))]
    total: Counter,
    #[dimension(value = weight)]
    sum: Sum<f64>,
}

/// Panics at a weight that is not positive.
#[derive(Metric, Default)]
#[metric(on(Weighed))]
struct Broken {
    #[dimension(when = |e| { assert!(e.weight > 0.0); true })]
    total: Counter,
}

#[test]
fn losses_and_failures_are_exported() {
    bounded(|| {
        let (runtime, gate) = (running("shop"), Gate::new());
        let options =
            RecorderOptions::new().queue_max_size(4).queue_overflow_policy(QueueOverflowPolicy::Drop);
        let recorder = runtime.create_recorder_with("one", options).expect("the id is free");
        recorder.register_metric(Weights::default()).expect("the recorder runs");
        recorder.register_metric(Broken::default()).expect("the recorder runs");
        recorder.emit(Weighed { weight: 1.0, gate: Some(gate.clone()) });
        gate.wait_for_arrival();
        for weight in [f64::NAN, -1.0, 2.0, 3.0, 4.0] {
            recorder.emit(Weighed { weight, gate: None });
        }
        gate.open();
        recorder.flush().wait().expect("the recorder runs");
        for scope in [Scope::Rollup, Scope::PerEntity] {
            let text = runtime.exposition(scope, Format::OpenMetrics).expect("the runtime runs").text;
            let entity = if scope == Scope::Rollup { "" } else { ",entity_id=\"one\"" };
            for (name, labels, expected) in [
                ("events_accepted_total", "", "4"),
                ("events_processed_total", "", "4"),
                ("events_dropped_total", ",event_type=\"weighed\"", "2"),
                ("events_rejected_total", "", "0"),
                ("events_pending", "", "0"),
                ("metrics_failed", ",metric=\"broken\"", "1"),
                ("values_invalid_total", ",metric=\"weights\"", "1"),
            ] {
                let series = format!("mvx_metrics_{name}{{namespace=\"shop\"{entity}{labels}}}");
                assert_eq!(value(&text, &series).to_string(), expected, "{series}");
            }
        }
    });
}

/// Tries to render in the event loop.
struct RenderInHook {
    runtime: Arc<MetricsRuntime>,
    refused: Arc<Mutex<Vec<bool>>>,
}

impl ChangeListener for RenderInHook {
    async fn on_metric_changed(&self, _: MetricChange<'_>) -> Result<(), HookError> {
        let rendered = self.runtime.exposition(Scope::Rollup, Format::Prometheus);
        let refused = matches!(rendered, Err(MetricsRuntimeError::WouldDeadlock));
        self.refused.lock().expect("not poisoned").push(refused);
        Ok(())
    }
}

#[test]
fn rendering_in_the_event_loop_is_refused() {
    bounded(|| {
        let (runtime, refused) = (Arc::new(running("shop")), Arc::default());
        let hooks = RenderInHook { runtime: Arc::clone(&runtime), refused: Arc::clone(&refused) };
        let recorder = runtime.create_recorder_with("one", RecorderOptions::new().change_listener(hooks));
        let recorder = recorder.expect("the id is free");
        recorder.register_metric(Weights::default()).expect("the recorder runs");
        recorder.emit(Weighed { weight: 1.0, gate: None });
        recorder.flush().wait().expect("the recorder runs");
        assert_eq!(*refused.lock().expect("not poisoned"), [true]);
        // The hooks own the runtime, so it would never be dropped.
        runtime.shutdown().expect("it ends");
    });
}
