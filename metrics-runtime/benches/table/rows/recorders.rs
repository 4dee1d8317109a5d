//! Many recorders in one runtime: the memory of each, the time to create them, and whether they sleep when idle.

use std::thread;
use std::time::{Duration, Instant};

use crate::allocator::counted;
use crate::event_loop::{EventLoop, LoopRecorder};
use crate::figure::as_float;
use crate::ours::OurLoop;
use crate::peers::PortLoop;
use crate::report::Report;
use crate::subject::{Producer, Setup};
use crate::threads;
use crate::workload::SaveFinished;

const RECORDERS: usize = 100_000;
/// How many recorders share the measured memory.
const MEASURED_RECORDERS: usize = 10_000;
/// One in this many recorders gets an event before the idle time.
const ACTIVE_STEP: usize = 1_000;
/// The time after the last event, until the loop must be asleep.
const SETTLE_TIME: Duration = Duration::from_millis(500);
const IDLE_TIME: Duration = Duration::from_secs(1);

pub fn print(report: &Report) {
    recorders::<OurLoop>(report, true);
    recorders::<PortLoop>(report, false);
}

fn recorders<L: EventLoop>(report: &Report, ours: bool) {
    let goal = |value| ours.then_some(value);
    report.value(L::NAME, bytes_each::<L>(), "bytes each", goal(1_024.0));

    let event_loop = threads::on_core(Some(1), L::start);
    let (mut recorders, created) = threads::on_core(Some(0), || {
        let started = Instant::now();
        let recorders = create(&event_loop, RECORDERS);
        (recorders, started.elapsed())
    });
    report.value("", created.as_secs_f64() * 1e3, "ms for 100,000", goal(1_000.0));

    for recorder in recorders.iter_mut().step_by(ACTIVE_STEP) {
        assert!(recorder.hand_over(SaveFinished::number(0)).is_ok(), "a lone event was refused");
    }
    thread::sleep(SETTLE_TIME);
    assert!(
        recorders.iter().step_by(ACTIVE_STEP).all(|recorder| recorder.processed() == 1),
        "all events are applied"
    );
    let before = threads::switches_of_other_threads();
    let ((), allocations) = counted(|| thread::sleep(IDLE_TIME));
    let wake_ups = before.zip(threads::switches_of_other_threads()).map(|(before, after)| after - before);
    report.value("", wake_ups.map(as_float), "wake-ups in an idle second", goal(0.0));
    report.value("", as_float(allocations.count), "allocations in an idle second", goal(0.0));
    drop(recorders);
    event_loop.shut_down();
}

fn bytes_each<L: EventLoop>() -> f64 {
    let event_loop = L::start();
    // The first recorder also allocates memory for all others.
    let first = create(&event_loop, 1);
    let mut recorders = Vec::new();
    recorders.reserve_exact(MEASURED_RECORDERS);
    let ((), allocations) = counted(|| recorders.extend(create(&event_loop, MEASURED_RECORDERS)));
    drop((first, recorders));
    event_loop.shut_down();
    as_float(allocations.live_bytes.unsigned_abs()) / as_float(MEASURED_RECORDERS as u64)
}

fn create<L: EventLoop>(event_loop: &L, count: usize) -> Vec<L::Recorder> {
    let setup = Setup { metrics: 0, ..Setup::DEFAULT };
    (0..count).map(|_| event_loop.create_recorder(setup)).collect()
}
