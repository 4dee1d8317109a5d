use mvx_metrics::*; //~ 1 error

#[metric_event]
struct Saved {
    bytes: u64,
    user: String,
    cached: bool,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    total: Counter,
}

fn call(recorder: &MetricsRecorder) {
    let _ = recorder.register_metric(Saves);
}

fn main() {}
