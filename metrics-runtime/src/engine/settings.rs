//! The settings of a recorder, complete and checked.

use std::sync::Arc;
use std::time::Duration;

use crate::error::InvalidArgument;
use crate::log::LogPolicy;

/// How many events may be pending by default.
pub(crate) const DEFAULT_QUEUE_MAX_SIZE: usize = 10_000;
/// How long a shutdown, and so a wait for a running hook, takes at most by default.
pub(crate) const DEFAULT_SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_POLL_INTERVAL: Duration = Duration::from_secs(1);
/// A full queue of this limit takes 16 GiB.
const MAX_QUEUE_SIZE: usize = 1 << 28;

/// What happens to an event that finds the queue full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum QueueOverflowPolicy {
    /// The event is dropped and counted, and the call succeeds. The default of recorders created through a runtime.
    Drop,
    /// The call fails with `QueueOverflow` and hands the event back. The default of recorders created directly.
    Error,
}

/// What happens when a metric panics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum MetricFailurePolicy {
    /// The metric is quarantined: it keeps its last state and gets no more events, and its snapshot says why it failed. The
    /// recorder's other metrics go on.
    #[default]
    Quarantine,
    /// The recorder goes into `FAILURE`.
    FailRecorder,
}

/// How events get from the threads that emit them to the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Handoff {
    /// Through one queue that all threads share, in one total order. All metrics can be used.
    #[default]
    Ordered,
    /// Through a ring for each thread, for one recorder that many cores share. A call writes no memory that another producer
    /// writes.
    ///
    /// Events of one thread are applied in the order in which the thread emitted them. A snapshot that contains an event contains
    /// every event that happened before it. There is no order between the events of different threads beyond that.
    ///
    /// * A thread's ring has room for 256 events. A thread that finds its ring full applies these events itself. So no event is
    ///   dropped, and [`queue_max_size`](crate::RecorderOptions::queue_max_size) has no effect. Handlers, and so closures in
    ///   attributes, may run in the thread that emits. Only a handler that emits more than the ring has room for loses events:
    ///   they count as dropped or are refused, as the overflow policy says.
    /// * Each thread that emits holds 16 KiB, and a copy of the metrics, until it ends or the recorder has been quiet for a while.
    /// * Metrics that need one order of all events are refused with [`NeedsOrder`](crate::MetricsRecorderError::NeedsOrder).
    ///   So are hooks and change listeners.
    /// * A metric that panics is quarantined for all threads at the next snapshot, or soon after.
    PerThread,
}

#[derive(Clone)]
pub(crate) struct Settings {
    /// The id in the runtime. `None` for a recorder that was created directly.
    pub(crate) recorder_id: Option<Arc<str>>,
    pub(crate) entity_id: Arc<str>,
    pub(crate) namespace: Arc<str>,
    /// How many events may be pending.
    pub(crate) queue_max_size: u64,
    pub(crate) overflow: QueueOverflowPolicy,
    pub(crate) handoff: Handoff,
    pub(crate) log_policy: LogPolicy,
    pub(crate) metric_failure: MetricFailurePolicy,
    /// How long the event loop of a runtime lets events wait while traffic is recent. Recorders with a task ignore it.
    pub(crate) poll_interval: Duration,
    /// How long a thread waits for one call of a hook.
    pub(crate) hook_timeout: Duration,
}

/// Checks a queue limit that was given as `argument`.
pub(crate) fn check_queue_max_size(argument: &'static str, events: usize) -> Result<u64, InvalidArgument> {
    match events {
        0 => Err(InvalidArgument { argument, problem: "must be at least 1" }),
        1..=MAX_QUEUE_SIZE => Ok(events as u64),
        _ => Err(InvalidArgument { argument, problem: "must be at most 268435456" }),
    }
}

pub(crate) fn check_poll_interval(interval: Duration) -> Result<Duration, InvalidArgument> {
    if interval > MAX_POLL_INTERVAL {
        return Err(InvalidArgument { argument: "poll_interval", problem: "must be at most 1 s" });
    }
    Ok(interval)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_limit_outside_of_the_range_is_refused_with_the_end_that_it_misses() {
        let problem = |events| check_queue_max_size("limit", events).map_err(|error| error.problem);
        assert_eq!((problem(1), problem(1 << 28)), (Ok(1), Ok(1 << 28)));
        assert_eq!(problem(0), Err("must be at least 1"));
        assert_eq!(problem((1 << 28) + 1), Err("must be at most 268435456"));
    }

    #[test]
    fn a_poll_interval_is_at_most_a_second() {
        let checked = |interval| check_poll_interval(interval).ok();
        for interval in [Duration::ZERO, MAX_POLL_INTERVAL] {
            assert_eq!(checked(interval), Some(interval));
        }
        assert_eq!(checked(MAX_POLL_INTERVAL + Duration::from_nanos(1)), None);
    }
}
