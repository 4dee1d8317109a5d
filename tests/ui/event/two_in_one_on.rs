use mvx_metrics::*; //~ 2 errors

#[metric_event]
struct Saved;

mod events {
    #[mvx_metrics::metric_event]
    pub struct Loaded;
}

#[derive(Metric, Default)]
#[metric(on(Saved, events::Loaded))]
struct Calls {
    total: Counter,
}

#[derive(Metric, Default)]
struct More {
    #[dimension(on(events::Loaded, Saved))]
    total: Counter,
}

fn main() {}
