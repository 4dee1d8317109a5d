//! One thread, no surprises: every call answers what the model answers, and every number is the model's.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use mvx_metrics::{
    LogPolicy, MetricFailurePolicy, MetricsRecorder, MetricsRecorderState, QueueOverflowPolicy,
    RecorderOptions, RegisterEventError, Registration,
};
use mvx_metrics_tests::bounded;
use proptest::prelude::*;

use crate::facts::{Alive, Calls, Fact, Faults, Faulty, Recorded};
use crate::plain::{Answer, Choices, Plain};

/// What is done with a recorder.
#[derive(Debug, Clone)]
enum Operation {
    Emit { kind: u8, count: u8 },
    Register { name: u8, survives: Option<usize> },
    Start,
    Stop,
    Settle,
    Read,
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let survives = prop_oneof![2 => Just(None), 1 => (0..12_usize).prop_map(Some)];
    let operation = prop_oneof![
        8 => (0..3_u8, 1..6_u8).prop_map(|(kind, count)| Operation::Emit { kind, count }),
        3 => (0..3_u8, survives).prop_map(|(name, survives)| Operation::Register { name, survives }),
        2 => Just(Operation::Start),
        2 => Just(Operation::Stop),
        3 => Just(Operation::Settle),
        3 => Just(Operation::Read),
    ];
    prop::collection::vec(operation, 1..40)
}

fn choices() -> impl Strategy<Value = Choices> {
    let fault = || prop_oneof![2 => Just(None), 1 => (0..4_u32).prop_map(Some)];
    let change = prop_oneof![1 => Just(None), 1 => (0..30_u32).prop_map(Some)];
    let faults = (fault(), change, fault()).prop_map(|(start, change, stop)| Faults { start, change, stop });
    let policies = (any::<bool>(), prop::bool::weighted(0.3));
    (1..20_usize, policies, prop::option::of(faults)).prop_map(|(limit, (drops, fails), hooks)| Choices {
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

/// The options that a recorder of these choices is made with.
pub fn options(choices: &Choices, calls: &Arc<Calls>) -> RecorderOptions {
    let options = RecorderOptions::new()
        .queue_max_size(choices.limit)
        .queue_overflow_policy(choices.overflow)
        .metric_failure_policy(choices.metric_failure)
        .log_policy(LogPolicy::Silent);
    match &choices.hooks {
        None => options,
        Some(faults) => options.hooks(Faulty { faults: faults.clone(), calls: Arc::clone(calls) }),
    }
}

/// A recorder beside its model.
struct Pair {
    real: MetricsRecorder,
    model: Plain,
    /// What each metric of the recorder has seen, in the model's order.
    logs: Vec<Arc<Mutex<Vec<u64>>>>,
    calls: Arc<Calls>,
    alive: Alive,
    emitted: u64,
}

impl Pair {
    async fn perform(&mut self, operation: &Operation) {
        match *operation {
            Operation::Emit { kind, count } => (0..count).for_each(|_| self.emit(kind)),
            Operation::Register { name, survives } => self.register(name, survives),
            Operation::Start => {
                let real = self.real.start().await.map_err(|error| error.reason());
                self.settle().await;
                self.model.reached = self.real.stats().processed;
                assert_eq!(real, self.model.start(), "start");
            }
            Operation::Stop => {
                let real = self.real.stop().await.map_err(|error| error.reason());
                self.model.reached = self.real.stats().processed;
                assert_eq!(real, self.model.stop(), "stop");
                if self.real.status() == MetricsRecorderState::Failure {
                    self.settle().await;
                }
            }
            Operation::Settle => {
                self.settle().await;
                self.model.reached = self.real.stats().processed;
                self.model.settle();
            }
            Operation::Read => {
                let real = self.real.metric_snapshots().map(drop).map_err(|error| error.reason());
                self.model.reached = self.real.stats().processed;
                assert_eq!(real, self.model.read(), "read");
            }
        }
        self.compare();
    }

    fn emit(&mut self, kind: u8) {
        fn answer<E>(result: Result<(), RegisterEventError<E>>) -> Answer {
            result.map_err(|refused| refused.reason())
        }

        let number = self.emitted;
        self.emitted += 1;
        let real = match kind {
            0 => answer(self.real.register_event(Fact::<0>::new(number, &self.alive))),
            1 => answer(self.real.register_event(Fact::<1>::new(number, &self.alive))),
            _ => answer(self.real.register_event(Fact::<2>::new(number, &self.alive))),
        };
        assert_eq!(real, self.model.emit(kind, number), "event {number}");
    }

    fn register(&mut self, name: u8, survives: Option<usize>) {
        let (metric, log) = Recorded::new(name.to_string(), survives);
        let real = self.real.register_metric(metric);
        let real = real.map(|registration| registration == Registration::Replaced);
        let model = self.model.register(name, survives);
        assert_eq!(real.map_err(|error| error.reason()), model, "register");
        if model.is_ok() {
            self.logs.push(log);
        }
    }

    /// Lets the recorder come to rest.
    async fn settle(&self) {
        use MetricsRecorderState::{Running, Starting, Stopping};

        let tasks = tokio::runtime::Handle::current().metrics();
        for _ in 0..100_000 {
            let state = self.real.status();
            let rests = match state {
                Starting | Stopping => false,
                Running => self.real.stats().pending == 0,
                // Hooks that clean up are part of it.
                _ => self.real.stats().pending == 0 && tasks.num_alive_tasks() == 0,
            };
            if rests {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("the recorder does not come to rest: {:?} {:?}", self.real, self.real.stats());
    }

    fn compare(&self) {
        assert_eq!(self.real.status(), self.model.state);
        self.model.assert_equals(&self.real.stats());
        for (log, metric) in self.logs.iter().zip(&self.model.metrics) {
            assert_eq!(*log.lock().expect("not poisoned"), metric.seen, "metric {}", metric.name);
        }
        let calls = [&self.calls.starts, &self.calls.changes, &self.calls.stops];
        let calls = calls.map(|calls| calls.load(Ordering::SeqCst));
        assert_eq!(
            calls,
            [self.model.starts, self.model.changes, self.model.stops],
            "starts, changes, stops"
        );
        let pending = usize::try_from(self.real.stats().pending).expect("a small number");
        assert_eq!(self.alive.load(Ordering::SeqCst), pending, "only pending events exist");
    }

    /// The snapshot shows the newest metric of each name, in order of registration.
    fn compare_snapshots(&self) {
        let mut newest: Vec<(u8, u64, bool)> = Vec::new();
        for metric in &self.model.metrics {
            match newest.iter_mut().find(|(name, ..)| *name == metric.name) {
                Some(place) => *place = (metric.name, metric.seen.len() as u64, metric.failed),
                None => newest.push((metric.name, metric.seen.len() as u64, metric.failed)),
            }
        }
        let snapshots = self.real.metric_snapshots().expect("nothing is pending");
        let shown: Vec<_> = snapshots
            .iter()
            .map(|snapshot| {
                let seen = snapshot.get("seen").and_then(mvx_metrics::DimensionValue::as_u64);
                let name = snapshot.name.parse::<u8>().expect("a number");
                (name, seen.expect("a count"), snapshot.failed.is_some())
            })
            .collect();
        assert_eq!(shown, newest);
    }
}

/// Performs the operations, then ends the recorder in one of three ways.
fn run(choices: &Choices, operations: &[Operation], end: u8) {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a tokio runtime");
    let (calls, alive) = (Arc::<Calls>::default(), Alive::default());
    let mut pair = tokio.block_on(async {
        let real = MetricsRecorder::new("x", options(choices, &calls)).expect("inside of tokio");
        let model = Plain::new(choices.clone());
        let mut pair = Pair { real, model, logs: Vec::new(), calls, alive: Arc::clone(&alive), emitted: 0 };
        for operation in operations {
            pair.perform(operation).await;
        }
        pair
    });
    match end {
        0 => {
            // At rest.
            tokio.block_on(pair.perform(&Operation::Settle));
            pair.compare_snapshots();
        }
        1 => {
            // Its tokio runtime ends.
            drop(tokio);
            pair.model.abort();
            pair.compare();
            pair.compare_snapshots();
        }
        _ => {
            // Its last handle goes.
            let logs = pair.logs;
            drop(pair.real);
            pair.model.settle();
            tokio.block_on(async {
                let metrics = tokio::runtime::Handle::current().metrics();
                while metrics.num_alive_tasks() > 0 {
                    tokio::task::yield_now().await;
                }
            });
            // How far it got is not known any more.
            let exact = choices.hooks.is_some() || choices.metric_failure == MetricFailurePolicy::Quarantine;
            for (log, metric) in logs.iter().zip(&pair.model.metrics) {
                let log = log.lock().expect("not poisoned");
                assert!(metric.seen.starts_with(&log), "metric {}", metric.name);
                assert!(!exact || metric.seen.len() == log.len(), "metric {}", metric.name);
            }
            assert_eq!(alive.load(Ordering::SeqCst), 0);
        }
    }
}

#[test]
fn every_call_answers_what_the_model_answers() {
    proptest!(crate::config(3_000), |(choices in choices(), operations in operations(), end in 0..3_u8)| {
        bounded(move || run(&choices, &operations, end));
    });
}
