//! The rules of one metric: rates, means and quantiles to record, and an alert for each error ratio.

use std::collections::HashSet;

use mvx_metrics::NumberType;
use mvx_metrics::catalogue::{CatalogueDimension, CatalogueFamily, CatalogueMetric, CatalogueType};

use super::Options;
use super::template::{PERCENTAGE, help, label, literal};
use super::yaml::{Alert, Rule};
use crate::promql::{QUANTILES, Selection};
use crate::ratio::{ErrorRatio, base_name};

/// The names of alerts that are in use.
#[derive(Default)]
pub(super) struct AlertNames(HashSet<String>);

pub(super) fn rules(
    metric: &CatalogueMetric,
    selection: &Selection,
    options: &Options,
    names: &mut AlertNames,
) -> Vec<Rule> {
    let recorded = metric.dimensions.iter().flat_map(|dimension| of_dimension(dimension, selection));
    let mut rules: Vec<Rule> = recorded.collect();
    for ratio in ErrorRatio::of(metric) {
        let by = [&*selection.namespace];
        let recorded = recorded_name(&by, &ratio.family, &format!("error_ratio{}", selection.window));
        let expression = ratio.expression(selection, &by);
        rules.push(Rule::Recording { name: recorded.clone(), expression });
        rules.push(Rule::Alert(alert(metric, &ratio, &recorded, options, names)));
    }
    rules
}

/// What Prometheus records of the families of a dimension, so that queries over long times are quick.
fn of_dimension(dimension: &CatalogueDimension, selection: &Selection) -> Vec<Rule> {
    // The sum of other values may fall, so its rate says nothing.
    let has_mean = matches!(dimension.number, Some(NumberType::Unsigned | NumberType::Duration));
    dimension.families.iter().flat_map(|family| of_family(family, has_mean, selection)).collect()
}

fn of_family(family: &CatalogueFamily, has_mean: bool, selection: &Selection) -> Vec<Rule> {
    let mut by = vec![&*selection.namespace];
    by.extend(family.labels.iter().map(String::as_str));
    let window = &selection.window;
    let rule = |operation: &str, expression| {
        let name = recorded_name(&by, base_name(&family.name), &format!("{operation}{window}"));
        Rule::Recording { name, expression }
    };
    let mean = || rule("mean", selection.mean(&by, &family.name));
    match family.family_type {
        CatalogueType::Counter => vec![rule("rate", selection.sum_of_rates(&by, &family.name, ""))],
        CatalogueType::Summary => vec![mean()],
        CatalogueType::Histogram => {
            let quantiles = QUANTILES.iter().map(|(quantile, name)| {
                // Without new values it would be NaN.
                let count = selection.count_of_histogram(&by, &family.name);
                let quantile = selection.quantile(quantile, &by, &family.name);
                rule(&format!("{name}_"), format!("{quantile} and ({count} > 0)"))
            });
            has_mean.then(mean).into_iter().chain(quantiles).collect()
        }
        // They are what they are at any time.
        _ => Vec::new(),
    }
}

/// `level:metric:operation`, as Prometheus recommends: the labels that are left, what it is made of, and how.
fn recorded_name(labels: &[&str], family: &str, operation: &str) -> String {
    format!("{}:{family}:{operation}", labels.join("_"))
}

fn alert(
    metric: &CatalogueMetric,
    ratio: &ErrorRatio,
    recorded: &str,
    options: &Options,
    names: &mut AlertNames,
) -> Alert {
    let threshold = options.error_ratio;
    let name = literal(&metric.name);
    let about = help(&metric.help);
    let about = if about.is_empty() { String::new() } else { format!(" {name}: {about}") };
    Alert {
        name: names.unused(&format!("{}ErrorRatio", camel_case(&ratio.family))),
        expression: format!("{recorded} > {threshold}"),
        hold: Some(options.hold.clone()),
        labels: vec![("severity", literal(&options.severity))],
        summary: format!(
            "{}: {PERCENTAGE} of {} failed",
            label(&options.generation.namespace_label),
            ratio.family
        ),
        description: format!(
            "Within {}, more than {}% were failures.{about}",
            options.window,
            percentage(threshold)
        ),
    }
}

/// A part of all in percent, without the digits that binary numbers bring.
fn percentage(ratio: f64) -> f64 {
    (ratio * 1e6).round() / 1e4
}

/// `orders_placed` as `OrdersPlaced`.
fn camel_case(name: &str) -> String {
    let words = name.split('_').map(|word| {
        let mut characters = word.chars();
        let first = characters.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(characters).collect::<String>()
    });
    words.collect()
}

impl AlertNames {
    /// The name, with a number where it is in use.
    fn unused(&mut self, name: &str) -> String {
        let numbered = (2..).map(|number: u32| format!("{name}{number}"));
        let mut names = std::iter::once(name.to_owned()).chain(numbered);
        names.find(|name| self.0.insert(name.clone())).unwrap_or_else(|| name.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_conventions_of_prometheus() {
        assert_eq!(
            recorded_name(&["namespace", "outcome"], "orders", "rate5m"),
            "namespace_outcome:orders:rate5m"
        );
        assert_eq!(camel_case("orders_placed__x"), "OrdersPlacedX");
        let mut names = AlertNames::default();
        assert_eq!(["A", "A", "B", "A"].map(|name| names.unused(name)), ["A", "A2", "B", "A3"]);
    }

    #[test]
    fn percentages_have_no_digits_of_binary_numbers() {
        assert_eq!(
            [0.05, 0.07, 0.001, 0.29, 1.0].map(|ratio| percentage(ratio).to_string()),
            ["5", "7", "0.1", "29", "100"]
        );
    }
}
