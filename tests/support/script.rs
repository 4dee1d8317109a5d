//! Hooks that follow a script, and log their calls.

use std::collections::VecDeque;
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use mvx_metrics::{ChangeListener, HookError, MetricChange, RecorderContext, RecorderHooks, RecorderOptions};

use crate::fixtures::Step;
use crate::gate::Gate;

/// What a hook does when it is called.
pub enum Act {
    /// Succeeds.
    Pass,
    /// Returns an error of this text.
    Fail(&'static str),
    /// Panics with this text.
    Panic(&'static str),
    /// Awaits the gate.
    Wait(Gate),
    /// Awaits the gate, then returns an error of this text.
    WaitAndFail(Gate, &'static str),
    /// Blocks the thread at the gate.
    Block(Gate),
    /// Never ends.
    Never,
    /// Calls a function.
    Call(Box<dyn FnOnce() + Send>),
    /// Awaits a future.
    Await(Pin<Box<dyn Future<Output = ()> + Send>>),
}

impl Act {
    /// Calls a function.
    pub fn call(code: impl FnOnce() + Send + 'static) -> Self {
        Self::Call(Box::new(code))
    }

    /// Awaits a future.
    pub fn run(future: impl Future<Output = ()> + Send + 'static) -> Self {
        Self::Await(Box::pin(future))
    }

    async fn perform(self) -> Result<(), HookError> {
        match self {
            Self::Pass => {}
            Self::Fail(text) => return Err(text.into()),
            Self::Panic(text) => panic!("{text}"),
            Self::Wait(gate) => gate.pass().await,
            Self::WaitAndFail(gate, text) => {
                gate.pass().await;
                return Err(text.into());
            }
            Self::Block(gate) => gate.block(),
            Self::Never => pending().await,
            Self::Call(code) => code(),
            Self::Await(future) => future.await,
        }
        Ok(())
    }
}

/// The calls of hooks in order. Clones are the same log.
#[derive(Clone, Default)]
pub struct HookLog(Arc<Mutex<Vec<String>>>);

impl HookLog {
    /// Adds an entry.
    pub fn write(&self, entry: impl Into<String>) {
        self.0.lock().expect("nothing panics under this lock").push(entry.into());
    }

    /// All entries so far.
    pub fn entries(&self) -> Vec<String> {
        self.0.lock().expect("nothing panics under this lock").clone()
    }

    /// How many entries are equal to this one.
    pub fn count(&self, entry: &str) -> usize {
        self.entries().iter().filter(|other| *other == entry).count()
    }
}

type Observer = Box<dyn Fn(&MetricChange<'_>) + Send + Sync>;
type Acts = Mutex<VecDeque<Act>>;

/// Hooks and a listener that follow a script. Each call takes the next act of its kind, and succeeds when none is left.
///
/// Their log has the entries `starting` and `stopped`, and for a change the metric's name and the event: `steps 7`.
#[derive(Default)]
pub struct Script {
    starting: Acts,
    changed: Acts,
    stopped: Acts,
    observer: Option<Observer>,
    hook_log: HookLog,
}

impl Script {
    /// Hooks that always succeed.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an act for `on_starting`.
    #[must_use]
    pub fn starting(self, act: Act) -> Self {
        self.starting.lock().expect("not shared yet").push_back(act);
        self
    }

    /// Adds an act for `on_metric_changed`.
    #[must_use]
    pub fn changed(self, act: Act) -> Self {
        self.changed.lock().expect("not shared yet").push_back(act);
        self
    }

    /// Adds an act for `on_stopped`.
    #[must_use]
    pub fn stopped(self, act: Act) -> Self {
        self.stopped.lock().expect("not shared yet").push_back(act);
        self
    }

    /// Calls a function with every change.
    #[must_use]
    pub fn observing(mut self, observer: impl Fn(&MetricChange<'_>) + Send + Sync + 'static) -> Self {
        self.observer = Some(Box::new(observer));
        self
    }

    /// The log of the hooks.
    pub fn hook_log(&self) -> HookLog {
        self.hook_log.clone()
    }
}

async fn follow(acts: &Acts) -> Result<(), HookError> {
    let act = acts.lock().expect("nothing panics under this lock").pop_front();
    act.unwrap_or(Act::Pass).perform().await
}

impl RecorderHooks for Script {
    async fn on_starting(&self, _: RecorderContext<'_>) -> Result<(), HookError> {
        self.hook_log.write("starting");
        follow(&self.starting).await
    }

    async fn on_stopped(&self, _: RecorderContext<'_>) -> Result<(), HookError> {
        self.hook_log.write("stopped");
        follow(&self.stopped).await
    }
}

impl ChangeListener for Script {
    async fn on_metric_changed(&self, change: MetricChange<'_>) -> Result<(), HookError> {
        let entry = match change.event().downcast_ref::<Step>() {
            Some(Step(number)) => format!("{} {number}", change.metric_name()),
            None => format!("{} {}", change.metric_name(), change.event().event_type()),
        };
        self.hook_log.write(entry);
        if let Some(observer) = &self.observer {
            observer(&change);
        }
        follow(&self.changed).await
    }
}

/// One value as hooks and as listener of a recorder.
pub trait HooksAndListener {
    /// Gives the recorder the value as both.
    #[must_use]
    fn hooks_and_listener(self, both: impl RecorderHooks + ChangeListener) -> Self;
}

impl HooksAndListener for RecorderOptions {
    fn hooks_and_listener(self, both: impl RecorderHooks + ChangeListener) -> Self {
        let both = Arc::new(both);
        self.hooks(Arc::clone(&both)).change_listener(both)
    }
}
