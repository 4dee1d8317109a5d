use mvx_metrics::*; //~ 1 error

// Event = JobFinished
#[derive(Metric, Default)]
#[metric(name = "jobs", on(dyn MetricEvent))]
struct Jobs {
    total: Counter,
}

fn main() {}

#[metric_event]
struct JobFinished {
    items: u64,
}
