//! Subscribers for the library's log: one that calls a function, and one that keeps log events with `lg.` in a field.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, Once};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// One logged event.
#[derive(Debug, Clone)]
pub struct Logged {
    /// `mvx_metrics::..`.
    pub target: String,
    /// The level.
    pub level: Level,
    /// The texts of the fields by name.
    pub fields: BTreeMap<&'static str, String>,
    /// The name of the thread that logged it.
    pub thread: String,
}

impl Logged {
    /// The event as it was logged.
    pub fn of(event: &Event<'_>) -> Self {
        let metadata = event.metadata();
        let mut fields = Fields(BTreeMap::new());
        event.record(&mut fields);
        let thread = std::thread::current().name().unwrap_or_default().to_owned();
        Self { target: metadata.target().to_owned(), level: *metadata.level(), fields: fields.0, thread }
    }

    /// The text of a field, empty without that field.
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    /// `event phase`, or the event alone when it has no phase.
    pub fn title(&self) -> String {
        format!("{} {}", self.field("event"), self.field("phase")).trim_end().to_owned()
    }
}

static KEPT: Mutex<Vec<Logged>> = Mutex::new(Vec::new());

/// Installs the subscriber that keeps log events of all threads. Later calls do nothing.
pub fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let keep = |event: &Event<'_>| {
            let logged = Logged::of(event);
            if logged.fields.values().any(|text| text.contains("lg.")) {
                KEPT.lock().expect("not poisoned").push(logged);
            }
        };
        tracing::subscriber::set_global_default(Listener(keep)).expect("no other subscriber in these tests");
    });
}

/// The kept log events that match.
pub fn matching(is_meant: impl Fn(&Logged) -> bool) -> Vec<Logged> {
    KEPT.lock().expect("not poisoned").iter().filter(|logged| is_meant(logged)).cloned().collect()
}

/// The kept log events with this entity id.
pub fn about(entity_id: &str) -> Vec<Logged> {
    matching(|logged| logged.field("entity_id") == entity_id)
}

/// The titles of the kept log events with this entity id.
pub fn titles(entity_id: &str) -> Vec<String> {
    about(entity_id).iter().map(Logged::title).collect()
}

/// A subscriber that calls a function with each event the library logs.
pub struct Listener<F>(pub F);

impl<F: Fn(&Event<'_>) + 'static> Subscriber for Listener<F> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("mvx_metrics")
    }

    fn event(&self, event: &Event<'_>) {
        (self.0)(event);
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
