//! rustc reports the mistake and nothing about the metric that listens to the event.
use mvx_metrics::*; //~ 1 error

#[metric_event]
union Saved {
    bytes: u64,
    elapsed: f64,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    total: Counter,
}

fn main() {
    MetricsRecorder::disabled().emit(Saved { bytes: 1 });
}
