use mvx_metrics::*; //~ 1 error

#[metric_event]
#[metric_event]
pub struct Done;

fn main() {}
