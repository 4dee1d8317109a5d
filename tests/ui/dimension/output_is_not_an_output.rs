use mvx_metrics::*; //~ 1 error
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Spread {
    low: u64,
    high: u64,
}

#[derive(Default)]
struct Extremes(u64, u64);

impl Dimension for Extremes {
    type Output = Spread;
    const KIND: DimensionKind = DimensionKind::Custom;

    fn read(&self) -> Spread {
        Spread { low: self.0, high: self.1 }
    }

    fn value(spread: Spread) -> DimensionValue {
        DimensionValue::map([("low", spread.low.into()), ("high", spread.high.into())])
    }
}

fn main() {}
