use mvx_metrics::feed::Count; //~ 3 errors
use mvx_metrics::*;

#[metric_event]
struct Saved;

struct Last(u64);

impl Dimension for Last {
    type Output = u64;
    const KIND: DimensionKind = DimensionKind::Custom;
    const MERGE: Option<fn(&mut u64, &u64)> = Some(|one, other| *one += other);

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

#[derive(Metric)]
#[metric(on(Saved))]
struct Saves {
    last: Recent<Last, 60>,
}

fn main() {}
