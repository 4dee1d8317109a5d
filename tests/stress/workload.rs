//! A runtime with a thousand recorders, and those who use, disturb and read them.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use mvx_metrics::{
    LogPolicy, MetricFailurePolicy, MetricsRecorderError, MetricsRecorderState, MetricsRuntime,
    MetricsRuntimeError, QueueOverflowPolicy, RecorderOptions,
};

use crate::accounting::{Totals, TrackedRecorder};
use crate::fixtures::{CountsAll, Failing, Fragile, Hooks, Large, Small, alive};

const RECORDERS: usize = 1_000;

/// Producers let the runtime catch up when so many events are pending, all recorders taken together: how much memory was in use
/// at the worst moment, and how much of that the allocator keeps, is not what is measured here.
const MOST_PENDING: u64 = 50_000;

/// Random numbers, good enough to mix things up.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn below(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % sides
    }

    fn recorder_index(&mut self) -> usize {
        usize::try_from(self.below(RECORDERS as u64)).expect("a small number")
    }
}

/// What was done to the recorders beside handing events to them.
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

/// What came of a workload.
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
    ends: AtomicBool,
}

impl Workload {
    fn set(random: &mut Random) -> Self {
        let builder = MetricsRuntime::builder("stress").log_policy(LogPolicy::Silent);
        let runtime = builder.shutdown_timeout(Duration::from_mins(1)).build().expect("valid");
        runtime.start().expect("starts");
        let totals = Arc::default();
        let recorders =
            (0..RECORDERS).map(|number| RwLock::new(new_tracked_recorder(&runtime, number, random, &totals)));
        let recorders = recorders.collect();
        Self { runtime, recorders, totals, ends: AtomicBool::new(false) }
    }

    fn tracked(&self, number: usize) -> Arc<TrackedRecorder> {
        Arc::clone(&self.recorders[number].read().expect("not poisoned"))
    }

    fn goes_on(&self) -> bool {
        !self.ends.load(Ordering::Relaxed)
    }

    /// Hands events to recorders in bursts; how many.
    fn produce(&self, mut random: Random) -> u64 {
        let mut made = 0;
        while self.goes_on() {
            let tracked = self.tracked(random.recorder_index());
            let burst = 1 + random.below(200);
            for number in 0..burst {
                match number % 16 {
                    7 => tracked.recorder.emit(Large::new(number)),
                    // What comes back is dropped here.
                    11 => drop(tracked.recorder.register_event(Small::new(number))),
                    _ => tracked.recorder.emit(Small::new(number)),
                }
            }
            tracked.calls.fetch_add(burst, Ordering::Relaxed);
            made += burst;
            while alive() > MOST_PENDING && self.goes_on() {
                thread::yield_now();
            }
        }
        made
    }

    /// Stops, starts, replaces, breaks and flushes recorders.
    fn disturb(&self, mut random: Random) -> Disturbances {
        let mut done = Disturbances::default();
        while self.goes_on() {
            let number = random.recorder_index();
            let tracked = self.tracked(number);
            match random.below(9) {
                0 | 1 => {
                    match self.runtime.stop_and_remove_recorder(&number.to_string()) {
                        // The other thread that disturbs is at it.
                        Err(MetricsRuntimeError::RecorderNotFound { .. }) => continue,
                        // One that has failed is removed all the same.
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

    /// Reads snapshots, of one recorder and now and then of all; how many.
    fn read(&self, mut random: Random) -> u64 {
        let mut read = 0;
        while self.goes_on() {
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
                let created =
                    runtime.create_recorder_with(&id, RecorderOptions::new().hooks(Hooks::new(failing)));
                assert_eq!(created.err().map(|error| error.reason()), Some("RECORDER_STARTUP_ERROR"));
                // The id is free again.
                options
            } else {
                options.hooks(Hooks::new(failing))
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

/// Plays the workload for a while, clears everything away, and checks that every event is accounted for.
pub fn play(duration: Duration, seed: u64) -> Outcome {
    let workload = Workload::set(&mut Random::new(seed));
    let (made, disturbances, snapshots) = act(&workload, duration, seed);
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

/// Everything at once; how many events were made, what was done to the recorders, and how many snapshots were read.
fn act(workload: &Workload, duration: Duration, seed: u64) -> (u64, Disturbances, u64) {
    let producers = thread::available_parallelism().map_or(2, usize::from).max(2) as u64;
    thread::scope(|scope| {
        let producers: Vec<_> = (0..producers)
            .map(|number| scope.spawn(move || workload.produce(Random::new(seed + 10 + number))))
            .collect();
        let disturbers =
            [1, 2].map(|number| scope.spawn(move || workload.disturb(Random::new(seed + number))));
        let reader = scope.spawn(|| workload.read(Random::new(seed + 3)));
        let end = Instant::now() + duration;
        // Ends early when something fails.
        while Instant::now() < end
            && !reader.is_finished()
            && !disturbers.iter().any(thread::ScopedJoinHandle::is_finished)
        {
            thread::park_timeout(Duration::from_millis(100));
        }
        workload.ends.store(true, Ordering::Relaxed);
        let [first, second] =
            disturbers.map(|disturber| disturber.join().expect("the calls answer as they should"));
        let snapshots = reader.join().expect("the calls answer as they should");
        let made = producers.into_iter().map(|producer| producer.join().expect("no public call panics"));
        (made.sum(), first.and(second), snapshots)
    })
}
