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
    #[dimension(on(Request::Ended, value = byts))]
    bytes: Sum<u64>,
    #[dimension(on(Request::Started, by = usr, limit = 10))]
    by_user: Breakdown<String, Counter>,
    #[dimension(on(Request::Refused, value = 1))]
    codes: Sum<u64>,
}

fn main() {}
