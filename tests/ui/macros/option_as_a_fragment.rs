use mvx_metrics::*; //~ 1 error

#[metric_event]
struct Saved {
    bytes: u64,
    user: String,
    cached: bool,
}

macro_rules! metric {
    ($name:ident, $option:ident) => {
        #[derive(Metric, Default)]
        #[metric(on(Saved))]
        struct $name {
            #[dimension($option = bytes)]
            value: Sum<u64>,
        }
    };
}

metric!(Saves, vlaue);

fn main() {}
