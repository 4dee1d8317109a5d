//! The largest labels of a stream: `SpaceSaving`, by Metwally, Agrawal and El Abbadi (2005).

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use crate::descriptor::{DimensionKind, MergeRule};
use crate::label::{Label, LabelPart, OTHER, ToLabel};
use crate::snapshot::{Arithmetic, DimensionValue, MAX_KEPT_LABELS, Merge, TopEntry, TopSnapshot};

use super::label_table::{LabelTable, is_other};
use super::{Counter, Dimension, Measure, Shape, Sum};

/// The largest labels `L` of a stream, by what a `D` adds up for each.
///
/// `D` is a [`Counter`], a `Sum<u64>` or a `Sum<Duration>`. The dimension is updated with `by`, with `keep = N`, and with what
/// `D` needs. It ignores an event with the label `None`, and a value of 0. In a snapshot it is a [`TopSnapshot`].
///
/// A `Top` keeps the `N` *largest* labels of any number of different ones; a [`Breakdown`](crate::Breakdown) keeps the labels
/// that it saw *first*. While there are at most `N` different labels, all values are exact. A further label takes the place of
/// the smallest one, and begins with the value of that one, as the algorithm `SpaceSaving` does. So each value is at least the
/// true one, and at most its `error` too large. No error exceeds one part in `N` of the whole, and each label that has more than
/// that is kept. These two hold as long as the whole does not exceed the largest number of its type, because sums saturate.
///
/// * At most `N` labels are kept, of at most 256 bytes for each part. Labels with a longer part are counted together under
///   the label `other`, which takes a place among the `N` as any label does.
/// * An event of a kept label costs one search in a hash table. The event of another label also moves entries in a heap: on
///   average no more than the logarithm of `N` for each event, and it allocates the text of its label.
///
/// ```
/// use mvx_metrics::{HandleEvent, Metric, Sum, Top, TypedMetric, metric_event};
///
/// #[metric_event]
/// struct Downloaded {
///     user: String,
///     bytes: u64,
/// }
///
/// #[derive(Metric, Default)]
/// #[metric(on(Downloaded))]
/// struct Downloads {
///     #[dimension(by = user, keep = 3, value = bytes, unit = bytes)]
///     heaviest: Top<String, Sum<u64>>,
/// }
///
/// let mut downloads = Downloads::default();
/// for number in 0..1_000 {
///     let user = if number % 2 == 0 { "ada".to_owned() } else { format!("guest-{number}") };
///     downloads.handle(&Downloaded { user, bytes: 100 });
/// }
/// let heaviest = downloads.typed_snapshot().heaviest;
/// let first = heaviest.iter().next().expect("there is one");
/// assert_eq!((first.labels[0].as_ref(), first.value, first.error), ("ada", 50_000, 0));
/// assert_eq!(heaviest.len(), 3);
/// ```
///
/// # How many labels to keep
///
/// A label is certainly kept if its value is more than one part in `keep` of the whole. So for the largest 10, `keep` must exceed
/// the whole divided by the value of the tenth one. The right number follows from the data: in the example below it is 81, and for
/// labels of nearly equal size it is as large as the number of labels. Twice that number makes most errors small.
///
/// With too small a `keep`, rare labels stand among the first ones, with an error that is nearly their value. So look at the
/// error before you show an entry, or show [`at_least`](crate::TopEntry::at_least). The first 10 entries are certainly the
/// largest 10 labels if `at_least()` of each is not below the value of the next entry:
///
/// ```
/// # use mvx_metrics::{Counter, HandleEvent, Metric, Top, TopSnapshot, TypedMetric, metric_event};
/// # #[metric_event]
/// # struct Downloaded {
/// #     user: u32,
/// # }
/// #[derive(Metric, Default)]
/// #[metric(on(Downloaded))]
/// struct Downloads {
///     #[dimension(by = user, keep = 20)]
///     too_few: Top<u32, Counter>,
///     #[dimension(by = user, keep = 200)]
///     enough: Top<u32, Counter>,
/// }
///
/// let mut downloads = Downloads::default();
/// // User 1 downloads each day, user 2 every other day, user 10 every tenth day.
/// for day in 0..1_000 {
///     for user in (1..=1_000).filter(|user| day % user == 0) {
///         downloads.handle(&Downloaded { user });
///     }
/// }
///
/// fn are_certain(top: &TopSnapshot<u32, u64>, first: usize) -> bool {
///     let next = top.iter().nth(first).map_or(top.unseen(), |entry| entry.value);
///     top.iter().take(first).all(|entry| entry.at_least() >= next)
/// }
///
/// let DownloadsSnapshot { too_few, enough, .. } = downloads.typed_snapshot();
/// let entries = |top: &TopSnapshot<u32, u64>| -> Vec<_> {
///     top.iter().map(|entry| (entry.labels[0].to_string(), entry.value, entry.error)).collect()
/// };
/// assert_eq!(entries(&too_few)[3], ("111".to_owned(), 358, 357)); // user 111 has had 10 downloads
/// assert_eq!(entries(&enough)[9], ("10".to_owned(), 104, 5));
/// assert_eq!((are_certain(&too_few, 10), are_certain(&enough, 10)), (false, true));
/// ```
pub struct Top<L, D> {
    /// Nothing is allocated before the first event.
    summary: Option<Box<Summary<D>>>,
    label: PhantomData<fn() -> L>,
}

/// A dimension that only grows, so that a [`Top`] can compare labels by it: [`Counter`], `Sum<u64>` and `Sum<Duration>`.
///
/// No other type can implement it.
#[diagnostic::on_unimplemented(
    message = "`Top` compares labels by a sum that only grows: use `Counter`, `Sum<u64>` or `Sum<Duration>` in place of `{Self}`",
    label = "may fall, or is no sum"
)]
pub trait Weighted: Dimension + Copy + Default + sealed::Sealed {
    /// The type of the numbers: `u64` or [`Duration`].
    type Weight: Measure + Ord;

    #[doc(hidden)]
    #[must_use]
    fn of(weight: Self::Weight) -> Self;

    #[doc(hidden)]
    #[must_use]
    fn weight(&self) -> Self::Weight;
}

impl Weighted for Counter {
    type Weight = u64;

    fn of(weight: u64) -> Self {
        let mut counter = Self::default();
        counter.increment_by(weight);
        counter
    }

    fn weight(&self) -> u64 {
        self.get()
    }
}

macro_rules! weighted_sum {
    ($($weight:ty),*) => {
        $(impl Weighted for Sum<$weight> {
            type Weight = $weight;

            fn of(weight: $weight) -> Self {
                let mut sum = Self::default();
                sum.record(weight);
                sum
            }

            fn weight(&self) -> $weight {
                self.get()
            }
        })*
    };
}

weighted_sum!(u64, Duration);

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Counter {}
    impl Sealed for super::Sum<u64> {}
    impl Sealed for super::Sum<std::time::Duration> {}
}

/// The hash of the label `other`, which stands for several ones.
const OTHER_HASH: u64 = 0;

/// The kept labels.
///
/// S1: a value is at least the sum of its label's weights, and at most `error` above it.
/// S2: a label that is not in the table has had at most `unseen`. No error exceeds `unseen`, and no value is below it.
/// S3: each position is once in `by_value`, with a value that the entry had: so with one that is not above its value.
struct Summary<D> {
    labels: LabelTable<Estimate<D>>,
    /// The entry that had the smallest value comes first. An event of a kept label leaves the heap as it is.
    by_value: BinaryHeap<Known<D>>,
    unseen: D,
    /// The largest number of labels that an event has asked for.
    keep: usize,
}

#[derive(Clone, Copy)]
struct Estimate<D> {
    value: D,
    error: D,
}

impl<D: Weighted> Estimate<D> {
    fn add(&mut self, other: Self) {
        *self = Self { value: sum(self.value, other.value), error: sum(self.error, other.error) };
    }
}

/// A value that the entry at a position had. The smallest one is the greatest, because a heap gives the greatest first.
struct Known<D> {
    value: D,
    position: u32,
}

impl<D: Weighted> Ord for Known<D> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.value.weight().cmp(&self.value.weight())
    }
}

impl<D: Weighted> PartialOrd for Known<D> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<D: Weighted> Eq for Known<D> {}

impl<D: Weighted> PartialEq for Known<D> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<L: Label, D: Weighted> Top<L, D> {
    /// Adds to a label what `update` does to a new `D`; returns whether that is more than 0.
    ///
    /// At most `keep` labels are kept, or 65,536 if that is less. Write the same number in each call: it is the largest one
    /// that counts. A label that is `None` updates nothing, and the result is `false`.
    #[inline]
    #[expect(clippy::needless_pass_by_value, reason = "labels are references or small")]
    pub fn update_within(
        &mut self,
        label: impl ToLabel<L>,
        keep: usize,
        update: impl FnOnce(&mut D) -> bool,
    ) -> bool {
        if !label.is_present() {
            return false;
        }
        let mut added = D::default();
        if !update(&mut added) || added.weight() == D::Weight::default() {
            return false;
        }
        self.summary.get_or_insert_with(Box::default).add::<L>(&label, keep, added);
        true
    }

    /// The state of a dimension that keeps this many labels.
    pub(crate) fn read_keeping(&self, keep: usize) -> TopSnapshot<L, D::Weight> {
        let Some(summary) = &self.summary else {
            return TopSnapshot::of_entries(Vec::new(), keep, D::Weight::default());
        };
        let entries = summary.labels.entries().iter();
        let entries = entries.map(|entry| {
            let Estimate { value, error } = entry.value;
            TopEntry { labels: entry.texts(), value: value.weight(), error: error.weight() }
        });
        TopSnapshot::of_entries(entries.collect(), summary.keep.max(keep), summary.unseen.weight())
    }
}

impl<D: Weighted> Default for Summary<D> {
    fn default() -> Self {
        Self { labels: LabelTable::new(), by_value: BinaryHeap::new(), unseen: D::default(), keep: 0 }
    }
}

impl<D: Weighted> Summary<D> {
    fn add<L: Label>(&mut self, label: &impl ToLabel<L>, keep: usize, added: D) {
        let hash = self.labels.hash(label);
        match self.labels.find(hash, |parts| label.matches(parts)) {
            Ok(position) => self.add_to(position, added),
            Err(slot) => self.add_new(label, hash, slot, keep, added),
        }
    }

    fn add_to(&mut self, position: usize, added: D) {
        let estimate = self.labels.value_mut(position);
        estimate.value = sum(estimate.value, added);
    }

    #[cold]
    fn add_new<L: Label>(&mut self, label: &impl ToLabel<L>, hash: u64, slot: usize, keep: usize, added: D) {
        let mut parts = Vec::with_capacity(L::PARTS);
        if label.fits() {
            label.push_parts(&mut parts);
        } else {
            parts.resize(L::PARTS, LabelPart::Fixed(OTHER));
        }
        // A type with a fixed number of labels has no long ones, so that `other` is one of its own labels.
        if L::CARDINALITY.is_some() || !is_other(&parts) {
            return self.insert(hash, slot, parts, keep, added);
        }
        match self.labels.find(OTHER_HASH, is_other) {
            Ok(position) => self.add_to(position, added),
            Err(slot) => self.insert(OTHER_HASH, slot, parts, keep, added),
        }
    }

    /// Inserts a label at a free slot, or in the place of the smallest one.
    fn insert(&mut self, hash: u64, slot: usize, parts: Vec<LabelPart>, keep: usize, added: D) {
        self.keep = self.keep.max(keep.clamp(1, MAX_KEPT_LABELS));
        let count = self.labels.entries().len();
        let replaced = if count < self.keep { None } else { self.smallest() };
        if let Some((value, _)) = replaced {
            self.unseen = value;
        }
        // The label may have been here before, and then it has had at most this much.
        let estimate = Estimate { value: sum(self.unseen, added), error: self.unseen };
        if let Some((_, position)) = replaced {
            return self.labels.replace(position as usize, hash, parts, estimate);
        }
        let position = u32::try_from(count).unwrap_or(u32::MAX);
        self.by_value.push(Known { value: estimate.value, position });
        self.labels.insert(slot, hash, parts, estimate);
    }

    /// Takes over the labels of another summary, as [`TopSnapshot`] merges: a label that one of the two does not have may have had up
    /// to `unseen` there. S1 and S2 hold, since all values grow by at least what they may lack.
    fn absorb(&mut self, shard: &mut Self) {
        self.keep = self.keep.max(shard.keep);
        let (unseen, shards_unseen) = (self.unseen, shard.unseen);
        let mut is_in_shard = vec![false; self.labels.entries().len()];
        for mut entry in shard.labels.take_entries() {
            match self.labels.find_like(&entry) {
                Ok(position) => {
                    is_in_shard[position] = true;
                    self.labels.value_mut(position).add(entry.value);
                }
                Err(slot) => {
                    entry.value.add(Estimate { value: unseen, error: unseen });
                    let position = u32::try_from(self.labels.entries().len()).unwrap_or(u32::MAX);
                    self.by_value.push(Known { value: entry.value.value, position });
                    self.labels.insert_entry(slot, entry);
                }
            }
        }
        if shards_unseen.weight() > D::Weight::default() {
            let missing = is_in_shard.iter().enumerate().filter(|(_, is_in_shard)| !**is_in_shard);
            for (position, _) in missing {
                let estimate = Estimate { value: shards_unseen, error: shards_unseen };
                self.labels.value_mut(position).add(estimate);
            }
        }
        self.unseen = sum(unseen, shards_unseen);
        if self.labels.entries().len() > self.keep {
            self.cut_off();
        }
    }

    /// Keeps the largest labels.
    fn cut_off(&mut self) {
        let mut entries = self.labels.take_entries();
        entries.sort_by_key(|entry| Reverse(entry.value.value.weight()));
        let largest = entries[self.keep].value.value;
        if largest.weight() > self.unseen.weight() {
            self.unseen = largest;
        }
        entries.truncate(self.keep);
        self.by_value.clear();
        for (position, entry) in (0..).zip(entries) {
            self.by_value.push(Known { value: entry.value.value, position });
            if let Err(slot) = self.labels.find_like(&entry) {
                self.labels.insert_entry(slot, entry);
            }
        }
    }

    /// The smallest value, with its position.
    ///
    /// Each round brings one entry of the heap up to date, and an entry is out of date only after an event of its own. So the
    /// rounds of all calls together are not more than the events, and a round takes at most the logarithm of `keep` steps.
    fn smallest(&mut self) -> Option<(D, u32)> {
        loop {
            let mut first = self.by_value.peek_mut()?;
            let position = first.position;
            let value = self.labels.entries()[position as usize].value.value;
            if value.weight() == first.value.weight() {
                return Some((value, position));
            }
            // The heap is in order again once `first` is dropped.
            first.value = value;
        }
    }
}

fn sum<D: Weighted>(one: D, other: D) -> D {
    D::of(one.weight().plus(other.weight()))
}

impl<L: Label, D: Weighted> Dimension for Top<L, D> {
    type Output = TopSnapshot<L, D::Weight>;
    const KIND: DimensionKind = DimensionKind::Top;
    const UNIT: Option<&'static str> = D::UNIT;
    const SHAPE: Shape = Shape { parts: L::PARTS, ..Shape::new(Self::KIND, D::SHAPE.number) };

    fn read(&self) -> Self::Output {
        self.read_keeping(0)
    }

    fn value(output: Self::Output) -> DimensionValue {
        DimensionValue::Top(output.without_types())
    }

    fn merge_outputs(output: &mut Self::Output, other: &Self::Output, _rule: Option<MergeRule>) -> bool {
        output.merge(other);
        true
    }

    fn empty_shard(&self) -> Option<Self> {
        Some(Self::default())
    }

    fn absorb_shard(&mut self, shard: &mut Self) {
        match (&mut self.summary, &mut shard.summary) {
            (Some(summary), Some(shard)) => summary.absorb(shard),
            (own @ None, shard) => *own = shard.take(),
            (Some(_), None) => {}
        }
    }
}

impl<L, D> Default for Top<L, D> {
    fn default() -> Self {
        Self { summary: None, label: PhantomData }
    }
}

impl<L: Label, D: Weighted> fmt::Debug for Top<L, D> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.read().fmt(formatter)
    }
}
