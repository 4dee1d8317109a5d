//! `fast-telemetry`: counters that are split into shards. Each thread has one, so that threads seldom share a cache line.

use std::sync::Arc;
use std::thread;

use fast_telemetry::{CounterSet, MaxGauge};

use crate::subject::{Counted, Producer, Setup, Subject};
use crate::workload::{DURATION_BOUNDS, SaveFinished, SaveOutcome, bucket};

// The places of the counters in a shard.
const TOTAL: usize = 0;
const SUCCESSES: usize = 1;
const FAILURES: usize = 2;
const BYTES: usize = 3;
const BUCKETS: usize = 4;
const COUNTERS: usize = BUCKETS + DURATION_BOUNDS.len() + 1;

struct Totals {
    /// One row for a thread, as its documentation advises for counters that change together.
    counters: CounterSet,
    longest_ns: MaxGauge,
}

pub struct ShardedCounters(Arc<Totals>);

#[derive(Clone)]
pub struct Shards(Arc<Totals>);

impl Subject for ShardedCounters {
    const NAME: &'static str = "fast-telemetry, sharded counters";
    type Producer = Shards;

    fn start(_setup: Setup) -> Self {
        let shards = thread::available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Totals {
            counters: CounterSet::new(shards, COUNTERS),
            longest_ns: MaxGauge::new(shards),
        }))
    }

    fn producer(&self) -> Shards {
        Shards(Arc::clone(&self.0))
    }

    fn processed(&self) -> Option<u64> {
        None
    }

    fn finish(self) -> Counted {
        let sum = |place| u64::try_from(self.0.counters.sum(place)).expect("nothing is subtracted");
        Counted { total: sum(TOTAL), bytes: sum(BYTES) }
    }
}

impl Producer for Shards {
    fn hand_over(&mut self, event: SaveFinished) -> Result<(), SaveFinished> {
        let Totals { counters, longest_ns } = &*self.0;
        let outcome = match event.outcome {
            SaveOutcome::Success => SUCCESSES,
            SaveOutcome::Failure => FAILURES,
        };
        let bytes = event.bytes.cast_signed();
        let bytes = isize::try_from(bytes).unwrap_or(isize::MAX);
        counters.add_index_values(&[
            (TOTAL, 1),
            (outcome, 1),
            (BYTES, bytes),
            (BUCKETS + bucket(event.duration_ns), 1),
        ]);
        longest_ns.observe(event.duration_ns.cast_signed());
        Ok(())
    }
}
