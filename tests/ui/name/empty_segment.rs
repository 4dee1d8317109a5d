use mvx_metrics::*; //~ 7 errors

#[metric_event(name = "saved.")]
struct Saved {
    bytes: u64,
}

#[metric_event(name = ".loaded")]
struct Loaded;

#[derive(Metric, Default)]
#[metric(name = "saves..done", on(Saved))]
struct Saves {
    #[dimension(name = "total.")]
    total: Counter,
    #[dimension(name = "a...b")]
    other: Counter,
    #[dimension(value = bytes, unit = "bytes.")]
    bytes: Sum<u64>,
    #[dimension(flatten(prefix = "loads.."))]
    loads: Loads,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Loads {
    total: Counter,
}

fn main() {}
