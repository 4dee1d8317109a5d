//! `mvx-metrics rules`.

mod health;
mod metric;
mod template;
mod yaml;

use std::process::ExitCode;

use clap::Args;
use mvx_metrics::catalogue::Catalogue;

use self::yaml::Group;
use crate::file::FileError;
use crate::generation::Generation;
use crate::promql::Selection;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The time that rates, quantiles and ratios look back: at least four times the interval of the scrapes.
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = duration)]
    window: String,
    /// How long a state or a ratio is bad before its alert fires. A loss fires at once.
    #[arg(long = "for", value_name = "DURATION", default_value = "5m", value_parser = duration)]
    hold: String,
    /// How often Prometheus evaluates the rules. By default Prometheus decides.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    interval: Option<String>,
    /// The part of failures above which the alert of an error ratio fires.
    #[arg(long, value_name = "RATIO", default_value_t = 0.05, value_parser = ratio)]
    error_ratio: f64,
    /// The label `severity` of all alerts.
    #[arg(long, value_name = "TEXT", default_value = "warning")]
    severity: String,
    #[command(flatten)]
    generation: Generation,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode, FileError> {
    options.generation.run(|catalogue| Ok(yaml::file(&groups(catalogue, options))))
}

/// The rules about the health of the measurement, then those of each metric that has some.
fn groups(catalogue: &Catalogue, options: &Options) -> Vec<Group> {
    let selection = Selection {
        namespace: options.generation.namespace_label.clone(),
        filter: String::new(),
        window: options.window.clone(),
    };
    let group = |name: String, rules| Group { name, interval: options.interval.clone(), rules };
    let mut groups = vec![group("mvx_metrics".to_owned(), health::rules(&selection, options))];
    let mut names = metric::AlertNames::default();
    for metric in &catalogue.metrics {
        let rules = metric::rules(metric, &selection, options, &mut names);
        if !rules.is_empty() {
            groups.push(group(format!("mvx_metrics: {}", metric.name), rules));
        }
    }
    groups
}

/// A duration as Prometheus spells it, such as `1h30m`, and above zero.
fn duration(text: &str) -> Result<String, &'static str> {
    const UNITS: [(&str, u64); 7] = [
        ("y", 31_536_000_000),
        ("w", 604_800_000),
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
        ("ms", 1),
    ];
    // Prometheus counts nanoseconds in 63 bits.
    const MAX_MILLIS: u64 = i64::MAX as u64 / 1_000_000;
    let error = "a duration is a number above 0 with a unit, such as `30s`, `5m` or `1h30m`";
    let (mut rest, mut next_unit, mut millis) = (text, 0, 0_u64);
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit()).ok_or(error)?;
        let (number, after) = rest.split_at(digits);
        let end = after.find(|character: char| character.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let position = UNITS.iter().position(|(known, _)| *known == unit).ok_or(error)?;
        let number: u32 = number.parse().map_err(|_| error)?;
        if position < next_unit {
            return Err("the units of a duration stand from the largest one to the smallest one");
        }
        millis = millis.saturating_add(u64::from(number).saturating_mul(UNITS[position].1));
        (rest, next_unit) = (after, position + 1);
    }
    match millis {
        0 => Err(error),
        1..=MAX_MILLIS => Ok(text.to_owned()),
        _ => Err("Prometheus has no duration above 292 years"),
    }
}

/// A part of all.
fn ratio(text: &str) -> Result<f64, &'static str> {
    let error = "a ratio is a number from 0 to 1, such as 0.05";
    let ratio: f64 = text.parse().map_err(|_| error)?;
    (0.0..=1.0).contains(&ratio).then_some(ratio).ok_or(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_prometheus() {
        for text in ["5m", "1h30m", "1500ms", "1d12h", "0h5s"] {
            assert_eq!(duration(text).as_deref(), Ok(text));
        }
        for text in
            ["300y", "4294967295y", "", "5", "m", "0s", "5m1h", "5m5m", "-5m", "5 m", "5x", "99999999999s"]
        {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_ratio_is_a_part_of_all() {
        assert_eq!(ratio("0.05"), Ok(0.05));
        for text in ["-0.1", "1.1", "NaN", "inf", "5%", ""] {
            assert!(ratio(text).is_err(), "{text}");
        }
    }
}
