//! The registry: the families of all names, and the metric that shows them in the totals.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use metrics::{Key, Unit};
use mvx_metrics::{EventHandler, Metric, MetricDescriptor, MetricSnapshot};

use crate::cell::{Cell, CounterCell, GaugeCell, HistogramCell};
use crate::family::{Family, MAX_TEXT_BYTES};
use crate::index::Index;
use crate::problem::{self, Problem, Problems};

/// The name of the metric that counts what could not be shown.
const OWN_METRIC: &str = "facade";
/// The name of metrics with a blank name.
const UNNAMED: &str = "unnamed";

/// What the builder says.
pub(crate) struct Options {
    /// The most label sets of a name.
    pub(crate) limit: usize,
    /// The most names of all kinds.
    pub(crate) max_names: usize,
    /// The labels of some names.
    pub(crate) labels: HashMap<String, Vec<String>>,
    /// The upper bounds of some histograms.
    pub(crate) buckets: HashMap<String, &'static [f64]>,
    /// Whether problems are logged.
    pub(crate) logs: bool,
}

/// All that was recorded through one recorder of the facade.
pub(crate) struct Registry {
    options: Options,
    pub(crate) counters: Families<CounterCell>,
    pub(crate) gauges: Families<GaugeCell>,
    pub(crate) histograms: Families<HistogramCell>,
    names: Mutex<Names>,
    problems: Problems,
    refused_name_is_logged: AtomicBool,
}

/// The families of one kind.
///
/// Locks are taken in this order, and none of them while user code runs: `by_name`, those of a family, `Registry::names`. Those of the index
/// are taken alone.
pub(crate) struct Families<C> {
    /// At most one key for each series, so the limits of the families bound it.
    index: Index<C>,
    by_name: RwLock<HashMap<Box<str>, Arc<Family<C>>>>,
}

impl<C> Default for Families<C> {
    fn default() -> Self {
        Self { index: Index::default(), by_name: RwLock::default() }
    }
}

/// The names of all kinds.
struct Names {
    /// How many families there are.
    families: usize,
    /// The names that metrics have.
    shown: HashSet<String>,
}

impl Names {
    /// Takes a name that no metric has. One of two metrics of one name has its kind at the end.
    fn take(&mut self, name: &str, kind: &str) -> Option<String> {
        let names = [name.to_owned(), format!("{name}.{kind}")];
        names.into_iter().find(|name| self.shown.insert(name.clone()))
    }
}

impl Registry {
    pub(crate) fn new(options: Options) -> Self {
        Self {
            options,
            counters: Families::default(),
            gauges: Families::default(),
            histograms: Families::default(),
            names: Mutex::new(Names { families: 0, shown: HashSet::from([OWN_METRIC.to_owned()]) }),
            problems: Problems::default(),
            refused_name_is_logged: AtomicBool::new(false),
        }
    }

    /// The cell of a key; `None` when its name is refused.
    #[inline]
    pub(crate) fn cell<C: Cell>(&self, families: &Families<C>, key: &Key) -> Option<Arc<C>> {
        families.index.get(key).or_else(|| self.find_or_create(families, key))
    }

    #[cold]
    fn find_or_create<C: Cell>(&self, families: &Families<C>, key: &Key) -> Option<Arc<C>> {
        let name = shown_name(key.name());
        let Some(family) = self.family(families, name) else {
            self.refuse::<C>(name);
            return None;
        };
        let mut is_renamed = false;
        let shown_as = family.shown_as.get_or_init(|| {
            let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
            let shown_as = names.take(name, C::WORD);
            is_renamed = shown_as.as_deref().is_some_and(|shown_as| shown_as != name);
            shown_as
        });
        let Some(shown_as) = shown_as else {
            self.refuse::<C>(name);
            return None;
        };
        if is_renamed {
            self.report::<C>(name, Problem::Renamed { shown_as }, None);
        }
        let found = family.find(key.labels().map(|label| (label.key(), label.value())));
        // There are endlessly many blank names.
        if found.is_own && name == key.name() {
            families.index.insert(key, &found.cell);
        }
        if let Some(label) = found.lost {
            self.report::<C>(name, Problem::LostLabel { label: &label }, Some(&family.lost_label_is_logged));
        }
        Some(found.cell)
    }

    pub(crate) fn describe<C: Cell>(
        &self,
        families: &Families<C>,
        name: &str,
        unit: Option<Unit>,
        help: &str,
    ) {
        let name = shown_name(name);
        match self.family(families, name) {
            Some(family) if !family.describe(unit, help) => {
                self.report::<C>(name, Problem::LateUnit, Some(&family.late_unit_is_logged));
            }
            Some(_) => {}
            None => self.refuse::<C>(name),
        }
    }

    /// The family of a name; `None` when the name is refused.
    fn family<C: Cell>(&self, families: &Families<C>, name: &str) -> Option<Arc<Family<C>>> {
        let known = families.by_name.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        if known.is_some() || name.len() > MAX_TEXT_BYTES {
            return known;
        }
        let mut by_name = families.by_name.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = by_name.get(name) {
            return Some(Arc::clone(known));
        }
        {
            let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
            if names.families >= self.options.max_names {
                return None;
            }
            names.families += 1;
        }
        let labels = self.options.labels.get(name).map(Vec::as_slice);
        let family =
            Arc::new(Family::new(self.options.limit, self.options.buckets.get(name).copied(), labels));
        by_name.insert(name.into(), Arc::clone(&family));
        Some(family)
    }

    #[cold]
    fn refuse<C: Cell>(&self, name: &str) {
        let name = &name[..name.floor_char_boundary(MAX_TEXT_BYTES)];
        self.report::<C>(name, Problem::RefusedName, Some(&self.refused_name_is_logged));
    }

    /// Counts a problem, and logs it unless `is_logged` says that it was logged before.
    fn report<C: Cell>(&self, name: &str, problem: Problem<'_>, is_logged: Option<&AtomicBool>) {
        self.problems.count(problem);
        // Relaxed: the swap alone decides which thread logs.
        let is_new = is_logged.is_none_or(|is_logged| !is_logged.swap(true, Relaxed));
        if is_new && self.options.logs {
            problem::log(name, C::WORD, problem);
        }
    }
}

/// A metric needs a name.
fn shown_name(name: &str) -> &str {
    if name.trim().is_empty() { UNNAMED } else { name }
}

impl<C: Cell> Families<C> {
    fn add_snapshots(&self, snapshots: &mut Vec<MetricSnapshot>) {
        let families: Vec<Arc<Family<C>>> =
            self.by_name.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        snapshots.extend(families.iter().filter_map(|family| family.snapshot()));
    }
}

/// The metric that shows a registry in its recorder. It keeps the registry, because totals show for ever what they have shown once.
pub(crate) struct FacadeMetric(pub(crate) Arc<Registry>);

impl Metric for FacadeMetric {
    fn metric_name(&self) -> &'static str {
        OWN_METRIC
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        &[]
    }

    fn snapshot(&self) -> MetricSnapshot {
        self.0.problems.snapshot(OWN_METRIC)
    }

    fn further_metrics(&self) -> Vec<MetricSnapshot> {
        let mut snapshots = Vec::new();
        self.0.counters.add_snapshots(&mut snapshots);
        self.0.gauges.add_snapshots(&mut snapshots);
        self.0.histograms.add_snapshots(&mut snapshots);
        snapshots.sort_by(|one, other| one.name.cmp(&other.name));
        snapshots
    }

    fn descriptor(&self) -> MetricDescriptor {
        MetricDescriptor::new(OWN_METRIC)
            .with_help("What the recorder of the facade `metrics` could not show.")
            .with_dimensions(self.0.problems.dimensions())
    }
}
