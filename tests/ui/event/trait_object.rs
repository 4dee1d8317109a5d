use mvx_metrics::*;

#[derive(Metric, Default)]
#[metric(name = "jobs", on(dyn MetricEvent))]
struct Jobs {
    total: Counter,
}

fn main() {}
