use mvx_metrics::*; //~ 3 errors

#[metric_event]
enum Request {
    Started { id: u64, user: String },
    Ended { id: u64, bytes: u64 },
    Refused(u16),
    Idle,
}

#[derive(Metric, Default)]
#[metric(on(Request::Ended), on(Request::Idle), on(Request::Ended))]
struct Requests {
    total: Counter,
}

#[derive(Metric, Default)]
struct OfField {
    #[dimension(on(Request::Ended, value = id), on(Request::Ended, value = bytes))]
    bytes: Sum<u64>,
}

fn main() {}
