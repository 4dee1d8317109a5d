use mvx_metrics::*;

#[metric_event]
#[metric_event]
pub struct Done;

fn main() {}
