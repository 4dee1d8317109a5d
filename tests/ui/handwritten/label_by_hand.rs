use mvx_metrics::*; //~ 1 error

#[metric_event]
struct Saved {
    bytes: u64,
}

struct Host(String);

impl Label for Host {}

fn main() {}
