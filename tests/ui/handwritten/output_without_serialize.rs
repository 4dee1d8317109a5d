use mvx_metrics::*; //~ 2 errors

#[metric_event]
struct Saved {
    bytes: u64,
}

#[derive(Debug, Clone, PartialEq)]
struct Spread(u64);

impl Output for Spread {}

fn main() {}
