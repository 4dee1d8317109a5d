use mvx_metrics::*; //~ 2 errors

#[metric_event]
struct Saved;

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Loads {
    total: Counter,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves<T: Default + Send + 'static> {
    total: Counter,
    // .. = loads_
    #[dimension(flatten)]
    loads: Loads,
    #[dimension(skip)]
    state: T,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Nested<T: Default + Send + 'static> {
    in_total: Counter,
    #[dimension(flatten(prefix = "in_"))]
    inner: Loads,
    #[dimension(skip)]
    state: T,
}

fn main() {}
