//! The events that a full queue has dropped: their counts, and when the log tells of them.
//!
//! Producers count and log nothing. The thread that ends a drain logs one line at the first drop, and then at most one in each
//! [`MIN_LINE_INTERVAL`]. It runs the log's subscriber, which is user code, under no lock. Meanwhile other threads may end drains
//! of the same recorder. They leave their waiters to the logging thread, so a flush that follows a first drop returns after its
//! line.

use std::cmp::Reverse;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread::{self, ThreadId};
use std::time::Duration;

use tokio::time::Instant;

use super::completion::Completion;
use crate::log::Losses;
use crate::sync::{Mutex, Rare, lock_with_room};

/// The least time between two lines about the drops of one recorder.
const MIN_LINE_INTERVAL: Duration = Duration::from_mins(1);
/// A line names at most this many event types.
const MAX_TYPES_IN_LINE: usize = 16;

/// Nothing was ever dropped, or the recorder logs nothing.
const NO_DROP: u8 = 0;
/// The first event was dropped, and a line is due.
const FIRST: u8 = 1;
/// A thread logs a line.
const LOGGING: u8 = 2;
/// Events were dropped since the last line, or may have been. A line is due when the interval has passed.
const DROPPING: u8 = 3;
/// Nothing was dropped for an interval after the last line.
const QUIET: u8 = 4;

pub(super) struct DropLog {
    /// One of the constants above. Written under the lock.
    phase: AtomicU8,
    /// Whether lines are logged at all.
    is_logged: bool,
    state: Rare<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// One entry for each type of which events were ever dropped.
    types: Vec<DroppedType>,
    next_line: Option<Instant>,
    logging_thread: Option<ThreadId>,
    /// The waiters of each drain that another thread has ended, until the line is logged.
    deferred: Vec<Vec<Arc<Completion>>>,
    /// The losses that the last line of a stop has told.
    told_at_stop: Losses,
}

/// How many events of one type were dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DroppedType {
    pub(super) event_type: &'static str,
    pub(super) count: u64,
    /// How many of them lines have told.
    logged: u64,
}

/// What the thread that ends a drain does about dropped events.
pub(super) enum Report {
    /// Nothing. It completes its waiters.
    None(Vec<Arc<Completion>>),
    /// Nothing. Another thread logs, and completes the waiters.
    Deferred,
    /// It logs these types, calls [`DropLog::end_report`], and completes its waiters.
    Line(Vec<DroppedType>, Vec<Arc<Completion>>),
}

impl DropLog {
    pub(super) fn new(is_logged: bool) -> Self {
        Self { phase: AtomicU8::new(NO_DROP), is_logged, state: Rare::default() }
    }

    /// Counts a dropped event. Answers `true` when the caller must request a turn, which logs the drop.
    pub(super) fn count(&self, event_type: &'static str) -> bool {
        let mut state = lock_with_room(&self.state, |state| &mut state.types);
        match state.types.iter_mut().find(|dropped| dropped.event_type == event_type) {
            Some(dropped) => dropped.count += 1,
            None => state.types.push(DroppedType { event_type, count: 1, logged: 0 }),
        }
        // Relaxed, here and below: `phase` is written under the lock. Without the lock it is a hint, which a thread that has
        // acquired the drop cannot miss.
        let next = match self.phase.load(Ordering::Relaxed) {
            NO_DROP if self.is_logged => FIRST,
            QUIET => DROPPING,
            _ => return false,
        };
        self.phase.store(next, Ordering::Relaxed);
        true
    }

    /// A copy of the counts. It is allocated while the lock is free, as in [`lock_with_room`].
    pub(super) fn types(&self) -> Vec<DroppedType> {
        let mut copy = Vec::new();
        let Some(state) = self.state.get() else {
            return copy;
        };
        loop {
            let types = {
                let state = state.lock();
                if state.types.len() <= copy.capacity() {
                    copy.extend_from_slice(&state.types);
                    return copy;
                }
                state.types.len()
            };
            copy.reserve(types);
        }
    }

    /// Whether a drain may have to log drops. The usual answer is `false`.
    #[inline]
    pub(super) fn may_report(&self) -> bool {
        !matches!(self.phase.load(Ordering::Relaxed), NO_DROP | QUIET)
    }

    /// Whether a flush waits for the line of the first drop.
    pub(super) fn is_first_line_pending(&self) -> bool {
        match self.phase.load(Ordering::Relaxed) {
            FIRST => true,
            // The log's subscriber may flush the recorder. It must not wait for its own return.
            LOGGING => {
                self.state.lock().logging_thread.is_some_and(|logging| logging != thread::current().id())
            }
            _ => false,
        }
    }

    /// Adds a flush that ends with the line of the first drop. Answers `false` when that line is not pending any more.
    pub(super) fn wait_for_first_line(&self, flush: &Arc<Completion>) -> bool {
        let waiter = vec![Arc::clone(flush)];
        let mut state = lock_with_room(&self.state, |state| &mut state.deferred);
        let is_pending = matches!(self.phase.load(Ordering::Relaxed), FIRST | LOGGING);
        if is_pending {
            state.deferred.push(waiter);
        }
        is_pending
    }

    /// Takes out the flushes that wait for a first line that no thread has begun to log.
    pub(super) fn release_flushes(&self) -> Vec<Arc<Completion>> {
        let Some(state) = self.state.get() else {
            return Vec::new();
        };
        let flushes = {
            let mut state = state.lock();
            match self.phase.load(Ordering::Relaxed) {
                FIRST => std::mem::take(&mut state.deferred),
                _ => Vec::new(),
            }
        };
        flushes.into_iter().flatten().collect()
    }

    /// Begins a report, if one is due. `completed` are the waiters of the drain that has ended.
    pub(super) fn begin_report(&self, now: Instant, completed: Vec<Arc<Completion>>) -> Report {
        let types = self.types();
        let mut state = lock_with_room(&self.state, |state| &mut state.deferred);
        match self.phase.load(Ordering::Relaxed) {
            FIRST => {}
            DROPPING if state.next_line.is_none_or(|next| next <= now) => {}
            LOGGING if state.logging_thread.is_some_and(|logging| logging != thread::current().id()) => {
                state.deferred.push(completed);
                return Report::Deferred;
            }
            _ => return Report::None(completed),
        }
        // The copy may lack the latest drops. They stay for the next line.
        if types.iter().all(|dropped| dropped.count == dropped.logged) {
            let is_told = state.types.iter().all(|dropped| dropped.count == dropped.logged);
            self.phase.store(if is_told { QUIET } else { DROPPING }, Ordering::Relaxed);
            return Report::None(completed);
        }
        for (dropped, told) in state.types.iter_mut().zip(&types) {
            dropped.logged = told.count;
        }
        state.next_line = now.checked_add(MIN_LINE_INTERVAL);
        state.logging_thread = Some(thread::current().id());
        self.phase.store(LOGGING, Ordering::Relaxed);
        Report::Line(types, completed)
    }

    /// Ends a report. Returns the waiters of the drains that other threads have ended meanwhile.
    pub(super) fn end_report(&self) -> Vec<Arc<Completion>> {
        let deferred = {
            let mut state = self.state.lock();
            state.logging_thread = None;
            self.phase.store(DROPPING, Ordering::Relaxed);
            std::mem::take(&mut state.deferred)
        };
        deferred.into_iter().flatten().collect()
    }

    /// The losses, unless the line of an earlier stop has told the same, or the recorder logs nothing.
    pub(super) fn tell_at_stop(&self, losses: Losses) -> Option<Losses> {
        if !self.is_logged {
            return None;
        }
        let losses = losses.unless_none()?;
        let mut state = self.state.lock();
        let is_new = state.told_at_stop != losses;
        state.told_at_stop = losses;
        is_new.then_some(losses)
    }
}

impl DroppedType {
    /// How many were dropped since the last line.
    pub(super) fn since_last_line(&self) -> u64 {
        self.count - self.logged
    }
}

/// The time by tokio's clock, which a test can pause.
pub(super) fn now() -> Instant {
    Instant::now()
}

/// The counts since the last line as one text, the largest first: `step: 12, other: 3`.
pub(super) fn by_type(mut types: Vec<DroppedType>) -> String {
    types.retain(|dropped| dropped.since_last_line() > 0);
    types.sort_by_key(|dropped| (Reverse(dropped.since_last_line()), dropped.event_type));
    let more = types.len().saturating_sub(MAX_TYPES_IN_LINE);
    types.truncate(MAX_TYPES_IN_LINE);
    let shown = types.iter().map(|dropped| format!("{}: {}", dropped.event_type, dropped.since_last_line()));
    let mut text = shown.collect::<Vec<_>>().join(", ");
    if more > 0 {
        let _ = write!(text, ", and {more} more types");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The next line at that time: how many events of each type it tells.
    fn line(log: &DropLog, now: Instant) -> Option<Vec<(&'static str, u64)>> {
        match log.begin_report(now, Vec::new()) {
            Report::Line(types, _) => {
                assert!(log.end_report().is_empty());
                Some(types.iter().map(|dropped| (dropped.event_type, dropped.since_last_line())).collect())
            }
            Report::None(_) => None,
            Report::Deferred => panic!("no other thread logs"),
        }
    }

    #[test]
    fn lo2_lines_are_a_minute_apart_and_tell_what_was_dropped_since_the_last() {
        let (log, start) = (DropLog::new(true), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(log.count("step"), "the first drop requests a turn");
        assert_eq!(line(&log, at(0)), Some(vec![("step", 1)]));
        for _ in 0..3 {
            assert!(!log.count("step"));
        }
        assert!(!log.count("other"));
        assert_eq!(line(&log, at(59)), None);
        assert_eq!(line(&log, at(60)), Some(vec![("step", 3), ("other", 1)]));
        assert_eq!(line(&log, at(61)), None);
        assert!(!log.count("step"));
        assert_eq!(line(&log, at(119)), None);
        assert_eq!(line(&log, at(120)), Some(vec![("step", 1), ("other", 0)]));
    }

    #[test]
    fn lo2_after_a_minute_without_drops_the_next_drop_is_told_at_once() {
        let (log, start) = (DropLog::new(true), Instant::now());
        log.count("step");
        assert!(line(&log, start).is_some());
        assert_eq!(line(&log, start + MIN_LINE_INTERVAL), None);
        assert!(!log.may_report(), "turns look at the clock no more");
        assert!(log.count("step"), "it requests a turn");
        assert_eq!(line(&log, start + Duration::from_secs(61)), Some(vec![("step", 1)]));
    }

    #[test]
    fn a_drain_that_ends_while_another_thread_logs_leaves_it_its_waiters() {
        let log = DropLog::new(true);
        log.count("step");
        assert!(log.is_first_line_pending());
        let waiters = || (0..10).map(|_| Arc::<Completion>::default()).collect::<Vec<_>>();
        thread::scope(|scope| {
            let logs =
                scope.spawn(|| matches!(log.begin_report(Instant::now(), Vec::new()), Report::Line(..)));
            assert!(logs.join().expect("no panic"));
        });
        assert!(log.is_first_line_pending(), "for a flush, until the line is logged");
        assert!(matches!(log.begin_report(Instant::now(), waiters()), Report::Deferred));
        assert_eq!(log.end_report().len(), 10);
        assert!(!log.is_first_line_pending());
        assert!(
            matches!(log.begin_report(Instant::now(), waiters()), Report::None(kept) if kept.len() == 10)
        );
    }

    #[test]
    fn a_silent_log_counts_and_reports_nothing() {
        let log = DropLog::new(false);
        assert!(!log.count("step"));
        assert!(!log.may_report() && !log.is_first_line_pending());
        assert_eq!(log.types().len(), 1);
        let losses = Losses { dropped: 1, ..Losses::default() };
        assert_eq!(log.tell_at_stop(losses), None);
    }
}
