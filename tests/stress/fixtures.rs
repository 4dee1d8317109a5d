//! Events that are counted while they exist, and metrics and hooks that fail as planned.

use std::panic;
use std::sync::atomic::{AtomicU64, Ordering};

use mvx_metrics::{
    ChangeListener, EventHandler, HandleEvent, HookError, Metric, MetricChange, MetricEvent, MetricSnapshot,
    RecorderContext, RecorderHooks, TypedMetric,
};

/// The payload of a planned panic, which is not printed.
pub struct PlannedPanic;

/// How many events exist at this moment.
static ALIVE: AtomicU64 = AtomicU64::new(0);

pub fn alive() -> u64 {
    // Relaxed: the caller has joined all threads that created or dropped events.
    ALIVE.load(Ordering::Relaxed)
}

/// Counts an event from its creation to its drop.
struct LiveCount;

impl LiveCount {
    fn begin() -> Self {
        ALIVE.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

impl Drop for LiveCount {
    fn drop(&mut self) {
        // A second drop of an event would make the count too low for good, a missing drop too high.
        ALIVE.fetch_sub(1, Ordering::Relaxed);
    }
}

/// An event that fits into a slot.
pub struct Small {
    number: u64,
    _existence: LiveCount,
}

/// An event that is too large for a slot and owns heap data.
pub struct Large {
    number: Box<u64>,
    _bulk: [u64; 12],
    _existence: LiveCount,
}

impl Small {
    pub fn new(number: u64) -> Self {
        Self { number, _existence: LiveCount::begin() }
    }
}

impl Large {
    pub fn new(number: u64) -> Self {
        Self { number: Box::new(number), _bulk: [number; 12], _existence: LiveCount::begin() }
    }
}

impl MetricEvent for Small {
    const EVENT_TYPE: &'static str = "small";
}

impl MetricEvent for Large {
    const EVENT_TYPE: &'static str = "large";
}

/// Counts all events, and never panics.
#[derive(Default)]
pub struct CountsAll {
    total: u64,
    sum: u64,
}

impl HandleEvent<Small> for CountsAll {
    fn handle(&mut self, event: &Small) -> bool {
        self.total += 1;
        self.sum += event.number;
        true
    }
}

impl HandleEvent<Large> for CountsAll {
    fn handle(&mut self, event: &Large) -> bool {
        self.total += 1;
        self.sum += *event.number;
        true
    }
}

impl Metric for CountsAll {
    fn metric_name(&self) -> &'static str {
        "counts_all"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        const { &[EventHandler::of::<Small>(), EventHandler::of::<Large>()] }
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::of_static("counts_all").with("total", self.total).with("sum", self.sum)
    }
}

impl TypedMetric for CountsAll {
    type Snapshot = u64;

    fn typed_snapshot(&self) -> u64 {
        self.total
    }
}

/// Panics after this many small events.
pub struct Fragile {
    pub left: u64,
}

impl HandleEvent<Small> for Fragile {
    fn handle(&mut self, _: &Small) -> bool {
        match self.left.checked_sub(1) {
            Some(left) => self.left = left,
            None => panic::panic_any(PlannedPanic),
        }
        false
    }
}

impl Metric for Fragile {
    fn metric_name(&self) -> &'static str {
        "fragile"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        const { &[EventHandler::of::<Small>()] }
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::of_static("fragile")
    }
}

/// How hooks fail.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Failing {
    Never,
    AtStart,
    AtStop,
    /// With an error, after this many changes.
    After(u64),
    /// With a panic, after this many changes.
    PanicAfter(u64),
}

/// Hooks that yield at every 64th change, and fail as planned.
pub struct Hooks {
    changes: AtomicU64,
    failing: Failing,
}

impl Hooks {
    pub fn new(failing: Failing) -> Self {
        Self { changes: AtomicU64::new(0), failing }
    }
}

impl ChangeListener for Hooks {
    async fn on_metric_changed(&self, _: MetricChange<'_>) -> Result<(), HookError> {
        let change = self.changes.fetch_add(1, Ordering::Relaxed);
        if change.is_multiple_of(64) {
            tokio::task::yield_now().await;
        }
        match self.failing {
            Failing::After(changes) if changes == change => Err("planned".into()),
            Failing::PanicAfter(changes) if changes == change => panic::panic_any(PlannedPanic),
            _ => Ok(()),
        }
    }
}

impl RecorderHooks for Hooks {
    async fn on_starting(&self, _: RecorderContext<'_>) -> Result<(), HookError> {
        if self.failing == Failing::AtStart { Err("planned".into()) } else { Ok(()) }
    }

    async fn on_stopped(&self, _: RecorderContext<'_>) -> Result<(), HookError> {
        if self.failing == Failing::AtStop { Err("planned".into()) } else { Ok(()) }
    }
}
