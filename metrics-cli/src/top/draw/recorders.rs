//! The table of the recorders.

use mvx_metrics::MetricsRecorderState;
use mvx_metrics::page::RecorderRow;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{HEAD, Look, SELECTED, Title, take_bottom, take_top, title_style, visible, write};
use crate::top::number;
use crate::top::query::SortKey;
use crate::top::state::{Pane, pages};
use crate::top::text::{left, right};

/// With fewer lines the selected recorder has no line of its own.
const MIN_HEIGHT_WITH_DETAILS: u16 = 4;

/// A column beside the id, which gets the room that is left.
struct Column {
    head: &'static str,
    cells: usize,
    /// The key that sorts by it.
    key: Option<SortKey>,
    text: fn(&RecorderRow) -> String,
}

const NAMESPACE: Column =
    Column { head: "namespace", cells: 14, key: None, text: |row| row.namespace.clone() };
const STATE: Column = Column { head: "state", cells: 9, key: None, text: |row| row.status.to_string() };
const AGE: Column =
    Column { head: "age", cells: 8, key: Some(SortKey::Age), text: |row| number::age(row.age) };
const RATE: Column =
    Column { head: "rate", cells: 9, key: Some(SortKey::Rate), text: |row| number::rate(row.rate) };
const PENDING: Column =
    Column { head: "pending", cells: 8, key: Some(SortKey::Pending), text: |row| number::count(row.pending) };
const LOSS: Column =
    Column { head: "loss", cells: 7, key: Some(SortKey::Loss), text: |row| number::count(loss(row)) };
const ENTITY: Column = Column { head: "entity", cells: 20, key: None, text: |row| row.entity_id.clone() };
const ACCEPTED: Column =
    Column { head: "accepted", cells: 10, key: None, text: |row| number::count(row.accepted) };
const REJECTED: Column =
    Column { head: "rejected", cells: 9, key: None, text: |row| number::count(row.rejected) };

/// The columns that fit.
fn columns(width: u16) -> &'static [Column] {
    match width {
        0..60 => &[RATE, PENDING, LOSS],
        60..76 => &[STATE, AGE, RATE, PENDING, LOSS],
        76..110 => &[NAMESPACE, STATE, AGE, RATE, PENDING, LOSS],
        _ => &[ENTITY, NAMESPACE, STATE, AGE, RATE, ACCEPTED, PENDING, REJECTED, LOSS],
    }
}

pub(super) fn draw(frame: &mut Frame<'_>, mut area: Rect, look: Look<'_>) {
    let Look { state, data, theme } = look;
    let is_current = state.pane == Pane::Recorders;
    let list = &data.recorders;
    let order = if state.query.is_ascending() { '\u{2191}' } else { '\u{2193}' };
    let title = Title {
        name: "recorders",
        page: list.page,
        pages: pages(list),
        matching: list.matching,
        total: list.total,
        search: &state.query.search,
        more: format!("  by {}{order}", state.query.sort.name()),
    };
    let title = title.line(area.width);
    write(frame, take_top(&mut area, 1), 0, &title, title_style(is_current));
    let columns = columns(area.width);
    let others: usize = columns.iter().map(|column| column.cells + 1).sum();
    let cells_of_id = usize::from(area.width).saturating_sub(others);
    let mut head = left(&marked("id", Some(SortKey::Id), look), cells_of_id);
    for column in columns {
        head.push(' ');
        head += &aligned(column, &marked(column.head, column.key, look));
    }
    write(frame, take_top(&mut area, 1), 0, &head, HEAD);
    if list.rows.is_empty() {
        let text = if list.total == 0 { "no recorders" } else { "no recorder fits the search" };
        return write(frame, area, 0, text, super::FAINT);
    }
    if is_current && area.height >= MIN_HEIGHT_WITH_DETAILS {
        let details = take_bottom(&mut area, 1);
        if let Some(row) = list.rows.get(state.selected_recorder()) {
            write(frame, details, 0, &detail(row), HEAD);
        }
    }
    for (line, index) in (0..).zip(visible(list.rows.len(), state.selected_recorder(), area.height)) {
        let row = &list.rows[index];
        let mut text = left(&row.id, cells_of_id);
        for column in columns {
            text.push(' ');
            text += &aligned(column, &(column.text)(row));
        }
        let mut style = match row.status {
            MetricsRecorderState::Failure | MetricsRecorderState::Cancelled => theme.problem(),
            _ if loss(row) > 0 => theme.warning(),
            _ => Style::new(),
        };
        if is_current && index == state.selected_recorder() {
            style = style.patch(SELECTED);
        }
        write(frame, area, line, &text, style);
    }
}

/// What the columns of a narrow terminal do not have of the selected recorder.
fn detail(row: &RecorderRow) -> String {
    let counts = [
        ("accepted", row.accepted),
        ("dropped", row.dropped),
        ("rejected", row.rejected),
        ("discarded", row.discarded),
    ];
    let counts = counts.map(|(name, count)| format!(", {} {name}", number::count(count))).concat();
    format!("entity {} in {}, {}{counts}", row.entity_id, row.namespace, row.status)
}

/// What the endpoint sorts by as loss.
fn loss(row: &RecorderRow) -> u64 {
    row.dropped.saturating_add(row.rejected).saturating_add(row.discarded)
}

/// The head of a column; that of the sorted one has a mark.
fn marked(head: &str, key: Option<SortKey>, look: Look<'_>) -> String {
    if key == Some(look.state.query.sort) { format!("{head}*") } else { head.to_owned() }
}

/// Numbers stand at the right, texts at the left.
fn aligned(column: &Column, text: &str) -> String {
    let is_text = ["namespace", "state", "entity"].contains(&column.head);
    if is_text { left(text, column.cells) } else { right(text, column.cells) }
}
