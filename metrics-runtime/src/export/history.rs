//! What earlier expositions of a runtime have shown, so that no counter falls and no series changes its meaning.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::sync::Mutex;

use super::family_key::FamilyKey;
use super::totals::{LabelSlots, Totals};

/// How many names of series the history keeps.
const MAX_NAMES: usize = 65_536;
/// For how many dimensions the history keeps the shape.
const MAX_SHAPES: usize = 65_536;

/// The history of one runtime. All clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct SeriesHistory(Arc<Records>);

#[derive(Debug, Default)]
struct Records {
    /// By namespace: the labels that have series of their own in the rollup.
    label_slots: Mutex<BTreeMap<Arc<str>, LabelSlots>>,
    /// For each name of a series the family that had it first.
    names: Mutex<HashMap<String, FamilyKey<'static>>>,
    /// The shape of the values that the rollup showed first.
    shapes: Mutex<HashMap<ShapeKey, u64>>,
    /// By namespace: the totals that the last rollup showed.
    totals: Mutex<BTreeMap<Arc<str>, Totals>>,
}

/// The namespace, the metric's name and the dimension's name.
type ShapeKey = (Arc<str>, String, String);

impl SeriesHistory {
    pub(super) fn get_or_create_label_slots(&self, namespace: &Arc<str>) -> LabelSlots {
        self.0.label_slots.lock().entry(Arc::clone(namespace)).or_default().clone()
    }

    /// Raises counters and histograms of incomplete totals to at least their last shown value. The complete totals would be no
    /// smaller.
    pub(super) fn fill_gaps(&self, namespace: &Arc<str>, totals: &mut Totals) {
        if let Some(last) = self.0.totals.lock().get(namespace) {
            totals.raise_to(last);
        }
    }

    /// Stores totals that are shown, unless a later exposition has stored its own meanwhile.
    pub(super) fn store(&self, namespace: Arc<str>, totals: Totals) {
        let mut stored = self.0.totals.lock();
        match stored.get(&namespace) {
            Some(last) if last.stats.accepted > totals.stats.accepted => {}
            _ => drop(stored.insert(namespace, totals)),
        }
    }

    /// Reserves the names of a family. If another family had one of them first, nothing changes, and the result is that name
    /// and the other family. A family of the library takes names from other families.
    pub(super) fn reserve_names(
        &self,
        names: &[String],
        key: &FamilyKey<'_>,
    ) -> Result<(), (String, FamilyKey<'static>)> {
        let mut reserved = self.0.names.lock();
        let taken =
            names.iter().find_map(|name| Some((name, reserved.get(name).filter(|other| *other != key)?)));
        if let Some((name, other)) = taken
            && !key.of_library
        {
            return Err((name.clone(), other.clone()));
        }
        for name in names {
            if reserved.len() < MAX_NAMES || reserved.contains_key(name) {
                reserved.insert(name.clone(), key.to_static());
            }
        }
        Ok(())
    }

    /// Stores the first shape of a dimension in the rollup of a namespace. Returns whether `shape` is the first one.
    pub(super) fn fix_shape(&self, namespace: &Arc<str>, metric: &str, dimension: &str, shape: u64) -> bool {
        let mut shapes = self.0.shapes.lock();
        let key = (Arc::clone(namespace), metric.to_owned(), dimension.to_owned());
        match shapes.get(&key) {
            Some(first) => *first == shape,
            None if shapes.len() >= MAX_SHAPES => true,
            None => shapes.insert(key, shape).is_none(),
        }
    }
}
