use mvx_metrics::*;

#[derive(Metric, Default)]
#[metric(on(Box<dyn MetricEvent>))]
struct Jobs {
    total: Counter,
}

fn main() {}
