//! The one rule by which a waiting thread tells slow from stuck.

use std::time::{Duration, Instant};

use crate::error::MetricsRecorderError;

/// How often a waiting thread checks for progress.
pub(super) const PROGRESS_CHECK_INTERVAL: Duration = Duration::from_millis(20);
/// How often a thread looks for the event of a reserved position. Producers publish within nanoseconds, unless preempted.
pub(super) const PUBLISH_CHECK_INTERVAL: Duration = Duration::from_micros(100);
/// After this time without progress, a waiting thread processes the events itself, if the recorder has no hooks.
pub(super) const HELP_TIMEOUT: Duration = Duration::from_secs(1);
/// After this time without progress, a waiting thread gives up.
pub(super) const STALL_TIMEOUT: Duration = Duration::from_secs(5);

/// Counters of a recorder and its event loop. They change while the recorder's events get processed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Progress {
    /// How many events of the recorder were consumed.
    pub(super) consumed: u64,
    /// How many hook calls of the recorder have begun or ended. Odd while a hook runs.
    pub(super) hook_calls: u64,
    /// How many turns the recorder's event loop has given to any of its recorders.
    pub(super) turns: u64,
    /// How often the recorder's metrics were locked.
    pub(super) acquisitions: u64,
    /// Whether a thread holds the recorder's metrics.
    pub(super) is_locked: bool,
}

/// The obstacle that keeps a waiting thread waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Obstacle {
    Hook,
    Holder,
    Consumer,
}

impl Obstacle {
    /// The error of a thread that gives up.
    pub(super) fn error(self, waited: Duration) -> MetricsRecorderError {
        // Milliseconds are precise enough for a reader of the message.
        let waited = Duration::from_millis(u64::try_from(waited.as_millis()).unwrap_or(u64::MAX));
        MetricsRecorderError::Stalled { waited_for: self.description(), waited }
    }

    fn description(self) -> &'static str {
        match self {
            Self::Hook => "a running hook of the recorder",
            Self::Holder => "the recorder's metrics, which a handler or another reader holds",
            Self::Consumer => "the thread that processes the recorder's events",
        }
    }
}

impl Progress {
    pub(super) fn obstacle(&self) -> Obstacle {
        if !self.hook_calls.is_multiple_of(2) {
            Obstacle::Hook
        } else if self.is_locked {
            Obstacle::Holder
        } else {
            Obstacle::Consumer
        }
    }

    /// Whether a waiting thread has come closer to its aim since `earlier`.
    fn is_ahead_of(&self, earlier: &Self) -> bool {
        if (self.consumed, self.hook_calls) != (earlier.consumed, earlier.hook_calls) {
            return true;
        }
        match self.obstacle() {
            Obstacle::Hook => false,
            // Turns of other recorders do not help while one thread holds this recorder's metrics.
            Obstacle::Holder if self.acquisitions == earlier.acquisitions => false,
            // The loop is busy with other recorders, and comes to this one in its next round.
            Obstacle::Holder | Obstacle::Consumer => self.turns != earlier.turns,
        }
    }
}

/// Measures how long a recorder has made no progress.
pub(super) struct StallDetector {
    last: Progress,
    since: Instant,
}

impl StallDetector {
    pub(super) fn new(progress: Progress) -> Self {
        Self { last: progress, since: Instant::now() }
    }

    /// How long there was no progress until `now`. Must be called at every check interval.
    pub(super) fn stalled_for(&mut self, now: Progress) -> Duration {
        if now.is_ahead_of(&self.last) {
            *self = Self::new(now);
        }
        self.since.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Progress =
        Progress { consumed: 7, hook_calls: 2, turns: 30, acquisitions: 12, is_locked: false };
    const HELD: Progress = Progress { is_locked: true, ..IDLE };
    const IN_HOOK: Progress = Progress { hook_calls: 3, ..IDLE };

    #[test]
    fn consumed_events_and_hook_calls_are_progress_whatever_is_in_the_way() {
        for before in [IDLE, HELD, IN_HOOK] {
            assert!(!before.is_ahead_of(&before));
            assert!(Progress { consumed: 8, ..before }.is_ahead_of(&before));
            assert!(Progress { hook_calls: before.hook_calls + 2, ..before }.is_ahead_of(&before));
        }
    }

    #[test]
    fn turns_of_other_recorders_are_progress_unless_a_hook_runs_or_one_thread_holds_the_metrics() {
        let with_turns = |before: Progress| Progress { turns: before.turns + 1, ..before };
        assert!(with_turns(IDLE).is_ahead_of(&IDLE));
        assert!(!with_turns(IN_HOOK).is_ahead_of(&IN_HOOK));
        assert!(!with_turns(HELD).is_ahead_of(&HELD));
        // Another thread has taken the lock since.
        assert!(Progress { acquisitions: 13, ..with_turns(HELD) }.is_ahead_of(&HELD));
    }

    #[test]
    fn a_new_holder_alone_is_no_progress() {
        assert!(!Progress { acquisitions: 13, ..HELD }.is_ahead_of(&HELD));
    }

    #[test]
    fn the_obstacle_names_what_is_waited_for() {
        assert_eq!(
            [IDLE, HELD, IN_HOOK].map(|now| now.obstacle()),
            [Obstacle::Consumer, Obstacle::Holder, Obstacle::Hook]
        );
        let names = [Obstacle::Consumer, Obstacle::Holder, Obstacle::Hook].map(Obstacle::description);
        assert!(names.iter().enumerate().all(|(at, name)| !names[..at].contains(name)));
    }

    #[test]
    fn a_detector_counts_from_the_last_progress() {
        let mut detector = StallDetector::new(IDLE);
        detector.since -= Duration::from_secs(3);
        assert!(detector.stalled_for(IDLE) >= Duration::from_secs(3));
        assert!(detector.stalled_for(Progress { consumed: 8, ..IDLE }) < Duration::from_secs(3));
    }
}
