//! What values are to Prometheus.

use crate::descriptor::DimensionKind;
use crate::export::totals::{DimensionTotal, Total};
use crate::snapshot::DimensionValue;

/// What a family is to Prometheus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::export) enum FamilyType {
    Counter,
    Gauge,
    Histogram,
    Unknown,
}

impl FamilyType {
    /// What may follow the name of a family in the names of its series. The name alone is always taken, too.
    pub(super) fn suffixes(self) -> &'static [&'static str] {
        match self {
            Self::Counter => &["", "_total", "_created"],
            Self::Histogram => &["", "_bucket", "_count", "_sum", "_created"],
            Self::Gauge | Self::Unknown => &[""],
        }
    }
}

pub(super) fn type_of_total(total: &DimensionTotal) -> Option<FamilyType> {
    match &total.value {
        Total::Plain(value) => type_of(total.declared.kind, value),
        Total::Labelled(labelled) => {
            labelled.entries.iter().find_map(|entry| type_of(total.declared.kind, &entry.value))
        }
    }
}

/// What a value is to Prometheus; `None` when it is nothing to show.
pub(in crate::export) fn type_of(kind: DimensionKind, value: &DimensionValue) -> Option<FamilyType> {
    use DimensionKind::{Counter, Custom, Gauge, Histogram, InFlight, Max, Mean, Min, Sum};
    use DimensionValue as Value;
    Some(match (kind, value) {
        (
            _,
            Value::Empty
            | Value::Mean { count: 0, .. }
            | Value::Text(_)
            | Value::Map(_)
            | Value::Breakdown(_),
        ) => return None,
        (_, Value::Histogram(_)) => FamilyType::Histogram,
        (Counter | Sum, Value::Unsigned(_) | Value::Duration(_)) => FamilyType::Counter,
        // A sum of numbers with a sign may fall.
        (_, Value::Mean { .. } | Value::InFlight { .. })
        | (Counter | Sum | Min | Max | Mean | Gauge | InFlight, _) => FamilyType::Gauge,
        (Histogram | Custom, _) => FamilyType::Unknown,
    })
}
