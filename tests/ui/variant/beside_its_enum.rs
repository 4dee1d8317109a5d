use mvx_metrics::*; //~ 2 errors

#[metric_event]
enum Request {
    Started { id: u64, user: String },
    Ended { id: u64, bytes: u64 },
    Refused(u16),
    Idle,
}

#[derive(Metric, Default)]
#[metric(on(Request::Ended), on(Request))]
struct Requests {
    total: Counter,
}

#[derive(Metric, Default)]
struct OfField {
    #[dimension(on(Request), on(Request::Ended, add = bytes))]
    bytes: Counter,
}

fn main() {}
