//! The kinds of points that OTLP knows, and which of them a value has.

use mvx_metrics::{Buckets, DimensionDescriptor, DimensionKind, DimensionValue, Number};

/// The kind of the points of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Form {
    /// A sum that never falls.
    MonotonicSum,
    /// A sum that may fall. It is cumulative in any temporality, as that of an up-down counter is.
    Sum,
    Gauge,
    Histogram,
    ExponentialHistogram,
}

/// What becomes of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    As(Form),
    /// Nothing was recorded yet, or it is not known.
    Nothing,
    /// The value has no form in OTLP.
    Never,
}

impl Shown {
    /// What becomes of one value, which is no breakdown.
    pub(super) fn of(declared: &DimensionDescriptor, value: &DimensionValue) -> Self {
        use DimensionKind as Kind;
        use DimensionValue as Value;
        let has_window = declared.window.is_some();
        Self::As(match value {
            Value::Empty | Value::Unknown => return Self::Nothing,
            // A window forgets: its quantiles are gauges, and so is its mean.
            Value::Histogram(histogram) if has_window && histogram.count == 0 => return Self::Nothing,
            Value::Histogram(_) if has_window => Form::Gauge,
            Value::Histogram(histogram) => match &histogram.buckets {
                Buckets::Explicit(_) => Form::Histogram,
                Buckets::Exponential(_) => Form::ExponentialHistogram,
                // A kind of buckets that this version does not know.
                _ => return Self::Never,
            },
            Value::Mean(mean) => match mean.sum {
                Number::Unsigned(_) | Number::Duration(_) if !has_window => Form::Histogram,
                _ if mean.count == 0 => return Self::Nothing,
                _ => Form::Gauge,
            },
            Value::Distinct(_) => Form::Gauge,
            Value::InFlight(_) => {
                if has_window {
                    Form::Gauge
                } else {
                    Form::Sum
                }
            }
            Value::Unsigned(_) | Value::Duration(_) | Value::Signed(_) | Value::Float(_) if has_window => {
                Form::Gauge
            }
            Value::Unsigned(_) | Value::Duration(_) => match declared.kind {
                Kind::Counter | Kind::Sum => Form::MonotonicSum,
                Kind::InFlight => Form::Sum,
                _ => Form::Gauge,
            },
            Value::Signed(_) | Value::Float(_) => match declared.kind {
                Kind::Counter | Kind::Sum | Kind::InFlight => Form::Sum,
                _ => Form::Gauge,
            },
            _ => return Self::Never,
        })
    }
}
