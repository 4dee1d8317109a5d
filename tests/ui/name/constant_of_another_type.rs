use mvx_metrics::*; //~ 6 errors

const NUMBER: u32 = 5;

#[metric_event(name = NUMBER)]
struct Saved {
    store: Store,
}

#[derive(Metric, Default)]
#[metric(name = NUMBER, on(Saved))]
struct Saves {
    #[dimension(name = NUMBER)]
    total: Counter,
    #[dimension(name = UNKNOWN)]
    unknown: Counter,
    #[dimension(flatten(prefix = NUMBER))]
    loads: Loads,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Loads {
    total: Counter,
}

#[derive(Label, Clone, Copy, PartialEq, Eq, Hash)]
enum Store {
    #[label(name = NUMBER)]
    Memory,
    Disk,
}

fn main() {}
