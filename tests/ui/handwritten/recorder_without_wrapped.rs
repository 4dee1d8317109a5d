use mvx_metrics::*; //~ 1 error

#[metric_event]
struct Saved {
    bytes: u64,
}

struct Filter(MetricsRecorder);

impl Recorder for Filter {
    fn register_any<'a>(&self, event: AnyEvent<'a>) -> Result<(), RegisterEventError<AnyEvent<'a>>> {
        self.0.register_any(event)
    }
}

fn main() {}
