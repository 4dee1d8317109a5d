//! The metrics of a recorder together with the table that says which of them an event goes to.
//!
//! # Invariants
//!
//! * T1: a [`Target`] stands in the table only while the metric it was made for is kept at its index: both are changed by
//!   [`MetricSet::register`] alone, and [`MetricBox::named`] has put the handlers of the metric's own type beside it.
//! * T2: a target is called only for a batch whose type id is the one it was filed under, so the events behind the slots
//!   are of the type the target's functions were made for.

use std::any::{Any, TypeId};
use std::ptr::NonNull;
use std::sync::Arc;

use crate::descriptor::MetricDescriptor;
use crate::dispatch::{BatchHandler, EventHandler, OneHandler};
use crate::error::MetricsRecorderError;
use crate::metric::Metric;
use crate::queue::Batch;
use crate::snapshot::MetricSnapshot;
use crate::unwind::{self, Panic};

#[derive(Default)]
pub(crate) struct MetricSet {
    /// In the order of registration.
    metrics: Vec<Registered>,
    /// Ordered by type, within a type by index.
    targets: Vec<Target>,
}

/// One metric, and what made it stop counting if something did.
struct Registered {
    metric: MetricBox,
    failure: Option<Panic>,
}

/// One metric's handlers for one type of event.
#[derive(Clone, Copy)]
struct Target {
    type_id: TypeId,
    index: usize,
    batch: BatchHandler,
    one: OneHandler,
}

/// A metric that has just panicked.
pub(crate) struct MetricFailure {
    pub(crate) metric: Arc<str>,
    pub(crate) panic: Panic,
}

impl MetricSet {
    /// Adds a metric, or puts it in the place of the one of the same name; returns that one.
    pub(crate) fn register(&mut self, mut metric: MetricBox) -> Option<MetricBox> {
        let index = self.index_of(&metric.name).unwrap_or(self.metrics.len());
        self.targets.retain(|target| target.index != index);
        for target in std::mem::take(&mut metric.targets) {
            let target = Target { index, ..target };
            let at =
                self.targets.partition_point(|other| (other.type_id, other.index) <= (target.type_id, index));
            self.targets.insert(at, target);
        }
        let registered = Registered { metric, failure: None };
        if let Some(place) = self.metrics.get_mut(index) {
            return Some(std::mem::replace(place, registered).metric);
        }
        self.metrics.push(registered);
        None
    }

    /// Applies a batch of events to the metrics that listen to them. A metric that panics is out from then on.
    #[inline]
    pub(crate) fn apply_batch(&mut self, batch: &Batch<'_>, failures: &mut Vec<MetricFailure>) {
        for target in targets_of(&self.targets, batch) {
            self.metrics[target.index].call(failures, |metric| {
                // SAFETY: T1 and T2; the borrow of the set keeps everyone else away from the metric, and the batch keeps
                // its events.
                unsafe { (target.batch)(metric, batch.slots()) };
            });
        }
    }

    /// Applies the first event of a batch; returns the names of the metrics that accepted it.
    pub(crate) fn apply_first(
        &mut self,
        batch: &Batch<'_>,
        failures: &mut Vec<MetricFailure>,
    ) -> Vec<Arc<str>> {
        let mut accepted = Vec::new();
        for target in targets_of(&self.targets, batch) {
            let registered = &mut self.metrics[target.index];
            let answer = registered.call(failures, |metric| {
                // SAFETY: as in `apply_batch`.
                unsafe { (target.one)(metric, &batch.slots()[0]) }
            });
            let name = &registered.metric.name;
            // A metric may list an event twice; it changes once.
            if answer == Some(true) && accepted.last() != Some(name) {
                accepted.push(Arc::clone(name));
            }
        }
        accepted
    }

    /// All metrics in order, each with what made it stop counting. Those of `newer` stand in for the ones of their name.
    pub(crate) fn current<'a>(
        &'a self,
        newer: impl Iterator<Item = &'a MetricBox>,
    ) -> Vec<(&'a MetricBox, Option<&'a Panic>)> {
        let kept = self.metrics.iter().map(|registered| (&registered.metric, registered.failure.as_ref()));
        let mut current: Vec<_> = kept.collect();
        for metric in newer {
            match current.iter_mut().find(|(other, _)| other.name == metric.name) {
                Some(place) => *place = (metric, None),
                None => current.push((metric, None)),
            }
        }
        current
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.index_of(name).is_some()
    }

    fn index_of(&self, name: &str) -> Option<usize> {
        self.metrics.iter().position(|registered| &*registered.metric.name == name)
    }
}

impl Registered {
    /// Calls a handler of a metric that still counts; `None` when there is no answer.
    #[inline]
    fn call<R>(
        &mut self,
        failures: &mut Vec<MetricFailure>,
        handler: impl FnOnce(NonNull<()>) -> R,
    ) -> Option<R> {
        if self.failure.is_some() {
            return None;
        }
        let metric = self.metric.erased_mut().address();
        match unwind::catch(|| handler(metric)) {
            Ok(answer) => Some(answer),
            Err(panic) => {
                failures.push(MetricFailure { metric: Arc::clone(&self.metric.name), panic: panic.clone() });
                self.failure = Some(panic);
                None
            }
        }
    }
}

/// The handlers for the events of a batch, in the order of the metrics' registration.
#[inline]
fn targets_of<'a>(targets: &'a [Target], batch: &Batch<'_>) -> impl Iterator<Item = &'a Target> + use<'a> {
    let type_id = batch.meta().type_id;
    let start = targets.partition_point(|target| target.type_id < type_id);
    targets[start..].iter().take_while(move |target| target.type_id == type_id)
}

/// A metric of any type, with the name it was registered under.
pub struct MetricBox {
    pub(crate) name: Arc<str>,
    /// The metric's handlers, for an index that is yet to be known; taken out when the metric is registered.
    targets: Vec<Target>,
    /// `None` only while it is dropped.
    metric: Option<Box<dyn ErasedMetric>>,
}

impl MetricBox {
    /// Takes a metric over under the name it gives itself.
    pub(crate) fn named<M: Metric>(metric: M) -> Result<Self, MetricsRecorderError> {
        let known = unwind::catch(|| (Arc::<str>::from(metric.metric_name()), targets_of_type::<M>()));
        let unknown = Self { name: Arc::from(""), targets: Vec::new(), metric: Some(Box::new(metric)) };
        match known {
            Ok((name, _)) if name.trim().is_empty() => Err(MetricsRecorderError::InvalidArgument {
                argument: "metric name",
                problem: "must not be blank",
            }),
            Ok((name, targets)) => Ok(unknown.with(name, targets)),
            Err(panic) => Err(MetricsRecorderError::Unexpected { cause: Arc::new(panic) }),
        }
    }

    fn with(mut self, name: Arc<str>, targets: Vec<Target>) -> Self {
        self.name = name;
        self.targets = targets;
        self
    }

    /// The metric's state, marked when the metric failed or cannot show it.
    pub(crate) fn snapshot(&self, failure: Option<&Panic>) -> MetricSnapshot {
        let mut snapshot = unwind::catch(|| self.erased().snapshot()).unwrap_or_else(|panic| {
            let mut snapshot = MetricSnapshot::new(&*self.name);
            snapshot.failed = Some(format!("snapshot {panic}"));
            snapshot
        });
        if let Some(panic) = failure {
            snapshot.failed = Some(panic.to_string());
        }
        snapshot
    }

    pub(crate) fn descriptor(&self) -> MetricDescriptor {
        unwind::catch(|| self.erased().descriptor())
            .unwrap_or_else(|_| MetricDescriptor::new(String::from(&*self.name)))
    }

    pub(crate) fn downcast<M: Metric>(&self) -> Option<&M> {
        let metric: &dyn Any = self.erased();
        metric.downcast_ref()
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
        unwind::contain(|| drop(metric));
    }
}

/// The handlers of metrics of type `M`, which is the type [`MetricBox::named`] boxes with them (T1).
fn targets_of_type<M: Metric>() -> Vec<Target> {
    let target = |handler: &EventHandler<M>| Target {
        type_id: handler.type_id,
        index: 0,
        batch: handler.batch,
        one: handler.one,
    };
    M::handlers().iter().map(target).collect()
}

/// [`Metric`] of any type. Implemented here only, so that T1 rests on this file alone.
trait ErasedMetric: Any + Send {
    fn address(&mut self) -> NonNull<()>;
    fn snapshot(&self) -> MetricSnapshot;
    fn descriptor(&self) -> MetricDescriptor;
}

impl<M: Metric> ErasedMetric for M {
    fn address(&mut self) -> NonNull<()> {
        NonNull::from(self).cast()
    }

    fn snapshot(&self) -> MetricSnapshot {
        Metric::snapshot(self)
    }

    fn descriptor(&self) -> MetricDescriptor {
        Metric::descriptor(self)
    }
}
