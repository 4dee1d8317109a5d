//! What changed between two catalogues.

use std::collections::HashSet;
use std::fmt;

use super::matching::Matched;
use super::{Catalogue, CatalogueDimension, CatalogueFamily, CatalogueLabel, CatalogueMetric};
use crate::number::Number;
use crate::snapshot::{kind_name, number_name, rule_name};

/// The changes between two catalogues, the breaking ones first.
///
/// It is displayed as one line for each change, with a summary as the last line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct CatalogueDiff {
    /// The changes: breaking ones first, then by metric and dimension.
    pub changes: Vec<Change>,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// Whether it breaks what was built on the older catalogue.
    pub severity: Severity,
    /// The metric, by its older name if it has one.
    pub metric: String,
    /// The dimension, by its older name if it has one; `None` for a change of the whole metric.
    pub dimension: Option<String>,
    /// What changed, such as ``the unit was `seconds` and is `bytes` ``: one line.
    pub what: String,
    /// The names of the older series that are gone, or that mean something else now: what queries, alerts and dashboards have.
    pub series: Vec<String>,
}

/// Whether a change breaks queries, alerts, dashboards or stored snapshots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// What was built on the older catalogue gets no or other numbers, or the values of a dimension no longer merge with stored ones.
    Breaking,
    /// What was built on the older catalogue goes on.
    Compatible,
}

/// The only series of the library with a label for the event type.
const BY_EVENT: &str = "mvx_metrics_events_dropped_total";

/// What an added dimension and another order mean for what was stored.
const STORED: &str = "; stored snapshots of the metric do not merge with new ones";

impl Catalogue {
    /// What changed from this catalogue to a newer one.
    ///
    /// | breaking | compatible |
    /// |---|---|
    /// | a metric or a dimension is gone, or has another name | a metric or a dimension is new |
    /// | another kind, type of numbers, unit, merge rule or window | another help text |
    /// | a label is new, is gone, has another name or another place | another `limit`, `keep` or `max_buckets` |
    /// | a type has lost the value of a label, or its values come with the events now | a value of a label is new |
    /// | other declared buckets, or exponential ones in place of declared ones | the dimensions stand in another order |
    /// | a series is gone, or has another type or other labels, for any other reason | a series is new |
    /// | no metric listens to an event type any more | a metric listens to another event type, or one metric less does |
    ///
    /// A metric or a dimension that is gone and one that is new are a rename where all but their names is equal, and where no other one is
    /// equal too.
    ///
    /// An event type that no metric listens to is breaking, because its series of `mvx_metrics_events_dropped_total` is gone: a rule
    /// for lost events of this type gets no numbers.
    ///
    /// Snapshots that were stored merge only with those of an equal declaration: the same dimensions in the same order. Any change
    /// in the first column ends that. Of the second column a new dimension and another order do, and their texts say so; queries go on.
    ///
    /// ```
    /// use mvx_metrics::catalogue::Severity;
    /// use mvx_metrics::{Counter, Metric, catalogue, metric_event};
    ///
    /// #[metric_event]
    /// struct Rang;
    ///
    /// #[derive(Metric, Default)]
    /// #[metric(name = "bell", on(Rang))]
    /// struct Before {
    ///     rings: Counter,
    /// }
    ///
    /// #[derive(Metric, Default)]
    /// #[metric(name = "bell", on(Rang))]
    /// struct Bell {
    ///     rang: Counter,
    /// }
    ///
    /// let diff = catalogue![Before]?.diff(&catalogue![Bell]?);
    /// assert_eq!((diff.changes[0].severity, &*diff.changes[0].series), (Severity::Breaking, &["bell_rings_total".to_owned()][..]));
    /// let lines = [
    ///     "breaking: `rings` of `bell`: the dimension was renamed to `rang` (bell_rings_total)",
    ///     "breaking changes: 1, compatible changes: 0",
    /// ];
    /// assert_eq!(diff.to_string(), lines.join("\n"));
    /// # Ok::<(), mvx_metrics::catalogue::CatalogueError>(())
    /// ```
    #[must_use]
    pub fn diff(&self, newer: &Self) -> CatalogueDiff {
        let mut changes = Changes::default();
        let matched = Matched::of(&self.metrics, &newer.metrics);
        let listened: HashSet<&str> =
            newer.metrics.iter().flat_map(|metric| &metric.events).map(|event| &**event).collect();
        for metric in &matched.removed {
            changes.metric = &metric.name;
            changes.breaking("the metric is gone".to_owned(), series_of_metric(metric));
            for event in metric.events.iter().filter(|event| !listened.contains(&***event)) {
                let what = format!("no metric listens to the event type {} any more", name(event));
                changes.breaking(what, vec![BY_EVENT.to_owned()]);
            }
        }
        for (older, renamed) in &matched.renamed {
            changes.metric = &older.name;
            let newer_series: HashSet<String> = series_of_metric(renamed).into_iter().collect();
            let mut gone = series_of_metric(older);
            gone.retain(|series| !newer_series.contains(series));
            changes.breaking(format!("the metric was renamed to {}", name(&renamed.name)), gone);
            changes.compare_texts(&older.help, &renamed.help);
            changes.compare_dimensions(older, renamed, true);
        }
        for (older, kept) in &matched.kept {
            changes.metric = &older.name;
            changes.compare_texts(&older.help, &kept.help);
            changes.compare_events(older, kept, &listened);
            changes.compare_dimensions(older, kept, false);
        }
        for metric in &matched.added {
            changes.metric = &metric.name;
            changes.compatible("the metric is new".to_owned());
        }
        let mut changes = changes.list;
        changes.sort_by(|one, other| {
            let key = |change: &Change| (change.severity, change.metric.clone(), change.dimension.clone());
            key(one).cmp(&key(other))
        });
        CatalogueDiff { changes }
    }
}

/// The changes so far, and what the next one is about.
#[derive(Default)]
struct Changes<'a> {
    list: Vec<Change>,
    metric: &'a str,
    dimension: Option<&'a str>,
}

impl<'a> Changes<'a> {
    fn push(&mut self, severity: Severity, what: String, series: Vec<String>) {
        let (metric, dimension) = (self.metric.to_owned(), self.dimension.map(str::to_owned));
        self.list.push(Change { severity, metric, dimension, what, series });
    }

    fn breaking(&mut self, what: String, series: Vec<String>) {
        self.push(Severity::Breaking, what, series);
    }

    fn compatible(&mut self, what: String) {
        self.push(Severity::Compatible, what, Vec::new());
    }

    /// A change that means something else for these series, if there is one.
    fn compare(&mut self, subject: &str, older: &str, newer: &str, series: impl FnOnce() -> Vec<String>) {
        if older != newer {
            self.breaking(was_and_is(subject, older, newer), series());
        }
    }

    fn compare_limit(&mut self, subject: &str, older: Option<usize>, newer: Option<usize>) {
        if older != newer {
            self.compatible(was_and_is(subject, &number(older), &number(newer)));
        }
    }

    fn compare_texts(&mut self, older: &str, newer: &str) {
        if older != newer {
            self.compatible(was_and_is("help text", &quoted(older), &quoted(newer)));
        }
    }

    fn compare_events(&mut self, older: &CatalogueMetric, newer: &CatalogueMetric, listened: &HashSet<&str>) {
        for event in older.events.iter().filter(|event| !newer.events.contains(event)) {
            let what = format!("it does not listen to the event type {} any more", name(event));
            if listened.contains(&**event) {
                self.compatible(what);
            } else {
                self.breaking(format!("{what}, and no metric does"), vec![BY_EVENT.to_owned()]);
            }
        }
        for event in newer.events.iter().filter(|event| !older.events.contains(event)) {
            self.compatible(format!("it listens to the event type {}", name(event)));
        }
    }

    /// `is_renamed` says that another name of the metric explains other names of its series.
    fn compare_dimensions(
        &mut self,
        older: &'a CatalogueMetric,
        newer: &'a CatalogueMetric,
        is_renamed: bool,
    ) {
        let matched = Matched::of(&older.dimensions, &newer.dimensions);
        for dimension in &matched.removed {
            self.dimension = Some(&dimension.name);
            self.breaking("the dimension is gone".to_owned(), series_of(dimension));
        }
        for (older, renamed) in &matched.renamed {
            self.dimension = Some(&older.name);
            let what = format!("the dimension was renamed to {}", name(&renamed.name));
            self.breaking(what, changed_series(older, renamed));
            self.compare_dimension(older, renamed, true);
        }
        for (older, kept) in &matched.kept {
            self.dimension = Some(&older.name);
            self.compare_dimension(older, kept, is_renamed);
        }
        for dimension in &matched.added {
            self.dimension = Some(&dimension.name);
            let stored = if dimension.merge.is_some() { STORED } else { "" };
            self.compatible(format!("the dimension is new{stored}"));
        }
        self.dimension = None;
        if !matched.is_in_order {
            self.compatible(format!("the dimensions stand in another order{STORED}"));
        }
    }

    fn compare_dimension(
        &mut self,
        older: &CatalogueDimension,
        newer: &CatalogueDimension,
        is_renamed: bool,
    ) {
        let first = self.list.len();
        let all = || series_of(older);
        let changed = || changed_series(older, newer);
        self.compare("kind", &quote(kind_name(older.kind)), &quote(kind_name(newer.kind)), all);
        let of_number = |dimension: &CatalogueDimension| optional(dimension.number.map(number_name));
        self.compare("type of the numbers", &of_number(older), &of_number(newer), changed);
        let of_unit = |dimension: &CatalogueDimension| optional(dimension.unit.as_deref());
        self.compare("unit", &of_unit(older), &of_unit(newer), changed);
        let of_merge = |dimension: &CatalogueDimension| optional(dimension.merge.map(rule_name));
        self.compare("merge rule", &of_merge(older), &of_merge(newer), all);
        let of_window = |dimension: &CatalogueDimension| match dimension.window {
            Some(seconds) => format!("{seconds} s"),
            None => "none".to_owned(),
        };
        self.compare("window", &of_window(older), &of_window(newer), all);
        self.compare_labels(older, newer);
        self.compare_buckets(older, newer);
        let is_explained =
            is_renamed || self.list[first..].iter().any(|change| change.severity == Severity::Breaking);
        if !is_explained {
            self.compare_families(older, newer);
        }
        self.compare_limit("limit of labels", older.limit, newer.limit);
        self.compare_limit("number of kept labels", older.keep, newer.keep);
        if let (Some(_), Some(_)) = (older.max_buckets, newer.max_buckets) {
            self.compare_limit("largest number of buckets", older.max_buckets, newer.max_buckets);
        }
        self.compare_texts(&older.help, &newer.help);
    }

    fn compare_labels(&mut self, older: &CatalogueDimension, newer: &CatalogueDimension) {
        let names = |dimension: &'_ CatalogueDimension| -> Vec<String> {
            dimension.labels.iter().map(|label| label.name.clone()).collect()
        };
        let (old_names, new_names) = (names(older), names(newer));
        let first = self.list.len();
        let renamed_to = |index: usize| -> Option<&CatalogueLabel> {
            let (label, other) = (&older.labels[index].name, newer.labels.get(index)?);
            let has_changed = !new_names.contains(label) && !old_names.contains(&other.name);
            (has_changed && old_names.len() == new_names.len()).then_some(other)
        };
        for (index, label) in old_names.iter().enumerate() {
            if let Some(other) = renamed_to(index) {
                let what = format!("the label {} was renamed to {}", name(label), name(&other.name));
                self.breaking(what, changed_series(older, newer));
                self.compare_values(older, &older.labels[index], other);
            } else if !new_names.contains(label) {
                self.breaking(format!("the label {} is gone", name(label)), changed_series(older, newer));
            } else {
                // Labels of one name, such as those without a name, are told apart by their order.
                let nth = old_names[..index].iter().filter(|other| *other == label).count();
                let other = newer.labels.iter().filter(|other| other.name == *label).nth(nth);
                if let Some(other) = other {
                    self.compare_values(older, &older.labels[index], other);
                }
            }
        }
        let is_renamed = |index: usize| index < old_names.len() && renamed_to(index).is_some();
        for (index, label) in new_names.iter().enumerate() {
            if !old_names.contains(label) && !is_renamed(index) {
                self.breaking(format!("the label {} is new", name(label)), changed_series(older, newer));
            }
        }
        let is_known = self.list[first..].iter().any(|change| change.what.starts_with("the label "));
        let common = |names: &[String], others: &[String]| -> Vec<String> {
            names.iter().filter(|name| others.contains(name)).cloned().collect()
        };
        let is_reordered = common(&old_names, &new_names) != common(&new_names, &old_names);
        if is_reordered || (old_names != new_names && !is_known) {
            let list = |names: &[String]| names.iter().map(|one| name(one)).collect::<Vec<_>>().join(", ");
            let what = format!("the labels were {} and are {}", list(&old_names), list(&new_names));
            self.breaking(what, changed_series(older, newer));
        }
    }

    /// The values of one part of the labels of a dimension.
    fn compare_values(
        &mut self,
        dimension: &CatalogueDimension,
        older: &CatalogueLabel,
        newer: &CatalogueLabel,
    ) {
        let label = if newer.name.is_empty() { "without a name".to_owned() } else { name(&newer.name) };
        let new_values: HashSet<&String> = newer.values.iter().collect();
        if newer.values.is_empty() && !older.values.is_empty() {
            let what = format!("the values of the label {label} come with the events, without zeros before");
            return self.breaking(what, series_of(dimension));
        }
        for value in older.values.iter().filter(|value| !new_values.contains(value)) {
            let what = format!("the value {} of the label {label} is gone", name(value));
            self.breaking(what, series_of(dimension));
        }
        let old_values: HashSet<&String> = older.values.iter().collect();
        for value in newer.values.iter().filter(|value| !old_values.contains(value)) {
            self.compatible(format!("the value {} of the label {label} is new", name(value)));
        }
    }

    fn compare_buckets(&mut self, older: &CatalogueDimension, newer: &CatalogueDimension) {
        let buckets = || {
            let series = series_of(older).into_iter();
            series.filter(|series| series.ends_with("_bucket") || older.window.is_some()).collect()
        };
        // Another type of numbers is said already, so only other values of the bounds are worth a line.
        let values = |dimension: &CatalogueDimension| -> Vec<u64> {
            dimension.buckets.iter().map(|bound| bound.as_f64().to_bits()).collect()
        };
        let is_other_type = older.number != newer.number;
        let is_same = older.buckets == newer.buckets || (is_other_type && values(older) == values(newer));
        match (older.max_buckets.is_some(), newer.max_buckets.is_some()) {
            (false, true) => self.breaking("declared buckets became exponential ones".to_owned(), buckets()),
            (true, false) => self.breaking("exponential buckets became declared ones".to_owned(), buckets()),
            _ if !is_same => {
                let list = |buckets: &[Number], others: &[Number]| {
                    let bounds = buckets.iter().filter(|bound| !others.contains(bound));
                    let bounds: Vec<_> = bounds.map(|bound| bound_text(*bound)).collect();
                    if bounds.is_empty() { "none".to_owned() } else { bounds.join(", ") }
                };
                let (gone, new) =
                    (list(&older.buckets, &newer.buckets), list(&newer.buckets, &older.buckets));
                self.breaking(format!("the buckets changed: gone {gone}, new {new}"), buckets());
            }
            _ => {}
        }
    }

    /// Other names, types or labels of series that nothing in the declaration explains.
    fn compare_families(&mut self, older: &CatalogueDimension, newer: &CatalogueDimension) {
        for family in &older.families {
            let series = family.series();
            let Some(other) = newer.families.iter().find(|other| other.name == family.name) else {
                self.breaking(format!("the series {} are gone", name(&family.name)), series);
                continue;
            };
            if other.family_type != family.family_type {
                let types = [family, other].map(|family| format!("{:?}", family.family_type).to_lowercase());
                let subject = format!("type of the series {}", name(&family.name));
                self.breaking(was_and_is(&subject, &types[0], &types[1]), series);
            } else if !has_same_labels(family, other) {
                let labels = [family, other].map(|family| quote(&family.labels.join(", ")));
                let what =
                    format!("the labels of {} were {} and are {}", name(&family.name), labels[0], labels[1]);
                self.breaking(what, series);
            }
        }
        for family in &newer.families {
            if !older.families.iter().any(|other| other.name == family.name) {
                self.compatible(format!("the series {} are new", name(&family.name)));
            }
        }
    }
}

fn has_same_labels(one: &CatalogueFamily, other: &CatalogueFamily) -> bool {
    let sorted = |family: &CatalogueFamily| {
        let mut labels = family.labels.clone();
        labels.sort();
        labels
    };
    sorted(one) == sorted(other)
}

fn series_of_metric(metric: &CatalogueMetric) -> Vec<String> {
    metric.dimensions.iter().flat_map(series_of).collect()
}

fn series_of(dimension: &CatalogueDimension) -> Vec<String> {
    dimension.families.iter().flat_map(CatalogueFamily::series).collect()
}

/// The older series that are gone, or that have another type or other labels.
fn changed_series(older: &CatalogueDimension, newer: &CatalogueDimension) -> Vec<String> {
    let is_same = |family: &CatalogueFamily, other: &CatalogueFamily| {
        family.name == other.name && family.family_type == other.family_type && has_same_labels(family, other)
    };
    let has_changed = |family: &&CatalogueFamily| !newer.families.iter().any(|other| is_same(family, other));
    older.families.iter().filter(has_changed).flat_map(CatalogueFamily::series).collect()
}

fn was_and_is(subject: &str, older: &str, newer: &str) -> String {
    format!("the {subject} was {older} and is {newer}")
}

/// A name of the user's on one line.
fn name(name: &str) -> String {
    quote(&name.escape_debug().to_string())
}

fn quote(text: &str) -> String {
    format!("`{text}`")
}

fn optional(text: Option<&str>) -> String {
    text.map_or_else(|| "none".to_owned(), name)
}

fn number(number: Option<usize>) -> String {
    number.map_or_else(|| "none".to_owned(), |number| number.to_string())
}

/// The beginning of a help text, on one line.
fn quoted(text: &str) -> String {
    const MAX_CHARACTERS: usize = 80;
    let mut beginning: String = text.chars().take(MAX_CHARACTERS).collect();
    if beginning.len() < text.len() {
        beginning.push_str("..");
    }
    format!("{beginning:?}")
}

/// A bound as people write it.
pub(super) fn bound_text(bound: Number) -> String {
    match bound {
        Number::Unsigned(bound) => bound.to_string(),
        Number::Signed(bound) => bound.to_string(),
        Number::Float(bound) => bound.to_string(),
        Number::Duration(bound) => format!("{} s", bound.as_secs_f64()),
    }
}

impl CatalogueDiff {
    /// Whether there is a breaking change.
    #[must_use]
    pub fn is_breaking(&self) -> bool {
        self.changes.iter().any(|change| change.severity == Severity::Breaking)
    }

    /// Whether nothing has changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

impl fmt::Display for CatalogueDiff {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for change in &self.changes {
            writeln!(formatter, "{change}")?;
        }
        let of = |severity| self.changes.iter().filter(|change| change.severity == severity).count();
        let (breaking, compatible) = (of(Severity::Breaking), of(Severity::Compatible));
        write!(formatter, "breaking changes: {breaking}, compatible changes: {compatible}")
    }
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: ", self.severity)?;
        if let Some(dimension) = &self.dimension {
            write!(formatter, "{} of ", name(dimension))?;
        }
        write!(formatter, "{}: {}", name(&self.metric), self.what)?;
        if !self.series.is_empty() {
            // A file that people have edited may have any text here.
            write!(formatter, " ({})", self.series.join(", ").escape_debug())?;
        }
        Ok(())
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Breaking => "breaking",
            Self::Compatible => "compatible",
        })
    }
}
