//! How long a reader waits for the state of one recorder.

use std::thread;
use std::time::{Duration, Instant};

use crate::event_loop::{EventLoop, LoopBlocker, LoopRecorder, OneRecorder};
use crate::figure::{median, nanoseconds};
use crate::ours::OurLoop;
use crate::peers::PortLoop;
use crate::report::Report;
use crate::subject::{PENDING_LIMIT, Producer, Setup, Subject};
use crate::threads;
use crate::workload::SaveFinished;

/// The time between snapshots of an idle runtime: by then the runtime sleeps again.
const SNAPSHOT_INTERVAL: Duration = Duration::from_millis(3);
const IDLE_SNAPSHOTS: u64 = 150;
const BUSY_SNAPSHOTS: u64 = 30;

pub fn print(report: &Report) {
    snapshots::<OurLoop>(report, Some(15.0), Some(1_000.0));
    snapshots::<PortLoop>(report, None, None);
}

fn snapshots<L: EventLoop>(report: &Report, idle_goal: Option<f64>, busy_goal: Option<f64>) {
    let subject = threads::on_core(Some(1), || OneRecorder::<L>::start(Setup::DEFAULT));
    let idle = (0..IDLE_SNAPSHOTS).map(|_| idle_snapshot(&subject)).collect();
    report.value(L::NAME, median(idle), "us, idle runtime", idle_goal);
    let busy = threads::on_core(Some(0), || {
        (1..=BUSY_SNAPSHOTS).map(|round| busy_snapshot(&subject, round)).collect()
    });
    report.value("", median(busy), "us, 10,000 pending", busy_goal);
    subject.finish();
}

fn idle_snapshot<L: EventLoop>(subject: &OneRecorder<L>) -> f64 {
    thread::sleep(SNAPSHOT_INTERVAL);
    let started = Instant::now();
    subject.recorder.snapshot();
    nanoseconds(started.elapsed()) / 1e3
}

fn busy_snapshot<L: EventLoop>(subject: &OneRecorder<L>, round: u64) -> f64 {
    let pending = PENDING_LIMIT as u64;
    let mut recorder = subject.recorder.clone();
    let blocker = LoopBlocker::new(&subject.event_loop);
    for number in 0..pending {
        assert!(
            recorder.hand_over(SaveFinished::number(number)).is_ok(),
            "an event within the limit was refused"
        );
    }
    let started = Instant::now();
    drop(blocker);
    let counted = recorder.snapshot();
    let elapsed = nanoseconds(started.elapsed()) / 1e3;
    assert_eq!(counted.total, pending * round, "a snapshot sees everything accepted before");
    elapsed
}
