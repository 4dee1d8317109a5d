//! The snapshots of means and of work in flight: each keeps the two numbers that merge.

use serde::de::{self, Deserialize, Deserializer};
use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::merge::Merge;
use super::output::{DeserializeOutput, Output, SerializeOutput};
use crate::number::{Arithmetic, Number, NumberType, TimeUnit};

/// The sum and the count of the values of a mean.
///
/// Serialises as `{"mean", "sum", "count"}`. The mean is computed from the sum and the count, also when it is read back.
///
/// ```
/// use mvx_metrics::{MeanSnapshot, Merge};
///
/// let mut stars = MeanSnapshot { sum: 9_u64, count: 2 };
/// stars.merge(&MeanSnapshot { sum: 3, count: 1 });
/// assert_eq!((stars.mean(), stars.count), (Some(4.0), 3));
/// assert_eq!(serde_json::to_string(&stars)?, r#"{"mean":4.0,"sum":12,"count":3}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MeanSnapshot<T> {
    /// The sum of the recorded values.
    pub sum: T,
    /// The number of recorded values.
    pub count: u64,
}

impl<T: Arithmetic> MeanSnapshot<T> {
    /// The mean of the recorded values, in seconds for durations; `None` when nothing was recorded.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a mean is a floating-point number")]
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum.into().as_f64() / self.count as f64)
    }

    /// The mean in the unit in which the sum serialises.
    #[expect(clippy::cast_precision_loss, reason = "a mean is a floating-point number")]
    pub(super) fn shown_mean(&self) -> Option<f64> {
        match self.sum.into() {
            Number::Duration(sum) => {
                (self.count > 0).then(|| TimeUnit::current().float(sum) / self.count as f64)
            }
            _ => self.mean(),
        }
    }

    /// The values that came after `earlier`.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self { sum: self.sum.minus(earlier.sum), count: self.count.saturating_sub(earlier.count) }
    }
}

impl<T: Arithmetic> Merge for MeanSnapshot<T> {
    fn merge(&mut self, other: &Self) {
        self.sum = self.sum.plus(other.sum);
        self.count = self.count.saturating_add(other.count);
    }
}

impl<T: Output + Arithmetic> Output for MeanSnapshot<T> {
    const NUMBER: Option<NumberType> = T::NUMBER;
}

impl<T: Output + Arithmetic> Serialize for MeanSnapshot<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut mean = serializer.serialize_struct("MeanSnapshot", 3)?;
        mean.serialize_field("mean", &self.shown_mean())?;
        mean.serialize_field("sum", &SerializeOutput(&self.sum))?;
        mean.serialize_field("count", &self.count)?;
        mean.end()
    }
}

impl<'de, T: Output> Deserialize<'de> for MeanSnapshot<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(rename = "MeanSnapshot", bound = "T: Output", deny_unknown_fields)]
        struct Fields<T> {
            #[serde(rename = "mean", default)]
            _mean: de::IgnoredAny,
            sum: DeserializeOutput<T>,
            count: u64,
        }

        let Fields { sum, count, .. } = Fields::deserialize(deserializer)?;
        Ok(Self { sum: sum.0, count })
    }
}

impl MeanSnapshot<Number> {
    pub(crate) fn of<T: Into<Number>>(typed: MeanSnapshot<T>) -> Self {
        Self { sum: typed.sum.into(), count: typed.count }
    }
}

/// The two counts of work in flight.
///
/// Serialises as `{"current", "started", "finished"}`. The current amount is computed, also when it is read back.
///
/// ```
/// use mvx_metrics::InFlightSnapshot;
///
/// let doors = InFlightSnapshot { started: 7, finished: 4 };
/// assert_eq!(doors.current(), 3);
/// assert_eq!(serde_json::to_string(&doors)?, r#"{"current":3,"started":7,"finished":4}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct InFlightSnapshot {
    /// The amount that was started.
    pub started: u64,
    /// The amount that was finished.
    pub finished: u64,
}

impl InFlightSnapshot {
    /// Started minus finished, or the nearest value that an `i64` can hold.
    #[must_use]
    pub fn current(&self) -> i64 {
        let difference = i128::from(self.started) - i128::from(self.finished);
        i64::try_from(difference).unwrap_or(if difference < 0 { i64::MIN } else { i64::MAX })
    }

    /// The amounts that were started and finished after `earlier`. Its [`current`](Self::current) is the change of the amount.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            started: self.started.saturating_sub(earlier.started),
            finished: self.finished.saturating_sub(earlier.finished),
        }
    }
}

impl Merge for InFlightSnapshot {
    fn merge(&mut self, other: &Self) {
        self.started = self.started.saturating_add(other.started);
        self.finished = self.finished.saturating_add(other.finished);
    }
}

impl Output for InFlightSnapshot {}

impl Serialize for InFlightSnapshot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut in_flight = serializer.serialize_struct("InFlightSnapshot", 3)?;
        in_flight.serialize_field("current", &self.current())?;
        in_flight.serialize_field("started", &self.started)?;
        in_flight.serialize_field("finished", &self.finished)?;
        in_flight.end()
    }
}

impl<'de> Deserialize<'de> for InFlightSnapshot {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(rename = "InFlightSnapshot", deny_unknown_fields)]
        struct Fields {
            #[serde(rename = "current", default)]
            _current: de::IgnoredAny,
            started: u64,
            finished: u64,
        }

        let Fields { started, finished, .. } = Fields::deserialize(deserializer)?;
        Ok(Self { started, finished })
    }
}
