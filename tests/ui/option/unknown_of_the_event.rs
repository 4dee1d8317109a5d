use mvx_metrics::metric_event; //~ 1 error

#[metric_event(nam = "saved")]
struct Saved;

fn main() {}
