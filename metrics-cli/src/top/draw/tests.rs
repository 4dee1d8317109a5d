//! The screen as text, drawn into a terminal in memory.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::{Buffer, CellWidth};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::*;
use crate::top::client::{Look, LookError};
use crate::top::fixtures::page_data;
use crate::top::query::Query;
use crate::top::watcher::Looked;

const URL: &str = "http://127.0.0.1:9464";
const PLAIN: Theme = Theme { has_colors: false };
const COLORED: Theme = Theme { has_colors: true };

/// A state that has seen these data.
fn state_of(data: PageData, now: Instant) -> State {
    let mut state = State::new(Query::new(25));
    let namespaces = data.namespaces.iter().map(|row| row.namespace.clone()).collect();
    let (query, pause) = (state.query.clone(), Duration::from_secs(1));
    state.on_look(Looked { query, result: Ok(Look { data, namespaces }), pause }, now);
    state
}

fn press(state: &mut State, code: KeyCode) {
    state.on_key(KeyEvent::new(code, KeyModifiers::NONE));
}

fn buffer(state: &State, (width, height): (u16, u16), now: Instant, theme: Theme) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("memory");
    terminal.draw(|frame| draw(frame, URL, state, now, theme)).expect("memory");
    terminal.backend().buffer().clone()
}

/// The screen, without blanks at the ends of lines.
fn screen(state: &State, size: (u16, u16), now: Instant) -> Vec<String> {
    let buffer = buffer(state, size, now, PLAIN);
    let line = |cells: &[ratatui::buffer::Cell]| {
        let mut line = String::new();
        let mut hidden = 0;
        for cell in cells {
            if hidden == 0 {
                line.push_str(cell.symbol());
                hidden = cell.symbol().cell_width();
            }
            hidden = hidden.saturating_sub(1);
        }
        line.trim_end().to_owned()
    };
    buffer.content.chunks(buffer.area.width.max(1).into()).map(line).collect()
}

#[test]
fn a_terminal_of_80_columns_shows_everything() {
    let start = Instant::now();
    let state = state_of(page_data(), start);
    let expected = "\
http://127.0.0.1:9464  shop RUNNING mail CLOSED              sample 12, 3.0s old
! failed-recorder shop session-9: a hook failed
! dropped-events shop Answered (7)
all  shop 38 rec 1.2k/s 5 pend 1 failed 7 lost  mail 3 rec 0/s 5 pend 1 failed
 recorders 40  page 1 of 14  by rate↓
id                  namespace      state          age     rate*  pending    loss
session-1           shop           RUNNING      2h 1m    1.2k/s        5       7
日本語              shop           RUNNING      2h 1m     0.5/s        5       0
outbox              mail           STOPPED      2h 1m         -        5       0
entity session-1 in shop, RUNNING, 12,034 accepted, 7 dropped, 0 rejected, 0 di…
 metrics 2
metric                                     value       rate history
shop http.total                               40       20/s                    █
shop http.latency                           12ms       20/s                    █
shop http.by_status                           40       20/s                    █
mail build.version                    1.2.3-beta          -
mail build.size                          1.5 KiB          -                    █






q quit  ? help  Tab pane  / search  n namespace  s sort  o order  ←→ page  r now";
    let shown = screen(&state, (80, 24), start + Duration::from_secs(3));
    assert_eq!(shown.join("\n"), expected);
}

#[test]
fn a_small_terminal_shows_the_current_pane() {
    let now = Instant::now();
    let mut state = state_of(page_data(), now);
    let expected = "\
http://127.0.0.1:9…  sample 12, 0.0s old
! 2 problems, the first: failed-recorde…
all  shop 38 rec 1.2k/s 5 pend 1 failed
 recorders 40  page 1 of 14  by rate↓
id                rate*  pending    loss
session-1        1.2k/s        5       7
日本語            0.5/s        5       0
outbox                -        5       0
entity session-1 in shop, RUNNING, 12,0…
q quit  ? help  Tab pane  / search  n n…";
    assert_eq!(screen(&state, (40, 10), now).join("\n"), expected);
    press(&mut state, KeyCode::Tab);
    let shown = screen(&state, (40, 10), now);
    assert_eq!(shown[3], " metrics 2");
    assert!(shown[5].starts_with("shop http.total"), "{shown:#?}");
    assert_eq!(screen(&state, (19, 10), now)[0], "too small");
}

#[test]
fn the_selected_dimension_has_its_details() {
    let now = Instant::now();
    let mut state = state_of(page_data(), now);
    press(&mut state, KeyCode::Tab);
    press(&mut state, KeyCode::Down);
    let shown = screen(&state, (80, 30), now).join("\n");
    let expected = "\
http.latency: histogram in seconds
Answers.
How long an answer takes.
p50 8ms  p90 50ms  p99 90ms  of 40 values
1ms ▂█▁ 1s
";
    assert!(shown.contains(expected), "{shown}");
    press(&mut state, KeyCode::Down);
    let shown = screen(&state, (80, 30), now).join("\n");
    let row = |label: &str, value: &str, rate: &str| format!("{} {value:>11} {rate:>10}\n", left(label, 57));
    let expected = format!(
        "http.by_status: counter\nAnswers.\nmethod, status: 12 labels\n{}{}",
        row("GET, 200", "30", "15/s"),
        row("\"\", größe", "10", "5/s")
    );
    assert!(shown.contains(&expected), "{shown}");
}

#[test]
fn the_footer_shows_the_search_that_is_typed() {
    let now = Instant::now();
    let mut state = state_of(page_data(), now);
    press(&mut state, KeyCode::Char('/'));
    "größe".chars().for_each(|typed| press(&mut state, KeyCode::Char(typed)));
    assert_eq!(screen(&state, (40, 10), now)[9], "search recorders: größe_");
    (0..60).for_each(|_| press(&mut state, KeyCode::Char('x')));
    assert_eq!(screen(&state, (40, 10), now)[9], format!("search recorders: {}_", "x".repeat(21)));
    press(&mut state, KeyCode::Enter);
    assert!(screen(&state, (100, 24), now)[4].contains("/größexxx"));
}

#[test]
fn an_endpoint_that_is_gone_leaves_old_values_faint() {
    let start = Instant::now();
    let mut state = State::new(Query::new(25));
    assert_eq!(screen(&state, (80, 24), start)[1], "waiting for the first answer ..");
    let fail = |state: &mut State, now: Instant| {
        let (query, pause) = (state.query.clone(), Duration::from_secs(4));
        state.on_look(Looked { query, result: Err(LookError::NoPage), pause }, now);
    };
    fail(&mut state, start);
    let shown = screen(&state, (80, 24), start + Duration::from_secs(1));
    assert_eq!(
        shown[1..3].join(" "),
        "no answer yet, next try in 3.0s: no page here: the program needs the feature `page` and `ServiceOptions::page(true)`, the URL no path such as `/metrics`"
    );
    let mut state = state_of(page_data(), start);
    let now = start + Duration::from_secs(12);
    fail(&mut state, now);
    let shown = screen(&state, (80, 24), now);
    assert!(shown[1].starts_with("no answer for 12s, next try in 4.0s: no page here"), "{shown:#?}");
    assert!(shown.iter().any(|line| line.starts_with("session-1")), "the old values are there");
    let buffer = buffer(&state, (80, 24), now, PLAIN);
    let is_faint = |line: u16| buffer[(0, line)].modifier.contains(Modifier::DIM);
    assert!(!is_faint(0) && !is_faint(1) && (3..23).all(is_faint));
}

#[test]
fn without_colors_nothing_has_a_color_and_problems_are_bold() {
    let now = Instant::now();
    let state = state_of(page_data(), now);
    let is_default = |color: Color| color == Color::Reset;
    let plain = buffer(&state, (80, 24), now, PLAIN);
    assert!(plain.content.iter().all(|cell| is_default(cell.fg) && is_default(cell.bg)));
    assert!(plain[(0, 1)].modifier.contains(Modifier::BOLD));
    let colored = buffer(&state, (80, 24), now, COLORED);
    assert_eq!(colored[(0, 1)].fg, Color::Red);
}

#[test]
fn the_selected_row_is_always_visible() {
    for (count, height) in [(0, 3), (1, 3), (3, 3), (10, 3), (10, 1), (10, 0), (5, 20)] {
        for selected in 0..count.max(1) {
            let shown = visible(count, selected, height);
            assert!(shown.len() == count.min(height.into()), "{shown:?}");
            assert!(shown.contains(&selected) || count == 0 || height == 0, "{shown:?}");
        }
    }
}

#[test]
fn hostile_texts_leave_all_columns_where_they_are() {
    let now = Instant::now();
    let names = [
        "日本語".repeat(50),
        "z\u{301}\u{301}".repeat(90),
        "🦀".repeat(60),
        "x".repeat(1_000),
        String::new(),
    ];
    let expected = screen(&state_of(page_data(), now), (80, 24), now);
    let ends = |line: &str| line.ends_with('7') && width(line) == 80;
    assert!(ends(&expected[6]));
    for name in names {
        let mut data = page_data();
        let row = &mut data.recorders.rows[0];
        (row.id, row.namespace) = (name.clone(), name.clone());
        data.metrics.rows[0].name.clone_from(&name);
        data.metrics.rows[0].dimensions[0].text = Some(name.clone());
        data.problems[0].subject.clone_from(&name);
        data.runtimes[0].namespace.clone_from(&name);
        data.namespaces[0].namespace.clone_from(&name);
        let shown = screen(&state_of(data, now), (80, 24), now);
        assert!(ends(&shown[6]), "{shown:#?}");
        assert!(shown[0].ends_with("sample 12, 0.0s old") && width(&shown[0]) == 80, "{shown:#?}");
        assert_eq!((&shown[4], &shown[10..12], &shown[23]), (&expected[4], &expected[10..12], &expected[23]));
        assert!(shown[11].ends_with("history") && shown[12].ends_with('█'), "{shown:#?}");
    }
}

#[test]
fn any_size_is_drawn_with_any_data() {
    let now = Instant::now();
    let mut nothing = page_data();
    nothing.recorders.rows.clear();
    nothing.metrics.rows.clear();
    nothing.namespaces.clear();
    nothing.runtimes.clear();
    nothing.problems.clear();
    (nothing.problems_total, nothing.namespaces_total) = (0, 0);
    (nothing.recorders.total, nothing.metrics.total) = (0, 0);
    let mut much = page_data();
    much.problems = much.problems.iter().cycle().take(100).cloned().collect();
    (much.problems_total, much.namespaces_total) = (2_000, 300);
    much.recorders.rows = much.recorders.rows.iter().cycle().take(100).cloned().collect();
    much.metrics.rows = much.metrics.rows.iter().cycle().take(50).cloned().collect();
    much.runtimes = much.runtimes.iter().cycle().take(20).cloned().collect();
    for data in [nothing, much] {
        let mut state = state_of(data, now);
        for keys in ["", "\t", "/", "?", "\t"] {
            for key in keys.chars() {
                press(&mut state, if key == '\t' { KeyCode::Tab } else { KeyCode::Char(key) });
            }
            // Around the widths at which columns come.
            let widths = [0, 1, 19, 20, 40, 59, 60, 75, 76, 99, 100, 110];
            let sizes = widths
                .into_iter()
                .flat_map(|width| [0, 4, 5, 6, 9, 10, 12, 15, 20, 31].map(move |height| (width, height)));
            for size in sizes.chain([(500, 200)]) {
                assert_eq!(
                    screen(&state, size, now).len(),
                    usize::from(if size.0 == 0 { 0 } else { size.1 })
                );
            }
            press(&mut state, KeyCode::Esc);
        }
    }
    let shown = screen(&state_of(page_data(), now), (80, 24), now);
    assert_eq!(shown.len(), 24);
}

#[test]
fn a_program_without_metrics_says_so() {
    let now = Instant::now();
    let mut data = page_data();
    data.recorders.rows.clear();
    data.metrics.rows.clear();
    data.metrics.total = 0;
    let mut state = state_of(data, now);
    state.query.search = "x".to_owned();
    let shown = screen(&state, (80, 24), now);
    assert!(shown.contains(&"no recorder fits the search".to_owned()), "{shown:#?}");
    assert!(shown.contains(&"no metrics".to_owned()), "{shown:#?}");
}

#[test]
fn a_namespace_that_is_not_there_is_named() {
    let now = Instant::now();
    let mut data = page_data();
    (data.recorders.matching, data.metrics.matching) = (0, 0);
    let mut state = state_of(data, now);
    for (name, is_named) in [("shop", false), ("shob", true), (&*"x".repeat(257), false)] {
        state.query.namespace = Some(name.to_owned());
        let shown = screen(&state, (160, 24), now);
        assert_eq!(shown.iter().any(|line| line.contains("no namespace")), is_named, "{shown:#?}");
    }
}

#[test]
fn the_help_names_all_keys() {
    let now = Instant::now();
    let mut state = state_of(page_data(), now);
    press(&mut state, KeyCode::Char('?'));
    let shown = screen(&state, (80, 24), now);
    assert_eq!(shown[1..=HELP.len()], HELP);
    assert!(HELP.iter().all(|line| width(line) <= 60));
}
