use mvx_metrics::*; //~ 1 error

#[metric_event]
enum Request {
    Started { id: u64, user: String },
    Ended { id: u64, bytes: u64 },
    Refused(u16),
    Idle,
}

#[metric_event]
struct Saved {
    bytes: u64,
}

#[derive(Metric, Default)]
struct Saves {
    #[dimension(on(Saved::Ended))]
    total: Counter,
}

fn main() {}
