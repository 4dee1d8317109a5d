//! The recorders of a runtime, by id and in the order of their creation.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::engine::RecorderInner;
use crate::recorder::MetricsRecorder;

/// The ids in use. An id is in use from the begin of its recorder's creation to the end of its removal.
#[derive(Default)]
pub(super) struct Registry {
    ids: HashMap<Arc<str>, IdState>,
    /// The recorders in the order of creation.
    recorders: BTreeMap<u64, Entry>,
    created: u64,
}

enum IdState {
    Creating,
    Registered(u64),
    Removing,
}

struct Entry {
    recorder: MetricsRecorder,
    /// The recorder is being stopped, to be removed. No call finds it any more, but snapshots still include it.
    is_removing: bool,
}

impl Entry {
    fn id(&self) -> &Arc<str> {
        self.recorder.inner().id()
    }
}

/// A recorder in a list for an observer.
pub(super) struct RegisteredRecorder {
    /// No other recorder of the runtime ever has this number.
    pub(super) number: u64,
    pub(super) id: Arc<str>,
    pub(super) inner: Arc<RecorderInner>,
}

impl Registry {
    /// Reserves an id for a recorder that is about to be created. Answers `false` when the id is in use.
    pub(super) fn reserve(&mut self, id: &Arc<str>) -> bool {
        let is_free = !self.ids.contains_key(id);
        if is_free {
            self.ids.insert(Arc::clone(id), IdState::Creating);
        }
        is_free
    }

    /// Frees the id of a recorder that could not be created.
    pub(super) fn free(&mut self, id: &str) {
        if let Some(IdState::Creating) = self.ids.get(id) {
            self.ids.remove(id);
        }
    }

    /// Registers the recorder under its reserved id.
    pub(super) fn insert(&mut self, id: Arc<str>, recorder: MetricsRecorder) {
        let number = self.created;
        self.created += 1;
        debug_assert_eq!(recorder.inner().id(), &id, "the entry has its id from there");
        self.recorders.insert(number, Entry { recorder, is_removing: false });
        self.ids.insert(id, IdState::Registered(number));
    }

    pub(super) fn get(&self, id: &str) -> Option<&MetricsRecorder> {
        match self.ids.get(id)? {
            IdState::Creating | IdState::Removing => None,
            IdState::Registered(number) => self.recorders.get(number).map(|entry| &entry.recorder),
        }
    }

    /// Gives a recorder to the one caller that removes it, with the number that [`remove`](Self::remove) needs.
    pub(super) fn begin_removal(&mut self, id: &str) -> Option<(u64, MetricsRecorder)> {
        let state = self.ids.get_mut(id)?;
        let IdState::Registered(number) = *state else {
            return None;
        };
        *state = IdState::Removing;
        let entry = self.recorders.get_mut(&number)?;
        entry.is_removing = true;
        Some((number, entry.recorder.clone()))
    }

    /// The recorders that are being removed. They may not have stopped yet.
    pub(super) fn removing(&self) -> Vec<MetricsRecorder> {
        let removing = self.recorders.values().filter(|entry| entry.is_removing);
        removing.map(|entry| entry.recorder.clone()).collect()
    }

    /// Removes a recorder and frees its id. Returns the recorder, because no handle may be dropped under a lock.
    #[must_use]
    pub(super) fn remove(&mut self, number: u64) -> Option<MetricsRecorder> {
        let entry = self.recorders.remove(&number)?;
        self.ids.remove(entry.id());
        Some(entry.recorder)
    }

    /// Takes out all recorders that are not being removed, in the order of creation.
    pub(super) fn drain(&mut self) -> Vec<(Arc<str>, MetricsRecorder)> {
        let mut drained = Vec::new();
        for (number, entry) in std::mem::take(&mut self.recorders) {
            if entry.is_removing {
                self.recorders.insert(number, entry);
            } else {
                self.ids.remove(entry.id());
                drained.push((Arc::clone(entry.id()), entry.recorder));
            }
        }
        drained
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = &Arc<str>> {
        self.recorders.values().filter(|entry| !entry.is_removing).map(Entry::id)
    }

    /// Lists at most `count` recorders from the number `from` on, in the order of creation. It includes recorders that are being
    /// removed. If there are more, it returns the number to go on with.
    pub(super) fn list(&self, from: u64, count: usize, list: &mut Vec<RegisteredRecorder>) -> Option<u64> {
        let mut rest = self.recorders.range(from..);
        list.extend(rest.by_ref().take(count).map(|(number, entry)| RegisteredRecorder {
            number: *number,
            id: Arc::clone(entry.id()),
            inner: Arc::clone(entry.recorder.inner()),
        }));
        rest.next().map(|(number, _)| *number)
    }
}
