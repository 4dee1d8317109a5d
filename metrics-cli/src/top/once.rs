//! One look as plain text, for scripts: sections of aligned columns, with whole numbers and `-` for what there is none of.

use std::fmt::Write as _;

use mvx_metrics::page::{DimensionCard, MetricCard, PageData};

use super::name;
use super::text::width;

/// Up to this width a column is aligned. A longer text is not cut.
const MAX_ALIGNED: usize = 40;

/// The text of an answer.
pub(super) fn text(url: &str, data: &PageData) -> String {
    let mut text = format!("endpoint {url}\n");
    for runtime in &data.runtimes {
        let _ = writeln!(text, "runtime {} {}", runtime.namespace, runtime.status);
    }
    let _ = write!(text, "sample {}", data.sample);
    match data.interval {
        Some(interval) => _ = writeln!(text, ", {interval:.1} s after the one before"),
        None => text.push_str(", the first one: no rates of metrics\n"),
    }
    problems(&mut text, data);
    namespaces(&mut text, data);
    recorders(&mut text, data);
    metrics(&mut text, data);
    text
}

fn problems(text: &mut String, data: &PageData) {
    let _ = writeln!(text, "\nproblems {} of {}", data.problems.len(), data.problems_total);
    let mut rows = vec![cells(&["PROBLEM", "NAMESPACE", "SUBJECT", "COUNT", "DETAIL"])];
    rows.extend(data.problems.iter().map(|problem| {
        let kind = name::of_problem(problem.kind);
        vec![
            kind,
            problem.namespace.clone(),
            problem.subject.clone(),
            problem.count.to_string(),
            problem.detail.clone(),
        ]
    }));
    write_table(text, &rows);
}

fn namespaces(text: &mut String, data: &PageData) {
    let _ = writeln!(text, "\nnamespaces {} of {}", data.namespaces.len(), data.namespaces_total);
    let heads = [
        "NAMESPACE",
        "RECORDERS",
        "REMOVED",
        "RATE",
        "ACCEPTED",
        "PENDING",
        "DROPPED",
        "REJECTED",
        "DISCARDED",
        "STALLED",
    ];
    let mut rows = vec![cells(&heads)];
    rows.extend(data.namespaces.iter().map(|row| {
        let recorders: u64 = row.recorders.values().sum();
        let numbers = [recorders, row.removed];
        let others = [row.accepted, row.pending, row.dropped, row.rejected, row.discarded, row.stalled];
        let mut cells = vec![row.namespace.clone()];
        cells.extend(numbers.map(|number| number.to_string()));
        cells.push(number(row.rate));
        cells.extend(others.map(|number| number.to_string()));
        cells
    }));
    write_table(text, &rows);
}

fn recorders(text: &mut String, data: &PageData) {
    let list = &data.recorders;
    let _ = writeln!(text, "\nrecorders {} of {}", list.rows.len(), list.matching);
    let heads = [
        "ID",
        "ENTITY",
        "NAMESPACE",
        "STATE",
        "AGE",
        "RATE",
        "ACCEPTED",
        "PENDING",
        "DROPPED",
        "REJECTED",
        "DISCARDED",
    ];
    let mut rows = vec![cells(&heads)];
    rows.extend(list.rows.iter().map(|row| {
        let counts = [row.accepted, row.pending, row.dropped, row.rejected, row.discarded];
        let mut cells = vec![
            row.id.clone(),
            row.entity_id.clone(),
            row.namespace.clone(),
            row.status.to_string(),
            format!("{:.1}", row.age),
            number(row.rate),
        ];
        cells.extend(counts.map(|count| count.to_string()));
        cells
    }));
    write_table(text, &rows);
}

fn metrics(text: &mut String, data: &PageData) {
    let list = &data.metrics;
    let _ = writeln!(text, "\nmetrics {} of {}", list.rows.len(), list.matching);
    let mut rows =
        vec![cells(&["METRIC", "NAMESPACE", "LABELS", "KIND", "UNIT", "VALUE", "RATE", "P50", "P90", "P99"])];
    for card in &list.rows {
        for dimension in &card.dimensions {
            rows.extend(dimension_rows(card, dimension));
        }
        if card.more_dimensions > 0 {
            // They are too large for the answer.
            let count = card.more_dimensions.to_string();
            rows.push(cells(&[
                &card.name,
                &card.namespace,
                "",
                "further-dimensions",
                "",
                &count,
                "",
                "",
                "",
                "",
            ]));
        }
    }
    write_table(text, &rows);
}

/// The row of a dimension, and those of its labels.
fn dimension_rows(card: &MetricCard, dimension: &DimensionCard) -> Vec<Vec<String>> {
    let full_name = name::of_dimension(card, dimension);
    let quantiles = dimension.distribution.as_ref().map_or([None; 3], |distribution| distribution.quantiles);
    let row = |labels: &str, value: String, rate: Option<f64>, quantiles: [Option<f64>; 3]| {
        let unit = dimension.unit.clone().unwrap_or_default();
        let kind = name::of_kind(dimension.kind);
        let mut row = vec![
            full_name.clone(),
            card.namespace.clone(),
            labels.to_owned(),
            kind,
            unit,
            value,
            number(rate),
        ];
        row.extend(quantiles.map(number));
        row
    };
    let value = dimension.text.clone().unwrap_or_else(|| number(dimension.value));
    let mut rows = vec![row("", value, dimension.rate, quantiles)];
    let labels = dimension.labels.iter().flat_map(|labels| &labels.rows);
    rows.extend(
        labels.map(|label| row(&name::of_label(label, ","), number(label.value), label.rate, [None; 3])),
    );
    rows
}

fn number(number: Option<f64>) -> String {
    number.map_or_else(|| "-".to_owned(), |number| number.to_string())
}

fn cells(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// Writes rows of equally many cells, the first one only if others follow. An empty cell is `-`.
fn write_table(text: &mut String, rows: &[Vec<String>]) {
    if rows.len() < 2 {
        return;
    }
    let columns = rows[0].len();
    let cell = |row: usize, column: usize| match &*rows[row][column] {
        "" => "-",
        text => text,
    };
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            (0..rows.len()).map(|row| width(cell(row, column)).min(MAX_ALIGNED)).max().unwrap_or_default()
        })
        .collect();
    for row in 0..rows.len() {
        for (column, aligned) in widths.iter().enumerate() {
            let cell = cell(row, column);
            let is_last = column + 1 == columns;
            let blanks = if is_last { 0 } else { aligned.saturating_sub(width(cell)) + 2 };
            text.push_str(cell);
            text.extend(std::iter::repeat_n(' ', blanks));
        }
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::top::fixtures::page_data;

    #[test]
    fn a_look_as_text_has_all_numbers() {
        let expected = "\
endpoint http://a:1
runtime shop RUNNING
runtime mail CLOSED
sample 12, 1.0 s after the one before

problems 2 of 2
PROBLEM          NAMESPACE  SUBJECT    COUNT  DETAIL
failed-recorder  shop       session-9  1      a hook failed
dropped-events   shop       Answered   7      -

namespaces 2 of 2
NAMESPACE  RECORDERS  REMOVED  RATE    ACCEPTED  PENDING  DROPPED  REJECTED  DISCARDED  STALLED
shop       38         3        1200.5  24000     5        7        0         0          0
mail       3          3        0       24000     5        0        0         0          0

recorders 3 of 40
ID         ENTITY     NAMESPACE  STATE    AGE     RATE    ACCEPTED  PENDING  DROPPED  REJECTED  DISCARDED
session-1  session-1  shop       RUNNING  7260.0  1200.5  12034     5        7        0         0
日本語     日本語     shop       RUNNING  7260.0  0.5     12034     5        0        0         0
outbox     outbox     mail       STOPPED  7260.0  -       12034     5        0        0         0

metrics 2 of 2
METRIC          NAMESPACE  LABELS    KIND                UNIT     VALUE       RATE  P50    P90   P99
http.total      shop       -         counter             -        40          20    -      -     -
http.latency    shop       -         histogram           seconds  0.012       20    0.008  0.05  0.09
http.by_status  shop       -         counter             -        40          20    -      -     -
http.by_status  shop       GET,200   counter             -        30          15    -      -     -
http.by_status  shop       \"\",größe  counter             -        10          5     -      -     -
build.version   mail       -         custom              -        1.2.3-beta  -     -      -     -
build.size      mail       -         gauge               bytes    1536        -     -      -     -
build           mail       -         further-dimensions  -        7           -     -      -     -
";
        let text = text("http://a:1", &page_data());
        assert_eq!(text, expected);
    }

    #[test]
    fn a_program_without_anything_has_a_short_text() {
        let mut data = page_data();
        data.interval = None;
        data.problems.clear();
        data.namespaces.clear();
        data.recorders.rows.clear();
        data.metrics.rows.clear();
        (data.recorders.matching, data.metrics.matching) = (0, 0);
        (data.problems_total, data.namespaces_total) = (0, 0);
        data.runtimes.clear();
        assert_eq!(
            text("http://a:1", &data),
            "endpoint http://a:1\nsample 12, the first one: no rates of metrics\n\nproblems 0 of 0\n\nnamespaces 0 of 0\n\nrecorders 0 of 0\n\nmetrics 0 of 0\n"
        );
    }

    #[test]
    fn long_names_are_whole_and_move_no_other_row() {
        let mut data = page_data();
        data.recorders.rows[0].id = "x".repeat(500);
        let text = text("http://a:1", &data);
        assert!(text.contains(&format!("\n{}  session-1  shop", "x".repeat(500))), "{text}");
        assert!(text.contains(&format!("\noutbox{}outbox", " ".repeat(MAX_ALIGNED + 2 - 6))), "{text}");
    }
}
