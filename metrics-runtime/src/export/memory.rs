//! What earlier expositions of a runtime have shown, so that no series changes its meaning.

use std::collections::HashMap;

use super::family_key::FamilyKey;
use super::power_bounds::PowerRange;
use super::skipped::SkippedLog;
use crate::sync::Mutex;

/// How many names of series the memory keeps.
const MAX_NAMES: usize = 65_536;

/// The memory of one runtime.
#[derive(Debug, Default)]
pub(super) struct ExportMemory {
    /// For each name of a series the family that had it first.
    names: Mutex<HashMap<String, FamilyKey<'static>>>,
    /// For each family with exponential buckets, by its name, the bounds that were shown.
    bounds: Mutex<HashMap<String, PowerRange>>,
    pub(super) skipped_log: SkippedLog,
}

impl ExportMemory {
    /// Reserves the names of a family. If another family had one of them first, nothing changes, and the result is that name
    /// and the other family. A family of the library takes names from other families.
    pub(super) fn reserve_names(
        &self,
        names: &[String],
        key: &FamilyKey<'_>,
    ) -> Result<(), (String, FamilyKey<'static>)> {
        let mut reserved = self.names.lock();
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

    /// The bounds that a family shows: those that it needs, and those that it has shown before.
    pub(super) fn widened(&self, family: &str, needed: PowerRange) -> PowerRange {
        let mut bounds = self.bounds.lock();
        let earlier = bounds.get(family).copied();
        let shown = earlier.unwrap_or_default().union(needed);
        if shown != earlier.unwrap_or_default() && (earlier.is_some() || bounds.len() < MAX_NAMES) {
            bounds.insert(family.to_owned(), shown);
        }
        shown
    }
}
