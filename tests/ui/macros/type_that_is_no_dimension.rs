use mvx_metrics::*; //~ 1 error

#[metric_event]
struct Saved {
    bytes: u64,
    user: String,
    cached: bool,
}

macro_rules! metric {
    ($name:ident, $event:ty, $field:ident, $ty:ty) => {
        #[derive(Metric, Default)]
        #[metric(on($event))]
        struct $name {
            #[dimension(value = $field)]
            value: $ty,
        }
    };
}

metric!(Saves, Saved, bytes, u64);

fn main() {}
