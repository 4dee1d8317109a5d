use mvx_metrics::*; //~ 1 error

#[metric_event]
struct Saved {
    bytes: u64,
    user: String,
    cached: bool,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(by = cached)]
    by_cache: Breakdown<bool, Counter>,
}

fn hits(snapshot: &SavesSnapshot) -> Option<&u64> {
    snapshot.by_cache.get("true")
}

fn main() {}
