//! The work of every row: one event and the five updates it causes.

use mvx_metrics::{Label, metric_event};

/// The upper bounds of the duration histogram in nanoseconds: powers of two from 1 us to 33 ms.
pub const DURATION_BOUNDS: [u64; 16] = {
    let mut bounds = [1 << 10; 16];
    let mut index = 1;
    while index < bounds.len() {
        bounds[index] = bounds[index - 1] * 2;
        index += 1;
    }
    bounds
};

/// How a save attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Label)]
pub enum SaveOutcome {
    Success,
    Failure,
}

impl SaveOutcome {
    pub const fn label(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
        }
    }
}

/// A save attempt finished.
#[metric_event(name = "save.finished")]
#[derive(Debug, Clone, Copy)]
pub struct SaveFinished {
    pub outcome: SaveOutcome,
    pub duration_ns: u64,
    pub bytes: u64,
}

impl SaveFinished {
    /// The event of that number: cheap to make, spread over all outcomes and buckets, and the same in every run.
    pub const fn number(number: u64) -> Self {
        let product = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mixed = product ^ (product >> 29);
        Self {
            outcome: if mixed & 0x70 == 0 { SaveOutcome::Failure } else { SaveOutcome::Success },
            duration_ns: ((mixed >> 32) & 0x1FF_FFFF) >> (mixed & 15),
            bytes: (mixed >> 8) & 0xFFFF,
        }
    }
}

/// The bucket of a duration: the index of the first bound that is not below it, 16 beyond the last one.
pub fn bucket(duration_ns: u64) -> usize {
    DURATION_BOUNDS.partition_point(|bound| *bound < duration_ns)
}

/// What must have been counted: the five aggregates as plain fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SaveTotals {
    pub total: u64,
    pub successes: u64,
    pub failures: u64,
    pub bytes: u64,
    pub longest_ns: u64,
    pub buckets: [u64; DURATION_BOUNDS.len() + 1],
}

impl SaveTotals {
    pub fn apply(&mut self, event: &SaveFinished) {
        self.total += 1;
        match event.outcome {
            SaveOutcome::Success => self.successes += 1,
            SaveOutcome::Failure => self.failures += 1,
        }
        self.bytes += event.bytes;
        self.longest_ns = self.longest_ns.max(event.duration_ns);
        self.buckets[bucket(event.duration_ns)] += 1;
    }
}
