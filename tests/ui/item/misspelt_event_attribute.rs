use mvx_metrics::*; //~ 1 error

#[metric_events]
struct Saved;

fn main() {}
