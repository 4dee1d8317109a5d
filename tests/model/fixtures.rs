//! Events, metrics and hooks of the model test: drops are counted, handled events are kept, hooks fail as planned.

use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use mvx_metrics::{
    ChangeListener, EventHandler, HandleEvent, HookError, Metric, MetricChange, MetricEvent, MetricSnapshot,
    RecorderContext, RecorderHooks,
};

/// How often each event was dropped.
#[derive(Clone, Default)]
pub struct DropCounts(Arc<Mutex<Vec<Arc<AtomicU8>>>>);

impl DropCounts {
    /// The token of the next event. It has the event's number.
    pub fn issue(&self) -> DropToken {
        let mut entries = self.0.lock().expect("nothing panics under this lock");
        let drops = Arc::<AtomicU8>::default();
        entries.push(Arc::clone(&drops));
        DropToken { number: entries.len() as u64 - 1, drops }
    }

    pub fn drops(&self) -> Vec<u8> {
        let entries = self.0.lock().expect("nothing panics under this lock");
        entries.iter().map(|drops| drops.load(Ordering::SeqCst)).collect()
    }
}

/// A part of every event: its number, and the count of its drops.
pub struct DropToken {
    pub number: u64,
    drops: Arc<AtomicU8>,
}

impl Drop for DropToken {
    fn drop(&mut self) {
        self.drops.fetch_add(1, Ordering::SeqCst);
    }
}

/// An event that fits into a slot. A fragile metric panics at an event with `panics`.
pub struct Small {
    pub token: DropToken,
    pub panics: bool,
}

impl MetricEvent for Small {
    const EVENT_TYPE: &'static str = "small";
}

/// An event that does not fit into a slot.
pub struct Large {
    pub token: DropToken,
    pub _text: [u64; 40],
}

impl MetricEvent for Large {
    const EVENT_TYPE: &'static str = "large";
}

/// Keeps the numbers of all events in the order of their processing.
#[derive(Clone, Default)]
pub struct Journal(Arc<Mutex<Vec<u64>>>);

impl Journal {
    pub fn numbers(&self) -> Vec<u64> {
        self.0.lock().expect("nothing panics under this lock").clone()
    }

    fn write(&self, number: u64) -> bool {
        self.0.lock().expect("nothing panics under this lock").push(number);
        true
    }
}

impl HandleEvent<Small> for Journal {
    fn handle(&mut self, event: &Small) -> bool {
        self.write(event.token.number)
    }
}

impl HandleEvent<Large> for Journal {
    fn handle(&mut self, event: &Large) -> bool {
        self.write(event.token.number)
    }
}

impl Metric for Journal {
    fn metric_name(&self) -> &'static str {
        "journal"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        const { &[EventHandler::of::<Small>(), EventHandler::of::<Large>()] }
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::of_static("journal").with("total", self.numbers().len() as u64)
    }
}

/// Counts small events. A fragile one panics at an event with `panics`.
pub struct SmallCounter {
    pub name: &'static str,
    pub fragile: bool,
    total: u64,
}

impl SmallCounter {
    pub fn new(name: &'static str, fragile: bool) -> Self {
        Self { name, fragile, total: 0 }
    }
}

impl HandleEvent<Small> for SmallCounter {
    fn handle(&mut self, event: &Small) -> bool {
        assert!(!(self.fragile && event.panics), "planned: a panics fact");
        self.total += 1;
        true
    }
}

impl Metric for SmallCounter {
    fn metric_name(&self) -> &'static str {
        self.name
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        const { &[EventHandler::of::<Small>()] }
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::of_static(self.name).with("total", self.total)
    }
}

/// Which call of each hook fails, counted from zero, and whether with a panic.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub starting: Option<usize>,
    pub changed: Option<usize>,
    pub stopped: Option<usize>,
    pub panics: bool,
}

/// How often each hook was called.
#[derive(Default)]
pub struct HookCalls {
    pub starting: AtomicUsize,
    pub changed: AtomicUsize,
    pub stopped: AtomicUsize,
}

/// Hooks that follow a plan.
pub struct PlannedHooks {
    pub plan: Plan,
    pub calls: Arc<HookCalls>,
}

impl PlannedHooks {
    fn call(&self, calls: &AtomicUsize, fails_at: Option<usize>) -> Result<(), HookError> {
        if fails_at != Some(calls.fetch_add(1, Ordering::SeqCst)) {
            return Ok(());
        }
        assert!(!self.plan.panics, "planned: a hook");
        Err("planned: a hook".into())
    }
}

impl RecorderHooks for PlannedHooks {
    async fn on_starting(&self, _: RecorderContext<'_>) -> Result<(), HookError> {
        tokio::task::yield_now().await;
        self.call(&self.calls.starting, self.plan.starting)
    }

    async fn on_stopped(&self, _: RecorderContext<'_>) -> Result<(), HookError> {
        tokio::task::yield_now().await;
        self.call(&self.calls.stopped, self.plan.stopped)
    }
}

impl ChangeListener for PlannedHooks {
    async fn on_metric_changed(&self, _: MetricChange<'_>) -> Result<(), HookError> {
        self.call(&self.calls.changed, self.plan.changed)
    }
}
