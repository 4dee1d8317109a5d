//! The screen: from a state to the cells of a terminal.

mod metrics;
mod recorders;

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use mvx_metrics::page::{PageData, Problem};
use mvx_metrics::{MetricsRecorderState, MetricsRuntimeState};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};

use super::client::may_have_namespace;
use super::number;
use super::state::{Pane, State};
use super::text::{cut, left, width};

/// A terminal with fewer cells shows a single line.
const MIN_WIDTH: u16 = 20;
const MIN_HEIGHT: u16 = 5;
/// With fewer lines for both panes only the current one is shown.
const MIN_HEIGHT_OF_PANES: u16 = 13;

/// With fewer lines for namespaces and panes there are only panes.
const MIN_HEIGHT_WITH_NAMESPACES: u16 = 7;

/// How parts of the screen look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Theme {
    pub(super) has_colors: bool,
}

impl Theme {
    fn colored(self, color: Color) -> Style {
        if self.has_colors { Style::new().fg(color) } else { Style::new() }
    }

    fn problem(self) -> Style {
        self.colored(Color::Red).add_modifier(Modifier::BOLD)
    }

    fn warning(self) -> Style {
        self.colored(Color::Yellow)
    }

    fn chart(self) -> Style {
        self.colored(Color::Cyan)
    }
}

/// The title of a pane: that of the current one stands out.
fn title_style(is_current: bool) -> Style {
    let style = Style::new().add_modifier(Modifier::BOLD);
    if is_current { style.add_modifier(Modifier::REVERSED) } else { style.add_modifier(Modifier::UNDERLINED) }
}

const HEAD: Style = Style::new().add_modifier(Modifier::BOLD);
const FAINT: Style = Style::new().add_modifier(Modifier::DIM);
const SELECTED: Style = Style::new().add_modifier(Modifier::REVERSED);

/// What all parts need to be drawn.
#[derive(Clone, Copy)]
struct Look<'a> {
    state: &'a State,
    data: &'a PageData,
    theme: Theme,
}

/// Draws everything.
pub(super) fn draw(frame: &mut Frame<'_>, url: &str, state: &State, now: Instant, theme: Theme) {
    let area = frame.area();
    if area.width < MIN_WIDTH || area.height < MIN_HEIGHT {
        return write(frame, area, 0, "too small", Style::new());
    }
    let mut body = area;
    write_line(frame, take_top(&mut body, 1), head(url, state, now, theme, area.width));
    let footer = take_bottom(&mut body, 1);
    write_line(frame, footer, footer_line(state, footer.width));
    if let Some(trouble) = &state.trouble {
        let since = match state.since_answer(now) {
            Some(since) => format!("no answer for {}", number::age(since.as_secs_f64())),
            None => "no answer yet".to_owned(),
        };
        let retry = number::age(trouble.retry.saturating_duration_since(now).as_secs_f64());
        let text = format!("{since}, next try in {retry}: {}", trouble.error);
        // The reason may be the advice that helps, so it gets a second line.
        let lines = wrapped(&text, body.width.into(), if area.height < 14 { 2 } else { 4 });
        for line in lines {
            write(frame, take_top(&mut body, 1), 0, &line, theme.problem());
        }
    }
    if state.shows_help {
        for (index, line) in (0..).zip(HELP) {
            write(frame, body, index, line, Style::new());
        }
        return;
    }
    let Some(data) = state.data() else {
        if state.trouble.is_none() {
            write(frame, body, 0, "waiting for the first answer ..", FAINT);
        }
        return;
    };
    draw_data(frame, body, Look { state, data, theme });
    if state.trouble.is_some() {
        frame.buffer_mut().set_style(body, FAINT);
    }
}

fn draw_data(frame: &mut Frame<'_>, mut body: Rect, look: Look<'_>) {
    let Look { state, data, theme } = look;
    let max_problems = match body.height {
        0..10 => 1,
        10..18 => 2,
        _ => 4,
    };
    for line in problem_lines(&data.problems, data.problems_total, max_problems) {
        write(frame, take_top(&mut body, 1), 0, &line, theme.problem());
    }
    if body.height >= MIN_HEIGHT_WITH_NAMESPACES {
        let area = take_top(&mut body, 1);
        write_line(frame, area, namespace_line(state, data, theme));
    }
    let (recorders, metrics) = panes(body, state.pane, data.recorders.rows.len());
    recorders::draw(frame, recorders, look);
    metrics::draw(frame, metrics, look);
}

/// The areas of the two panes. The current one is the larger one, unless it has few rows. It is the only one in a small terminal.
fn panes(body: Rect, current: Pane, recorders: usize) -> (Rect, Rect) {
    let (nothing, mut rest) = (Rect { height: 0, ..body }, body);
    if body.height < MIN_HEIGHT_OF_PANES {
        return if current == Pane::Recorders { (body, nothing) } else { (nothing, body) };
    }
    let share = if current == Pane::Recorders { body.height * 3 / 5 } else { body.height * 2 / 5 };
    // A title, heads, one line for the text that there are none, and one for the selected recorder.
    let needed = u16::try_from(recorders.max(1)).map_or(share, |rows| rows.saturating_add(3));
    (take_top(&mut rest, share.min(needed)), rest)
}

/// Where, which runtimes, and how old.
fn head<'a>(url: &str, state: &State, now: Instant, theme: Theme, cells: u16) -> Line<'a> {
    let age = |since: Option<Duration>| since.map_or(0.0, |since| since.as_secs_f64());
    let Some(data) = state.data() else {
        return Line::from(Span::styled(cut(&format!("mvx-metrics top  {url}"), cells.into()), HEAD));
    };
    let sample = format!("  sample {}, {} old", data.sample, number::age(age(state.since_sample(now))));
    let room = usize::from(cells).saturating_sub(width(&sample));
    let mut spans = vec![Span::styled(format!("{url} "), HEAD)];
    for runtime in &data.runtimes {
        let style = match runtime.status {
            MetricsRuntimeState::Running => Style::new(),
            _ => theme.warning().add_modifier(Modifier::BOLD),
        };
        spans.push(Span::styled(format!(" {} {}", runtime.namespace, runtime.status), style));
    }
    let mut line = cut_line(spans, room);
    let used: usize = line.iter().map(|span| width(&span.content)).sum();
    line.push(Span::raw(" ".repeat(room - used) + &cut(&sample, cells.into())));
    Line::from(line)
}

/// What keys do, or the search that is being typed.
fn footer_line<'a>(state: &State, cells: u16) -> Line<'a> {
    let cells = usize::from(cells);
    if let Some(search) = state.typed_search() {
        let pane = match state.pane {
            Pane::Recorders => "recorders",
            Pane::Metrics => "metrics",
        };
        let before = format!("search {pane}: ");
        let search = format!("{}_", super::text::escaped(search));
        // The user types at the end of a long search, so its begin is left out.
        let mut shown = &*search;
        while width(shown) > cells.saturating_sub(width(&before)) {
            let Some((next, _)) = shown.char_indices().nth(1) else { break };
            shown = &shown[next..];
        }
        return Line::from(vec![Span::styled(before, HEAD), Span::raw(shown.to_owned())]);
    }
    let keys =
        "q quit  ? help  Tab pane  / search  n namespace  s sort  o order  \u{2190}\u{2192} page  r now";
    Line::from(Span::styled(cut(keys, cells), FAINT))
}

const HELP: [&str; 14] = [
    "q, Esc, Ctrl-C  ends",
    "Tab             the other pane: recorders, metrics",
    "Up, Down, j, k  select a recorder or a dimension",
    "Home, End       the first, the last one of the page",
    "Left, Right     the page before, the next page",
    "/               search by a part of the name",
    "n               the next namespace, then all again",
    "s, 1 to 5       sort: rate, age, pending, loss, id",
    "o               the opposite order",
    "r               look now",
    "?               this help; any key leaves it",
    "",
    "history: rates of what counts, else values",
    "loss: dropped, rejected and discarded events",
];

/// The problems, the worst first; the last line says how many more there are.
fn problem_lines(problems: &[Problem], total: usize, max: usize) -> Vec<String> {
    let total = total.max(problems.len());
    let shown = if total > max { max.saturating_sub(1) } else { problems.len() };
    let mut lines: Vec<_> = problems.iter().take(shown).map(problem_line).collect();
    let more = number::count((total - lines.len()) as u64);
    match problems.first() {
        Some(first) if shown == 0 => {
            lines.push(format!("! {more} problems, the first: {}", &problem_line(first)[2..]));
        }
        _ if total > lines.len() => lines.push(format!("! {more} more")),
        _ => {}
    }
    lines
}

fn problem_line(problem: &Problem) -> String {
    let Problem { namespace, subject, count, detail, .. } = problem;
    let kind = super::name::of_problem(problem.kind);
    let times = if *count > 1 { format!(" ({})", number::count(*count)) } else { String::new() };
    let detail = if detail.is_empty() { String::new() } else { format!(": {detail}") };
    format!("! {kind} {namespace} {subject}{times}{detail}")
}

fn namespace_line<'a>(state: &State, data: &PageData, theme: Theme) -> Line<'a> {
    let chosen = state.shown_namespace();
    let style = |is_chosen: bool| if is_chosen { SELECTED } else { Style::new() };
    let mut spans = vec![Span::styled("all", style(chosen.is_none()))];
    for row in &data.namespaces {
        let is_chosen = chosen.as_ref() == Some(&row.namespace);
        let recorders: u64 = row.recorders.values().sum();
        let failed: u64 = [MetricsRecorderState::Failure, MetricsRecorderState::Cancelled]
            .iter()
            .filter_map(|state| row.recorders.get(state))
            .sum();
        spans.push(Span::raw("  "));
        spans.push(Span::styled(cut(&row.namespace, 24), style(is_chosen)));
        let rate = number::rate(row.rate);
        let pending = number::count(row.pending);
        spans.push(Span::styled(format!(" {} rec {rate} {pending} pend", number::count(recorders)), FAINT));
        let lost = row.dropped.saturating_add(row.discarded);
        for (count, what) in [(failed, "failed"), (row.stalled, "stalled"), (lost, "lost")] {
            if count > 0 {
                spans.push(Span::styled(format!(" {} {what}", number::count(count)), theme.problem()));
            }
        }
    }
    let more = data.namespaces_total.saturating_sub(data.namespaces.len());
    let is_missing = |name: &String| !may_have_namespace(data, name);
    if let Some(chosen) = &chosen
        && state.query.namespace.as_ref().is_some_and(is_missing)
    {
        spans.push(Span::raw("  "));
        spans.push(Span::styled(format!("no namespace {}", cut(chosen, 24)), theme.problem()));
    }
    if more > 0 {
        spans.push(Span::raw(format!("  and {} more", number::count(more as u64))));
    }
    Line::from(spans)
}

/// The title of a pane, and which part of a list it shows.
struct Title<'a> {
    name: &'a str,
    page: usize,
    pages: usize,
    matching: usize,
    total: usize,
    search: &'a str,
    /// Further words.
    more: String,
}

impl Title<'_> {
    fn line(&self, cells: u16) -> String {
        let Self { name, page, pages, matching, total, search, more } = self;
        let of = |count: usize| number::count(count as u64);
        let mut text = if matching == total {
            format!(" {name} {}", of(*total))
        } else {
            format!(" {name} {} of {}", of(*matching), of(*total))
        };
        if *pages > 1 {
            _ = write!(text, "  page {} of {}", of(*page), of(*pages));
        }
        text += more;
        if !search.is_empty() {
            _ = write!(text, "  /{}", super::text::escaped(search));
        }
        left(&text, cells.into())
    }
}

/// Which of `count` rows to show in `height` lines, so that the selected one is among them.
fn visible(count: usize, selected: usize, height: u16) -> std::ops::Range<usize> {
    let height = usize::from(height);
    let begin = (selected + 1).saturating_sub(height).min(count.saturating_sub(height));
    begin..count.min(begin + height)
}

/// Takes lines from the top of an area, as many as it has.
fn take_top(area: &mut Rect, lines: u16) -> Rect {
    let lines = lines.min(area.height);
    let top = Rect { height: lines, ..*area };
    (area.y, area.height) = (area.y + lines, area.height - lines);
    top
}

fn take_bottom(area: &mut Rect, lines: u16) -> Rect {
    let lines = lines.min(area.height);
    area.height -= lines;
    Rect { y: area.y + area.height, height: lines, ..*area }
}

/// Writes a text into one line of an area, cut to its width.
fn write(frame: &mut Frame<'_>, area: Rect, line: u16, text: &str, style: Style) {
    if line < area.height {
        let area = Rect { y: area.y + line, height: 1, ..area };
        write_line(frame, area, Line::from(Span::styled(cut(text, area.width.into()), style)));
    }
}

fn write_line(frame: &mut Frame<'_>, area: Rect, line: Line<'_>) {
    if area.height > 0 {
        frame.render_widget(line, area);
    }
}

/// The spans, cut to so many cells together.
fn cut_line(spans: Vec<Span<'_>>, cells: usize) -> Vec<Span<'_>> {
    let mut room = cells;
    let mut kept = Vec::new();
    for span in spans {
        let text = cut(&span.content, room);
        room -= width(&text);
        kept.push(Span::styled(text, span.style));
    }
    kept
}

/// A text on several lines, split at blanks; the last one is cut.
fn wrapped(text: &str, cells: usize, max_lines: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let is_last = lines.len() == max_lines;
        let Some(line) = lines.last_mut() else { break };
        if line.is_empty() {
            line.push_str(word);
        } else if is_last || width(line) + 1 + width(word) <= cells {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines.iter().map(|line| cut(line, cells)).collect()
}

#[cfg(test)]
mod tests;
