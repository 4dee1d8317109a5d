//! Covers `MetricsRuntime::snapshot`: its content, its JSON, its states, and a hook that does not return.

use mvx_metrics::{ChangeListener, HookError, MetricsRecorderState, MetricsRuntimeError, RecorderOptions};

use crate::fixtures::{Outcome, finished, recorder, running};

#[test]
fn a_snapshot_shows_every_recorder_with_all_accepted_events() {
    let runtime = running("shop");
    let recorders: Vec<_> = (0..300).map(|number| recorder(&runtime, &format!("{number}"))).collect();
    for (number, recorder) in recorders.iter().enumerate() {
        for _ in 0..number {
            recorder.emit(finished(Outcome::Success, 1));
        }
    }
    runtime.stop_recorder("7").expect("it stops");
    let snapshot = runtime.snapshot().expect("the runtime runs");
    assert_eq!(&*snapshot.namespace, "shop");
    assert_eq!(snapshot.recorders.len(), 300);
    for (number, recorder) in snapshot.recorders.iter().enumerate() {
        assert_eq!((&*recorder.id, &*recorder.entity_id), (&*number.to_string(), &*number.to_string()));
        assert_eq!(recorder.stats.processed, number as u64);
        let metric = recorder.metrics.get("service.requests").expect("it was registered");
        assert_eq!(metric.get("total").and_then(mvx_metrics::DimensionValue::as_u64), Some(number as u64));
        let stopped = if number == 7 { MetricsRecorderState::Stopped } else { MetricsRecorderState::Running };
        assert_eq!(recorder.status, stopped);
    }
}

#[test]
fn a_snapshot_serialises_to_the_shape_of_the_contract() {
    let runtime = running("shop");
    recorder(&runtime, "one").emit(finished(Outcome::Success, 1));
    let snapshot = runtime.snapshot().expect("the runtime runs");
    let json = serde_json::to_value(&snapshot).expect("a snapshot serialises");
    assert_eq!(json["namespace"], "shop");
    assert_eq!(json["status"], "RUNNING");
    let recorder = &json["recorders"][0];
    assert_eq!(recorder["id"], "one");
    assert_eq!(recorder["status"], "RUNNING");
    assert_eq!(recorder["stats"]["accepted"], 1);
    assert_eq!(recorder["metrics"]["service.requests"]["dimensions"]["total"], 1);
    assert!(recorder["created_at"].as_f64() <= json["taken_at"].as_f64());
    assert_eq!(recorder.as_object().map(serde_json::Map::len), Some(7));
    assert_eq!(json.as_object().map(serde_json::Map::len), Some(5));
}

#[test]
fn a_snapshot_before_the_start_is_refused() {
    let runtime = mvx_metrics::MetricsRuntime::new("shop").expect("a valid namespace");
    assert!(matches!(runtime.snapshot(), Err(MetricsRuntimeError::InvalidState { .. })));
    runtime.shutdown().expect("there is nothing to end");
    assert!(matches!(runtime.snapshot(), Err(MetricsRuntimeError::InvalidState { .. })));
}

#[tokio::test]
async fn a_snapshot_is_available_to_async_code() {
    let runtime = running("shop");
    recorder(&runtime, "one").emit(finished(Outcome::Success, 1));
    let snapshot = runtime.snapshot_async().await.expect("the runtime runs");
    assert_eq!(snapshot.recorders[0].stats.processed, 1);
}

#[test]
fn a_snapshot_does_not_wait_for_a_hook_that_does_not_return() {
    struct Stuck;
    impl ChangeListener for Stuck {
        async fn on_metric_changed(&self, _: mvx_metrics::MetricChange<'_>) -> Result<(), HookError> {
            std::future::pending().await
        }
    }
    let runtime = mvx_metrics::MetricsRuntime::builder("shop")
        .shutdown_timeout(std::time::Duration::from_millis(100))
        .build()
        .expect("valid choices");
    runtime.start().expect("a thread can be started");
    let options = RecorderOptions::new().change_listener(Stuck);
    let stuck = runtime.create_recorder_with("stuck", options).expect("the id is free");
    stuck.register_metric(crate::fixtures::Requests::default()).expect("the recorder runs");
    stuck.emit(finished(Outcome::Success, 1));
    stuck.emit(finished(Outcome::Success, 1));
    let snapshot = runtime.snapshot().expect("the runtime runs");
    assert_eq!(snapshot.recorders[0].stats.accepted, 2);
}
