//! The last seconds of a dimension.

use std::any::Any;
use std::fmt;

use crate::descriptor::{DimensionKind, MergeRule, MergeValues, OwnRules};
use crate::moment::Moment;
use crate::snapshot::DimensionValue;

use super::histogram::{UpTo, WithLayout};
use super::{
    Add, BucketLayout, Bucketed, BucketedReading, Count, Dimension, NeedsOrder, Record, Set, Shape, Sub,
};

/// A window consists of so many slots. One more slot records while the oldest one leaves the window.
const SLOTS: u64 = 10;

/// The last `SECS` seconds of a dimension `D`: of any other dimension type but [`Breakdown`](crate::Breakdown) and
/// [`Top`](crate::Top).
///
/// Updated with what `D` needs, and with its options. A snapshot shows the output of `D`, for the values of the window alone.
/// For one window for each label write `Breakdown<L, Recent<D, SECS>>`. The largest labels of the last minute, of any number of
/// different ones, are not possible: such a breakdown has a `limit`, and keeps the labels that came first.
///
/// * **When a value is forgotten**: never before `SECS` seconds, and at the latest after `SECS` seconds and a tenth of them. The
///   window moves in ten steps, so a rate is most even where it is read less often than that.
/// * **The time of a value** is that of its batch. A recorder reads the clock once for each batch of events, when all of
///   them have been accepted. A clock that goes backwards forgets nothing: values join the newest ones.
/// * **After the stop** of a recorder, or its failure, the window stays as it was at that moment. After a restart time goes on.
/// * **Reading** changes nothing. Any number of readers see the same window.
/// * **Several recorders** merge as those of `D`. Like gauges, the windows of removed recorders and replaced metrics leave the
///   totals. Values may fall, so `since` keeps the later one, and text formats show gauges, for a histogram its quantiles.
///
/// | `D` | the window shows |
/// |---|---|
/// | [`Counter`](crate::Counter), [`Sum`](crate::Sum) | the sum of the window; divided by `SECS` it is a rate |
/// | [`Min`](crate::Min), [`Max`](crate::Max), [`Mean`](crate::Mean), [`Histogram`](crate::Histogram) | those of the recent values |
/// | [`Gauge`](crate::Gauge) | the last value, `None` when it was set too long ago |
/// | [`InFlight`](crate::InFlight) | how much was started and finished; `current` is the change |
/// | a type of your own | its outputs of all steps, merged by [`MERGE`](Dimension::MERGE), which it needs |
///
/// It takes 40 bytes, and one `D` with 8 bytes for each tenth of `SECS` in which it was updated, at most eleven of them. The next
/// update frees those that are forgotten.
///
/// ```
/// use std::time::Duration;
///
/// use mvx_metrics::{Counter, HandleEvent, Max, Metric, Recent, TypedMetric, metric_event};
///
/// #[metric_event]
/// struct Served {
///     elapsed: Duration,
/// }
///
/// #[derive(Metric, Default)]
/// #[metric(on(Served))]
/// struct Requests {
///     /// The requests of the last minute.
///     recent: Recent<Counter, 60>,
///     #[dimension(value = elapsed)]
///     slowest: Recent<Max<Duration>, 60>,
/// }
///
/// let mut requests = Requests::default();
/// requests.handle(&Served { elapsed: Duration::from_millis(7) });
/// let snapshot = requests.typed_snapshot();
/// assert_eq!(snapshot.recent, 1);
/// assert_eq!(snapshot.slowest.known(), Some(Duration::from_millis(7)));
/// ```
///
/// # Tests
///
/// A metric that is driven by hand, and a recorder that is created inside of a tokio runtime, follow tokio's clock. A test can
/// pause that clock and [advance](https://docs.rs/tokio/latest/tokio/time/fn.advance.html) it. The recorders of a
/// [`MetricsRuntime`](crate::MetricsRuntime) follow the system's clock, because they are read by threads of several tokio
/// runtimes.
#[derive(Clone)]
pub struct Recent<D, const SECS: u64> {
    /// The slot that records.
    newest: D,
    /// Where the newest slot ends. The smallest moment before the first update.
    end: Moment,
    /// The slots before it, from old to new. All have been updated, and most are in the window.
    older: Vec<Slot<D>>,
    /// The invalid values of forgotten slots.
    forgotten_invalid: u64,
}

/// A slot that records no more.
#[derive(Clone)]
struct Slot<D> {
    number: u64,
    dimension: D,
}

impl<D, const SECS: u64> Recent<D, SECS> {
    /// How long a slot is, in nanoseconds.
    const LENGTH: u64 = {
        assert!(is_in_range(SECS), "the window of a `Recent` has 1 to 4,294,967,295 seconds");
        SECS * (1_000_000_000 / SLOTS)
    };

    /// The number of the newest slot.
    fn number(&self) -> u64 {
        (self.end.nanos() / Self::LENGTH).saturating_sub(1)
    }
}

const fn is_in_range(seconds: u64) -> bool {
    seconds > 0 && seconds <= u32::MAX as u64
}

/// Why there is no window of `D`. The derive reports it where the field is.
const fn problem<D: Dimension>(seconds: u64) -> Option<&'static str> {
    if !is_in_range(seconds) {
        Some("a window has 1 to 4,294,967,295 seconds: write `Recent<D, 60>`")
    } else if D::SHAPE.window.is_some() {
        Some("a window of a window: write one `Recent`")
    } else if matches!(D::KIND, DimensionKind::Top) {
        Some("a window of a `Top`: write `Breakdown<L, Recent<D, 60>>`")
    } else if D::SHAPE.parts > 0 {
        Some("a window of a breakdown: write `Breakdown<L, Recent<D, 60>>`")
    } else if D::SHAPE.merge.is_none() {
        Some(
            "a window merges the outputs of its parts: add `MERGE` to the `impl Dimension` of the type inside of `Recent`",
        )
    } else {
        None
    }
}

/// Replaces a value by that of an empty window.
fn empty<D: Dimension + Default>(value: &mut dyn Any) {
    if let Some(value) = value.downcast_mut::<DimensionValue>() {
        *value = D::value(D::default().read());
    }
}

/// The number of the first slot in the window of a slot.
fn first_of_window(number: u64) -> u64 {
    number.saturating_sub(SLOTS)
}

impl<D: Dimension + Default, const SECS: u64> Recent<D, SECS> {
    /// The dimension that records now, for handlers that are written by hand.
    #[inline]
    pub fn newest(&mut self) -> &mut D {
        if !self.end.is_ahead() {
            self.advance();
        }
        &mut self.newest
    }

    /// The records of the last `SECS` seconds.
    #[must_use]
    pub fn get(&self) -> D::Output {
        self.merged(D::read).unwrap_or_else(|| D::default().read())
    }

    /// Begins a new slot if it is time.
    #[cold]
    fn advance(&mut self) {
        let now = Moment::present();
        if now < self.end {
            return;
        }
        let number = now.nanos() / Self::LENGTH;
        let first = first_of_window(number);
        let mut forgotten = 0;
        self.older.retain(|slot| {
            let is_recent = slot.number >= first;
            if !is_recent {
                forgotten = slot.dimension.invalid().saturating_add(forgotten);
            }
            is_recent
        });
        if self.end > Moment::default() {
            // A `with` handler has its buckets from before its call, and may end in a later slot.
            let empty = self.newest.emptied().unwrap_or_default();
            let dimension = std::mem::replace(&mut self.newest, empty);
            let full = Slot { number: self.number(), dimension };
            if full.number >= first {
                // Most windows of rare labels have one slot.
                self.older.reserve_exact(1);
                self.older.push(full);
            } else {
                forgotten = full.dimension.invalid().saturating_add(forgotten);
            }
        }
        self.forgotten_invalid = self.forgotten_invalid.saturating_add(forgotten);
        self.end = Moment::from_nanos((number + 1).saturating_mul(Self::LENGTH));
    }

    /// The slots of the window, from old to new.
    fn window(&self) -> impl Iterator<Item = &D> {
        let newest = self.number();
        // A clock that went backwards is before the newest slot.
        let first = first_of_window((Moment::present().nanos() / Self::LENGTH).max(newest));
        let is_used = self.end > Moment::default();
        let older = self.older.iter().map(|slot| (slot.number, &slot.dimension));
        let newest = is_used.then_some((newest, &self.newest));
        older.chain(newest).filter(move |(number, _)| *number >= first).map(|(_, dimension)| dimension)
    }

    /// The outputs of the window as one; `None` when nothing was updated in it.
    fn merged(&self, read: impl Fn(&D) -> D::Output) -> Option<D::Output> {
        let mut window = self.window();
        let mut merged = read(window.next()?);
        for later in window {
            D::merge_in_time(&mut merged, &read(later));
        }
        Some(merged)
    }
}

impl<D: Default, const SECS: u64> Default for Recent<D, SECS> {
    fn default() -> Self {
        Self { newest: D::default(), end: Moment::default(), older: Vec::new(), forgotten_invalid: 0 }
    }
}

impl<D: Dimension + Default, const SECS: u64> fmt::Debug for Recent<D, SECS> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Recent").field(&self.get()).finish()
    }
}

impl<D: Dimension + Default, const SECS: u64> Dimension for Recent<D, SECS> {
    type Output = D::Output;
    const KIND: DimensionKind = D::KIND;
    const UNIT: Option<&'static str> = D::UNIT;
    const MERGE: Option<fn(&mut D::Output, &D::Output)> = D::MERGE;
    const SHAPE: Shape = {
        let merge_values = match D::SHAPE.merge_values.0 {
            Some(rules) => Some(OwnRules { empty: Some(empty::<D>), ..rules }),
            None => None,
        };
        let merge_values = MergeValues(merge_values);
        let needs_order = Some(NeedsOrder::Window);
        Shape { window: Some(SECS), merge_values, problem: problem::<D>(SECS), needs_order, ..D::SHAPE }
    };

    fn read(&self) -> D::Output {
        self.get()
    }

    fn value(output: D::Output) -> DimensionValue {
        D::value(output)
    }

    fn merge_outputs(output: &mut D::Output, other: &D::Output, rule: Option<MergeRule>) -> bool {
        D::merge_outputs(output, other, rule)
    }

    fn invalid(&self) -> u64 {
        let recorded = self.older.iter().map(|slot| &slot.dimension).chain([&self.newest]);
        recorded
            .fold(self.forgotten_invalid, |invalid, dimension| invalid.saturating_add(dimension.invalid()))
    }

    fn zero() -> Option<D::Output> {
        D::zero()
    }

    /// Its values are forgotten.
    fn may_vanish(_output: &D::Output) -> bool {
        true
    }
}

impl<D: BucketedReading + Default, const SECS: u64> BucketedReading for Recent<D, SECS> {
    type Measure = D::Measure;

    fn read_within(&self, layout: &'static BucketLayout<D::Measure>, zeros: bool) -> D::Output {
        let read = |dimension: &D| dimension.read_within(layout, zeros);
        self.merged(read).unwrap_or_else(|| read(&D::default()))
    }

    fn read_value_within(&self, layout: &'static BucketLayout<D::Measure>, zeros: bool) -> DimensionValue {
        D::value(self.read_within(layout, zeros))
    }

    fn zero_within(layout: &'static BucketLayout<D::Measure>) -> Option<D::Output> {
        D::zero_within(layout)
    }
}

impl<D: Dimension + Default + Bucketed, const SECS: u64> Bucketed for Recent<D, SECS> {
    type Measure = D::Measure;

    #[inline]
    fn within(&mut self, layout: &'static BucketLayout<D::Measure>) -> WithLayout<'_, D::Measure> {
        self.newest().within(layout)
    }

    #[inline]
    fn up_to(&mut self, max_buckets: u16) -> UpTo<'_, D::Measure> {
        self.newest().up_to(max_buckets)
    }
}

impl<D: Dimension + Default + Count, const SECS: u64> Count for Recent<D, SECS> {
    #[inline]
    fn count(&mut self) -> bool {
        self.newest().count()
    }
}

macro_rules! feeds {
    ($($feed:ident: $method:ident;)*) => {
        $(impl<V, D: Dimension + Default + $feed<V>, const SECS: u64> $feed<V> for Recent<D, SECS> {
            #[inline]
            fn $method(&mut self, value: V) -> bool {
                self.newest().$method(value)
            }
        })*
    };
}

feeds! {
    Record: record;
    Add: add;
    Sub: sub;
    Set: set;
}
