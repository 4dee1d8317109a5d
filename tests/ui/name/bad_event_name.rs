use mvx_metrics::metric_event;

#[metric_event(name = "document saved")]
struct Saved;

fn main() {}
