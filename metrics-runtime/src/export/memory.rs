//! What the expositions of a runtime remember from one to the next, so that no series falls or changes its meaning.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::family::Owner;
use super::scope::Scoped;
use super::totals::{Places, Totals};

/// How many names are remembered.
const MOST_NAMES: usize = 65_536;

/// Clones are one and the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory(Arc<Parts>);

#[derive(Debug, Default)]
struct Parts {
    /// The labels that have a place in the rollup of a namespace.
    places: Mutex<BTreeMap<Arc<str>, Places>>,
    /// What a name of a series stands for, from the first time on.
    names: Mutex<HashMap<String, Owner>>,
    /// Which of the shapes that values of a dimension may have is shown in the rollup of a namespace.
    shapes: Mutex<HashMap<Dimension, u64>>,
    /// The totals of each namespace as they were shown last.
    totals: Mutex<BTreeMap<Arc<str>, Totals>>,
}

/// The namespace, and the names of the metric and of the dimension.
type Dimension = (Arc<str>, String, String);

impl Memory {
    pub(super) fn places(&self, namespace: &Arc<str>) -> Places {
        lock(&self.0.places).entry(Arc::clone(namespace)).or_default().clone()
    }

    /// The first of these names that stands for something else, and what that is.
    pub(super) fn conflict(&self, names: &[String], owner: &Owner) -> Option<(String, Owner)> {
        let known = lock(&self.0.names);
        names.iter().find_map(|name| {
            let other = known.get(name).filter(|other| *other != owner)?;
            Some((name.clone(), other.clone()))
        })
    }

    pub(super) fn remember(&self, names: &[String], owner: &Owner) {
        let mut known = lock(&self.0.names);
        for name in names {
            if known.len() < MOST_NAMES || known.contains_key(name) {
                known.insert(name.clone(), owner.clone());
            }
        }
    }

    /// Whether that is the shape that is shown: the first one.
    pub(super) fn has_shape(&self, namespace: &Arc<str>, metric: &str, dimension: &str, shape: u64) -> bool {
        let mut shapes = lock(&self.0.shapes);
        let key = (Arc::clone(namespace), metric.to_owned(), dimension.to_owned());
        match shapes.get(&key) {
            Some(first) => *first == shape,
            None if shapes.len() >= MOST_NAMES => true,
            None => shapes.insert(key, shape).is_none(),
        }
    }

    /// Makes up for recorders that cannot be read just now: what only grows is shown as it was at least.
    pub(super) fn make_up(&self, scopes: &mut [Scoped]) {
        let before = lock(&self.0.totals);
        for scoped in scopes.iter_mut().filter(|scoped| scoped.is_incomplete()) {
            if let Some(before) = before.get(&scoped.namespace) {
                scoped.totals.raise(before);
            }
        }
    }

    /// Keeps totals that were shown, unless newer ones were kept meanwhile.
    pub(super) fn keep(&self, scopes: Vec<Scoped>) {
        let mut kept = lock(&self.0.totals);
        for Scoped { namespace, totals, .. } in scopes {
            match kept.get(&namespace) {
                Some(known) if known.stats.accepted > totals.stats.accepted => {}
                _ => drop(kept.insert(namespace, totals)),
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
