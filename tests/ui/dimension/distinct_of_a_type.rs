use mvx_metrics::*; //~ 2 errors

#[metric_event]
struct Visited {
    user: u64,
    page: String,
    by_day: bool,
}

#[derive(Metric, Default)]
#[metric(on(Visited))]
struct Visits {
    #[dimension(value = user)]
    users: Distinct<u64>,
    #[dimension(by = by_day, value = page)]
    pages: Breakdown<bool, Distinct<String>>,
}

fn main() {}
