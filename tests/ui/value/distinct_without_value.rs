use mvx_metrics::*; //~ 2 errors

#[metric_event]
struct Visited {
    user: u64,
    by_day: bool,
}

#[derive(Metric, Default)]
#[metric(on(Visited))]
struct Visits {
    // <event field> = user
    users: Distinct,
    #[dimension(by = by_day)]
    users_by_day: Breakdown<bool, Distinct>,
}

fn main() {}
