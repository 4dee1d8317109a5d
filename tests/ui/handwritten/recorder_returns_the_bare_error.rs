use mvx_metrics::*; //~ 1 error

#[metric_event]
struct Saved {
    bytes: u64,
}

struct Filter(MetricsRecorder);

impl Recorder for Filter {
    fn register_any<'a>(&self, event: AnyEvent<'a>) -> Result<(), MetricsRecorderError> {
        self.0.register_any(event).map_err(|_| MetricsRecorderError::LoopUnavailable)
    }

    fn wrapped(&self) -> Option<&dyn Recorder> {
        Some(&self.0)
    }
}

fn main() {}
