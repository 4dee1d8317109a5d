use mvx_metrics::*; //~ 5 errors

#[metric_event]
struct Saved {
    bytes: u64,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(value = bytes)]
    counter: Recent<Counter, 60>,
    // <event field> = bytes
    sum: Recent<Sum<u64>, 60>,
    #[dimension(by = bytes)]
    by_bytes: Recent<Counter, 60>,
    #[dimension(value = bytes, buckets = [1, 2])]
    mean: Recent<Mean<u64>, 60>,
    #[dimension(value = bytes, merge = max)]
    max: Recent<Max<u64>, 60>,
}

fn main() {}
