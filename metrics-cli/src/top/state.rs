//! What `top` knows, and how keys and answers change it.

use std::time::{Duration, Instant};

use mvx_metrics::page::{DimensionCard, Listed, MetricCard, PageData};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::client::Look;
use super::history::History;
use super::query::{Query, SortKey};
use super::watcher::Looked;

/// How many characters a search may have.
const MAX_SEARCH: usize = 200;

/// The parts of the screen that keys act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pane {
    Recorders,
    Metrics,
}

/// The effect of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// The screen may have changed, no more.
    Draw,
    /// The endpoint is to be asked now.
    Ask,
    End,
}

/// Why the last looks have failed.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) error: String,
    /// When the next look begins.
    pub(super) retry: Instant,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) query: Query,
    /// The last answer.
    pub(super) look: Option<Look>,
    /// When the last answer came.
    answered: Option<Instant>,
    /// When the last sample was seen first.
    sampled: Option<Instant>,
    pub(super) trouble: Option<Trouble>,
    pub(super) history: History,
    pub(super) pane: Pane,
    recorder: usize,
    metric: usize,
    /// The search as it was before it is typed anew.
    search_before: Option<String>,
    pub(super) shows_help: bool,
}

impl State {
    pub(super) fn new(query: Query) -> Self {
        Self {
            query,
            look: None,
            answered: None,
            sampled: None,
            trouble: None,
            history: History::default(),
            pane: Pane::Recorders,
            recorder: 0,
            metric: 0,
            search_before: None,
            shows_help: false,
        }
    }

    pub(super) fn data(&self) -> Option<&PageData> {
        self.look.as_ref().map(|look| &look.data)
    }

    /// How long ago the last answer came.
    pub(super) fn since_answer(&self, now: Instant) -> Option<Duration> {
        self.answered.map(|answered| now.saturating_duration_since(answered))
    }

    /// How old the last sample is, by the clock of this machine.
    pub(super) fn since_sample(&self, now: Instant) -> Option<Duration> {
        self.sampled.map(|sampled| now.saturating_duration_since(sampled))
    }

    /// The selected recorder of the page.
    pub(super) fn selected_recorder(&self) -> usize {
        self.recorder
    }

    /// The selected dimension of the page.
    pub(super) fn selected_metric(&self) -> usize {
        self.metric
    }

    /// All dimensions of the page, with their metrics.
    pub(super) fn dimensions(&self) -> Vec<(&MetricCard, &DimensionCard)> {
        let cards = self.data().map_or(&[][..], |data| &data.metrics.rows);
        cards.iter().flat_map(|card| card.dimensions.iter().map(move |dimension| (card, dimension))).collect()
    }

    /// The text of the search in the current pane, while the user types it.
    pub(super) fn typed_search(&self) -> Option<&str> {
        self.search_before.is_some().then(|| match self.pane {
            Pane::Recorders => &*self.query.search,
            Pane::Metrics => &*self.query.metric_search,
        })
    }

    /// The name of the chosen namespace as it is shown.
    pub(super) fn shown_namespace(&self) -> Option<String> {
        self.query.namespace.as_deref().map(super::text::escaped)
    }

    /// Takes the end of a look.
    pub(super) fn on_look(&mut self, looked: Looked, now: Instant) {
        let Looked { query, result, pause } = looked;
        let look = match result {
            Ok(look) => look,
            Err(error) => {
                self.trouble = Some(Trouble { error: error.to_string(), retry: now + pause });
                return;
            }
        };
        if self.data().is_none_or(|data| data.sample != look.data.sample) {
            self.sampled = Some(now);
        }
        self.history.add(&look.data);
        if query == self.query {
            // The endpoint shows the last page where a later one was asked for.
            self.query.page = look.data.recorders.page.max(1);
            self.query.metric_page = look.data.metrics.page.max(1);
        }
        (self.answered, self.trouble, self.look) = (Some(now), None, Some(look));
        self.select_within_page();
    }

    /// Takes a key.
    pub(super) fn on_key(&mut self, key: KeyEvent) -> Effect {
        if key.kind == KeyEventKind::Release {
            return Effect::Draw;
        }
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return if matches!(key.code, KeyCode::Char('c' | 'C')) { Effect::End } else { Effect::Draw };
        }
        if self.search_before.is_some() {
            return self.on_key_in_search(key.code);
        }
        if self.shows_help {
            // Any key leaves the help.
            self.shows_help = false;
            return Effect::Draw;
        }
        match key.code {
            KeyCode::Char('q') | KeyCode::Esc => return Effect::End,
            KeyCode::Char('?') => self.shows_help = true,
            KeyCode::Tab | KeyCode::BackTab => {
                self.pane = if self.pane == Pane::Recorders { Pane::Metrics } else { Pane::Recorders };
            }
            KeyCode::Down | KeyCode::Char('j') => self.select(|row| row.saturating_add(1)),
            KeyCode::Up | KeyCode::Char('k') => self.select(|row| row.saturating_sub(1)),
            KeyCode::Home => self.select(|_| 0),
            KeyCode::End => self.select(|_| usize::MAX),
            KeyCode::PageDown | KeyCode::Right | KeyCode::Char('l') => return self.turn_page(1),
            KeyCode::PageUp | KeyCode::Left | KeyCode::Char('h') => return self.turn_page(-1),
            KeyCode::Char('/') => {
                self.search_before = Some(self.search().clone());
            }
            KeyCode::Char('n') => return self.next_namespace(),
            KeyCode::Char('s') => return self.sort_by(self.query.sort.next()),
            KeyCode::Char('o') => {
                self.query.is_reversed = !self.query.is_reversed;
                return self.ask_for_first_page();
            }
            KeyCode::Char(digit @ '1'..='5') => {
                let index = usize::from(u8::try_from(digit).unwrap_or(b'1') - b'1');
                return self.sort_by(SortKey::ALL[index]);
            }
            KeyCode::Char('r') => return Effect::Ask,
            _ => {}
        }
        Effect::Draw
    }

    fn on_key_in_search(&mut self, key: KeyCode) -> Effect {
        match key {
            KeyCode::Enter => {
                self.search_before = None;
                return Effect::Draw;
            }
            KeyCode::Esc => {
                let before = self.search_before.take().unwrap_or_default();
                if *self.search() == before {
                    return Effect::Draw;
                }
                *self.search() = before;
            }
            KeyCode::Backspace => {
                if self.search().pop().is_none() {
                    return Effect::Draw;
                }
            }
            KeyCode::Char(typed) if !typed.is_control() && self.search().chars().count() < MAX_SEARCH => {
                self.search().push(typed);
            }
            _ => return Effect::Draw,
        }
        self.ask_for_first_page()
    }

    /// The search of the current pane.
    fn search(&mut self) -> &mut String {
        match self.pane {
            Pane::Recorders => &mut self.query.search,
            Pane::Metrics => &mut self.query.metric_search,
        }
    }

    fn sort_by(&mut self, key: SortKey) -> Effect {
        (self.query.sort, self.query.is_reversed, self.query.page, self.recorder) = (key, false, 1, 0);
        Effect::Ask
    }

    /// Asks for the first page of the current pane.
    fn ask_for_first_page(&mut self) -> Effect {
        match self.pane {
            Pane::Recorders => (self.query.page, self.recorder) = (1, 0),
            Pane::Metrics => (self.query.metric_page, self.metric) = (1, 0),
        }
        Effect::Ask
    }

    /// All namespaces, then one after the other.
    fn next_namespace(&mut self) -> Effect {
        let names = self.look.as_ref().map_or(&[][..], |look| &look.namespaces);
        self.query.namespace = match &self.query.namespace {
            None => names.first().cloned(),
            Some(name) => {
                let position = names.iter().position(|other| other == name);
                position.and_then(|position| names.get(position + 1)).cloned()
            }
        };
        (self.query.page, self.query.metric_page, self.recorder, self.metric) = (1, 1, 0, 0);
        Effect::Ask
    }

    fn turn_page(&mut self, by: isize) -> Effect {
        let Some(data) = self.data() else { return Effect::Draw };
        let pages = match self.pane {
            Pane::Recorders => pages(&data.recorders),
            Pane::Metrics => pages(&data.metrics),
        };
        let (page, selected) = match self.pane {
            Pane::Recorders => (&mut self.query.page, &mut self.recorder),
            Pane::Metrics => (&mut self.query.metric_page, &mut self.metric),
        };
        let turned = page.saturating_add_signed(by).clamp(1, pages);
        if turned == *page {
            return Effect::Draw;
        }
        (*page, *selected) = (turned, 0);
        Effect::Ask
    }

    fn select(&mut self, change: impl FnOnce(usize) -> usize) {
        match self.pane {
            Pane::Recorders => self.recorder = change(self.recorder),
            Pane::Metrics => self.metric = change(self.metric),
        }
        self.select_within_page();
    }

    fn select_within_page(&mut self) {
        let recorders = self.data().map_or(0, |data| data.recorders.rows.len());
        self.recorder = self.recorder.min(recorders.saturating_sub(1));
        self.metric = self.metric.min(self.dimensions().len().saturating_sub(1));
    }
}

/// How many pages a list has; at least one.
pub(super) fn pages<T>(list: &Listed<T>) -> usize {
    list.matching.div_ceil(list.size.max(1)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::top::client::LookError;
    use crate::top::fixtures::page_data;

    fn look() -> Look {
        Look { data: page_data(), namespaces: vec!["shop".to_owned(), "mail".to_owned()] }
    }

    /// A state that has one answer.
    fn answered(now: Instant) -> State {
        let mut state = State::new(Query::new(3));
        look_ends(&mut state, Ok(look()), 1, now);
        state
    }

    fn look_ends(state: &mut State, result: Result<Look, LookError>, pause: u64, now: Instant) {
        let (query, pause) = (state.query.clone(), Duration::from_secs(pause));
        state.on_look(Looked { query, result, pause }, now);
    }

    fn press(state: &mut State, code: KeyCode) -> Effect {
        state.on_key(KeyEvent::new(code, KeyModifiers::NONE))
    }

    fn type_in(state: &mut State, text: &str) -> Vec<Effect> {
        text.chars().map(|typed| press(state, KeyCode::Char(typed))).collect()
    }

    #[test]
    fn keys_end_the_program() {
        let mut state = answered(Instant::now());
        let control_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(
            [press(&mut state, KeyCode::Char('q')), press(&mut state, KeyCode::Esc)],
            [Effect::End; 2]
        );
        assert_eq!(state.on_key(control_c), Effect::End);
        // In a search they do not, but for Ctrl-C.
        press(&mut state, KeyCode::Char('/'));
        assert_eq!(press(&mut state, KeyCode::Char('q')), Effect::Ask);
        assert_eq!(state.on_key(control_c), Effect::End);
        let released = KeyEvent::new_with_kind(KeyCode::Char('q'), KeyModifiers::NONE, KeyEventKind::Release);
        assert_eq!(answered(Instant::now()).on_key(released), Effect::Draw);
    }

    #[test]
    fn tab_switches_panes_and_help_ends_with_any_key() {
        let mut state = answered(Instant::now());
        press(&mut state, KeyCode::Tab);
        assert_eq!(state.pane, Pane::Metrics);
        press(&mut state, KeyCode::BackTab);
        assert_eq!(state.pane, Pane::Recorders);
        press(&mut state, KeyCode::Char('?'));
        assert!(state.shows_help);
        assert_eq!((press(&mut state, KeyCode::Char('q')), state.shows_help), (Effect::Draw, false));
    }

    #[test]
    fn sort_keys_ask_for_the_first_page() {
        let mut state = answered(Instant::now());
        press(&mut state, KeyCode::PageDown);
        assert_eq!(press(&mut state, KeyCode::Char('s')), Effect::Ask);
        assert_eq!((state.query.sort, state.query.page), (SortKey::Age, 1));
        let keys = "12345".chars().map(|digit| {
            press(&mut state, KeyCode::Char(digit));
            state.query.sort
        });
        assert_eq!(keys.collect::<Vec<_>>(), SortKey::ALL);
        assert!(state.query.is_ascending());
        assert_eq!(press(&mut state, KeyCode::Char('o')), Effect::Ask);
        assert!(!state.query.is_ascending());
    }

    #[test]
    fn a_search_asks_with_each_key() {
        let mut state = answered(Instant::now());
        press(&mut state, KeyCode::PageDown);
        press(&mut state, KeyCode::Char('/'));
        assert_eq!(type_in(&mut state, "a?"), [Effect::Ask; 2]);
        assert_eq!((&*state.query.search, state.typed_search(), state.query.page), ("a?", Some("a?"), 1));
        press(&mut state, KeyCode::Backspace);
        press(&mut state, KeyCode::Enter);
        assert_eq!((&*state.query.search, state.typed_search()), ("a", None));
        // A search that is given up leaves the one before.
        press(&mut state, KeyCode::Char('/'));
        type_in(&mut state, "bc");
        assert_eq!((press(&mut state, KeyCode::Esc), &*state.query.search), (Effect::Ask, "a"));
        press(&mut state, KeyCode::Char('/'));
        assert_eq!(press(&mut state, KeyCode::Esc), Effect::Draw);
        assert!(type_in(&mut state, "s").contains(&Effect::Ask));
    }

    #[test]
    fn each_pane_has_a_search_of_its_own_and_a_limit() {
        let mut state = answered(Instant::now());
        press(&mut state, KeyCode::Tab);
        press(&mut state, KeyCode::Char('/'));
        type_in(&mut state, &"ü\u{1b}".repeat(MAX_SEARCH + 1));
        assert_eq!((state.query.metric_search, state.query.search), ("ü".repeat(MAX_SEARCH), String::new()));
    }

    #[test]
    fn pages_turn_within_their_list() {
        let mut state = answered(Instant::now());
        assert_eq!(press(&mut state, KeyCode::PageUp), Effect::Draw);
        assert_eq!((press(&mut state, KeyCode::Right), state.query.page), (Effect::Ask, 2));
        (0..30).for_each(|_| assert_ne!(press(&mut state, KeyCode::PageDown), Effect::End));
        assert_eq!((state.query.page, pages(&page_data().recorders)), (14, 14));
        press(&mut state, KeyCode::Tab);
        assert_eq!((press(&mut state, KeyCode::PageDown), state.query.metric_page), (Effect::Draw, 1));
        // The endpoint has fewer pages than before.
        look_ends(&mut state, Ok(look()), 0, Instant::now());
        assert_eq!(state.query.page, 1);
        assert_eq!(press(&mut State::new(Query::new(3)), KeyCode::PageDown), Effect::Draw);
    }

    #[test]
    fn an_answer_to_an_earlier_query_does_not_turn_the_page_back() {
        let mut state = answered(Instant::now());
        let before = state.query.clone();
        press(&mut state, KeyCode::PageDown);
        let late = Looked { query: before, result: Ok(look()), pause: Duration::ZERO };
        state.on_look(late, Instant::now());
        assert_eq!(state.query.page, 2);
    }

    #[test]
    fn the_selection_stays_within_the_page() {
        let mut state = answered(Instant::now());
        (0..9).for_each(|_| assert_eq!(press(&mut state, KeyCode::Down), Effect::Draw));
        assert_eq!(state.selected_recorder(), 2);
        press(&mut state, KeyCode::Tab);
        press(&mut state, KeyCode::End);
        assert_eq!((state.selected_metric(), state.dimensions().len()), (4, 5));
        let mut empty = look();
        empty.data.metrics.rows.clear();
        empty.data.recorders.rows.truncate(1);
        look_ends(&mut state, Ok(empty), 0, Instant::now());
        assert_eq!((state.selected_recorder(), state.selected_metric()), (0, 0));
        press(&mut state, KeyCode::Down);
        press(&mut state, KeyCode::Up);
        press(&mut state, KeyCode::Home);
        assert_eq!(state.selected_metric(), 0);
    }

    #[test]
    fn namespaces_follow_each_other() {
        let mut state = answered(Instant::now());
        let names: Vec<_> = (0..4)
            .map(|_| {
                assert_eq!(press(&mut state, KeyCode::Char('n')), Effect::Ask);
                state.query.namespace.clone()
            })
            .collect();
        let some = |name: &str| Some(name.to_owned());
        assert_eq!(names, [some("shop"), some("mail"), None, some("shop")]);
        state.query.namespace = some("gone\u{1b}");
        assert_eq!(state.shown_namespace(), some("gone\\u{1b}"));
        press(&mut state, KeyCode::Char('n'));
        assert_eq!(state.query.namespace, None);
    }

    #[test]
    fn a_failed_look_keeps_the_last_data_until_the_next_answer() {
        let start = Instant::now();
        let mut state = answered(start);
        let later = start + Duration::from_secs(5);
        look_ends(&mut state, Err(LookError::NoPage), 2, later);
        assert_eq!(state.since_answer(later), Some(Duration::from_secs(5)));
        assert!(state.data().is_some_and(|data| data.sample == 12));
        let trouble = state.trouble.as_ref().expect("a failure");
        assert!(trouble.error.starts_with("no page here") && trouble.retry == start + Duration::from_secs(7));
        look_ends(&mut state, Ok(look()), 0, later);
        assert!(state.trouble.is_none() && state.since_answer(later) == Some(Duration::ZERO));
        // The same sample is as old as before.
        assert_eq!(state.since_sample(later), Some(Duration::from_secs(5)));
    }
}
