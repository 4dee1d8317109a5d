//! Numbers as text. A large exposition consists mostly of numbers, and `write!` is slower than writing the digits by hand.

use crate::snapshot::Number;

pub(super) fn push_number(out: &mut Vec<u8>, number: Number) {
    match number {
        Number::Unsigned(number) => push_unsigned(out, number),
        Number::Signed(number) => {
            if number < 0 {
                out.push(b'-');
            }
            push_unsigned(out, number.unsigned_abs());
        }
        Number::Float(number) => push_float(out, number),
        Number::Duration(duration) => {
            push_unsigned(out, duration.as_secs());
            push_fraction(out, duration.subsec_nanos());
        }
    }
}

pub(super) fn push_unsigned(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = digit(number % 10);
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

/// The shortest text that parses as the same number.
pub(super) fn push_float(out: &mut Vec<u8>, number: f64) {
    if number.is_nan() {
        out.extend_from_slice(b"NaN");
    } else if number.is_infinite() {
        out.extend_from_slice(if number > 0.0 { b"+Inf" } else { b"-Inf" });
    } else {
        out.extend_from_slice(format!("{number:?}").as_bytes());
    }
}

/// Microseconds as seconds.
pub(super) fn push_micros(out: &mut Vec<u8>, micros: u64) {
    push_unsigned(out, micros / 1_000_000);
    push_fraction(out, (micros % 1_000_000) as u32 * 1_000);
}

/// Nanoseconds after the point, without trailing zeros.
fn push_fraction(out: &mut Vec<u8>, mut nanos: u32) {
    if nanos == 0 {
        return;
    }
    let mut digits = [b'.'; 10];
    for index in (1..digits.len()).rev() {
        digits[index] = digit(u64::from(nanos % 10));
        nanos /= 10;
    }
    let end = digits.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1);
    out.extend_from_slice(&digits[..end]);
}

fn digit(digit: u64) -> u8 {
    #[expect(clippy::cast_possible_truncation, reason = "one decimal digit")]
    let digit = digit as u8;
    b'0' + digit
}

/// The bound of a bucket in the canonical spelling of OpenMetrics, such as `0.5`, `10.0`, `1e+06`. Another spelling would be
/// another series.
pub(super) fn bound(number: f64) -> String {
    let scientific = format!("{number:e}");
    match scientific.split_once('e').map(|(digits, exponent)| (digits, exponent.parse::<i32>())) {
        Some((digits, Ok(exponent))) if number != 0.0 && !(-4..6).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.abs())
        }
        _ => format!("{number:?}"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn text(number: Number) -> String {
        let mut out = Vec::new();
        push_number(&mut out, number);
        String::from_utf8(out).expect("a number is ASCII")
    }

    #[test]
    fn numbers_are_written_exactly() {
        assert_eq!(text(Number::Unsigned(0)), "0");
        assert_eq!(text(Number::Unsigned(u64::MAX)), "18446744073709551615");
        assert_eq!(text(Number::Signed(i64::MIN)), "-9223372036854775808");
        assert_eq!(text(Number::Duration(Duration::new(12, 345_000_000))), "12.345");
        assert_eq!(text(Number::Duration(Duration::from_nanos(1))), "0.000000001");
        assert_eq!(text(Number::Duration(Duration::from_secs(3))), "3");
        assert_eq!(text(Number::Float(0.1)), "0.1");
        assert_eq!(text(Number::Float(f64::INFINITY)), "+Inf");
        assert_eq!(text(Number::Float(f64::NAN)), "NaN");
    }

    #[test]
    fn bounds_are_spelled_as_go_spells_them() {
        let cases = [(0.005, "0.005"), (1.0, "1.0"), (10.0, "10.0"), (0.0, "0.0"), (65536.0, "65536.0")];
        let large =
            [(1e6, "1e+06"), (1_048_576.0, "1.048576e+06"), (1e21, "1e+21"), (-2.5, "-2.5"), (1e-7, "1e-07")];
        for (number, expected) in cases.into_iter().chain(large) {
            assert_eq!(bound(number), expected);
        }
    }
}
