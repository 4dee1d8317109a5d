//! A hash table from labels to values.

use std::borrow::Cow;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::LazyLock;

use crate::label::{Label, LabelPart, OTHER, ToLabel, texts};

/// The keys of all tables, random for each process. A label has one hash in all tables, so that a table takes over the entries of
/// another one.
static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// A hash table with linear probing. An entry keeps its position: an entry may take the place of another one, and none is
/// removed.
pub(super) struct LabelTable<V> {
    hasher: RandomState,
    /// Positions in `entries` plus one; 0 marks a free slot. The length is a power of two, and more than twice the number
    /// of entries, so a search always ends at a free slot.
    slots: Vec<u32>,
    entries: Vec<LabelEntry<V>>,
}

pub(super) struct LabelEntry<V> {
    hash: u64,
    key: Key,
    pub(super) value: V,
}

impl<V> LabelEntry<V> {
    /// The texts of the label's parts.
    pub(super) fn texts(&self) -> Vec<Cow<'static, str>> {
        texts(self.key.parts())
    }
}

/// The parts of a label. A label of one part needs no allocation of its own.
enum Key {
    One([LabelPart; 1]),
    Many(Box<[LabelPart]>),
}

impl Key {
    fn parts(&self) -> &[LabelPart] {
        match self {
            Self::One(part) => part,
            Self::Many(parts) => parts,
        }
    }
}

impl From<Vec<LabelPart>> for Key {
    fn from(parts: Vec<LabelPart>) -> Self {
        match <[LabelPart; 1]>::try_from(parts) {
            Ok(part) => Self::One(part),
            Err(parts) => Self::Many(parts.into()),
        }
    }
}

impl<V> LabelTable<V> {
    pub(super) fn new() -> Self {
        Self { hasher: HASHER.clone(), slots: vec![0; 8], entries: Vec::new() }
    }

    /// All entries. Those that took the place of no other one stand in the order of their first event.
    pub(super) fn entries(&self) -> &[LabelEntry<V>] {
        &self.entries
    }

    pub(super) fn value_mut(&mut self, position: usize) -> &mut V {
        &mut self.entries[position].value
    }

    pub(super) fn hash<L: Label>(&self, label: &impl ToLabel<L>) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        label.hash_label(&mut hasher);
        hasher.finish()
    }

    /// The position of the label's entry, or the free slot where a new entry belongs.
    pub(super) fn find(&self, hash: u64, matches: impl Fn(&[LabelPart]) -> bool) -> Result<usize, usize> {
        let mask = self.slots.len() - 1;
        let mut slot = self.home(hash);
        loop {
            let Some(position) = (self.slots[slot] as usize).checked_sub(1) else { return Err(slot) };
            let entry = &self.entries[position];
            if entry.hash == hash && matches(entry.key.parts()) {
                return Ok(position);
            }
            slot = (slot + 1) & mask;
        }
    }

    /// The same for an entry of another table for labels of the same type.
    pub(super) fn find_like(&self, other: &LabelEntry<V>) -> Result<usize, usize> {
        self.find(other.hash, |parts| parts == other.key.parts())
    }

    /// Takes out all entries.
    pub(super) fn take_entries(&mut self) -> Vec<LabelEntry<V>> {
        self.slots = vec![0; 8];
        std::mem::take(&mut self.entries)
    }

    /// Adds an entry at a free slot that [`find`](Self::find) has answered.
    pub(super) fn insert(&mut self, slot: usize, hash: u64, parts: Vec<LabelPart>, value: V) {
        self.insert_entry(slot, LabelEntry { hash, key: parts.into(), value });
    }

    /// The same for an entry of another table.
    pub(super) fn insert_entry(&mut self, slot: usize, entry: LabelEntry<V>) {
        self.entries.push(entry);
        self.slots[slot] = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        if self.entries.len() * 2 >= self.slots.len() {
            self.grow();
        }
    }

    /// Puts a new label in the place of an entry.
    pub(super) fn replace(&mut self, position: usize, hash: u64, parts: Vec<LabelPart>, value: V) {
        self.free_slot_of(position);
        self.entries[position] = LabelEntry { hash, key: parts.into(), value };
        self.occupy_slot(position);
    }

    fn grow(&mut self) {
        self.slots = vec![0; self.slots.len() * 2];
        for position in 0..self.entries.len() {
            self.occupy_slot(position);
        }
    }

    fn occupy_slot(&mut self, position: usize) {
        if let Err(slot) = self.find(self.entries[position].hash, |_| false) {
            self.slots[slot] = u32::try_from(position + 1).unwrap_or(u32::MAX);
        }
    }

    /// Frees the slot of an entry. The entries behind it move up, so that a search for them meets no free slot.
    fn free_slot_of(&mut self, position: usize) {
        let mask = self.slots.len() - 1;
        let mut free = self.home(self.entries[position].hash);
        while self.slots[free] as usize != position + 1 {
            free = (free + 1) & mask;
        }
        let mut slot = free;
        loop {
            slot = (slot + 1) & mask;
            let Some(position) = (self.slots[slot] as usize).checked_sub(1) else { break };
            let distance = slot.wrapping_sub(self.home(self.entries[position].hash)) & mask;
            if distance >= slot.wrapping_sub(free) & mask {
                self.slots[free] = self.slots[slot];
                free = slot;
            }
        }
        self.slots[free] = 0;
    }

    /// The slot at which a search begins.
    #[expect(clippy::cast_possible_truncation, reason = "any bits of the hash will do")]
    fn home(&self, hash: u64) -> usize {
        hash as usize & (self.slots.len() - 1)
    }
}

/// Whether a label has the text `other` in all its parts: then it shares the series of the labels that are counted together.
pub(super) fn is_other(parts: &[LabelPart]) -> bool {
    parts.iter().all(|part| *part.text() == *OTHER)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    /// Labels that hash alike stand in a row of slots, so freeing a slot must move others.
    #[test]
    #[cfg_attr(miri, ignore = "hundreds of labels take minutes")]
    fn each_label_is_found_after_others_took_the_places_of_some() {
        let part = |label: u64| vec![LabelPart::Unsigned(label)];
        let hash = |label: u64| label % 5;
        let find = |table: &LabelTable<u64>, label: u64| {
            table.find(hash(label), |parts| *parts == [LabelPart::Unsigned(label)])
        };
        let mut table = LabelTable::new();
        let mut positions: HashMap<u64, usize> = HashMap::new();
        for label in 0..20 {
            let Err(slot) = find(&table, label) else { panic!("{label} is new") };
            positions.insert(label, table.entries().len());
            table.insert(slot, hash(label), part(label), label);
        }
        for label in 20..500 {
            let replaced = (label * 7) % 20;
            let position = usize::try_from(replaced).expect("it is small");
            positions.retain(|_, taken| *taken != position);
            positions.insert(label, position);
            table.replace(position, hash(label), part(label), label);
            for other in 0..=label {
                let found = find(&table, other).ok();
                assert_eq!(found, positions.get(&other).copied(), "{other} after {label}");
                assert!(found.is_none_or(|position| table.entries()[position].value == other));
            }
        }
    }
}
