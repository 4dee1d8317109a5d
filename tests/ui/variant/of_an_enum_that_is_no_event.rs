use mvx_metrics::*; //~ 1 error

#[metric_event]
enum Request {
    Started { id: u64, user: String },
    Ended { id: u64, bytes: u64 },
    Refused(u16),
    Idle,
}

enum Step {
    Began,
    Ended,
}

#[derive(Metric, Default)]
struct Steps {
    #[dimension(on(Step::Ended))]
    total: Counter,
}

fn main() {}
