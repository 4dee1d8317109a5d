use mvx_metrics::*; //~ 3 errors
use std::time::Duration;

#[metric_event]
struct Saved {
    elapsed: Duration,
    bytes: u64,
    user: String,
    load: f64,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    /// The item, its snapshot and its impls stay usable.
    #[dimension(wen = |e| e.bytes > 0)]
    total: Counter,
    // <event field> = bytes
    bytes: Sum<u64>,
    #[dimension(set = load, buckets = [1.0])]
    load: Gauge<f64>,
}

fn main() {
    let metric = Saves::default();
    let snapshot: SavesSnapshot = metric.typed_snapshot();
    let _: (u64, u64, Option<f64>) = (snapshot.total, snapshot.bytes, snapshot.load);
    let _ = metric.snapshot();
}
