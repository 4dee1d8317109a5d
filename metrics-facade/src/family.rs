//! Families: all series of one name and one kind.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use metrics::Unit;
use mvx_metrics::{BreakdownEntry, DimensionValue, MetricDescriptor, MetricSnapshot};

use crate::cell::{Bounds, Cell};

/// The label that all series beyond the limit share, as in the breakdowns of the library.
const OTHER: &str = "other";
/// A series with a longer text shares the label `other`, as in the breakdowns of the library. A longer name is refused.
pub(crate) const MAX_TEXT_BYTES: usize = 256;
/// The most label names of a family.
pub(crate) const MAX_LABEL_NAMES: usize = 32;
/// Longer descriptions are cut.
const MAX_HELP_BYTES: usize = 4_096;

/// All series of one name and one kind.
pub(crate) struct Family<C> {
    /// The metric's name, once the family has a series; `None` when no name is free.
    pub(crate) shown_as: OnceLock<Option<String>>,
    pub(crate) lost_label_is_logged: AtomicBool,
    pub(crate) late_unit_is_logged: AtomicBool,
    /// The most series with labels of their own.
    limit: usize,
    bounds: Bounds,
    state: RwLock<State<C>>,
}

struct State<C> {
    /// The names of the labels, in the order in which they came.
    labels: Vec<Box<str>>,
    /// The order in which readers see the labels. From then on there are no further ones.
    order: Option<Vec<usize>>,
    /// The cell of each label set: for each label its text, empty when the series does not have it. Empty texts at the end are left out.
    series: HashMap<Box<[Box<str>]>, Arc<C>>,
    /// The cell of all series beyond the limit.
    other: Option<Arc<C>>,
    help: String,
    unit: Option<&'static str>,
    unit_is_fixed: bool,
}

/// The cell of a label set.
pub(crate) struct Found<C> {
    pub(crate) cell: Arc<C>,
    /// Whether no different label set has this cell.
    pub(crate) is_own: bool,
    /// The name of a label that the cell does not have. A longer one is cut.
    pub(crate) lost: Option<String>,
}

/// Where a label set belongs.
#[derive(Default)]
struct Place {
    values: Vec<Box<str>>,
    is_other: bool,
    is_own: bool,
    lost: Option<String>,
    has_new_label: bool,
}

impl<C: Cell> Family<C> {
    /// A family without series. With `labels` it never has others.
    pub(crate) fn new(limit: usize, bounds: Bounds, labels: Option<&[String]>) -> Self {
        let state = State {
            labels: labels.unwrap_or_default().iter().map(|label| label.as_str().into()).collect(),
            order: labels.map(|labels| (0..labels.len()).collect()),
            series: HashMap::new(),
            other: None,
            help: String::new(),
            unit: None,
            unit_is_fixed: false,
        };
        Self {
            shown_as: OnceLock::new(),
            lost_label_is_logged: AtomicBool::new(false),
            late_unit_is_logged: AtomicBool::new(false),
            limit,
            bounds,
            state: RwLock::new(state),
        }
    }

    /// The cell of a label set. Before the first reading the family takes up the names of its labels.
    pub(crate) fn find<'a>(&self, labels: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> Found<C> {
        {
            let state = self.read();
            let place = state.place(labels.clone());
            if !place.has_new_label
                && let Some(found) = state.find(&place, self.limit)
            {
                return found;
            }
        }
        let mut state = self.write();
        state.add_labels(labels.clone());
        let place = state.place(labels);
        if let Some(found) = state.find(&place, self.limit) {
            return found;
        }
        let cell = Arc::new(C::new(self.bounds));
        let Place { values, is_other, is_own, lost, .. } = place;
        let is_other = is_other || state.series.len() >= self.limit;
        if is_other {
            state.other = Some(Arc::clone(&cell));
        } else {
            state.series.insert(values.into(), Arc::clone(&cell));
        }
        Found { cell, is_own: is_own && !is_other, lost }
    }

    /// Sets the help text and the unit. `false` when the unit comes too late, because values were shown with another one.
    pub(crate) fn describe(&self, unit: Option<Unit>, help: &str) -> bool {
        let help = &help[..help.floor_char_boundary(MAX_HELP_BYTES)];
        let unit = unit.map(unit_word);
        // A macro may describe its metric in each call.
        let is_new_help = |state: &State<C>| !help.is_empty() && state.help != help;
        let is_new_unit = |state: &State<C>| unit.is_some_and(|unit| state.unit != unit);
        {
            let state = self.read();
            if !is_new_help(&state) && !is_new_unit(&state) {
                return true;
            }
        }
        let mut state = self.write();
        if is_new_help(&state) {
            help.clone_into(&mut state.help);
        }
        if state.unit_is_fixed {
            return !is_new_unit(&state);
        }
        state.unit = unit.unwrap_or(state.unit);
        true
    }

    /// The state of all series; `None` when there are none. From then on the labels and the unit do not change.
    pub(crate) fn snapshot(&self) -> Option<MetricSnapshot> {
        let name = self.shown_as.get()?.as_deref()?;
        let mut state = self.read();
        if state.series.is_empty() && state.other.is_none() {
            return None;
        }
        if state.order.is_none() || !state.unit_is_fixed {
            drop(state);
            self.write().fix();
            state = self.read();
        }
        let order = state.order.as_deref().unwrap_or_default();
        let mut dimension = C::dimension(self.bounds);
        dimension.unit = state.unit.map(Cow::Borrowed);
        let cells = || state.series.values().chain(&state.other);
        let invalid = cells().fold(0_u64, |invalid, cell| invalid.saturating_add(cell.invalid()));
        let value = if order.is_empty() {
            cells().next().map_or(DimensionValue::Empty, |cell| cell.value())
        } else {
            dimension.labels = order.iter().map(|label| state.labels[*label].to_string().into()).collect();
            dimension.limit = Some(self.limit);
            DimensionValue::Breakdown(state.entries(order))
        };
        let descriptor = MetricDescriptor::new(name.to_owned())
            .with_help(state.help.clone())
            .with_dimensions(vec![dimension]);
        drop(state);
        let mut snapshot = MetricSnapshot::new(name).with("", value).declared(descriptor);
        snapshot.invalid = invalid;
        Some(snapshot)
    }

    fn read(&self) -> RwLockReadGuard<'_, State<C>> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State<C>> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C: Cell> State<C> {
    fn label(&self, name: &str) -> Option<usize> {
        self.labels.iter().position(|label| **label == *name)
    }

    fn takes_label(&self, name: &str) -> bool {
        self.order.is_none() && self.labels.len() < MAX_LABEL_NAMES && name.len() <= MAX_TEXT_BYTES
    }

    /// Where a label set belongs. A label with an empty text is no label, as for Prometheus. Of a name that stands twice the greatest text
    /// counts, because the order of labels means nothing.
    fn place<'a>(&self, labels: impl Iterator<Item = (&'a str, &'a str)>) -> Place {
        let mut place = Place { is_own: true, ..Place::default() };
        for (name, text) in labels {
            if text.is_empty() {
                place.is_own = false;
                continue;
            }
            let Some(label) = self.label(name) else {
                if self.takes_label(name) {
                    place.has_new_label = true;
                } else {
                    place.lose(name);
                }
                continue;
            };
            place.is_other |= text.len() > MAX_TEXT_BYTES;
            if place.values.len() <= label {
                place.values.resize(label + 1, Box::default());
            }
            let value = &mut place.values[label];
            if !value.is_empty() {
                place.lose(name);
            }
            let value = &mut place.values[label];
            if **value < *text {
                *value = text.into();
            }
        }
        // Totals take these texts for the series beyond the limit.
        let labels = self.labels.len();
        place.is_other |=
            labels > 0 && place.values.len() == labels && place.values.iter().all(|value| **value == *OTHER);
        place
    }

    fn add_labels<'a>(&mut self, labels: impl Iterator<Item = (&'a str, &'a str)>) {
        for (name, text) in labels {
            if !text.is_empty() && self.label(name).is_none() && self.takes_label(name) {
                self.labels.push(name.into());
            }
        }
    }

    /// The cell of a place, if it is there.
    fn find(&self, place: &Place, limit: usize) -> Option<Found<C>> {
        let found =
            |cell: &Arc<C>, is_own| Found { cell: Arc::clone(cell), is_own, lost: place.lost.clone() };
        match self.series.get(&*place.values) {
            Some(cell) if !place.is_other => Some(found(cell, place.is_own)),
            _ if place.is_other || self.series.len() >= limit => {
                self.other.as_ref().map(|other| found(other, false))
            }
            _ => None,
        }
    }

    fn fix(&mut self) {
        let Self { labels, order, .. } = self;
        // The order of names is the same in all processes.
        order.get_or_insert_with(|| {
            let mut order: Vec<usize> = (0..labels.len()).collect();
            order.sort_by(|left, right| labels[*left].cmp(&labels[*right]));
            order
        });
        self.unit_is_fixed = true;
    }

    /// The entries of the breakdown, with the labels in this order.
    fn entries(&self, order: &[usize]) -> Vec<BreakdownEntry> {
        let texts = |values: &[Box<str>]| -> Vec<Cow<'static, str>> {
            let text =
                |label: &usize| values.get(*label).map_or(Cow::Borrowed(""), |text| text.to_string().into());
            order.iter().map(text).collect()
        };
        let mut entries: Vec<BreakdownEntry> = self
            .series
            .iter()
            .map(|(values, cell)| BreakdownEntry { labels: texts(values), value: cell.value() })
            .collect();
        entries.sort_by(|left, right| left.labels.cmp(&right.labels));
        entries.extend(self.other.as_ref().map(|cell| BreakdownEntry {
            labels: vec![Cow::Borrowed(OTHER); order.len()],
            value: cell.value(),
        }));
        entries
    }
}

impl Place {
    fn lose(&mut self, name: &str) {
        self.is_own = false;
        self.lost.get_or_insert_with(|| name[..name.floor_char_boundary(MAX_TEXT_BYTES)].to_owned());
    }
}

/// The word of the library for a unit; `None` for numbers without one.
fn unit_word(unit: Unit) -> Option<&'static str> {
    match unit {
        // It would be a word of the name: `requests_count_total`.
        Unit::Count => None,
        unit => Some(unit.as_str()),
    }
}
