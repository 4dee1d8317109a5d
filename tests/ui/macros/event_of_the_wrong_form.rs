use mvx_metrics::*; //~ 1 error

#[metric_event]
struct Saved {
    bytes: u64,
    user: String,
    cached: bool,
}

macro_rules! metric {
    ($event:literal) => {
        #[derive(Metric, Default)]
        #[metric(on($event))]
        struct Saves {
            total: Counter,
        }
    };
}

metric!("Saved");

fn main() {}
