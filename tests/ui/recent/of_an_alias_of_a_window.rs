use mvx_metrics::*; //~ 2 errors

type Minute<D> = Recent<D, 60>;
type ByHost<D> = Breakdown<String, D>;

#[metric_event]
struct Saved;

#[metric_event]
struct Loaded;

#[derive(Metric, Default)]
#[metric(on(Saved), on(Loaded, with = Self::on_loaded))]
struct Saves {
    window: Recent<Minute<Counter>, 60>,
    #[dimension(manual)]
    breakdown: Recent<ByHost<Counter>, 60>,
}

impl Saves {
    fn on_loaded(&mut self, _: &Loaded) -> bool {
        false
    }
}

fn main() {}
