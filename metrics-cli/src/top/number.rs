//! Numbers as a terminal shows them: short, with their unit.

use mvx_metrics::DimensionKind;
use mvx_metrics::page::DimensionCard;

/// A number in few characters, `-` when there is none. Seconds and bytes have the fitting multiple.
pub(super) fn value(value: Option<f64>, unit: Option<&str>) -> String {
    match (value, unit) {
        (None, _) => "-".to_owned(),
        (Some(value), Some("seconds")) => seconds(value),
        (Some(value), Some("bytes")) => bytes(value),
        (Some(value), Some("%" | "percent")) => format!("{}%", short(value)),
        (Some(value), _) => short(value),
    }
}

/// Something per second.
pub(super) fn rate(rate: Option<f64>) -> String {
    rate.map_or_else(|| "-".to_owned(), |rate| format!("{}/s", short(rate)))
}

/// The rate of a dimension: that of a sum of bytes is in bytes, others count.
pub(super) fn rate_of(dimension: &DimensionCard, number: Option<f64>) -> String {
    match (number, dimension.kind, dimension.unit.as_deref()) {
        (Some(number), DimensionKind::Sum, Some("bytes")) => format!("{}/s", bytes(number)),
        _ => rate(number),
    }
}

/// How long something lasts, for people: `3d 4h`.
pub(super) fn age(seconds: f64) -> String {
    // The conversion limits numbers that are too large, and makes NaN 0.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an age of whole seconds")]
    let whole = seconds as u64;
    let (minutes, hours, days) = (whole / 60, whole / 3_600, whole / 86_400);
    match whole {
        0..10 => format!("{:.1}s", seconds.max(0.0)),
        10..60 => format!("{whole}s"),
        60..3_600 => format!("{minutes}m {}s", whole % 60),
        3_600..86_400 => format!("{hours}h {}m", minutes % 60),
        86_400..8_640_000 => format!("{days}d {}h", hours % 24),
        _ => format!("{days}d"),
    }
}

/// A count with its thousands apart, where it has at most seven digits.
pub(super) fn count(count: u64) -> String {
    match count {
        0..1_000 => count.to_string(),
        1_000..1_000_000 => format!("{},{:03}", count / 1_000, count % 1_000),
        1_000_000..10_000_000 => {
            format!("{},{:03},{:03}", count / 1_000_000, count / 1_000 % 1_000, count % 1_000)
        }
        #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
        _ => short(count as f64),
    }
}

fn seconds(value: f64) -> String {
    let size = value.abs();
    match size {
        0.0 => "0s".to_owned(),
        _ if size < 999.5e-9 => format!("{}ns", digits(value * 1e9)),
        _ if size < 999.5e-6 => format!("{}µs", digits(value * 1e6)),
        _ if size < 0.9995 => format!("{}ms", digits(value * 1e3)),
        _ if size < 1_000.0 => format!("{}s", digits(value)),
        _ if value < 0.0 => format!("-{}", age(size)),
        _ => age(value),
    }
}

fn bytes(value: f64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let (number, unit) = scaled(value, 1_024.0, &units);
    format!("{number} {unit}")
}

/// Three digits, and a letter for thousands, millions and so on.
fn short(value: f64) -> String {
    let (number, unit) = scaled(value, 1_000.0, &["", "k", "M", "G", "T", "P", "E"]);
    number + unit
}

/// A number between -1,000 and 1,000 or a little above, and which power of `base` it is a multiple of.
fn scaled(value: f64, base: f64, units: &[&'static str]) -> (String, &'static str) {
    let mut value = value;
    for unit in units {
        if value.abs() < 999.5 {
            return (digits(value), unit);
        }
        value /= base;
    }
    (format!("{:.1e}", value * base), units[units.len() - 1])
}

/// Three digits, without zeros at the end of a fraction.
fn digits(value: f64) -> String {
    let size = value.abs();
    let text = match size {
        _ if size >= 99.95 => return format!("{value:.0}"),
        _ if size >= 9.995 => format!("{value:.1}"),
        _ if size >= 0.01 || size == 0.0 => format!("{value:.2}"),
        _ => return format!("{value:.0e}"),
    };
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_have_three_digits() {
        let cases = [
            (0.0, "0"),
            (-0.5, "-0.5"),
            (7.0, "7"),
            (1.256, "1.26"),
            (42.07, "42.1"),
            (999.4, "999"),
            (999.6, "1k"),
            (1_234.0, "1.23k"),
            (-5_400_000.0, "-5.4M"),
            (2e9, "2G"),
            (1e18, "1E"),
            (1e24, "1.0e6E"),
            (0.000_4, "4e-4"),
        ];
        for (number, expected) in cases {
            assert_eq!(value(Some(number), None), expected);
        }
        assert!((-30..30).all(|power| value(Some(-1.234 * 10_f64.powi(power)), None).len() <= 9));
    }

    #[test]
    fn units_choose_their_multiple() {
        let seconds = [0.0, 3e-9, 0.000_25, 0.012, 1.5, 59.0, 4_000.0, 200_000.0, -4_000.0];
        let texts = ["0s", "3ns", "250µs", "12ms", "1.5s", "59s", "1h 6m", "2d 7h", "-1h 6m"];
        assert_eq!(seconds.map(|number| value(Some(number), Some("seconds"))), texts);
        let bytes = [0.0, 1_000.0, 1_536.0, 5e9].map(|number| value(Some(number), Some("bytes")));
        assert_eq!(bytes, ["0 B", "0.98 KiB", "1.5 KiB", "4.66 GiB"]);
        assert_eq!(
            (value(Some(12.0), Some("percent")), value(None, None)),
            ("12%".to_owned(), "-".to_owned())
        );
        assert_eq!((rate(Some(1_500.0)), rate(None)), ("1.5k/s".to_owned(), "-".to_owned()));
    }

    #[test]
    fn rates_of_bytes_are_in_bytes() {
        let mut dimension = crate::top::fixtures::page_data().metrics.rows.remove(0).dimensions.remove(0);
        dimension.unit = Some("bytes".to_owned());
        assert_eq!(rate_of(&dimension, Some(2_048.0)), "2.05k/s", "a counter of something with bytes");
        dimension.kind = DimensionKind::Sum;
        let rates = [rate_of(&dimension, Some(2_048.0)), rate_of(&dimension, None)];
        assert_eq!(rates, ["2 KiB/s", "-"]);
    }

    #[test]
    fn ages_have_two_parts_and_survive_what_is_no_age() {
        let ages = [0.04, 9.96, 59.0, 61.0, 7_260.0, 90_000.0, 1e8, -3.0, f64::NAN, f64::INFINITY].map(age);
        assert_eq!(ages[..8], ["0.0s", "10.0s", "59s", "1m 1s", "2h 1m", "1d 1h", "1157d", "0.0s"]);
        assert_eq!((&*ages[8], &*ages[9]), ("0.0s", "213503982334601d"));
    }

    #[test]
    fn counts_have_their_thousands_apart() {
        let counts = [0, 999, 1_000, 12_034, 1_002_003, 9_999_999, 10_000_000, u64::MAX].map(count);
        assert_eq!(counts, ["0", "999", "1,000", "12,034", "1,002,003", "9,999,999", "10M", "18.4E"]);
    }
}
