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

#[metric_event]
struct Loaded;

fn call(recorder: &MetricsRecorder) {
    let mut saves = Saves::default();
    saves.handle(&Loaded);
}

fn main() {}
