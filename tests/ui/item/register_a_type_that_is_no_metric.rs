use mvx_metrics::MetricsRecorder; //~ 1 error

struct Saves;

fn register(recorder: &MetricsRecorder) {
    recorder.register_metric(Saves).ok();
}

fn main() {}
