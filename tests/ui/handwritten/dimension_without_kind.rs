use mvx_metrics::*; //~ 1 error

#[metric_event]
struct Saved {
    bytes: u64,
}

#[derive(Default)]
struct Last(u64);

impl Dimension for Last {
    type Output = u64;

    fn read(&self) -> u64 {
        self.0
    }

    fn value(output: u64) -> DimensionValue {
        output.into()
    }
}

fn main() {}
