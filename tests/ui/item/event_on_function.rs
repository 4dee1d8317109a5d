use mvx_metrics::metric_event;

#[metric_event]
fn saved() {}

fn main() {}
