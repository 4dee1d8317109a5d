use mvx_metrics::*; //~ 1 error
use std::time::Duration;

#[metric_event]
struct Saved {
    elapsed: Duration,
    bytes: u64,
    user: String,
    load: f64,
}

struct Pair(u64, u64);

impl Pair {
    fn first(&self) -> u64 {
        self.0
    }
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(value = Pair::first)]
    bytes: Sum<u64>,
}

fn main() {}
