use mvx_metrics::*; //~ 1 error

#[metric_event]
struct Saved {
    bytes: u64,
    user: String,
    cached: bool,
}

macro_rules! metric {
    ($name:ident) => {
        #[derive(Metric, Default)]
        #[metric(name = $name, on(Saved))]
        struct Saves {
            total: Counter,
        }
    };
}

metric!(saves);

fn main() {}
