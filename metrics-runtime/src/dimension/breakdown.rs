//! Breakdowns: one dimension for each label.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::marker::PhantomData;

use crate::descriptor::DimensionKind;
use crate::label::{BoundedLabel, Label, LabelPart, OTHER, ToLabel};
use crate::snapshot::{BreakdownEntry, BreakdownSnapshot, DimensionValue};

use super::Dimension;

/// Beyond this many combinations of labels, a slot for each of them costs more than looking them up.
const MOST_SLOTS: usize = 4096;

/// One dimension `D` for each label `L`.
///
/// Fed with `by`, and with what `D` needs; reads as a [`BreakdownSnapshot`] that is empty in the beginning. Labels of
/// an enum with `#[derive(Label)]`, of `bool` and of tuples of these are found by index and read in the order of their
/// declaration. Open labels, such as strings, need `limit = N`: they are read in the order of their texts, and a label
/// beyond the limit, or of more than 256 bytes, is counted in the label `other`.
///
/// ```
/// use mvx_metrics::{Breakdown, Counter, HandleEvent, Label, Max, Metric, metric_event};
///
/// #[derive(Label)]
/// enum Size {
///     Small,
///     Large,
/// }
///
/// #[metric_event]
/// struct ParcelSent {
///     size: Size,
///     country: String,
///     grams: u64,
/// }
///
/// #[derive(Metric, Default)]
/// #[metric(on(ParcelSent))]
/// struct Parcels {
///     #[dimension(by = size)]
///     by_size: Breakdown<Size, Counter>,
///     #[dimension(by = country, limit = 2, value = grams)]
///     heaviest: Breakdown<String, Max<u64>>,
/// }
///
/// let mut parcels = Parcels::default();
/// for (country, grams) in [("fr", 900), ("pl", 20), ("fr", 5), ("is", 70)] {
///     let size = if grams < 100 { Size::Small } else { Size::Large };
///     parcels.handle(&ParcelSent { size, country: country.to_owned(), grams });
/// }
/// assert_eq!(parcels.by_size.get(Size::Small).map(Counter::get), Some(3));
/// let json = serde_json::to_value(parcels.snapshot())?;
/// assert_eq!(json["dimensions"]["heaviest"], serde_json::json!({"fr": 900, "pl": 20, "other": 70}));
/// # Ok::<(), serde_json::Error>(())
/// ```
pub struct Breakdown<L, D> {
    table: Table<D>,
    label: PhantomData<fn() -> L>,
}

enum Table<D> {
    Untouched,
    Slots(Box<[Option<D>]>),
    Open(Box<OpenTable<D>>),
}

/// A hash table that is only added to. `index` holds positions in `entries` plus one, 0 for free; its length is a power
/// of two and at least twice the number of entries.
struct OpenTable<D> {
    hasher: RandomState,
    index: Vec<u32>,
    entries: Vec<Entry<D>>,
    other: Option<D>,
}

struct Entry<D> {
    hash: u64,
    key: Key,
    dimension: D,
}

/// The parts of a label; one part is kept without an allocation of its own.
enum Key {
    One([LabelPart; 1]),
    Many(Box<[LabelPart]>),
}

impl Key {
    fn parts(&self) -> &[LabelPart] {
        match self {
            Self::One(part) => part,
            Self::Many(parts) => parts,
        }
    }
}

impl<L: Label, D: Default> Breakdown<L, D> {
    /// Feeds the dimension of a label that has a fixed number of values; what `feed` returns.
    #[inline]
    pub fn feed(&mut self, label: impl ToLabel<L>, feed: impl FnOnce(&mut D) -> bool) -> bool
    where
        L: BoundedLabel,
    {
        self.feed_within(label, usize::MAX, feed)
    }

    /// Feeds the dimension of a label, or `other` when there are `limit` labels already; what `feed` returns.
    ///
    /// A label of which nothing was accepted yet does not take one of the places.
    #[inline]
    #[expect(clippy::needless_pass_by_value, reason = "labels are references or small")]
    pub fn feed_within(
        &mut self,
        label: impl ToLabel<L>,
        limit: usize,
        feed: impl FnOnce(&mut D) -> bool,
    ) -> bool {
        if const { uses_slots::<L>() } {
            if let Table::Untouched = self.table {
                self.table = Table::Slots(slots::<L, D>());
            }
            let Table::Slots(slots) = &mut self.table else { return false };
            return slots.get_mut(label.index()).is_some_and(|slot| feed_slot(slot, feed));
        }
        if let Table::Untouched = self.table {
            self.table = Table::Open(Box::new(OpenTable::new()));
        }
        let Table::Open(table) = &mut self.table else { return false };
        table.feed::<L>(&label, limit, feed)
    }

    /// The dimension of a label that was fed before.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "labels are references or small")]
    pub fn get(&self, label: impl ToLabel<L>) -> Option<&D> {
        match &self.table {
            Table::Untouched => None,
            Table::Slots(slots) => slots.get(label.index())?.as_ref(),
            Table::Open(table) => {
                let position = table.find(table.hash(&label), |parts| label.matches(parts)).ok()?;
                table.entries.get(position).map(|entry| &entry.dimension)
            }
        }
    }
}

/// Whether each label has a slot, so that there is nothing to limit.
pub(crate) const fn uses_slots<L: Label>() -> bool {
    matches!(L::CARDINALITY, Some(cardinality) if cardinality <= MOST_SLOTS)
}

#[cold]
fn slots<L: Label, D>() -> Box<[Option<D>]> {
    (0..L::CARDINALITY.unwrap_or(0)).map(|_| None).collect()
}

/// Feeds the dimension in a slot; one that accepts nothing does not come into being.
#[inline]
fn feed_slot<D: Default>(slot: &mut Option<D>, feed: impl FnOnce(&mut D) -> bool) -> bool {
    if let Some(dimension) = slot {
        return feed(dimension);
    }
    let mut dimension = D::default();
    let accepted = feed(&mut dimension);
    if accepted {
        *slot = Some(dimension);
    }
    accepted
}

impl<D: Default> OpenTable<D> {
    fn new() -> Self {
        Self { hasher: RandomState::new(), index: vec![0; 8], entries: Vec::new(), other: None }
    }

    fn hash<L: Label>(&self, label: &impl ToLabel<L>) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        label.hash_label(&mut hasher);
        hasher.finish()
    }

    /// The position of the entry, or the free place in the index where it belongs.
    fn find(&self, hash: u64, matches: impl Fn(&[LabelPart]) -> bool) -> Result<usize, usize> {
        let mask = self.index.len() - 1;
        #[expect(clippy::cast_possible_truncation, reason = "any bits of the hash will do")]
        let mut place = hash as usize & mask;
        loop {
            let Some(position) = (self.index[place] as usize).checked_sub(1) else { return Err(place) };
            let entry = &self.entries[position];
            if entry.hash == hash && matches(entry.key.parts()) {
                return Ok(position);
            }
            place = (place + 1) & mask;
        }
    }

    fn feed<L: Label>(
        &mut self,
        label: &impl ToLabel<L>,
        limit: usize,
        feed: impl FnOnce(&mut D) -> bool,
    ) -> bool {
        let hash = self.hash(label);
        match self.find(hash, |parts| label.matches(parts)) {
            Ok(position) => feed(&mut self.entries[position].dimension),
            Err(_) if self.entries.len() >= limit || !label.fits() => feed_slot(&mut self.other, feed),
            Err(place) => self.feed_new(label, hash, place, feed),
        }
    }

    #[cold]
    fn feed_new<L: Label>(
        &mut self,
        label: &impl ToLabel<L>,
        hash: u64,
        place: usize,
        feed: impl FnOnce(&mut D) -> bool,
    ) -> bool {
        let mut parts = Vec::with_capacity(L::PARTS);
        label.push_parts(&mut parts);
        if parts.iter().all(|part| *part.text() == *OTHER) {
            return feed_slot(&mut self.other, feed);
        }
        let mut dimension = None;
        if !feed_slot(&mut dimension, feed) {
            return false;
        }
        let key = match <[LabelPart; 1]>::try_from(parts) {
            Ok(part) => Key::One(part),
            Err(parts) => Key::Many(parts.into()),
        };
        self.entries.extend(dimension.map(|dimension| Entry { hash, key, dimension }));
        self.index[place] = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        if self.entries.len() * 2 >= self.index.len() {
            self.grow();
        }
        true
    }

    fn grow(&mut self) {
        self.index = vec![0; self.index.len() * 2];
        for position in 0..self.entries.len() {
            if let Err(place) = self.find(self.entries[position].hash, |_| false) {
                self.index[place] = u32::try_from(position + 1).unwrap_or(u32::MAX);
            }
        }
    }
}

impl<L: Label, D> Breakdown<L, D> {
    /// Every label with its dimension: in the order of declaration, or of the texts for open labels.
    fn entries(&self) -> Vec<(Vec<LabelPart>, &D)> {
        match &self.table {
            Table::Untouched => Vec::new(),
            Table::Slots(slots) => {
                let fed = slots.iter().enumerate().filter_map(|(index, slot)| Some((index, slot.as_ref()?)));
                let entries = fed.map(|(index, dimension)| {
                    let mut parts = Vec::with_capacity(L::PARTS);
                    L::push_parts_of_index(index, &mut parts);
                    (parts, dimension)
                });
                entries.collect()
            }
            Table::Open(table) => {
                let entries =
                    table.entries.iter().map(|entry| (entry.key.parts().to_vec(), &entry.dimension));
                let other = table.other.iter().map(|other| (vec![LabelPart::Fixed(OTHER); L::PARTS], other));
                let mut entries: Vec<_> = entries.chain(other).collect();
                entries.sort_by_cached_key(|(parts, _)| texts(parts));
                entries
            }
        }
    }

    fn dimensions(&self) -> impl Iterator<Item = &D> {
        let (slots, table): (&[Option<D>], _) = match &self.table {
            Table::Untouched => (&[], None),
            Table::Slots(slots) => (slots, None),
            Table::Open(table) => (&[], Some(table)),
        };
        let open = table
            .into_iter()
            .flat_map(|table| table.entries.iter().map(|entry| &entry.dimension).chain(&table.other));
        slots.iter().flatten().chain(open)
    }
}

fn texts(parts: &[LabelPart]) -> Vec<std::borrow::Cow<'static, str>> {
    parts.iter().map(LabelPart::text).collect()
}

impl<L: Label, D: Dimension> Dimension for Breakdown<L, D> {
    type Output = BreakdownSnapshot<L, D::Output>;
    const KIND: DimensionKind = D::KIND;
    const UNIT: Option<&'static str> = D::UNIT;

    fn read(&self) -> Self::Output {
        self.entries().into_iter().map(|(parts, dimension)| (texts(&parts), dimension.read())).collect()
    }

    fn value(&self) -> DimensionValue {
        let entries = self.entries().into_iter();
        let entries = entries
            .map(|(parts, dimension)| BreakdownEntry { labels: texts(&parts), value: dimension.value() });
        DimensionValue::Breakdown(entries.collect())
    }

    fn invalid(&self) -> u64 {
        self.dimensions().fold(0, |invalid, dimension| invalid.saturating_add(dimension.invalid()))
    }
}

impl<L, D> Default for Breakdown<L, D> {
    fn default() -> Self {
        Self { table: Table::Untouched, label: PhantomData }
    }
}

impl<L: Label, D: fmt::Debug> fmt::Debug for Breakdown<L, D> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.entries();
        formatter.debug_map().entries(entries.iter().map(|(parts, value)| (texts(parts), value))).finish()
    }
}
