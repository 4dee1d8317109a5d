use mvx_metrics::metric_event; //~ 1 error

#[metric_event]
fn saved() {}

fn main() {}
