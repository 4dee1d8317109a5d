//! What a histogram does with the values of each type: their keys, their positions among exponential buckets, and their sum.
//!
//! A key is an integer with the order of the values, so that recording compares and subtracts integers. *Ordinary* values are
//! those that programs measure: they need no check but one. A histogram records them in line, and all others in a slow path.

use std::time::Duration;

use super::index::{self, IndexTable};
use super::layout::BucketLayout;

/// The sum of values. For unsigned types it is an integer of 128 bits, lower half first, which is too wide to overflow. For
/// the others the first half alone is used.
pub type Sum = [u64; 2];

/// The place of a value among exponential buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Zero,
    /// The [position](IndexTable::position) of a positive value.
    Positive(u64),
    /// The position of a negative value without its sign.
    Negative(u64),
}

/// A type of values that histograms record.
pub trait Recorded: Copy + PartialOrd {
    /// The exact indexes of the values.
    const TABLE: &'static IndexTable;

    /// The position of the smallest positive value.
    const LOWEST: u64;

    /// The key of an ordinary value. It is never negative, and below 2<sup>63</sup>.
    fn ordinary_key(self) -> Option<u64>;

    /// The key of a value. Keys are subtracted with wrapping; a difference is right for any two values of the type. `None` for
    /// a duration of more than 292 years.
    fn key(self) -> Option<u64>;

    /// The value of a key.
    fn of_key(key: u64) -> Self;

    /// The position of the ordinary value with this key, which is an integer. Zero has a position that no window of buckets contains.
    #[inline]
    #[expect(clippy::cast_precision_loss, reason = "the documentation of `Histogram` says so")]
    fn position(key: u64) -> u64 {
        Self::TABLE.position((key.cast_signed() as f64).to_bits())
    }

    /// The place of a value that is finite.
    fn place(self) -> Place;

    /// The bucket of the ordinary value with this key.
    #[inline]
    fn bucket(layout: &BucketLayout<Self>, key: u64) -> usize {
        layout.guessed_bucket(key, Self::of_key)
    }

    /// Adds the ordinary value with this key to a sum.
    fn add_key(sum: &mut Sum, key: u64);

    /// Adds a value that is finite to a sum.
    fn add(sum: &mut Sum, value: Self);

    /// Adds a sum to a sum.
    fn add_sum(sum: &mut Sum, other: Sum);

    /// The sum as a value. It saturates.
    fn sum(sum: Sum) -> Self;
}

impl Recorded for u64 {
    const TABLE: &'static IndexTable = &index::OF_NUMBERS;
    const LOWEST: u64 = Self::TABLE.position(1_f64.to_bits());

    #[inline]
    fn ordinary_key(self) -> Option<u64> {
        is_ordinary(self).then_some(self)
    }

    fn key(self) -> Option<u64> {
        Some(self)
    }

    fn of_key(key: u64) -> Self {
        key
    }

    #[expect(clippy::cast_precision_loss, reason = "the documentation of `Histogram` says so")]
    fn place(self) -> Place {
        place(Self::TABLE, self as f64)
    }

    #[inline]
    fn add_key(sum: &mut Sum, key: u64) {
        add_wide(sum, key);
    }

    fn add(sum: &mut Sum, value: Self) {
        add_wide(sum, value);
    }

    fn add_sum(sum: &mut Sum, other: Sum) {
        add_wide_sum(sum, other);
    }

    fn sum([low, high]: Sum) -> Self {
        if high == 0 { low } else { u64::MAX }
    }
}

impl Recorded for i64 {
    const TABLE: &'static IndexTable = &index::OF_NUMBERS;
    const LOWEST: u64 = u64::LOWEST;

    #[inline]
    fn ordinary_key(self) -> Option<u64> {
        is_ordinary(self.cast_unsigned()).then_some(self.cast_unsigned())
    }

    fn key(self) -> Option<u64> {
        Some(self.cast_unsigned())
    }

    fn of_key(key: u64) -> Self {
        key.cast_signed()
    }

    #[expect(clippy::cast_precision_loss, reason = "the documentation of `Histogram` says so")]
    fn place(self) -> Place {
        place(Self::TABLE, self as f64)
    }

    #[inline]
    fn add_key(sum: &mut Sum, key: u64) {
        let (added, overflows) = sum[0].cast_signed().overflowing_add(key.cast_signed());
        sum[0] = (if overflows { i64::MAX } else { added }).cast_unsigned();
    }

    fn add(sum: &mut Sum, value: Self) {
        sum[0] = sum[0].cast_signed().saturating_add(value).cast_unsigned();
    }

    fn add_sum(sum: &mut Sum, other: Sum) {
        Self::add(sum, Self::sum(other));
    }

    fn sum(sum: Sum) -> Self {
        sum[0].cast_signed()
    }
}

impl Recorded for f64 {
    const TABLE: &'static IndexTable = &index::OF_NUMBERS;
    const LOWEST: u64 = Self::TABLE.position(f64::MIN_POSITIVE.to_bits());

    /// Positive numbers that are not subnormal. Their bits have the order of the numbers.
    #[inline]
    fn ordinary_key(self) -> Option<u64> {
        const LOWEST: u64 = f64::MIN_POSITIVE.to_bits();
        let bits = self.to_bits();
        (bits.wrapping_sub(LOWEST) < f64::INFINITY.to_bits() - LOWEST).then_some(bits)
    }

    /// The bits of a negative number descend from 0.
    fn key(self) -> Option<u64> {
        let magnitude = self.abs().to_bits();
        Some(if self < 0.0 { magnitude.wrapping_neg() } else { magnitude })
    }

    fn of_key(key: u64) -> Self {
        let magnitude = f64::from_bits(key.cast_signed().unsigned_abs());
        if key.cast_signed() < 0 { -magnitude } else { magnitude }
    }

    #[inline]
    fn position(key: u64) -> u64 {
        Self::TABLE.position(key)
    }

    fn place(self) -> Place {
        place(Self::TABLE, self)
    }

    #[inline]
    fn bucket(layout: &BucketLayout<Self>, key: u64) -> usize {
        let value = f64::from_bits(key);
        layout.bounds.partition_point(|bound| *bound < value)
    }

    #[inline]
    fn add_key(sum: &mut Sum, key: u64) {
        let added = f64::from_bits(sum[0]) + f64::from_bits(key);
        sum[0] = (if added < f64::MAX { added } else { f64::MAX }).to_bits();
    }

    fn add(sum: &mut Sum, value: Self) {
        sum[0] = (f64::from_bits(sum[0]) + value).clamp(f64::MIN, f64::MAX).to_bits();
    }

    fn add_sum(sum: &mut Sum, other: Sum) {
        Self::add(sum, Self::sum(other));
    }

    fn sum(sum: Sum) -> Self {
        f64::from_bits(sum[0])
    }
}

/// The key is the number of nanoseconds.
impl Recorded for Duration {
    const TABLE: &'static IndexTable = &index::OF_NANOSECONDS;
    const LOWEST: u64 = Self::TABLE.position(1_f64.to_bits());

    #[inline]
    fn ordinary_key(self) -> Option<u64> {
        const MAX_SECONDS: u64 = i64::MAX.unsigned_abs() / NANOS_PER_SECOND - 1;
        let (seconds, nanos) = (self.as_secs(), u64::from(self.subsec_nanos()));
        (seconds <= MAX_SECONDS).then(|| seconds * NANOS_PER_SECOND + nanos)
    }

    fn key(self) -> Option<u64> {
        self.ordinary_key()
    }

    fn of_key(key: u64) -> Self {
        Self::from_nanos(key)
    }

    #[expect(clippy::cast_precision_loss, reason = "the documentation of `Histogram` says so")]
    fn place(self) -> Place {
        place(Self::TABLE, self.as_nanos() as f64)
    }

    #[inline]
    fn add_key(sum: &mut Sum, key: u64) {
        add_wide(sum, key);
    }

    fn add(sum: &mut Sum, value: Self) {
        *sum = halves(whole(*sum).saturating_add(value.as_nanos()));
    }

    fn add_sum(sum: &mut Sum, other: Sum) {
        add_wide_sum(sum, other);
    }

    #[expect(clippy::cast_possible_truncation, reason = "a remainder, and a number that was compared")]
    fn sum(sum: Sum) -> Self {
        let nanos = whole(sum);
        if nanos > Self::MAX.as_nanos() {
            return Self::MAX;
        }
        let per_second = u128::from(NANOS_PER_SECOND);
        Self::new((nanos / per_second) as u64, (nanos % per_second) as u32)
    }
}

const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// Whether an integer converts to a floating-point number in one instruction, which takes signed integers.
#[inline]
fn is_ordinary(integer: u64) -> bool {
    integer.cast_signed() >= 0
}

/// The place of a finite number. Subnormal numbers are counted as the smallest normal one.
fn place(table: &IndexTable, number: f64) -> Place {
    let position = table.position(number.abs().max(f64::MIN_POSITIVE).to_bits());
    if number == 0.0 {
        Place::Zero
    } else if number > 0.0 {
        Place::Positive(position)
    } else {
        Place::Negative(position)
    }
}

/// A sum as one integer.
fn whole([low, high]: Sum) -> u128 {
    u128::from(high) << 64 | u128::from(low)
}

#[expect(clippy::cast_possible_truncation, reason = "the two halves")]
fn halves(sum: u128) -> Sum {
    [sum as u64, (sum >> 64) as u64]
}

fn add_wide_sum(sum: &mut Sum, other: Sum) {
    *sum = halves(whole(*sum).saturating_add(whole(other)));
}

#[inline]
fn add_wide(sum: &mut Sum, value: u64) {
    let (low, carries) = sum[0].overflowing_add(value);
    *sum = [low, sum[1].wrapping_add(u64::from(carries))];
}
