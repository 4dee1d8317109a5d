use mvx_metrics::*; //~ 1 error

// Event = JobFinished
#[derive(Metric, Default)]
#[metric(name = "jobs")]
struct Jobs {
    #[dimension(on(value = items))]
    n: Sum<u64>,
}

fn main() {}

#[metric_event]
struct JobFinished {
    items: u64,
}
