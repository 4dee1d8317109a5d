use mvx_metrics::metric_event; //~ 1 error

#[metric_event]
const SAVED: u64 = 1;

fn main() {}
