//! The straightforward port: a bounded `tokio` channel of boxed events, and a loop that offers each event to each metric.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use tokio::runtime;
use tokio::sync::{mpsc, oneshot};

use crate::event_loop::{EventLoop, LoopRecorder};
use crate::subject::{Counted, Producer, Setup};
use crate::workload::{SaveFinished, SaveTotals};

/// An event of any type.
trait Event: Any + Send {}

impl<E: Any + Send> Event for E {}

/// A metric that itself checks the type of each event.
trait PortMetric: Send {
    fn handle(&mut self, event: &dyn Event) -> bool;

    fn totals(&self) -> SaveTotals;
}

impl PortMetric for SaveTotals {
    fn handle(&mut self, event: &dyn Event) -> bool {
        let event: &dyn Any = event;
        let event = event.downcast_ref::<SaveFinished>();
        event.inspect(|event| self.apply(event)).is_some()
    }

    fn totals(&self) -> SaveTotals {
        self.clone()
    }
}

/// A metric with one counter on the same event.
#[derive(Default)]
struct Count(u64);

impl PortMetric for Count {
    fn handle(&mut self, event: &dyn Event) -> bool {
        let event: &dyn Any = event;
        let is_handled = event.is::<SaveFinished>();
        self.0 += u64::from(is_handled);
        is_handled
    }

    fn totals(&self) -> SaveTotals {
        SaveTotals { total: self.0, ..SaveTotals::default() }
    }
}

enum Message {
    Event(Box<dyn Event>),
    Snapshot(oneshot::Sender<Vec<SaveTotals>>),
}

/// A thread with a tokio loop, for any number of recorders.
pub struct PortLoop {
    handle: runtime::Handle,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl EventLoop for PortLoop {
    const NAME: &'static str = "straightforward port";
    type Recorder = PortRecorder;

    fn start() -> Self {
        let runtime = runtime::Builder::new_current_thread().enable_time().build().expect("a tokio loop");
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || drop(runtime.block_on(stopped)));
        Self { handle, stop, thread }
    }

    fn create_recorder(&self, setup: Setup) -> PortRecorder {
        let (sender, receiver) = mpsc::channel(setup.pending_limit);
        let processed = Arc::new(AtomicU64::new(0));
        let mut metrics: Vec<Box<dyn PortMetric>> = Vec::new();
        metrics.resize_with(setup.metrics, || Box::new(Count::default()));
        if let Some(first) = metrics.first_mut() {
            *first = Box::new(SaveTotals::default());
        }
        self.handle.spawn(dispatch(receiver, metrics, Arc::clone(&processed)));
        PortRecorder { sender, processed }
    }

    fn run(&self, action: impl FnOnce() + Send + 'static) {
        self.handle.spawn(async { action() });
    }

    fn shut_down(self) {
        // Nothing else ends the loop.
        self.stop.send(()).ok();
        self.thread.join().expect("the loop does not panic");
    }
}

async fn dispatch(
    mut receiver: mpsc::Receiver<Message>,
    mut metrics: Vec<Box<dyn PortMetric>>,
    progress: Arc<AtomicU64>,
) {
    let mut processed = 0;
    while let Some(message) = receiver.recv().await {
        match message {
            Message::Event(event) => {
                for metric in &mut metrics {
                    metric.handle(&*event);
                }
                processed += 1;
                progress.store(processed, Ordering::Release);
            }
            // The send fails when the caller has gone.
            Message::Snapshot(reply) => {
                drop(reply.send(metrics.iter().map(|metric| metric.totals()).collect()));
            }
        }
    }
}

/// The sending end of a recorder's channel.
#[derive(Clone)]
pub struct PortRecorder {
    sender: mpsc::Sender<Message>,
    processed: Arc<AtomicU64>,
}

impl LoopRecorder for PortRecorder {
    fn processed(&self) -> u64 {
        self.processed.load(Ordering::Acquire)
    }

    fn snapshot(&self) -> Counted {
        let (reply, answer) = oneshot::channel();
        self.sender.blocking_send(Message::Snapshot(reply)).map_err(drop).expect("the loop runs");
        let metrics = answer.blocking_recv().expect("the loop answers");
        metrics
            .first()
            .map_or(Counted::default(), |totals| Counted { total: totals.total, bytes: totals.bytes })
    }
}

impl Producer for PortRecorder {
    fn hand_over(&mut self, event: SaveFinished) -> Result<(), SaveFinished> {
        self.sender.try_send(Message::Event(Box::new(event))).map_err(|_| event)
    }
}
