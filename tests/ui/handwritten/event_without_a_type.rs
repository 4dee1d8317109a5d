use mvx_metrics::*; //~ 1 error

#[metric_event]
struct Saved {
    bytes: u64,
}

struct Loaded;

impl MetricEvent for Loaded {}

fn main() {}
