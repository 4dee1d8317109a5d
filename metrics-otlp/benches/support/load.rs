//! A runtime with many recorders, each of which measures another entity.

use mvx_metrics::{
    Breakdown, Counter, Histogram, Label, Max, Metric, MetricsRecorder, MetricsRuntime, Sum, metric_event,
};

#[derive(Label, Debug, Clone, Copy)]
pub enum Outcome {
    Success,
    Failure,
}

#[metric_event]
pub struct Requested {
    pub outcome: Outcome,
    pub bytes: u64,
}

#[derive(Metric, Default)]
#[metric(name = "service.requests", on(Requested))]
pub struct Requests {
    all: Counter,
    #[dimension(by = outcome)]
    by_outcome: Breakdown<Outcome, Counter>,
    #[dimension(value = bytes, unit = bytes)]
    sent: Sum<u64>,
    #[dimension(value = bytes, unit = bytes)]
    largest: Max<u64>,
    #[dimension(value = bytes, unit = bytes)]
    spread: Histogram<u64>,
}

pub struct Load {
    pub runtime: MetricsRuntime,
    pub recorders: Vec<MetricsRecorder>,
}

impl Load {
    pub fn new(recorders: usize) -> Self {
        let runtime = MetricsRuntime::new("bench").expect("a valid name");
        runtime.start().expect("a thread");
        let create = |number| {
            let recorder = runtime.create_recorder(&format!("entity-{number:06}")).expect("a free id");
            recorder.metric::<Requests>().expect("it runs");
            recorder
        };
        let recorders = (0..recorders).map(create).collect();
        Self { runtime, recorders }
    }

    /// Some events of each recorder, all applied.
    pub fn emit(&self, events: u64) {
        for recorder in &self.recorders {
            (0..events).for_each(|number| emit(recorder, number));
            recorder.flush().wait().expect("it runs");
        }
    }
}

pub fn emit(recorder: &MetricsRecorder, number: u64) {
    let outcome = if number.is_multiple_of(8) { Outcome::Failure } else { Outcome::Success };
    recorder.emit(Requested { outcome, bytes: number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40 });
}
