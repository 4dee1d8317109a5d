//! The bounds of explicit buckets, with a table that finds the bucket of a value.

use super::key::Recorded;

/// The bounds of a histogram's buckets, as `buckets = ..` declares them: a constant that all histograms of a field share.
#[derive(Debug)]
pub struct BucketLayout<T: 'static> {
    /// In ascending order.
    pub(super) bounds: &'static [T],
    /// One for each number of bits that a key can have; none where keys are no integers.
    guesses: &'static [Guess],
}

/// Where keys of one number of bits belong. Most layouts have at most one bound for each number of bits.
#[derive(Debug, Clone, Copy)]
pub struct Guess {
    /// The first bound that is not below these keys.
    first: u64,
    /// The bound after it.
    second: u64,
    /// The bucket of `first`.
    bucket: usize,
}

const EMPTY: Guess = Guess { first: u64::MAX, second: u64::MAX, bucket: 0 };

impl<T: Recorded> BucketLayout<T> {
    /// The layout for these bounds, and for the guesses that `guesses` makes of them.
    #[must_use]
    pub const fn new(bounds: &'static [T], guesses: &'static [Guess]) -> Self {
        Self { bounds, guesses }
    }

    /// The bucket of a key. It is found without a branch where the number of bits leaves at most two buckets.
    #[inline]
    pub(super) fn guessed_bucket(&self, key: u64, of_key: impl Fn(u64) -> T) -> usize {
        let Some(guess) = self.guesses.get((key | 1).ilog2() as usize) else { return usize::MAX };
        if key > guess.second {
            return self.later_bucket(guess.bucket + 2, of_key(key));
        }
        guess.bucket + usize::from(key > guess.first)
    }

    #[cold]
    #[inline(never)]
    fn later_bucket(&self, from: usize, value: T) -> usize {
        from + self.bounds[from..].partition_point(|bound| *bound < value)
    }
}

/// The guesses for bounds in ascending order, given as keys. Those of negative bounds are left out, and counted.
#[must_use]
pub const fn guesses(bounds: &[u64], negative: usize) -> [Guess; 64] {
    let mut guesses = [EMPTY; 64];
    let mut next = 0;
    let mut bits = 0;
    while bits < guesses.len() {
        let least = if bits == 0 { 0 } else { 1 << bits };
        while next < bounds.len() && bounds[next] < least {
            next += 1;
        }
        guesses[bits].bucket = negative + next;
        if next < bounds.len() {
            guesses[bits].first = bounds[next];
        }
        if next + 1 < bounds.len() {
            guesses[bits].second = bounds[next + 1];
        }
        bits += 1;
    }
    guesses
}
