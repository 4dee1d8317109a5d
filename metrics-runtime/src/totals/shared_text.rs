//! Serde for shared texts, for lists whose elements must differ, and for counts that must fit.

use std::collections::HashSet;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serializer, de};

use crate::stats::RecorderStats;

pub(super) fn serialize<S: Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<str>, D::Error> {
    String::deserialize(deserializer).map(Arc::from)
}

/// A shared text that may be missing.
pub(super) mod optional {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "serde calls it with a reference")]
    pub(in crate::totals) fn serialize<S: Serializer>(
        text: &Option<Arc<str>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        text.as_deref().serialize(serializer)
    }

    pub(in crate::totals) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Arc<str>>, D::Error> {
        Ok(Option::<String>::deserialize(deserializer)?.map(Arc::from))
    }
}

/// Reads a list of different names, because an element that stands twice would count twice.
pub(super) fn distinct<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
    name: impl Fn(&T) -> String,
) -> Result<Vec<T>, D::Error> {
    let list = Vec::<T>::deserialize(deserializer)?;
    let mut names = HashSet::new();
    match list.iter().map(name).find(|name| !names.insert(name.clone())) {
        Some(name) => Err(de::Error::custom(format_args!("{name} stands twice"))),
        None => Ok(list),
    }
}

/// Reads the counts of events, and refuses those that contradict each other.
pub(super) fn fitting_stats<'de, D: Deserializer<'de>>(deserializer: D) -> Result<RecorderStats, D::Error> {
    let stats = RecorderStats::deserialize(deserializer)?;
    let ended: u128 = [stats.processed, stats.discarded, stats.pending].map(u128::from).iter().sum();
    let by_type: u128 = stats.dropped_by_type.values().copied().map(u128::from).sum();
    // Merged counts stop at the largest number. A removed recorder has accepted events that are not pending any more.
    let is_accepted = ended <= stats.accepted.into() || stats.accepted == u64::MAX;
    let is_dropped = by_type == stats.dropped.into() || stats.dropped == u64::MAX;
    if is_accepted && is_dropped {
        return Ok(stats);
    }
    Err(de::Error::custom("the counts of events contradict each other"))
}
