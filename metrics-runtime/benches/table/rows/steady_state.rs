//! What a recorder allocates once it is warm.

use crate::allocator::counted;
use crate::event_loop::{EventLoop, OneRecorder};
use crate::figure::as_float;
use crate::harness::{BURST, Producer, Setup, Subject, drain};
use crate::ours::OurLoop;
use crate::peers::PortLoop;
use crate::report::Report;
use crate::threads;
use crate::workload::SaveFinished;

const WARM_UP: u64 = 30;
const BURSTS: u64 = 60;

pub fn print(report: &Report) {
    allocations::<OurLoop>(report, Some(0.0));
    allocations::<PortLoop>(report, None);
}

fn allocations<L: EventLoop>(report: &Report, goal: Option<f64>) {
    let subject = threads::on_core(Some(1), || OneRecorder::<L>::start(Setup::DEFAULT));
    let ((), allocations) = threads::on_core(Some(0), || {
        bursts(&subject, 0..WARM_UP);
        counted(|| bursts(&subject, WARM_UP..WARM_UP + BURSTS))
    });
    subject.finish();
    let per_event = as_float(allocations.count) / as_float(BURSTS * BURST);
    let unit = format!("allocations per event ({} in {})", allocations.count, BURSTS * BURST);
    report.value(L::NAME, per_event, &unit, goal);
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
