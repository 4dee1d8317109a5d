use mvx_metrics::*; //~ 2 errors

#[metric_event]
struct Saved {
    bytes: u64,
    user: String,
    cached: bool,
}

macro_rules! metric {
    ($first:ident, $second:ident, $name:literal) => {
        #[derive(Metric, Default)]
        #[metric(on(Saved))]
        struct Saves {
            #[dimension(name = $name)]
            $first: Counter,
            #[dimension(name = $name)]
            $second: Counter,
        }
    };
}

metric!(all, total, "saves");

fn main() {}
