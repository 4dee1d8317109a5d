//! An `rtrb` ring with a consumer that never sleeps: the lower bound for a handoff from thread to thread.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use crate::subject::{Counted, Producer, Setup, Subject};
use crate::workload::{SaveFinished, SaveTotals};

pub struct SpscRing {
    producer: Mutex<Option<rtrb::Producer<SaveFinished>>>,
    processed: Arc<AtomicU64>,
    consumer: JoinHandle<SaveTotals>,
}

impl Subject for SpscRing {
    const NAME: &'static str = "rtrb ring, spinning consumer";
    const MAX_PRODUCERS: usize = 1;
    type Producer = rtrb::Producer<SaveFinished>;

    fn start(setup: Setup) -> Self {
        let (producer, consumer) = rtrb::RingBuffer::new(setup.pending_limit);
        let processed = Arc::new(AtomicU64::new(0));
        let progress = Arc::clone(&processed);
        let consumer = thread::spawn(move || consume(consumer, &progress));
        Self { producer: Mutex::new(Some(producer)), processed, consumer }
    }

    fn producer(&self) -> Self::Producer {
        let producer = self.producer.lock().unwrap_or_else(PoisonError::into_inner).take();
        producer.expect("the ring has one producer")
    }

    fn processed(&self) -> Option<u64> {
        Some(self.processed.load(Ordering::Acquire))
    }

    fn finish(self) -> Counted {
        drop(self.producer);
        let totals = self.consumer.join().expect("the consumer does not panic");
        Counted { total: totals.total, bytes: totals.bytes }
    }
}

impl Producer for rtrb::Producer<SaveFinished> {
    fn hand_over(&mut self, event: SaveFinished) -> Result<(), SaveFinished> {
        self.push(event).map_err(|rtrb::PushError::Full(event)| event)
    }
}

/// Spins until the producer is gone and its last event is counted.
fn consume(mut ring: rtrb::Consumer<SaveFinished>, progress: &AtomicU64) -> SaveTotals {
    let mut totals = SaveTotals::default();
    loop {
        match ring.pop() {
            Ok(event) => totals.apply(&event),
            Err(rtrb::PopError::Empty) => {
                progress.store(totals.total, Ordering::Release);
                if ring.is_abandoned() && ring.is_empty() {
                    return totals;
                }
                std::hint::spin_loop();
            }
        }
    }
}
