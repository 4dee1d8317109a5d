use mvx_metrics::MetricsRecorder;

#[derive(Default)]
struct Saves;

fn register(recorder: &MetricsRecorder) {
    recorder.metric::<Saves>().ok();
}

fn main() {}
