//! The times of snapshots.

use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::de::{self, Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use crate::sync::HAS_CLOCK;

/// A moment, in microseconds since 1970. Moments are never 0, which stands for an unknown one.
///
/// All moments of a process are of one clock: the system's time when the process first asked, and the monotonic clock from
/// then on. So a later moment is never before an earlier one, whatever happens to the system's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Timestamp(u64);

impl Timestamp {
    pub(crate) fn now() -> Self {
        static ORIGIN: LazyLock<(u64, Instant)> = LazyLock::new(|| {
            // Miri keeps programs from the system's time.
            let now = if cfg!(miri) { UNIX_EPOCH + Duration::from_hours(24) } else { SystemTime::now() };
            (micros(now.duration_since(UNIX_EPOCH).unwrap_or_default()), Instant::now())
        });
        if !HAS_CLOCK {
            return Self::default();
        }
        let (at, origin) = *ORIGIN;
        Self(at.saturating_add(micros(origin.elapsed())).max(1))
    }

    pub(crate) fn known(self) -> Option<SystemTime> {
        (self.0 > 0).then(|| UNIX_EPOCH + Duration::from_micros(self.0))
    }

    /// The time of something that was certainly observed.
    pub(crate) fn system_time(self) -> SystemTime {
        UNIX_EPOCH + Duration::from_micros(self.0)
    }

    pub(crate) fn is_unknown(self) -> bool {
        self.0 == 0
    }

    /// Seconds since 1970, with six decimals.
    #[expect(clippy::cast_precision_loss, reason = "microseconds of this century have an `f64` of their own")]
    pub(crate) fn as_seconds(self) -> f64 {
        self.0 as f64 / 1e6
    }

    #[allow(dead_code, reason = "the feature `process` uses it")]
    pub(crate) fn since_1970(duration: Duration) -> Self {
        Self(micros(duration))
    }

    #[allow(dead_code, reason = "the feature `openmetrics` uses it")]
    pub(crate) fn as_micros(self) -> u64 {
        self.0
    }

    /// The earlier of two moments, if both are known, else the known one.
    pub(crate) fn earliest(self, other: Self) -> Self {
        if self.is_unknown() || (!other.is_unknown() && other < self) { other } else { self }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.as_seconds())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// The year 9999.
        const MAX_SECONDS: f64 = 253_402_300_800.0;
        let seconds = f64::deserialize(deserializer)?;
        if !(0.0..MAX_SECONDS).contains(&seconds) {
            return Err(de::Error::invalid_value(de::Unexpected::Float(seconds), &"seconds since 1970"));
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
        let micros = (seconds * 1e6).round() as u64;
        Ok(Self(micros))
    }
}

/// When a snapshot was taken, and since when its metric counts. Both are unknown for a snapshot that no recorder took.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, Default)]
pub struct Times {
    pub(crate) counting_since: Timestamp,
    pub(crate) taken_at: Timestamp,
}

impl Times {
    /// The time when the snapshot was taken.
    #[must_use]
    pub fn taken_at(self) -> Option<SystemTime> {
        self.taken_at.known()
    }

    /// The time since when the metric counts.
    #[must_use]
    pub fn counting_since(self) -> Option<SystemTime> {
        self.counting_since.known()
    }

    /// The times of two merged snapshots.
    #[must_use]
    pub fn merged(self, other: Self) -> Self {
        Self {
            counting_since: self.counting_since.earliest(other.counting_since),
            taken_at: self.taken_at.max(other.taken_at),
        }
    }

    /// Whether counting began anew after an earlier snapshot, as far as the times tell.
    #[must_use]
    pub fn restarted_since(self, earlier: Self) -> bool {
        !earlier.counting_since.is_unknown() && self.counting_since > earlier.counting_since
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_comes_back_from_json() {
        for micros in [1, 1_000_000, 1_763_753_725_123_456, 253_402_300_799_999_999 / 100] {
            let json = serde_json::to_string(&Timestamp(micros)).expect("a number");
            assert_eq!(
                serde_json::from_str::<Timestamp>(&json).expect("a moment"),
                Timestamp(micros),
                "{json}"
            );
        }
        for wrong in ["-1.0", "1e300", "\"now\""] {
            assert!(serde_json::from_str::<Timestamp>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn moments_never_go_backwards() {
        let moments: Vec<Timestamp> = (0..100).map(|_| Timestamp::now()).collect();
        assert!(moments.is_sorted());
        assert!(moments[0].known().is_some());
    }

    #[test]
    fn an_unknown_moment_gives_way_to_a_known_one() {
        let (unknown, early, late) = (Timestamp::default(), Timestamp(5), Timestamp(9));
        assert_eq!(unknown.earliest(late), late);
        assert_eq!(late.earliest(unknown), late);
        assert_eq!(late.earliest(early), early);
        assert_eq!(unknown.known(), None);
    }
}
