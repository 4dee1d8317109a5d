use mvx_metrics::*; //~ 2 errors

#[metric_event]
struct Saved {
    load: Option<f64>,
    user: Option<String>,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(by = load, limit = 10)]
    by_load: Breakdown<String, Counter>,
    #[dimension(by(length = |e| e.user.as_ref().map(String::len)), limit = 10)]
    by_length: Breakdown<u64, Counter>,
}

fn main() {}
