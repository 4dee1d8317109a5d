use mvx_metrics::*;

#[derive(Metric, Default)]
#[metric(name = "jobs", on(impl MetricEvent))]
struct Jobs {
    total: Counter,
}

fn main() {}
