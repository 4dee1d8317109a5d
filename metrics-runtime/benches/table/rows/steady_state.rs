//! The allocations of a recorder after a warm-up.

use crate::allocator::counted;
use crate::event_loop::{EventLoop, OneRecorder};
use crate::figure::{as_float, median};
use crate::harness::{BURST, drain};
use crate::ours::OurLoop;
use crate::peers::PortLoop;
use crate::report::Report;
use crate::subject::{Producer, Setup, Subject};
use crate::threads;
use crate::workload::SaveFinished;

const WARM_UP: u64 = 30;
const BURSTS: u64 = 60;
/// A single round may allocate: when the consumer is preempted, more events are pending than ever before.
const ROUNDS: usize = 3;

pub fn print(report: &Report) {
    allocations::<OurLoop>(report, Some(0.0));
    allocations::<PortLoop>(report, None);
}

fn allocations<L: EventLoop>(report: &Report, goal: Option<f64>) {
    let subject = threads::on_core(Some(1), || OneRecorder::<L>::start(Setup::DEFAULT));
    let rounds: Vec<f64> = threads::on_core(Some(0), || {
        bursts(&subject, 0..WARM_UP);
        let begins = (WARM_UP..).step_by(usize::try_from(BURSTS).unwrap_or(1)).take(ROUNDS);
        begins.map(|begin| as_float(counted(|| bursts(&subject, begin..begin + BURSTS)).1.count)).collect()
    });
    subject.finish();
    let events = BURSTS * BURST;
    let each = rounds.iter().map(f64::to_string).collect::<Vec<_>>().join(", ");
    let unit = format!("allocations per event ({each} in {events} each)");
    report.value(L::NAME, median(rounds) / as_float(events), &unit, goal);
}

fn bursts<L: EventLoop>(subject: &OneRecorder<L>, bursts: std::ops::Range<u64>) {
    let mut producer = subject.producer();
    for burst in bursts {
        for number in burst * BURST..(burst + 1) * BURST {
            assert!(
                producer.hand_over(SaveFinished::number(number)).is_ok(),
                "an event within the limit was refused"
            );
        }
        drain(subject, (burst + 1) * BURST);
    }
}
