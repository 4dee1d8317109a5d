//! The snapshot of a breakdown.

use std::borrow::Cow;
use std::cell::LazyCell;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, DeserializeSeed, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde::{Deserialize, Deserializer};

use super::output::{DeserializeOutput, Output, SerializeOutput, named};
use crate::label::{Label, MAX_LABEL_BYTES, OTHER, ToLabel, is_indexed, texts_of, texts_of_index};

/// The labels of a breakdown, each with the value of its dimension.
///
/// Serialises as a map from the labels' texts to the values. The map is nested when a label has several parts. Two snapshots
/// are equal when they have the same labels with the same values, in any order.
///
/// ```
/// use mvx_metrics::{Breakdown, Counter, HandleEvent, Metric, TypedMetric, metric_event};
///
/// #[metric_event]
/// struct Answered {
///     status: u16,
///     cached: bool,
/// }
///
/// #[derive(Metric, Default)]
/// #[metric(on(Answered))]
/// struct Answers {
///     #[dimension(by(status, cached), limit = 50)]
///     answers: Breakdown<(u16, bool), Counter>,
/// }
///
/// let mut metric = Answers::default();
/// metric.handle(&Answered { status: 200, cached: true });
/// let answers = metric.typed_snapshot().answers;
/// assert_eq!(answers.get((200, true)), Some(&1));
/// for (labels, count) in answers.iter() {
///     assert_eq!((labels[0].as_ref(), labels[1].as_ref(), *count), ("200", "true", 1));
/// }
/// ```
pub struct BreakdownSnapshot<L, R> {
    entries: Vec<(Vec<Cow<'static, str>>, R)>,
    label: PhantomData<fn() -> L>,
}

impl<L: Label, R> BreakdownSnapshot<L, R> {
    /// The value of a label; `None` when no event with this label was accepted, or when it was counted under `other`.
    ///
    /// Where the type knows its labels and these are at most 64, each of them has a value from the beginning: an enum with
    /// `#[derive(Label)]`, `bool`, and tuples of these. This is so for breakdowns of counters, sums, means, work in
    /// flight, histograms, counts of different values, and windows of these, unless the field has the option `zeros = off`.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "labels are references or small")]
    pub fn get(&self, label: impl ToLabel<L>) -> Option<&R> {
        if !label.is_present() {
            return None;
        }
        let texts = texts_of(&label);
        self.iter().find(|(candidate, _)| *candidate == texts).map(|(_, output)| output)
    }
}

impl<L: Label, R: Clone> BreakdownSnapshot<L, R> {
    /// Merges the labels of another breakdown into this one: `merge` combines two values of one label.
    pub(crate) fn merge_labels(&mut self, other: &Self, mut merge: impl FnMut(&mut R, &R) -> bool) -> bool {
        let positions = positions(&self.entries, &other.entries);
        let own = self.entries.len();
        let mut all = true;
        for (position, (texts, value)) in positions.into_iter().zip(&other.entries) {
            match position {
                Some(index) => all &= merge(&mut self.entries[index].1, value),
                None => self.entries.push((texts.clone(), value.clone())),
            }
        }
        if self.entries.len() > own {
            self.sort();
        }
        all
    }

    /// Combines the value of each label with that of the same label in `earlier`.
    pub(crate) fn since_labels(&self, earlier: &Self, since: impl Fn(&R, &R) -> R) -> Self {
        let entries = positions(&earlier.entries, &self.entries).into_iter().zip(&self.entries);
        let entries = entries.map(|(position, (texts, later))| {
            let interval = position.map(|index| since(later, &earlier.entries[index].1));
            (texts.clone(), interval.unwrap_or_else(|| later.clone()))
        });
        entries.collect()
    }

    /// Whether the value of some label has fallen, or a label is gone that does not vanish.
    pub(crate) fn any_label_has_fallen(
        &self,
        earlier: &Self,
        has_fallen: impl Fn(&R, &R) -> bool,
        may_vanish: impl Fn(&R) -> bool,
    ) -> bool {
        let mut labels = positions(&self.entries, &earlier.entries).into_iter().zip(&earlier.entries);
        labels.any(|(position, (_, earlier))| match position {
            Some(index) => has_fallen(&self.entries[index].1, earlier),
            None => !may_vanish(earlier),
        })
    }

    /// Puts the labels in the order of their declaration if their number is fixed, else in the order of their texts.
    fn sort(&mut self) {
        let order: HashMap<Vec<Cow<'static, str>>, usize> =
            fixed_labels::<L>().into_iter().enumerate().map(|(index, label)| (label, index)).collect();
        let place = |texts: &Vec<Cow<'static, str>>| order.get(texts).copied().unwrap_or(usize::MAX);
        self.entries.sort_by(|(left, _), (right, _)| (place(left), left).cmp(&(place(right), right)));
    }
}

/// For each entry of `others` the position of the entry in `own` that has its label. Breakdowns of one metric mostly have a label
/// at the same position.
pub(crate) fn positions<E: HasLabels>(own: &[E], others: &[E]) -> Vec<Option<usize>> {
    let table = LazyCell::new(|| -> HashMap<&[Cow<'static, str>], usize> {
        own.iter().enumerate().map(|(index, entry)| (entry.labels(), index)).collect()
    });
    let positions = others.iter().enumerate().map(|(hint, entry)| {
        let is_there = own.get(hint).is_some_and(|own| own.labels() == entry.labels());
        if is_there { Some(hint) } else { table.get(entry.labels()).copied() }
    });
    positions.collect()
}

/// The texts of all labels of a type, if their number is fixed and small enough to list them.
fn fixed_labels<L: Label>() -> Vec<Vec<Cow<'static, str>>> {
    let count = L::CARDINALITY.filter(|_| is_indexed::<L>()).unwrap_or(0);
    (0..count).map(texts_of_index::<L>).collect()
}

impl<L, R> BreakdownSnapshot<L, R> {
    pub(crate) fn of_entries(entries: Vec<(Vec<Cow<'static, str>>, R)>) -> Self {
        Self { entries, label: PhantomData }
    }

    pub(crate) fn into_entries(self) -> impl Iterator<Item = (Vec<Cow<'static, str>>, R)> {
        self.entries.into_iter()
    }

    /// Each label, as the texts of its parts, with its value.
    #[must_use]
    pub fn iter(&self) -> BreakdownIter<'_, R> {
        BreakdownIter(self.entries.iter())
    }

    /// The number of labels, `other` included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no labels.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// The entries of a [`BreakdownSnapshot`]: each label, as the texts of its parts, with its value.
#[derive(Debug, Clone)]
pub struct BreakdownIter<'a, R>(std::slice::Iter<'a, (Vec<Cow<'static, str>>, R)>);

impl<'a, R> Iterator for BreakdownIter<'a, R> {
    type Item = (&'a [Cow<'static, str>], &'a R);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(texts, output)| (texts.as_slice(), output))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<R> ExactSizeIterator for BreakdownIter<'_, R> {}

impl<'a, L, R> IntoIterator for &'a BreakdownSnapshot<L, R> {
    type Item = (&'a [Cow<'static, str>], &'a R);
    type IntoIter = BreakdownIter<'a, R>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<L, R> FromIterator<(Vec<Cow<'static, str>>, R)> for BreakdownSnapshot<L, R> {
    fn from_iter<I: IntoIterator<Item = (Vec<Cow<'static, str>>, R)>>(entries: I) -> Self {
        Self { entries: entries.into_iter().collect(), label: PhantomData }
    }
}

impl<L, R> Default for BreakdownSnapshot<L, R> {
    fn default() -> Self {
        Self { entries: Vec::new(), label: PhantomData }
    }
}

impl<L, R: Clone> Clone for BreakdownSnapshot<L, R> {
    fn clone(&self) -> Self {
        self.entries.iter().cloned().collect()
    }
}

impl<L, R: fmt::Debug> fmt::Debug for BreakdownSnapshot<L, R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(self.iter()).finish()
    }
}

impl<L, R: PartialEq> PartialEq for BreakdownSnapshot<L, R> {
    fn eq(&self, other: &Self) -> bool {
        let sorted = |entries: &Self| {
            let mut order: Vec<usize> = (0..entries.len()).collect();
            order.sort_by(|left, right| entries.entries[*left].0.cmp(&entries.entries[*right].0));
            order
        };
        self.len() == other.len()
            && sorted(self)
                .into_iter()
                .zip(sorted(other))
                .all(|(left, right)| self.entries[left] == other.entries[right])
    }
}

impl<L: Label, R: Output> Output for BreakdownSnapshot<L, R> {}

impl<L, R: Output> Serialize for BreakdownSnapshot<L, R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        NestedMap::of(&self.entries).serialize(serializer)
    }
}

/// An entry of a breakdown, with or without types.
pub(crate) trait HasLabels {
    fn labels(&self) -> &[Cow<'static, str>];
}

impl<R> HasLabels for (Vec<Cow<'static, str>>, R) {
    fn labels(&self) -> &[Cow<'static, str>] {
        &self.0
    }
}

pub(super) trait SerializeEntry: HasLabels {
    fn serialize_value<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error>;
}

impl<R: Output> SerializeEntry for (Vec<Cow<'static, str>>, R) {
    fn serialize_value<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_value(&SerializeOutput(&self.1))
    }
}

/// Serialises entries that agree in the first `depth` parts of their labels as a map by the next part.
///
/// Entries with the same text in that part must stand side by side. They do, because breakdowns order their labels part by
/// part, by index or by text.
pub(super) struct NestedMap<'a, E> {
    entries: &'a [E],
    depth: usize,
}

impl<'a, E: SerializeEntry> NestedMap<'a, E> {
    pub(super) fn of(entries: &'a [E]) -> Self {
        Self { entries, depth: 0 }
    }
}

impl<E: SerializeEntry> Serialize for NestedMap<'_, E> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let depth = self.depth;
        let groups =
            || self.entries.chunk_by(|left, right| left.labels().get(depth) == right.labels().get(depth));
        let mut map = serializer.serialize_map(Some(groups().count()))?;
        for entries in groups() {
            let Some(first) = entries.first() else { continue };
            map.serialize_key(first.labels().get(depth).map_or("", |text| text.as_ref()))?;
            if depth + 1 < first.labels().len() {
                map.serialize_value(&NestedMap { entries, depth: depth + 1 })?;
            } else {
                first.serialize_value(&mut map)?;
            }
        }
        map.end()
    }
}

impl<'de, L: Label, R: Output> Deserialize<'de> for BreakdownSnapshot<L, R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut entries = Vec::new();
        EntriesOfMap { parts: L::PARTS, path: &mut Vec::new(), entries: &mut entries }
            .deserialize(deserializer)?;
        let fixed: HashSet<Vec<Cow<'static, str>>> = fixed_labels::<L>().into_iter().collect();
        let is_label = |texts: &Vec<Cow<'static, str>>| match L::CARDINALITY {
            Some(_) if !fixed.is_empty() => fixed.contains(texts),
            Some(_) => L::has_texts(texts),
            // Labels beyond the limit are counted under `other`.
            None => L::has_texts(texts) || texts.iter().all(|text| text == OTHER),
        };
        if let Some((unknown, _)) = entries.iter().find(|(texts, _)| !is_label(texts)) {
            return Err(de::Error::custom(format_args!("there is no label `{}`", unknown.join("`, `"))));
        }
        Ok(entries.into_iter().collect())
    }
}

/// Refuses a long text with further parts below it: every label below has a copy of the text, so a short input would take much
/// memory. Only an enum or a hand-written metric could have such a text. `parts` is the number of parts from this one on.
pub(super) fn check_part<E: de::Error>(parts: usize, text: &str) -> Result<(), E> {
    if parts > 1 && text.len() > MAX_LABEL_BYTES {
        return Err(E::custom(format_args!("a part of a label has more than {MAX_LABEL_BYTES} bytes")));
    }
    Ok(())
}

/// Collects the entries of a map that is nested `parts` deep.
struct EntriesOfMap<'a, R> {
    parts: usize,
    path: &'a mut Vec<Cow<'static, str>>,
    entries: &'a mut Vec<(Vec<Cow<'static, str>>, R)>,
}

impl<'de, R: Output> DeserializeSeed<'de> for EntriesOfMap<'_, R> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, R: Output> Visitor<'de> for EntriesOfMap<'_, R> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a map from labels to values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(text) = map.next_key::<String>()? {
            if !seen.insert(text.clone()) {
                return Err(de::Error::custom(format_args!("the label `{text}` stands twice")));
            }
            check_part(self.parts, &text)?;
            self.path.push(Cow::Owned(text.clone()));
            if self.parts > 1 {
                let (path, entries) = (&mut *self.path, &mut *self.entries);
                let labels = EntriesOfMap { parts: self.parts - 1, path, entries };
                map.next_value_seed(labels).map_err(named(&text))?;
            } else {
                let DeserializeOutput(output) = map.next_value().map_err(named(&text))?;
                self.entries.push((self.path.clone(), output));
            }
            self.path.pop();
        }
        Ok(())
    }
}
