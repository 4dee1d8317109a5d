//! Recorders of one runtime.

use std::sync::Arc;
use std::time::Instant;

use mvx_metrics::{
    Counter, EventHandler, HandleEvent, Metric, MetricSnapshot, MetricsRecorder, MetricsRuntime, metric_event,
};

use crate::subject::{Applied, Subject};

#[metric_event]
struct Sent {
    at: Instant,
}

struct Latency {
    total: Counter,
    applied: Arc<Applied>,
}

impl HandleEvent<Sent> for Latency {
    fn handle(&mut self, event: &Sent) -> bool {
        self.total.increment();
        self.applied.note(event.at);
        true
    }
}

impl Metric for Latency {
    fn metric_name(&self) -> &'static str {
        "latency"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        const { &[EventHandler::of::<Sent>()] }
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::new(self.metric_name()).with("total", self.total.get())
    }
}

pub struct Recorders {
    runtime: MetricsRuntime,
    recorders: Vec<MetricsRecorder>,
}

impl Subject for Recorders {
    fn start(consumers: usize, applied: &Arc<Applied>) -> Self {
        let runtime = MetricsRuntime::new("polling").expect("a valid namespace");
        runtime.start().expect("the runtime starts");
        let recorder = |number| {
            let recorder = runtime.create_recorder(&format!("r{number}")).expect("a fresh id");
            let metric = Latency { total: Counter::default(), applied: Arc::clone(applied) };
            recorder.register_metric(metric).expect("the recorder runs");
            recorder
        };
        let recorders = (0..consumers).map(recorder).collect();
        Self { runtime, recorders }
    }

    fn emit(&self, consumer: usize, sent_at: Instant) {
        self.recorders[consumer].emit(Sent { at: sent_at });
    }

    fn shut_down(self) {
        drop(self.recorders);
        self.runtime.shutdown().expect("everything stops");
    }
}
