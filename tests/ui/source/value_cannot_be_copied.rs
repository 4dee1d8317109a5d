use mvx_metrics::*; //~ 1 error
use std::time::Duration;

#[metric_event]
struct Saved {
    elapsed: Duration,
    bytes: u64,
    user: String,
    load: f64,
}

#[derive(Default)]
struct Users(u64);

impl Dimension for Users {
    type Output = u64;
    const KIND: DimensionKind = DimensionKind::Custom;

    fn read(&self) -> u64 {
        self.0
    }

    fn value(output: u64) -> DimensionValue {
        output.into()
    }
}

impl feed::Record<String> for Users {
    fn record(&mut self, _: String) -> bool {
        true
    }
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(value = user)]
    users: Users,
}

fn main() {}
