use mvx_metrics::*;
use std::time::Duration;

#[metric_event]
struct Saved {
    elapsed: Duration,
    bytes: u64,
    drift: i64,
    load: f64,
}

type Bytes = u64;
type Sizes = Histogram<u64>;

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(value = elapsed)]
    times: Histogram<Duration>,
    #[dimension(value = load)]
    loads: Histogram<f64>,
    #[dimension(value = drift, max_buckets = 40)]
    drifts: Histogram<i64>,
    #[dimension(value = bytes, unit = bytes)]
    sizes: Histogram<Bytes>,
    #[dimension(value = bytes)]
    alias: Sizes,
}

#[derive(Metric, Default)]
struct Measured<T: Measure> {
    #[dimension(manual)]
    values: Histogram<T>,
}

fn main() {
    Saves::default().descriptor();
    Measured::<f64>::default().values.record(1.0);
}
