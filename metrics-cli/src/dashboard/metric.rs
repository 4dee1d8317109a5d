//! The panels of one metric: at least one for each family that Prometheus gets.

use mvx_metrics::catalogue::{
    CatalogueDimension, CatalogueFamily, CatalogueLabel, CatalogueMetric, CatalogueType,
};
use mvx_metrics::{DimensionKind, MergeRule};

use super::panel::{Draft, Query, View, description};
use super::{text, unit};
use crate::promql::{QUANTILES, Selection, aggregate};
use crate::ratio::ErrorRatio;

/// How many series a panel shows of labels that are not known, or too many.
const MAX_SERIES: usize = 12;
/// Width and height: two panels stand side by side.
const SIZE: (u32, u32) = (12, 8);

/// The title of a metric's row.
pub(super) fn row_title(metric: &CatalogueMetric) -> String {
    let name = text::shortened(&metric.name);
    match text::title_of(&metric.help) {
        Some(help) => format!("{name}: {help}"),
        None => name,
    }
}

pub(super) fn panels(metric: &CatalogueMetric, selection: &Selection) -> Vec<Draft> {
    let ratios = ErrorRatio::of(metric);
    let ratios = ratios.iter().map(|ratio| Draft {
        key: format!("{} error ratio", ratio.family),
        title: format!("Error ratio of {}", text::shortened(&ratio.family)),
        description: "Which part of what was counted were failures.".to_owned(),
        view: View::Lines,
        unit: "percentunit".to_owned(),
        queries: vec![Query {
            expression: ratio.expression(selection, &[&selection.namespace]),
            legend: format!("{{{{{}}}}}", selection.namespace),
        }],
        size: SIZE,
    });
    ratios
        .chain(metric.dimensions.iter().flat_map(|dimension| of_dimension(metric, dimension, selection)))
        .collect()
}

fn of_dimension(
    metric: &CatalogueMetric,
    dimension: &CatalogueDimension,
    selection: &Selection,
) -> Vec<Draft> {
    let source = Source { metric, dimension, selection };
    if dimension.kind == DimensionKind::Top {
        return source.table();
    }
    dimension.families.iter().flat_map(|family| source.of_family(family)).collect()
}

/// What the panels of a dimension are made of.
struct Source<'a> {
    metric: &'a CatalogueMetric,
    dimension: &'a CatalogueDimension,
    selection: &'a Selection,
}

impl Source<'_> {
    fn of_family(&self, family: &CatalogueFamily) -> Vec<Draft> {
        let labels = labels_of(family);
        let unit = family.unit.as_deref();
        match family.family_type {
            CatalogueType::Counter => {
                let rates = self.limited(family, self.selection.sum_of_rates(&labels, &family.name, ""));
                let query = Query { expression: rates, legend: legend(&labels, &self.dimension.name) };
                vec![self.panel(family, "", "The rate", View::Lines, unit::of_rates(unit), vec![query])]
            }
            CatalogueType::Summary => {
                let mean = self.limited(family, self.selection.mean(&labels, &family.name));
                let query = Query { expression: mean, legend: legend(&labels, "mean") };
                vec![self.panel(family, "", "The mean", View::Lines, unit::of_values(unit), vec![query])]
            }
            CatalogueType::Histogram => vec![self.heat_map(family), self.quantiles(family, &labels)],
            // Gauges, and the types of dimensions of the user's own.
            _ => {
                let series = self.selection.series(&family.name, "");
                let (operation, what) = self.aggregation(family);
                let value = self.limited(family, aggregate(operation, &labels, &series));
                let query = Query { expression: value, legend: legend(&labels, &self.dimension.name) };
                vec![self.panel(family, "", what, View::Lines, unit::of_values(unit), vec![query])]
            }
        }
    }

    /// How the values of several processes become one.
    fn aggregation(&self, family: &CatalogueFamily) -> (&'static str, &'static str) {
        const LARGEST: (&str, &str) = ("max", "The largest value of all processes");
        let dimension = self.dimension;
        if family.labels.len() > dimension.labels.len() {
            return ("max", "The quantiles of the window, and the largest ones of all processes");
        }
        match (dimension.kind, dimension.merge) {
            (DimensionKind::Mean, _) => ("avg", "The mean of the means of all processes"),
            (_, Some(MergeRule::Sum)) => ("sum", "The sum of all processes"),
            (_, Some(MergeRule::Min)) => ("min", "The smallest value of all processes"),
            // What several processes have seen is not known, so the largest estimate is the least that there was.
            _ => LARGEST,
        }
    }

    fn heat_map(&self, family: &CatalogueFamily) -> Draft {
        let buckets = self.selection.series(&format!("{}_bucket", family.name), "");
        let expression = format!("sum by (le) (increase({buckets}[{}]))", self.selection.window);
        let queries = vec![Query { expression, legend: "{{le}}".to_owned() }];
        let unit = unit::of_values(family.unit.as_deref());
        self.panel(family, "distribution", "How many values each bucket got", View::HeatMap, unit, queries)
    }

    fn quantiles(&self, family: &CatalogueFamily, labels: &[&str]) -> Draft {
        let queries = QUANTILES.iter().map(|(quantile, name)| {
            let expression = self.limited(family, self.selection.quantile(quantile, labels, &family.name));
            let legend =
                if labels.is_empty() { (*name).to_owned() } else { format!("{name} {}", legend(labels, "")) };
            Query { expression, legend }
        });
        let unit = unit::of_values(family.unit.as_deref());
        self.panel(family, "quantiles", "Quantiles", View::Lines, unit, queries.collect())
    }

    /// The labels of a `Top` with the values, and with how much too large each value may be.
    fn table(&self) -> Vec<Draft> {
        let Some(values) = self.dimension.families.first() else { return Vec::new() };
        let labels = labels_of(values);
        let sum =
            |family: &CatalogueFamily| aggregate("sum", &labels, &self.selection.series(&family.name, ""));
        let largest = format!("topk({}, {})", self.dimension.keep.unwrap_or(MAX_SERIES), sum(values));
        let queries = self.dimension.families.iter().enumerate().map(|(index, family)| {
            // Of several processes there are more labels, and those with the largest errors may be others.
            let (expression, legend) = match index {
                0 => (largest.clone(), "value"),
                _ => (format!("{} and {largest}", sum(family)), "too large by at most"),
            };
            Query { expression, legend: legend.to_owned() }
        });
        let unit = unit::of_values(values.unit.as_deref());
        vec![self.panel(values, "", "The largest labels", View::Table, unit, queries.collect())]
    }

    /// An expression for the largest series alone, where there may be many.
    fn limited(&self, family: &CatalogueFamily, expression: String) -> String {
        let quantiles = if family.labels.len() > self.dimension.labels.len() { 4 } else { 1 };
        match known_series(&self.dimension.labels) {
            Some(count) if count.saturating_mul(quantiles) <= MAX_SERIES => expression,
            _ => format!("topk({MAX_SERIES}, {expression})"),
        }
    }

    fn panel(
        &self,
        family: &CatalogueFamily,
        part: &str,
        what: &str,
        view: View,
        unit: String,
        queries: Vec<Query>,
    ) -> Draft {
        let dimension = self.dimension;
        let title = text::title_of(&dimension.help).unwrap_or_else(|| match &*dimension.name {
            "" => text::shortened(&self.metric.name),
            name => text::shortened(name),
        });
        let help = if dimension.help.trim().is_empty() { &self.metric.help } else { &dimension.help };
        // Of what Prometheus has, and over which labels. A heat map has none of them.
        let by = match labels_of(family).as_slice() {
            [] => String::new(),
            _ if view == View::HeatMap => " for all labels together".to_owned(),
            labels => format!(
                " by {}",
                labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ")
            ),
        };
        let is_limited =
            view != View::Table && queries.iter().any(|query| query.expression.starts_with("topk("));
        let limit = if is_limited { "; the largest ones" } else { "" };
        Draft {
            key: format!("{} {part}", family.name),
            title: if part.is_empty() { title } else { format!("{title}: {part}") },
            description: description(help, &format!("{what} of `{}`{by}{limit}.", family.name)),
            view,
            unit,
            queries,
            size: SIZE,
        }
    }
}

fn labels_of(family: &CatalogueFamily) -> Vec<&str> {
    family.labels.iter().map(String::as_str).collect()
}

/// The name of a series in a panel, by its labels.
fn legend(labels: &[&str], without: &str) -> String {
    if labels.is_empty() {
        return text::shortened(without);
    }
    labels.iter().map(|label| format!("{{{{{label}}}}}")).collect::<Vec<_>>().join(" ")
}

/// How many series the labels have; `None` where events bring them.
fn known_series(labels: &[CatalogueLabel]) -> Option<usize> {
    labels.iter().try_fold(1_usize, |count, label| match label.values.len() {
        0 => None,
        values => Some(count.saturating_mul(values)),
    })
}
