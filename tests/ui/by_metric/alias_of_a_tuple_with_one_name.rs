use mvx_metrics::{Breakdown, Counter, Metric, metric_event}; //~ 1 error

type Pair = (bool, bool);

#[metric_event]
struct Request {
    pair: Pair,
}

#[derive(Metric, Default)]
#[metric(on(Request))]
struct PairStats {
    requests: Counter,
}

#[derive(Metric, Default)]
#[metric(on(Request))]
struct Requests {
    #[dimension(by = pair)]
    per_pair: Breakdown<Pair, PairStats>,
}

fn main() {}
