use mvx_metrics::{Counter, Metric, metric_event}; //~ 1 error

#[metric_event]
struct Saved;

#[derive(Metric)]
#[metric(on(Saved))]
struct Saves {
    total: Counter,
}

fn main() {
    let _ = Saves::default();
}
