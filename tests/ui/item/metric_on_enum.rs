use mvx_metrics::*;

#[metric_event]
struct Saved;

#[derive(Metric)]
#[metric(on(Saved))]
enum Saves {
    Total(Counter),
}

fn main() {}
