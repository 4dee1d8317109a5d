use mvx_metrics::metric_event; //~ 1 error

#[metric_event(name = "document saved")]
struct Saved;

fn main() {}
