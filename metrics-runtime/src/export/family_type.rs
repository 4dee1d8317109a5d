//! The types that Prometheus knows, and which of them a value has.

use crate::descriptor::{DimensionDescriptor, DimensionKind};
use crate::snapshot::{DimensionValue, Number};

/// The type of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum FamilyType {
    Counter,
    Gauge,
    Histogram,
    /// A mean with a sum that never falls, as a sum and a count.
    Summary,
    Unknown,
}

impl FamilyType {
    /// The type of one value; `None` for a value that has no series.
    pub(super) fn of(declared: &DimensionDescriptor, value: &DimensionValue) -> Option<Self> {
        use DimensionKind::{
            Counter, Custom, Distinct, Gauge, Histogram, InFlight, Max, Mean, Min, Sum, Top,
        };
        use DimensionValue as Value;
        let has_window = declared.window.is_some();
        Some(match (declared.kind, value) {
            (
                _,
                Value::Empty
                | Value::Unknown
                | Value::Bool(_)
                | Value::Text(_)
                | Value::List(_)
                | Value::Map(_)
                // `parts` shows it as two breakdowns.
                | Value::Top(_)
                | Value::Breakdown(_),
            ) => return None,
            // The quantiles of a window. A summary would not do: its counts must not fall, it has no quantiles below zero, and
            // Prometheus takes counts that are left out for 0.
            (_, Value::Histogram(histogram)) if has_window => {
                return (histogram.count > 0).then_some(Self::Gauge);
            }
            (_, Value::Histogram(_)) => Self::Histogram,
            (_, Value::Mean(mean)) => match mean.sum {
                Number::Unsigned(_) | Number::Duration(_) if !has_window => Self::Summary,
                _ if mean.count == 0 => return None,
                _ => Self::Gauge,
            },
            _ if has_window => Self::Gauge,
            (Counter | Sum, Value::Unsigned(_) | Value::Duration(_)) => Self::Counter,
            // A sum of signed numbers may fall.
            (_, Value::InFlight(_) | Value::Distinct(_))
            | (Counter | Sum | Min | Max | Mean | Gauge | InFlight | Distinct | Top, _) => Self::Gauge,
            (Histogram | Custom, _) => Self::Unknown,
        })
    }

    /// The suffixes that series of such a family may have. The family also reserves its name without a suffix.
    pub(super) fn suffixes(self) -> &'static [&'static str] {
        match self {
            Self::Counter => &["", "_total", "_created"],
            Self::Histogram => &["", "_bucket", "_count", "_sum", "_created"],
            Self::Summary => &["", "_count", "_sum", "_created"],
            Self::Gauge | Self::Unknown => &[""],
        }
    }
}
