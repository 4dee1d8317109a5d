use mvx_metrics::*; //~ 1 error

#[metric_event]
enum Request {
    Started { id: u64, user: String },
    Ended { id: u64, bytes: u64 },
    Refused(u16),
    Idle,
}

#[derive(Metric, Default)]
#[metric(on(Request::Started), on(Request::Ended))]
struct Requests {
    // .. = id
    #[dimension(value = id)]
    ids: Sum<u64>,
}

fn main() {}
