use mvx_metrics::metric_event; //~ 1 error

#[metric_event]
type Saved = u64;

fn main() {}
