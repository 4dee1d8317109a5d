//! The pusher's thread: when a push begins, and who gets its result.

use std::time::Duration;

use mvx_metrics::RuntimeObserver;
use tokio::time::Instant;

use super::round::{Due, Round};
use super::{Result, SharedStats};
use crate::deadline::{Call, Calls};
use crate::error::OtlpError;
use crate::options::OtlpOptions;

/// What the thread owns.
pub(super) struct Worker {
    interval: Duration,
    round: Round,
}

/// The calls that the last push answers, once everything else has ended.
pub(super) struct Last {
    calls: Vec<Call>,
    result: Result<()>,
}

impl Last {
    pub(super) fn answer(self) {
        answer(self.calls, &self.result);
    }
}

impl Worker {
    pub(super) fn new(
        runtime: RuntimeObserver,
        options: &OtlpOptions,
        calls: Calls,
        stats: SharedStats,
    ) -> Result<Self> {
        Ok(Self { interval: options.interval, round: Round::new(runtime, options, calls, stats)? })
    }

    /// Pushes at each interval and for each call, until the last call.
    pub(super) async fn run(self) -> Last {
        let Self { interval, mut round } = self;
        let mut next = Instant::now() + interval;
        let mut callers = Vec::new();
        loop {
            if callers.is_empty() {
                round.calls().arrival_or(next).await;
            }
            callers.append(&mut round.calls().take());
            let now = Instant::now();
            for late in callers.extract_if(.., |call| !call.is_last && call.deadline <= now) {
                late.answer(Err(OtlpError::TimedOut { waited: round.timeout() }));
            }
            let due = if callers.is_empty() {
                if now < next {
                    continue;
                }
                next = following(next, interval, now);
                Due { end: next, is_strict: false }
            } else {
                Due { end: deadline_of(&callers), is_strict: true }
            };
            if !due.is_strict && round.skip() {
                continue;
            }
            // A push that a newer one replaces answers nobody: the newer one does.
            let result = round.push(due).await;
            round.calls().set_patient(result.is_none() && due.is_strict);
            if let Some(result) = result {
                let calls = std::mem::take(&mut callers);
                if calls.iter().any(|call| call.is_last) {
                    round.log_end(&result);
                    return Last { calls, result };
                }
                answer(calls, &result);
            }
        }
    }
}

fn answer(calls: Vec<Call>, result: &Result<()>) {
    for call in calls {
        call.answer(result.clone());
    }
}

/// The deadline of a push that several calls share. The last call ends the thread, so its deadline counts.
fn deadline_of(calls: &[Call]) -> Instant {
    let last = calls.iter().find(|call| call.is_last).map(|call| call.deadline);
    let latest = || calls.iter().map(|call| call.deadline).max();
    last.or_else(latest).unwrap_or_else(Instant::now)
}

/// The begin of the push after the one of `due`. Begins that have passed are left out.
fn following(due: Instant, interval: Duration, now: Instant) -> Instant {
    let passed = now.saturating_duration_since(due).as_nanos() / interval.as_nanos().max(1);
    let intervals = u32::try_from(passed).unwrap_or(u32::MAX).saturating_add(1);
    due + interval.saturating_mul(intervals)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pushes_begin_at_multiples_of_the_interval_and_late_ones_are_left_out() {
        let due = Instant::now();
        let interval = Duration::from_secs(10);
        let after = |seconds| due + Duration::from_secs_f64(seconds);
        for (now, next) in [(0.0, 10.0), (0.1, 10.0), (9.9, 10.0), (10.0, 20.0), (10.1, 20.0), (95.0, 100.0)]
        {
            assert_eq!(following(due, interval, after(now)), after(next), "{now}");
        }
    }
}
