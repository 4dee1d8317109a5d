//! Runtimes with a small metric, and their endpoints.

use mvx_metrics::export::Scope;
use mvx_metrics::http::{Endpoint, EndpointOptions, ServiceOptions};
use mvx_metrics::{Counter, Metric, MetricsRecorder, MetricsRuntime, Sum, metric_event};

#[metric_event]
pub struct Worked {
    pub bytes: u64,
}

/// Work.
#[derive(Metric, Default)]
#[metric(on(Worked))]
pub struct Work {
    total: Counter,
    #[dimension(value = bytes)]
    bytes: Sum<u64>,
}

pub fn running(namespace: &str) -> MetricsRuntime {
    let runtime = MetricsRuntime::new(namespace).expect("a valid namespace");
    runtime.start().expect("a thread can be started");
    runtime
}

pub fn recorder(runtime: &MetricsRuntime, id: &str) -> MetricsRecorder {
    let recorder = runtime.create_recorder(id).expect("the id is free");
    recorder.register_metric(Work::default()).expect("the recorder runs");
    recorder
}

pub fn endpoint(runtime: &MetricsRuntime, scope: Scope) -> Endpoint {
    endpoint_with(runtime, ServiceOptions::new().scope(scope))
}

pub fn endpoint_with(runtime: &MetricsRuntime, options: ServiceOptions) -> Endpoint {
    runtime.metrics_service(options).serve(EndpointOptions::new().port(0)).expect("the system has a port")
}
