//! Many recorders in one runtime: what each costs in memory, how soon they are there, and that they sleep.

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

const MANY: usize = 100_000;
const WEIGHED: usize = 10_000;
/// One recorder of so many gets an event before the idle time.
const EVERY: usize = 1_000;
/// After the last event, until the loop must be asleep.
const SETTLING: Duration = Duration::from_millis(500);
const IDLE: Duration = Duration::from_secs(1);

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
        let recorders = create(&event_loop, MANY);
        (recorders, started.elapsed())
    });
    report.value("", created.as_secs_f64() * 1e3, "ms for 100,000", goal(1_000.0));

    for recorder in recorders.iter_mut().step_by(EVERY) {
        assert!(recorder.hand_over(SaveFinished::number(0)).is_ok(), "a lone event was refused");
    }
    thread::sleep(SETTLING);
    assert!(
        recorders.iter().step_by(EVERY).all(|recorder| recorder.processed() == 1),
        "all events are applied"
    );
    let before = threads::switches_of_other_threads();
    let ((), allocations) = counted(|| thread::sleep(IDLE));
    let wake_ups = before.zip(threads::switches_of_other_threads()).map(|(before, after)| after - before);
    report.value("", wake_ups.map(as_float), "wake-ups in an idle second", goal(0.0));
    report.value("", as_float(allocations.count), "allocations in an idle second", goal(0.0));
    drop(recorders);
    event_loop.shut_down();
}

fn bytes_each<L: EventLoop>() -> f64 {
    let event_loop = L::start();
    // What the first one sets up for all is not the price of a recorder.
    let first = create(&event_loop, 1);
    let mut recorders = Vec::new();
    recorders.reserve_exact(WEIGHED);
    let ((), allocations) = counted(|| recorders.extend(create(&event_loop, WEIGHED)));
    drop((first, recorders));
    event_loop.shut_down();
    as_float(allocations.live_bytes.unsigned_abs()) / as_float(WEIGHED as u64)
}

fn create<L: EventLoop>(event_loop: &L, count: usize) -> Vec<L::Recorder> {
    let setup = Setup { metrics: 0, ..Setup::DEFAULT };
    (0..count).map(|_| event_loop.create_recorder(setup)).collect()
}
