use mvx_metrics::*;

#[metric_event]
struct Saved {
    host: String,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(by = host, keep = 10)]
    by_host: Recent<Top<String, Counter>, 60>,
}

fn main() {}
