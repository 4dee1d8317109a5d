//! The recorders of a runtime, by id and in the order of their creation.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::recorder::{MetricsRecorder, RecorderCore};

/// The ids in use. An id is taken from the moment its recorder is being created until the recorder is removed.
#[derive(Default)]
pub(super) struct Registry {
    places: HashMap<Arc<str>, Place>,
    /// The recorders in the order of creation.
    order: BTreeMap<u64, Entry>,
    created: u64,
}

enum Place {
    Creating,
    Registered(u64),
    Leaving,
}

struct Entry {
    id: Arc<str>,
    recorder: MetricsRecorder,
    /// Is being stopped in order to be removed: what it has counted still counts, nobody else can get it.
    leaves: bool,
}

/// A recorder as an observer sees it.
pub(super) struct Listed {
    pub(super) id: Arc<str>,
    pub(super) core: Arc<RecorderCore>,
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

    /// Frees an id whose recorder could not be created.
    pub(super) fn free(&mut self, id: &str) {
        if let Some(Place::Creating) = self.places.get(id) {
            self.places.remove(id);
        }
    }

    /// Registers the recorder for whose id a place was reserved.
    pub(super) fn insert(&mut self, id: Arc<str>, recorder: MetricsRecorder) {
        let number = self.created;
        self.created += 1;
        self.order.insert(number, Entry { id: Arc::clone(&id), recorder, leaves: false });
        self.places.insert(id, Place::Registered(number));
    }

    pub(super) fn get(&self, id: &str) -> Option<&MetricsRecorder> {
        match self.places.get(id)? {
            Place::Creating | Place::Leaving => None,
            Place::Registered(number) => self.order.get(number).map(|entry| &entry.recorder),
        }
    }

    /// Gives out a recorder that is to be removed, once, with its number; [`remove`](Self::remove) follows.
    pub(super) fn begin_removal(&mut self, id: &str) -> Option<(u64, MetricsRecorder)> {
        let place = self.places.get_mut(id)?;
        let Place::Registered(number) = *place else {
            return None;
        };
        *place = Place::Leaving;
        let entry = self.order.get_mut(&number)?;
        entry.leaves = true;
        Some((number, entry.recorder.clone()))
    }

    /// The recorders that are being removed and may still have to be stopped.
    pub(super) fn leaving(&self) -> Vec<MetricsRecorder> {
        self.order.values().filter(|entry| entry.leaves).map(|entry| entry.recorder.clone()).collect()
    }

    /// Takes a recorder out and frees its id. Returns it, so that nothing of the user's is dropped under a lock.
    #[must_use]
    pub(super) fn remove(&mut self, number: u64) -> Option<MetricsRecorder> {
        let Entry { id, recorder, .. } = self.order.remove(&number)?;
        self.places.remove(&id);
        Some(recorder)
    }

    /// Takes all recorders out that are not being removed, in the order of creation.
    pub(super) fn drain(&mut self) -> Vec<(Arc<str>, MetricsRecorder)> {
        let mut drained = Vec::new();
        for (number, entry) in std::mem::take(&mut self.order) {
            if entry.leaves {
                self.order.insert(number, entry);
            } else {
                self.places.remove(&entry.id);
                drained.push((entry.id, entry.recorder));
            }
        }
        drained
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = &Arc<str>> {
        self.order.values().filter(|entry| !entry.leaves).map(|entry| &entry.id)
    }

    /// At most `most` recorders from that number on, those that are being removed included, in the order of creation; and
    /// the number to go on with, if there are more.
    pub(super) fn list(&self, from: u64, most: usize, listed: &mut Vec<Listed>) -> Option<u64> {
        let mut rest = self.order.range(from..);
        listed.extend(
            rest.by_ref().take(most).map(|(_, entry)| Listed {
                id: Arc::clone(&entry.id),
                core: Arc::clone(entry.recorder.core()),
            }),
        );
        rest.next().map(|(number, _)| *number)
    }
}
