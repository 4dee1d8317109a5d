use mvx_metrics::*; //~ 1 error

#[metric_event]
struct Weighed {
    grams: f64,
}

#[derive(Metric, Default)]
#[metric(on(Weighed))]
struct Scales {
    #[dimension(value = grams)]
    weights: Distinct,
}

fn main() {}
