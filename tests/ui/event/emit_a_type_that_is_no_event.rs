use mvx_metrics::MetricsRecorder; //~ 2 errors

struct Saved;

fn save(recorder: &MetricsRecorder) {
    recorder.register_event(Saved).ok();
}

fn emit(recorder: &MetricsRecorder) {
    recorder.emit(Saved);
}

fn main() {}
