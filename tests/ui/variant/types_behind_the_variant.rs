use mvx_metrics::*; //~ 1 error

#[metric_event]
enum Request {
    Started { id: u64, user: String },
    Ended { id: u64, bytes: u64 },
    Refused(u16),
    Idle,
}

#[metric_event]
enum Job<T: Send + 'static> {
    Ended(T),
}

#[derive(Metric, Default)]
struct Jobs {
    #[dimension(on(Job::Ended<u64>, value = 0))]
    sum: Sum<u64>,
}

fn main() {}
