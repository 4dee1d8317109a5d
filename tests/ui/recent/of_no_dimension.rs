use mvx_metrics::*; //~ 4 errors

#[metric_event]
struct Saved {
    bytes: u64,
}

// alternatives = 1
#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(value = bytes)]
    number: Recent<u64, 60>,
    #[dimension(value = bytes)]
    sum: Recent<Sum, 60>,
    #[dimension(value = bytes)]
    text: Recent<Sum<String>, 60>,
    #[dimension(set = bytes)]
    gauge: Recent<Gauge<u64>, 60>,
}

fn main() {}
