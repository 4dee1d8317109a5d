use mvx_metrics::*; //~ 4 errors
use std::time::Duration;

#[metric_event]
struct Saved {
    elapsed: Duration,
    user: String,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(value = elapsed, from = nanoseconds)]
    duration: Sum<Duration>,
    #[dimension(value = |e| e.elapsed, from = nanoseconds)]
    closure: Max<Duration>,
    #[dimension(set = Duration::from_secs(1), from = seconds)]
    constant: Gauge<Duration>,
    #[dimension(value = user, from = seconds)]
    text: Histogram<Duration>,
}

fn main() {}
