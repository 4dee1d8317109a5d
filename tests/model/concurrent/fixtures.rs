//! Events, metrics and hooks of the concurrent test.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use mvx_metrics::{
    ChangeListener, EventHandler, HandleEvent, HookError, Metric, MetricChange, MetricEvent, MetricSnapshot,
    RecorderContext, RecorderHooks,
};

/// How many events exist at this moment.
pub type LiveEvents = Arc<AtomicUsize>;

/// An event of one of three kinds; kind 2 is too large for a slot, and no metric listens to it.
pub struct Numbered<const KIND: u8> {
    pub number: u64,
    alive: LiveEvents,
    bulk: Bulk<KIND>,
}

/// The payload that makes kind 2 large.
enum Bulk<const KIND: u8> {
    None,
    Some([u64; 16]),
}

impl<const KIND: u8> Numbered<KIND> {
    pub fn new(number: u64, alive: &LiveEvents) -> Self {
        alive.fetch_add(1, Ordering::Relaxed);
        let bulk = if KIND == 2 { Bulk::Some([number; 16]) } else { Bulk::None };
        Self { number, alive: Arc::clone(alive), bulk }
    }
}

impl<const KIND: u8> Drop for Numbered<KIND> {
    fn drop(&mut self) {
        if let Bulk::Some(bulk) = &self.bulk {
            assert!(bulk.iter().all(|number| *number == self.number), "the event is intact");
        }
        let before = self.alive.fetch_sub(1, Ordering::Relaxed);
        assert!(before > 0, "dropped more often than made");
    }
}

impl<const KIND: u8> MetricEvent for Numbered<KIND> {
    const EVENT_TYPE: &'static str = match KIND {
        0 => "zero",
        1 => "one",
        _ => "two",
    };
}

/// Keeps the numbers of the events of kinds 0 and 1, and panics at one of them.
pub struct Recorded {
    name: String,
    log: Arc<Mutex<Vec<u64>>>,
    /// How many events it handles before it panics.
    survives: Option<usize>,
}

impl Recorded {
    pub fn new(name: String, survives: Option<usize>) -> (Self, Arc<Mutex<Vec<u64>>>) {
        let log = Arc::default();
        (Self { name, log: Arc::clone(&log), survives }, log)
    }

    fn see(&self, number: u64) -> bool {
        let mut log = self.log.lock().expect("no panic under this lock");
        if self.survives == Some(log.len()) {
            drop(log);
            panic!("planned: a metric breaks");
        }
        log.push(number);
        true
    }
}

impl HandleEvent<Numbered<0>> for Recorded {
    fn handle(&mut self, event: &Numbered<0>) -> bool {
        self.see(event.number)
    }
}

impl HandleEvent<Numbered<1>> for Recorded {
    fn handle(&mut self, event: &Numbered<1>) -> bool {
        self.see(event.number)
    }
}

impl Metric for Recorded {
    fn metric_name(&self) -> &str {
        &self.name
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        const { &[EventHandler::of::<Numbered<0>>(), EventHandler::of::<Numbered<1>>()] }
    }

    fn snapshot(&self) -> MetricSnapshot {
        let seen = self.log.lock().expect("no panic under this lock").len();
        MetricSnapshot::new(self.name.as_str()).with("seen", seen as u64)
    }
}

/// Which call of each hook fails, counted from 0. Calls with an odd number panic, others return an error.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    pub change: Option<u32>,
    pub stop: Option<u32>,
}

/// Hooks that fail at the planned calls.
#[derive(Default)]
pub struct FailingHooks {
    faults: Faults,
    changes: AtomicU32,
    stops: AtomicU32,
}

impl FailingHooks {
    pub fn new(faults: Faults) -> Self {
        Self { faults, ..Self::default() }
    }
}

fn call(calls: &AtomicU32, fault: Option<u32>) -> Result<(), HookError> {
    let call = calls.fetch_add(1, Ordering::SeqCst);
    match fault {
        Some(fault) if fault == call && fault % 2 == 1 => panic!("planned: a hook breaks"),
        Some(fault) if fault == call => Err("as told".into()),
        _ => Ok(()),
    }
}

impl ChangeListener for FailingHooks {
    async fn on_metric_changed(&self, change: MetricChange<'_>) -> Result<(), HookError> {
        assert!(change.is::<Recorded>());
        call(&self.changes, self.faults.change)
    }
}

impl RecorderHooks for FailingHooks {
    async fn on_stopped(&self, _: RecorderContext<'_>) -> Result<(), HookError> {
        call(&self.stops, self.faults.stop)
    }
}
