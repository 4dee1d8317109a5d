//! Listing the recorders of a runtime with their counts, without reading a metric and without waiting for an event.

use std::sync::Arc;

use super::inner::{Result, RuntimeInner};
use super::reading::Registered;
use super::registry::RegisteredRecorder;
use crate::snapshot::Timestamp;
use crate::state::MetricsRecorderState;
use crate::stats::RecorderStats;
use crate::totals::RecorderSnapshot;

/// The recorders of a runtime in the order of their numbers.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// Whether these are the recorders there were when the shutdown began. Their numbers are others than before.
    pub(crate) is_final: bool,
    pub(crate) recorders: Vec<ListedRecorder>,
}

/// A recorder with its counts.
#[derive(Debug, Clone)]
pub(crate) struct ListedRecorder {
    /// Tells the recorder from all others of its runtime.
    pub(crate) number: u64,
    pub(crate) id: Arc<str>,
    pub(crate) entity_id: Arc<str>,
    pub(crate) namespace: Arc<str>,
    pub(crate) status: MetricsRecorderState,
    pub(crate) created_at: Timestamp,
    pub(crate) accepted: u64,
    pub(crate) pending: u64,
    pub(crate) dropped: u64,
    pub(crate) rejected: u64,
    pub(crate) discarded: u64,
    /// Why the recorder has failed, as long as it is registered.
    pub(crate) failure: Option<String>,
}

impl ListedRecorder {
    fn registered(recorder: &RegisteredRecorder) -> Self {
        let RegisteredRecorder { number, id, inner } = recorder;
        let status = inner.state();
        let failure = if status.has_failed() { inner.cause() } else { None };
        let of = [id, inner.entity_id(), inner.namespace()];
        Self::of(
            *number,
            of,
            status,
            inner.created_at(),
            &inner.stats(),
            failure.map(|cause| cause.to_string()),
        )
    }

    fn stopped(number: u64, recorder: &RecorderSnapshot) -> Self {
        let RecorderSnapshot { id, entity_id, namespace, status, created_at, stats, .. } = recorder;
        Self::of(number, [id, entity_id, namespace], *status, *created_at, stats, None)
    }

    fn of(
        number: u64,
        [id, entity_id, namespace]: [&Arc<str>; 3],
        status: MetricsRecorderState,
        created_at: Timestamp,
        counts: &RecorderStats,
        failure: Option<String>,
    ) -> Self {
        let RecorderStats { accepted, pending, dropped, rejected, discarded, .. } = *counts;
        let [id, entity_id, namespace] = [id, entity_id, namespace].map(Arc::clone);
        Self {
            number,
            id,
            entity_id,
            namespace,
            status,
            created_at,
            accepted,
            pending,
            dropped,
            rejected,
            discarded,
            failure,
        }
    }
}

impl RuntimeInner {
    /// Lists the recorders. The counts of each are of one moment, those of several are not.
    pub(crate) fn list_counts(&self) -> Result<Listing> {
        let mut registered = Registered::none();
        self.list_registered(&mut registered)?;
        let last = registered.last.iter().flat_map(|last| last.iter());
        let mut recorders: Vec<_> =
            (0..).zip(last).map(|(number, last)| ListedRecorder::stopped(number, last)).collect();
        let offset = recorders.len() as u64;
        recorders.extend(registered.recorders.iter().map(|recorder| {
            let listed = ListedRecorder::registered(recorder);
            ListedRecorder { number: listed.number.saturating_add(offset), ..listed }
        }));
        Ok(Listing { is_final: registered.last.is_some(), recorders })
    }
}
