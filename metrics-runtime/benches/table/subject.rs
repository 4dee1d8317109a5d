//! The measured subjects: they count the same events, each in its own way.

use crate::workload::SaveFinished;

/// The pending limit of every queue.
pub const PENDING_LIMIT: usize = 10_000;

/// How a subject is set up for a row.
#[derive(Debug, Clone, Copy)]
pub struct Setup {
    /// How many events may be pending.
    pub pending_limit: usize,
    /// How many metrics listen to the event: first the one of the workload, then metrics with one counter.
    pub metrics: usize,
}

impl Setup {
    pub const DEFAULT: Self = Self { pending_limit: PENDING_LIMIT, metrics: 1 };
}

/// A way to count events, ours or a peer's.
pub trait Subject: Send + Sync + Sized {
    /// The name in the table.
    const NAME: &'static str;
    /// How many threads may produce at once.
    const MAX_PRODUCERS: usize = usize::MAX;
    /// One thread's access.
    type Producer: Producer;

    /// Starts it; threads that it starts inherit the core of the calling thread.
    fn start(setup: Setup) -> Self;

    /// Access for one more producing thread.
    fn producer(&self) -> Self::Producer;

    /// How many events were applied so far, or `None` when an event is applied at once.
    fn processed(&self) -> Option<u64>;

    /// Work that an application must do from time to time, outside of the measured time.
    fn upkeep(&self) {}

    /// Stops it and returns its counts.
    fn finish(self) -> Counted;
}

/// One thread's access to a subject.
pub trait Producer: Send {
    /// Hands over an event, or gives it back when the queue is full.
    fn hand_over(&mut self, event: SaveFinished) -> Result<(), SaveFinished>;
}

/// The counts of a subject. The harness checks them, so that no figure comes from work left undone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    pub total: u64,
    pub bytes: u64,
}

impl Counted {
    /// The right counts when each producer handed over this many events.
    pub fn expected(handed_over: &[u64]) -> Self {
        let numbers = handed_over.iter().zip(0..).flat_map(|(count, producer)| numbers(producer, 0, *count));
        let bytes = numbers.map(|number| SaveFinished::number(number).bytes).sum();
        Self { total: handed_over.iter().sum(), bytes }
    }
}

/// The numbers of a producer's events.
pub fn numbers(producer: usize, first: u64, count: u64) -> std::ops::Range<u64> {
    let offset = (producer as u64) << 40;
    offset + first..offset + first + count
}
