//! The snapshot of `Distinct`: a set that only knows how large it is, and merges.

mod registers;

use std::fmt;

use serde::de::{self, Deserialize, Deserializer};
use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::merge::Merge;
use super::output::Output;
use registers::Registers;

/// How many different values were recorded, as an estimate that merges.
///
/// It is a `HyperLogLog` sketch of 4,096 registers. The standard error of the estimate is 1.6%: two estimates of three are that
/// close to the truth, and 997 of 1,000 are within 4.9%. Merging is exact: the result is the sketch of one recorder that has got the
/// values of both, also when both have got the same ones.
///
/// Two snapshots are equal when they have the same registers. One snapshot takes at most 4 KiB, and memory only for the values it
/// has seen while these are less than 512.
///
/// Serialises as `{"estimate", "registers"}`. The estimate is computed from the registers, also when the snapshot is read back.
/// The registers are a text of the digits of base64url, which stand for 0 to 63. A text of 4,096 digits has one for each register. A
/// shorter one has three digits for each register that is not zero: two of its position and one of its value.
///
/// ```
/// use mvx_metrics::{Distinct, DistinctSnapshot, HandleEvent, Merge, Metric, TypedMetric, metric_event};
///
/// #[metric_event]
/// struct SignedIn {
///     user: String,
/// }
///
/// #[derive(Metric, Default)]
/// #[metric(on(SignedIn))]
/// struct Sessions {
///     #[dimension(value = user)]
///     users: Distinct,
/// }
///
/// let of = |users: &[&str]| {
///     let mut sessions = Sessions::default();
///     for user in users {
///         sessions.handle(&SignedIn { user: user.to_string() });
///     }
///     sessions.typed_snapshot().users
/// };
/// let (north, south) = (of(&["ada", "grace"]), of(&["grace", "alan", "grace"]));
/// let mut both = north.clone();
/// both.merge(&south);
/// assert_eq!((north.estimate(), south.estimate(), both.estimate()), (2, 2, 3));
///
/// let json = serde_json::to_string(&north)?;
/// assert_eq!(serde_json::from_str::<DistinctSnapshot>(&json)?, north);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct DistinctSnapshot {
    registers: Registers,
}

impl DistinctSnapshot {
    /// How many different values were recorded, about; 0 when nothing was recorded.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate is not negative"
    )]
    pub fn estimate(&self) -> u64 {
        self.registers.estimate().round() as u64
    }

    /// Whether nothing was recorded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.registers.is_empty()
    }

    /// Adds the value with this hash.
    #[inline]
    pub(crate) fn insert(&mut self, hash: u64) {
        self.registers.insert(hash);
    }

    /// Whether values are gone that the earlier snapshot had, so that counting began anew.
    pub(crate) fn has_fallen_since(&self, earlier: &Self) -> bool {
        self.registers.has_fallen_since(&earlier.registers)
    }

    /// The registers as a text.
    pub(super) fn registers(&self) -> String {
        self.registers.to_text()
    }
}

/// Nothing recorded.
impl Default for DistinctSnapshot {
    fn default() -> Self {
        Self { registers: Registers::EMPTY }
    }
}

impl fmt::Debug for DistinctSnapshot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("DistinctSnapshot").field("estimate", &self.estimate()).finish_non_exhaustive()
    }
}

impl Merge for DistinctSnapshot {
    fn merge(&mut self, other: &Self) {
        self.registers.merge(&other.registers);
    }
}

impl Output for DistinctSnapshot {}

impl Serialize for DistinctSnapshot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut distinct = serializer.serialize_struct("DistinctSnapshot", 2)?;
        distinct.serialize_field("estimate", &self.estimate())?;
        distinct.serialize_field("registers", &self.registers())?;
        distinct.end()
    }
}

impl<'de> Deserialize<'de> for DistinctSnapshot {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(rename = "DistinctSnapshot", deny_unknown_fields)]
        struct Fields {
            #[serde(rename = "estimate", default)]
            _estimate: de::IgnoredAny,
            registers: String,
        }

        let Fields { registers, .. } = Fields::deserialize(deserializer)?;
        let registers = Registers::from_text(&registers).map_err(de::Error::custom)?;
        Ok(Self { registers })
    }
}
