//! Covers metrics, hooks and merge rules that are slow or panic while totals are read: ST4, ST10, ST15. No count is lost or falls.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use mvx_metrics::export::Scope;
use mvx_metrics::feed::Count;
use mvx_metrics::{
    Breakdown, ChangeListener, Counter, Dimension, DimensionDescriptor, DimensionKind, DimensionValue,
    EventHandler, HandleEvent, HookError, MergeError, Metric, MetricChange, MetricDescriptor, MetricSnapshot,
    MetricsRuntime, RecorderOptions, Totals, metric_event,
};
use mvx_metrics_tests::{Step, bounded, eventually};

use crate::fixtures::running;

#[derive(Metric, Default)]
#[metric(name = "steps", on(Step))]
struct Steps {
    total: Counter,
}

fn rollup(runtime: &MetricsRuntime) -> Totals {
    runtime.totals(Scope::Rollup).expect("it can be read")
}

fn steps(runtime: &MetricsRuntime) -> Option<u64> {
    rollup(runtime).groups[0].metrics.get("steps")?.get("total")?.as_u64()
}

fn running_with(shutdown_timeout: Duration) -> MetricsRuntime {
    let runtime = MetricsRuntime::builder("shop").shutdown_timeout(shutdown_timeout).build();
    let runtime = runtime.expect("valid choices");
    runtime.start().expect("a thread can be started");
    runtime
}

/// Hooks that take this many milliseconds for an event.
struct SlowHooks(Arc<AtomicU64>);

impl ChangeListener for SlowHooks {
    async fn on_metric_changed(&self, _: MetricChange<'_>) -> Result<(), HookError> {
        tokio::time::sleep(Duration::from_millis(self.0.load(SeqCst))).await;
        Ok(())
    }
}

#[test]
fn st15_a_metric_that_is_replaced_while_a_hook_runs_stays_in_the_totals() {
    bounded(|| {
        let runtime = running("shop");
        let delay = Arc::new(AtomicU64::new(0));
        let options = RecorderOptions::new().change_listener(SlowHooks(Arc::clone(&delay)));
        let recorder = runtime.create_recorder_with("one", options).expect("the id is free");
        recorder.metric::<Steps>().expect("the recorder runs");
        (0..20).for_each(|step| recorder.emit(Step(step)));
        recorder.flush().wait().expect("the recorder runs");
        delay.store(500, SeqCst);
        (0..2).for_each(|step| recorder.emit(Step(step)));
        let before = steps(&runtime).expect("it is registered");
        assert!(before >= 20, "{before}");
        recorder.register_metric(Steps::default()).expect("the recorder runs");
        recorder.register_metric(Steps::default()).expect("the recorder runs");
        let after = steps(&runtime).expect("it is registered");
        assert!(after >= before, "{before}, then {after}");
        recorder.flush().wait().expect("the recorder runs");
        assert_eq!(steps(&runtime), Some(22));
    });
}

#[test]
fn st15_no_count_falls_while_a_busy_metric_is_replaced_again_and_again() {
    bounded(|| {
        let runtime = running("shop");
        let recorder = runtime.create_recorder("one").expect("the id is free");
        recorder.metric::<Steps>().expect("the recorder runs");
        thread::scope(|threads| {
            let replacing = threads.spawn(|| {
                for _ in 0..2_000 {
                    (0..50).for_each(|step| recorder.emit(Step(step)));
                    recorder.register_metric(Steps::default()).expect("the recorder runs");
                }
            });
            let mut before = 0;
            while !replacing.is_finished() {
                let now = steps(&runtime).expect("it is registered");
                assert!(now >= before, "{before}, then {now}");
                before = now;
            }
        });
        recorder.flush().wait().expect("the recorder runs");
        // A full queue drops events.
        let stats = recorder.stats();
        assert_eq!(stats.processed + stats.dropped, 100_000);
        assert_eq!(steps(&runtime), Some(stats.processed));
    });
}

/// What the snapshots of a [`Moody`] do.
const PANICS: u64 = u64::MAX;

/// A metric whose snapshots panic, or take this many milliseconds.
struct Moody {
    steps: u64,
    mood: Arc<AtomicU64>,
}

impl HandleEvent<Step> for Moody {
    fn handle(&mut self, _: &Step) -> bool {
        self.steps += 1;
        true
    }
}

impl Metric for Moody {
    fn metric_name(&self) -> &'static str {
        "moody"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        const { &[EventHandler::of::<Step>()] }
    }

    fn descriptor(&self) -> MetricDescriptor {
        let dimensions = vec![DimensionDescriptor::new("steps", DimensionKind::Counter)];
        MetricDescriptor::new("moody").with_dimensions(dimensions)
    }

    fn snapshot(&self) -> MetricSnapshot {
        match self.mood.load(SeqCst) {
            PANICS => panic!("no snapshot now"),
            delay => thread::sleep(Duration::from_millis(delay)),
        }
        MetricSnapshot::new("moody").with("steps", self.steps)
    }
}

fn moody(runtime: &MetricsRuntime) -> Option<u64> {
    rollup(runtime).groups[0].metrics.get("moody")?.get("steps")?.as_u64()
}

/// A recorder with a moody metric that has seen ten steps.
fn moody_recorder(runtime: &MetricsRuntime, id: &str) -> Arc<AtomicU64> {
    let mood = Arc::new(AtomicU64::new(0));
    let recorder = runtime.create_recorder(id).expect("the id is free");
    recorder.register_metric(Moody { steps: 0, mood: Arc::clone(&mood) }).expect("the recorder runs");
    (0..10).for_each(|step| recorder.emit(Step(step)));
    mood
}

#[test]
fn st15_no_total_falls_when_a_snapshot_panics() {
    let runtime = running("shop");
    let mood = moody_recorder(&runtime, "one");
    moody_recorder(&runtime, "two");
    assert_eq!(moody(&runtime), Some(20));
    mood.store(PANICS, SeqCst);
    assert_eq!(moody(&runtime), Some(20));
    mood.store(0, SeqCst);
    assert_eq!(moody(&runtime), Some(20));
}

#[test]
fn st15_a_recorder_whose_snapshot_panics_when_it_is_removed_is_read_later() {
    let runtime = running("shop");
    let mood = moody_recorder(&runtime, "one");
    assert_eq!(moody(&runtime), Some(10));
    mood.store(PANICS, SeqCst);
    runtime.stop_and_remove_recorder("one").expect("it stops");
    mood.store(0, SeqCst);
    assert_eq!(moody(&runtime), Some(10));
}

#[test]
fn st10_no_total_falls_when_a_shutdown_overtakes_a_removal() {
    bounded(|| {
        let runtime = running("shop");
        let mood = moody_recorder(&runtime, "one");
        assert_eq!(moody(&runtime), Some(10));
        mood.store(1_000, SeqCst);
        thread::scope(|threads| {
            let removal = threads.spawn(|| runtime.stop_and_remove_recorder("one").map(drop));
            thread::sleep(Duration::from_millis(300));
            runtime.shutdown().expect("it ends");
            assert_eq!(moody(&runtime), Some(10));
            removal.join().expect("no panic").expect("it stops");
        });
        assert_eq!(moody(&runtime), Some(10));
        assert_eq!(rollup(&runtime).namespaces[0].removed, 1);
    });
}

#[test]
fn st10_a_snapshot_that_takes_longer_than_the_shutdown_hides_no_recorder_for_good() {
    bounded(|| {
        let runtime = running_with(Duration::from_millis(500));
        let mood = moody_recorder(&runtime, "slow");
        let recorder = runtime.create_recorder("one").expect("the id is free");
        recorder.metric::<Steps>().expect("the recorder runs");
        recorder.emit(Step(1));
        mood.store(1_000, SeqCst);
        runtime.shutdown().expect_err("the snapshot takes longer");
        mood.store(0, SeqCst);
        eventually("both are read", || (moody(&runtime), steps(&runtime)) == (Some(10), Some(1)));
    });
}

/// A runtime with a shutdown timeout of 100 ms, and a recorder whose hooks take longer than that for its steps.
fn with_slow_hooks(count: u64) -> MetricsRuntime {
    let runtime = running_with(Duration::from_millis(100));
    let options = RecorderOptions::new().change_listener(SlowHooks(Arc::new(AtomicU64::new(30))));
    let recorder = runtime.create_recorder_with("one", options).expect("the id is free");
    recorder.metric::<Steps>().expect("the recorder runs");
    (0..count).for_each(|step| recorder.emit(Step(step)));
    runtime
}

#[test]
fn st15_a_removed_recorder_that_still_processes_events_is_read_when_it_has_ended() {
    bounded(|| {
        let runtime = with_slow_hooks(10);
        let recorder = runtime.get_recorder("one").expect("it is there");
        runtime.stop_and_remove_recorder("one").expect_err("the hooks are slow");
        eventually("it has processed all events", || recorder.stats().processed == 10);
        eventually("the totals have them", || {
            rollup(&runtime).groups.first().is_some_and(|group| group.stats.processed == 10)
        });
        assert_eq!(steps(&runtime), Some(10));
    });
}

#[test]
fn st10_the_final_state_is_that_after_the_end_of_the_thread() {
    bounded(|| {
        let runtime = with_slow_hooks(100);
        let recorder = runtime.get_recorder("one").expect("it is there");
        runtime.shutdown().expect_err("the hooks are slow");
        eventually("the final state is that of the recorder", || {
            let last = runtime.snapshot().expect("the final state");
            (last.recorders[0].status, &last.recorders[0].stats) == (recorder.status(), &recorder.stats())
        });
    });
}

#[metric_event]
struct Seen {
    who: u64,
}

#[derive(Metric, Default)]
#[metric(name = "seen", on(Seen))]
struct Few {
    #[dimension(by = who, limit = 2)]
    by: Breakdown<u64, Counter>,
}

#[derive(Metric, Default)]
#[metric(name = "seen", on(Seen))]
struct Many {
    #[dimension(by = who, limit = 10)]
    by: Breakdown<u64, Counter>,
}

#[test]
fn st15_the_limit_that_was_read_first_stays() {
    let runtime = running("shop");
    let few = runtime.create_recorder("few").expect("the id is free");
    few.metric::<Few>().expect("the recorder runs");
    let many = runtime.create_recorder("many").expect("the id is free");
    many.metric::<Many>().expect("the recorder runs");
    (0..2).for_each(|who| few.emit(Seen { who }));
    (2..6).for_each(|who| many.emit(Seen { who }));
    let labels = || rollup(&runtime).groups[0].metrics.get("seen").and_then(|seen| seen.get("by")).cloned();
    let before = labels();
    runtime.stop_and_remove_recorder("many").expect("it stops");
    assert_eq!(labels(), before);
}

#[test]
fn st15_the_totals_of_a_changed_snapshot_change_no_totals_of_the_runtime() {
    let runtime = running("shop");
    let mood = moody_recorder(&runtime, "one");
    let other = running("shop");
    moody_recorder(&other, "two");
    let mut snapshot = runtime.snapshot().expect("the runtime runs");
    snapshot.recorders.extend(other.snapshot().expect("the runtime runs").recorders);
    let both = snapshot.totals(Scope::Rollup);
    assert_eq!(both.groups[0].metrics.get("moody").and_then(|moody| moody.get("steps")?.as_u64()), Some(20));
    assert_eq!(moody(&runtime), Some(10));
    mood.store(PANICS, SeqCst);
    assert_eq!(moody(&runtime), Some(10));
}

/// What the merge rule of a [`Tricky`] dimension does once.
static TRICK: std::sync::Mutex<Option<Box<dyn FnOnce() + Send>>> = std::sync::Mutex::new(None);

/// Counts, and merges by a rule of its own.
#[derive(Default)]
struct Tricky(u64);

impl Dimension for Tricky {
    type Output = u64;
    const KIND: DimensionKind = DimensionKind::Custom;
    const MERGE: Option<fn(&mut u64, &u64)> = Some(|into, from| {
        let trick = TRICK.try_lock().ok().and_then(|mut trick| trick.take());
        if let Some(trick) = trick {
            trick();
        }
        *into += *from;
    });

    fn read(&self) -> u64 {
        self.0
    }

    fn value(output: u64) -> DimensionValue {
        output.into()
    }

    fn since(later: &u64, earlier: &u64) -> u64 {
        later.checked_sub(*earlier + 2).expect("more than two steps")
    }
}

impl Count for Tricky {
    fn count(&mut self) -> bool {
        self.0 += 1;
        true
    }
}

#[derive(Metric, Default)]
#[metric(name = "tricks", on(Step))]
struct Tricks {
    all: Counter,
    tricky: Tricky,
}

fn play(trick: impl FnOnce() + Send + 'static) {
    *TRICK.lock().expect("no test panics with the lock") = Some(Box::new(trick));
}

#[test]
fn st15_a_merge_rule_may_panic_or_call_the_library() {
    bounded(|| {
        let runtime = Arc::new(running("shop"));
        let one = runtime.create_recorder("one").expect("the id is free");
        one.metric::<Tricks>().expect("the recorder runs");
        one.emit(Step(1));

        // The metric is replaced: the panic reaches neither this thread nor the runtime's.
        one.register_metric(Tricks::default()).expect("the recorder runs");
        one.emit(Step(2));
        play(|| panic!("no merging now"));
        one.register_metric(Tricks::default()).expect("the recorder runs");
        one.emit(Step(3));
        one.flush().wait().expect("the runtime's thread lives");
        assert_eq!(rollup(&runtime).get::<Tricks>("shop").map(|tricks| tricks.all), Some(3));

        // The recorder is removed while the rule reads the totals: the call is refused, and does not wait for the lock.
        let two = runtime.create_recorder("two").expect("the id is free");
        two.metric::<Tricks>().expect("the recorder runs");
        two.emit(Step(4));
        runtime.stop_and_remove_recorder("one").expect("it stops");
        let was_refused = Arc::new(AtomicBool::new(false));
        let (reader, refused) = (Arc::clone(&runtime), Arc::clone(&was_refused));
        play(move || refused.store(reader.totals(Scope::Rollup).is_err(), SeqCst));
        runtime.stop_and_remove_recorder("two").expect("it stops");
        assert!(was_refused.load(SeqCst));
        assert_eq!(rollup(&runtime).get::<Tricks>("shop").map(|tricks| tricks.all), Some(4));
    });
}

#[test]
fn st4_a_difference_of_the_users_own_that_panics_is_an_error() {
    let runtime = running("shop");
    let recorder = runtime.create_recorder("one").expect("the id is free");
    recorder.metric::<Tricks>().expect("the recorder runs");
    let after = |steps: u64| {
        (0..steps).for_each(|step| recorder.emit(Step(step)));
        let metrics = recorder.metric_snapshots().expect("the recorder runs");
        metrics.get("tricks").cloned().expect("it is registered")
    };
    let (two, three, seven) = (after(2), after(1), after(4));
    let interval = seven.since(&two).expect("it does not panic");
    assert_eq!((interval.get("all"), interval.get("tricky")), (Some(&5_u64.into()), Some(&3_u64.into())));
    let error = three.since(&two).expect_err("the difference panics");
    assert!(matches!(&error, MergeError::OtherForm { dimension, .. } if dimension == "tricky"), "{error}");
}
