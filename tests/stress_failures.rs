//! As `stress`, among failures: producers hand events to 1,000 recorders that are stopped, started and replaced under their
//! hands, whose hooks and metrics fail, while others read and flush them. Every event is accounted for, whatever became of its
//! recorder, no call of the API panics or hangs, and the memory is back to where it was.
//!
//! Run with `cargo test --release -p mvx-metrics-tests --test stress_failures -- --ignored --nocapture`. `MVX_STRESS_SECONDS`
//! says for how long, by default 30. Prints its figures.

use std::panic;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use mvx_metrics::{
    EventHandler, HandleEvent, HookError, LogPolicy, Metric, MetricChange, MetricEvent, MetricFailurePolicy,
    MetricSnapshot, MetricsRecorder, MetricsRecorderState, MetricsRuntime, MetricsRuntimeError,
    QueueOverflowPolicy, RecorderHooks, RecorderOptions,
};

const RECORDERS: usize = 1_000;
/// What the memory may differ by: what the allocator keeps, which depends on who freed what when.
const SLACK: usize = 32 << 20;

/// How long the stress lasts.
fn duration() -> Duration {
    let seconds = std::env::var("MVX_STRESS_SECONDS").ok().and_then(|seconds| seconds.parse().ok());
    Duration::from_secs(seconds.unwrap_or(30))
}

/// A panic that is meant; not reported.
struct Meant;

/// Random numbers, good enough to mix things up.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % sides
    }

    fn pick(&mut self) -> usize {
        usize::try_from(self.roll(RECORDERS as u64)).expect("a small number")
    }
}

/// Events that were dropped, whatever became of them before.
static DROPPED: AtomicU64 = AtomicU64::new(0);

/// An event in place, and one that owns heap data and is too large for a slot.
struct Small(u64);

struct Large {
    number: Box<u64>,
    _bulk: [u64; 12],
}

impl MetricEvent for Small {
    const EVENT_TYPE: &'static str = "small";
}

impl MetricEvent for Large {
    const EVENT_TYPE: &'static str = "large";
}

impl Drop for Small {
    fn drop(&mut self) {
        DROPPED.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Large {
    fn drop(&mut self) {
        DROPPED.fetch_add(1, Ordering::Relaxed);
    }
}

/// Counts all events, and panics after some of them if it is told to.
struct Counted {
    name: &'static str,
    total: Arc<AtomicU64>,
    breaks_after: u64,
}

impl Counted {
    fn count(&self, number: u64) -> bool {
        let before = self.total.fetch_add(1, Ordering::Relaxed);
        if before == self.breaks_after {
            panic::panic_any(Meant);
        }
        number != u64::MAX
    }
}

impl HandleEvent<Small> for Counted {
    fn handle(&mut self, event: &Small) -> bool {
        self.count(event.0)
    }
}

impl HandleEvent<Large> for Counted {
    fn handle(&mut self, event: &Large) -> bool {
        self.count(*event.number)
    }
}

impl Metric for Counted {
    fn metric_name(&self) -> &str {
        self.name
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        const { &[EventHandler::of::<Small>(), EventHandler::of::<Large>()] }
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::of_static(self.name).with("total", self.total.load(Ordering::Relaxed))
    }
}

/// Hooks that yield now and then, and fail after some changes if they are told to.
struct Hooks {
    changes: AtomicU64,
    fail_after: u64,
}

impl RecorderHooks for Hooks {
    async fn on_metric_changed(&self, _: MetricChange<'_>) -> Result<(), HookError> {
        let change = self.changes.fetch_add(1, Ordering::Relaxed);
        if change.is_multiple_of(64) {
            tokio::task::yield_now().await;
        }
        if change == self.fail_after { Err("meant".into()) } else { Ok(()) }
    }
}

/// What came of all recorders together.
#[derive(Default, Debug)]
struct Totals {
    recorders: u64,
    failed: u64,
    calls: u64,
    accepted: u64,
    processed: u64,
    dropped: u64,
    rejected: u64,
    discarded: u64,
    snapshots: u64,
    problems: Vec<String>,
}

/// A recorder with what was handed to it; checked when the last one who knows it lets go.
struct Place {
    recorder: MetricsRecorder,
    calls: AtomicU64,
    counted: Arc<AtomicU64>,
    totals: Arc<Mutex<Totals>>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(30);
        // A failed recorder discards what was pending in its own time.
        while self.recorder.stats().pending > 0 && Instant::now() < deadline {
            thread::yield_now();
        }
        let stats = self.recorder.stats();
        let end = self.recorder.status();
        let calls = self.calls.load(Ordering::Relaxed);
        let counted = self.counted.load(Ordering::Relaxed);
        let mut totals = self.totals.lock().expect("not poisoned");
        let sound = stats.pending == 0
            && stats.accepted == stats.processed + stats.discarded
            && calls == stats.accepted + stats.dropped + stats.rejected
            && counted == stats.processed
            && (stats.discarded == 0 || end == MetricsRecorderState::Failure);
        if !sound {
            totals.problems.push(format!("{end}: {calls} calls, {counted} counted, {stats:?}"));
        }
        totals.recorders += 1;
        totals.failed += u64::from(end == MetricsRecorderState::Failure);
        totals.calls += calls;
        totals.accepted += stats.accepted;
        totals.processed += stats.processed;
        totals.dropped += stats.dropped;
        totals.rejected += stats.rejected;
        totals.discarded += stats.discarded;
    }
}

/// All that takes part.
struct Scene {
    runtime: MetricsRuntime,
    places: Vec<RwLock<Arc<Place>>>,
    totals: Arc<Mutex<Totals>>,
    ends: AtomicBool,
}

impl Scene {
    fn set(dice: &mut Dice) -> Self {
        let builder = MetricsRuntime::builder("stress").log_policy(LogPolicy::Silent);
        let runtime = builder.shutdown_timeout(Duration::from_mins(1)).build().expect("valid");
        runtime.start().expect("starts");
        let totals = Arc::default();
        let places = (0..RECORDERS).map(|number| RwLock::new(new_place(&runtime, number, dice, &totals)));
        let places = places.collect();
        Self { runtime, places, totals, ends: AtomicBool::new(false) }
    }

    fn place(&self, number: usize) -> Arc<Place> {
        Arc::clone(&self.places[number].read().expect("not poisoned"))
    }

    fn goes_on(&self) -> bool {
        !self.ends.load(Ordering::Relaxed)
    }

    /// Hands events to recorders in bursts; how many.
    fn produce(&self, mut dice: Dice) -> u64 {
        let mut made = 0;
        while self.goes_on() {
            let place = self.place(dice.pick());
            let burst = 1 + dice.roll(96);
            for number in 0..burst {
                let _ = if number % 16 == 7 {
                    let event = Large { number: Box::new(number), _bulk: [number; 12] };
                    place.recorder.register_event(event).is_ok()
                } else {
                    place.recorder.register_event(Small(number)).is_ok()
                };
            }
            place.calls.fetch_add(burst, Ordering::Relaxed);
            made += burst;
        }
        made
    }

    /// Stops, starts, replaces and breaks recorders.
    fn disturb(&self, mut dice: Dice) {
        while self.goes_on() {
            let number = dice.pick();
            let place = self.place(number);
            match dice.roll(8) {
                0 | 1 => {
                    let removed = self.runtime.stop_and_remove_recorder(&number.to_string());
                    if matches!(removed, Err(MetricsRuntimeError::RecorderNotFound { .. })) {
                        // The other thread that disturbs is at it.
                        continue;
                    }
                    // A recorder that had failed is removed all the same.
                    *self.places[number].write().expect("not poisoned") =
                        new_place(&self.runtime, number, &mut dice, &self.totals);
                }
                2 => drop(self.runtime.stop_recorder(&number.to_string())),
                3 | 4 => drop(place.recorder.start().wait()),
                5 => {
                    let breaks_after = dice.roll(1_000);
                    let metric = Counted { name: "breaks", total: Arc::default(), breaks_after };
                    // Refused where the recorder has stopped.
                    drop(place.recorder.register_metric(metric));
                }
                6 => drop(place.recorder.flush().wait()),
                _ => thread::yield_now(),
            }
        }
    }

    /// Reads snapshots, of one recorder and now and then of all; how many.
    fn read(&self, mut dice: Dice) -> u64 {
        let mut read = 0;
        while self.goes_on() {
            for _ in 0..200 {
                let snapshots = self.place(dice.pick()).recorder.metric_snapshots().expect("reading works");
                assert!(!snapshots.is_empty());
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

fn new_place(
    runtime: &MetricsRuntime,
    number: usize,
    dice: &mut Dice,
    totals: &Arc<Mutex<Totals>>,
) -> Arc<Place> {
    let options = RecorderOptions::new().queue_max_size(16 << dice.roll(9));
    let options = match dice.roll(8) {
        0 => {
            let fail_after = if dice.roll(4) == 0 { dice.roll(5_000) } else { u64::MAX };
            options.hooks(Hooks { changes: AtomicU64::new(0), fail_after })
        }
        1 => options.metric_failure_policy(MetricFailurePolicy::FailRecorder),
        2 => options.queue_overflow_policy(QueueOverflowPolicy::Error),
        _ => options,
    };
    let recorder = runtime.create_recorder_with(&number.to_string(), options).expect("creates");
    let counted = Arc::<AtomicU64>::default();
    let metric = Counted { name: "counted", total: Arc::clone(&counted), breaks_after: u64::MAX };
    recorder.register_metric(metric).expect("registers");
    Arc::new(Place { recorder, calls: AtomicU64::new(0), counted, totals: Arc::clone(totals) })
}

/// The resident memory of this process in bytes.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("linux");
    let pages = statm.split_whitespace().nth(1).expect("a second number");
    pages.parse::<usize>().expect("a number") * 4_096
}

/// Plays the scene for a while and clears everything away; what came of it.
fn play(duration: Duration, seed: u64) -> Totals {
    let scene = Scene::set(&mut Dice::new(seed));
    let dropped_before = DROPPED.load(Ordering::SeqCst);
    let producers = thread::available_parallelism().map_or(2, usize::from).max(2);
    let (made, snapshots) = thread::scope(|scope| {
        let producers: Vec<_> = (0..producers)
            .map(|number| {
                let dice = Dice::new(seed + 10 + number as u64);
                let scene = &scene;
                scope.spawn(move || scene.produce(dice))
            })
            .collect();
        let disturbers = [1, 2].map(|number| {
            scope.spawn({
                let scene = &scene;
                move || scene.disturb(Dice::new(seed + number))
            })
        });
        let reader = scope.spawn(|| scene.read(Dice::new(seed + 3)));
        thread::sleep(duration);
        scene.ends.store(true, Ordering::Relaxed);
        for disturber in disturbers {
            disturber.join().expect("no public call panics");
        }
        let snapshots = reader.join().expect("no public call panics");
        let made: u64 =
            producers.into_iter().map(|producer| producer.join().expect("no public call panics")).sum();
        (made, snapshots)
    });
    let Scene { runtime, places, totals, .. } = scene;
    let failed = places.iter().filter(|place| {
        place.read().expect("not poisoned").recorder.status() == MetricsRecorderState::Failure
    });
    let failed = failed.count();
    let shutdown = runtime.shutdown();
    assert_eq!(shutdown.is_err(), failed > 0, "those that had failed cannot be stopped: {shutdown:?}");
    drop((runtime, shutdown, places));
    let mut totals =
        Arc::into_inner(totals).expect("all places are gone").into_inner().expect("not poisoned");
    totals.snapshots = snapshots;
    assert_eq!(totals.problems, Vec::<String>::new());
    assert_eq!(totals.calls, made, "every call was counted");
    assert_eq!(DROPPED.load(Ordering::SeqCst) - dropped_before, made, "every event was dropped once");
    totals
}

#[test]
#[ignore = "takes as long as MVX_STRESS_SECONDS says, 30 by default"]
fn every_event_is_accounted_for_among_failures() {
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !info.payload().is::<Meant>() {
            report(info);
        }
    }));
    let duration = duration();
    // Once, so that the allocator has what it will keep.
    play((duration / 10).max(Duration::from_secs(1)), 1);
    let before = resident();
    let started = Instant::now();
    let totals = play(duration, 1_000);
    let after = resident();
    println!("{totals:#?}");
    println!(
        "{} million events a minute, resident {} KiB before and {} KiB after",
        totals.calls * 60 / 1_000_000 / started.elapsed().as_secs().max(1),
        before >> 10,
        after >> 10
    );
    assert!(after <= before + SLACK, "{before} bytes before, {after} after");
}
