use mvx_metrics::*;
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

    fn value(&self) -> DimensionValue {
        DimensionValue::map([("low", self.0.into()), ("high", self.1.into())])
    }
}

fn main() {}
