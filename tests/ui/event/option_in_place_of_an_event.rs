use mvx_metrics::*;

#[derive(Metric, Default)]
#[metric(name = "jobs")]
struct Jobs {
    #[dimension(on(value = items))]
    n: Sum<u64>,
}

fn main() {}
