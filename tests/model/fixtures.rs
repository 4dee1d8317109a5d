//! Events that count their drops, metrics that write down what they see, hooks that fail when planned.

use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use mvx_metrics::{
    EventHandler, HandleEvent, HookError, Metric, MetricChange, MetricEvent, MetricSnapshot, RecorderHooks,
};

/// How often each event was dropped.
#[derive(Clone, Default)]
pub struct Ledger(Arc<Mutex<Vec<Arc<AtomicU8>>>>);

impl Ledger {
    /// A token of the next event, and the event's number.
    pub fn issue(&self) -> Token {
        let mut entries = self.0.lock().expect("nothing panics under this lock");
        let drops = Arc::<AtomicU8>::default();
        entries.push(Arc::clone(&drops));
        Token { number: entries.len() as u64 - 1, drops }
    }

    pub fn drops(&self) -> Vec<u8> {
        let entries = self.0.lock().expect("nothing panics under this lock");
        entries.iter().map(|drops| drops.load(Ordering::SeqCst)).collect()
    }
}

/// What every event carries.
pub struct Token {
    pub number: u64,
    drops: Arc<AtomicU8>,
}

impl Drop for Token {
    fn drop(&mut self) {
        self.drops.fetch_add(1, Ordering::SeqCst);
    }
}

/// An event that fits a slot; the fragile metric panics at a poisonous one.
pub struct Fact {
    pub token: Token,
    pub poisonous: bool,
}

impl MetricEvent for Fact {
    const EVENT_TYPE: &'static str = "fact";
}

/// An event that does not fit a slot.
pub struct Remark {
    pub token: Token,
    pub _text: [u64; 40],
}

impl MetricEvent for Remark {
    const EVENT_TYPE: &'static str = "remark";
}

/// Writes down the numbers of all events, in the order it sees them.
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

impl HandleEvent<Fact> for Journal {
    fn handle(&mut self, event: &Fact) -> bool {
        self.write(event.token.number)
    }
}

impl HandleEvent<Remark> for Journal {
    fn handle(&mut self, event: &Remark) -> bool {
        self.write(event.token.number)
    }
}

impl Metric for Journal {
    fn metric_name(&self) -> &'static str {
        "journal"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        const { &[EventHandler::of::<Fact>(), EventHandler::of::<Remark>()] }
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::of_static("journal").with("total", self.numbers().len() as u64)
    }
}

/// Counts facts, and panics at a poisonous one if it is fragile.
pub struct Tally {
    pub name: &'static str,
    pub fragile: bool,
    total: u64,
}

impl Tally {
    pub fn new(name: &'static str, fragile: bool) -> Self {
        Self { name, fragile, total: 0 }
    }
}

impl HandleEvent<Fact> for Tally {
    fn handle(&mut self, event: &Fact) -> bool {
        assert!(!(self.fragile && event.poisonous), "planned: a poisonous fact");
        self.total += 1;
        true
    }
}

impl Metric for Tally {
    fn metric_name(&self) -> &'static str {
        self.name
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        const { &[EventHandler::of::<Fact>()] }
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
pub struct Calls {
    pub starting: AtomicUsize,
    pub changed: AtomicUsize,
    pub stopped: AtomicUsize,
}

/// Hooks that follow a plan.
pub struct Planned {
    pub plan: Plan,
    pub calls: Arc<Calls>,
}

impl Planned {
    fn call(&self, calls: &AtomicUsize, fails_at: Option<usize>) -> Result<(), HookError> {
        if fails_at != Some(calls.fetch_add(1, Ordering::SeqCst)) {
            return Ok(());
        }
        assert!(!self.plan.panics, "planned: a hook");
        Err("planned: a hook".into())
    }
}

impl RecorderHooks for Planned {
    async fn on_starting(&self) -> Result<(), HookError> {
        tokio::task::yield_now().await;
        self.call(&self.calls.starting, self.plan.starting)
    }

    async fn on_metric_changed(&self, _: MetricChange<'_>) -> Result<(), HookError> {
        self.call(&self.calls.changed, self.plan.changed)
    }

    async fn on_stopped(&self) -> Result<(), HookError> {
        tokio::task::yield_now().await;
        self.call(&self.calls.stopped, self.plan.stopped)
    }
}
