use mvx_metrics::MetricsRecorder;

struct Saves;

fn register(recorder: &MetricsRecorder) {
    recorder.register_metric(Saves).ok();
}

fn main() {}
