use mvx_metrics::*; //~ 1 error

#[metric_event]
struct Saved;

#[derive(Metric)]
#[metric(on(Saved))]
enum Saves {
    Total(Counter),
}

fn main() {}
