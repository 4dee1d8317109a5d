use mvx_metrics::*; //~ 2 errors

type Minute<D> = Recent<D, 60>;
type ByHost<D> = Breakdown<String, D>;

#[metric_event]
struct Saved;

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    window: Recent<Minute<Counter>, 60>,
    #[dimension(manual)]
    breakdown: Recent<ByHost<Counter>, 60>,
}

fn main() {}
