//! The metrics of a recorder, and the table of their handlers by type of event.
//!
//! # Invariants
//!
//! * T1: While a [`Target`] is in the table, a metric of the type it was made for is at its index. [`MetricSet::register`] alone
//!   changes both, and [`MetricBox::of_erased`] boxes a metric together with the handlers of its own type. [`ShardPlan`] makes
//!   sets with an equal table, and with a metric of the same type at each index.
//! * T2: A target is called only for a batch with the target's own type id. So the slots hold events of the type for which
//!   the target's functions were made.

mod shards;

use std::any::{Any, TypeId};
use std::borrow::Cow;
use std::collections::HashSet;
use std::ptr::NonNull;
use std::sync::Arc;

use super::metric::{Metric, TypedMetric};
use crate::descriptor::MetricDescriptor;
use crate::dispatch::{ErasedHandler, EventHandler};
use crate::error::MetricsRecorderError;
use crate::panics::{self, Panic};
use crate::queue::Published;
use crate::snapshot::{Declaration, Declared, Dimensions, MetricSnapshot, Times, Timestamp};

pub(crate) use shards::ShardPlan;

#[derive(Default)]
pub(crate) struct MetricSet {
    /// In order of registration.
    metrics: Vec<MetricEntry>,
    /// Sorted by type of event, within a type by index.
    targets: Vec<Target>,
}

/// The states of these metrics, in their order, and after them those of the metrics that they show beside themselves. Each name is
/// there once.
pub(crate) fn snapshots<'a>(
    metrics: impl Iterator<Item = (&'a MetricBox, Option<&'a Panic>)>,
    taken_at: Timestamp,
) -> Vec<MetricSnapshot> {
    let mut further = Vec::new();
    let mut snapshots: Vec<MetricSnapshot> = metrics
        .map(|(metric, failure)| {
            let mut own = metric.snapshot(failure, taken_at);
            further.append(&mut metric.further(&mut own, taken_at));
            own
        })
        .collect();
    append_unnamed(&mut snapshots, further, |metric| &metric.name);
    snapshots
}

/// The descriptors of these metrics, in the order of [`snapshots`].
pub(crate) fn descriptors<'a>(metrics: impl Iterator<Item = &'a MetricBox>) -> Vec<MetricDescriptor> {
    let mut further = Vec::new();
    let mut descriptors: Vec<MetricDescriptor> = metrics
        .map(|metric| {
            let shown = panics::catch(|| metric.erased().further_metrics()).unwrap_or_default();
            further.extend(shown.iter().filter_map(|metric| metric.declaration().cloned()));
            metric.declaration.descriptor().clone()
        })
        .collect();
    append_unnamed(&mut descriptors, further, |descriptor| &descriptor.name);
    descriptors
}

/// Appends those of `further` whose names none has before them.
fn append_unnamed<T>(all: &mut Vec<T>, further: Vec<T>, name: impl Fn(&T) -> &Cow<'static, str>) {
    if further.is_empty() {
        return;
    }
    let mut names: HashSet<Cow<'static, str>> = all.iter().map(|one| name(one).clone()).collect();
    all.extend(further.into_iter().filter(|one| names.insert(name(one).clone())));
}

/// One metric, and the panic after which it gets no more events, if there was one.
struct MetricEntry {
    metric: MetricBox,
    failure: Option<Panic>,
}

/// One metric's handlers for one type of event.
#[derive(Clone, Copy)]
struct Target {
    index: usize,
    handler: ErasedHandler,
}

/// The name of a metric that panicked during a call, and its panic.
pub(crate) struct MetricFailure {
    pub(crate) metric: Arc<str>,
    pub(crate) panic: Panic,
}

impl MetricSet {
    /// Adds a metric. One of the same name is replaced and returned.
    pub(crate) fn register(&mut self, mut metric: MetricBox) -> Option<MetricBox> {
        let index = self.index_of(&metric.name).unwrap_or(self.metrics.len());
        self.targets.retain(|target| target.index != index);
        for target in std::mem::take(&mut metric.targets) {
            let target = Target { index, ..target };
            let order = |target: &Target| (target.handler.type_id, target.index);
            let at = self.targets.partition_point(|other| order(other) <= order(&target));
            self.targets.reserve_exact(1);
            self.targets.insert(at, target);
        }
        let entry = MetricEntry { metric, failure: None };
        if let Some(place) = self.metrics.get_mut(index) {
            return Some(std::mem::replace(place, entry).metric);
        }
        // Most recorders have few metrics.
        self.metrics.reserve_exact(1);
        self.metrics.push(entry);
        None
    }

    /// Applies a batch of events to the metrics that listen to them. A metric that panics gets no more events.
    #[inline]
    pub(crate) fn apply_batch(&mut self, batch: &Published<'_>, failures: &mut Vec<MetricFailure>) {
        for Target { index, handler } in targets_of(&self.targets, batch) {
            self.metrics[*index].call(failures, |metric| {
                // SAFETY: T1 and T2. `&mut self` excludes all other uses of the metric, and the batch keeps its events.
                unsafe { (handler.batch)(metric, batch.slots()) };
            });
        }
    }

    /// Applies the first event of a batch; returns the names of the metrics that accepted it.
    pub(crate) fn apply_first(
        &mut self,
        batch: &Published<'_>,
        failures: &mut Vec<MetricFailure>,
    ) -> Vec<Arc<str>> {
        let mut accepted = Vec::new();
        // SAFETY: the slot is published with this metadata, and the batch keeps its events.
        let event = unsafe { batch.slots()[0].view(batch.meta()) };
        for Target { index, handler } in targets_of(&self.targets, batch) {
            let entry = &mut self.metrics[*index];
            let answer = entry.call(failures, |metric| {
                // SAFETY: as in `apply_batch`.
                unsafe { (handler.one)(metric, event.erased()) }
            });
            let name = &entry.metric.name;
            // A metric may list an event twice; its name is returned once.
            if answer == Some(true) && accepted.last() != Some(name) {
                accepted.push(Arc::clone(name));
            }
        }
        accepted
    }

    /// All metrics in order, each with its panic if there was one. A metric of `newer` replaces one of the same name.
    pub(crate) fn current<'a>(
        &'a self,
        newer: impl Iterator<Item = &'a MetricBox>,
    ) -> Vec<(&'a MetricBox, Option<&'a Panic>)> {
        let kept = self.metrics.iter().map(|entry| (&entry.metric, entry.failure.as_ref()));
        let mut current: Vec<_> = kept.collect();
        for metric in newer {
            match current.iter_mut().find(|(other, _)| other.name == metric.name) {
                Some(place) => *place = (metric, None),
                None => current.push((metric, None)),
            }
        }
        current
    }

    /// The metric of that name, with its panic if there was one.
    pub(crate) fn find(&self, name: &str) -> Option<(&MetricBox, Option<&Panic>)> {
        let entry = &self.metrics[self.index_of(name)?];
        Some((&entry.metric, entry.failure.as_ref()))
    }

    fn index_of(&self, name: &str) -> Option<usize> {
        self.metrics.iter().position(|entry| &*entry.metric.name == name)
    }
}

impl MetricEntry {
    /// Calls a handler, and returns its answer; `None` when the metric panics now or has panicked before.
    #[inline]
    fn call<R>(
        &mut self,
        failures: &mut Vec<MetricFailure>,
        handler: impl FnOnce(NonNull<()>) -> R,
    ) -> Option<R> {
        if self.failure.is_some() {
            return None;
        }
        let metric = NonNull::from(self.metric.erased_mut()).cast();
        match panics::catch(|| handler(metric)) {
            Ok(answer) => Some(answer),
            Err(panic) => {
                failures.push(MetricFailure { metric: Arc::clone(&self.metric.name), panic: panic.clone() });
                self.failure = Some(panic);
                None
            }
        }
    }
}

/// The handlers for the events of a batch, in order of the metrics' registration.
#[inline]
fn targets_of<'a>(
    targets: &'a [Target],
    batch: &Published<'_>,
) -> impl Iterator<Item = &'a Target> + use<'a> {
    let type_id = batch.meta().type_id;
    let start = targets.partition_point(|target| target.handler.type_id < type_id);
    targets[start..].iter().take_while(move |target| target.handler.type_id == type_id)
}

/// A metric of any type, with the name it was registered under.
pub struct MetricBox {
    pub(crate) name: Arc<str>,
    declaration: Declaration,
    counting_since: Timestamp,
    /// The metric's handlers. [`MetricSet::register`] takes them out and sets their index.
    targets: Vec<Target>,
    /// `None` only while it is dropped.
    metric: Option<Box<dyn ErasedMetric>>,
}

impl MetricBox {
    /// Boxes a metric under the name that it returns for itself.
    pub(crate) fn named<M: Metric>(metric: M) -> Result<Self, MetricsRecorderError> {
        Self::of_erased(Box::new(metric))
    }

    /// As [`named`](Self::named), for a metric in its default state.
    pub(crate) fn of_default<M: Metric + Default>() -> Result<Self, MetricsRecorderError> {
        Self::of_made(boxed_default::<M>)
    }

    fn of_made(make: fn() -> Box<dyn ErasedMetric>) -> Result<Self, MetricsRecorderError> {
        Self::of_erased(panics::catch(make).map_err(MetricsRecorderError::unexpected)?)
    }

    fn of_erased(metric: Box<dyn ErasedMetric>) -> Result<Self, MetricsRecorderError> {
        let known = panics::catch(|| (Arc::<str>::from(metric.metric_name()), targets_of_metric(&*metric)));
        let declaration = panics::catch(|| declaration_of(&*metric));
        let is_declared = declaration.is_ok();
        let unnamed = Self {
            name: Arc::from(""),
            declaration: declaration.unwrap_or_else(|_| Declaration::undeclared("")),
            counting_since: Timestamp::now(),
            targets: Vec::new(),
            metric: Some(metric),
        };
        match known {
            Ok((name, _)) if name.trim().is_empty() => Err(MetricsRecorderError::InvalidArgument {
                argument: "metric name",
                problem: "must not be blank",
            }),
            Ok((name, targets)) => {
                let mut named = unnamed.with(name, targets);
                if !is_declared {
                    named.declaration = Declaration::undeclared(&named.name);
                }
                Ok(named)
            }
            Err(panic) => Err(MetricsRecorderError::unexpected(panic)),
        }
    }

    fn with(mut self, name: Arc<str>, targets: Vec<Target>) -> Self {
        self.name = name;
        self.targets = targets;
        self
    }

    /// The metric's state, marked as failed when the metric has panicked or panics now.
    pub(crate) fn snapshot(&self, failure: Option<&Panic>, taken_at: Timestamp) -> MetricSnapshot {
        let mut snapshot = panics::catch(|| self.erased().snapshot()).unwrap_or_else(|panic| {
            let mut snapshot = MetricSnapshot::new(&*self.name);
            snapshot.failed = Some(format!("snapshot {panic}"));
            snapshot
        });
        // A metric that is written by hand may return any name.
        if *snapshot.name != *self.name {
            snapshot.name = Cow::Owned(self.name.to_string());
        }
        if let Some(panic) = failure {
            snapshot.failed = Some(panic.to_string());
        }
        snapshot.declaration = Some(self.declaration.clone());
        snapshot.times = self.times(taken_at);
        snapshot
    }

    /// The snapshots of the metrics that this one shows beside itself. Without them, because that panics, the reading is incomplete as if
    /// this metric itself had panicked.
    fn further(&self, own: &mut MetricSnapshot, taken_at: Timestamp) -> Vec<MetricSnapshot> {
        let mut further = panics::catch(|| self.erased().further_metrics()).unwrap_or_else(|panic| {
            own.dimensions = Dimensions::default();
            own.failed = Some(format!("snapshot {panic}"));
            Vec::new()
        });
        for metric in &mut further {
            metric.declaration.get_or_insert_with(|| Declaration::undeclared(&metric.name));
            metric.times = self.times(taken_at);
        }
        further
    }

    /// The times of a snapshot that is taken now.
    pub(crate) fn times(&self, taken_at: Timestamp) -> Times {
        Times { counting_since: self.counting_since, taken_at }
    }

    /// Reads the metric's state with its types.
    pub(crate) fn read_typed(&self, read: &mut dyn ReadTyped) -> Result<(), MetricsRecorderError> {
        let times = self.times(Timestamp::now());
        panics::catch(|| read.read(self.erased(), times)).map_err(MetricsRecorderError::unexpected)
    }

    pub(crate) fn metric_type(&self) -> TypeId {
        let metric: &dyn Any = self.erased();
        metric.type_id()
    }

    fn erased(&self) -> &dyn ErasedMetric {
        self.metric.as_deref().expect("a metric is there until it is dropped")
    }

    fn erased_mut(&mut self) -> &mut dyn ErasedMetric {
        self.metric.as_deref_mut().expect("a metric is there until it is dropped")
    }
}

impl Drop for MetricBox {
    fn drop(&mut self) {
        let metric = self.metric.take();
        panics::catch_and_ignore(|| drop(metric));
    }
}

fn boxed_default<M: Metric + Default>() -> Box<dyn ErasedMetric> {
    Box::new(M::default())
}

/// Reads a metric of a type that is not known here. The library handles all types of metrics with one code: what it copies for
/// each type costs every user compile time.
pub(crate) trait ReadTyped {
    fn read(&mut self, metric: &dyn Any, times: Times);
}

/// The typed snapshot of an `M`. `None` until it is read, and when the metric has another type.
pub(crate) struct Typed<M: TypedMetric>(pub(crate) Option<M::Snapshot>);

impl<M: TypedMetric> ReadTyped for Typed<M> {
    fn read(&mut self, metric: &dyn Any, times: Times) {
        if let Some(metric) = metric.downcast_ref::<M>() {
            self.0 = Some(metric.typed_snapshot_at(times));
        }
    }
}

/// The handlers of a metric; [`MetricBox::of_erased`] boxes them with it (T1).
fn targets_of_metric(metric: &dyn ErasedMetric) -> Vec<Target> {
    metric.facts().handlers().iter().map(|handler| Target { index: 0, handler: *handler }).collect()
}

/// The declaration of a metric whose type is known.
pub(crate) fn declaration_of_type<M: Metric>(metric: &M) -> Declaration {
    declaration_of(metric)
}

/// The declaration of a metric. Metrics of one derived type share it.
fn declaration_of(metric: &dyn ErasedMetric) -> Declaration {
    let facts = metric.facts();
    let event_types = facts.handlers().iter().map(|handler| handler.event_type);
    let declare = || Declared::new(metric.descriptor(), event_types);
    let any: &dyn Any = metric;
    if facts.shares_declaration { Declaration::of_type(any.type_id(), declare) } else { declare().into() }
}

/// A [`Metric`] of any type. It is private and implemented for `Metric`s only, so this file alone upholds T1.
///
/// These methods are compiled for each type of metric, whether a program calls them or not. So what they have in common stands
/// outside of them.
trait ErasedMetric: Metric + Any {
    /// What all metrics of this type have in common.
    fn facts(&self) -> Facts;

    /// [`Metric::empty_shard`].
    fn empty_shard_erased(&self) -> Box<dyn ErasedMetric>;

    /// [`Metric::absorb_shard`].
    ///
    /// # Safety
    /// The shard is a metric of this type.
    unsafe fn absorb_erased(&mut self, shard: NonNull<()>);
}

/// What all metrics of one type have in common.
struct Facts {
    /// [`Metric::handlers`], without the type.
    handlers: *const [ErasedHandler],
    /// Whether they have one declaration.
    shares_declaration: bool,
    /// [`Metric::order_problem`].
    order_problem: fn() -> Option<String>,
}

impl Facts {
    fn handlers(&self) -> &'static [ErasedHandler] {
        // SAFETY: `facts` got it from a `&'static [EventHandler<M>]`, and an `EventHandler` is transparent.
        unsafe { &*self.handlers }
    }
}

impl<M: Metric> ErasedMetric for M {
    fn facts(&self) -> Facts {
        let handlers: *const [EventHandler<M>] = M::handlers();
        Facts {
            handlers: handlers as *const [ErasedHandler],
            shares_declaration: M::is_derived(),
            order_problem: M::order_problem,
        }
    }

    fn empty_shard_erased(&self) -> Box<dyn ErasedMetric> {
        Box::new(self.empty_shard())
    }

    unsafe fn absorb_erased(&mut self, shard: NonNull<()>) {
        // SAFETY: the caller promises it.
        self.absorb_shard(unsafe { shard.cast::<M>().as_mut() });
    }
}
