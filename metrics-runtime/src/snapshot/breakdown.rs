//! The snapshot of a breakdown.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, DeserializeSeed, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde::{Deserialize, Deserializer};

use super::output::{DeserializeOutput, Output, SerializeOutput};
use crate::label::{Label, LabelPart, ToLabel};

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
///     #[dimension(by = (status, cached), limit = 50)]
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
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "labels are references or small")]
    pub fn get(&self, label: impl ToLabel<L>) -> Option<&R> {
        let mut parts = Vec::with_capacity(L::PARTS);
        label.push_parts(&mut parts);
        let texts: Vec<_> = parts.iter().map(LabelPart::text).collect();
        self.iter().find(|(candidate, _)| *candidate == texts).map(|(_, output)| output)
    }
}

impl<L, R> BreakdownSnapshot<L, R> {
    /// Each label, as the texts of its parts, with its value.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&[Cow<'static, str>], &R)> {
        self.entries.iter().map(|(texts, output)| (texts.as_slice(), output))
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

impl<L, R> FromIterator<(Vec<Cow<'static, str>>, R)> for BreakdownSnapshot<L, R> {
    fn from_iter<I: IntoIterator<Item = (Vec<Cow<'static, str>>, R)>>(entries: I) -> Self {
        Self { entries: entries.into_iter().collect(), label: PhantomData }
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
pub(super) trait SerializeEntry {
    fn labels(&self) -> &[Cow<'static, str>];
    fn serialize_value<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error>;
}

impl<R: Output> SerializeEntry for (Vec<Cow<'static, str>>, R) {
    fn labels(&self) -> &[Cow<'static, str>] {
        &self.0
    }

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
        Ok(entries.into_iter().collect())
    }
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
            self.path.push(Cow::Owned(text));
            if self.parts > 1 {
                let (path, entries) = (&mut *self.path, &mut *self.entries);
                map.next_value_seed(EntriesOfMap { parts: self.parts - 1, path, entries })?;
            } else {
                let DeserializeOutput(output) = map.next_value()?;
                self.entries.push((self.path.clone(), output));
            }
            self.path.pop();
        }
        Ok(())
    }
}
