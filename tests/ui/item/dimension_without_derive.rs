use mvx_metrics::*; //~ 1 error

#[metric_event]
struct Saved {
    bytes: u64,
    user: String,
    cached: bool,
}

struct Saves {
    #[dimension(on(Saved))]
    total: Counter,
}

fn main() {}
