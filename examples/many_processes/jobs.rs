//! The work of a worker: jobs, the metric that counts them, and a plain count beside it to compare with.

use std::ops::AddAssign;
use std::time::Duration;

use mvx_metrics::{Breakdown, Counter, Distinct, Histogram, Label, Metric, metric_event};

pub const NAMESPACE: &str = "example.jobs";

/// The bounds of the buckets of `Jobs::time`.
const BOUNDS: [Duration; 3] =
    [Duration::from_millis(10), Duration::from_millis(100), Duration::from_millis(500)];

#[derive(Label, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Done,
    Failed,
}

/// A job has ended.
#[metric_event(name = "job.ended")]
pub struct JobEnded {
    outcome: Outcome,
    elapsed: Duration,
    customer: u64,
}

/// The jobs of a worker.
#[derive(Metric, Default)]
#[metric(name = "jobs", on(JobEnded))]
pub struct Jobs {
    /// Jobs by outcome.
    #[dimension(by = outcome)]
    ended: Breakdown<Outcome, Counter>,
    /// How long a job took.
    #[dimension(value = elapsed, buckets = [0.01, 0.1, 0.5])]
    time: Histogram<Duration>,
    /// Different customers.
    #[dimension(value = customer)]
    customers: Distinct,
}

/// Pseudo-random numbers, the same in every run with one seed.
pub struct Random(pub u64);

impl Random {
    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % end
    }
}

/// The jobs that a worker does, one after the other. The parent knows them from the worker's number.
pub fn jobs_of(worker: u64) -> impl Iterator<Item = JobEnded> {
    let mut random = Random(worker);
    std::iter::repeat_with(move || JobEnded {
        outcome: if random.below(10) == 0 { Outcome::Failed } else { Outcome::Done },
        elapsed: Duration::from_micros(random.below(1_000_000)),
        customer: random.below(1000),
    })
}

/// What jobs add up to, counted without the library.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    pub done: u64,
    pub failed: u64,
    pub time: Duration,
    /// By the buckets of `Jobs::time`.
    pub buckets: [u64; BOUNDS.len() + 1],
}

impl Tally {
    /// The tally of the first jobs of a worker.
    pub fn of_first(jobs: u64, worker: u64) -> Self {
        let mut tally = Self::default();
        for (_, job) in (0..jobs).zip(jobs_of(worker)) {
            match job.outcome {
                Outcome::Done => tally.done += 1,
                Outcome::Failed => tally.failed += 1,
            }
            tally.time += job.elapsed;
            tally.buckets[BOUNDS.partition_point(|bound| *bound < job.elapsed)] += 1;
        }
        tally
    }

    pub fn jobs(&self) -> u64 {
        self.done + self.failed
    }
}

impl From<&JobsSnapshot> for Tally {
    fn from(jobs: &JobsSnapshot) -> Self {
        let ended = |outcome| jobs.ended.get(outcome).copied().unwrap_or_default();
        let mut buckets = [0; BOUNDS.len() + 1];
        for (count, bucket) in buckets.iter_mut().zip(jobs.time.buckets.explicit().unwrap_or_default()) {
            *count = bucket.count;
        }
        Self { done: ended(Outcome::Done), failed: ended(Outcome::Failed), time: jobs.time.sum, buckets }
    }
}

impl AddAssign<&Self> for Tally {
    fn add_assign(&mut self, other: &Self) {
        self.done += other.done;
        self.failed += other.failed;
        self.time += other.time;
        for (count, more) in self.buckets.iter_mut().zip(other.buckets) {
            *count += more;
        }
    }
}
