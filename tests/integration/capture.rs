//! A subscriber that keeps what is logged about entities whose id begins with `lg.`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, Once};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// One logged event.
#[derive(Debug, Clone)]
pub struct Logged {
    pub target: String,
    pub level: Level,
    pub fields: BTreeMap<&'static str, String>,
}

impl Logged {
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    /// `event phase`, or the event alone when it has no phase.
    pub fn title(&self) -> String {
        format!("{} {}", self.field("event"), self.field("phase")).trim_end().to_owned()
    }
}

static KEPT: Mutex<Vec<Logged>> = Mutex::new(Vec::new());

/// Installs the subscriber for all threads, once.
pub fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        tracing::subscriber::set_global_default(Capture).expect("no other subscriber in these tests");
    });
}

/// What was logged about this entity.
pub fn about(entity_id: &str) -> Vec<Logged> {
    let kept = KEPT.lock().expect("not poisoned");
    kept.iter().filter(|logged| logged.field("entity_id") == entity_id).cloned().collect()
}

/// The titles of what was logged about this entity.
pub fn titles(entity_id: &str) -> Vec<String> {
    about(entity_id).iter().map(Logged::title).collect()
}

struct Capture;

impl Subscriber for Capture {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("mvx_metrics")
    }

    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        let mut fields = Fields(BTreeMap::new());
        event.record(&mut fields);
        let logged =
            Logged { target: metadata.target().to_owned(), level: *metadata.level(), fields: fields.0 };
        if logged.field("entity_id").starts_with("lg.") {
            KEPT.lock().expect("not poisoned").push(logged);
        }
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}
