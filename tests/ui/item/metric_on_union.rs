use mvx_metrics::*; //~ 1 error

#[metric_event]
struct Saved;

#[derive(Metric)]
#[metric(on(Saved))]
union Saves {
    total: Counter,
}

fn main() {}
