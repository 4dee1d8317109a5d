//! A runtime with many recorders, each of which measures another entity.

use mvx_metrics::{Breakdown, Counter, Histogram, Max, Metric, MetricsRecorder, MetricsRuntime, Sum};

use crate::events::{Outcome, Requested, emit};

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
