use mvx_metrics::*; //~ 1 error

#[metric_event]
struct Saved {
    user: String,
}

const MOST: u32 = 10;

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(by = user, limit = MOST)]
    by_user: Breakdown<String, Counter>,
}

fn main() {}
