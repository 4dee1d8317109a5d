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

/// A round of a subject.
pub struct Round {
    events: u64,
    calls: Calls,
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

    /// CPU time of the producer's call.
    pub fn emit_us(&self) -> f64 {
        self.calls.mean_us()
    }

    /// CPU time of an event: the call, and the consumers' thread.
    pub fn cost_us(&self) -> f64 {
        self.loop_us() + self.emit_us()
    }

    /// CPU time of the consumers' and the producer's thread for an event. The producer also keeps its schedule.
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

/// The CPU time of calls. Where there are many events, it measures some of them, because the kernel's clock takes time itself.
struct Calls {
    /// One of so many calls is measured.
    one_of: u64,
    seen: u64,
    measured: u64,
    nanos: u64,
    clock_nanos: u64,
}

impl Calls {
    fn new(traffic: &Traffic) -> Self {
        let clock = |_| {
            let began = usage::thread_nanos();
            usage::thread_nanos() - began
        };
        let clock_nanos = (0..100).map(clock).min().unwrap_or_default();
        // A number that has no factor in common with the numbers of recorders.
        let one_of = if traffic.per_second() > 20_000 { 37 } else { 1 };
        Self { one_of, seen: 0, measured: 0, nanos: 0, clock_nanos }
    }

    fn call(&mut self, action: impl FnOnce()) {
        self.seen += 1;
        if !self.seen.is_multiple_of(self.one_of) {
            return action();
        }
        let began = usage::thread_nanos();
        action();
        self.nanos += (usage::thread_nanos() - began).saturating_sub(self.clock_nanos);
        self.measured += 1;
    }

    fn mean_us(&self) -> f64 {
        as_float(self.nanos) / 1e3 / as_float(self.measured)
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
                let mut calls = Calls::new(traffic);
                let began = Instant::now();
                let events = traffic.produce(|recorder| {
                    let sent_at = Instant::now();
                    calls.call(|| subject.emit(recorder, sent_at));
                });
                done.send((events, began.elapsed(), calls)).expect("the main thread waits");
            }
        });
        // The producer waits before and after its round, so the kernel's counts of it are up to date.
        thread::sleep(PAUSE / 10);
        let before = (Usage::of(thread), Usage::of_other_threads());
        go.send(()).expect("the producer waits");
        let (events, elapsed, calls) = is_done.recv().expect("no panic");
        applied.wait_for(events);
        thread::sleep(PAUSE);
        let (consumers, process) = (Usage::of(thread), Usage::of_other_threads());
        thread::sleep(IDLE_TIME);
        let idle_wakes = Usage::of(thread).since(consumers).wakes;
        drop(go);
        Round {
            events,
            calls,
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
