//! The cost of an event on the producer's thread, and the number of events that are applied in a second.

use super::{Ours, Port};
use std::time::Duration;

use crate::figure::{as_float, median, quantile};
use crate::harness::{PACED_EVENTS, Participant, Trial, alternate};
use crate::peers::{CachedHandles, FamilyLookup, MetricsMacros, SharedAtomics, SpscRing};
use crate::report::{Goal, Report};
use crate::subject::Subject;

const ROUNDS: usize = 5;

pub fn one_producer(report: &Report) {
    let figures =
        alternate(ROUNDS, &Trial::<Ours>::new(), &peers(1), |participant| participant.burst_round(1));
    let goals = [Goal { peer: Port::NAME, at_most: 1.0 / 12.0 }, Goal { peer: SpscRing::NAME, at_most: 2.5 }];
    report.compare(&figures, &goals);
}

pub fn two_producers(report: &Report) {
    let figures =
        alternate(ROUNDS, &Trial::<Ours>::new(), &peers(2), |participant| participant.burst_round(2));
    report.compare(&figures, &[Goal { peer: SharedAtomics::NAME, at_most: 1.0 / 4.0 }]);
}

pub fn lone(report: &Report) {
    let ours: &dyn Participant = &Trial::<Ours>::new();
    let peers = peers(1);
    for participant in [&[ours], &*peers].concat() {
        let goal = |value| std::ptr::addr_eq(participant, ours).then_some(value);
        let cost = participant.lone_round();
        report.value(
            participant.name(),
            cost.median_ns,
            &format!("ns (p99 {:.0})", cost.p99_ns),
            goal(200.0),
        );
        let share = cost.with_syscall.map(|share| share * 100.0);
        report.value("", share, "% of calls with a system call", goal(0.0));
    }
}

pub fn sustained_by_one(report: &Report) {
    sustained(report, 1);
}

pub fn sustained_by_two(report: &Report) {
    sustained(report, 2);
}

/// Whether the loop polls in time although no thread waits for it. The loop applies events faster than they come here. So an
/// event is refused only when the loop's thread had no processor for a while, which also depends on the machine's other work.
pub fn paced(report: &Report) {
    let paces = [(1_000, "1 million events a second"), (100, "10 million"), (50, "20 million")];
    for (nanoseconds, name) in paces {
        let round = || Trial::<Ours>::new().paced_round(Duration::from_nanos(nanoseconds));
        let refused: Vec<_> = (0..ROUNDS).map(|_| round()).collect();
        let unit =
            format!("refused of {PACED_EVENTS} (at most {:.0} in a round)", quantile(refused.clone(), 1.0));
        report.value(name, median(refused), &unit, None);
    }
}

fn sustained(report: &Report, producers: usize) {
    let figures = alternate(ROUNDS, &Trial::<Ours>::new(), &peers(producers), |participant| {
        participant.sustained_round(producers)
    });
    report.compare(&figures, &[Goal { peer: Port::NAME, at_most: 1.0 / 8.0 }]);
    if let Some(ours) = figures.first() {
        report.value("that is, ours", as_float(1_000) / ours.median(), "million events a second", None);
    }
}

fn peers(producers: usize) -> Vec<&'static dyn Participant> {
    const PORT: &Trial<Port> = &Trial::new();
    const SPSC_RING: &Trial<SpscRing> = &Trial::new();
    const ATOMICS: &Trial<SharedAtomics> = &Trial::new();
    const CACHED_HANDLES: &Trial<CachedHandles> = &Trial::new();
    const FAMILY_LOOKUP: &Trial<FamilyLookup> = &Trial::new();
    const METRICS_MACROS: &Trial<MetricsMacros> = &Trial::new();
    let all: [&dyn Participant; 6] =
        [PORT, SPSC_RING, ATOMICS, CACHED_HANDLES, FAMILY_LOOKUP, METRICS_MACROS];
    all.into_iter().filter(|peer| peer.takes(producers)).collect()
}
