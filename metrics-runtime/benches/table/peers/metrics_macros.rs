//! The `metrics` macros, called with their labels at each event, with the Prometheus exporter's recorder installed.
//!
//! The facade has no maximum: its gauge is set to the last duration instead. The exporter keeps every histogram sample
//! until its upkeep sorts it into buckets, which happens between bursts and is not part of the measured time.

use std::sync::LazyLock;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use crate::figure::as_float;
use crate::subject::{Counted, Producer, Setup, Subject};
use crate::workload::{DURATION_BOUNDS, SaveFinished};

static EXPORTER: LazyLock<PrometheusHandle> = LazyLock::new(|| {
    let bounds = DURATION_BOUNDS.map(as_float);
    let builder = PrometheusBuilder::new().set_buckets(&bounds).expect("there are buckets");
    builder.install_recorder().expect("no other recorder is installed")
});

pub struct MetricsMacros {
    before: Counted,
}

pub struct Macros;

impl Subject for MetricsMacros {
    const NAME: &'static str = "metrics macros, Prometheus exporter";
    type Producer = Macros;

    fn start(_setup: Setup) -> Self {
        Self { before: counted() }
    }

    fn producer(&self) -> Macros {
        Macros
    }

    fn processed(&self) -> Option<u64> {
        None
    }

    fn upkeep(&self) {
        EXPORTER.run_upkeep();
    }

    fn finish(self) -> Counted {
        let now = counted();
        Counted { total: now.total - self.before.total, bytes: now.bytes - self.before.bytes }
    }
}

impl Producer for Macros {
    fn hand_over(&mut self, event: SaveFinished) -> Result<(), SaveFinished> {
        metrics::counter!("save_attempts_total").increment(1);
        metrics::counter!("save_outcomes_total", "outcome" => event.outcome.label()).increment(1);
        metrics::counter!("save_bytes_total").increment(event.bytes);
        metrics::gauge!("save_duration_last_ns").set(as_float(event.duration_ns));
        metrics::histogram!("save_duration_ns").record(as_float(event.duration_ns));
        Ok(())
    }
}

/// The counts in the exporter's text. The counters of a process go on from round to round.
fn counted() -> Counted {
    let text = EXPORTER.render();
    let value = |name| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0, |value| value.parse().expect("a counter is a whole number"))
    };
    Counted { total: value("save_attempts_total"), bytes: value("save_bytes_total") }
}
