//! The moment that dimensions with a window take for the present.
//!
//! A reading of the clock costs more than most updates. So the first dimension that asks reads the clock, and all others of the
//! same [`Scope`] get the same moment. The engine opens a scope for each batch of events that it applies, and for each read of a
//! recorder's metrics. All events of a batch were published before the batch began, so no event is dated before its acceptance.
//! Outside of a scope, in a metric that is driven by hand, each question reads the clock.
//!
//! | the state of a thread | the answer |
//! |---|---|
//! | no scope | the present, by tokio's clock |
//! | a scope in which nothing has asked yet | the present, by the clock of the scope, for the rest of the scope |
//! | any other scope | its moment |

use std::cell::Cell;
use std::sync::LazyLock;
use std::time::Instant;

/// The moment of a process's first question. Moments before it exist too: a paused clock may stand behind.
const ORIGIN: u64 = 1 << 62;
const LAST: u64 = UNREAD - 1;
/// The thread is in no scope.
const NO_SCOPE: u64 = u64::MAX;
/// The thread is in a scope in which nothing has asked yet.
const UNREAD: u64 = u64::MAX - 1;

thread_local! {
    static PRESENT: Cell<u64> = const { Cell::new(NO_SCOPE) };
    static CLOCK: Cell<Clock> = const { Cell::new(Clock::Tokio) };
}

/// A moment in nanoseconds. The moments of a process are of one scale, whatever their clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Moment(u64);

/// Where a scope reads the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clock {
    /// The clock of the current tokio runtime, which a test can pause. Outside of tokio it is the system's.
    Tokio,
    /// The system's monotonic clock. Threads of several tokio runtimes share it.
    System,
}

impl Clock {
    pub(crate) fn now(self) -> Moment {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        let start = *START;
        let now = match self {
            Self::Tokio => tokio::time::Instant::now().into_std(),
            Self::System => Instant::now(),
        };
        let nanos = |from: Instant, to: Instant| {
            u64::try_from(to.saturating_duration_since(from).as_nanos()).unwrap_or(u64::MAX)
        };
        let moment = ORIGIN.saturating_add(nanos(start, now)).saturating_sub(nanos(now, start));
        Moment(moment.min(LAST))
    }
}

impl Moment {
    /// The present of this thread.
    pub(crate) fn present() -> Self {
        match present() {
            NO_SCOPE => Clock::Tokio.now(),
            UNREAD => {
                let now = CLOCK.get().now();
                PRESENT.set(now.0);
                now
            }
            present => Self(present),
        }
    }

    /// Whether the present of this thread is known, and before this moment. It reads no clock.
    #[inline]
    pub(crate) fn is_ahead(self) -> bool {
        // The marks are greater than all moments.
        present() < self.0
    }

    pub(crate) fn nanos(self) -> u64 {
        self.0
    }

    pub(crate) fn from_nanos(nanos: u64) -> Self {
        Self(nanos.min(LAST))
    }
}

#[inline]
fn present() -> u64 {
    PRESENT.get()
}

/// Opens a scope with the present of that clock.
pub(crate) fn enter(clock: Clock) -> Scope {
    enter_with(UNREAD, clock)
}

/// Opens a scope in which that moment is the present.
pub(crate) fn enter_at(moment: Moment) -> Scope {
    enter_with(moment.0, CLOCK.get())
}

fn enter_with(present: u64, clock: Clock) -> Scope {
    Scope { before: (PRESENT.replace(present), CLOCK.replace(clock)) }
}

/// A time during which a thread has one present. Its drop restores the thread's former one.
#[must_use]
pub(crate) struct Scope {
    before: (u64, Clock),
}

impl Scope {
    /// Begins a new batch: the next question reads the clock.
    #[inline]
    #[expect(clippy::unused_self, reason = "only a thread in a scope has a present to renew")]
    pub(crate) fn renew(&self) {
        PRESENT.set(UNREAD);
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        let (present, clock) = self.before;
        PRESENT.set(present);
        CLOCK.set(clock);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_has_one_moment_until_it_is_renewed() {
        let scope = enter(Clock::System);
        let first = Moment::present();
        while Clock::System.now() == first {}
        assert_eq!(Moment::present(), first);
        assert!(!first.is_ahead() && Moment::from_nanos(first.nanos() + 1).is_ahead());
        scope.renew();
        assert!(Moment::present() > first);
    }

    #[test]
    fn without_a_scope_nothing_is_ahead_and_each_question_reads_the_clock() {
        assert!(!Moment::from_nanos(u64::MAX).is_ahead());
        let first = Moment::present();
        while Moment::present() == first {}
        assert!(Moment::present() > first);
    }

    #[test]
    fn a_scope_inside_of_another_one_ends_with_the_present_of_the_outer_one() {
        let outer = enter(Clock::System);
        let present = Moment::present();
        {
            let _inner = enter_at(Moment::from_nanos(7));
            assert_eq!(Moment::present().nanos(), 7);
        }
        assert_eq!(Moment::present(), present);
        drop(outer);
        assert_eq!(PRESENT.get(), NO_SCOPE);
    }
}
