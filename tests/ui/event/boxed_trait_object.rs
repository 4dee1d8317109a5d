use mvx_metrics::*; //~ 1 error

// Event = JobFinished
#[derive(Metric, Default)]
#[metric(on(Box<dyn MetricEvent>))]
struct Jobs {
    total: Counter,
}

fn main() {}

#[metric_event]
struct JobFinished {
    items: u64,
}
