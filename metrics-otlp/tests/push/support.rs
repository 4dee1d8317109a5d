//! A runtime that counts hits, and what a collector has got of them.

use std::io::Read;
use std::time::Duration;

use flate2::read::GzDecoder;
use mvx_metrics::{Counter, Metric, MetricsRecorder, MetricsRuntime, metric_event};
use mvx_metrics_otlp::{OtlpOptions, OtlpPusher};
use mvx_metrics_tests::collector::{FakeCollector, Received};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsPartialSuccess, ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::metrics::v1::{metric::Data, number_data_point::Value};
use prost::Message;

#[metric_event]
pub struct Hit;

#[derive(Metric, Default)]
#[metric(name = "hits", on(Hit))]
pub struct Hits {
    pub total: Counter,
}

/// A runtime with one recorder.
pub fn hits(namespace: &str) -> (MetricsRuntime, MetricsRecorder) {
    let runtime = mvx_metrics_tests::running_runtime(namespace);
    let recorder = runtime.create_recorder("one").expect("a recorder");
    recorder.metric::<Hits>().expect("a metric");
    (runtime, recorder)
}

pub fn hit(recorder: &MetricsRecorder, times: usize) {
    for _ in 0..times {
        recorder.emit(Hit);
    }
}

/// Options for a collector that is pushed to by calls alone.
pub fn options(collector: &FakeCollector) -> OtlpOptions {
    OtlpOptions::new()
        .endpoint(collector.url())
        .interval(Duration::from_hours(1))
        .timeout(Duration::from_secs(10))
}

pub fn start(runtime: &MetricsRuntime, options: OtlpOptions) -> OtlpPusher {
    OtlpPusher::start(runtime, options).expect("a pusher")
}

/// The message of a request.
pub fn decoded(request: &Received) -> ExportMetricsServiceRequest {
    let mut plain = Vec::new();
    if request.header("content-encoding") == Some("gzip") {
        GzDecoder::new(&*request.body).read_to_end(&mut plain).expect("gzip");
    } else {
        plain.clone_from(&request.body);
    }
    ExportMetricsServiceRequest::decode(&*plain).expect("a message")
}

/// The values of all points of `hits.total` in a request.
pub fn hits_in(request: &Received) -> Vec<i64> {
    let message = decoded(request);
    let metrics = message
        .resource_metrics
        .iter()
        .flat_map(|resource| &resource.scope_metrics)
        .flat_map(|scope| &scope.metrics)
        .filter(|metric| metric.name == "hits.total");
    let points = metrics.filter_map(|metric| match &metric.data {
        Some(Data::Sum(sum)) => Some(&sum.data_points),
        _ => None,
    });
    let value = |value: &Option<Value>| if let Some(Value::AsInt(value)) = value { *value } else { -1 };
    points.flatten().map(|point| value(&point.value)).collect()
}

/// The body of a partial success.
pub fn partial(rejected: i64, message: &str) -> Vec<u8> {
    let partial_success =
        ExportMetricsPartialSuccess { rejected_data_points: rejected, error_message: message.to_owned() };
    ExportMetricsServiceResponse { partial_success: Some(partial_success) }.encode_to_vec()
}
