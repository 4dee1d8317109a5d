//! The names of dimensions, labels and kinds, for the screen and for text.

use mvx_metrics::DimensionKind;
use mvx_metrics::page::{DimensionCard, LabelRow, MetricCard, ProblemKind};
use serde::Serialize;

/// The name of a dimension with that of its metric; that of a dimension without a name is the metric's.
pub(super) fn of_dimension(card: &MetricCard, dimension: &DimensionCard) -> String {
    match &*dimension.name {
        "" => card.name.clone(),
        name => format!("{}.{name}", card.name),
    }
}

/// The texts of a label. An empty one is `""`.
pub(super) fn of_label(row: &LabelRow, separator: &str) -> String {
    let parts = row.label.iter().map(|part| if part.is_empty() { "\"\"" } else { part });
    parts.collect::<Vec<_>>().join(separator)
}

/// The word for a kind of problems.
pub(super) fn of_problem(kind: ProblemKind) -> String {
    word(&kind)
}

/// The word for a kind of aggregates.
pub(super) fn of_kind(kind: DimensionKind) -> String {
    word(&kind)
}

/// How serde writes a value that is a word, with `-` between its parts.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word.replace('_', "-"),
        _ => String::new(),
    }
}
