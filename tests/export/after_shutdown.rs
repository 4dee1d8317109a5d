//! Covers reading before the start and after the shutdown: ST10.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use mvx_metrics::export::{ExpositionOptions, Format, Scope};
use mvx_metrics::http::EndpointOptions;
use mvx_metrics::{
    MetricFailurePolicy, MetricsRecorderState, MetricsRuntime, MetricsRuntimeError, MetricsRuntimeState,
    RecorderOptions, Totals,
};
use mvx_metrics_tests::{Fragile, Gate, Gated, Step, Steps, bounded, bounded_async, eventually};

use crate::everything::{Work, emit, replace, worker};
use crate::fixtures::running;
use crate::samples::{of_text, of_totals};

fn assert_is_refused<T>(result: Result<T, MetricsRuntimeError>) {
    match result {
        Err(error @ MetricsRuntimeError::InvalidState { .. }) => {
            assert_eq!(error.reason(), "INVALID_RUNTIME_STATE");
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("a runtime that was never started cannot be read"),
    }
}

fn assert_nothing_can_be_read(runtime: &MetricsRuntime) {
    assert_is_refused(runtime.snapshot());
    for scope in [Scope::Rollup, Scope::PerEntity] {
        assert_is_refused(runtime.totals(scope));
        assert_is_refused(runtime.exposition(scope, Format::Prometheus));
        assert_is_refused(runtime.exposition_with(&ExpositionOptions::new().scope(scope)));
    }
}

#[test]
fn st10_a_runtime_that_was_never_started_cannot_be_read() {
    let runtime = MetricsRuntime::new("shop").expect("a valid namespace");
    assert_nothing_can_be_read(&runtime);
    runtime.shutdown().expect("there is nothing to end");
    assert_nothing_can_be_read(&runtime);
}

/// A runtime that ended with a running, a stopped, a removed recorder, and a replaced metric.
fn ended() -> MetricsRuntime {
    let runtime = running("shop");
    emit(&worker(&runtime, "removed"), 2);
    runtime.stop_and_remove_recorder("removed").expect("it stops");
    emit(&worker(&runtime, "stopped"), 4);
    runtime.stop_recorder("stopped").expect("it stops");
    let recorder = worker(&runtime, "one");
    emit(&recorder, 8);
    replace(&recorder, Work::default());
    emit(&recorder, 16);
    runtime.shutdown().expect("it ends");
    runtime
}

fn all(totals: &Totals) -> Option<u64> {
    totals.get::<Work>("shop").map(|work| work.all)
}

#[test]
fn st10_totals_and_text_after_the_shutdown_have_the_final_state() {
    let runtime = ended();
    for _ in 0..2 {
        let rollup = runtime.totals(Scope::Rollup).expect("the final state");
        assert_eq!(rollup.status, MetricsRuntimeState::Closed);
        assert_eq!(all(&rollup), Some(2 + 4 + 8 + 16));
        assert_eq!(rollup.groups[0].stats.processed, 2 + 4 + 8 + 16);
        assert_eq!(rollup.groups[0].stats.pending, 0);
        assert_eq!(rollup.namespaces[0].removed, 1);
        let entities = runtime.totals(Scope::PerEntity).expect("the final state");
        let of = |id| entities.get_entity::<Work>("shop", id).map(|work| work.all);
        assert_eq!([of("removed"), of("stopped"), of("one")], [None, Some(4), Some(16)]);
        for totals in [rollup, entities] {
            let recorders: Vec<_> =
                totals.recorders.iter().map(|recorder| (&*recorder.id, recorder.status)).collect();
            let stopped = MetricsRecorderState::Stopped;
            assert_eq!(recorders, [("stopped", stopped), ("one", stopped)]);
            let exposition = runtime.exposition(totals.scope, Format::OpenMetrics).expect("the final state");
            assert_eq!(of_text(&exposition.text), of_totals(&totals, 0));
        }
    }
}

#[test]
fn st10_the_snapshot_after_the_shutdown_has_the_final_state() {
    let runtime = ended();
    let snapshot = runtime.snapshot().expect("the final state");
    assert_eq!(snapshot.status, MetricsRuntimeState::Closed);
    let recorders: Vec<_> =
        snapshot.recorders.iter().map(|recorder| (&*recorder.id, recorder.stats.processed)).collect();
    assert_eq!(recorders, [("stopped", 4), ("one", 24)]);
    assert!(snapshot.recorders.iter().all(|recorder| !recorder.stalled && recorder.metrics.len() == 1));
    assert!(snapshot.started_at() <= snapshot.taken_at());
    assert_eq!(snapshot.totals(Scope::Rollup), runtime.totals(Scope::Rollup).expect("the final state"));
    assert!(matches!(runtime.create_recorder("late"), Err(MetricsRuntimeError::InvalidState { .. })));
}

#[test]
fn st10_async_code_reads_the_final_state() {
    bounded_async(|| async {
        let runtime = ended();
        let totals = runtime.totals_async(Scope::Rollup).await.expect("the final state");
        assert_eq!(all(&totals), Some(30));
        assert_eq!(runtime.snapshot_async().await.expect("the final state").recorders.len(), 2);
        let exposition = runtime.exposition_async(Scope::Rollup, Format::Prometheus).await;
        assert!(
            exposition.expect("the final state").text.contains("work_all_total{namespace=\"shop\"} 30\n")
        );
    });
}

#[test]
fn st10_the_state_of_a_recorder_that_failed_is_there_after_the_shutdown() {
    let runtime = running("shop");
    let options = RecorderOptions::new().metric_failure_policy(MetricFailurePolicy::FailRecorder);
    let failing = runtime.create_recorder_with("failing", options).expect("the id is free");
    failing.register_metric(Steps::default()).expect("the recorder runs");
    failing.register_metric(Fragile::at(3)).expect("the recorder runs");
    emit(&worker(&runtime, "healthy"), 5);
    (1..=5).for_each(|step| failing.emit(Step(step)));
    let error = runtime.shutdown().expect_err("a recorder has failed");
    assert_eq!(error.reason(), "SHUTDOWN_ERROR");

    let totals = runtime.totals(Scope::PerEntity).expect("the final state");
    assert_eq!(totals.status, MetricsRuntimeState::Failure);
    assert_eq!(totals.recorders[0].status, MetricsRecorderState::Failure);
    let group = &totals.groups[0];
    assert_eq!((&*group.stats.dropped_by_type["step"].to_string(), group.stats.accepted), ("0", 5));
    assert_eq!(group.stats.processed + group.stats.discarded, 5);
    assert_eq!(group.failed.values().sum::<u64>(), 1, "{:?}", group.failed);
    assert_eq!(totals.get_entity::<Work>("shop", "healthy").map(|work| work.all), Some(5));
    let text = runtime.exposition(Scope::Rollup, Format::Prometheus).expect("the final state").text;
    assert!(text.contains("mvx_metrics_recorders{namespace=\"shop\",state=\"FAILURE\"} 1\n"), "{text}");
    assert!(text.contains("mvx_metrics_metrics_failed{namespace=\"shop\",metric=\"fragile\"} 1\n"), "{text}");
}

/// A recorder with a handler that stands at the gate, then a healthy one, and one that has failed.
fn with_a_stuck_recorder(gate: &Gate) -> MetricsRuntime {
    let builder = MetricsRuntime::builder("shop").shutdown_timeout(Duration::from_secs(1));
    let runtime = builder.build().expect("valid choices");
    runtime.start().expect("a thread can be started");
    let stuck = worker(&runtime, "stuck");
    emit(&stuck, 10);
    stuck.register_metric(Gated(gate.clone())).expect("the recorder runs");
    emit(&worker(&runtime, "healthy"), 5);
    let options = RecorderOptions::new().metric_failure_policy(MetricFailurePolicy::FailRecorder);
    let failed = runtime.create_recorder_with("failed", options).expect("the id is free");
    failed.metric::<Work>().expect("the recorder runs");
    failed.register_metric(Fragile::at(1)).expect("the recorder runs");
    emit(&failed, 3);
    failed.emit(Step(1));
    eventually("the recorder has failed", || failed.status() == MetricsRecorderState::Failure);
    stuck.flush().wait().expect("the recorder runs");
    runtime.get_recorder("healthy").expect("it is there").flush().wait().expect("the recorder runs");
    stuck.emit(Step(1));
    gate.wait_for_arrival();
    runtime
}

#[test]
fn st10_a_stuck_recorder_hides_no_other_recorder_after_the_shutdown() {
    bounded(|| {
        let gate = Gate::new();
        let runtime = with_a_stuck_recorder(&gate);
        let error = runtime.shutdown().expect_err("a handler is stuck");
        assert_eq!(error.reason(), "SHUTDOWN_ERROR");
        let totals = runtime.totals(Scope::PerEntity).expect("the final state");
        let stalled: Vec<_> =
            totals.recorders.iter().map(|recorder| (&*recorder.id, recorder.stalled)).collect();
        assert_eq!(stalled, [("stuck", true), ("healthy", false), ("failed", false)]);
        let of = |id| totals.get_entity::<Work>("shop", id).map(|work| work.all);
        assert_eq!([of("stuck"), of("healthy"), of("failed")], [None, Some(5), Some(3)]);
        assert_eq!(totals.recorders[0].stats.accepted, 11);
        let text = runtime.exposition(Scope::Rollup, Format::Prometheus).expect("the final state").text;
        assert!(text.contains("mvx_metrics_recorders_stalled{namespace=\"shop\"} 1\n"), "{text}");
        gate.open();
    });
}

#[test]
fn st10_no_counter_falls_when_a_stuck_recorder_is_shut_down() {
    bounded(|| {
        let gate = Gate::new();
        let runtime = with_a_stuck_recorder(&gate);
        let count = || all(&runtime.totals(Scope::Rollup).expect("it can be read"));
        // The handler stands at the gate, so the state of the stuck recorder is unknown here.
        let before = count();
        runtime.shutdown().expect_err("a handler is stuck");
        assert!(count() >= before, "{before:?}, then {:?}", count());
        gate.open();
        assert!(count() >= before, "{before:?}, then {:?}", count());
    });
}

/// The status line, the headers and the body of an answer.
fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("the endpoint listens");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer
}

#[test]
fn st10_an_endpoint_answers_with_the_final_state() {
    bounded(|| {
        let runtime = running("shop");
        let endpoint = runtime.serve_http(EndpointOptions::new().port(0)).expect("a free port");
        let recorder = worker(&runtime, "one");
        emit(&recorder, 7);
        runtime.shutdown().expect("it ends");
        let metrics = get(endpoint.address(), "/metrics");
        assert!(metrics.starts_with("HTTP/1.1 200 "), "{metrics}");
        assert!(metrics.contains("work_all_total{namespace=\"shop\"} 7\n"), "{metrics}");
        let snapshot = get(endpoint.address(), "/snapshot");
        assert!(snapshot.starts_with("HTTP/1.1 200 ") && snapshot.contains("\"CLOSED\""), "{snapshot}");
        let health = get(endpoint.address(), "/healthz");
        assert!(health.starts_with("HTTP/1.1 503 ") && health.contains("CLOSED"), "{health}");
    });
}
