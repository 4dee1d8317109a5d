//! The recorders of a runtime, by id and in the order of their creation.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::recorder::MetricsRecorder;

/// The ids in use. An id is taken from the moment its recorder is being created until the recorder is removed.
#[derive(Default)]
pub(super) struct Registry {
    places: HashMap<Arc<str>, Place>,
    /// The registered recorders' ids in the order of creation.
    order: BTreeMap<u64, Arc<str>>,
    created: u64,
}

enum Place {
    Creating,
    Registered {
        number: u64,
        recorder: MetricsRecorder,
    },
    /// Taken out, and being stopped.
    Leaving(MetricsRecorder),
}

impl Registry {
    /// Takes an id for a recorder that is about to be created; `false` when it is taken already.
    pub(super) fn reserve(&mut self, id: &Arc<str>) -> bool {
        let free = !self.places.contains_key(id);
        if free {
            self.places.insert(Arc::clone(id), Place::Creating);
        }
        free
    }

    /// Frees an id whose recorder could not be created, or was taken out.
    pub(super) fn free(&mut self, id: &str) {
        if let Some(Place::Creating | Place::Leaving(_)) = self.places.get(id) {
            self.places.remove(id);
        }
    }

    /// Registers the recorder for whose id a place was reserved.
    pub(super) fn insert(&mut self, id: Arc<str>, recorder: MetricsRecorder) {
        let number = self.created;
        self.created += 1;
        self.order.insert(number, Arc::clone(&id));
        self.places.insert(id, Place::Registered { number, recorder });
    }

    pub(super) fn get(&self, id: &str) -> Option<&MetricsRecorder> {
        match self.places.get(id)? {
            Place::Creating | Place::Leaving(_) => None,
            Place::Registered { recorder, .. } => Some(recorder),
        }
    }

    /// Takes a recorder out; its id stays taken until [`free`](Self::free).
    pub(super) fn remove(&mut self, id: &str) -> Option<MetricsRecorder> {
        let place = self.places.get_mut(id)?;
        let Place::Registered { number, recorder } = place else {
            return None;
        };
        self.order.remove(number);
        let recorder = recorder.clone();
        *place = Place::Leaving(recorder.clone());
        Some(recorder)
    }

    /// The recorders that were taken out and are still being stopped.
    pub(super) fn leaving(&self) -> Vec<MetricsRecorder> {
        let leaving = self.places.values().filter_map(|place| match place {
            Place::Leaving(recorder) => Some(recorder.clone()),
            Place::Creating | Place::Registered { .. } => None,
        });
        leaving.collect()
    }

    /// Takes all recorders out, in the order of creation.
    pub(super) fn drain(&mut self) -> Vec<(Arc<str>, MetricsRecorder)> {
        let order = std::mem::take(&mut self.order);
        let drained = order.into_values().filter_map(|id| match self.places.remove(&id)? {
            Place::Creating | Place::Leaving(_) => None,
            Place::Registered { recorder, .. } => Some((id, recorder)),
        });
        drained.collect()
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = &Arc<str>> {
        self.order.values()
    }
}
