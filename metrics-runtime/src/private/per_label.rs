//! Breakdowns of a type that the derive does not know: an alias or a dimension of the user's own, or a derived metric.
//!
//! Types decide which. A breakdown of a metric has one table of labels. Its snapshots show each dimension of the metric as a
//! breakdown of its own, named `<field>_<dimension>`. So all that works with snapshots knows no such breakdown.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Debug;
use std::iter;
use std::marker::PhantomData;
use std::mem;

use serde::de::value::{Error as ReadError, MapDeserializer};
use serde::de::{Error as DeserializeError, MapAccess};
use serde::ser::{Serialize, SerializeMap};

use super::fields::{ShownIn, WriteField};
use super::names::assert_without_labels;
use super::{Fields, Names, PartialSnapshot, SnapshotFields, describe_type, fields, flattened, prefixed};
use crate::descriptor::{DimensionDescriptor, DimensionKind};
use crate::dimension::{Breakdown, Count, Counter, Dimension, NeedsOrder, Shape};
use crate::dispatch::HandleEvent;
use crate::event::MetricEvent;
use crate::label::Label;
use crate::number::TimeUnit;
use crate::snapshot::{
    BreakdownEntry, BreakdownSnapshot, DimensionValue, Dimensions, HasLabels, LabelMap, NestedMap, ReadLabel,
    SerializeEntry, ValueDeserializer, check_labels,
};

/// What a breakdown keeps for each label: a dimension, or a derived metric.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a metric dimension and not a metric: use `Counter`, `Sum<T>`, .. or a struct with `#[derive(Metric)]`",
    label = "not a dimension, and not a metric",
    note = "a type of your own becomes a dimension with `impl Dimension for {Self}`"
)]
pub trait PerLabel: Send + Sized + 'static {
    type Way: Way<Self>;
}

#[diagnostic::do_not_recommend]
impl<D: Dimension> PerLabel for D {
    type Way = OfDimension;
}

/// The way of a dimension for each label.
#[derive(Debug)]
pub struct OfDimension;

/// The way of a metric for each label.
#[derive(Debug)]
pub struct OfMetric;

/// The type of a typed snapshot's field with a breakdown.
pub type OutputPerLabel<L, D> = BreakdownSnapshot<L, <<D as PerLabel>::Way as Way<D>>::Output>;

/// The type of which rustc demands that it handles the event.
pub type Listener<D> = <<D as PerLabel>::Way as Way<D>>::Listener;

/// The type of which rustc demands that it counts events.
pub type CountedAlone<D> = <<D as PerLabel>::Way as Way<D>>::CountedAlone;

/// How a breakdown of `D` is fed, described, read and combined.
pub trait Way<D>: Sized {
    /// What a typed snapshot shows for a label.
    type Output: Clone + Debug + PartialEq + Send + 'static;
    /// `D` if events go to its handlers, else a type that handles every event.
    type Listener;
    /// `D` if events only count, else a type that counts.
    type CountedAlone;
    /// The names behind the name of the field.
    const NAMES: Names;
    const KIND: DimensionKind;
    const UNIT: Option<&'static str>;
    const SHAPE: Shape;

    /// Applies an event to the value of a label.
    fn feed<E: MetricEvent>(value: &mut D, event: &E) -> bool
    where
        Self::Listener: HandleEvent<E>,
        Self::CountedAlone: Count;

    /// Adds the descriptors of all dimensions.
    fn describe(field: DimensionDescriptor, prefix: &str, dimensions: &mut Vec<DimensionDescriptor>);

    /// Adds the values of all dimensions. With `zeros` it shows the labels that the type knows from the beginning.
    fn values<L: Label>(
        breakdown: &Breakdown<L, D>,
        name: Cow<'static, str>,
        zeros: bool,
        dimensions: &mut Dimensions,
    ) where
        D: Default;

    /// The same with types.
    fn read<L: Label>(breakdown: &Breakdown<L, D>, zeros: bool) -> BreakdownSnapshot<L, Self::Output>
    where
        D: Default;

    fn invalid(dimension: &D) -> u64;

    /// Takes over what a shard has recorded for a label.
    fn absorb(own: &mut D, shard: &mut D);

    fn write<L: Label, M: SerializeMap>(
        snapshot: &BreakdownSnapshot<L, Self::Output>,
        prefix: &str,
        name: &'static str,
        map: &mut M,
    ) -> Result<(), M::Error>;

    fn read_field<'de, L: Label, A: MapAccess<'de>>(
        partial: &mut PartialSnapshot,
        field: (usize, &'static str),
        name: &str,
        map: &mut A,
    ) -> Result<bool, A::Error>;

    /// Notes what was not deserialised.
    fn require(partial: &mut PartialSnapshot, field: (usize, &'static str))
    where
        D: Default;

    /// Takes out the field once all of it was deserialised.
    fn take<L: Label>(partial: &mut PartialSnapshot, field: usize) -> BreakdownSnapshot<L, Self::Output>;

    fn merge(output: &mut Self::Output, other: &Self::Output) -> bool;

    fn since(later: &Self::Output, earlier: &Self::Output) -> Self::Output;

    fn has_fallen(later: &Self::Output, earlier: &Self::Output) -> bool;

    fn may_vanish(output: &Self::Output) -> bool;
}

/// A type that handles every event.
#[derive(Debug)]
pub struct Anything;

#[diagnostic::do_not_recommend]
impl<E: MetricEvent> HandleEvent<E> for Anything {
    fn handle(&mut self, _event: &E) -> bool {
        false
    }
}

impl<D: Dimension> Way<D> for OfDimension {
    type Output = D::Output;
    type Listener = Anything;
    type CountedAlone = D;
    const NAMES: Names = Names {
        own: &[],
        names: &[""],
        flattened: &[],
        by_label: true,
        ordered: match D::SHAPE.needs_order {
            Some(NeedsOrder::Gauge) => &[("", NeedsOrder::Gauge)],
            Some(NeedsOrder::Window) => &[("", NeedsOrder::Window)],
            Some(_) => &[("", NeedsOrder::OwnType)],
            None => &[],
        },
    };
    const KIND: DimensionKind = D::KIND;
    const UNIT: Option<&'static str> = D::UNIT;
    const SHAPE: Shape = D::SHAPE;

    #[inline]
    fn feed<E: MetricEvent>(dimension: &mut D, _event: &E) -> bool
    where
        Anything: HandleEvent<E>,
        D: Count,
    {
        dimension.count()
    }

    fn describe(mut field: DimensionDescriptor, prefix: &str, dimensions: &mut Vec<DimensionDescriptor>) {
        if !prefix.is_empty() {
            field.name = Cow::Owned(format!("{prefix}{}", field.name));
        }
        dimensions.push(field);
    }

    fn values<L: Label>(
        breakdown: &Breakdown<L, D>,
        name: Cow<'static, str>,
        zeros: bool,
        dimensions: &mut Dimensions,
    ) {
        let value = if zeros { breakdown.read_value() } else { breakdown.read_seen_value() };
        dimensions.push(name, value);
    }

    fn read<L: Label>(breakdown: &Breakdown<L, D>, zeros: bool) -> BreakdownSnapshot<L, D::Output> {
        if zeros { Dimension::read(breakdown) } else { breakdown.read_seen() }
    }

    fn invalid(dimension: &D) -> u64 {
        dimension.invalid()
    }

    fn absorb(own: &mut D, shard: &mut D) {
        own.absorb_shard(shard);
    }

    fn write<L: Label, M: SerializeMap>(
        snapshot: &BreakdownSnapshot<L, D::Output>,
        prefix: &str,
        name: &'static str,
        map: &mut M,
    ) -> Result<(), M::Error> {
        ShownIn(TimeUnit::of(D::UNIT), snapshot).write_field(prefix, name, map)
    }

    fn read_field<'de, L: Label, A: MapAccess<'de>>(
        partial: &mut PartialSnapshot,
        (field, own): (usize, &'static str),
        name: &str,
        map: &mut A,
    ) -> Result<bool, A::Error> {
        if name != own {
            return Ok(false);
        }
        fields::read_in::<BreakdownSnapshot<L, D::Output>, A>(TimeUnit::of(D::UNIT), partial, field, map)
    }

    fn require(partial: &mut PartialSnapshot, field: (usize, &'static str)) {
        partial.require(&[field]);
    }

    fn take<L: Label>(partial: &mut PartialSnapshot, field: usize) -> BreakdownSnapshot<L, D::Output> {
        fields::take(partial, field)
    }

    fn merge(output: &mut D::Output, other: &D::Output) -> bool {
        D::merge_outputs(output, other, None)
    }

    fn since(later: &D::Output, earlier: &D::Output) -> D::Output {
        D::since(later, earlier)
    }

    fn has_fallen(later: &D::Output, earlier: &D::Output) -> bool {
        D::has_fallen(later, earlier)
    }

    fn may_vanish(output: &D::Output) -> bool {
        D::may_vanish(output)
    }
}

impl<M: Fields> Way<M> for OfMetric {
    type Output = M::Snapshot;
    type Listener = M;
    type CountedAlone = Counter;
    const NAMES: Names =
        Names { own: &[], names: &[], flattened: &[("_", M::NAMES)], by_label: true, ordered: &[] };
    const KIND: DimensionKind = DimensionKind::Custom;
    const UNIT: Option<&'static str> = None;
    const SHAPE: Shape = Shape::new(DimensionKind::Custom, None);

    #[inline]
    fn feed<E: MetricEvent>(metric: &mut M, event: &E) -> bool
    where
        M: HandleEvent<E>,
        Counter: Count,
    {
        metric.handle(event)
    }

    fn describe(field: DimensionDescriptor, prefix: &str, dimensions: &mut Vec<DimensionDescriptor>) {
        let first = dimensions.len();
        M::describe(&format!("{prefix}{}_", field.name), dimensions);
        for dimension in &mut dimensions[first..] {
            dimension.labels.clone_from(&field.labels);
            dimension.limit = field.limit;
            dimension.parts = field.parts;
        }
    }

    /// A label that the type knows has a value in each dimension, as it has in the typed snapshot.
    fn values<L: Label>(
        breakdown: &Breakdown<L, M>,
        name: Cow<'static, str>,
        zeros: bool,
        dimensions: &mut Dimensions,
    ) where
        M: Default,
    {
        let zero = || zeros.then(|| values_of(&M::default()));
        let mut labels =
            breakdown.read_labels(zero, values_of, |texts, values| (texts, values.into_values()));
        for inner in names_of::<M>() {
            let entries = labels.iter_mut().filter_map(|(texts, values)| {
                let value = values.next()?;
                Some(BreakdownEntry { labels: texts.clone(), value })
            });
            let value = DimensionValue::Breakdown(entries.collect());
            dimensions.push(format!("{name}_{inner}"), value);
        }
    }

    fn read<L: Label>(breakdown: &Breakdown<L, M>, zeros: bool) -> BreakdownSnapshot<L, M::Snapshot>
    where
        M: Default,
    {
        let zero = || zeros.then(|| flattened(&M::default()));
        BreakdownSnapshot::of_entries(
            breakdown.read_labels(zero, flattened, |texts, snapshot| (texts, snapshot)),
        )
    }

    fn invalid(metric: &M) -> u64 {
        Fields::invalid(metric)
    }

    fn absorb(own: &mut M, shard: &mut M) {
        own.absorb_shard(shard);
    }

    fn write<L: Label, S: SerializeMap>(
        snapshot: &BreakdownSnapshot<L, M::Snapshot>,
        prefix: &str,
        name: &'static str,
        map: &mut S,
    ) -> Result<(), S::Error> {
        let name = prefixed(prefix, name);
        for (position, inner) in names_of::<M>().iter().enumerate() {
            let entries: Vec<_> = snapshot
                .iter()
                .map(|(labels, snapshot)| WrittenLabel { labels, snapshot, position })
                .collect();
            map.serialize_entry(&format!("{name}_{inner}"), &NestedMap::of(&entries))?;
        }
        Ok(())
    }

    fn read_field<'de, L: Label, A: MapAccess<'de>>(
        partial: &mut PartialSnapshot,
        (field, own): (usize, &'static str),
        name: &str,
        map: &mut A,
    ) -> Result<bool, A::Error> {
        let Some(inner) = name.strip_prefix(own).and_then(|rest| rest.strip_prefix('_')) else {
            return Ok(false);
        };
        let Some(position) = names_of::<M>().iter().position(|known| known == inner) else {
            return Ok(false);
        };
        let labels = partial.labels(field);
        let mut dimension =
            OneOfEach::<M> { labels: &mut *labels, name: inner, position, metric: PhantomData };
        map.next_value_seed(LabelMap::of::<L>(&mut dimension))?;
        labels.dimensions.push(position);
        check_labels::<L, A::Error>(labels.entries.iter().map(|label| &label.texts))?;
        Ok(true)
    }

    fn require(partial: &mut PartialSnapshot, (field, own): (usize, &'static str))
    where
        M: Default,
    {
        let labels = partial.labels(field);
        for (position, inner) in names_of::<M>().iter().enumerate() {
            if !labels.dimensions.contains(&position) {
                labels.missing = Some(format!("{own}_{inner}"));
                return;
            }
        }
        // In totals a gauge goes with its recorder, and its label may stay in other dimensions.
        let empty = values_of(&M::default());
        for PartialLabel { dimensions, snapshot, .. } in &mut labels.entries {
            for (position, (name, value)) in empty.iter().enumerate() {
                if !dimensions.contains(&position) {
                    let value = (name, ValueDeserializer::<ReadError>::of(value));
                    let mut map = MapDeserializer::new(iter::once(value));
                    let name = map.next_key::<String>();
                    // A type of the user's own may not read what it wrote. `check` then finds that the value is missing.
                    let _ = name.map(|name| M::Snapshot::read(snapshot, &name.unwrap_or_default(), &mut map));
                }
            }
            M::Snapshot::require(snapshot);
        }
    }

    fn take<L: Label>(partial: &mut PartialSnapshot, field: usize) -> BreakdownSnapshot<L, M::Snapshot> {
        let PartialLabels { entries, .. } = mem::take(partial.labels(field));
        let entries = entries.into_iter().map(|mut label| {
            let snapshot = M::Snapshot::finish(&mut label.snapshot, 0);
            (label.texts, snapshot)
        });
        BreakdownSnapshot::of_unsorted(entries.collect())
    }

    fn merge(output: &mut M::Snapshot, other: &M::Snapshot) -> bool {
        output.merge_fields(other);
        true
    }

    fn since(later: &M::Snapshot, earlier: &M::Snapshot) -> M::Snapshot {
        let mut interval = later.clone();
        interval.subtract_fields(earlier);
        interval
    }

    fn has_fallen(later: &M::Snapshot, earlier: &M::Snapshot) -> bool {
        later.has_fallen(earlier, false)
    }

    fn may_vanish(output: &M::Snapshot) -> bool {
        !output.has_fallen(output, true)
    }
}

/// The values of all dimensions of a metric.
fn values_of<M: Fields>(metric: &M) -> Dimensions {
    let mut values = Dimensions::default();
    metric.values("", &mut values);
    values
}

/// The names of all dimensions of a metric, in the order of its values.
fn names_of<M: Fields>() -> Vec<Cow<'static, str>> {
    let mut dimensions = Vec::new();
    M::describe("", &mut dimensions);
    dimensions.into_iter().map(|dimension| dimension.name).collect()
}

/// A label with the dimension of its metric that stands at a position.
struct WrittenLabel<'a, S> {
    labels: &'a [Cow<'static, str>],
    snapshot: &'a S,
    position: usize,
}

impl<S> HasLabels for WrittenLabel<'_, S> {
    fn labels(&self) -> &[Cow<'static, str>] {
        self.labels
    }
}

impl<S: SnapshotFields> SerializeEntry for WrittenLabel<'_, S> {
    fn serialize_value<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        self.snapshot.write(("", ""), &mut OneValue { map, position: self.position, written: 0 })
    }
}

/// A map that passes on the value at one position, without its name.
struct OneValue<'a, M> {
    map: &'a mut M,
    position: usize,
    written: usize,
}

impl<M: SerializeMap> SerializeMap for OneValue<'_, M> {
    type Ok = ();
    type Error = M::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, _key: &T) -> Result<(), M::Error> {
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), M::Error> {
        let is_wanted = self.written == self.position;
        self.written += 1;
        if is_wanted { self.map.serialize_value(value) } else { Ok(()) }
    }

    fn end(self) -> Result<(), M::Error> {
        Ok(())
    }
}

/// The deserialised labels of a metric, before all of its dimensions are there.
#[derive(Debug, Default)]
pub(super) struct PartialLabels {
    /// The positions of the dimensions that were read.
    dimensions: Vec<usize>,
    entries: Vec<PartialLabel>,
    positions: HashMap<Vec<Cow<'static, str>>, usize>,
    missing: Option<String>,
}

impl PartialLabels {
    /// Refuses labels of which something is missing.
    pub(super) fn check<E: DeserializeError>(&self, prefix: &str) -> Result<(), E> {
        if let Some(name) = &self.missing {
            return Err(E::custom(format_args!("missing field `{prefix}{name}`")));
        }
        self.entries.iter().try_for_each(|label| label.snapshot.check())
    }
}

#[derive(Debug)]
struct PartialLabel {
    texts: Vec<Cow<'static, str>>,
    snapshot: PartialSnapshot,
    /// The positions of the dimensions that have this label.
    dimensions: Vec<usize>,
}

/// Reads one dimension of each label's metric.
struct OneOfEach<'a, M> {
    labels: &'a mut PartialLabels,
    name: &'a str,
    position: usize,
    metric: PhantomData<fn() -> M>,
}

impl<M: Fields> ReadLabel for OneOfEach<'_, M> {
    fn read_label<'de, A: MapAccess<'de>>(
        &mut self,
        label: &[Cow<'static, str>],
        map: &mut A,
    ) -> Result<(), A::Error> {
        let PartialLabels { entries, positions, .. } = &mut *self.labels;
        let position = *positions.entry(label.to_vec()).or_insert(entries.len());
        if position == entries.len() {
            let snapshot = PartialSnapshot::default();
            entries.push(PartialLabel { texts: label.to_vec(), snapshot, dimensions: Vec::new() });
        }
        let entry = &mut entries[position];
        entry.dimensions.push(self.position);
        M::Snapshot::read(&mut entry.snapshot, self.name, map).map(drop)
    }
}

/// The descriptor of a field with a breakdown, by which [`describe`] describes the dimensions.
///
/// # Panics
///
/// At compile time, when the labels do not have one name for each part, or when a metric has labels itself.
#[must_use]
#[track_caller]
pub const fn declare<L: Label, D: PerLabel>(
    name: &'static str,
    help: &'static str,
    labels: &'static [Cow<'static, str>],
    limit: Option<usize>,
) -> DimensionDescriptor {
    let metrics = <D::Way as Way<D>>::NAMES.flattened;
    let mut index = 0;
    while index < metrics.len() {
        assert_without_labels(&metrics[index].1);
        index += 1;
    }
    let (kind, unit) = (<D::Way as Way<D>>::KIND, <D::Way as Way<D>>::UNIT);
    let shape = <D::Way as Way<D>>::SHAPE.of_breakdown(L::PARTS, kind);
    describe_type(kind, shape, name, unit, help, labels, limit, None, None)
}

/// Adds the descriptors of a field, whose own one is from [`declare`].
pub fn describe<D: PerLabel>(
    field: DimensionDescriptor,
    prefix: &str,
    dimensions: &mut Vec<DimensionDescriptor>,
) {
    <D::Way as Way<D>>::describe(field, prefix, dimensions);
}

/// Applies an event to the value of a label.
#[inline]
pub fn feed<D: PerLabel, E: MetricEvent>(value: &mut D, event: &E) -> bool
where
    Listener<D>: HandleEvent<E>,
    CountedAlone<D>: Count,
{
    <D::Way as Way<D>>::feed(value, event)
}

/// The names of the field's dimensions, behind that of the field.
#[must_use]
pub const fn names<D: PerLabel>() -> Names {
    <D::Way as Way<D>>::NAMES
}

/// Adds the values of a field.
pub fn values<L: Label, D: PerLabel + Default>(
    breakdown: &Breakdown<L, D>,
    prefix: &str,
    name: &'static str,
    zeros: bool,
    dimensions: &mut Dimensions,
) {
    <D::Way as Way<D>>::values(breakdown, prefixed(prefix, name), zeros, dimensions);
}

/// The field of a typed snapshot.
#[must_use]
pub fn read<L: Label, D: PerLabel + Default>(
    breakdown: &Breakdown<L, D>,
    zeros: bool,
) -> OutputPerLabel<L, D> {
    <D::Way as Way<D>>::read(breakdown, zeros)
}

/// The count of values that could not be recorded.
#[must_use]
pub fn invalid<L: Label, D: PerLabel>(breakdown: &Breakdown<L, D>) -> u64 {
    let invalid = breakdown.dimensions().map(<D::Way as Way<D>>::invalid);
    invalid.fold(0, u64::saturating_add)
}

/// An empty breakdown, for the events of one more thread.
#[must_use]
pub fn empty_shard<L: Label, D: PerLabel>() -> Breakdown<L, D> {
    Breakdown::default()
}

/// Takes over all labels of a shard.
pub fn absorb<L: Label, D: PerLabel>(breakdown: &mut Breakdown<L, D>, shard: &mut Breakdown<L, D>) {
    breakdown.absorb_labels(shard, <D::Way as Way<D>>::absorb);
}

/// The field of a typed snapshot as it is serialised.
#[derive(Debug)]
pub struct Written<'a, L, D: PerLabel>(pub &'a OutputPerLabel<L, D>);

impl<L: Label, D: PerLabel, M: SerializeMap> WriteField<M> for Written<'_, L, D> {
    fn write_field(&self, prefix: &str, name: &'static str, map: &mut M) -> Result<(), M::Error> {
        <D::Way as Way<D>>::write(self.0, prefix, name, map)
    }
}

/// Deserialises a value of the field, if the name is one of its dimensions.
///
/// # Errors
///
/// The deserialiser's errors.
pub fn read_field<'de, L: Label, D: PerLabel, A: MapAccess<'de>>(
    partial: &mut PartialSnapshot,
    field: (usize, &'static str),
    name: &str,
    map: &mut A,
) -> Result<bool, A::Error> {
    <D::Way as Way<D>>::read_field::<L, A>(partial, field, name, map)
}

/// Notes what of the field was not deserialised.
pub fn require<L: Label, D: PerLabel + Default>(partial: &mut PartialSnapshot, field: (usize, &'static str)) {
    <D::Way as Way<D>>::require(partial, field);
}

/// Takes out the field once all of it was deserialised.
#[must_use]
pub fn take<L: Label, D: PerLabel>(partial: &mut PartialSnapshot, field: usize) -> OutputPerLabel<L, D> {
    <D::Way as Way<D>>::take(partial, field)
}

/// Merges the field of another snapshot.
pub fn merge<L: Label, D: PerLabel>(labels: &mut OutputPerLabel<L, D>, other: &OutputPerLabel<L, D>) {
    labels.merge_labels(other, <D::Way as Way<D>>::merge);
}

/// The field of the interval between two snapshots.
#[must_use]
pub fn since<L: Label, D: PerLabel>(
    later: &OutputPerLabel<L, D>,
    earlier: &OutputPerLabel<L, D>,
) -> OutputPerLabel<L, D> {
    later.since_labels(earlier, <D::Way as Way<D>>::since)
}

/// Whether the field tells that counting began anew, as [`SnapshotFields::has_fallen`].
#[must_use]
pub fn has_fallen<L: Label, D: PerLabel>(
    later: &OutputPerLabel<L, D>,
    earlier: &OutputPerLabel<L, D>,
    is_gone: bool,
) -> bool {
    let may_vanish = <D::Way as Way<D>>::may_vanish;
    if is_gone {
        return !earlier.iter().all(|(_, output)| may_vanish(output));
    }
    later.any_label_has_fallen(earlier, <D::Way as Way<D>>::has_fallen, may_vanish)
}
