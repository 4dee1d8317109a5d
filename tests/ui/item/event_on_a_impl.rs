use mvx_metrics::metric_event; //~ 1 error

struct Saved;

#[metric_event]
impl Saved {}

fn main() {}
