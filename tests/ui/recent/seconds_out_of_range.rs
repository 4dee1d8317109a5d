use mvx_metrics::*; //~ 3 errors

const NONE: u64 = 0;

#[metric_event]
struct Saved {
    host: String,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    none: Recent<Counter, NONE>,
    too_many: Recent<Counter, 4_294_967_296>,
    #[dimension(by = host, limit = 9)]
    of_label: Breakdown<String, Recent<Counter, { 1 - 1 }>>,
}

fn main() {}
