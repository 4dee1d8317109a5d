use mvx_metrics::*; //~ 3 errors

#[metric_event]
enum Request {
    Started { id: u64, user: String },
    Ended { id: u64, bytes: u64 },
    Refused(u16),
    Idle,
}

#[derive(Metric, Default)]
struct Requests {
    #[dimension(on(Request::Refused, value = code))]
    codes: Sum<u64>,
    #[dimension(on(Request::Idle, value = bytes))]
    bytes: Sum<u64>,
    #[dimension(on(Request::Ended, value = 0))]
    ids: Sum<u64>,
}

fn main() {}
