//! The subjects of the bench: ways to record a distribution and to ask it for quantiles.

use std::hint::black_box;
use std::marker::PhantomData;
use std::time::Instant;

use crate::allocator::counted;
use crate::figure::{as_float, nanoseconds};

/// The merges of one round.
const MERGES: usize = 64;

/// A distribution that values are recorded into.
pub trait Sketch: Default {
    /// The name in the tables.
    const NAME: &'static str;
    /// The type of its values.
    type Value: Copy;
    /// A sketch that merges and has quantiles.
    type Reading: Clone;

    /// The value of a latency.
    fn value(nanoseconds: u64) -> Self::Value;

    fn record(&mut self, value: Self::Value);

    fn read(self) -> Self::Reading;

    /// Whether readings merge.
    const MERGES: bool = true;

    fn merge(reading: &mut Self::Reading, other: &Self::Reading);

    /// A quantile in nanoseconds, if it has quantiles.
    fn quantile(reading: &Self::Reading, share: f64) -> Option<f64>;
}

/// A sketch of any type.
pub trait Participant {
    fn name(&self) -> &'static str;

    /// The quantiles in nanoseconds after these values.
    fn quantiles(&self, values: &[u64], shares: &[f64]) -> Vec<Option<f64>>;

    /// Its bytes after these values, on the heap and in place.
    fn bytes(&self, values: &[u64]) -> f64;

    /// Nanoseconds per value, from an empty sketch on.
    fn record_round(&self, values: &[u64]) -> f64;

    /// Nanoseconds for merging what both halves of these values became; NaN if they do not merge.
    fn merge_round(&self, values: &[u64]) -> f64;

    /// Records all values this many times, for callgrind.
    fn record_for_callgrind(&self, values: &[u64], times: usize);
}

/// The participant of the sketch `S`.
pub struct Trial<S>(PhantomData<fn() -> S>);

impl<S: Sketch> Trial<S> {
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<S: Sketch> Participant for Trial<S> {
    fn name(&self) -> &'static str {
        S::NAME
    }

    fn quantiles(&self, values: &[u64], shares: &[f64]) -> Vec<Option<f64>> {
        let reading = filled::<S>(&converted::<S>(values)).read();
        shares.iter().map(|share| S::quantile(&reading, *share)).collect()
    }

    fn bytes(&self, values: &[u64]) -> f64 {
        let values = converted::<S>(values);
        let (sketch, allocations) = counted(|| filled::<S>(&values));
        drop(sketch);
        as_float(allocations.live_bytes.unsigned_abs() + size_of::<S>() as u64)
    }

    fn record_round(&self, values: &[u64]) -> f64 {
        let values = converted::<S>(values);
        let started = Instant::now();
        let sketch = filled::<S>(&values);
        let elapsed = nanoseconds(started.elapsed());
        drop(black_box(sketch));
        elapsed / as_float(values.len() as u64)
    }

    fn merge_round(&self, values: &[u64]) -> f64 {
        if !S::MERGES {
            return f64::NAN;
        }
        let (first, second) = values.split_at(values.len() / 2);
        let [first, second] = [first, second].map(|half| filled::<S>(&converted::<S>(half)).read());
        let mut merged = vec![first; MERGES];
        let started = Instant::now();
        for reading in &mut merged {
            S::merge(reading, black_box(&second));
        }
        let elapsed = nanoseconds(started.elapsed());
        drop(black_box(merged));
        elapsed / as_float(MERGES as u64)
    }

    fn record_for_callgrind(&self, values: &[u64], times: usize) {
        let values = converted::<S>(values);
        let mut sketch = S::default();
        for _ in 0..times {
            counted_record(&mut sketch, &values);
        }
        drop(black_box(sketch));
    }
}

fn converted<S: Sketch>(values: &[u64]) -> Vec<S::Value> {
    values.iter().map(|value| S::value(*value)).collect()
}

fn filled<S: Sketch>(values: &[S::Value]) -> S {
    let mut sketch = S::default();
    counted_record(&mut sketch, values);
    sketch
}

/// Never inlined, so that callgrind can start and stop counting by its name.
#[inline(never)]
fn counted_record<S: Sketch>(sketch: &mut S, values: &[S::Value]) {
    for value in values {
        sketch.record(*value);
    }
}
