use mvx_metrics::feed::Count; //~ 1 error
use mvx_metrics::*;

#[metric_event]
struct Saved;

#[derive(Default)]
struct Last(u64);

impl Dimension for Last {
    type Output = u64;
    const KIND: DimensionKind = DimensionKind::Custom;

    fn read(&self) -> u64 {
        self.0
    }

    fn value(last: u64) -> DimensionValue {
        last.into()
    }
}

impl Count for Last {
    fn count(&mut self) -> bool {
        self.0 += 1;
        true
    }
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    last: Recent<Last, 60>,
}

fn main() {}
