//! The cost of more metrics on one event: nothing on the producer's thread, little on the runtime's.

use std::time::{Duration, Instant};

use super::Ours;
use crate::event_loop::{EventLoop, LoopBlocker, LoopRecorder, OneRecorder};
use crate::figure::{as_float, median, nanoseconds};
use crate::harness::{Trial, alternate, pause};
use crate::ours::OurLoop;
use crate::peers::PortLoop;
use crate::report::{Goal, Report};
use crate::subject::{PENDING_LIMIT, Producer, Setup, Subject};
use crate::threads;
use crate::workload::SaveFinished;

const MANY: usize = 16;
const ROUNDS: usize = 10;
const DRAINS: usize = 20;

pub fn producer(report: &Report) {
    let many = Trial::<Ours>::new().with_metrics("16 metrics on the event", MANY);
    let one = Trial::<Ours>::new().with_metrics("1 metric on the event", 1);
    let figures = alternate(ROUNDS, &many, &[&one], |participant| participant.burst_round(1));
    report.compare(&figures, &[Goal { peer: "1 metric on the event", at_most: 1.1 }]);
}

pub fn runtime_thread(report: &Report) {
    drains::<OurLoop>(report, Some(3.0));
    drains::<PortLoop>(report, None);
}

fn drains<L: EventLoop>(report: &Report, goal: Option<f64>) {
    let (mut one, mut many) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        one.push(drain_cost::<L>(1));
        many.push(drain_cost::<L>(MANY));
    }
    let (one, many) = (median(one), median(many));
    report.value(L::NAME, one, "ns with 1 metric", None);
    report.value("", many, "ns with 16 metrics", None);
    report.value("", (many - one) / as_float(MANY as u64 - 1), "ns for each further counter", goal);
}

/// Nanoseconds per event for a loop that finds all events pending.
fn drain_cost<L: EventLoop>(metrics: usize) -> f64 {
    let setup = Setup { metrics, ..Setup::DEFAULT };
    let OneRecorder { event_loop, mut recorder } =
        threads::on_core(Some(1), || OneRecorder::<L>::start(setup));
    let costs = threads::on_core(Some(0), || {
        let batches =
            (0..DRAINS).map(|_| drain_time(&event_loop, &mut recorder) / as_float(PENDING_LIMIT as u64));
        batches.skip(DRAINS / 5).collect()
    });
    event_loop.shut_down();
    median(costs)
}

fn drain_time<L: EventLoop>(event_loop: &L, recorder: &mut L::Recorder) -> f64 {
    let before = recorder.processed();
    let blocker = LoopBlocker::new(event_loop);
    for number in 0..PENDING_LIMIT as u64 {
        assert!(
            recorder.hand_over(SaveFinished::number(number)).is_ok(),
            "an event within the limit was refused"
        );
    }
    let started = Instant::now();
    drop(blocker);
    while recorder.processed() < before + PENDING_LIMIT as u64 {
        // Not too often: the counters share a cache line with data that the loop writes.
        pause(Duration::from_micros(1));
    }
    nanoseconds(started.elapsed())
}
