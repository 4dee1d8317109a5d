use mvx_metrics::*; //~ 3 errors

#[metric_event]
struct Saved {
    host: String,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(by = host, limit = 10)]
    by_host: Recent<Breakdown<String, Counter>, 60>,
    #[dimension(by = host, limit = 10)]
    of_windows: Recent<Breakdown<String, Recent<Counter, 30>>, 60>,
    #[dimension(by = host, limit = 10)]
    without_dimension: Recent<Breakdown<String>, 60>,
}

fn main() {}
