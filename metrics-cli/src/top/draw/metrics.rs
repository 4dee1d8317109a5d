//! The metrics: a line for each dimension, and all about the selected one.

use mvx_metrics::page::{DimensionCard, Distribution, LabelRows, MetricCard};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Sparkline;

use super::{FAINT, HEAD, Look, SELECTED, Title, take_bottom, take_top, title_style, visible, write};
use crate::top::history::heights;
use crate::top::name;
use crate::top::number;
use crate::top::state::{Pane, pages};
use crate::top::text::{cut, left, right, width};

/// With fewer lines a pane has no room for the selected dimension.
const MIN_HEIGHT_WITH_DETAILS: u16 = 7;
const MAX_DETAILS: u16 = 14;
const CELLS_OF_VALUE: usize = 11;
const CELLS_OF_RATE: usize = 10;
/// The name of a namespace before that of a metric.
const MAX_NAMESPACE: usize = 14;
/// Each cell of a chart has eight levels.
const LEVELS: u64 = 8;
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

pub(super) fn draw(frame: &mut Frame<'_>, mut area: Rect, look: Look<'_>) {
    if area.height == 0 {
        return;
    }
    let Look { state, data, .. } = look;
    let list = &data.metrics;
    let is_current = state.pane == Pane::Metrics;
    let title = Title {
        name: "metrics",
        page: list.page,
        pages: pages(list),
        matching: list.matching,
        total: list.total,
        search: &state.query.metric_search,
        more: String::new(),
    };
    let title = title.line(area.width);
    write(frame, take_top(&mut area, 1), 0, &title, title_style(is_current));
    let dimensions = state.dimensions();
    let Some(&(card, selected)) = dimensions.get(state.selected_metric()) else {
        let text = if list.total == 0 { "no metrics" } else { "no metric fits the search" };
        return write(frame, area, 0, text, FAINT);
    };
    if is_current && area.height >= MIN_HEIGHT_WITH_DETAILS {
        let details = details(card, selected, area.width.into());
        let lines = u16::try_from(details.len()).unwrap_or(MAX_DETAILS).min(MAX_DETAILS);
        let lines = lines.min(area.height / 2);
        let area = take_bottom(&mut area, lines);
        for (line, (text, style)) in (0..).zip(details) {
            write(frame, area, line, &text, style);
        }
    }
    draw_rows(frame, area, look, &dimensions, is_current);
}

fn draw_rows(
    frame: &mut Frame<'_>,
    mut area: Rect,
    look: Look<'_>,
    dimensions: &[(&MetricCard, &DimensionCard)],
    is_current: bool,
) {
    let Look { state, data, theme } = look;
    let cells_of_chart = match area.width {
        0..60 => 0,
        60..100 => 20,
        _ => usize::from(area.width) / 3,
    };
    let room = usize::from(area.width).saturating_sub(cells_of_chart + CELLS_OF_VALUE + CELLS_OF_RATE + 3);
    let columns = |name: &str, value: &str, rate: &str| {
        format!("{} {} {} ", left(name, room), right(value, CELLS_OF_VALUE), right(rate, CELLS_OF_RATE))
    };
    let head = columns("metric", "value", "rate") + if cells_of_chart > 0 { "history" } else { "" };
    write(frame, take_top(&mut area, 1), 0, &head, HEAD);
    let has_namespaces = data.namespaces.len() > 1 && state.query.namespace.is_none();
    for (line, index) in (0..).zip(visible(dimensions.len(), state.selected_metric(), area.height)) {
        let (card, dimension) = dimensions[index];
        let name = if has_namespaces {
            format!("{} {}", cut(&card.namespace, MAX_NAMESPACE), name::of_dimension(card, dimension))
        } else {
            name::of_dimension(card, dimension)
        };
        let value = match &dimension.text {
            Some(text) => text.clone(),
            None => number::value(dimension.value, dimension.unit.as_deref()),
        };
        let mut style = match (card.failed, card.invalid) {
            (0, 0) => Style::new(),
            (0, _) => theme.warning(),
            _ => theme.problem(),
        };
        if is_current && index == state.selected_metric() {
            style = style.patch(SELECTED);
        }
        write(frame, area, line, &columns(&name, &value, &number::rate_of(dimension, dimension.rate)), style);
        let points = state.history.points(&card.namespace, &card.name, &dimension.name);
        let offset = u16::try_from(usize::from(area.width) - cells_of_chart).unwrap_or(area.width);
        let chart = Rect { x: area.x + offset, y: area.y + line, width: area.width - offset, height: 1 };
        let heights = heights(&points, cells_of_chart, LEVELS);
        let sparkline = Sparkline::default().data(heights).max(LEVELS).style(theme.chart());
        frame.render_widget(sparkline.absent_value_symbol(" "), chart);
    }
}

/// All about one dimension.
fn details(card: &MetricCard, dimension: &DimensionCard, cells: usize) -> Vec<(String, Style)> {
    let kind = name::of_kind(dimension.kind);
    let unit = dimension.unit.as_ref().map(|unit| format!(" in {unit}")).unwrap_or_default();
    let window = dimension.window.map(|seconds| format!(", last {seconds} s")).unwrap_or_default();
    let mut lines = vec![(format!("{}: {kind}{unit}{window}", name::of_dimension(card, dimension)), HEAD)];
    let mut add = |text: String| lines.push((text, Style::new()));
    if card.failed > 0 || card.invalid > 0 {
        let (failed, invalid) = (number::count(card.failed), number::count(card.invalid));
        add(format!("quarantined in {failed} recorders, {invalid} invalid values"));
    }
    if card.more_dimensions > 0 {
        let more = number::count(card.more_dimensions as u64);
        add(format!("{} has {more} further dimensions, which are too large to be shown", card.name));
    }
    for help in [&card.help, &dimension.help] {
        if !help.is_empty() {
            add(help.clone());
        }
    }
    if let Some(distribution) = &dimension.distribution {
        let unit = dimension.unit.as_deref();
        let quantile = |quantile: Option<f64>| number::value(quantile, unit);
        let [half, most, nearly_all] = distribution.quantiles.map(quantile);
        let count = number::count(distribution.count);
        add(format!("p50 {half}  p90 {most}  p99 {nearly_all}  of {count} values"));
        if let Some(bars) = bars(distribution, unit, cells) {
            add(bars);
        }
    }
    if let Some(labels) = &dimension.labels {
        label_lines(dimension, labels, cells).into_iter().for_each(add);
    }
    lines
}

/// The buckets that have values, with the bounds of the first and the last one.
fn bars(distribution: &Distribution, unit: Option<&str>, cells: usize) -> Option<String> {
    let counts = &distribution.recent;
    let first = counts.iter().position(|count| *count > 0)?;
    let last = counts.iter().rposition(|count| *count > 0)?;
    let bound = |index: usize| match distribution.bounds.get(index).copied().flatten() {
        Some(bound) => number::value(Some(bound), unit),
        None => "∞".to_owned(),
    };
    let (low, high) = (bound(first), bound(last + 1));
    let low = if low == "∞" { "-∞".to_owned() } else { low };
    let room = cells.saturating_sub(width(&low) + width(&high) + 2).clamp(1, 64);
    Some(format!("{low} {} {high}", bar_row(&counts[first..=last], room)))
}

/// Bars for counts, neighbours together where there is no room for each.
fn bar_row(counts: &[u64], room: usize) -> String {
    let together = counts.len().div_ceil(room.max(1)).max(1);
    let sum = |counts: &[u64]| counts.iter().fold(0_u64, |sum, count| sum.saturating_add(*count));
    let sums: Vec<u64> = counts.chunks(together).map(sum).collect();
    let max = sums.iter().copied().max().unwrap_or(0).max(1);
    let bar = |sum: &u64| match sum {
        0 => ' ',
        sum => {
            let height = (u128::from(*sum) * BARS.len() as u128).div_ceil(u128::from(max));
            BARS[usize::try_from(height).map_or(BARS.len(), |height| height) - 1]
        }
    };
    sums.iter().map(bar).collect()
}

fn label_lines(dimension: &DimensionCard, labels: &LabelRows, cells: usize) -> Vec<String> {
    let room = cells.saturating_sub(CELLS_OF_VALUE + CELLS_OF_RATE + 2).min(60);
    let columns = |label: &str, value: &str, rate: &str| {
        format!("{} {} {}", left(label, room), right(value, CELLS_OF_VALUE), right(rate, CELLS_OF_RATE))
    };
    let total = number::count(labels.total as u64);
    let mut lines = vec![cut(&format!("{}: {total} labels", labels.names.join(", ")), cells)];
    for row in &labels.rows {
        let value = number::value(row.value, dimension.unit.as_deref());
        lines.push(columns(&name::of_label(row, ", "), &value, &number::rate_of(dimension, row.rate)));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_have_the_height_of_their_counts() {
        assert_eq!(bar_row(&[0, 1, 4, 8], 10), " ▁▄█");
        assert_eq!(bar_row(&[1, 1, 8, 8, 0], 3), "▁█ ");
        assert_eq!(bar_row(&[u64::MAX, u64::MAX, 1], 2), "█▁");
        assert_eq!((bar_row(&[], 3), bar_row(&[0], 0)), (String::new(), " ".to_owned()));
    }
}
