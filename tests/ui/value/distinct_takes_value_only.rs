use mvx_metrics::*; //~ 3 errors

#[metric_event]
struct Visited {
    user: u64,
}

#[derive(Metric, Default)]
#[metric(on(Visited))]
struct Visits {
    #[dimension(add = user)]
    added: Distinct,
    #[dimension(sub = user)]
    subtracted: Distinct,
    #[dimension(set = user)]
    set: Distinct,
}

fn main() {}
