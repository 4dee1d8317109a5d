use mvx_metrics::metric_event; //~ 2 errors

#[metric_event = "saved"]
struct Saved;

fn main() {}
