use mvx_metrics::metric_event;

#[metric_event(nam = "saved")]
struct Saved;

fn main() {}
