//! Which events come when.

use std::thread;
use std::time::{Duration, Instant};

/// How long one round goes on.
const ROUND: Duration = Duration::from_secs(1);

pub struct Traffic {
    pub recorders: u32,
    pub pattern: Pattern,
}

pub enum Pattern {
    /// Each recorder has an event in each period. The recorders take turns.
    Each(Duration),
    /// Bursts of so many events.
    Bursts { events: u32, apart: Duration, every: Duration },
}

impl Traffic {
    /// Calls `emit` with the number of a recorder for each event of a round, on schedule. Events that are late follow at once.
    /// Returns how many there were.
    pub fn produce(&self, mut emit: impl FnMut(usize)) -> u64 {
        let began = Instant::now();
        let (mut events, mut recorder) = (0, 0);
        loop {
            let due = self.due(events);
            if due >= ROUND || began.elapsed() >= 2 * ROUND {
                return events;
            }
            let early = due.saturating_sub(began.elapsed());
            if !early.is_zero() {
                thread::sleep(early);
            }
            emit(recorder);
            events += 1;
            recorder = (recorder + 1) % self.recorders as usize;
        }
    }

    /// How many events there are in a second at most.
    pub fn per_second(&self) -> u64 {
        let nanos = self.due(1_000_000).as_nanos() / 1_000_000;
        u64::try_from(1_000_000_000 / nanos).expect("a count of events")
    }

    /// The time of an event since the beginning of the round.
    fn due(&self, number: u64) -> Duration {
        let times = |duration: Duration, count: u64| {
            let nanos = u64::try_from(duration.as_nanos()).expect("less than a minute");
            Duration::from_nanos(nanos * count)
        };
        match self.pattern {
            Pattern::Each(period) => times(period, number) / self.recorders,
            Pattern::Bursts { events, apart, every } => {
                let events = u64::from(events);
                times(every, number / events) + times(apart, number % events)
            }
        }
    }
}
