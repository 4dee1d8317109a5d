use mvx_metrics::*; //~ 1 error

#[metric_event]
struct Saved {
    bytes: u64,
}

#[derive(Default)]
struct Last(f64);

impl Dimension for Last {
    type Output = f64;
    const KIND: DimensionKind = DimensionKind::Custom;

    fn read(&self) -> f64 {
        self.0
    }

    fn value(output: f64) -> DimensionValue {
        output.into()
    }
}

impl feed::Record<f64> for Last {
    fn record(&mut self, value: f64) -> bool {
        self.0 = value;
        true
    }
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(value = bytes)]
    last: Last,
}

fn main() {}
