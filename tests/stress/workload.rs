//! A runtime with 1,000 recorders, and the threads that produce, disturb and read.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use mvx_metrics::{
    LogPolicy, MetricFailurePolicy, MetricsRecorderError, MetricsRecorderState, MetricsRuntime,
    MetricsRuntimeError, QueueOverflowPolicy, RecorderOptions,
};

use mvx_metrics_tests::HooksAndListener;

use crate::accounting::{Totals, TrackedRecorder};
use crate::fixtures::{CountsAll, Failing, Fragile, Hooks, Large, Small, alive};

const RECORDERS: usize = 1_000;

/// Producers yield while this many events are pending in all recorders together. The test does not measure the peak of memory.
const MAX_PENDING: u64 = 50_000;

/// A simple generator of random numbers.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }

    fn recorder_index(&mut self) -> usize {
        usize::try_from(self.below(RECORDERS as u64)).expect("a small number")
    }
}

/// How often each disturbance was made.
#[derive(Debug, Default, Clone, Copy)]
pub struct Disturbances {
    pub replaced: u64,
    pub stopped: u64,
    pub started: u64,
    pub broken: u64,
    pub flushed: u64,
}

impl Disturbances {
    fn and(self, other: Self) -> Self {
        Self {
            replaced: self.replaced + other.replaced,
            stopped: self.stopped + other.stopped,
            started: self.started + other.started,
            broken: self.broken + other.broken,
            flushed: self.flushed + other.flushed,
        }
    }
}

/// The result of a workload.
#[derive(Debug)]
pub struct Outcome {
    pub totals: Totals,
    pub disturbances: Disturbances,
    pub snapshots: u64,
}

struct Workload {
    runtime: MetricsRuntime,
    recorders: Vec<RwLock<Arc<TrackedRecorder>>>,
    totals: Arc<Mutex<Totals>>,
    done: AtomicBool,
}

impl Workload {
    fn new(random: &mut Random) -> Self {
        let builder = MetricsRuntime::builder("stress").log_policy(LogPolicy::Silent);
        let runtime = builder.shutdown_timeout(Duration::from_mins(1)).build().expect("valid");
        runtime.start().expect("starts");
        let totals = Arc::default();
        let recorders =
            (0..RECORDERS).map(|number| RwLock::new(new_tracked_recorder(&runtime, number, random, &totals)));
        let recorders = recorders.collect();
        Self { runtime, recorders, totals, done: AtomicBool::new(false) }
    }

    fn tracked(&self, number: usize) -> Arc<TrackedRecorder> {
        Arc::clone(&self.recorders[number].read().expect("not poisoned"))
    }

    fn is_running(&self) -> bool {
        !self.done.load(Ordering::Relaxed)
    }

    /// Emits events in bursts. Returns how many.
    fn produce(&self, mut random: Random) -> u64 {
        let mut made = 0;
        while self.is_running() {
            let tracked = self.tracked(random.recorder_index());
            let burst = 1 + random.below(200);
            for number in 0..burst {
                match number % 16 {
                    7 => tracked.recorder.emit(Large::new(number)),
                    // A refused event is dropped here.
                    11 => drop(tracked.recorder.register_event(Small::new(number))),
                    _ => tracked.recorder.emit(Small::new(number)),
                }
            }
            tracked.calls.fetch_add(burst, Ordering::Relaxed);
            made += burst;
            while alive() > MAX_PENDING && self.is_running() {
                thread::yield_now();
            }
        }
        made
    }

    /// Stops, starts, replaces, breaks and flushes recorders.
    fn disturb(&self, mut random: Random) -> Disturbances {
        let mut done = Disturbances::default();
        while self.is_running() {
            let number = random.recorder_index();
            let tracked = self.tracked(number);
            match random.below(9) {
                0 | 1 => {
                    match self.runtime.stop_and_remove_recorder(&number.to_string()) {
                        // The other disturbing thread removes it just now.
                        Err(MetricsRuntimeError::RecorderNotFound { .. }) => continue,
                        // A failed recorder is removed too.
                        removed => assert_among(&removed, &["RECORDER_STOP_ERROR"]),
                    }
                    *self.recorders[number].write().expect("not poisoned") =
                        new_tracked_recorder(&self.runtime, number, &mut random, &self.totals);
                    done.replaced += 1;
                }
                2 => {
                    let stopped = self.runtime.stop_recorder(&number.to_string());
                    assert_among(&stopped, &["RECORDER_NOT_FOUND", "RECORDER_STOP_ERROR"]);
                    done.stopped += u64::from(stopped.is_ok());
                }
                3..=5 => {
                    let started = tracked.recorder.start().wait();
                    assert_among(&started, &["INVALID_RECORDER_STATE"]);
                    done.started += u64::from(started.is_ok());
                }
                6 => {
                    let broken = tracked.recorder.register_metric(Fragile { left: random.below(1_000) });
                    assert_among(&broken, &["INVALID_RECORDER_STATE"]);
                    done.broken += u64::from(broken.is_ok());
                }
                7 => {
                    let flushed = tracked.recorder.flush().wait();
                    assert_among(&flushed, &["INVALID_RECORDER_STATE"]);
                    done.flushed += u64::from(flushed.is_ok());
                }
                _ => thread::yield_now(),
            }
        }
        done
    }

    /// Reads snapshots of single recorders, and sometimes of all. Returns how many.
    fn read(&self, mut random: Random) -> u64 {
        let mut read = 0;
        while self.is_running() {
            for _ in 0..200 {
                let tracked = self.tracked(random.recorder_index());
                let before = tracked.recorder.stats();
                let total = tracked.recorder.metric_snapshot::<CountsAll>().expect("reading works");
                assert!(total.is_some_and(|total| total >= before.processed), "{total:?}, {before:?}");
                read += 1;
            }
            let all = self.runtime.snapshot().expect("reading works");
            assert!(serde_json::to_string(&all).is_ok());
            read += 1;
            thread::yield_now();
        }
        read
    }
}

/// Checks that a call has succeeded, or failed for one of these reasons.
#[track_caller]
fn assert_among<T, E: Reason>(result: &Result<T, E>, reasons: &[&str]) {
    if let Err(error) = result {
        assert!(reasons.contains(&error.reason()), "{error}");
    }
}

trait Reason: std::error::Error {
    fn reason(&self) -> &'static str;
}

impl Reason for MetricsRecorderError {
    fn reason(&self) -> &'static str {
        self.reason()
    }
}

impl Reason for MetricsRuntimeError {
    fn reason(&self) -> &'static str {
        self.reason()
    }
}

fn new_tracked_recorder(
    runtime: &MetricsRuntime,
    number: usize,
    random: &mut Random,
    totals: &Arc<Mutex<Totals>>,
) -> Arc<TrackedRecorder> {
    let id = number.to_string();
    let options = RecorderOptions::new().queue_max_size(16 << random.below(9));
    let options = match random.below(8) {
        0 => {
            let failing = match random.below(12) {
                0 => Failing::AtStart,
                1 => Failing::AtStop,
                2 => Failing::After(random.below(5_000)),
                3 => Failing::PanicAfter(random.below(5_000)),
                _ => Failing::Never,
            };
            if failing == Failing::AtStart {
                let created = runtime.create_recorder_with(
                    &id,
                    RecorderOptions::new().hooks_and_listener(Hooks::new(failing)),
                );
                assert_eq!(created.err().map(|error| error.reason()), Some("RECORDER_STARTUP_ERROR"));
                // The id is free again.
                options
            } else {
                let listens =
                    matches!(failing, Failing::After(_) | Failing::PanicAfter(_)) || random.below(2) == 0;
                let hooks = Hooks::new(failing);
                if listens { options.hooks_and_listener(hooks) } else { options.hooks(hooks) }
            }
        }
        1 => options.metric_failure_policy(MetricFailurePolicy::FailRecorder),
        2 | 3 => options.queue_overflow_policy(QueueOverflowPolicy::Error),
        _ => options,
    };
    let recorder = runtime.create_recorder_with(&id, options).expect("creates");
    recorder.register_metric(CountsAll::default()).expect("registers");
    Arc::new(TrackedRecorder { recorder, calls: AtomicU64::new(0), totals: Arc::clone(totals) })
}

/// Runs the workload for a while, drops everything, and checks that every event is accounted for.
pub fn run(duration: Duration, seed: u64) -> Outcome {
    let workload = Workload::new(&mut Random::new(seed));
    let (made, disturbances, snapshots) = run_threads(&workload, duration, seed);
    let Workload { runtime, recorders, totals, .. } = workload;
    let ended = runtime.shutdown();
    let mut failed: Vec<_> = match ended {
        Ok(()) => Vec::new(),
        Err(MetricsRuntimeError::Shutdown { recorders, timed_out: false, .. }) => {
            recorders.into_iter().map(|(id, _)| id).collect()
        }
        Err(error) => panic!("{error}"),
    };
    failed.sort_unstable_by_key(|id| id.parse::<usize>().expect("a number"));
    let in_failure = recorders.iter().enumerate().filter(|(_, tracked)| {
        tracked.read().expect("not poisoned").recorder.status() == MetricsRecorderState::Failure
    });
    let in_failure: Vec<_> = in_failure.map(|(number, _)| number.to_string()).collect();
    assert_eq!(failed, in_failure, "the shutdown lists those that have failed and no others");
    drop((runtime, recorders));
    let totals = Arc::into_inner(totals).expect("all recorders are gone").into_inner().expect("not poisoned");
    assert_eq!(totals.problems, Vec::<String>::new());
    assert_eq!(totals.calls, made, "every call was counted");
    assert_eq!(totals.calls, totals.accepted + totals.dropped + totals.rejected);
    assert_eq!(totals.accepted, totals.processed + totals.discarded);
    assert_eq!(alive(), 0, "every event was dropped once");
    Outcome { totals, disturbances, snapshots }
}

/// Runs all threads. Returns how many events were offered, which disturbances were made, and how many snapshots were read.
fn run_threads(workload: &Workload, duration: Duration, seed: u64) -> (u64, Disturbances, u64) {
    let producers = thread::available_parallelism().map_or(2, usize::from).max(2) as u64;
    thread::scope(|scope| {
        let producers: Vec<_> = (0..producers)
            .map(|number| scope.spawn(move || workload.produce(Random::new(seed + 10 + number))))
            .collect();
        let disturbers =
            [1, 2].map(|number| scope.spawn(move || workload.disturb(Random::new(seed + number))));
        let reader = scope.spawn(|| workload.read(Random::new(seed + 3)));
        let end = Instant::now() + duration;
        // A thread that has ended early has failed.
        while Instant::now() < end
            && !reader.is_finished()
            && !disturbers.iter().any(thread::ScopedJoinHandle::is_finished)
        {
            thread::park_timeout(Duration::from_millis(100));
        }
        workload.done.store(true, Ordering::Relaxed);
        let [first, second] =
            disturbers.map(|disturber| disturber.join().expect("the calls answer as they should"));
        let snapshots = reader.join().expect("the calls answer as they should");
        let made = producers.into_iter().map(|producer| producer.join().expect("no public call panics"));
        (made.sum(), first.and(second), snapshots)
    })
}
