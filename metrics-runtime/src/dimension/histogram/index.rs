//! The indexes of exponential buckets: exact, from one table and without a logarithm.
//!
//! At scale `s` the bucket `i` holds the values in `(base^i, base^(i + 1)]`, with `base = 2^(2^-s)`. Two buckets of a scale are
//! one bucket of the next coarser scale. So the index at scale 8 tells the index at each coarser scale: a shift to the right.
//!
//! The bits of a positive floating-point number are its exponent and its mantissa. At scale 8 each power of two has 256
//! bounds. They lie more than 1/512 apart, relative to the power of two. So of 512 equal slots of the mantissa each has at
//! most one bound. The table has one number for each slot. Adding it to the bits has three effects:
//!
//! * It puts the index of the slot's bound in front of the last 44 bits.
//! * It subtracts the bound and 1 from the mantissa. A mantissa up to the bound borrows: its index is one lower.
//! * It adds [`BIAS`], so that no index is below zero at any scale.

/// The scale at which recording begins: the finest one that the native histograms of Prometheus have.
pub(super) const FINEST_SCALE: i32 = 8;
/// The scale at which all floating-point numbers lie in two buckets.
#[cfg(test)]
pub(super) const COARSEST_SCALE: i32 = -10;

/// How far a [`position`](IndexTable::position) is shifted to the right for the index at [`FINEST_SCALE`].
pub(super) const FINEST_SHIFT: u8 = 44;
/// The same at the coarsest scale, -10.
pub(super) const COARSEST_SHIFT: u8 = 62;

/// What an index has more than its bucket at [`FINEST_SCALE`]. Shifting it leaves no remainder at any scale.
const BIAS: i64 = 1 << 18;

const BOUNDS: usize = 256;
const BOUNDS_PER_OCTAVE: i64 = 256;
const SLOTS: usize = 512;
const MANTISSA_BITS: u32 = 52;
const SLOT_BITS: u32 = 43;
const EXPONENT_BIAS: i64 = 1023;

/// The numbers that turn the bits of a floating-point number into a position, one for each slot of the mantissa.
#[derive(Debug)]
pub struct IndexTable([u64; SLOTS]);

/// The bounds are powers of `2^(1/256)`.
pub(super) static OF_NUMBERS: IndexTable = IndexTable::new(1 << FRACTION_BITS, 0);
/// The same for times in nanoseconds: the bounds are powers of `2^(1/256)` in seconds.
pub(super) static OF_NANOSECONDS: IndexTable = IndexTable::new(1_000_000_000 << (FRACTION_BITS - 29), 29);

impl IndexTable {
    /// The table for bounds that are multiples of a unit: `unit * 2^(j / 256)`, with `unit = mantissa * 2^exponent`.
    #[expect(clippy::cast_possible_wrap, reason = "the index of one of 256 bounds")]
    const fn new(mantissa: u128, exponent: i64) -> Self {
        let powers = powers();
        // The bounds of one power of two in ascending order, each with its index where the exponent is 0.
        let mut mantissas = [0_u64; BOUNDS];
        let mut indexes = [0_i64; BOUNDS];
        let mut first_below_two = 0;
        while first_below_two < BOUNDS && multiply(powers[first_below_two], mantissa) >> FRACTION_BITS < 2 {
            first_below_two += 1;
        }
        let mut place = 0;
        while place < BOUNDS {
            // The bounds of two and more, halved, come before the bounds below two.
            let power = (place + first_below_two) % BOUNDS;
            let is_halved = power >= first_below_two;
            let bound = multiply(powers[power], mantissa) >> (if is_halved { 1 } else { 0 });
            mantissas[place] = (bound >> (FRACTION_BITS - MANTISSA_BITS)) as u64 & ((1 << MANTISSA_BITS) - 1);
            let octaves = if is_halved { exponent + 1 } else { exponent };
            indexes[place] = power as i64 - octaves * BOUNDS_PER_OCTAVE;
            place += 1;
        }
        let mut slots = [0; SLOTS];
        let mut next = 0;
        let mut slot = 0;
        while slot < SLOTS {
            let start = (slot as u64) << SLOT_BITS;
            let has_bound = next < BOUNDS && mantissas[next] >> SLOT_BITS == slot as u64;
            let (index, below) = if has_bound {
                next += 1;
                (indexes[next - 1], mantissas[next - 1] + 1)
            } else if next == 0 {
                (indexes[0] - 1, start)
            } else {
                (indexes[next - 1], start)
            };
            // The exponent of a floating-point number stands in front of its mantissa, and has a bias of its own.
            let index = index + BIAS - EXPONENT_BIAS * BOUNDS_PER_OCTAVE;
            slots[slot] = (index.cast_unsigned() << FINEST_SHIFT).wrapping_sub(below);
            slot += 1;
        }
        Self(slots)
    }

    /// The position of a positive number with these bits. Shifted to the right it is the number's index.
    #[inline]
    pub(super) const fn position(&self, bits: u64) -> u64 {
        bits.wrapping_add(self.0[(bits >> SLOT_BITS) as usize % SLOTS])
    }
}

/// The scale of a shift.
pub(super) fn scale(shift: u8) -> i32 {
    FINEST_SCALE - i32::from(shift - FINEST_SHIFT)
}

/// The bucket of an index at the scale of this shift, without [`BIAS`].
#[expect(clippy::cast_possible_truncation, reason = "an index has 20 bits")]
pub(super) fn bucket(index: u32, shift: u8) -> i32 {
    (i64::from(index) - (BIAS >> (shift - FINEST_SHIFT))) as i32
}

/// The fraction bits of the fixed-point numbers below, which are at least 1 and less than 4.
const FRACTION_BITS: u32 = 126;

/// `2^(j / 256)` for each `j`, rounded down. The error is far below one unit of a mantissa's last place.
const fn powers() -> [u128; BOUNDS] {
    let mut root = 2 << FRACTION_BITS;
    let mut power = 1;
    while power < BOUNDS {
        root = square_root(root);
        power *= 2;
    }
    let mut powers = [1 << FRACTION_BITS; BOUNDS];
    let mut index = 1;
    while index < BOUNDS {
        powers[index] = multiply(powers[index - 1], root);
        index += 1;
    }
    powers
}

/// The square root of a fixed-point number, rounded down.
const fn square_root(number: u128) -> u128 {
    let (high, low) = (number >> (128 - FRACTION_BITS), number << FRACTION_BITS);
    let mut root = 0;
    let mut bit = 1 << (FRACTION_BITS + 1);
    while bit > 0 {
        let (square_high, square_low) = wide_product(root | bit, root | bit);
        if square_high < high || (square_high == high && square_low <= low) {
            root |= bit;
        }
        bit >>= 1;
    }
    root
}

/// The product of two fixed-point numbers, rounded down.
const fn multiply(one: u128, other: u128) -> u128 {
    let (high, low) = wide_product(one, other);
    high << (128 - FRACTION_BITS) | low >> FRACTION_BITS
}

/// The upper and the lower half of a product.
const fn wide_product(one: u128, other: u128) -> (u128, u128) {
    const LOWER: u128 = u64::MAX as u128;
    let low = (one & LOWER) * (other & LOWER);
    let middle = (one >> 64) * (other & LOWER) + (low >> 64);
    let other_middle = (one & LOWER) * (other >> 64) + (middle & LOWER);
    let high = (one >> 64) * (other >> 64) + (middle >> 64) + (other_middle >> 64);
    (high, other_middle << 64 | low & LOWER)
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;

    use super::*;

    const SCALES: std::ops::RangeInclusive<i32> = COARSEST_SCALE..=FINEST_SCALE;

    /// The bucket of the number with these bits.
    fn bucket_at(table: &IndexTable, bits: u64, scale: i32) -> i32 {
        let shift = FINEST_SHIFT + u8::try_from(FINEST_SCALE - scale).unwrap();
        bucket(u32::try_from(table.position(bits) >> shift).unwrap(), shift)
    }

    /// Compares `number / unit * 2^exponent` with `2^(bound / 2^scale)`, exactly: `number`, `unit` and both sides are raised
    /// to the power `2^scale`, or 1.
    struct Exact {
        exponent: i64,
        /// The number to the power `2^scale`, for each scale from 0 on.
        numbers: Vec<BigUint>,
        units: Vec<BigUint>,
    }

    impl Exact {
        fn new(number: u64, unit: u64, exponent: i64) -> Self {
            let powers = |number: u64| {
                std::iter::successors(Some(BigUint::from(number)), |power| Some(power * power))
                    .take(usize::try_from(FINEST_SCALE).unwrap() + 1)
                    .collect()
            };
            Self { exponent, numbers: powers(number), units: powers(unit) }
        }

        fn is_above(&self, bound: i32, scale: i32) -> bool {
            let power = usize::try_from(scale).unwrap_or(0);
            let bound = i64::from(bound) << u32::try_from(-scale).unwrap_or(0);
            // number * 2^left > unit * 2^bound
            let left = self.exponent << power;
            let (left, right) =
                (u64::try_from(left - bound).unwrap_or(0), u64::try_from(bound - left).unwrap_or(0));
            &self.numbers[power] << left > &self.units[power] << right
        }

        fn assert_in(&self, bucket: i32, scale: i32, what: &str) {
            assert!(
                self.is_above(bucket, scale),
                "{what} is not above the lower bound of bucket {bucket} at scale {scale}"
            );
            assert!(
                !self.is_above(bucket + 1, scale),
                "{what} is above the upper bound of bucket {bucket} at scale {scale}"
            );
        }
    }

    fn check_number(mantissa: u64, exponent: i64) {
        let bits = u64::try_from(exponent + EXPONENT_BIAS).unwrap() << MANTISSA_BITS | mantissa;
        let exact = Exact::new(1 << MANTISSA_BITS | mantissa, 1, exponent - i64::from(MANTISSA_BITS));
        for scale in SCALES {
            exact.assert_in(
                bucket_at(&OF_NUMBERS, bits, scale),
                scale,
                &format!("{:e}", f64::from_bits(bits)),
            );
        }
    }

    fn check_nanoseconds(nanos: u64) {
        #[expect(clippy::cast_precision_loss, reason = "the numbers below are exact")]
        let number = nanos as f64;
        assert!(nanos <= 1 << 53, "{nanos} ns need rounding");
        let exact = Exact::new(nanos, 1_000_000_000, 0);
        for scale in SCALES {
            exact.assert_in(
                bucket_at(&OF_NANOSECONDS, number.to_bits(), scale),
                scale,
                &format!("{nanos} ns"),
            );
        }
    }

    /// `unit * 2^(power / 256)`, rounded down.
    fn bound(unit: u64, power: u64) -> u64 {
        let raised = BigUint::from(unit).pow(256) << power;
        u64::try_from(raised.nth_root(256)).unwrap()
    }

    #[test]
    #[cfg_attr(miri, ignore = "numbers only, for minutes")]
    fn di1_indexes_of_numbers_agree_with_exact_bounds_at_each_scale_and_beside_each_bound() {
        let last = (1 << MANTISSA_BITS) - 1;
        for power in 0..256 {
            let mantissa = bound(1 << MANTISSA_BITS, power) & last;
            for mantissa in [mantissa.saturating_sub(1), mantissa, mantissa + 1] {
                // The index of an exponent is added: three exponents show each carry.
                for exponent in [-1022, -1, 0, 1023] {
                    check_number(mantissa, exponent);
                }
            }
        }
        for exponent in -1022..=1023 {
            check_number(0, exponent);
            check_number(1, exponent);
            check_number(last, exponent);
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "numbers only, for minutes")]
    fn di1_indexes_of_nanoseconds_agree_with_exact_bounds_in_seconds_at_each_scale() {
        for power in 0..256 {
            // Up to 97 days nanoseconds are exact floating-point numbers.
            let days = bound(1_000_000_000, power + 22 * 256);
            for shift in [0, 19, 22, 31, 42, 50] {
                check_nanoseconds(days >> shift);
                check_nanoseconds((days >> shift) + 1);
            }
        }
        (1..200).for_each(check_nanoseconds);
    }

    #[test]
    #[cfg_attr(miri, ignore = "numbers only, for minutes")]
    fn di1_a_power_of_two_seconds_belongs_to_the_bucket_that_it_bounds() {
        for power in -9..=22 {
            let nanos = if power < 0 { 1_000_000_000 >> -power } else { 1_000_000_000 << power };
            (nanos - 1..=nanos + 1).for_each(check_nanoseconds);
            #[expect(clippy::cast_precision_loss, reason = "exact")]
            let at_scale_0 = bucket_at(&OF_NANOSECONDS, (nanos as f64).to_bits(), 0);
            assert_eq!(at_scale_0, power - 1, "2^{power} s");
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "numbers only, for minutes")]
    fn di1_the_shifts_are_as_far_apart_as_the_scales() {
        assert_eq!(scale(COARSEST_SHIFT), COARSEST_SCALE);
        assert_eq!(scale(FINEST_SHIFT), FINEST_SCALE);
    }

    #[test]
    #[cfg_attr(miri, ignore = "numbers only, for minutes")]
    fn di4_no_number_has_an_index_below_zero_or_needs_more_than_two_buckets_at_the_coarsest_scale() {
        for bits in [f64::MIN_POSITIVE, 1.0, 1.5, f64::MAX].map(f64::to_bits) {
            assert!(OF_NUMBERS.position(bits) < 1 << 63);
            assert!(matches!(bucket_at(&OF_NUMBERS, bits, COARSEST_SCALE), -1 | 0));
        }
    }
}
