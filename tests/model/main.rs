//! Random cases of producers, metrics, starts, stops, overflow, panicking metrics and failing hooks. One test compares a
//! recorder with a plain sequential model, the other checks the invariants while threads race. No ids; the accounting, the
//! order of events and the single drop of each event hold in every case.
//!
//! `MVX_MODEL_CASES` sets how many cases each of the two tests runs, by default 2,000.

mod concurrent;
mod fixtures;
mod sequential;
mod subject;

use std::sync::Once;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use mvx_metrics::{MetricFailurePolicy, QueueOverflowPolicy};
use mvx_metrics_tests::{bounded, running_runtime};

use fixtures::Plan;
use sequential::Kind;
use subject::{Action, Case, Placement, run};

const DEFAULT_CASES: u32 = 2_000;
const NAMES: [&str; 3] = ["a", "b", "c"];

fn a_kind() -> impl Strategy<Value = Kind> {
    prop_oneof![6 => Just(Kind::Small), 1 => Just(Kind::Panicking), 3 => Just(Kind::Large)]
}

fn an_action() -> impl Strategy<Value = Action> {
    prop_oneof![
        16 => (0..3_usize, a_kind(), 1..12_usize)
            .prop_map(|(producer, kind, count)| Action::Emit { producer, kind, count }),
        2 => (1..40_usize).prop_map(|each| Action::Burst { each }),
        4 => (prop::sample::select(&NAMES[..]), any::<bool>())
            .prop_map(|(name, fragile)| Action::Register { name, fragile }),
        3 => Just(Action::Start),
        3 => Just(Action::Stop),
        3 => Just(Action::Rest),
        3 => Just(Action::Read),
        2 => Just(Action::Yield),
    ]
}

fn a_plan() -> impl Strategy<Value = Plan> {
    let sometimes = |calls| prop::option::weighted(0.3, 0..calls);
    (sometimes(3_usize), sometimes(60), sometimes(3), any::<bool>())
        .prop_map(|(starting, changed, stopped, panics)| Plan { starting, changed, stopped, panics })
}

fn a_case() -> impl Strategy<Value = Case> {
    let overflow = prop::sample::select(vec![QueueOverflowPolicy::Drop, QueueOverflowPolicy::Error]);
    let failure =
        prop::sample::select(vec![MetricFailurePolicy::Quarantine, MetricFailurePolicy::FailRecorder]);
    let placement = prop::sample::select(vec![Placement::Direct, Placement::Runtime]);
    let limit = prop_oneof![2 => 1..6_usize, 2 => 6..50_usize, 1 => Just(1_000)];
    let plan = prop::option::weighted(0.4, a_plan());
    let actions = prop::collection::vec(an_action(), 1..40);
    (placement, limit, overflow, failure, plan, any::<bool>(), actions).prop_map(
        |(placement, limit, overflow, failure, plan, aborted, actions)| Case {
            placement,
            limit,
            overflow,
            failure,
            plan,
            aborted,
            actions,
        },
    )
}

/// Keeps planned panics out of the output.
fn silence_planned_panics() {
    static SILENT: Once = Once::new();
    SILENT.call_once(|| {
        let default = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !panic.payload_as_str().is_some_and(|text| text.starts_with("planned")) {
                default(panic);
            }
        }));
    });
}

fn config() -> Config {
    let cases = std::env::var("MVX_MODEL_CASES")
        .ok()
        .map_or(DEFAULT_CASES, |cases| cases.parse().expect("MVX_MODEL_CASES is a number of cases"));
    Config { cases, failure_persistence: None, ..Config::default() }
}

#[test]
fn a_recorder_agrees_with_the_sequential_model() {
    silence_planned_panics();
    let runtime = std::sync::Arc::new(running_runtime("model"));
    let outcome = TestRunner::new(config()).run(&a_case(), |case| {
        let runtime = std::sync::Arc::clone(&runtime);
        // `bounded` runs the case in a thread, so that proptest finds and shrinks a case that hangs.
        bounded(move || run(&case, &runtime));
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    runtime.shutdown().expect("shuts down");
}
