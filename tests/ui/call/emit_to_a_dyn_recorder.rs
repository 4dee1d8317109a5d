use mvx_metrics::*; //~ 1 error

#[metric_event]
struct Saved {
    bytes: u64,
    user: String,
    cached: bool,
}

fn call(recorder: &dyn Recorder) {
    recorder.emit(Saved { bytes: 1, user: String::new(), cached: false });
}

fn main() {}
