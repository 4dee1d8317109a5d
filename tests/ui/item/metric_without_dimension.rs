use mvx_metrics::*; //~ 3 errors

#[metric_event]
struct Saved;

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Empty {}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Skipped {
    #[dimension(skip)]
    state: u64,
}

#[derive(Metric, Default)]
#[metric(on(Saved, with = Self::on_saved))]
struct Handled {
    #[dimension(skip)]
    state: u64,
}

impl Handled {
    fn on_saved(&mut self, _: &Saved) -> bool {
        self.state += 1;
        true
    }
}

fn main() {}
