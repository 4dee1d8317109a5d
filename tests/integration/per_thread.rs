//! Recorders with a ring for each thread. Covers PT1 to PT6.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use mvx_metrics::{
    Breakdown, Counter, Handoff, Label, Max, Metric, MetricFailurePolicy, MetricsRecorder,
    MetricsRecorderError, MetricsRecorderState, MetricsRuntime, RecorderOptions, Registered, Scope, Sum,
    metric_event,
};
use mvx_metrics_tests::{Direct, HooksAndListener, Script, bounded, eventually, in_threads, running_runtime};

/// More events than a ring has room for.
const BURST: u64 = 256 * 1_000;

#[derive(Label, Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Cause,
    Effect,
}

#[metric_event]
#[derive(Debug)]
struct Seen {
    side: Side,
    number: u64,
}

impl Seen {
    fn cause(number: u64) -> Self {
        Self { side: Side::Cause, number }
    }
}

#[derive(Metric, Default)]
#[metric(on(Seen))]
struct Sights {
    total: Counter,
    #[dimension(by = side)]
    by_side: Breakdown<Side, Counter>,
    #[dimension(value = number)]
    sum: Sum<u64>,
    #[dimension(value = number)]
    highest: Max<u64>,
}

fn options() -> RecorderOptions {
    RecorderOptions::new().handoff(Handoff::PerThread)
}

fn recorder(runtime: &MetricsRuntime) -> MetricsRecorder {
    let recorder = runtime.create_recorder_with("shared", options()).expect("creates");
    recorder.metric::<Sights>().expect("registers");
    recorder
}

fn total(recorder: &MetricsRecorder) -> u64 {
    recorder.metric::<Sights>().and_then(|metric| metric.snapshot()).expect("reads").total
}

#[test]
fn pt1_bursts_of_one_to_eight_threads_lose_nothing() {
    bounded(|| {
        let runtime = running_runtime("pt1");
        let recorder = recorder(&runtime);
        let mut expected = 0;
        for threads in 1..=8_usize {
            let events = BURST / threads as u64;
            in_threads(threads, |_| (0..events).for_each(|number| recorder.emit(Seen::cause(number))));
            expected += events * threads as u64;
            assert_eq!(total(&recorder), expected);
        }
        let stats = recorder.stats();
        assert_eq!((stats.accepted, stats.processed, stats.pending), (expected, expected, 0));
        assert_eq!((stats.dropped, stats.rejected, stats.discarded), (0, 0, 0));
        runtime.shutdown().expect("shuts down");
    });
}

#[test]
fn pt1_an_event_is_processed_without_a_reader() {
    bounded(|| {
        let runtime = running_runtime("pt1");
        let recorder = recorder(&runtime);
        for round in 1..=3 {
            recorder.emit(Seen::cause(round));
            eventually("the runtime's thread folds", || recorder.stats().processed == round);
        }
        runtime.shutdown().expect("shuts down");
    });
}

#[test]
fn pt1_large_events_and_events_with_a_destructor_are_dropped_once() {
    #[metric_event]
    struct Large {
        bytes: [u64; 40],
        held: Arc<()>,
    }

    #[derive(Metric, Default)]
    #[metric(on(Large))]
    struct Sizes {
        #[dimension(value = |event| event.bytes[39])]
        last: Sum<u64>,
    }

    bounded(|| {
        let runtime = running_runtime("pt1");
        let recorder = runtime.create_recorder_with("shared", options()).expect("creates");
        let sizes = recorder.metric::<Sizes>().expect("registers");
        let held = Arc::new(());
        in_threads(4, |_| {
            for _ in 0..1_000 {
                recorder.emit(Large { bytes: [1; 40], held: Arc::clone(&held) });
            }
        });
        assert_eq!(sizes.snapshot().expect("reads").last, 4_000);
        assert_eq!(Arc::strong_count(&held), 1);
        runtime.shutdown().expect("shuts down");
        assert!(recorder.register_event(Large { bytes: [1; 40], held: Arc::clone(&held) }).is_err());
        assert_eq!(Arc::strong_count(&held), 1);
    });
}

#[test]
fn pt2_events_of_one_thread_apply_in_order() {
    static LAST: [AtomicU64; 4] = [const { AtomicU64::new(0) }; 4];
    static OUT_OF_ORDER: AtomicBool = AtomicBool::new(false);

    #[metric_event]
    struct Step {
        thread: usize,
        number: u64,
    }

    impl Step {
        fn is_next(&self) -> bool {
            let last = LAST[self.thread].swap(self.number, Ordering::Relaxed);
            OUT_OF_ORDER.fetch_or(last + 1 != self.number, Ordering::Relaxed);
            true
        }
    }

    #[derive(Metric, Default)]
    #[metric(on(Step), when = Step::is_next)]
    struct Steps {
        total: Counter,
    }

    bounded(|| {
        let runtime = running_runtime("pt2");
        let recorder = runtime.create_recorder_with("shared", options()).expect("creates");
        let steps = recorder.metric::<Steps>().expect("registers");
        let is_done = AtomicBool::new(false);
        thread::scope(|scope| {
            let reader = scope.spawn(|| {
                while !is_done.load(Ordering::Relaxed) {
                    steps.snapshot().expect("reads");
                }
            });
            in_threads(4, |thread| {
                for number in 1..=20_000 {
                    recorder.emit(Step { thread, number });
                }
            });
            is_done.store(true, Ordering::Relaxed);
            reader.join().expect("it does not panic");
        });
        assert_eq!(steps.snapshot().expect("reads").total, 80_000);
        assert!(!OUT_OF_ORDER.load(Ordering::Relaxed), "{LAST:?}");
        runtime.shutdown().expect("shuts down");
    });
}

#[test]
fn pt3_no_snapshot_has_an_effect_without_its_cause() {
    bounded(|| {
        let runtime = running_runtime("pt3");
        let recorder = recorder(&runtime);
        let sights = recorder.metric::<Sights>().expect("is there");
        let (causes, effects) = mpsc::sync_channel(64);
        let is_done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                for number in 0..50_000 {
                    recorder.emit(Seen::cause(number));
                    causes.send(number).expect("the other thread listens");
                }
                drop(causes);
            });
            let effects = scope.spawn(|| {
                for number in effects {
                    recorder.emit(Seen { side: Side::Effect, number });
                }
                is_done.store(true, Ordering::Relaxed);
            });
            let mut snapshots = 0;
            while !is_done.load(Ordering::Relaxed) {
                let snapshot = sights.snapshot().expect("reads");
                let count = |side| snapshot.by_side.get(side).copied().unwrap_or_default();
                let (causes, effects) = (count(Side::Cause), count(Side::Effect));
                assert!(causes >= effects, "{effects} effects of {causes} causes");
                assert_eq!(snapshot.total, causes + effects);
                snapshots += 1;
            }
            assert!(snapshots > 1);
            effects.join().expect("it does not panic");
        });
        assert_eq!(total(&recorder), 100_000);
        runtime.shutdown().expect("shuts down");
    });
}

#[test]
fn pt3_a_thread_reads_its_own_events() {
    bounded(|| {
        let runtime = running_runtime("pt3");
        let recorder = recorder(&runtime);
        in_threads(3, |_| {
            let mut before = total(&recorder);
            for _ in 0..300 {
                recorder.emit(Seen::cause(1));
                let now = total(&recorder);
                assert!(now > before, "{now} after {before}");
                before = now;
            }
        });
        assert_eq!(total(&recorder), 900);
        runtime.shutdown().expect("shuts down");
    });
}

#[test]
fn pt4_thousands_of_threads_lose_nothing() {
    bounded(|| {
        let runtime = running_runtime("pt4");
        let recorder = recorder(&runtime);
        for _ in 0..250 {
            in_threads(8, |thread| {
                for number in 0..=thread as u64 {
                    recorder.emit(Seen::cause(number));
                }
            });
        }
        assert_eq!(total(&recorder), 250 * 36);
        runtime.shutdown().expect("shuts down");
    });
}

#[test]
fn pt4_a_thread_may_emit_while_it_ends() {
    struct EmitsAtTheEnd(MetricsRecorder);

    impl Drop for EmitsAtTheEnd {
        fn drop(&mut self) {
            for number in 0..600 {
                self.0.emit(Seen::cause(number));
            }
        }
    }

    thread_local! {
        static BEFORE: std::cell::RefCell<Option<EmitsAtTheEnd>> = const { std::cell::RefCell::new(None) };
        static AFTER: std::cell::RefCell<Option<EmitsAtTheEnd>> = const { std::cell::RefCell::new(None) };
    }

    bounded(|| {
        let runtime = running_runtime("pt4");
        let recorder = recorder(&runtime);
        for _ in 0..50 {
            let recorder = recorder.clone();
            let thread = thread::spawn(move || {
                // One thread-local is destroyed before the library's, the other one after it, in either order of destruction.
                BEFORE.with_borrow_mut(|end| *end = Some(EmitsAtTheEnd(recorder.clone())));
                recorder.emit(Seen::cause(1));
                AFTER.with_borrow_mut(|end| *end = Some(EmitsAtTheEnd(recorder)));
            });
            thread.join().expect("it does not panic");
        }
        assert_eq!(total(&recorder), 50 * 1_201);
        assert_eq!(recorder.stats().dropped, 0);
        runtime.shutdown().expect("shuts down");
    });
}

#[test]
fn pt4_a_recorder_that_is_dropped_while_threads_hold_rings_loses_nothing() {
    bounded(|| {
        let runtime = running_runtime("pt4");
        let (to_thread, recorders) = mpsc::channel::<MetricsRecorder>();
        let (done, is_done) = mpsc::channel();
        let thread = thread::spawn(move || {
            for recorder in recorders {
                recorder.emit(Seen::cause(1));
                drop(recorder);
                done.send(()).expect("the test waits");
            }
        });
        for round in 0..100 {
            let recorder =
                runtime.create_recorder_with(&format!("shared-{round}"), options()).expect("creates");
            recorder.metric::<Sights>().expect("registers");
            recorder.emit(Seen::cause(1));
            to_thread.send(recorder.clone()).expect("it listens");
            is_done.recv().expect("it emits");
            let removed = runtime.stop_and_remove_recorder(&format!("shared-{round}")).expect("removes");
            assert_eq!(total(&removed), 2);
        }
        drop(to_thread);
        thread.join().expect("it does not panic");
        runtime.shutdown().expect("shuts down");
    });
}

#[test]
fn pt6_the_accounting_identity_holds_at_every_moment() {
    bounded(|| {
        let runtime = running_runtime("pt6");
        let recorder = recorder(&runtime);
        let is_done = AtomicBool::new(false);
        let offered = thread::scope(|scope| {
            let reader = scope.spawn(|| {
                while !is_done.load(Ordering::Relaxed) {
                    let stats = recorder.stats();
                    assert_eq!(
                        stats.accepted,
                        stats.processed + stats.discarded + stats.pending,
                        "{stats:?}"
                    );
                    let snapshot = runtime.snapshot().expect("reads");
                    let shared = snapshot.recorders.first().expect("there is one");
                    let stats = &shared.stats;
                    assert_eq!(
                        stats.accepted,
                        stats.processed + stats.discarded + stats.pending,
                        "{stats:?}"
                    );
                }
            });
            let offered: u64 = in_threads(3, |_| {
                let mut offered = 0;
                for _ in 0..30_000 {
                    offered += u64::from(recorder.register_event(Seen::cause(1)).is_ok());
                }
                offered
            })
            .into_iter()
            .sum();
            is_done.store(true, Ordering::Relaxed);
            reader.join().expect("it does not panic");
            offered
        });
        assert_eq!(offered, 90_000);
        assert_eq!(total(&recorder), 90_000);
        runtime.shutdown().expect("shuts down");
    });
}

#[test]
fn pt6_a_stop_takes_every_accepted_event_and_a_restart_goes_on() {
    bounded(|| {
        let runtime = running_runtime("pt6");
        let recorder = recorder(&runtime);
        let (accepted, rejected) = (AtomicU64::new(0), AtomicU64::new(0));
        let is_done = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    while !is_done.load(Ordering::Relaxed) {
                        let is_accepted = recorder.register_event(Seen::cause(1)).is_ok();
                        let count = if is_accepted { &accepted } else { &rejected };
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            for _ in 0..50 {
                recorder.stop().wait().expect("stops");
                assert_eq!(recorder.status(), MetricsRecorderState::Stopped);
                let stats = recorder.stats();
                assert_eq!((stats.accepted, stats.pending), (stats.processed, 0));
                assert_eq!(total(&recorder), stats.processed, "the final state has every event");
                recorder.start().wait().expect("starts again");
            }
            is_done.store(true, Ordering::Relaxed);
        });
        let stats = {
            recorder.stop().wait().expect("stops");
            recorder.stats()
        };
        assert_eq!(stats.accepted, accepted.into_inner());
        assert_eq!(stats.rejected, rejected.into_inner());
        assert_eq!(total(&recorder), stats.accepted);
        runtime.shutdown().expect("shuts down");
    });
}

#[test]
fn pt6_the_last_handle_may_go_while_events_are_pending() {
    bounded(|| {
        let runtime = running_runtime("pt6");
        drop(recorder(&runtime));
        let recorder = runtime.get_recorder("shared").expect("the runtime keeps it");
        let other = recorder.clone();
        thread::spawn(move || (0..100).for_each(|_| other.emit(Seen::cause(1)))).join().expect("no panic");
        let removed = runtime.stop_and_remove_recorder("shared").expect("removes");
        assert_eq!(total(&removed), 100);
        runtime.shutdown().expect("shuts down");
    });
}

#[test]
fn pt1_a_metric_that_is_registered_late_counts_the_events_after_that() {
    #[derive(Metric, Default)]
    #[metric(on(Seen))]
    struct Late {
        total: Counter,
    }

    bounded(|| {
        let runtime = running_runtime("pt1");
        let recorder = recorder(&runtime);
        in_threads(3, |_| (0..100).for_each(|_| recorder.emit(Seen::cause(1))));
        let late = recorder.metric::<Late>().expect("registers");
        in_threads(3, |_| (0..10).for_each(|_| recorder.emit(Seen::cause(1))));
        assert_eq!((late.snapshot().expect("reads").total, total(&recorder)), (30, 330));
        let replaced = recorder.register_metric(Sights::default()).expect("registers");
        assert_eq!(replaced, Registered::Replaced);
        recorder.emit(Seen::cause(1));
        assert_eq!((late.snapshot().expect("reads").total, total(&recorder)), (31, 1));
        let totals = runtime.totals(Scope::Rollup).expect("adds up");
        let all = totals.get::<Sights>("pt1").expect("is there").total;
        assert_eq!(all, 331, "the totals keep the state of the replaced metric");
        runtime.shutdown().expect("shuts down");
    });
}

#[test]
fn pt1_metrics_may_be_replaced_while_threads_emit() {
    bounded(|| {
        let runtime = running_runtime("pt1");
        let recorder = recorder(&runtime);
        let is_done = AtomicBool::new(false);
        let emitted: u64 = thread::scope(|scope| {
            let emitting: Vec<_> = (0..3)
                .map(|_| {
                    scope.spawn(|| {
                        let mut emitted = 0;
                        while !is_done.load(Ordering::Relaxed) {
                            recorder.emit(Seen::cause(1));
                            emitted += 1;
                        }
                        emitted
                    })
                })
                .collect();
            for _ in 0..50 {
                recorder.register_metric(Sights::default()).expect("registers");
            }
            is_done.store(true, Ordering::Relaxed);
            emitting.into_iter().map(|thread| thread.join().expect("no panic")).sum()
        });
        let totals = runtime.totals(Scope::Rollup).expect("adds up");
        assert_eq!(totals.get::<Sights>("pt1").expect("is there").total, emitted);
        runtime.shutdown().expect("shuts down");
    });
}

#[metric_event]
struct Bomb {
    explodes: bool,
}

impl Bomb {
    fn leaves_the_metric_alone(&self) -> bool {
        assert!(!self.explodes, "boom");
        true
    }
}

#[derive(Metric, Default)]
#[metric(on(Bomb), when = Bomb::leaves_the_metric_alone)]
struct Bombs {
    total: Counter,
}

#[test]
fn pt1_a_metric_that_panics_in_a_producers_thread_is_quarantined() {
    bounded(|| {
        let runtime = running_runtime("pt1");
        let recorder = recorder(&runtime);
        let bombs = recorder.metric::<Bombs>().expect("registers");
        in_threads(2, |_| {
            for number in 0..1_000 {
                recorder.emit(Bomb { explodes: number == 300 });
                recorder.emit(Seen::cause(1));
            }
        });
        assert_eq!(total(&recorder), 2_000, "the other metric goes on");
        let snapshots = recorder.metric_snapshots().expect("reads");
        let failed = snapshots.iter().find(|snapshot| snapshot.name == "bombs").expect("is there");
        assert!(failed.failed.as_deref().is_some_and(|failed| failed.contains("boom")), "{failed:?}");
        let counted = bombs.snapshot().expect("reads").total;
        recorder.emit(Bomb { explodes: false });
        assert_eq!(bombs.snapshot().expect("reads").total, counted, "it gets no more events");
        assert_eq!(recorder.status(), MetricsRecorderState::Running);
        runtime.shutdown().expect("shuts down");
    });
}

#[test]
fn pt6_a_metric_may_fail_the_recorder_and_its_events_are_accounted_for() {
    bounded(|| {
        let runtime = running_runtime("pt6");
        let options = options().metric_failure_policy(MetricFailurePolicy::FailRecorder);
        let recorder = runtime.create_recorder_with("shared", options).expect("creates");
        recorder.metric::<Bombs>().expect("registers");
        let accepted: u64 = in_threads(2, |_| {
            let offers = (0..5_000).map(|number| recorder.register_event(Bomb { explodes: number == 300 }));
            offers.map(|offer| u64::from(offer.is_ok())).sum::<u64>()
        })
        .into_iter()
        .sum();
        eventually("the recorder fails", || recorder.status() == MetricsRecorderState::Failure);
        eventually("the rest is discarded", || recorder.stats().pending == 0);
        let stats = recorder.stats();
        assert_eq!(stats.accepted, accepted);
        assert_eq!(stats.accepted, stats.processed + stats.discarded);
        assert_eq!(stats.rejected, 10_000 - accepted);
        let cause = recorder.stop().wait().expect_err("it has failed");
        assert_eq!(cause.reason(), "INVALID_RECORDER_STATE");
        runtime.shutdown().expect_err("a recorder has failed");
    });
}

#[test]
fn pt1_a_handler_may_emit_into_its_own_recorder() {
    static SELF: std::sync::OnceLock<MetricsRecorder> = std::sync::OnceLock::new();

    #[metric_event]
    struct Echo;

    fn echoes() -> bool {
        SELF.get().expect("it is set").emit(Seen::cause(1));
        true
    }

    #[derive(Metric, Default)]
    #[metric(on(Echo), when = |_| echoes())]
    struct Echoes {
        total: Counter,
    }

    bounded(|| {
        let runtime = running_runtime("pt1");
        let recorder = recorder(&runtime);
        let echoes = recorder.metric::<Echoes>().expect("registers");
        SELF.set(recorder.clone()).expect("it is set once");
        in_threads(2, |_| (0..2_000).for_each(|_| recorder.emit(Echo)));
        assert_eq!(echoes.snapshot().expect("reads").total, 4_000);
        eventually("the echoes are applied", || recorder.stats().pending == 0);
        let stats = recorder.stats();
        assert_eq!(total(&recorder) + stats.dropped, 4_000, "what found no room counts as dropped");
        runtime.shutdown().expect("shuts down");
    });
}

#[test]
fn pt1_handlers_that_emit_into_another_recorder_lose_nothing() {
    static OTHER: std::sync::OnceLock<MetricsRecorder> = std::sync::OnceLock::new();

    #[metric_event]
    struct Forwarded;

    fn forwards() -> bool {
        (0..3).for_each(|number| OTHER.get().expect("it is set").emit(Seen::cause(number)));
        true
    }

    #[derive(Metric, Default)]
    #[metric(on(Forwarded), when = |_| forwards())]
    struct Forwards {
        total: Counter,
    }

    bounded(|| {
        let runtime = running_runtime("pt1");
        OTHER.set(recorder(&runtime)).expect("it is set once");
        let ordered = runtime.create_recorder("ordered").expect("creates");
        let first = runtime.create_recorder_with("first", options()).expect("creates");
        for recorder in [&ordered, &first] {
            recorder.metric::<Forwards>().expect("registers");
        }
        in_threads(2, |_| {
            for _ in 0..4_000 {
                first.emit(Forwarded);
                ordered.register_event_blocking(Forwarded, Duration::from_secs(5)).expect("there is room");
            }
        });
        first.flush().wait().expect("flushes");
        ordered.flush().wait().expect("flushes");
        let other = OTHER.get().expect("it is set");
        assert_eq!((total(other), other.stats().dropped), (48_000, 0));
        runtime.shutdown().expect("shuts down");
    });
}

#[test]
fn pt1_calls_that_wait_for_room_find_it_at_once() {
    bounded(|| {
        let runtime = running_runtime("pt1");
        let recorder = recorder(&runtime);
        for _ in 0..1_000 {
            recorder.register_event_blocking(Seen::cause(1), Duration::from_secs(5)).expect("there is room");
        }
        let tokio = tokio::runtime::Builder::new_current_thread().build().expect("a tokio runtime");
        tokio.block_on(async {
            for _ in 0..1_000 {
                recorder.register_event_async(Seen::cause(1)).await.expect("there is room");
            }
        });
        recorder.flush().wait().expect("flushes");
        assert_eq!(recorder.stats().processed, 2_000);
        runtime.shutdown().expect("shuts down");
    });
}

#[test]
fn pt1_a_recorder_without_a_runtime_works_alike() {
    bounded(|| {
        let direct = Direct::new();
        let recorder = direct.recorder(options());
        recorder.metric::<Sights>().expect("registers");
        in_threads(3, |_| (0..1_000).for_each(|_| recorder.emit(Seen::cause(1))));
        assert_eq!(total(&recorder), 3_000);
        recorder.stop().wait().expect("stops");
        assert_eq!(recorder.stats().processed, 3_000);
    });
}

#[test]
fn pt5_hooks_are_refused() {
    bounded(|| {
        let runtime = running_runtime("pt5");
        let refused = runtime.create_recorder_with("a", options().hooks_and_listener(Script::new()));
        assert!(refused.is_err_and(|error| error.to_string().contains("handoff")));
        runtime.shutdown().expect("shuts down");
    });
}

#[test]
fn pt5_a_metric_that_needs_a_total_order_is_refused_with_its_reason() {
    #[derive(Metric, Default)]
    #[metric(on(Seen))]
    struct Levels {
        #[dimension(set = |seen| seen.number.cast_signed())]
        level: mvx_metrics::Gauge<i64>,
    }

    bounded(|| {
        let runtime = running_runtime("pt5");
        let recorder = runtime.create_recorder_with("shared", options()).expect("creates");
        let error = recorder.register_metric(Levels::default()).expect_err("a gauge needs an order");
        assert!(matches!(&error, MetricsRecorderError::NeedsOrder { metric, .. } if metric == "levels"));
        assert!(error.to_string().contains("level"), "{error}");
        assert!(recorder.metric::<Levels>().is_err());
        assert_eq!(error.reason(), "INVALID_ARGUMENT");
        runtime.shutdown().expect("shuts down");
    });
}
