use mvx_metrics::*; //~ 4 errors

const TOTAL: &str = "total";
const DISK: &str = "disk";
const INVALID: &str = "invalid";

#[metric_event]
struct Saved {
    store: Store,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(name = TOTAL)]
    first: Counter,
    total: Counter,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct TwoConstants {
    #[dimension(name = TOTAL)]
    first: Counter,
    #[dimension(name = TOTAL)]
    second: Counter,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct OfInvalidValues {
    #[dimension(name = INVALID)]
    total: Counter,
}

#[derive(Label, Clone, Copy, PartialEq, Eq, Hash)]
enum Store {
    #[label(name = DISK)]
    First,
    Disk,
}

fn main() {}
