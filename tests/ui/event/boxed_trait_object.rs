use mvx_metrics::*; //~ 1 error

#[derive(Metric, Default)]
#[metric(on(Box<dyn MetricEvent>))]
struct Jobs {
    total: Counter,
}

fn main() {}
