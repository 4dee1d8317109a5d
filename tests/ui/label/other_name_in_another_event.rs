use mvx_metrics::*; //~ 1 error

#[metric_event]
struct Started {
    kind: bool,
}

#[metric_event]
struct Ended {
    is_large: bool,
}

#[derive(Metric, Default)]
struct Jobs {
    #[dimension(on(Started, by = kind, add), on(Ended, by = is_large, sub))]
    running: Breakdown<bool, InFlight>,
}

fn main() {}
