//! Histograms of several threads become one.

use std::mem;

use super::window::{self, Window};
use super::{Histogram, Rest};
use crate::dimension::measure::Measure;

/// An empty histogram with the buckets of this one.
pub(super) fn empty_shard<T: Measure>(histogram: &Histogram<T>) -> Histogram<T> {
    let own_bounds = histogram.rest.as_ref().and_then(|rest| rest.own_bounds);
    let mut shard = match (own_bounds, histogram.layout) {
        (Some(bounds), None) => Histogram::with_buckets(bounds),
        _ => Histogram::default(),
    };
    shard.max_buckets = histogram.max_buckets;
    if let Some(layout) = histogram.layout {
        shard.set_layout(layout);
    } else if own_bounds.is_none() && !histogram.is_unused() {
        // With values already, the histogram keeps its exponential buckets, whatever its field declares. So does the shard.
        shard.rest = Some(Box::default());
        shard.max_buckets = u16::try_from(histogram.limits().max_buckets).unwrap_or(u16::MAX);
    }
    shard
}

/// Takes over all that a shard has recorded.
pub(super) fn absorb_shard<T: Measure>(histogram: &mut Histogram<T>, shard: &mut Histogram<T>) {
    if histogram.bounds().is_none() && histogram.count() == 0 {
        // The first values bring their buckets.
        mem::swap(histogram, shard);
    }
    let count = shard.count();
    if count > 0 {
        if histogram.bounds() == shard.bounds() {
            absorb_values(histogram, shard);
        } else {
            // Only metrics whose `Default` answers other bounds at each call have such shards.
            histogram.add_invalid(count);
        }
    }
    histogram.add_invalid(shard.rest.as_ref().map_or(0, |rest| rest.invalid));
}

fn absorb_values<T: Measure>(histogram: &mut Histogram<T>, shard: &mut Histogram<T>) {
    if histogram.bounds().is_none() {
        absorb_exponential(histogram, shard);
    } else if histogram.counts.is_empty() {
        histogram.counts = mem::take(&mut shard.counts);
    } else {
        window::add_counts(&mut histogram.counts, &shard.counts);
    }
    T::add_sum(&mut histogram.sum, shard.sum);
    for extreme in shard.all_extremes() {
        histogram.observe_any(extreme);
    }
}

fn absorb_exponential<T: Measure>(histogram: &mut Histogram<T>, shard: &mut Histogram<T>) {
    let limits = histogram.limits();
    let (shift, shards_shift) = (histogram.shift, shard.shift);
    let mut own = windows(histogram);
    histogram.shift = window::absorb(&mut own, shift, windows(shard), shards_shift, limits);
    let [positive, negative] = own;
    (histogram.counts, histogram.offset) = (positive.counts, positive.offset);
    let zero = shard.rest.as_ref().map_or(0, |rest| rest.zero);
    if zero > 0 || !negative.counts.is_empty() {
        let rest = histogram.rest();
        rest.zero += zero;
        rest.negative = negative;
    }
}

/// Takes out the buckets of positive and of negative values.
fn windows<T: Measure>(histogram: &mut Histogram<T>) -> [Window; 2] {
    let positive = Window { counts: mem::take(&mut histogram.counts), offset: histogram.offset };
    let negative = |rest: &mut Box<Rest<T>>| mem::take(&mut rest.negative);
    [positive, histogram.rest.as_mut().map(negative).unwrap_or_default()]
}
