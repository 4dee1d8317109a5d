use mvx_metrics::*; //~ 1 error

#[metric_event]
struct Saved {
    bytes: u64,
    user: String,
    cached: bool,
}

macro_rules! metric {
    ($value:expr) => {
        #[derive(Metric, Default)]
        #[metric(on(Saved))]
        struct Saves {
            #[dimension(value = $value)]
            bytes: Sum<u64>,
        }
    };
}

metric!(bytes / 2);

fn main() {}
