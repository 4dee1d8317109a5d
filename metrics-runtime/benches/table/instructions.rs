//! Work for callgrind, as `../instructions.sh` asks for it. Nothing is timed. The counted work happens inside of functions that
//! are never inlined, so that callgrind can start and stop counting by their names.

use crate::dimensions;
use crate::event_loop::{EventLoop, LoopRecorder, OneRecorder};
use crate::harness::drain;
use crate::ours::{HookKind, OurLoop, OurPerThread};
use crate::refused::{self, Call};
use crate::subject::{Counted, Producer, Setup, Subject};
use crate::workload::SaveFinished;

/// The events of one batch.
const HANDOFF_BATCH: u64 = 8_192;
const DISPATCH_BATCH: u64 = 256;
const LONE_BATCH: u64 = 64;

/// The work to do, from an argument such as `--instructions=handoff:ours:20`.
pub struct Run {
    work: Work,
    batches: u64,
}

enum Work {
    Row(fn(u64)),
    /// The values of one dimension type.
    Dimension(String),
}

/// The run that the arguments ask for, if there is one.
pub fn from_arguments(arguments: &[String]) -> Option<Run> {
    let run = arguments.iter().find_map(|argument| argument.strip_prefix("--instructions="))?;
    let (work, batches) = run.rsplit_once(':').expect("the number of batches stands behind a colon");
    let batches = batches.parse().expect("a number of batches");
    if let Some(dimension) = work.strip_prefix("dimension:") {
        return Some(Run { work: Work::Dimension(dimension.to_owned()), batches });
    }
    let work = match work {
        "handoff:ours" => hand_over::<OneRecorder<OurLoop>>,
        "handoff:per_thread" => hand_over::<OneRecorder<OurPerThread>>,
        "dispatch:ours" => dispatch,
        "burst:none" => |batches| burst(HookKind::None, batches),
        "burst:lifecycle" => |batches| burst(HookKind::Lifecycle, batches),
        "burst:listener" => |batches| burst(HookKind::Listener, batches),
        "lone:none" => |batches| lone(HookKind::None, batches),
        "lone:lifecycle" => |batches| lone(HookKind::Lifecycle, batches),
        "lone:listener" => |batches| lone(HookKind::Listener, batches),
        "emit:running" => |batches| refused::running(Call::Emit, batches),
        "emit:ring" => refused::ring,
        "emit:disabled" => |batches| refused::disabled(Call::Emit, batches),
        "emit:stopped" => |batches| refused::stopped(Call::Emit, batches),
        "emit:cancelled" => |batches| refused::cancelled(Call::Emit, batches),
        "register:disabled" => |batches| refused::disabled(Call::Register, batches),
        "register:stopped" => |batches| refused::stopped(Call::Register, batches),
        "register:cancelled" => |batches| refused::cancelled(Call::Register, batches),
        other => handoff_of_peer(other).unwrap_or_else(|| panic!("no such work: {other}")),
    };
    Some(Run { work: Work::Row(work), batches })
}

#[cfg(not(mvx_instrumented))]
fn handoff_of_peer(work: &str) -> Option<fn(u64)> {
    use crate::peers::{
        CachedHandles, FamilyLookup, MetricsMacros, ShardedCounters, SharedAtomics, SpscRing,
    };
    Some(match work {
        "handoff:sharded" => hand_over::<ShardedCounters>,
        "handoff:port" => hand_over::<crate::rows::Port>,
        "handoff:spsc" => hand_over::<SpscRing>,
        "handoff:atomics" => hand_over::<SharedAtomics>,
        "handoff:cached" => hand_over::<CachedHandles>,
        "handoff:family" => hand_over::<FamilyLookup>,
        "handoff:macros" => hand_over::<MetricsMacros>,
        _ => return None,
    })
}

#[cfg(mvx_instrumented)]
fn handoff_of_peer(_: &str) -> Option<fn(u64)> {
    None
}

impl Run {
    pub fn execute(self) {
        match self.work {
            Work::Row(work) => work(self.batches),
            Work::Dimension(dimension) => {
                assert!(dimensions::apply(&dimension, self.batches), "no such dimension: {dimension}");
            }
        }
    }
}

fn hand_over<S: Subject>(batches: u64) {
    let subject = S::start(Setup::DEFAULT);
    let mut producer = subject.producer();
    for batch in 0..batches {
        counted_handoff(&mut producer, batch * HANDOFF_BATCH);
        drain(&subject, (batch + 1) * HANDOFF_BATCH);
    }
    drop(producer);
    assert_eq!(subject.finish().total, batches * HANDOFF_BATCH);
}

#[inline(never)]
fn counted_handoff(producer: &mut impl Producer, first: u64) {
    for number in first..first + HANDOFF_BATCH {
        assert!(
            producer.hand_over(SaveFinished::number(number)).is_ok(),
            "an event within the limit was refused"
        );
    }
}

/// Makes the loop find complete batches of events: it processes them only when a snapshot is requested.
fn dispatch(batches: u64) {
    let event_loop = OurLoop::start();
    let mut recorder = event_loop.create_slow_polled_recorder();
    for batch in 0..batches {
        for number in batch * DISPATCH_BATCH..(batch + 1) * DISPATCH_BATCH {
            assert!(
                recorder.hand_over(SaveFinished::number(number)).is_ok(),
                "an event within the limit was refused"
            );
        }
        let Counted { total, .. } = recorder.snapshot();
        assert_eq!(total, (batch + 1) * DISPATCH_BATCH);
    }
    event_loop.shut_down();
}

/// Hands over bursts of events to a recorder with these hooks. All of them are applied before the next burst.
fn burst(hooks: HookKind, batches: u64) {
    let event_loop = OurLoop::start();
    let mut recorder = event_loop.create_hooked_recorder(hooks);
    for batch in 0..batches {
        counted_handoff(&mut recorder, batch * HANDOFF_BATCH);
        recorder.flush();
    }
    assert_eq!(recorder.snapshot().total, batches * HANDOFF_BATCH);
    event_loop.shut_down();
}

/// Hands over single events, each of which is applied before the next one.
fn lone(hooks: HookKind, batches: u64) {
    let event_loop = OurLoop::start();
    let mut recorder = event_loop.create_hooked_recorder(hooks);
    for number in 0..batches * LONE_BATCH {
        counted_lone_event(&mut recorder, number);
        recorder.flush();
    }
    assert_eq!(recorder.snapshot().total, batches * LONE_BATCH);
    event_loop.shut_down();
}

#[inline(never)]
fn counted_lone_event(producer: &mut impl Producer, number: u64) {
    assert!(producer.hand_over(SaveFinished::number(number)).is_ok(), "an empty queue refused an event");
}
