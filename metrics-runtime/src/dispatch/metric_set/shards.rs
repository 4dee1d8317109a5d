//! A set of metrics in parts, one for each thread.
//!
//! A [`ShardPlan`] makes an empty set for a thread: its shard. The thread applies its events to the shard, and
//! [`MetricSet::absorb`] moves all that the shard has recorded into the set. A metric and its shards have one identity: they share
//! the allocation of their name. A metric that replaces another one of the same name has a name of its own.

use std::ptr::NonNull;
use std::sync::Arc;

use super::{MetricBox, MetricEntry, MetricFailure, MetricSet};
use crate::panics::{self, Panic};
use crate::sync::Mutex;

/// Makes empty sets with the metrics that a set has had at one moment.
pub(crate) struct ShardPlan {
    /// Metrics are `Send` and not `Sync`. No user code runs under the lock.
    prototypes: Mutex<MetricSet>,
}

impl ShardPlan {
    /// An empty set for one thread.
    pub(crate) fn make(&self) -> MetricSet {
        let prototypes = self.prototypes.lock();
        let metrics = prototypes.metrics.iter();
        let metrics = metrics.map(|entry| MetricEntry { metric: entry.metric.empty_shard(), failure: None });
        // T1: each metric has the type and the index of its prototype.
        MetricSet { metrics: metrics.collect(), targets: prototypes.targets.clone() }
    }
}

impl MetricSet {
    /// A plan for the metrics of this set, of which none has an [`order_problem`](MetricBox::order_problem). A metric that has
    /// panicked is not among them: it gets no more events.
    pub(crate) fn shard_plan(&self) -> Arc<ShardPlan> {
        let mut prototypes = Self::default();
        for MetricEntry { metric, failure } in &self.metrics {
            if failure.is_none() {
                let mut prototype = metric.empty_shard();
                prototype.targets = super::targets_of_metric(metric.erased());
                prototypes.register(prototype);
            }
        }
        Arc::new(ShardPlan { prototypes: Mutex::new(prototypes) })
    }

    /// Moves all that a shard has recorded into the metrics of which its metrics were made, and returns those whose metric has been
    /// replaced since. A panic in a shard is one of its metric.
    pub(crate) fn absorb(&mut self, shard: Self, failures: &mut Vec<MetricFailure>) -> Vec<MetricBox> {
        let mut replaced = Vec::new();
        for (index, shard) in shard.metrics.into_iter().enumerate() {
            if let Some(origin) = self.origin_of(&shard.metric, index) {
                origin.absorb(shard, failures);
            } else {
                let MetricEntry { metric, failure } = shard;
                failures.extend(failure.map(|panic| metric.failure(panic)));
                replaced.push(metric);
            }
        }
        replaced
    }

    /// The metric of which a shard was made. It stands at the same index, unless a metric in front of it has failed.
    fn origin_of(&mut self, shard: &MetricBox, index: usize) -> Option<&mut MetricEntry> {
        let is_origin = |entry: &MetricEntry| Arc::ptr_eq(&entry.metric.name, &shard.name);
        let is_at_index = self.metrics.get(index).is_some_and(is_origin);
        let position = if is_at_index { Some(index) } else { self.metrics.iter().position(is_origin) };
        self.metrics.get_mut(position?)
    }
}

impl MetricEntry {
    /// Moves all that a shard has recorded into the metric: also what it recorded before a panic.
    fn absorb(&mut self, mut shard: Self, failures: &mut Vec<MetricFailure>) {
        // What a breakdown keeps for a label may have a `Drop` of the user's.
        let absorbed = panics::catch(|| self.metric.absorb(&mut shard.metric));
        let panic = shard.failure.take().or(absorbed.err());
        if let (Some(panic), None) = (panic, &self.failure) {
            failures.push(self.metric.failure(panic.clone()));
            self.failure = Some(panic);
        }
    }
}

impl MetricBox {
    /// Why the metric cannot be kept in parts, one for each thread; `None` when it can.
    pub(crate) fn order_problem(&self) -> Option<String> {
        // A metric that makes no shard would fail for every event, so a shard is made to try it.
        let without_shard = || {
            let made = panics::catch(|| drop(self.empty_shard()));
            made.is_err().then(|| "one of its dimensions cannot be split by threads".to_owned())
        };
        let problem = (self.erased().facts().order_problem)().or_else(without_shard)?;
        Some(format!("metric `{}`: {problem}", self.name))
    }

    /// An empty metric of the same type and identity, without handlers. The metric has no [`order_problem`](Self::order_problem).
    fn empty_shard(&self) -> Self {
        Self {
            name: Arc::clone(&self.name),
            declaration: self.declaration.clone(),
            counting_since: self.counting_since,
            targets: Vec::new(),
            metric: Some(self.erased().empty_shard_erased()),
        }
    }

    /// Takes over all that a shard of this metric has recorded. A shard of another type leaves the metric as it is.
    fn absorb(&mut self, shard: &mut Self) {
        if self.metric_type() == shard.metric_type() {
            let shard = NonNull::from(shard.erased_mut()).cast();
            // SAFETY: the types are equal, and `shard` is borrowed for the call.
            unsafe { self.erased_mut().absorb_erased(shard) };
        }
    }

    fn failure(&self, panic: Panic) -> MetricFailure {
        MetricFailure { metric: Arc::clone(&self.name), panic }
    }
}

#[cfg(all(test, not(mvx_loom)))]
mod tests;
