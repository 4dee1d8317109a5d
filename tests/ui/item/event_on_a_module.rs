use mvx_metrics::metric_event; //~ 1 error

#[metric_event]
mod saved {}

fn main() {}
