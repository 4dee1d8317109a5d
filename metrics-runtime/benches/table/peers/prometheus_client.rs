//! `prometheus-client`, once with all handles cached, and once with a lookup of the labelled handle at each event.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::figure::as_float;
use crate::subject::{Counted, Producer, Setup, Subject};
use crate::workload::{DURATION_BOUNDS, SaveFinished, SaveOutcome};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Labels {
    outcome: SaveOutcome,
}

impl EncodeLabelValue for SaveOutcome {
    fn encode(&self, encoder: &mut LabelValueEncoder) -> Result<(), std::fmt::Error> {
        self.label().encode(encoder)
    }
}

#[derive(Clone)]
struct Totals {
    total: Counter,
    by_outcome: Family<Labels, Counter>,
    bytes: Counter,
    longest_ns: Gauge,
    durations: Histogram,
}

impl Totals {
    fn registered() -> Self {
        let totals = Self {
            total: Counter::default(),
            by_outcome: Family::default(),
            bytes: Counter::default(),
            longest_ns: Gauge::default(),
            durations: Histogram::new(DURATION_BOUNDS.map(as_float)),
        };
        let mut registry = Registry::default();
        registry.register("save_attempts", "Attempts", totals.total.clone());
        registry.register("save_outcomes", "Attempts by outcome", totals.by_outcome.clone());
        registry.register("save_bytes", "Bytes", totals.bytes.clone());
        registry.register("save_longest_ns", "Longest duration", totals.longest_ns.clone());
        registry.register("save_duration_ns", "Durations", totals.durations.clone());
        totals
    }

    fn outcome(&self, outcome: SaveOutcome) -> Counter {
        self.by_outcome.get_or_create_owned(&Labels { outcome })
    }

    fn apply(&self, event: &SaveFinished, outcome: &Counter) {
        self.total.inc();
        outcome.inc();
        self.bytes.inc_by(event.bytes);
        self.longest_ns.inner().fetch_max(event.duration_ns.cast_signed(), Ordering::Relaxed);
        self.durations.observe(as_float(event.duration_ns));
    }

    fn counted(&self) -> Counted {
        Counted { total: self.total.get(), bytes: self.bytes.get() }
    }
}

pub struct CachedHandles(Totals);

#[derive(Clone)]
pub struct Handles {
    totals: Totals,
    successes: Counter,
    failures: Counter,
}

impl Subject for CachedHandles {
    const NAME: &'static str = "prometheus-client, cached handles";
    type Producer = Handles;

    fn start(_setup: Setup) -> Self {
        Self(Totals::registered())
    }

    fn producer(&self) -> Handles {
        let totals = self.0.clone();
        let [successes, failures] =
            [SaveOutcome::Success, SaveOutcome::Failure].map(|label| totals.outcome(label));
        Handles { totals, successes, failures }
    }

    fn processed(&self) -> Option<u64> {
        None
    }

    fn finish(self) -> Counted {
        self.0.counted()
    }
}

impl Producer for Handles {
    fn hand_over(&mut self, event: SaveFinished) -> Result<(), SaveFinished> {
        let outcome = match event.outcome {
            SaveOutcome::Success => &self.successes,
            SaveOutcome::Failure => &self.failures,
        };
        self.totals.apply(&event, outcome);
        Ok(())
    }
}

pub struct FamilyLookup(Arc<Totals>);

pub struct Families(Arc<Totals>);

impl Subject for FamilyLookup {
    const NAME: &'static str = "prometheus-client, family lookup";
    type Producer = Families;

    fn start(_setup: Setup) -> Self {
        Self(Arc::new(Totals::registered()))
    }

    fn producer(&self) -> Families {
        Families(Arc::clone(&self.0))
    }

    fn processed(&self) -> Option<u64> {
        None
    }

    fn finish(self) -> Counted {
        self.0.counted()
    }
}

impl Producer for Families {
    fn hand_over(&mut self, event: SaveFinished) -> Result<(), SaveFinished> {
        let outcome = self.0.by_outcome.get_or_create(&Labels { outcome: event.outcome });
        self.0.apply(&event, &outcome);
        Ok(())
    }
}
