use mvx_metrics::{Counter, Metric, metric_event}; //~ 2 errors

#[metric_event]
struct Saved;

#[derive(Metric)]
#[metric(on(Saved))]
#[dimension(name = "saves")]
struct Saves {
    #[metric(name = "total")]
    total: Counter,
}

fn main() {}
