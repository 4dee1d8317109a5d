//! Exponential buckets in a row that have memory: those with values, and some beside them.

use super::index::COARSEST_SHIFT;

/// The fewest buckets that get memory.
const MIN_BUCKETS: usize = 8;

/// Counts of buckets in a row.
#[derive(Debug, Clone, Default)]
pub(super) struct Window {
    pub(super) counts: Box<[u64]>,
    /// The index of the first bucket.
    pub(super) offset: u32,
}

/// The first and the last index of buckets that have values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Used {
    first: u32,
    last: u32,
}

impl Used {
    fn with(used: Option<Self>, index: u32) -> Self {
        used.map_or(Self { first: index, last: index }, |used| Self {
            first: used.first.min(index),
            last: used.last.max(index),
        })
    }

    fn of_both(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(one), Some(other)) => {
                Some(Self { first: one.first.min(other.first), last: one.last.max(other.last) })
            }
            (one, other) => one.or(other),
        }
    }

    fn len(self) -> usize {
        (self.last - self.first) as usize + 1
    }

    fn at(self, shift: u8) -> Self {
        Self { first: self.first >> shift, last: self.last >> shift }
    }
}

impl Window {
    /// Counts a value in its bucket; `false` when the bucket has no memory.
    fn count(&mut self, index: u32) -> bool {
        let slot = index.wrapping_sub(self.offset) as usize;
        let Some(count) = self.counts.get_mut(slot) else { return false };
        *count = count.wrapping_add(1);
        true
    }

    /// The buckets that have values.
    fn used(&self) -> Option<Used> {
        match trimmed(self.offset, &self.counts) {
            (_, []) => None,
            #[expect(clippy::cast_possible_truncation, reason = "a window has at most `u16::MAX` buckets")]
            (first, counts) => Some(Used { first, last: first + (counts.len() - 1) as u32 }),
        }
    }

    /// Whether all of these buckets have memory.
    fn has_room_for(&self, used: Used) -> bool {
        used.first >= self.offset && ((used.last - self.offset) as usize) < self.counts.len()
    }

    /// Lowers the scale: `2^by` buckets become one.
    fn coarsen(&mut self, by: u8) {
        if by == 0 || self.counts.is_empty() {
            return;
        }
        let (old, new) = (self.offset, self.offset >> by);
        for slot in 0..self.counts.len() {
            let count = std::mem::take(&mut self.counts[slot]);
            #[expect(clippy::cast_possible_truncation, reason = "a window has at most `u16::MAX` buckets")]
            let index = (old + slot as u32) >> by;
            self.counts[(index - new) as usize] += count;
        }
        self.offset = new;
    }

    /// Moves the window: it has `len` buckets from `offset` on, and keeps all that have values.
    fn move_to(&mut self, offset: u32, len: usize) {
        let mut counts = vec![0; len].into_boxed_slice();
        let (first, used) = trimmed(self.offset, &self.counts);
        if !used.is_empty() {
            let start = (first - offset) as usize;
            counts[start..start + used.len()].copy_from_slice(used);
        }
        *self = Self { counts, offset };
    }

    /// Makes the window as small as its values allow.
    fn shrink(&mut self) {
        match self.used() {
            Some(used) => self.move_to(used.first, used.len()),
            None => *self = Self::default(),
        }
    }
}

/// The buckets from the first to the last one that has values, and the index of the first. `offset` is that of `counts`.
pub(super) fn trimmed(offset: u32, counts: &[u64]) -> (u32, &[u64]) {
    let has_values = |count: &u64| *count > 0;
    let Some(first) = counts.iter().position(has_values) else { return (offset, &[]) };
    let end = counts.iter().rposition(has_values).map_or(first, |last| last + 1);
    #[expect(clippy::cast_possible_truncation, reason = "a window has at most `u16::MAX` buckets")]
    (offset + first as u32, &counts[first..end])
}

/// The limits of the memory for buckets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// The most buckets in both windows together, at least 4.
    pub(super) max_buckets: usize,
    /// The position of the smallest positive value.
    pub(super) lowest: u64,
}

/// Counts a value at this position, and returns the new shift. Where its bucket has no memory yet, the window grows, and the
/// scale falls as far as the limit makes it fall.
///
/// `other` is the window of the values with the other sign.
#[expect(clippy::cast_possible_truncation, reason = "an index has 20 bits")]
pub(super) fn count(window: &mut Window, other: &mut Window, position: u64, shift: u8, limits: Limits) -> u8 {
    let index = (position >> shift) as u32;
    if window.count(index) {
        return shift;
    }
    let used = Used::with(window.used(), index);
    let others = other.used();
    let len = |by: u8| used.at(by).len() + others.map_or(0, |others| others.at(by).len());
    let mut by = 0;
    while len(by) > limits.max_buckets && shift + by < COARSEST_SHIFT {
        by += 1;
    }
    let (index, shift) = (index >> by, shift + by);
    window.coarsen(by);
    other.coarsen(by);
    if !window.count(index) {
        grow(window, other, index, shift, limits);
        window.count(index);
    }
    shift
}

/// Adds the counts of both windows of another histogram, and returns the new shift.
///
/// Both windows of `own` have the first shift, those of `others` the second one. The scale falls as far as the limit makes it fall, so
/// it is the same in whichever order values and windows come.
pub(super) fn absorb(
    own: &mut [Window; 2],
    shift: u8,
    mut others: [Window; 2],
    others_shift: u8,
    limits: Limits,
) -> u8 {
    let mut common = shift.max(others_shift);
    for (window, other) in own.iter_mut().zip(&mut others) {
        window.coarsen(common - shift);
        other.coarsen(common - others_shift);
    }
    let used = [0, 1].map(|sign| Used::of_both(own[sign].used(), others[sign].used()));
    let len = |by: u8| used.iter().flatten().map(|used| used.at(by).len()).sum::<usize>();
    let mut by = 0;
    while len(by) > limits.max_buckets && common + by < COARSEST_SHIFT {
        by += 1;
    }
    common += by;
    for window in own.iter_mut().chain(&mut others) {
        window.coarsen(by);
    }
    let used = used.map(|used| used.map(|used| used.at(by)));
    if !own.iter().zip(used).all(|(window, used)| used.is_none_or(|used| window.has_room_for(used))) {
        for (window, used) in own.iter_mut().zip(used) {
            match used {
                Some(used) => window.move_to(used.first, used.len()),
                None => *window = Window::default(),
            }
        }
    }
    for (window, other) in own.iter_mut().zip(&others) {
        let (first, counts) = trimmed(other.offset, &other.counts);
        if !counts.is_empty() {
            add_counts(&mut window.counts[(first - window.offset) as usize..], counts);
        }
    }
    common
}

/// Adds counts to the first ones of other counts.
pub(super) fn add_counts(counts: &mut [u64], others: &[u64]) {
    for (count, other) in counts.iter_mut().zip(others) {
        *count = count.wrapping_add(*other);
    }
}

/// Makes room for an index, and for as many buckets again on the side to which the values spread.
#[expect(clippy::cast_possible_truncation, reason = "an index has 20 bits")]
fn grow(window: &mut Window, other: &mut Window, index: u32, shift: u8, limits: Limits) {
    let before = window.used();
    let used = Used::with(before, index);
    if other.counts.len() + used.len() > limits.max_buckets {
        other.shrink();
    }
    let room = limits.max_buckets.saturating_sub(other.counts.len());
    let len = used.len().next_power_of_two().max(MIN_BUCKETS).min(room);
    let spare = (len - used.len()) as u32;
    let below = match before {
        Some(before) if index < before.first => spare,
        Some(_) => 0,
        None => spare / 2,
    };
    // The window stays between the smallest and the largest value. So zero and negative values never lie in it.
    let (lowest, end) = ((limits.lowest >> shift) as u32, (1_u64 << 63 >> shift) as u32);
    let offset = used.first.saturating_sub(below).max(lowest);
    let len = len.min((end - offset) as usize);
    window.move_to(offset, len);
}
