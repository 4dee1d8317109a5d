use mvx_metrics::*; //~ 3 errors

#[metric_event]
struct Visited {
    user: u64,
}

#[derive(Metric, Default)]
#[metric(on(Visited))]
struct Visits {
    #[dimension(value = user, merge = max)]
    merged: Distinct,
    #[dimension(value = user, buckets = [1, 2])]
    in_buckets: Distinct,
    #[dimension(value = user, limit = 10)]
    limited: Distinct,
}

fn main() {}
