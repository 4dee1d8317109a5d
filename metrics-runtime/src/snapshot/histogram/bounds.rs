//! The bounds of exponential buckets as numbers.

/// Exponents of 2 at and above this one are beyond all finite numbers.
const END_EXPONENT: i64 = 1024;
/// The exponent of the smallest number above zero.
pub(crate) const MIN_EXPONENT: i64 = -1074;
/// The exponent of the smallest number with full precision.
const MIN_NORMAL_EXPONENT: i64 = -1022;

/// A power of the base of this scale, rounded to the nearest number. It is the largest finite number where the power is beyond
/// it, and zero where the power is closer to zero than any number.
pub(crate) fn bound(scale: i32, index: i64) -> f64 {
    if scale <= 0 {
        // More than 12 steps below 0, all powers but the first are beyond the numbers.
        let factor = 1_i64 << scale.unsigned_abs().min(12);
        return power_of_two(index.saturating_mul(factor));
    }
    // 2^(index / 2^scale): the whole part is the exponent. Indexes of scales above 62 have no whole part.
    let scale = scale.unsigned_abs().min(62);
    let (whole, rest) = (index >> scale, index & ((1 << scale) - 1));
    #[expect(
        clippy::cast_precision_loss,
        reason = "a fraction of this precision is exact at each scale up to 53"
    )]
    let fraction = rest as f64 / (1_i64 << scale) as f64;
    times_power_of_two(fraction.exp2(), whole)
}

/// The geometric midpoint of a bucket, which is never zero.
pub(super) fn midpoint(scale: i32, index: i64) -> f64 {
    if scale >= 0 {
        // The bucket has two halves at the next scale, and this is the bound between them.
        let midpoint = bound(scale.saturating_add(1), index.saturating_mul(2).saturating_add(1));
        return midpoint.max(power_of_two(MIN_EXPONENT));
    }
    // Only the part of the bucket in which numbers are.
    let factor = 1_i64 << scale.unsigned_abs().min(12);
    let ends = [index, index.saturating_add(1)].map(|index| index.saturating_mul(factor));
    let [low, high] = ends.map(|exponent| exponent.clamp(MIN_EXPONENT, END_EXPONENT));
    bound(1, low + high)
}

/// The indexes that buckets with finite numbers have at this scale.
pub(super) fn indexes(scale: i32) -> (i64, i64) {
    let (first, last) = (MIN_EXPONENT - 1, END_EXPONENT - 1);
    let steps = scale.unsigned_abs().min(32);
    if scale >= 0 { (first << steps, ((last + 1) << steps) - 1) } else { (first >> steps, last >> steps) }
}

/// 2 to the power of the exponent.
pub(crate) fn power_of_two(exponent: i64) -> f64 {
    times_power_of_two(1.0, exponent)
}

/// The fraction, from 1 up to 2, times a power of two.
fn times_power_of_two(fraction: f64, exponent: i64) -> f64 {
    if exponent >= END_EXPONENT {
        return f64::MAX;
    }
    let exponent = exponent.max(MIN_EXPONENT - 2);
    if exponent >= MIN_NORMAL_EXPONENT {
        return fraction * normal_power_of_two(exponent);
    }
    // The first product is exact, so only the second one rounds.
    fraction * normal_power_of_two(MIN_NORMAL_EXPONENT) * normal_power_of_two(exponent - MIN_NORMAL_EXPONENT)
}

/// 2 to the power of an exponent for which that has full precision.
fn normal_power_of_two(exponent: i64) -> f64 {
    let biased = u64::try_from(exponent + 1023).unwrap_or(0);
    f64::from_bits(biased << (f64::MANTISSA_DIGITS - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "numbers only, for minutes")]
    fn bounds_are_powers_of_two_at_whole_exponents() {
        for scale in 0..=20 {
            for exponent in [-1074, -1073, -1023, -1022, -30, -1, 0, 1, 52, 53, 1023] {
                let expected = if exponent < -1022 {
                    f64::from_bits(1 << (exponent + 1074))
                } else {
                    2.0_f64.powi(exponent)
                };
                assert_eq!(
                    bound(scale, i64::from(exponent) << scale).to_bits(),
                    expected.to_bits(),
                    "{scale} {exponent}"
                );
            }
            assert!(bound(scale, 1024 << scale) >= f64::MAX, "{scale}");
            assert!(bound(scale, -1075 << scale) <= 0.0, "{scale}");
        }
        for scale in -10..0 {
            let steps = i32::unsigned_abs(scale);
            for index in -3..3_i64 {
                let expected = power_of_two(index << steps);
                assert_eq!(bound(scale, index).to_bits(), expected.to_bits(), "{scale} {index}");
            }
        }
    }

    /// The numbers are from a calculation with 60 digits.
    #[test]
    #[cfg_attr(miri, ignore = "numbers only, for minutes")]
    fn bounds_between_powers_of_two_are_the_nearest_numbers_or_beside_them() {
        let known = [
            (1, 1, std::f64::consts::SQRT_2),
            (1, -1, std::f64::consts::FRAC_1_SQRT_2),
            (4, 1, 1.044_273_782_427_413_8),
            (8, 1, 1.002_711_275_050_202_5),
            (8, 255, 1.994_592_112_170_940_2),
            (8, -7_653, 1.001_957_700_646_287_8e-9),
            (20, 1, 1.000_000_661_036_882_1),
            (20, (1024 << 20) - 1, 1.797_691_946_521_636_6e308),
        ];
        for (scale, index, expected) in known {
            let ulps = bound(scale, index).to_bits().abs_diff(expected.to_bits());
            assert!(ulps <= 1, "{scale} {index}: {:e} instead of {expected:e}", bound(scale, index));
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "numbers only, for minutes")]
    fn a_midpoint_lies_inside_of_its_bucket() {
        for scale in -10..=20 {
            let (first, last) = indexes(scale);
            for index in [first, first + 1, -1, 0, last] {
                let midpoint = midpoint(scale, index);
                assert!(midpoint >= bound(scale, index) && midpoint > 0.0, "{scale} {index}: {midpoint:e}");
                assert!(midpoint <= bound(scale, index + 1), "{scale} {index}: {midpoint:e}");
            }
        }
        assert_eq!((midpoint(0, 0), midpoint(-10, 0)), (std::f64::consts::SQRT_2, power_of_two(512)));
        assert_eq!((midpoint(0, -1075), midpoint(-10, -2)), (f64::from_bits(1), power_of_two(-1049)));
    }

    #[test]
    #[cfg_attr(miri, ignore = "numbers only, for minutes")]
    fn the_numbers_at_the_ends_have_buckets() {
        for scale in -10..=20 {
            let (first, last) = indexes(scale);
            assert!(bound(scale, first) < f64::from_bits(1) && bound(scale, last) < f64::MAX, "{scale}");
            assert_eq!((bound(scale, first - 1), bound(scale, last + 1)), (0.0, f64::MAX), "{scale}");
        }
        assert_eq!(indexes(20), (-1_075 << 20, (1_024 << 20) - 1));
        assert_eq!((indexes(0), indexes(-1), indexes(-10)), ((-1_075, 1_023), (-538, 511), (-2, 0)));
    }

    #[test]
    #[cfg_attr(miri, ignore = "numbers only, for minutes")]
    fn bounds_of_impossible_scales_and_indexes_do_not_panic() {
        for scale in [i32::MIN, -64, -11, 21, 62, 63, i32::MAX] {
            for index in [i64::MIN, -1, 0, 1, i64::MAX] {
                let number = bound(scale, index);
                assert!((0.0..=f64::MAX).contains(&number), "{scale} {index}: {number:e}");
                assert!(midpoint(scale, index) > 0.0, "{scale} {index}");
            }
        }
    }
}
