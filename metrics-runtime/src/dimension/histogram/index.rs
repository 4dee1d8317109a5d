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
pub(super) const COARSEST_SCALE: i32 = -10;

/// How far [`position`] is shifted to the right for the index at [`FINEST_SCALE`].
pub(super) const FINEST_SHIFT: u8 = 44;
/// The same at [`COARSEST_SCALE`].
pub(super) const COARSEST_SHIFT: u8 = FINEST_SHIFT + FINEST_SCALE.abs_diff(COARSEST_SCALE) as u8;

/// What an index has more than its bucket at [`FINEST_SCALE`]. Shifting it leaves no remainder at any scale.
const BIAS: i64 = 1 << 18;

const BOUNDS: usize = 256;
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
            indexes[place] = power as i64 - octaves * BOUNDS as i64;
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
            let index = index + BIAS - EXPONENT_BIAS * BOUNDS as i64;
            slots[slot] = ((index as u64) << FINEST_SHIFT).wrapping_sub(below);
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
