//! What the totals of a runtime remember, so that no counter falls and no series changes its meaning.

use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, OnceLock};

use super::group::GroupTotals;
use super::label_slots::LabelSlots;
use crate::descriptor::DimensionDescriptor;
use crate::sync::Mutex;

/// For how many dimensions the memory keeps the shape.
const MAX_SHAPES: usize = 65_536;

/// The memory of one runtime.
#[derive(Default)]
pub(crate) struct Memory {
    /// By namespace: the labels that have values of their own in the rollup.
    label_slots: Mutex<BTreeMap<Arc<str>, LabelSlots>>,
    /// The shape of the values that the rollup showed first.
    shapes: Mutex<HashMap<ShapeKey, u64>>,
    /// By namespace: the last rollup.
    last: Mutex<BTreeMap<Arc<str>, GroupTotals>>,
    /// What a renderer of totals remembers.
    extension: OnceLock<Arc<dyn Any + Send + Sync>>,
}

/// The namespace, the metric's name and the dimension's name.
type ShapeKey = (Arc<str>, String, String);

impl Memory {
    pub(super) fn label_slots(&self, namespace: &Arc<str>) -> LabelSlots {
        self.label_slots.lock().entry(Arc::clone(namespace)).or_default().clone()
    }

    /// Calls `raise` with the last rollup of a namespace.
    pub(super) fn with_last(&self, namespace: &Arc<str>, raise: impl FnOnce(&GroupTotals)) {
        if let Some(last) = self.last.lock().get(namespace) {
            raise(last);
        }
    }

    /// Stores a rollup, unless a later one has been stored meanwhile.
    pub(super) fn store(&self, rollup: &GroupTotals) {
        let mut stored = self.last.lock();
        match stored.get(&rollup.namespace) {
            Some(last) if last.stats.accepted > rollup.stats.accepted => {}
            _ => drop(stored.insert(Arc::clone(&rollup.namespace), rollup.clone())),
        }
    }

    /// Stores the first shape of a dimension in the rollup of a namespace. Returns whether the dimension has the first one.
    pub(super) fn fix_shape(
        &self,
        namespace: &Arc<str>,
        metric: &str,
        dimension: &DimensionDescriptor,
    ) -> bool {
        let shape = shape_of(dimension);
        let mut shapes = self.shapes.lock();
        let key = (Arc::clone(namespace), metric.to_owned(), dimension.name.to_string());
        match shapes.get(&key) {
            Some(first) => *first == shape,
            None if shapes.len() >= MAX_SHAPES => true,
            None => shapes.insert(key, shape).is_none(),
        }
    }

    /// What a renderer of totals remembers; a default one at first.
    #[allow(dead_code, reason = "the feature `openmetrics` uses it")]
    pub(crate) fn extension<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        let extension = self.extension.get_or_init(|| Arc::new(T::default()));
        Arc::clone(extension).downcast().unwrap_or_default()
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Memory").finish_non_exhaustive()
    }
}

/// A hash of everything that must be equal for values of one name to be merged.
fn shape_of(dimension: &DimensionDescriptor) -> u64 {
    let mut hasher = DefaultHasher::new();
    let DimensionDescriptor { kind, number, unit, labels, merge, window, .. } = dimension;
    (kind, number, unit, labels, dimension.label_parts(), merge, window).hash(&mut hasher);
    dimension.max_buckets.is_some().hash(&mut hasher);
    dimension.buckets.iter().for_each(|bound| bound.as_f64().to_bits().hash(&mut hasher));
    hasher.finish()
}
