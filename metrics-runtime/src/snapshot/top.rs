//! The snapshot of the largest labels.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, Deserializer};
use serde::ser::{Serialize, SerializeSeq, SerializeStruct, Serializer};

use super::breakdown::{HasLabels, positions};
use super::merge::Merge;
use super::output::{DeserializeOutput, Output, SerializeOutput};
use super::value::{BreakdownEntry, DimensionValue};
use crate::label::{Label, MAX_LABEL_BYTES, OTHER, ToLabel, texts_of};
use crate::number::{Arithmetic, Number, NumberType};

/// The largest number of labels that a [`Top`](crate::Top) keeps.
pub(crate) const MAX_KEPT_LABELS: usize = 65_536;

/// The largest labels, each with the sum of its values and the error of that sum.
///
/// The entries stand in descending order of their values. Labels with equal values stand in the order of their texts. A
/// value is never below the true one, and at most [`error`](TopEntry::error) above it. A label that is not there has had at
/// most [`unseen`](Self::unseen).
///
/// Each label with more than one part in `keep` of the whole is there. This holds for merged snapshots as well. Of two
/// snapshots with a different `keep`, the smaller one holds for both.
///
/// Serialises as `{"keep", "unseen", "entries": [{"labels", "value", "error"}]}`, where `labels` has the texts of the label's
/// parts. An input is refused when it names a label twice, or when it has more than `keep` entries, an error above `unseen` or a
/// value below `unseen`: no recorder shows these.
///
/// ```
/// use mvx_metrics::{Counter, HandleEvent, Merge, Metric, Top, TypedMetric, metric_event};
///
/// #[metric_event]
/// struct Played {
///     song: &'static str,
/// }
///
/// #[derive(Metric, Default)]
/// #[metric(on(Played))]
/// struct Charts {
///     #[dimension(by = song, keep = 2)]
///     songs: Top<String, Counter>,
/// }
///
/// let mut metric = Charts::default();
/// for song in ["blue", "red", "blue", "green", "blue"] {
///     metric.handle(&Played { song });
/// }
/// let songs = metric.typed_snapshot().songs;
/// let shown: Vec<_> = songs.iter().map(|entry| (entry.labels.join(", "), entry.value, entry.error)).collect();
/// // `green` took the place of `red`, so up to one of its two may have been for a label that is gone.
/// assert_eq!(shown, [("blue".to_owned(), 3, 0), ("green".to_owned(), 2, 1)]);
/// assert_eq!(songs.get("green").map(|entry| entry.at_least()), Some(1));
/// assert_eq!((songs.get("red"), songs.unseen(), songs.keep()), (None, 1, 2));
///
/// let json = serde_json::to_value(&songs)?;
/// assert_eq!(json["entries"][0], serde_json::json!({"labels": ["blue"], "value": 3, "error": 0}));
///
/// let mut both = songs.clone();
/// both.merge(&songs);
/// assert_eq!(both.get("blue").map(|entry| entry.value), Some(6));
/// # Ok::<(), serde_json::Error>(())
/// ```
pub struct TopSnapshot<L, R> {
    /// In the order that the type documents.
    entries: Vec<TopEntry<R>>,
    /// 0 when the dimension has had no event, and nothing says how many labels it keeps.
    keep: usize,
    unseen: R,
    label: PhantomData<fn() -> L>,
}

/// One of the largest labels.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TopEntry<R> {
    /// The text of each part of the label.
    pub labels: Vec<Cow<'static, str>>,
    /// The sum of the label's values, or more: up to `error` of it may belong to labels that are not kept.
    pub value: R,
    /// How much the value may be too large.
    pub error: R,
}

impl<R: Arithmetic> TopEntry<R> {
    /// The value without its error: the true one is not below it.
    #[must_use]
    pub fn at_least(&self) -> R {
        self.value.minus(self.error)
    }
}

impl<R> HasLabels for TopEntry<R> {
    fn labels(&self) -> &[Cow<'static, str>] {
        &self.labels
    }
}

impl<L: Label, R> TopSnapshot<L, R> {
    /// The entry of a label; `None` when it is not among the largest ones.
    ///
    /// A label of more than 256 bytes is counted under `other`.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "labels are references or small")]
    pub fn get(&self, label: impl ToLabel<L>) -> Option<&TopEntry<R>> {
        if !label.is_present() {
            return None;
        }
        let texts = texts_of(&label);
        self.iter().find(|entry| entry.labels == texts)
    }
}

impl<L, R> TopSnapshot<L, R> {
    /// The entries in descending order of their values.
    pub fn iter(&self) -> std::slice::Iter<'_, TopEntry<R>> {
        self.entries.iter()
    }

    /// The number of labels.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no labels.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many labels are kept at most.
    #[must_use]
    pub fn keep(&self) -> usize {
        self.keep
    }
}

impl<L, R: Copy> TopSnapshot<L, R> {
    /// What a label that is not there has had at most.
    #[must_use]
    pub fn unseen(&self) -> R {
        self.unseen
    }
}

impl<L, R: PartialOrd> TopSnapshot<L, R> {
    pub(crate) fn of_entries(mut entries: Vec<TopEntry<R>>, keep: usize, unseen: R) -> Self {
        entries.sort_by(in_order);
        Self { entries, keep, unseen, label: PhantomData }
    }
}

/// The order of entries: the largest value first, then by text.
fn in_order<R: PartialOrd>(left: &TopEntry<R>, right: &TopEntry<R>) -> Ordering {
    let values = right.value.partial_cmp(&left.value).unwrap_or(Ordering::Equal);
    values.then_with(|| left.labels.cmp(&right.labels))
}

/// A label that one of the two does not have counts there as `unseen`, in its value and in its error. So no value falls below the
/// true one. The smaller `keep` holds for both: no `keep` values of one summary exceed its whole, so no `keep` values of the
/// merged one exceed the whole of both. A label that is cut off has therefore at most one part in `keep`.
impl<L, R: Arithmetic> Merge for TopSnapshot<L, R> {
    fn merge(&mut self, other: &Self) {
        if other.keep == 0 {
            return;
        }
        if self.keep == 0 {
            self.clone_from(other);
            return;
        }
        let own = self.entries.len();
        let others = positions(&self.entries, &other.entries);
        let mut is_in_both = vec![false; own];
        for (position, from) in others.into_iter().zip(&other.entries) {
            if let Some(index) = position {
                is_in_both[index] = true;
                self.entries[index].add(from.value, from.error);
            } else {
                let mut entry = from.clone();
                entry.add(self.unseen, self.unseen);
                self.entries.push(entry);
            }
        }
        for (entry, is_in_both) in self.entries.iter_mut().zip(is_in_both) {
            if !is_in_both {
                entry.add(other.unseen, other.unseen);
            }
        }
        self.unseen = self.unseen.plus(other.unseen);
        self.keep = self.keep.min(other.keep);
        self.entries.sort_by(in_order);
        if let Some(largest) = self.entries.get(self.keep).map(|cut| cut.value) {
            if largest > self.unseen {
                self.unseen = largest;
            }
            self.entries.truncate(self.keep);
        }
    }
}

impl<R: Arithmetic> TopEntry<R> {
    fn add(&mut self, value: R, error: R) {
        (self.value, self.error) = (self.value.plus(value), self.error.plus(error));
    }
}

impl<L, R: Into<Number>> TopSnapshot<L, R> {
    /// The same without types.
    pub(crate) fn without_types(self) -> TopSnapshot<(), Number> {
        let entries = self.entries.into_iter().map(|TopEntry { labels, value, error }| TopEntry {
            labels,
            value: value.into(),
            error: error.into(),
        });
        let entries = entries.collect();
        TopSnapshot { entries, keep: self.keep, unseen: self.unseen.into(), label: PhantomData }
    }
}

impl TopSnapshot<(), Number> {
    /// No labels, with the same type of numbers and the same limit.
    pub(super) fn emptied(&self) -> Self {
        Self {
            entries: Vec::new(),
            keep: self.keep,
            unseen: self.unseen.minus(self.unseen),
            label: PhantomData,
        }
    }

    /// The values and the errors as breakdowns, in the order of the texts: their series keep their places while values change.
    #[allow(dead_code, reason = "the feature `openmetrics` uses it")]
    pub(crate) fn as_breakdowns(&self) -> (DimensionValue, DimensionValue) {
        let mut entries: Vec<_> = self.entries.iter().collect();
        entries.sort_by(|left, right| left.labels.cmp(&right.labels));
        let breakdown = |number: fn(&TopEntry<Number>) -> Number| {
            let entry = |entry: &&TopEntry<Number>| BreakdownEntry {
                labels: entry.labels.clone(),
                value: number(entry).into(),
            };
            DimensionValue::Breakdown(entries.iter().map(entry).collect())
        };
        (breakdown(|entry| entry.value), breakdown(|entry| entry.error))
    }
}

impl<L, R: Default> Default for TopSnapshot<L, R> {
    fn default() -> Self {
        Self { entries: Vec::new(), keep: 0, unseen: R::default(), label: PhantomData }
    }
}

impl<L, R: Clone> Clone for TopSnapshot<L, R> {
    fn clone(&self) -> Self {
        let Self { entries, keep, unseen, label } = self;
        Self { entries: entries.clone(), keep: *keep, unseen: unseen.clone(), label: *label }
    }
}

impl<L, R: fmt::Debug> fmt::Debug for TopSnapshot<L, R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut top = formatter.debug_struct("TopSnapshot");
        top.field("keep", &self.keep).field("unseen", &self.unseen).field("entries", &self.entries).finish()
    }
}

impl<L, R: PartialEq> PartialEq for TopSnapshot<L, R> {
    fn eq(&self, other: &Self) -> bool {
        self.keep == other.keep && self.unseen == other.unseen && self.entries == other.entries
    }
}

impl<'a, L, R> IntoIterator for &'a TopSnapshot<L, R> {
    type Item = &'a TopEntry<R>;
    type IntoIter = std::slice::Iter<'a, TopEntry<R>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<L: Label, R: Output + Arithmetic> Output for TopSnapshot<L, R> {
    const NUMBER: Option<NumberType> = R::NUMBER;
}

impl<L, R: Output> Serialize for TopSnapshot<L, R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut top = serializer.serialize_struct("TopSnapshot", 3)?;
        top.serialize_field("keep", &self.keep)?;
        top.serialize_field("unseen", &SerializeOutput(&self.unseen))?;
        top.serialize_field("entries", &Entries(&self.entries))?;
        top.end()
    }
}

struct Entries<'a, R>(&'a [TopEntry<R>]);

impl<R: Output> Serialize for Entries<'_, R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut entries = serializer.serialize_seq(Some(self.0.len()))?;
        for entry in self.0 {
            entries.serialize_element(&SerializeEntry(entry))?;
        }
        entries.end()
    }
}

struct SerializeEntry<'a, R>(&'a TopEntry<R>);

impl<R: Output> Serialize for SerializeEntry<'_, R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut entry = serializer.serialize_struct("TopEntry", 3)?;
        entry.serialize_field("labels", &self.0.labels)?;
        entry.serialize_field("value", &SerializeOutput(&self.0.value))?;
        entry.serialize_field("error", &SerializeOutput(&self.0.error))?;
        entry.end()
    }
}

impl<'de, L: Label, R: Output + Arithmetic> Deserialize<'de> for TopSnapshot<L, R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(deserializer, |texts| {
            let is_other = L::CARDINALITY.is_none() && texts.iter().all(|text| text == OTHER);
            texts.len() == L::PARTS && (is_other || L::has_texts(texts))
        })
    }
}

impl<R: Output + Arithmetic> TopSnapshot<(), R> {
    /// Reads a snapshot; its labels have this number of parts.
    pub(super) fn with_parts<'de, D: Deserializer<'de>>(
        deserializer: D,
        parts: usize,
    ) -> Result<Self, D::Error> {
        Self::read(deserializer, |texts| {
            texts.len() == parts && (parts == 1 || texts.iter().all(|text| text.len() <= MAX_LABEL_BYTES))
        })
    }
}

impl<L, R: Output + Arithmetic> TopSnapshot<L, R> {
    fn read<'de, D: Deserializer<'de>>(
        deserializer: D,
        is_label: impl Fn(&[Cow<'static, str>]) -> bool,
    ) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(rename = "TopSnapshot", bound = "R: Output", deny_unknown_fields)]
        struct Fields<R> {
            keep: usize,
            unseen: DeserializeOutput<R>,
            entries: Vec<EntryFields<R>>,
        }

        #[derive(serde::Deserialize)]
        #[serde(rename = "TopEntry", bound = "R: Output", deny_unknown_fields)]
        struct EntryFields<R> {
            labels: Vec<Cow<'static, str>>,
            value: DeserializeOutput<R>,
            error: DeserializeOutput<R>,
        }

        let Fields { keep, unseen: DeserializeOutput(unseen), entries } =
            Fields::<R>::deserialize(deserializer)?;
        let entries: Vec<_> = (entries.into_iter())
            .map(|EntryFields { labels, value, error }| TopEntry { labels, value: value.0, error: error.0 })
            .collect();
        let top = Self::of_entries(entries, keep, unseen);
        top.check(is_label).map_err(de::Error::custom)?;
        Ok(top)
    }

    /// The mistake in a snapshot that was read.
    fn check(&self, is_label: impl Fn(&[Cow<'static, str>]) -> bool) -> Result<(), String> {
        if self.keep > MAX_KEPT_LABELS {
            return Err(format!("`keep` is above {MAX_KEPT_LABELS}"));
        }
        // A merge ignores a snapshot with `keep` 0, because it has had no event.
        if self.keep == 0 && self.unseen != self.unseen.minus(self.unseen) {
            return Err("`keep` is 0, so `unseen` must be 0".to_owned());
        }
        if self.entries.len() > self.keep {
            return Err(format!("there are {} labels, and `keep` is {}", self.entries.len(), self.keep));
        }
        let mut seen = HashSet::new();
        for TopEntry { labels, value, error } in &self.entries {
            let problem = if !is_label(labels) {
                return Err(format!("there is no label `{}`", labels.join("`, `")));
            } else if !seen.insert(labels) {
                "stands twice"
            } else if error > value {
                "has an error above its value"
            } else if *error > self.unseen {
                "has an error above `unseen`"
            } else if *value < self.unseen {
                "has a value below `unseen`"
            } else {
                continue;
            };
            return Err(format!("the label `{}` {problem}", labels.join("`, `")));
        }
        Ok(())
    }
}
