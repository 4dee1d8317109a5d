use mvx_metrics::*; //~ 1 error

#[metric_event]
struct Saved {
    bytes: u64,
}

#[derive(Default)]
struct Last(u64);

impl Dimension for Last {
    type Output = u64;
    const KIND: DimensionKind = DimensionKind::Custom;

    fn read(&self) -> u64 {
        self.0
    }

    fn value(output: u64) -> DimensionValue {
        output.into()
    }
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(value = bytes)]
    last: Last,
}

fn main() {}
