use mvx_metrics::{Counter, Metric, MetricsRecorder, metric_event}; //~ 1 error

#[metric_event]
struct Saved;

#[derive(Metric)]
#[metric(on(Saved))]
struct Saves {
    total: Counter,
}

fn register(recorder: &MetricsRecorder) {
    recorder.metric::<Saves>().ok();
}

fn main() {}
