//! The invariants that hold while producers, readers, lifecycle calls and metrics race.

mod fixtures;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use mvx_metrics::{
    LogPolicy, MetricFailurePolicy, MetricsRecorder, MetricsRecorderState, MetricsRuntime,
    QueueOverflowPolicy, RecorderOptions,
};
use mvx_metrics_tests::{HooksAndListener, bounded};
use proptest::prelude::*;

use fixtures::{FailingHooks, Faults, LiveEvents, Numbered, Recorded};

/// The options of a recorder.
#[derive(Debug, Clone)]
struct Configuration {
    limit: usize,
    overflow: QueueOverflowPolicy,
    metric_failure: MetricFailurePolicy,
    /// `None` for a recorder without hooks.
    hooks: Option<Faults>,
}

impl Configuration {
    fn options(&self) -> RecorderOptions {
        let options = RecorderOptions::new()
            .queue_max_size(self.limit)
            .queue_overflow_policy(self.overflow)
            .metric_failure_policy(self.metric_failure);
        match &self.hooks {
            None => options,
            Some(faults) if faults.change.is_none() => options.hooks(FailingHooks::new(faults.clone())),
            Some(faults) => options.hooks_and_listener(FailingHooks::new(faults.clone())),
        }
    }
}

/// The runtime of all cases.
static RUNTIME: LazyLock<MetricsRuntime> = LazyLock::new(|| {
    let builder = MetricsRuntime::builder("model").log_policy(LogPolicy::Silent);
    let runtime = builder.build().expect("valid");
    runtime.start().expect("starts");
    runtime
});

/// An action of a thread while others emit events.
#[derive(Debug, Clone)]
enum Disturbance {
    Register { survives: Option<usize> },
    Restart,
    Stop,
    Start,
    Flush,
    Read,
    Wait,
}

fn disturbances() -> impl Strategy<Value = Vec<Disturbance>> {
    let survives = prop_oneof![2 => Just(None), 1 => (0..60_usize).prop_map(Some)];
    let disturbance = prop_oneof![
        3 => survives.prop_map(|survives| Disturbance::Register { survives }),
        1 => Just(Disturbance::Restart),
        1 => Just(Disturbance::Stop),
        2 => Just(Disturbance::Start),
        2 => Just(Disturbance::Flush),
        2 => Just(Disturbance::Read),
        3 => Just(Disturbance::Wait),
    ];
    prop::collection::vec(disturbance, 0..12)
}

fn choices() -> impl Strategy<Value = Configuration> {
    let change = prop_oneof![2 => Just(None), 1 => (0..200_u32).prop_map(Some)];
    let stop = prop_oneof![3 => Just(None), 1 => (0..3_u32).prop_map(Some)];
    let faults = (change, stop).prop_map(|(change, stop)| Faults { change, stop });
    let hooks = prop_oneof![2 => Just(None), 1 => faults.prop_map(Some)];
    let policies = (any::<bool>(), prop::bool::weighted(0.3));
    let limit = prop_oneof![1..8_usize, 8..600_usize];
    (limit, policies, hooks).prop_map(|(limit, (drops, fails), hooks)| Configuration {
        limit,
        overflow: if drops { QueueOverflowPolicy::Drop } else { QueueOverflowPolicy::Error },
        metric_failure: if fails {
            MetricFailurePolicy::FailRecorder
        } else {
            MetricFailurePolicy::Quarantine
        },
        hooks,
    })
}

/// The number of an event is its producer times this, plus its index in that producer.
const PER_PRODUCER: u64 = 1 << 32;

/// How many events the recorder has taken and refused, by the producers' results.
#[derive(Default)]
struct Answers {
    taken: AtomicU64,
    refused: AtomicU64,
}

fn produce(recorder: &MetricsRecorder, producer: u64, events: u64, alive: &LiveEvents, answers: &Answers) {
    for index in 0..events {
        let number = producer * PER_PRODUCER + index;
        // In batches and alone.
        let taken = match (index / 7) % 3 {
            0 => recorder.register_event(Numbered::<0>::new(number, alive)).is_ok(),
            1 if index % 2 == 0 => recorder.register_event(Numbered::<2>::new(number, alive)).is_ok(),
            _ => recorder.register_event(Numbered::<1>::new(number, alive)).is_ok(),
        };
        let answers = if taken { &answers.taken } else { &answers.refused };
        answers.fetch_add(1, Ordering::Relaxed);
    }
}

type Log = Arc<Mutex<Vec<u64>>>;

/// Takes the actions on the recorder. Returns the events that each metric registered by them has handled.
fn disturb(recorder: &MetricsRecorder, disturbances: &[Disturbance]) -> Vec<Log> {
    let mut logs = Vec::new();
    for (index, disturbance) in disturbances.iter().enumerate() {
        match disturbance {
            Disturbance::Register { survives } => {
                let (metric, log) = Recorded::new(format!("m{}", index % 4), *survives);
                if recorder.register_metric(metric).is_ok() {
                    logs.push(log);
                }
            }
            Disturbance::Restart => {
                // A refusal is a valid result.
                let _ = recorder.stop().wait();
                let _ = recorder.start().wait();
            }
            Disturbance::Stop => drop(recorder.stop()),
            Disturbance::Start => drop(recorder.start()),
            Disturbance::Flush => {
                let _ = recorder.flush().wait();
            }
            Disturbance::Read => {
                let _ = recorder.metric_snapshots().expect("no thread of the runtime reads");
            }
            Disturbance::Wait => std::thread::yield_now(),
        }
    }
    logs
}

/// Reads the stats until `done`, and checks the invariants of every moment.
fn watch(recorder: &MetricsRecorder, limit: u64, done: &AtomicBool) {
    let mut before = recorder.stats();
    while !done.load(Ordering::Relaxed) {
        let now = recorder.stats();
        assert!(now.pending <= limit, "{now:?}");
        assert_eq!(now.accepted, now.processed + now.discarded + now.pending, "{now:?}");
        let fields = |stats: &mvx_metrics::RecorderStats| {
            [stats.accepted, stats.processed, stats.discarded, stats.rejected, stats.dropped]
        };
        assert!(
            fields(&before).iter().zip(fields(&now)).all(|(before, now)| *before <= now),
            "{before:?} {now:?}"
        );
        before = now;
        std::thread::yield_now();
    }
}

fn wait_until_idle(recorder: &MetricsRecorder) {
    use MetricsRecorderState::{Cancelled, Failure, Stopped, Virgin};

    // A stop in progress or a failure ends by itself. A running recorder is stopped here.
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let _ = recorder.stop().wait();
        let rests = matches!(recorder.status(), Virgin | Stopped | Failure | Cancelled);
        if rests && recorder.stats().pending == 0 {
            return;
        }
        assert!(Instant::now() < deadline, "{recorder:?} does not become idle: {:?}", recorder.stats());
        std::thread::yield_now();
    }
}

/// Whether `part` is a slice of `whole`.
fn is_slice_of(part: &[u64], whole: &[u64]) -> bool {
    let Some(first) = part.first() else {
        return true;
    };
    let Some(at) = whole.iter().position(|number| number == first) else {
        return false;
    };
    whole[at..].starts_with(part)
}

fn run(choices: &Configuration, producers: u64, events: u64, disturbances: &[Disturbance]) {
    static CASE: AtomicU64 = AtomicU64::new(0);

    let (alive, answers) = (LiveEvents::default(), Answers::default());
    let id = CASE.fetch_add(1, Ordering::Relaxed).to_string();
    let recorder = RUNTIME.create_recorder_with(&id, choices.options()).expect("creates");
    let (witness, witnessed) = Recorded::new("witness".to_owned(), None);
    recorder.register_metric(witness).expect("registers");
    let done = AtomicBool::new(false);
    let logs = std::thread::scope(|scope| {
        scope.spawn(|| watch(&recorder, choices.limit as u64, &done));
        let (recorder, alive, answers) = (&recorder, &alive, &answers);
        let producers: Vec<_> = (0..producers)
            .map(|producer| scope.spawn(move || produce(recorder, producer, events, alive, answers)))
            .collect();
        let logs = disturb(recorder, disturbances);
        let ended = producers.into_iter().all(|producer| producer.join().is_ok());
        wait_until_idle(recorder);
        done.store(true, Ordering::Relaxed);
        assert!(ended, "no producer panics");
        logs
    });
    let stats = recorder.stats();

    // Accounting: every call is in one count, and every accepted event is processed or discarded.
    let (taken, refused) = (answers.taken.into_inner(), answers.refused.into_inner());
    assert_eq!(taken + refused, producers * events);
    assert_eq!((taken, refused), (stats.accepted + stats.dropped, stats.rejected), "{stats:?}");
    assert_eq!((stats.pending, stats.accepted), (0, stats.processed + stats.discarded), "{stats:?}");
    assert!(choices.overflow == QueueOverflowPolicy::Drop || stats.dropped == 0);
    assert!(recorder.status() == MetricsRecorderState::Failure || stats.discarded == 0, "{stats:?}");
    let removed = RUNTIME.stop_and_remove_recorder(&id);
    assert_eq!(removed.is_ok(), recorder.status() == MetricsRecorderState::Stopped);
    assert_eq!(alive.load(Ordering::SeqCst), 0, "every event was dropped");

    // Order: the events of each producer are in its order, and all metrics agree on the order of all events.
    let witnessed = witnessed.lock().expect("not poisoned");
    assert!(witnessed.len() as u64 <= stats.processed);
    for producer in 0..producers {
        let own = witnessed.iter().filter(|number| **number / PER_PRODUCER == producer);
        assert!(own.is_sorted_by(|before, after| before < after), "the order of producer {producer}");
    }
    for log in logs {
        let log = log.lock().expect("not poisoned");
        assert!(is_slice_of(&log, &witnessed), "{log:?} is no part of {witnessed:?}");
    }
}

#[test]
fn no_event_is_lost_or_reordered_while_threads_race() {
    crate::silence_planned_panics();
    proptest!(crate::config(), |(
        choices in choices(),
        producers in 1..4_u64,
        events in 1..300_u64,
        disturbances in disturbances(),
    )| {
        bounded(move || run(&choices, producers, events, &disturbances));
    });
}
