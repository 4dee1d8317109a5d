//! The peers: the same families with the same numbers.

use metrics::{Key, Label, Level, Metadata, Recorder};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::{BOUNDS, ENTITIES, EVENTS, bytes};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Entity {
    namespace: &'static str,
    entity_id: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByOutcome {
    namespace: &'static str,
    entity_id: String,
    outcome: &'static str,
}

fn outcome(number: u64) -> &'static str {
    if number.is_multiple_of(7) { "failure" } else { "success" }
}

#[expect(clippy::cast_precision_loss, reason = "the bounds are small")]
fn bounds() -> [f64; BOUNDS.len()] {
    BOUNDS.map(|bound| bound as f64)
}

pub fn prometheus_client() -> Registry {
    let mut registry = Registry::default();
    let total = Family::<Entity, Counter>::default();
    let by_outcome = Family::<ByOutcome, Counter>::default();
    let written = Family::<Entity, Counter>::default();
    let last = Family::<Entity, Gauge>::default();
    let size = Family::<Entity, Histogram>::new_with_constructor(|| Histogram::new(bounds()));
    registry.register("saves", "Saves", total.clone());
    registry.register("saves_by_outcome", "Saves", by_outcome.clone());
    registry.register_with_unit("saves_written", "Saves", Unit::Bytes, written.clone());
    registry.register_with_unit("saves_last", "Saves", Unit::Bytes, last.clone());
    registry.register_with_unit("saves_size", "Saves", Unit::Bytes, size.clone());
    for number in 0..ENTITIES {
        let entity = Entity { namespace: "bench", entity_id: format!("entity-{number:06}") };
        for event in 0..EVENTS {
            let Entity { namespace, entity_id } = entity.clone();
            total.get_or_create(&entity).inc();
            by_outcome.get_or_create(&ByOutcome { namespace, entity_id, outcome: outcome(event) }).inc();
            written.get_or_create(&entity).inc_by(bytes(event));
            last.get_or_create(&entity).set(bytes(event).cast_signed());
            #[expect(clippy::cast_precision_loss, reason = "the numbers are small")]
            size.get_or_create(&entity).observe(bytes(event) as f64);
        }
    }
    registry
}

pub fn encode(registry: &Registry) -> String {
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, registry).expect("a string takes everything");
    text
}

pub fn exporter() -> PrometheusHandle {
    static METADATA: Metadata<'static> = Metadata::new("bench", Level::INFO, None);
    let recorder =
        PrometheusBuilder::new().set_buckets(&bounds()).expect("there are buckets").build_recorder();
    for number in 0..ENTITIES {
        let labels =
            vec![Label::new("namespace", "bench"), Label::new("entity_id", format!("entity-{number:06}"))];
        let key = |name: &'static str| Key::from_parts(name, labels.clone());
        for event in 0..EVENTS {
            let mut with_outcome = labels.clone();
            with_outcome.push(Label::new("outcome", outcome(event)));
            let by_outcome = Key::from_parts("saves_by_outcome_total", with_outcome);
            recorder.register_counter(&key("saves_total"), &METADATA).increment(1);
            recorder.register_counter(&by_outcome, &METADATA).increment(1);
            recorder.register_counter(&key("saves_written_bytes_total"), &METADATA).increment(bytes(event));
            #[expect(clippy::cast_precision_loss, reason = "the numbers are small")]
            let value = bytes(event) as f64;
            recorder.register_gauge(&key("saves_last_bytes"), &METADATA).set(value);
            recorder.register_histogram(&key("saves_size_bytes"), &METADATA).record(value);
        }
    }
    let handle = recorder.handle();
    handle.run_upkeep();
    handle
}
