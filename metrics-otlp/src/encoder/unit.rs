//! Units in the codes of UCUM: <https://opentelemetry.io/docs/specs/semconv/general/metrics/#instrument-units>.

/// How many characters a unit may have: <https://opentelemetry.io/docs/specs/otel/metrics/api/#instrument-unit>.
const MAX_UNIT_LENGTH: usize = 63;

/// Units by the words of declarations.
const CODES: &[(&str, &str)] = &[
    ("nanoseconds", "ns"),
    ("microseconds", "us"),
    ("milliseconds", "ms"),
    ("seconds", "s"),
    ("minutes", "min"),
    ("hours", "h"),
    ("days", "d"),
    ("bits", "bit"),
    ("bytes", "By"),
    ("kilobytes", "kBy"),
    ("megabytes", "MBy"),
    ("gigabytes", "GBy"),
    ("kibibytes", "KiBy"),
    ("mebibytes", "MiBy"),
    ("gibibytes", "GiBy"),
    ("percent", "%"),
    ("%", "%"),
    ("ratio", "1"),
    ("1", "1"),
    ("hertz", "Hz"),
    ("celsius", "Cel"),
    ("meters", "m"),
    ("grams", "g"),
    ("volts", "V"),
    ("amperes", "A"),
    ("watts", "W"),
    ("joules", "J"),
];

/// A unit as a code. A word that has none stands in braces, as an annotation; of `a/b` both sides are spelled on their own.
pub(super) fn code(unit: &str) -> String {
    let mut code: String = match unit.trim().split_once('/') {
        Some((above, below)) => format!("{}/{}", single(above), single(below)),
        None => single(unit),
    };
    if code.len() > MAX_UNIT_LENGTH {
        // A code without its end is none, and an annotation has an end.
        code = single(&code[..MAX_UNIT_LENGTH - 2]);
    }
    code
}

/// The code of a unit without a slash.
fn single(unit: &str) -> String {
    let unit = unit.trim();
    if unit.is_empty() {
        return String::new();
    }
    if let Some((_, code)) = CODES.iter().find(|(word, code)| [word, code].contains(&&unit)) {
        return (*code).to_owned();
    }
    // An annotation has visible ASCII characters but for braces.
    let allowed =
        |other: char| if other.is_ascii_graphic() && !['{', '}'].contains(&other) { other } else { '_' };
    let text = unit.strip_prefix('{').and_then(|unit| unit.strip_suffix('}')).unwrap_or(unit);
    format!("{{{}}}", text.chars().map(allowed).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_the_codes_of_ucum() {
        let units =
            ["seconds", "bytes", "%", "bytes/seconds", "requests", "requests/second", "ms", "By", "1", ""];
        let codes = ["s", "By", "%", "By/s", "{requests}", "{requests}/{second}", "ms", "By", "1", ""];
        assert_eq!(units.map(code), codes);
    }

    #[test]
    fn annotations_are_visible_ascii_and_short() {
        assert_eq!(code("{requests}"), "{requests}");
        assert_eq!(code("größe {x} \0"), "{gr__e__x___}");
        for unit in ["x".repeat(1_000), format!("{}/{}", "y".repeat(80), "z".repeat(80)), "/".repeat(100)] {
            let code = code(&unit);
            assert!(code.len() <= MAX_UNIT_LENGTH && code.starts_with('{') && code.ends_with('}'), "{code}");
        }
    }
}
