//! rustc reports the mistakes and nothing about the code that uses the metric and its snapshot.
use mvx_metrics::{Counter, Extreme, HandleEvent, Max, Metric, Sum, TypedMetric, metric_event}; //~ 3 errors

#[metric_event]
struct Saved {
    bytes: u64,
}

#[derive(Metric, Default)]
#[metric(on(Saved), naem = "saves")]
struct Saves {
    total: Counter,
    #[dimension(vale = bytes)]
    bytes: Sum<u64>,
    // <event field> = bytes
    largest: Max<u64>,
}

fn main() {
    let mut metric = Saves::default();
    metric.handle(&Saved { bytes: 1 });
    let snapshot: SavesSnapshot = metric.typed_snapshot();
    let (_, _): (u64, Extreme<u64>) = (snapshot.bytes, snapshot.largest);
    let _ = (metric.snapshot(), metric.descriptor(), Saves::handlers().len());
}
