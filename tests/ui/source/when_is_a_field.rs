use mvx_metrics::*; //~ 1 error

#[metric_event]
struct Saved {
    large: bool,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(when = large)]
    large_total: Counter,
}

fn main() {}
