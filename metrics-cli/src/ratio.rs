//! Error ratios: which part of what a metric counts are failures, where its declaration tells.

use mvx_metrics::DimensionKind;
use mvx_metrics::catalogue::{
    CatalogueDimension, CatalogueFamily, CatalogueLabel, CatalogueMetric, CatalogueType,
};

use crate::promql::{ALL_VALUES, Selection, matcher};

/// Labels and counters whose name says that something failed.
const FAILURES: [&str; 9] =
    ["err", "error", "errored", "errors", "fail", "failed", "failure", "failures", "is_error"];
/// Boolean labels whose name says that something succeeded.
const SUCCESSES: [&str; 6] = ["ok", "is_ok", "succeeded", "success", "successful", "is_success"];
/// Counters that count attempts, failed ones too.
const ATTEMPTS: [&str; 9] =
    ["all", "attempted", "attempts", "calls", "requests", "started", "total", "tries", "count"];

/// The part of failures among all that a metric counts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ErrorRatio {
    /// The family that the ratio is named after, without the suffix of a counter.
    pub(crate) family: String,
    failures: Count,
    all: Count,
}

/// Series that count something.
#[derive(Debug, PartialEq, Eq)]
struct Count {
    series: String,
    matcher: String,
}

impl ErrorRatio {
    /// The ratios of a metric: one for each counter with a label for failures; without one, that of a distribution with such a
    /// label; else that of a counter of failures beside one of attempts.
    pub(crate) fn of(metric: &CatalogueMetric) -> Vec<Self> {
        let counters = || counted(metric).filter(|(dimension, _)| dimension.kind == DimensionKind::Counter);
        let tells = |(dimension, _): &(&CatalogueDimension, _)| !is_of_failures(metric, dimension);
        let by_label = counters().filter(tells).filter_map(|(dimension, family)| by_label(dimension, family));
        let by_label: Vec<Self> = by_label.collect();
        if !by_label.is_empty() {
            return by_label;
        }
        let of_distribution = counted(metric)
            .filter(tells)
            .find_map(|(dimension, family)| by_label_of_count(dimension, family));
        of_distribution.or_else(|| pair(&counters().collect::<Vec<_>>())).into_iter().collect()
    }

    /// The ratio by labels. It has no result where nothing was counted within the window.
    pub(crate) fn expression(&self, selection: &Selection, labels: &[&str]) -> String {
        let sum = |count: &Count| selection.sum_of_rates(labels, &count.series, &count.matcher);
        format!("{} / ({} > 0)", sum(&self.failures), sum(&self.all))
    }
}

/// Whether everything that a dimension counts is a failure, by its name or that of its metric. Then its labels tell kinds of failures.
fn is_of_failures(metric: &CatalogueMetric, dimension: &CatalogueDimension) -> bool {
    let words = |name: &'_ str| -> Vec<String> {
        name.split(|character: char| !character.is_alphanumeric()).map(str::to_owned).collect()
    };
    let is_failure = |word: Option<&String>| word.is_some_and(|word| is_one_of(&FAILURES, word));
    is_failure(words(&dimension.name).first()) || is_failure(words(&metric.name).last())
}

/// The families of a metric that count events.
fn counted(metric: &CatalogueMetric) -> impl Iterator<Item = (&CatalogueDimension, &CatalogueFamily)> {
    metric.dimensions.iter().filter_map(|dimension| {
        let family = dimension.families.first()?;
        Some((dimension, family))
    })
}

fn by_label(dimension: &CatalogueDimension, family: &CatalogueFamily) -> Option<ErrorRatio> {
    let is_counter = family.family_type == CatalogueType::Counter;
    is_counter.then(|| ratio_by_label(dimension, family, &family.name, ""))?
}

fn by_label_of_count(dimension: &CatalogueDimension, family: &CatalogueFamily) -> Option<ErrorRatio> {
    let name = &family.name;
    match family.family_type {
        CatalogueType::Histogram => ratio_by_label(dimension, family, &format!("{name}_bucket"), ALL_VALUES),
        CatalogueType::Summary => ratio_by_label(dimension, family, &format!("{name}_count"), ""),
        _ => None,
    }
}

/// The ratio of `series` by the first label that tells failures.
fn ratio_by_label(
    dimension: &CatalogueDimension,
    family: &CatalogueFamily,
    series: &str,
    all: &str,
) -> Option<ErrorRatio> {
    dimension.labels.iter().zip(&family.labels).find_map(|(declared, exported)| {
        let failures = failing_values(declared);
        let failures = (!failures.is_empty()).then(|| matcher(exported, &failures))?;
        let failures = if all.is_empty() { failures } else { format!("{all},{failures}") };
        let count = |matcher| Count { series: series.to_owned(), matcher };
        let family = base_name(&family.name).to_owned();
        Some(ErrorRatio { family, failures: count(failures), all: count(all.to_owned()) })
    })
}

/// The values of a label that stand for a failure; none when all of them do.
fn failing_values(label: &CatalogueLabel) -> Vec<&str> {
    let is_boolean = label.values.len() == 2
        && ["false", "true"].iter().all(|value| label.values.iter().any(|known| known == value));
    if is_boolean {
        let failing = if is_one_of(&FAILURES, &label.name) {
            Some("true")
        } else {
            is_one_of(&SUCCESSES, &label.name).then_some("false")
        };
        return failing.into_iter().collect();
    }
    let failing: Vec<&str> =
        label.values.iter().map(String::as_str).filter(|value| is_one_of(&FAILURES, value)).collect();
    if failing.len() == label.values.len() { Vec::new() } else { failing }
}

/// A counter of failures and one of attempts.
fn pair(counters: &[(&CatalogueDimension, &CatalogueFamily)]) -> Option<ErrorRatio> {
    let named = |words: &[&str]| {
        let mut counters = counters.iter().filter(|(_, family)| family.family_type == CatalogueType::Counter);
        counters.find(|(dimension, _)| is_one_of(words, &dimension.name)).map(|(_, family)| *family)
    };
    let (failures, all) = (named(&FAILURES)?, named(&ATTEMPTS)?);
    let count = |family: &CatalogueFamily| Count { series: family.name.clone(), matcher: String::new() };
    let family = base_name(&failures.name).to_owned();
    Some(ErrorRatio { family, failures: count(failures), all: count(all) })
}

fn is_one_of(words: &[&str], text: &str) -> bool {
    words.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// The name of a family without the suffix of a counter.
pub(crate) fn base_name(family: &str) -> &str {
    family.strip_suffix("_total").filter(|rest| !rest.is_empty()).unwrap_or(family)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mvx_metrics::{Breakdown, Counter, Histogram, Label, Metric, Sum, catalogue, metric_event};

    use super::*;

    #[derive(Label)]
    #[expect(dead_code, reason = "no event is emitted")]
    enum Outcome {
        Done,
        Failed,
        Error,
    }

    #[derive(Label)]
    #[expect(dead_code, reason = "no event is emitted")]
    enum Fault {
        Error,
        Failure,
    }

    #[metric_event]
    struct Ended {
        outcome: Outcome,
        fault: Fault,
        ok: bool,
        urgent: bool,
        took: Duration,
        bytes: u64,
    }

    /// The ratios of a metric by namespace, without their windows.
    fn ratios<M: Metric + Default>() -> Vec<String> {
        let catalogue = catalogue![M].expect("no name stands for two things");
        let selection =
            Selection { namespace: "n".to_owned(), filter: String::new(), window: "5m".to_owned() };
        let ratios = ErrorRatio::of(&catalogue.metrics[0]);
        ratios
            .iter()
            .map(|ratio| format!("{}: {}", ratio.family, ratio.expression(&selection, &["n"])))
            .collect()
    }

    #[derive(Metric, Default)]
    #[metric(name = "m", on(Ended))]
    struct ByOutcome {
        total: Counter,
        #[dimension(when = |e| !e.ok)]
        failed: Counter,
        #[dimension(by(urgent, outcome))]
        by: Breakdown<(bool, Outcome), Counter>,
        #[dimension(by = outcome, value = bytes)]
        bytes: Breakdown<Outcome, Sum<u64>>,
        #[dimension(by = outcome, value = took)]
        took: Breakdown<Outcome, Histogram<Duration>>,
    }

    #[test]
    fn a_counter_by_a_label_with_failures_comes_first() {
        let failed = r#"sum by (n) (rate(m_by_total{outcome=~"failed|error"}[5m]))"#;
        assert_eq!(
            ratios::<ByOutcome>(),
            [format!("m_by: {failed} / (sum by (n) (rate(m_by_total[5m])) > 0)")]
        );
    }

    #[derive(Metric, Default)]
    #[metric(name = "m", on(Ended))]
    struct Distribution {
        total: Counter,
        #[dimension(by = ok, value = took)]
        took: Breakdown<bool, Histogram<Duration>>,
    }

    #[test]
    fn a_distribution_counts_where_no_counter_does() {
        let series = r#"m_took_seconds_bucket{le="+Inf""#;
        let [failed, all] =
            [",ok=\"false\"", ""].map(|label| format!("sum by (n) (rate({series}{label}}}[5m]))"));
        assert_eq!(ratios::<Distribution>(), [format!("m_took_seconds: {failed} / ({all} > 0)")]);
    }

    #[derive(Metric, Default)]
    #[metric(name = "m", on(Ended))]
    struct Pair {
        attempts: Counter,
        #[dimension(when = |e| !e.ok)]
        errors: Counter,
        #[dimension(by = urgent)]
        by_urgency: Breakdown<bool, Counter>,
    }

    #[test]
    fn a_counter_of_failures_stands_beside_one_of_attempts() {
        let expected =
            "m_errors: sum by (n) (rate(m_errors_total[5m])) / (sum by (n) (rate(m_attempts_total[5m])) > 0)";
        assert_eq!(ratios::<Pair>(), [expected]);
    }

    #[derive(Metric, Default)]
    #[metric(name = "m", on(Ended))]
    struct FailuresAlone {
        #[dimension(when = |e| !e.ok)]
        errors: Counter,
        #[dimension(value = bytes)]
        total: Sum<u64>,
        #[dimension(by = fault)]
        by_fault: Breakdown<Fault, Counter>,
        #[dimension(by = urgent)]
        by_urgency: Breakdown<bool, Counter>,
    }

    #[derive(Metric, Default)]
    #[metric(name = "m", on(Ended))]
    struct KindsOfFailures {
        #[dimension(by = outcome, when = |e| !e.ok)]
        errors_by_outcome: Breakdown<Outcome, Counter>,
        #[dimension(by = outcome, value = took, when = |e| !e.ok)]
        failed: Breakdown<Outcome, Histogram<Duration>>,
    }

    #[derive(Metric, Default)]
    #[metric(name = "upload.errors", on(Ended))]
    struct Errors {
        #[dimension(by = outcome)]
        by_outcome: Breakdown<Outcome, Counter>,
    }

    #[test]
    fn kinds_of_failures_are_no_ratio() {
        assert_eq!(ratios::<KindsOfFailures>(), Vec::<String>::new());
        assert_eq!(ratios::<Errors>(), Vec::<String>::new());
    }

    #[test]
    fn failures_alone_are_no_ratio() {
        assert_eq!(ratios::<FailuresAlone>(), Vec::<String>::new());
    }
}
