//! The snapshot of a histogram.

use serde::ser::{Serialize, SerializeStruct, Serializer};
use serde::{Deserialize, Deserializer};

use super::number::Number;
use super::output::{DeserializeOutput, Output};

/// A distribution over buckets at one moment.
///
/// Serialises as `{"count", "sum", "min", "max", "buckets": [{"up_to", "count"}, ..]}`.
#[derive(Debug, Clone, PartialEq)]
pub struct HistogramSnapshot<T> {
    /// The number of recorded values.
    pub count: u64,
    /// The sum of the recorded values.
    pub sum: T,
    /// The smallest recorded value.
    pub min: Option<T>,
    /// The largest recorded value.
    pub max: Option<T>,
    /// The buckets in ascending order; the last one has no upper bound.
    pub buckets: Vec<Bucket<T>>,
}

/// One bucket of a histogram.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket<T> {
    /// The largest value that belongs to the bucket; `None` for the last bucket. Serialised as `up_to`.
    pub upper_bound: Option<T>,
    /// The number of values in this bucket alone, without those in lower buckets.
    pub count: u64,
}

impl<T: Copy + Into<Number>> HistogramSnapshot<T> {
    /// Estimates a quantile, in seconds for durations: `quantile(0.95)` is the value that 95% of the values do not exceed.
    ///
    /// The estimate assumes that values are spread evenly within their bucket, between the minimum and the maximum. `None`
    /// when nothing was recorded, `quantile` is not between 0 and 1, or the minimum is above the maximum.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    pub fn quantile(&self, quantile: f64) -> Option<f64> {
        let number = |value: T| value.into().as_f64();
        let (min, max) = (number(self.min?), number(self.max?));
        // A deserialised snapshot can contain anything.
        if !(0.0..=1.0).contains(&quantile) || min.is_nan() || max.is_nan() || min > max {
            return None;
        }
        let rank = quantile * self.count as f64;
        let mut below = 0.0;
        let mut low = min;
        for bucket in &self.buckets {
            let high = bucket.upper_bound.map_or(max, number).clamp(min, max);
            let inside = bucket.count as f64;
            if inside > 0.0 && below + inside >= rank {
                let share = (rank - below) / inside;
                // Not `low + (high - low) * share`: the difference can overflow to infinity.
                return Some((low * (1.0 - share) + high * share).clamp(min, max));
            }
            below += inside;
            low = high;
        }
        Some(max)
    }
}

impl<T: Copy + Into<Number>> Serialize for HistogramSnapshot<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut histogram = serializer.serialize_struct("HistogramSnapshot", 5)?;
        histogram.serialize_field("count", &self.count)?;
        histogram.serialize_field("sum", &self.sum.into())?;
        histogram.serialize_field("min", &self.min.map(Into::into))?;
        histogram.serialize_field("max", &self.max.map(Into::into))?;
        histogram.serialize_field("buckets", &self.buckets)?;
        histogram.end()
    }
}

impl<T: Copy + Into<Number>> Serialize for Bucket<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut bucket = serializer.serialize_struct("Bucket", 2)?;
        bucket.serialize_field("up_to", &self.upper_bound.map(Into::into))?;
        bucket.serialize_field("count", &self.count)?;
        bucket.end()
    }
}

impl<T: Output + Copy + Into<Number>> Output for HistogramSnapshot<T> {}

impl<'de, T: Output> Deserialize<'de> for HistogramSnapshot<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename = "HistogramSnapshot", bound = "T: Output")]
        struct Fields<T> {
            count: u64,
            sum: DeserializeOutput<T>,
            min: DeserializeOutput<Option<T>>,
            max: DeserializeOutput<Option<T>>,
            buckets: Vec<Bucket<T>>,
        }

        let Fields { count, sum, min, max, buckets } = Fields::deserialize(deserializer)?;
        Ok(Self { count, sum: sum.0, min: min.0, max: max.0, buckets })
    }
}

impl<'de, T: Output> Deserialize<'de> for Bucket<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename = "Bucket", bound = "T: Output")]
        struct Fields<T> {
            #[serde(rename = "up_to")]
            upper_bound: DeserializeOutput<Option<T>>,
            count: u64,
        }

        let Fields { upper_bound, count } = Fields::deserialize(deserializer)?;
        Ok(Self { upper_bound: upper_bound.0, count })
    }
}
