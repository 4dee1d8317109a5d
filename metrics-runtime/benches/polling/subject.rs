//! What is measured, and how.

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use crate::figure::as_float;
use crate::traffic::Traffic;
use crate::usage::{self, Usage};

/// After this pause a consumer has forgotten all traffic.
const PAUSE: Duration = Duration::from_millis(100);
const IDLE_TIME: Duration = Duration::from_millis(200);

/// Consumers on one thread.
pub trait Subject: Sync {
    fn start(consumers: usize, applied: &Arc<Applied>) -> Self;

    fn emit(&self, consumer: usize, sent_at: Instant);

    fn shut_down(self);
}

/// What the consumers note. Their thread alone locks it during a round.
#[derive(Default)]
pub struct Applied {
    latencies: Mutex<Vec<u32>>,
    thread: OnceLock<PathBuf>,
}

impl Applied {
    pub fn note(&self, sent_at: Instant) {
        let nanos = u32::try_from(sent_at.elapsed().as_nanos()).unwrap_or(u32::MAX);
        self.thread.get_or_init(usage::current_thread);
        self.latencies.lock().expect("no panic").push(nanos);
    }

    fn wait_for(&self, events: u64) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while (self.latencies.lock().expect("no panic").len() as u64) < events {
            assert!(Instant::now() < deadline, "events are missing");
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// No consumers: what it costs to be on schedule.
pub struct PacingAlone {
    applied: Arc<Applied>,
}

impl Subject for PacingAlone {
    fn start(_: usize, applied: &Arc<Applied>) -> Self {
        Self { applied: Arc::clone(applied) }
    }

    fn emit(&self, _: usize, sent_at: Instant) {
        self.applied.note(sent_at);
    }

    fn shut_down(self) {}
}

/// A round of a subject.
pub struct Round {
    events: u64,
    elapsed: Duration,
    consumers: Usage,
    process: Usage,
    pub latencies: Vec<u32>,
    /// How often the consumers' thread woke up in a pause after the round.
    pub idle_wakes: u64,
}

impl Round {
    pub fn per_second(&self) -> f64 {
        as_float(self.events) / self.elapsed.as_secs_f64()
    }

    /// CPU time of the consumers' thread for an event.
    pub fn loop_us(&self) -> f64 {
        as_float(self.consumers.cpu_nanos) / 1e3 / as_float(self.events)
    }

    /// CPU time of the consumers' and the producer's thread for an event.
    pub fn process_us(&self) -> f64 {
        as_float(self.process.cpu_nanos) / 1e3 / as_float(self.events)
    }

    pub fn wakes_per_second(&self) -> f64 {
        as_float(self.consumers.wakes) / self.elapsed.as_secs_f64()
    }

    pub fn wakes_per_event(&self) -> f64 {
        as_float(self.consumers.wakes) / as_float(self.events)
    }
}

pub fn measure<S: Subject>(traffic: &Traffic) -> Round {
    let applied = Arc::<Applied>::default();
    let subject = S::start(traffic.recorders as usize, &applied);
    (0..traffic.recorders as usize).for_each(|consumer| subject.emit(consumer, Instant::now()));
    applied.wait_for(u64::from(traffic.recorders));
    thread::sleep(PAUSE);
    *applied.latencies.lock().expect("no panic") = Vec::with_capacity(2_000_000);
    let thread: &Path = applied.thread.get().expect("an event was applied");
    let (go, may_go) = mpsc::channel();
    let (done, is_done) = mpsc::channel();
    let mut round = thread::scope(|scope| {
        let subject = &subject;
        scope.spawn(move || {
            for () in may_go {
                let began = Instant::now();
                let events = traffic.produce(|recorder| subject.emit(recorder, Instant::now()));
                done.send((events, began.elapsed())).expect("the main thread waits");
            }
        });
        // The producer waits before and after its round, so the kernel's counts of it are up to date.
        thread::sleep(PAUSE / 10);
        let before = (Usage::of(thread), Usage::of_other_threads());
        go.send(()).expect("the producer waits");
        let (events, elapsed) = is_done.recv().expect("no panic");
        applied.wait_for(events);
        thread::sleep(PAUSE);
        let (consumers, process) = (Usage::of(thread), Usage::of_other_threads());
        thread::sleep(IDLE_TIME);
        let idle_wakes = Usage::of(thread).since(consumers).wakes;
        drop(go);
        Round {
            events,
            elapsed,
            consumers: consumers.since(before.0),
            process: process.since(before.1),
            latencies: Vec::new(),
            idle_wakes,
        }
    });
    round.latencies = std::mem::take(&mut *applied.latencies.lock().expect("no panic"));
    subject.shut_down();
    round
}
