//! Totals: the metrics of several recorders as if they were those of one.

mod labelled;
mod merge;
mod parts;
mod places;
mod raise;

use std::borrow::Cow;
use std::collections::BTreeMap;

use self::labelled::Labelled;
use self::merge::{Rule, merge};
use self::parts::{for_each_part, has_parts};
pub(crate) use self::places::Places;
use self::places::Taken;
use crate::descriptor::{DimensionDescriptor, DimensionKind, MetricDescriptor};
use crate::recorder::RecorderStats;
use crate::snapshot::{BreakdownEntry, DimensionValue, MetricSnapshot};

/// How many metrics, and how many dimensions of a metric, are kept apart; the rest is left out. It bounds the memory of
/// metrics that give themselves ever new names.
const MOST: usize = 4_096;

/// The totals of some recorders.
#[derive(Debug, Clone, Default)]
pub(crate) struct Totals {
    pub(crate) metrics: Vec<MetricTotal>,
    /// The first metric for which there was no room.
    pub(crate) beyond: Option<Cow<'static, str>>,
    pub(crate) stats: StatsTotal,
    /// Which labels are shown, if that was said elsewhere.
    places: Option<Places>,
}

/// What became of the events of some recorders.
#[derive(Debug, Clone, Default)]
pub(crate) struct StatsTotal {
    pub(crate) accepted: u64,
    pub(crate) processed: u64,
    pub(crate) dropped: BTreeMap<&'static str, u64>,
    pub(crate) rejected: u64,
    pub(crate) discarded: u64,
    pub(crate) pending: u64,
}

/// The total of the metrics of one name.
#[derive(Debug, Clone)]
pub(crate) struct MetricTotal {
    pub(crate) name: Cow<'static, str>,
    pub(crate) help: Cow<'static, str>,
    pub(crate) dimensions: Vec<DimensionTotal>,
    pub(crate) invalid: u64,
    /// Whether it is the library's own, and not a metric that happens to have the name.
    pub(crate) of_library: bool,
    /// How many of the metrics have failed.
    pub(crate) failed: u64,
    /// How many values could not be taken in.
    pub(crate) skipped: u64,
    /// The declaration the first dimensions follow one by one, if it is a static one.
    declared: &'static [DimensionDescriptor],
    places: Option<Places>,
}

/// The total of one dimension.
#[derive(Debug, Clone)]
pub(crate) struct DimensionTotal {
    pub(crate) declared: Cow<'static, DimensionDescriptor>,
    pub(crate) value: Total,
    taken: Option<Taken>,
}

/// A value, or one for each label.
#[derive(Debug, Clone)]
pub(crate) enum Total {
    Plain(DimensionValue),
    Labelled(Labelled),
}

/// Whether the recorder is there, or its state is all that is left of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    Live,
    /// What it counted stays; the levels of its gauges are gone with it.
    Removed,
}

impl Totals {
    /// Totals that show the labels that have a place.
    pub(crate) fn with_places(places: Places) -> Self {
        Self { places: Some(places), ..Self::default() }
    }

    pub(crate) fn add_stats(&mut self, stats: &RecorderStats, presence: Presence) {
        let total = &mut self.stats;
        total.accepted = total.accepted.saturating_add(stats.accepted);
        total.processed = total.processed.saturating_add(stats.processed);
        total.rejected = total.rejected.saturating_add(stats.rejected);
        total.discarded = total.discarded.saturating_add(stats.discarded);
        if presence == Presence::Live {
            total.pending = total.pending.saturating_add(stats.pending);
        }
        for (event_type, dropped) in &stats.dropped_by_type {
            let total = total.dropped.entry(event_type).or_default();
            *total = total.saturating_add(*dropped);
        }
    }

    /// Takes in the metric at `position` of a recorder.
    pub(crate) fn add_metric(
        &mut self,
        position: usize,
        descriptor: &MetricDescriptor,
        metric: &MetricSnapshot,
        presence: Presence,
    ) {
        let place = match self.metrics.get(position) {
            Some(total) if total.name == metric.name => Some(position),
            _ => self.metrics.iter().position(|total| total.name == metric.name),
        };
        let total = match place {
            Some(place) => &mut self.metrics[place],
            None if self.metrics.len() >= MOST => {
                self.beyond.get_or_insert_with(|| metric.name.clone());
                return;
            }
            None => {
                self.metrics.push(MetricTotal::new(descriptor, metric, self.places.clone()));
                let last = self.metrics.len() - 1;
                &mut self.metrics[last]
            }
        };
        total.add(descriptor, metric, presence);
    }
}

impl MetricTotal {
    /// A total of the library's own.
    pub(crate) fn made_up(name: &'static str, dimensions: Vec<DimensionTotal>) -> Self {
        Self {
            name: Cow::Borrowed(name),
            help: Cow::Borrowed(""),
            dimensions,
            of_library: true,
            invalid: 0,
            failed: 0,
            skipped: 0,
            declared: &[],
            places: None,
        }
    }

    fn new(descriptor: &MetricDescriptor, metric: &MetricSnapshot, places: Option<Places>) -> Self {
        let declared = static_dimensions(descriptor);
        Self {
            name: metric.name.clone(),
            help: descriptor.help.clone(),
            dimensions: declared
                .iter()
                .map(|declared| {
                    DimensionTotal::within(places.as_ref(), &metric.name, Cow::Borrowed(declared))
                })
                .collect(),
            of_library: false,
            invalid: 0,
            failed: 0,
            skipped: 0,
            declared,
            places,
        }
    }

    fn add(&mut self, descriptor: &MetricDescriptor, metric: &MetricSnapshot, presence: Presence) {
        self.invalid = self.invalid.saturating_add(metric.invalid);
        if presence == Presence::Live {
            self.failed = self.failed.saturating_add(metric.failed.is_some().into());
        }
        // Two metrics of one type have the very same declaration; then nothing needs to be looked up.
        let aligned = std::ptr::eq(static_dimensions(descriptor), self.declared);
        for (position, (name, value)) in metric.dimensions.iter().enumerate() {
            let known = self.declared.get(position).filter(|declared| aligned && declared.name == name);
            if presence == Presence::Removed && known.is_some_and(is_level) {
                continue;
            }
            let known = known.is_some() && !has_parts(value);
            if !known || !self.dimensions[position].add(value, &mut self.skipped) {
                self.add_dimension(position, descriptor, name, value, presence);
            }
        }
    }

    /// Takes in a dimension that is not where it was expected.
    #[cold]
    fn add_dimension(
        &mut self,
        position: usize,
        descriptor: &MetricDescriptor,
        name: &str,
        value: &DimensionValue,
        presence: Presence,
    ) {
        let declared = descriptor.dimensions.get(position).filter(|declared| declared.name == name);
        let declared =
            declared.or_else(|| descriptor.dimensions.iter().find(|declared| declared.name == name));
        let declared = declared.cloned().unwrap_or_else(|| undeclared(name));
        if presence == Presence::Removed && is_level(&declared) {
            return;
        }
        for_each_part(&declared, value, &mut |declared, value| self.add_declared(declared, value));
    }

    fn add_declared(&mut self, declared: DimensionDescriptor, value: &DimensionValue) {
        let skipped = &mut self.skipped;
        let same = self.dimensions.iter_mut().filter(|total| total.is_like(&declared));
        if same.into_iter().any(|total| total.add(value, skipped)) {
            return;
        }
        if self.dimensions.len() >= MOST {
            *skipped = skipped.saturating_add(1);
            return;
        }
        let mut total = DimensionTotal::within(self.places.as_ref(), &self.name, Cow::Owned(declared));
        if total.add(value, skipped) {
            self.dimensions.push(total);
        } else {
            *skipped = skipped.saturating_add(1);
        }
    }
}

impl Total {
    /// Counts by the text of a label.
    pub(crate) fn by_label(counts: impl Iterator<Item = (Cow<'static, str>, u64)>) -> Self {
        let mut labelled = Labelled::new(None, None);
        for (label, count) in counts {
            let entry = BreakdownEntry { labels: vec![label], value: DimensionValue::Unsigned(count) };
            labelled.add(Rule::Add, &[entry]);
        }
        Self::Labelled(labelled)
    }
}

impl DimensionTotal {
    pub(crate) fn made_up(declared: &'static DimensionDescriptor, value: Total) -> Self {
        Self { declared: Cow::Borrowed(declared), value, taken: None }
    }

    fn within(places: Option<&Places>, metric: &str, declared: Cow<'static, DimensionDescriptor>) -> Self {
        // What bounds itself has a place for every label, and what goes with its recorder leaves its place to others.
        let places = places.filter(|_| declared.limit.is_some() && !is_level(&declared));
        let taken = places.and_then(|places| places.of(metric, &declared.name));
        Self { declared, value: Total::Plain(DimensionValue::Empty), taken }
    }

    /// Whether values of that declaration can be added to this total.
    fn is_like(&self, other: &DimensionDescriptor) -> bool {
        let own = &self.declared;
        own.name == other.name
            && own.kind == other.kind
            && own.unit == other.unit
            && own.labels == other.labels
            && own.merge == other.merge
    }

    /// `false` when the value is not of the shape of the values before it.
    fn add(&mut self, value: &DimensionValue, skipped: &mut u64) -> bool {
        let rule = Rule::of(&self.declared);
        match (&mut self.value, value) {
            (_, DimensionValue::Text(_)) => true,
            (Total::Labelled(labelled), DimensionValue::Breakdown(entries)) => {
                *skipped = skipped.saturating_add(labelled.add(rule, entries) as u64);
                true
            }
            (Total::Plain(DimensionValue::Empty), DimensionValue::Breakdown(entries)) => {
                let mut labelled = Labelled::new(self.declared.limit, self.taken.clone());
                *skipped = skipped.saturating_add(labelled.add(rule, entries) as u64);
                self.value = Total::Labelled(labelled);
                true
            }
            (Total::Labelled(_), value) => *value == DimensionValue::Empty,
            (Total::Plain(total), value) => merge(rule, total, value),
        }
    }
}

/// Whether the dimension is a level, which is gone with the recorder, and not something it has counted.
fn is_level(dimension: &DimensionDescriptor) -> bool {
    dimension.kind == DimensionKind::Gauge
}

fn static_dimensions(descriptor: &MetricDescriptor) -> &'static [DimensionDescriptor] {
    match &descriptor.dimensions {
        Cow::Borrowed(dimensions) => dimensions,
        Cow::Owned(_) => &[],
    }
}

/// What is known of a dimension that its metric does not describe.
fn undeclared(name: &str) -> DimensionDescriptor {
    let mut dimension = DimensionDescriptor::new("", DimensionKind::Custom);
    dimension.name = Cow::Owned(name.to_owned());
    dimension
}
