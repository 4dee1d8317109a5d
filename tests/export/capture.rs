//! A subscriber that keeps the warnings of expositions.

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
    fields: BTreeMap<&'static str, String>,
}

impl Logged {
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
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

/// What was logged and is meant.
pub fn matching(is_meant: impl Fn(&Logged) -> bool) -> Vec<Logged> {
    KEPT.lock().expect("not poisoned").iter().filter(|logged| is_meant(logged)).cloned().collect()
}

struct Capture;

impl Subscriber for Capture {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "mvx_metrics::export"
    }

    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        let mut fields = Fields(BTreeMap::new());
        event.record(&mut fields);
        let logged =
            Logged { target: metadata.target().to_owned(), level: *metadata.level(), fields: fields.0 };
        KEPT.lock().expect("not poisoned").push(logged);
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
