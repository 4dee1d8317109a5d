use mvx_metrics::*; //~ 1 error

#[metric_event]
struct Saved {
    bytes: u64,
    user: String,
    cached: bool,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves<T: Send + Default + 'static> {
    total: Counter,
    #[dimension(skip)]
    state: T,
}

fn register(recorder: &MetricsRecorder) {
    let _ = recorder.metric::<Saves<std::rc::Rc<u8>>>();
}

fn main() {}
