use mvx_metrics::*; //~ 1 error

#[derive(Metric, Default)]
#[metric(name = "jobs", on(dyn MetricEvent))]
struct Jobs {
    total: Counter,
}

fn main() {}
