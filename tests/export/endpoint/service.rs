//! Covers the service that is mounted in a program's own server: axum, hyper, and no server at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Body;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use mvx_metrics::export::{ExpositionOptions, Scope};
use mvx_metrics::http::{MetricsService, ResponseFuture, ServiceOptions};
use mvx_metrics::{DimensionValue, EventHandler, Metric, MetricSnapshot, MetricsRuntime};
use mvx_metrics_tests::{Gate, Gated, SnapshotPanics, bounded, eventually};

use crate::client::{Answer, ask, connect, get};
use crate::fixtures::{Worked, endpoint, recorder, running};
use crate::requests::request;
use crate::server::{Server, answer_of, block_on, call, poll_once};

fn service(runtime: &MetricsRuntime) -> MetricsService {
    runtime.metrics_service(ServiceOptions::default())
}

/// A runtime with one recorder and enough text to be compressed.
fn worked(namespace: &str) -> MetricsRuntime {
    let runtime = running(namespace);
    recorder(&runtime, "one").emit(Worked { bytes: 7 });
    runtime
}

/// The parts of an answer that do not depend on the time of the request.
fn comparable(answer: &Answer) -> (u16, Vec<&str>, String) {
    let mut head: Vec<_> = answer.head.lines().filter(|line| !line.starts_with("date: ")).collect();
    let is_json = answer.header("content-type") == Some("application/json");
    let body = if is_json && !answer.bytes.is_empty() {
        let mut snapshot: serde_json::Value = serde_json::from_slice(&answer.bytes).expect("JSON");
        assert!(snapshot["taken_at"].take().is_number());
        snapshot.to_string()
    } else {
        answer.body.clone()
    };
    // Times have more or fewer digits.
    head.retain(|line| !is_json || !line.starts_with("content-length: "));
    head.sort_unstable();
    (answer.status, head, body)
}

fn assert_answers_as_the_endpoint(runtime: &MetricsRuntime, server: &Server) {
    let endpoint = endpoint(runtime, Scope::Rollup);
    let accept = "accept: application/openmetrics-text;version=1.0.0\r\n";
    for (method, path, headers) in [
        ("GET", "/metrics", ""),
        ("GET", "/metrics?a=b", accept),
        ("GET", "/metrics", "accept-encoding: gzip\r\n"),
        ("HEAD", "/metrics", ""),
        ("HEAD", "/metrics", "accept-encoding: gzip\r\n"),
        ("GET", "/snapshot", ""),
        ("HEAD", "/snapshot", ""),
        ("GET", "/healthz", ""),
        ("HEAD", "/healthz", ""),
        ("GET", "/", ""),
        ("GET", "/metrics/", ""),
        ("DELETE", "/metrics", ""),
    ] {
        let [here, there] = [server.address, endpoint.address()]
            .map(|address| ask(&mut connect(address), &request(method, path, headers)).expect("an answer"));
        assert_eq!(comparable(&here), comparable(&there), "{method} {path} {headers}");
    }
}

#[test]
fn ed1_in_an_axum_router_it_answers_as_the_endpoint_does() {
    bounded(|| {
        let runtime = worked("axum");
        let app: Router = Router::new().fallback_service(service(&runtime).routes());
        assert_answers_as_the_endpoint(&runtime, &Server::start(TowerToHyperService::new(app)));
    });
}

#[test]
fn ed1_in_a_hyper_server_it_answers_as_the_endpoint_does() {
    bounded(|| {
        let runtime = worked("hyper");
        let service = service(&runtime).routes();
        assert_answers_as_the_endpoint(&runtime, &Server::start(service.clone()));
        assert_answers_as_the_endpoint(&runtime, &Server::start(TowerToHyperService::new(service)));
    });
}

#[test]
fn ed1_an_axum_router_mounts_it_at_any_path() {
    bounded(|| {
        let runtime = worked("paths");
        let app: Router = Router::new()
            .route_service("/metrics", service(&runtime))
            .route_service("/own/{name}", service(&runtime))
            .nest_service("/internal", service(&runtime).routes());
        let server = Server::start(TowerToHyperService::new(app));
        let series = "work_bytes_total{namespace=\"paths\"}";
        for path in ["/metrics", "/own/healthz", "/internal/metrics"] {
            assert_eq!(get(server.address, path).value(series).to_string(), "7", "{path}");
        }
        assert_eq!(get(server.address, "/internal/healthz").body, "RUNNING\n");
        assert_eq!(get(server.address, "/internal/nothing").status, 404);
        assert_eq!(get(server.address, "/own").status, 404);
        // A service without routes refuses other methods too.
        let answer = ask(&mut connect(server.address), &request("POST", "/metrics", "content-length: 0\r\n"));
        assert_eq!(answer.expect("an answer").status, 405);
    });
}

#[test]
fn ed1_it_needs_no_executor() {
    bounded(|| {
        let runtime = worked("bare");
        let service = service(&runtime).routes();
        let (status, text) = call(&service, "/metrics");
        assert_eq!(status, 200);
        assert!(text.contains("work_bytes_total{namespace=\"bare\"} 7\n"), "{text}");
        assert_eq!(call(&service, "/healthz"), (200, "RUNNING\n".to_owned()));
    });
}

#[test]
fn ed1_a_head_request_gets_no_body_without_a_server() {
    bounded(|| {
        let runtime = worked("head");
        let (_, text) = call(&service(&runtime), "/");
        let Ok(response) = block_on(Service::call(&service(&runtime), head_request()));
        assert_eq!(response.headers()["content-length"], text.len().to_string());
        assert!(response.body().is_end_stream());
    });
}

fn head_request() -> Request<()> {
    Request::head("/").body(()).expect("a request")
}

#[test]
fn ed1_it_has_the_options_of_an_exposition() {
    bounded(|| {
        let runtime = worked("options");
        let exposition = ExpositionOptions::new().label("region", "north").scope(Scope::PerEntity);
        let service = runtime.metrics_service(ServiceOptions::new().exposition(exposition));
        let (_, text) = call(&service, "/metrics");
        let series = "work_bytes_total{namespace=\"options\",entity_id=\"one\",region=\"north\"} 7\n";
        assert!(text.contains(series), "{text}");
        // A label that cannot be used is a mistake in the program, and no reason to try again.
        let exposition = ExpositionOptions::new().label("0", "north");
        let service = runtime.metrics_service(ServiceOptions::new().exposition(exposition));
        let (status, text) = call(&service, "/metrics");
        assert_eq!((status, text.contains("label")), (500, true), "{text}");
    });
}

#[test]
fn ed1_it_answers_with_the_final_state_after_the_shutdown_and_without_the_runtime() {
    bounded(|| {
        let runtime = MetricsRuntime::new("final").expect("a valid namespace");
        let service = service(&runtime).routes();
        let statuses = |service| ["/metrics", "/snapshot", "/healthz"].map(|path| call(service, path).0);
        assert_eq!(statuses(&service), [503, 503, 503]);
        runtime.start().expect("a thread can be started");
        let recorder = recorder(&runtime, "one");
        recorder.emit(Worked { bytes: 7 });
        assert_eq!(statuses(&service), [200, 200, 200]);
        recorder.emit(Worked { bytes: 8 });
        runtime.shutdown().expect("it ends");
        let text = call(&service, "/metrics").1;
        assert!(text.contains("work_bytes_total{namespace=\"final\"} 15\n"), "{text}");
        assert_eq!(statuses(&service), [200, 200, 503]);
        drop((runtime, recorder));
        assert_eq!(call(&service, "/metrics").1, text);
        assert_eq!(statuses(&service), [200, 200, 503]);
        assert_eq!(call(&service, "/healthz").1, "CLOSED\n");
    });
}

#[test]
fn ed1_a_dropped_runtime_ends_although_a_service_has_it() {
    bounded(|| {
        let runtime = worked("dropped");
        let service = service(&runtime).routes();
        drop(runtime);
        assert_eq!(call(&service, "/healthz"), (503, "CLOSED\n".to_owned()));
        assert!(call(&service, "/metrics").1.contains("work_bytes_total{namespace=\"dropped\"} 7\n"));
        // Nothing can start this one any more.
        let service = self::service(&MetricsRuntime::new("never").expect("a valid namespace"));
        assert_eq!(call(&service, "/metrics").0, 503);
    });
}

#[test]
fn ed1_each_answer_has_the_events_from_before_its_request() {
    bounded(|| {
        let runtime = running("fresh");
        let recorder = recorder(&runtime, "one");
        let service = service(&runtime);
        for number in 1..=20 {
            recorder.emit(Worked { bytes: 1 });
            let (_, text) = call(&service, "/");
            assert!(text.contains(&format!("work_total{{namespace=\"fresh\"}} {number}\n")), "{text}");
        }
    });
}

/// A metric that waits at a gate in its snapshot and counts the snapshots.
struct Watched {
    gate: Gate,
    snapshots: Arc<AtomicUsize>,
}

impl Metric for Watched {
    fn metric_name(&self) -> &'static str {
        "watched"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        &[]
    }

    fn snapshot(&self) -> MetricSnapshot {
        self.gate.block();
        let number = self.snapshots.fetch_add(1, Ordering::Relaxed) as u64;
        MetricSnapshot::of_static("watched").with("number", DimensionValue::from(number))
    }
}

/// A runtime with a [`Watched`] metric.
pub fn watched(namespace: &str) -> (MetricsRuntime, Gate, Arc<AtomicUsize>) {
    let runtime = running(namespace);
    let (gate, snapshots) = (Gate::new(), Arc::default());
    let metric = Watched { gate: gate.clone(), snapshots: Arc::clone(&snapshots) };
    let recorder = runtime.create_recorder("one").expect("the id is free");
    recorder.register_metric(metric).expect("the recorder runs");
    (runtime, gate, snapshots)
}

fn ask_service(service: &MetricsService) -> ResponseFuture {
    let mut response = Service::call(service, Request::get("/").body(()).expect("a request"));
    assert!(matches!(poll_once(&mut response), Poll::Pending));
    response
}

#[test]
fn ed1_clients_that_ask_during_a_long_rendering_share_it() {
    bounded(|| {
        let (runtime, gate, snapshots) = watched("shared");
        let service = service(&runtime);
        let first = ask_service(&service);
        gate.wait_for_arrival();
        let others: Vec<_> = (0..1_000).map(|_| ask_service(&service.clone())).collect();
        // Long enough to be shared.
        thread::sleep(Duration::from_millis(150));
        gate.open();
        let (status, text) = answer_of(first);
        assert_eq!(status, 200);
        for response in others {
            assert_eq!(answer_of(response), (200, text.clone()));
        }
        assert_eq!(snapshots.load(Ordering::Relaxed), 1);
        // After the pause there is a rendering again.
        assert_eq!(call(&service, "/").0, 200);
        assert_eq!(snapshots.load(Ordering::Relaxed), 2);
    });
}

#[test]
fn ed3_a_shared_rendering_is_compressed_for_clients_that_ask_for_gzip() {
    bounded(|| {
        let (runtime, gate, snapshots) = watched("mixed");
        let service = service(&runtime);
        let ask_for = |encoding: &str| {
            let request = Request::get("/").header("accept-encoding", encoding).body(());
            let mut response = Service::call(&service, request.expect("a request"));
            assert!(matches!(poll_once(&mut response), Poll::Pending));
            response
        };
        let first = ask_for("identity");
        gate.wait_for_arrival();
        let others = ["identity", "gzip", "gzip", "identity"].map(ask_for);
        // Long enough to be shared, if all wanted the same encoding.
        thread::sleep(Duration::from_millis(150));
        gate.open();
        assert_eq!(answer_of(first).0, 200);
        let encodings = others.map(|response| {
            let Ok(response) = block_on(response);
            response.headers().get("content-encoding").map(|value| value.to_str().expect("text").to_owned())
        });
        let gzip = || Some("gzip".to_owned());
        assert_eq!(encodings, [None, gzip(), gzip(), None]);
        // One rendering with gzip is enough for all of them.
        assert_eq!(snapshots.load(Ordering::Relaxed), 2);
    });
}

#[test]
fn ed1_a_rendering_from_before_a_change_of_state_is_not_shared() {
    bounded(|| {
        let (runtime, gate, _) = watched("before");
        let later = MetricsRuntime::new("later").expect("a valid namespace");
        let service = service(&later).and(&runtime);
        let first = ask_service(&service);
        // By now the rendering has left out the runtime that comes first.
        gate.wait_for_arrival();
        let second = ask_service(&service);
        later.start().expect("a thread can be started");
        // Long enough to be shared otherwise.
        thread::sleep(Duration::from_millis(150));
        gate.open();
        let [before, after] = [first, second].map(|response| answer_of(response).1);
        let series = "mvx_metrics_recorders_removed_total{namespace=\"later\"} 0\n";
        assert_eq!([&before, &after].map(|text| text.contains(series)), [false, true], "{before}{after}");
    });
}

#[test]
fn ed1_a_metric_whose_snapshot_panics_is_no_obstacle() {
    bounded(|| {
        let runtime = running("panics");
        let recorder = runtime.create_recorder("one").expect("the id is free");
        recorder.register_metric(SnapshotPanics).expect("the recorder runs");
        let service = service(&runtime);
        for _ in 0..2 {
            let (status, text) = call(&service, "/");
            assert_eq!(status, 200, "{text}");
            assert!(text.contains("mvx_metrics_metrics_failed"), "{text}");
        }
    });
}

#[test]
fn ed1_cancelled_requests_and_dropped_services_leave_nothing_behind() {
    bounded(|| {
        let (runtime, gate, snapshots) = watched("cancelled");
        let service = service(&runtime);
        let first = ask_service(&service);
        gate.wait_for_arrival();
        for _ in 0..10_000 {
            drop(ask_service(&service));
        }
        drop(first);
        gate.open();
        assert_eq!(call(&service, "/").0, 200);
        // A request that is not polled does nothing, and a service may go while its rendering goes on.
        drop(Service::call(&service, Request::get("/").body(()).expect("a request")));
        drop(ask_service(&service));
        drop((service, runtime));
        eventually("the metric is dropped", || Arc::strong_count(&snapshots) == 1);
    });
}

#[test]
fn ed1_a_handler_that_does_not_return_delays_no_request_for_ever() {
    bounded(|| {
        let runtime = worked("slow");
        let slow = runtime.create_recorder("slow").expect("the id is free");
        let gate = Gate::new();
        slow.register_metric(Gated(gate.clone())).expect("the recorder runs");
        slow.emit(mvx_metrics_tests::Step(1));
        gate.wait_for_arrival();
        let service = service(&runtime);
        let (status, text) = call(&service, "/metrics");
        assert_eq!(status, 200);
        assert!(text.contains("mvx_metrics_recorders_stalled{namespace=\"slow\"} 1\n"), "{text}");
        gate.open();
    });
}
