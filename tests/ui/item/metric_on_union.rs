use mvx_metrics::*;

#[metric_event]
struct Saved;

#[derive(Metric)]
#[metric(on(Saved))]
union Saves {
    total: Counter,
}

fn main() {}
