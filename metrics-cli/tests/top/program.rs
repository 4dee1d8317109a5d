//! A program with an endpoint, in the process of the test.

use std::time::Duration;

use mvx_metrics::http::{Endpoint, EndpointOptions, ServiceOptions};
use mvx_metrics::{
    Breakdown, Counter, Histogram, Metric, MetricsRecorder, MetricsRuntime, Sum, metric_event,
};

#[metric_event]
struct Answered {
    path: String,
    bytes: u64,
    elapsed: Duration,
}

/// Answers of a server.
#[derive(Metric, Default)]
#[metric(name = "http", on(Answered))]
struct Http {
    answers: Counter,
    #[dimension(value = bytes, unit = bytes)]
    sent: Sum<u64>,
    #[dimension(value = elapsed)]
    latency: Histogram<Duration>,
    #[dimension(by = path, limit = 10)]
    by_path: Breakdown<String, Counter>,
}

/// A runtime with its endpoint.
pub struct Program {
    pub runtime: MetricsRuntime,
    endpoint: Endpoint,
}

impl Program {
    pub fn start(options: ServiceOptions) -> Self {
        Self::start_on(0, options)
    }

    /// The endpoint is at this port of loopback.
    pub fn start_on(port: u16, options: ServiceOptions) -> Self {
        let runtime = MetricsRuntime::new("shop").expect("a valid name");
        runtime.start().expect("a thread");
        let service = runtime.metrics_service(options);
        let endpoint = service.serve(EndpointOptions::new().port(port)).expect("a free port");
        Self { runtime, endpoint }
    }

    pub fn recorder(&self, id: &str) -> MetricsRecorder {
        let recorder = self.runtime.create_recorder(id).expect("a free id");
        recorder.metric::<Http>().expect("it runs");
        recorder
    }

    pub fn address(&self) -> String {
        self.endpoint.address().to_string()
    }
}

pub fn answer(recorder: &MetricsRecorder, path: &str) {
    recorder.emit(Answered { path: path.to_owned(), bytes: 100, elapsed: Duration::from_millis(10) });
}
