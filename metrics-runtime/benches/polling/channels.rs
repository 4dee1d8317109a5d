//! Channels of tokio, each with a task of its own on one thread.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use tokio::runtime::Builder;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::subject::{Applied, Subject};

pub struct Channels {
    senders: Vec<UnboundedSender<Instant>>,
    thread: JoinHandle<()>,
}

/// Counts, as the metric does.
async fn consume(mut receiver: UnboundedReceiver<Instant>, applied: Arc<Applied>) -> u64 {
    let mut total = 0;
    while let Some(sent_at) = receiver.recv().await {
        total += 1;
        applied.note(sent_at);
    }
    total
}

impl Subject for Channels {
    fn start(consumers: usize, applied: &Arc<Applied>) -> Self {
        let (ready, senders) = mpsc::channel();
        let applied = Arc::clone(applied);
        let main = move || {
            let tokio = Builder::new_current_thread().enable_all().build().expect("a tokio runtime");
            tokio.block_on(async move {
                let channels: Vec<_> = (0..consumers).map(|_| unbounded_channel()).collect();
                let (senders, receivers): (Vec<_>, Vec<_>) = channels.into_iter().unzip();
                let spawn = |receiver| tokio::spawn(consume(receiver, Arc::clone(&applied)));
                let tasks: Vec<_> = receivers.into_iter().map(spawn).collect();
                ready.send(senders).expect("the main thread waits");
                for task in tasks {
                    assert!(task.await.expect("no panic") > 0, "each channel had an event");
                }
            });
        };
        let thread = thread::spawn(main);
        Self { senders: senders.recv().expect("the thread starts"), thread }
    }

    fn emit(&self, consumer: usize, sent_at: Instant) {
        self.senders[consumer].send(sent_at).expect("the task waits for events");
    }

    fn shut_down(self) {
        drop(self.senders);
        self.thread.join().expect("no panic");
    }
}
