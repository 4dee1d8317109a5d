//! Reading the runtimes of a service for a sampler.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::sampler::{MetricsReading, RecordersReading, Source};
use crate::error::MetricsRuntimeError;
use crate::export::{ExpositionOptions, Scope, read_all, skipped_of};
use crate::log::OperationKind;
use crate::runtime::{Listing, RuntimeInner};
use crate::snapshot::Timestamp;
use crate::state::MetricsRuntimeState;
use crate::totals::Totals;

/// The runtimes of a service, and the options of its exposition.
pub(crate) struct Runtimes<'a> {
    pub(crate) runtimes: &'a [Arc<RuntimeInner>],
    pub(crate) exposition: &'a ExpositionOptions,
}

impl Source for Runtimes<'_> {
    fn runtimes(&self) -> Vec<(String, MetricsRuntimeState)> {
        self.runtimes.iter().map(|runtime| (runtime.namespace().to_string(), runtime.status())).collect()
    }

    fn read_metrics(&self) -> Result<MetricsReading, MetricsRuntimeError> {
        let began = Instant::now();
        let (read, _) = read_all(self.runtimes, |runtime| {
            runtime
                .logged(OperationKind::Read, "metrics_runtime.page", || runtime.timed_totals(Scope::Rollup))
        })?;
        let read_at = Instant::now();
        let waited: Duration = read.iter().map(|(_, waited)| *waited).sum();
        let all: Vec<Totals> = read.into_iter().map(|(totals, _)| totals).collect();
        let options = self.exposition.clone().scope(Scope::Rollup);
        let skipped = skipped_of(self.runtimes, &all, &options).map_err(|error| error.to_string());
        let totals = Totals::add_up(all).ok_or(MetricsRuntimeError::InvalidArgument {
            argument: "runtimes",
            problem: "must have at least one runtime",
        })?;
        let cost = began.elapsed().saturating_sub(waited);
        Ok(MetricsReading { totals, skipped, read_at, cost })
    }

    fn read_recorders(&self) -> Result<RecordersReading, MetricsRuntimeError> {
        let began = Instant::now();
        let list = |runtime: &Arc<RuntimeInner>| match runtime.list_counts() {
            // A runtime that was never started has no recorders.
            Err(_) if !runtime.has_run() => Ok(Listing::default()),
            listing => listing,
        };
        let listings = self.runtimes.iter().map(list).collect::<Result<_, _>>()?;
        let (taken_at, read_at) = (Timestamp::now(), Instant::now());
        Ok(RecordersReading { listings, taken_at, read_at, cost: began.elapsed() })
    }
}
