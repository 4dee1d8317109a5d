//! Producers on all cores over 1,000 recorders, while recorders are created, stopped, removed and made to panic, and
//! snapshots are read. At the end every event is accounted for and memory is back to where it was.
//!
//! Run with `cargo test --release -p mvx-metrics-tests --test stress -- --ignored --nocapture`. `MVX_STRESS_SECONDS` says for
//! how long, by default 30. Prints its figures.

use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use mvx_metrics::{
    EventHandler, HandleEvent, LogPolicy, Metric, MetricEvent, MetricSnapshot, MetricsRecorder,
    MetricsRuntime, QueueOverflowPolicy, RecorderOptions, TypedMetric,
};

const RECORDERS: usize = 1_000;
const PRODUCERS: usize = 2;
const WARM_UP: Duration = Duration::from_secs(3);
/// What memory may have grown by from the end of the warm-up to the end.
const TOLERANCE_KIB: u64 = 16 * 1_024;

/// Producers let the runtime catch up when so many events are pending, all recorders taken together: how much memory was in use
/// at the worst moment, and how much of that the allocator keeps, is not what is measured here.
const MOST_PENDING: u64 = 50_000;

/// How many events there are at this moment.
static ALIVE: AtomicU64 = AtomicU64::new(0);

/// An event that owns heap data and is counted while it exists.
struct Load {
    amount: Box<u64>,
    poisonous: bool,
}

impl Load {
    fn new(amount: u64, poisonous: bool) -> Self {
        ALIVE.fetch_add(1, Ordering::Relaxed);
        Self { amount: Box::new(amount), poisonous }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        ALIVE.fetch_sub(1, Ordering::Relaxed);
    }
}

impl MetricEvent for Load {
    const EVENT_TYPE: &'static str = "load";
}

/// Counts loads; healthy whatever they carry.
#[derive(Default)]
struct Loads {
    total: u64,
    sum: u64,
}

impl HandleEvent<Load> for Loads {
    fn handle(&mut self, event: &Load) -> bool {
        self.total += 1;
        self.sum += *event.amount;
        true
    }
}

impl Metric for Loads {
    fn metric_name(&self) -> &'static str {
        "loads"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        const { &[EventHandler::of::<Load>()] }
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::of_static("loads").with("total", self.total).with("sum", self.sum)
    }
}

impl TypedMetric for Loads {
    type Snapshot = u64;

    fn typed_snapshot(&self) -> u64 {
        self.total
    }
}

/// Panics at a poisonous load, and is quarantined.
struct Fragile;

impl HandleEvent<Load> for Fragile {
    fn handle(&mut self, event: &Load) -> bool {
        assert!(!event.poisonous, "planned: a poisonous load");
        true
    }
}

impl Metric for Fragile {
    fn metric_name(&self) -> &'static str {
        "fragile"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        const { &[EventHandler::of::<Load>()] }
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::of_static("fragile")
    }
}

/// Where the events of recorders went that are gone, or of all in the end.
#[derive(Debug, Default, Clone, Copy)]
struct Account {
    accepted: u64,
    processed: u64,
    dropped: u64,
    rejected: u64,
    discarded: u64,
    quarantined: u64,
}

impl Account {
    /// Adds a recorder that is at rest, and checks it.
    fn add(&mut self, recorder: &MetricsRecorder) {
        let stats = recorder.stats();
        assert_eq!(stats.pending, 0, "{stats:?}");
        assert_eq!(stats.accepted, stats.processed + stats.discarded, "{stats:?}");
        let total = recorder.metric_snapshot::<Loads>().expect("reads");
        assert_eq!(total, Some(stats.processed), "the healthy metric has seen everything that was processed");
        let snapshots = recorder.metric_snapshots().expect("reads");
        self.quarantined += u64::from(snapshots.get("fragile").is_some_and(|metric| metric.failed.is_some()));
        self.accepted += stats.accepted;
        self.processed += stats.processed;
        self.dropped += stats.dropped;
        self.rejected += stats.rejected;
        self.discarded += stats.discarded;
    }
}

/// One place of the thousand, and the recorder that has it now.
struct Place {
    id: String,
    recorder: RwLock<MetricsRecorder>,
}

fn create(runtime: &MetricsRuntime, id: &str, number: usize) -> MetricsRecorder {
    let policy =
        if number.is_multiple_of(2) { QueueOverflowPolicy::Drop } else { QueueOverflowPolicy::Error };
    let options = RecorderOptions::new()
        .queue_max_size(if number.is_multiple_of(3) { 64 } else { 4_096 })
        .queue_overflow_policy(policy)
        .log_policy(LogPolicy::Silent);
    let recorder = runtime.create_recorder_with(id, options).expect("creates");
    recorder.register_metric(Loads::default()).expect("registers");
    recorder.register_metric(Fragile).expect("registers");
    recorder
}

/// Numbers that look random.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).expect("small")
    }
}

/// Offers events in bursts until the end; how many.
fn produce(places: &[Place], dice: &mut Dice, ended: &AtomicBool) -> u64 {
    let mut calls = 0;
    while !ended.load(Ordering::Relaxed) {
        let place = &places[dice.roll(places.len())];
        // Held during the burst: whoever has the lock for writing knows that no events come any more.
        let recorder = place.recorder.read().expect("not poisoned");
        for _ in 0..=dice.roll(200) {
            recorder.emit(Load::new(1, dice.roll(100_000) == 0));
            calls += 1;
        }
        drop(recorder);
        while ALIVE.load(Ordering::Relaxed) > MOST_PENDING && !ended.load(Ordering::Relaxed) {
            thread::yield_now();
        }
    }
    calls
}

/// How often recorders were removed and created again, and how often stopped and started again.
#[derive(Debug, Default, Clone, Copy)]
struct Changes {
    replaced: u64,
    restarted: u64,
}

/// Stops, removes and creates recorders until the end. What the removed ones had counted goes into the account.
fn disturb(
    runtime: &MetricsRuntime,
    places: &[Place],
    dice: &mut Dice,
    ended: &AtomicBool,
    account: &mut Account,
) -> Changes {
    let mut changes = Changes::default();
    while !ended.load(Ordering::Relaxed) {
        let number = dice.roll(places.len());
        let place = &places[number];
        if dice.roll(2) == 0 {
            let removed = runtime.stop_and_remove_recorder(&place.id).expect("removes");
            // Meanwhile a producer may offer events to it, which are rejected and counted.
            let new = create(runtime, &place.id, number);
            *place.recorder.write().expect("not poisoned") = new;
            account.add(&removed);
            changes.replaced += 1;
        } else {
            runtime.stop_recorder(&place.id).expect("stops");
            let recorder = runtime.get_recorder(&place.id).expect("it is registered");
            recorder.start().wait().expect("starts again");
            changes.restarted += 1;
        }
    }
    changes
}

/// Reads single recorders, and now and then all of them, until the end; how many snapshots of recorders.
fn read(runtime: &MetricsRuntime, places: &[Place], dice: &mut Dice, ended: &AtomicBool) -> u64 {
    let mut reads = 0;
    while !ended.load(Ordering::Relaxed) {
        for _ in 0..500 {
            let recorder = places[dice.roll(places.len())].recorder.read().expect("not poisoned").clone();
            let before = recorder.stats();
            let total = recorder.metric_snapshot::<Loads>().expect("reads").expect("it is registered");
            assert!(total >= before.processed, "{total}, {before:?}");
            reads += 1;
        }
        reads += runtime.snapshot().expect("reads").recorders.len() as u64;
    }
    reads
}

#[derive(Debug)]
struct Round {
    calls: u64,
    account: Account,
    changes: Changes,
    reads: u64,
}

/// One round of everything at once.
fn round(runtime: &MetricsRuntime, seed: u64, duration: Duration) -> Round {
    let place = |number: usize| {
        let id = format!("recorder-{number:04}");
        Place { recorder: RwLock::new(create(runtime, &id, number)), id }
    };
    let places: Vec<_> = (0..RECORDERS).map(place).collect();
    let ended = AtomicBool::new(false);
    let (places, ended) = (&places[..], &ended);
    let mut account = Account::default();
    let (calls, changes, reads) = thread::scope(|scope| {
        let producers: Vec<_> = (0..PRODUCERS as u64)
            .map(|index| scope.spawn(move || produce(places, &mut Dice(seed + index), ended)))
            .collect();
        let reader = scope.spawn(|| read(runtime, places, &mut Dice(seed + 98), ended));
        let disturber = scope.spawn(|| disturb(runtime, places, &mut Dice(seed + 99), ended, &mut account));
        let end = Instant::now() + duration;
        // Ends early when something fails.
        while Instant::now() < end && !disturber.is_finished() && !reader.is_finished() {
            thread::park_timeout(Duration::from_millis(100));
        }
        ended.store(true, Ordering::Relaxed);
        let calls = producers.into_iter().map(|producer| producer.join().expect("a producer")).sum::<u64>();
        (calls, disturber.join().expect("the disturber"), reader.join().expect("the reader"))
    });
    for place in places {
        account.add(&runtime.stop_and_remove_recorder(&place.id).expect("removes"));
    }
    Round { calls, account, changes, reads }
}

/// What the process has in memory, where that can be known.
fn resident_kib() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * 4)
}

#[test]
#[ignore = "takes as long as it is told to, and all cores"]
fn every_event_is_accounted_for_and_memory_comes_back() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !panic.payload_as_str().is_some_and(|text| text.starts_with("planned")) {
            default(panic);
        }
    }));
    let seconds = std::env::var("MVX_STRESS_SECONDS")
        .ok()
        .map_or(30, |seconds| seconds.parse().expect("MVX_STRESS_SECONDS is a number of seconds"));
    let runtime = MetricsRuntime::builder("stress").log_policy(LogPolicy::Silent).build().expect("builds");
    runtime.start().expect("starts");

    check(&round(&runtime, 7, WARM_UP));
    let before = resident_kib();
    let started = Instant::now();
    let round = round(&runtime, 1_234_567, Duration::from_secs(seconds));
    let elapsed = started.elapsed();
    check(&round);
    let after = resident_kib();
    let Round { calls, account, changes, reads } = &round;
    let a_second = u128::from(*calls) * 1_000 / elapsed.as_millis().max(1);
    println!("{calls} calls in {:.1} s, {a_second} a second", elapsed.as_secs_f64());
    println!("{account:?}");
    println!("{changes:?}, {reads} reads");
    if let (Some(before), Some(after)) = (before, after) {
        println!("memory: {before} KiB after the warm-up, {after} KiB at the end");
        assert!(after <= before + TOLERANCE_KIB, "memory has grown from {before} KiB to {after} KiB");
    }
    runtime.shutdown().expect("shuts down");
}

fn check(round: &Round) {
    let Round { calls, account, changes, reads } = round;
    assert_eq!(*calls, account.accepted + account.dropped + account.rejected, "{account:?}");
    assert_eq!(account.accepted, account.processed, "{account:?}");
    assert_eq!(ALIVE.load(Ordering::Relaxed), 0, "events that were never dropped");
    assert!(changes.replaced > 0 && changes.restarted > 0 && *reads > 0, "{changes:?}");
}
