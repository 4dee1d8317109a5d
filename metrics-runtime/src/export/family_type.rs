//! The types that Prometheus knows, and which of them a value has.

use crate::descriptor::{DimensionDescriptor, DimensionKind};
use crate::number::NumberType;
use crate::snapshot::DimensionValue;

/// The type of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum FamilyType {
    Counter,
    Gauge,
    Histogram,
    /// A mean with a sum that never falls, as a sum and a count.
    Summary,
    Unknown,
}

/// What a value has that decides about the type of its family.
#[derive(Debug, Clone, Copy)]
enum Form {
    Number(NumberType),
    /// The type is that of the sum.
    Mean(NumberType),
    Histogram,
    /// Work in flight and counts of different values: both may fall.
    Level,
}

impl Form {
    /// The form of one value; `None` for a value that never has series, and for one that is empty.
    fn of(value: &DimensionValue) -> Option<Self> {
        use DimensionValue as Value;
        Some(match value {
            Value::Unsigned(_) => Self::Number(NumberType::Unsigned),
            Value::Signed(_) => Self::Number(NumberType::Signed),
            Value::Float(_) => Self::Number(NumberType::Float),
            Value::Duration(_) => Self::Number(NumberType::Duration),
            Value::Mean(mean) => Self::Mean(mean.sum.number_type()),
            Value::Histogram(_) => Self::Histogram,
            Value::InFlight(_) | Value::Distinct(_) => Self::Level,
            Value::Empty
            | Value::Unknown
            | Value::Bool(_)
            | Value::Text(_)
            | Value::List(_)
            | Value::Map(_)
            // `parts` shows it as two breakdowns.
            | Value::Top(_)
            | Value::Breakdown(_) => return None,
        })
    }

    /// The form that the values of a dimension have, by its declaration alone. Where that does not say the type of the numbers, a
    /// count is taken for unsigned, and everything else for a number that may fall.
    #[cfg(feature = "catalogue")]
    fn declared(declared: &DimensionDescriptor) -> Self {
        use DimensionKind::{Counter, Distinct, Histogram, InFlight, Mean};
        let number = declared.number.unwrap_or(NumberType::Float);
        match declared.kind {
            Counter => Self::Number(declared.number.unwrap_or(NumberType::Unsigned)),
            Mean => Self::Mean(number),
            Histogram => Self::Histogram,
            InFlight | Distinct => Self::Level,
            _ => Self::Number(number),
        }
    }
}

impl FamilyType {
    /// The type of one value; `None` for a value that has no series.
    pub(super) fn of(declared: &DimensionDescriptor, value: &DimensionValue) -> Option<Self> {
        let family = Self::of_form(declared, Form::of(value)?);
        let is_empty = match value {
            DimensionValue::Histogram(histogram) => histogram.count == 0,
            DimensionValue::Mean(mean) => mean.count == 0,
            _ => false,
        };
        // Neither the quantiles of no values nor their mean are known.
        (family != Self::Gauge || !is_empty).then_some(family)
    }

    fn of_form(declared: &DimensionDescriptor, form: Form) -> Self {
        use DimensionKind::{
            Counter, Custom, Distinct, Gauge, Histogram, InFlight, Max, Mean, Min, Sum, Top,
        };
        use NumberType::{Duration, Unsigned};
        let has_window = declared.window.is_some();
        match (declared.kind, form) {
            // The quantiles of a window. A summary would not do: its counts must not fall, it has no quantiles below zero, and
            // Prometheus takes counts that are left out for 0.
            (_, Form::Histogram) if has_window => Self::Gauge,
            (_, Form::Histogram) => Self::Histogram,
            (_, Form::Mean(Unsigned | Duration)) if !has_window => Self::Summary,
            (_, Form::Mean(_)) => Self::Gauge,
            _ if has_window => Self::Gauge,
            (Counter | Sum, Form::Number(Unsigned | Duration)) => Self::Counter,
            // A sum of signed numbers may fall.
            (_, Form::Level)
            | (Counter | Sum | Min | Max | Mean | Gauge | InFlight | Distinct | Top, Form::Number(_)) => {
                Self::Gauge
            }
            (Histogram | Custom, Form::Number(_)) => Self::Unknown,
        }
    }

    /// The type that the values of a dimension will have, and whether their series have the label `quantile`. `value` may be empty;
    /// `None` for one that never has series, such as a text.
    #[cfg(feature = "catalogue")]
    pub(super) fn expected(declared: &DimensionDescriptor, value: &DimensionValue) -> Option<(Self, bool)> {
        fn form(declared: &DimensionDescriptor, value: &DimensionValue) -> Option<Form> {
            let is_empty = matches!(value, DimensionValue::Empty | DimensionValue::Unknown);
            if is_empty { Some(Form::declared(declared)) } else { Form::of(value) }
        }
        let form = match value {
            DimensionValue::Breakdown(entries) if entries.is_empty() => Some(Form::declared(declared)),
            DimensionValue::Breakdown(entries) => {
                entries.iter().find_map(|entry| form(declared, &entry.value))
            }
            value => form(declared, value),
        };
        let form = form?;
        let has_quantiles = matches!(form, Form::Histogram) && declared.window.is_some();
        Some((Self::of_form(declared, form), has_quantiles))
    }

    /// What stands behind the name of a family in the heads of the Prometheus format.
    pub(super) fn head_suffix(self) -> &'static str {
        if self == Self::Counter { "_total" } else { "" }
    }

    /// The names that no other family may have beside a family with this name: that of the family, and those that its series have
    /// in any format.
    pub(crate) fn reserved(self, name: &str) -> Vec<String> {
        let suffixes: &[&str] = match self {
            Self::Counter => &["", "_total", "_created"],
            Self::Histogram => &["", "_bucket", "_count", "_sum", "_created"],
            Self::Summary => &["", "_count", "_sum", "_created"],
            Self::Gauge | Self::Unknown => &[""],
        };
        suffixes.iter().map(|suffix| format!("{name}{suffix}")).collect()
    }
}
