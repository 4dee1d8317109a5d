use mvx_metrics::*; //~ 4 errors

#[metric_event(crate)]
struct Saved;

#[derive(Metric, Default)]
#[metric(on(Saved, with), rename_all)]
struct Saves {
    total: Counter,
    // .. = loads_
    #[dimension(flatten(prefix))]
    loads: Loads,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Loads {
    total_loads: Counter,
}

fn main() {}
