use mvx_metrics::MetricsRecorder; //~ 1 error

#[derive(Default)]
struct Saves;

fn register(recorder: &MetricsRecorder) {
    recorder.metric::<Saves>().ok();
}

fn main() {}
