//! A shared struct of atomics: the lower bound for counting on the caller's thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::subject::{Counted, Producer, Setup, Subject};
use crate::workload::{DURATION_BOUNDS, SaveFinished, SaveOutcome, bucket};

#[derive(Default)]
pub struct Totals {
    total: AtomicU64,
    successes: AtomicU64,
    failures: AtomicU64,
    bytes: AtomicU64,
    longest_ns: AtomicU64,
    buckets: [AtomicU64; DURATION_BOUNDS.len() + 1],
}

impl Totals {
    fn apply(&self, event: &SaveFinished) {
        self.total.fetch_add(1, Ordering::Relaxed);
        let outcome = match event.outcome {
            SaveOutcome::Success => &self.successes,
            SaveOutcome::Failure => &self.failures,
        };
        outcome.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(event.bytes, Ordering::Relaxed);
        self.longest_ns.fetch_max(event.duration_ns, Ordering::Relaxed);
        self.buckets[bucket(event.duration_ns)].fetch_add(1, Ordering::Relaxed);
    }
}

pub struct SharedAtomics(Arc<Totals>);

impl Subject for SharedAtomics {
    const NAME: &'static str = "shared struct of atomics";
    type Producer = Arc<Totals>;

    fn start(_setup: Setup) -> Self {
        Self(Arc::default())
    }

    fn producer(&self) -> Arc<Totals> {
        Arc::clone(&self.0)
    }

    fn processed(&self) -> Option<u64> {
        None
    }

    fn finish(self) -> Counted {
        Counted { total: self.0.total.load(Ordering::Relaxed), bytes: self.0.bytes.load(Ordering::Relaxed) }
    }
}

impl Producer for Arc<Totals> {
    fn hand_over(&mut self, event: SaveFinished) -> Result<(), SaveFinished> {
        self.apply(&event);
        Ok(())
    }
}
