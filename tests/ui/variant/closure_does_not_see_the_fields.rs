use mvx_metrics::*; //~ 2 errors

#[metric_event]
enum Request {
    Started { id: u64, user: String },
    Ended { id: u64, bytes: u64 },
    Refused(u16),
    Idle,
}

#[derive(Metric, Default)]
struct Requests {
    #[dimension(on(Request::Ended, value = bytes))]
    bytes: Sum<u64>,
    #[dimension(on(Request::Ended, value = |_| field_bytes))]
    similar: Sum<u64>,
    #[dimension(on(Request::Ended, value = |e| e.bytes))]
    of_the_enum: Sum<u64>,
}

fn main() {}
