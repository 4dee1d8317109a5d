//! Breakdowns: one dimension for each label.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use crate::descriptor::{DimensionKind, MergeRule};
use crate::label::{BoundedLabel, Label, OTHER, ToLabel, is_indexed, texts_of_index};
use crate::snapshot::{BreakdownEntry, BreakdownSnapshot, DimensionValue};

use super::label_table::{LabelTable, is_other};
use super::{BucketLayout, BucketedReading, Dimension, Shape};

/// A breakdown shows all labels of a type from the beginning if there are at most this many.
const MAX_ZERO_LABELS: usize = 64;

/// One dimension `D` for each label `L`, or one metric with all its dimensions.
///
/// Updated with `by`, and with what `D` needs. It ignores an event with the label `None`. In a snapshot it is a
/// [`BreakdownSnapshot`].
///
/// * Labels of an enum with `#[derive(Label)]`, of `bool`, and of tuples of these are found by index. A snapshot shows them
///   in the order of their declaration. If there are at most 64, and `D` counts something, all of them are there from the
///   beginning, with 0; the option `zeros = off` shows them only after their first event.
/// * Labels of all other types, such as strings, need `limit = N`. A snapshot shows them in the order of their texts. A new
///   label beyond the limit, and every label of more than 256 bytes, is counted under the label `other`.
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
///
/// `D` may also be a metric with `#[derive(Metric, Default)]` that listens to the same events. Then there is one table of
/// labels, and each label has all dimensions of that metric. A snapshot without types shows each of them as a breakdown, named
/// `<field>_<dimension>`:
///
/// ```
/// use mvx_metrics::{Breakdown, Counter, HandleEvent, Max, Metric, TypedMetric, metric_event};
///
/// #[metric_event]
/// struct Request {
///     host: String,
///     bytes: u64,
/// }
///
/// #[derive(Metric, Default)]
/// #[metric(on(Request))]
/// struct HostStats {
///     requests: Counter,
///     #[dimension(value = bytes)]
///     largest: Max<u64>,
/// }
///
/// #[derive(Metric, Default)]
/// #[metric(on(Request))]
/// struct Requests {
///     #[dimension(by = host, limit = 100)]
///     per_host: Breakdown<String, HostStats>,
/// }
///
/// let mut requests = Requests::default();
/// for (host, bytes) in [("a", 7), ("b", 1), ("a", 9)] {
///     requests.handle(&Request { host: host.to_owned(), bytes });
/// }
/// let snapshot = requests.typed_snapshot();
/// assert_eq!(snapshot.per_host.get("a").map(|host| host.requests), Some(2));
/// assert_eq!(
///     serde_json::to_value(&snapshot)?,
///     serde_json::json!({
///         "per_host_requests": {"a": 2, "b": 1},
///         "per_host_largest": {"a": 9, "b": 1},
///     })
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
pub struct Breakdown<L, D> {
    dimensions: LabelMap<D>,
    label: PhantomData<fn() -> L>,
}

/// Nothing is allocated before the first event.
enum LabelMap<D> {
    Empty,
    /// One slot for each possible label, in the order of [`ToLabel::index`].
    Indexed(Box<[Option<D>]>),
    Hashed(Box<HashTable<D>>),
}

/// One dimension for each label, and one for the labels that are counted together.
struct HashTable<D> {
    labels: LabelTable<D>,
    other: Option<D>,
    /// The largest limit with which a label was added.
    limit: usize,
}

impl<L: Label, D: Default> Breakdown<L, D> {
    /// Updates the dimension of a label; returns the result of `update`.
    ///
    /// This is for label types with a fixed number of values. Other types need a limit:
    /// [`update_within`](Self::update_within).
    #[inline]
    pub fn update(&mut self, label: impl ToLabel<L>, update: impl FnOnce(&mut D) -> bool) -> bool
    where
        L: BoundedLabel,
    {
        self.update_within(label, usize::MAX, update)
    }

    /// Updates the dimension of a label, or of `other` when the label is new and there are `limit` labels already; returns
    /// the result of `update`.
    ///
    /// A new label is kept only if `update` returns `true`. A label that is `None` updates nothing: the result is `false`.
    #[inline]
    #[expect(clippy::needless_pass_by_value, reason = "labels are references or small")]
    pub fn update_within(
        &mut self,
        label: impl ToLabel<L>,
        limit: usize,
        update: impl FnOnce(&mut D) -> bool,
    ) -> bool {
        if !label.is_present() {
            return false;
        }
        if const { is_indexed::<L>() } {
            let index = label.index();
            if let LabelMap::Indexed(slots) = &mut self.dimensions
                && let Some(Some(dimension)) = slots.get_mut(index)
            {
                return update(dimension);
            }
            return self.update_new(index, update);
        }
        if let LabelMap::Empty = self.dimensions {
            self.dimensions = LabelMap::Hashed(Box::new(HashTable::new()));
        }
        let LabelMap::Hashed(table) = &mut self.dimensions else { return false };
        table.update::<L>(&label, limit, update)
    }

    /// Updates the dimension of an indexed label that no event has had yet.
    #[cold]
    #[inline(never)]
    fn update_new(&mut self, index: usize, update: impl FnOnce(&mut D) -> bool) -> bool {
        let mut dimension = D::default();
        update(&mut dimension) && self.insert(index, dimension)
    }

    /// Adds the dimension of an indexed label. `false` when the type has no label with that index.
    fn insert(&mut self, index: usize, dimension: D) -> bool {
        if let LabelMap::Empty = self.dimensions {
            self.dimensions = LabelMap::Indexed(empty_slots::<L, D>());
        }
        let LabelMap::Indexed(slots) = &mut self.dimensions else { return false };
        slots.get_mut(index).is_some_and(|slot| {
            *slot = Some(dimension);
            true
        })
    }

    /// The dimension of a label; `None` when no event with this label was accepted, or when it was counted under `other`.
    ///
    /// For a label of strings, `other` itself is such a label: `get("other")`.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "labels are references or small")]
    pub fn get(&self, label: impl ToLabel<L>) -> Option<&D> {
        if !label.is_present() {
            return None;
        }
        match &self.dimensions {
            LabelMap::Empty => None,
            LabelMap::Indexed(slots) => slots.get(label.index())?.as_ref(),
            LabelMap::Hashed(table) => {
                let labels = &table.labels;
                if let Ok(position) = labels.find(labels.hash(&label), |parts| label.matches(parts)) {
                    return Some(&labels.entries()[position].value);
                }
                let mut parts = Vec::with_capacity(L::PARTS);
                label.push_parts(&mut parts);
                if is_other(&parts) { table.other.as_ref() } else { None }
            }
        }
    }
}

fn empty_slots<L: Label, D>() -> Box<[Option<D>]> {
    (0..L::CARDINALITY.unwrap_or(0)).map(|_| None).collect()
}

/// Updates the dimension in a slot. An empty slot stays empty unless the new dimension accepts the update.
#[inline]
fn update_or_insert<D: Default>(slot: &mut Option<D>, update: impl FnOnce(&mut D) -> bool) -> bool {
    if let Some(dimension) = slot {
        return update(dimension);
    }
    let mut dimension = D::default();
    let accepted = update(&mut dimension);
    if accepted {
        *slot = Some(dimension);
    }
    accepted
}

impl<D: Default> HashTable<D> {
    fn new() -> Self {
        Self { labels: LabelTable::new(), other: None, limit: 0 }
    }

    fn update<L: Label>(
        &mut self,
        label: &impl ToLabel<L>,
        limit: usize,
        update: impl FnOnce(&mut D) -> bool,
    ) -> bool {
        let hash = self.labels.hash(label);
        match self.labels.find(hash, |parts| label.matches(parts)) {
            Ok(position) => update(self.labels.value_mut(position)),
            Err(_) if self.labels.entries().len() >= limit || !label.fits() => {
                update_or_insert(&mut self.other, update)
            }
            Err(slot) => self.insert(label, hash, slot, limit, update),
        }
    }

    #[cold]
    fn insert<L: Label>(
        &mut self,
        label: &impl ToLabel<L>,
        hash: u64,
        slot: usize,
        limit: usize,
        update: impl FnOnce(&mut D) -> bool,
    ) -> bool {
        let mut parts = Vec::with_capacity(L::PARTS);
        label.push_parts(&mut parts);
        if is_other(&parts) {
            return update_or_insert(&mut self.other, update);
        }
        let mut dimension = None;
        update_or_insert(&mut dimension, update);
        let Some(dimension) = dimension else { return false };
        self.limit = self.limit.max(limit);
        self.labels.insert(slot, hash, parts, dimension);
        true
    }
}

impl<D> HashTable<D> {
    /// Takes over the labels of another table. A new label for which there is no room is counted under `other`.
    fn absorb(&mut self, shard: &mut Self, absorb: fn(&mut D, &mut D)) {
        self.limit = self.limit.max(shard.limit);
        for mut entry in shard.labels.take_entries() {
            match self.labels.find_like(&entry) {
                Ok(position) => absorb(self.labels.value_mut(position), &mut entry.value),
                Err(slot) if self.labels.entries().len() < self.limit => {
                    self.labels.insert_entry(slot, entry);
                }
                Err(_) => absorb_or_keep(&mut self.other, Some(entry.value), absorb),
            }
        }
        absorb_or_keep(&mut self.other, shard.other.take(), absorb);
    }
}

/// Absorbs the dimension of a shard, or takes it as it is.
fn absorb_or_keep<D>(slot: &mut Option<D>, shard: Option<D>, absorb: fn(&mut D, &mut D)) {
    match (slot, shard) {
        (_, None) => {}
        (Some(dimension), Some(mut shard)) => absorb(dimension, &mut shard),
        (slot, shard) => *slot = shard,
    }
}

impl<L, D> Breakdown<L, D> {
    /// Takes over the labels of a shard; `absorb` takes over what it has recorded for one of them.
    pub(crate) fn absorb_labels(&mut self, shard: &mut Self, absorb: fn(&mut D, &mut D)) {
        match (&mut self.dimensions, &mut shard.dimensions) {
            (LabelMap::Indexed(slots), LabelMap::Indexed(shards)) => {
                for (slot, shard) in slots.iter_mut().zip(shards) {
                    absorb_or_keep(slot, shard.take(), absorb);
                }
            }
            (LabelMap::Hashed(table), LabelMap::Hashed(shard)) => table.absorb(shard, absorb),
            (_, LabelMap::Empty) => {}
            (own, shard) => *own = std::mem::replace(shard, LabelMap::Empty),
        }
    }
}

impl<L: Label, D> Breakdown<L, D> {
    /// Reads each label: in the order of declaration where labels are indexed, else in the order of the texts.
    ///
    /// A label that the type knows and that no event has had yet gets the value of `zero`, if there is one.
    pub(crate) fn read_labels<R, E>(
        &self,
        zero: impl Fn() -> Option<R>,
        read: impl Fn(&D) -> R,
        entry: impl Fn(Vec<Cow<'static, str>>, R) -> E,
    ) -> Vec<E> {
        let slots: &[Option<D>] = match &self.dimensions {
            LabelMap::Hashed(_) => {
                let seen = self.seen().into_iter();
                return seen.map(|(texts, dimension)| entry(texts, read(dimension))).collect();
            }
            LabelMap::Indexed(slots) => slots,
            LabelMap::Empty => &[],
        };
        let has_zeros = const { matches!(L::CARDINALITY, Some(count) if count <= MAX_ZERO_LABELS) };
        let count = if has_zeros { L::CARDINALITY.unwrap_or(0) } else { slots.len() };
        let mut entries = Vec::with_capacity(if has_zeros { count } else { 0 });
        for index in 0..count {
            let value = match slots.get(index) {
                Some(Some(dimension)) => Some(read(dimension)),
                _ if has_zeros => zero(),
                _ => None,
            };
            let Some(value) = value else { continue };
            entries.push(entry(texts_of_index::<L>(index), value));
        }
        entries
    }
}

impl<L: Label, D: Dimension> Breakdown<L, D> {
    fn read_outputs(
        &self,
        zero: impl Fn() -> Option<D::Output>,
        read: impl Fn(&D) -> D::Output,
    ) -> BreakdownSnapshot<L, D::Output> {
        BreakdownSnapshot::of_entries(self.read_labels(zero, read, |texts, output| (texts, output)))
    }

    fn read_values(
        &self,
        zero: impl Fn() -> Option<DimensionValue>,
        read: impl Fn(&D) -> DimensionValue,
    ) -> DimensionValue {
        DimensionValue::Breakdown(
            self.read_labels(zero, read, |labels, value| BreakdownEntry { labels, value }),
        )
    }

    /// Reads the labels that events have had.
    pub(crate) fn read_seen(&self) -> BreakdownSnapshot<L, D::Output> {
        self.read_outputs(|| None, D::read)
    }

    /// The same without types.
    pub(crate) fn read_seen_value(&self) -> DimensionValue {
        self.read_values(|| None, D::read_value)
    }
}

impl<L: Label, D> Breakdown<L, D> {
    /// The labels that events have had: in the order of declaration where labels are indexed, else in the order of the texts.
    fn seen(&self) -> Vec<(Vec<Cow<'static, str>>, &D)> {
        match &self.dimensions {
            LabelMap::Empty => Vec::new(),
            LabelMap::Indexed(slots) => {
                let seen = slots.iter().enumerate().filter_map(|(index, slot)| Some((index, slot.as_ref()?)));
                seen.map(|(index, dimension)| (texts_of_index::<L>(index), dimension)).collect()
            }
            LabelMap::Hashed(table) => {
                let labels = table.labels.entries().iter().map(|entry| (entry.texts(), &entry.value));
                let other = table.other.iter().map(|other| (vec![OTHER.into(); L::PARTS], other));
                let mut labels: Vec<_> = labels.chain(other).collect();
                labels.sort_by(|(left, _), (right, _)| left.cmp(right));
                labels
            }
        }
    }

    pub(crate) fn dimensions(&self) -> impl Iterator<Item = &D> {
        let (slots, table): (&[Option<D>], _) = match &self.dimensions {
            LabelMap::Empty => (&[], None),
            LabelMap::Indexed(slots) => (slots, None),
            LabelMap::Hashed(table) => (&[], Some(table)),
        };
        let hashed = table
            .into_iter()
            .flat_map(|table| table.labels.entries().iter().map(|entry| &entry.value).chain(&table.other));
        slots.iter().flatten().chain(hashed)
    }
}

impl<L: Label, D: Dimension> Dimension for Breakdown<L, D> {
    type Output = BreakdownSnapshot<L, D::Output>;
    const KIND: DimensionKind = D::KIND;
    const UNIT: Option<&'static str> = D::UNIT;
    const SHAPE: Shape = D::SHAPE.of_breakdown(L::PARTS, D::KIND);

    fn read(&self) -> Self::Output {
        self.read_outputs(D::zero, D::read)
    }

    fn read_value(&self) -> DimensionValue {
        self.read_values(|| D::zero().map(D::value), D::read_value)
    }

    fn value(output: Self::Output) -> DimensionValue {
        let entries = output.into_entries();
        let entries = entries.map(|(labels, output)| BreakdownEntry { labels, value: D::value(output) });
        DimensionValue::Breakdown(entries.collect())
    }

    fn since(later: &Self::Output, earlier: &Self::Output) -> Self::Output {
        later.since_labels(earlier, D::since)
    }

    fn merge_outputs(output: &mut Self::Output, other: &Self::Output, rule: Option<MergeRule>) -> bool {
        output.merge_labels(other, |output, other| D::merge_outputs(output, other, rule))
    }

    fn has_fallen(later: &Self::Output, earlier: &Self::Output) -> bool {
        later.any_label_has_fallen(earlier, D::has_fallen, D::may_vanish)
    }

    fn empty_shard(&self) -> Option<Self> {
        D::SHAPE.needs_order.is_none().then(Self::default)
    }

    fn absorb_shard(&mut self, shard: &mut Self) {
        self.absorb_labels(shard, D::absorb_shard);
    }

    fn invalid(&self) -> u64 {
        self.dimensions().fold(0, |invalid, dimension| invalid.saturating_add(dimension.invalid()))
    }
}

impl<L: Label, D: BucketedReading> BucketedReading for Breakdown<L, D> {
    type Measure = D::Measure;

    fn read_within(&self, layout: &'static BucketLayout<D::Measure>, zeros: bool) -> Self::Output {
        let zero = || if zeros { D::zero_within(layout) } else { None };
        self.read_outputs(zero, |dimension| dimension.read_within(layout, zeros))
    }

    fn read_value_within(&self, layout: &'static BucketLayout<D::Measure>, zeros: bool) -> DimensionValue {
        let zero = || if zeros { D::zero_within(layout).map(D::value) } else { None };
        self.read_values(zero, |dimension| dimension.read_value_within(layout, zeros))
    }

    fn zero_within(_layout: &'static BucketLayout<D::Measure>) -> Option<Self::Output> {
        None
    }
}

impl<L, D> Default for Breakdown<L, D> {
    fn default() -> Self {
        Self { dimensions: LabelMap::Empty, label: PhantomData }
    }
}

impl<L: Label, D: fmt::Debug> fmt::Debug for Breakdown<L, D> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(self.seen()).finish()
    }
}
