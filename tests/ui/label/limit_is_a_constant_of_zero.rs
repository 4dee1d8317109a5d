use mvx_metrics::*; //~ 2 errors

#[metric_event]
struct Saved {
    user: String,
}

const NONE: usize = 0;

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(by = user, limit = NONE)]
    by_user: Breakdown<String, Counter>,
    #[dimension(by = user, limit = 1 - 1)]
    by_user_computed: Breakdown<String, Counter>,
}

fn main() {}
