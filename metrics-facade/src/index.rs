//! The index: finds the cell of a key that was seen before, with one look-up under a lock that readers share.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, PoisonError, RwLock};

use metrics::Key;

/// How many parts the index has, each with a lock of its own.
const SHARDS: usize = 16;

/// Cells by key. Two keys are equal when they have the same labels in any order.
///
/// It grows by [`insert`](Self::insert) only. The caller bounds how often.
pub(crate) struct Index<C>([RwLock<Shard<C>>; SHARDS]);

type Shard<C> = HashMap<Key, Arc<C>, BuildHasherDefault<KnownHash>>;

impl<C> Default for Index<C> {
    fn default() -> Self {
        Self(std::array::from_fn(|_| RwLock::default()))
    }
}

impl<C> Index<C> {
    #[inline]
    pub(crate) fn get(&self, key: &Key) -> Option<Arc<C>> {
        self.shard(key).read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    pub(crate) fn insert(&self, key: &Key, cell: &Arc<C>) {
        // Copied before the lock, for which macros of other threads may wait.
        let retained = key.to_retained();
        let mut shard = self.shard(key).write().unwrap_or_else(PoisonError::into_inner);
        shard.insert(retained, Arc::clone(cell));
    }

    #[inline]
    fn shard(&self, key: &Key) -> &RwLock<Shard<C>> {
        // The table takes its bits from both ends of the hash, so the shard takes bits of the middle.
        let shard = (key.get_hash() >> 28) as usize % SHARDS;
        &self.0[shard]
    }
}

/// A key knows its hash.
#[derive(Default)]
struct KnownHash(u64);

impl Hasher for KnownHash {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use metrics::Label;

    use super::*;

    fn key(labels: &[(&'static str, &'static str)]) -> Key {
        let labels: Vec<Label> = labels.iter().map(|(key, value)| Label::new(*key, *value)).collect();
        Key::from_parts("requests", labels)
    }

    #[test]
    fn the_order_of_labels_does_not_matter() {
        let index = Index::default();
        index.insert(&key(&[("a", "1"), ("b", "2"), ("c", "3")]), &Arc::new(7));
        assert_eq!(index.get(&key(&[("c", "3"), ("a", "1"), ("b", "2")])).as_deref(), Some(&7));
        assert_eq!(index.get(&key(&[("a", "1"), ("b", "2")])), None);
        assert_eq!(index.get(&key(&[("a", "2"), ("b", "1"), ("c", "3")])), None);
    }
}
