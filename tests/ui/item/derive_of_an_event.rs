use mvx_metrics::*; //~ 1 error

#[derive(MetricEvent)]
struct Saved;

fn main() {}
