//! Grafana's names of units.

/// The unit of values, by the unit of a family as it is spelled in names.
pub(super) fn of_values(unit: Option<&str>) -> String {
    let Some(unit) = unit else { return "short".to_owned() };
    let known = match unit {
        "seconds" => "s",
        "milliseconds" => "ms",
        "microseconds" => "µs",
        "nanoseconds" => "ns",
        "minutes" => "m",
        "hours" => "h",
        "days" => "d",
        "bytes" => "bytes",
        "kibibytes" => "kbytes",
        "mebibytes" => "mbytes",
        "gibibytes" => "gbytes",
        "kilobytes" => "deckbytes",
        "megabytes" => "decmbytes",
        "gigabytes" => "decgbytes",
        "bits" => "bits",
        "bytes_per_second" | "bytes_per_s" => "Bps",
        "bits_per_second" | "bits_per_s" => "bps",
        "requests_per_second" | "requests_per_s" => "reqps",
        "percent" => "percent",
        "ratio" => "percentunit",
        "celsius" => "celsius",
        "fahrenheit" => "fahrenheit",
        "kelvin" => "kelvin",
        "hertz" => "hertz",
        "volts" => "volt",
        "amperes" => "amp",
        "watts" => "watt",
        "joules" => "joule",
        "meters" | "metres" => "lengthm",
        "grams" => "massg",
        "kilograms" => "masskg",
        "euros" => "currencyEUR",
        "dollars" => "currencyUSD",
        _ => return format!("suffix: {}", shortened(unit)),
    };
    known.to_owned()
}

/// The unit of the rate of a counter of such values.
pub(super) fn of_rates(unit: Option<&str>) -> String {
    match unit {
        None => "cps".to_owned(),
        Some("bytes") => "Bps".to_owned(),
        Some("bits") => "bps".to_owned(),
        Some("requests") => "reqps".to_owned(),
        Some("seconds") => "suffix: s/s".to_owned(),
        Some(other) => format!("suffix: {}/s", shortened(other)),
    }
}

/// Names of units have ASCII letters, digits and `_` alone.
fn shortened(unit: &str) -> &str {
    const MAX_UNIT: usize = 20;
    unit.get(..MAX_UNIT).unwrap_or(unit)
}
