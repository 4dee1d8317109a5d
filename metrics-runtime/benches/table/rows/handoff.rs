//! What an event costs the thread that states it, and how many are applied in a second.

use super::{Ours, Port};
use std::time::Duration;

use crate::figure::{alternate, as_float, median, quantile};
use crate::harness::{Contest, Contestant, PACED_EVENTS};
use crate::peers::{CachedHandles, FamilyLookup, MetricsMacros, SharedAtomics, SpscRing};
use crate::report::{Goal, Report};
use crate::subject::Subject;

const ROUNDS: usize = 5;

pub fn one_producer(report: &Report) {
    let figures =
        alternate(ROUNDS, &Contest::<Ours>::new(), &peers(1), |contestant| contestant.burst_round(1));
    let goals = [Goal { peer: Port::NAME, at_most: 1.0 / 12.0 }, Goal { peer: SpscRing::NAME, at_most: 2.5 }];
    report.compare(&figures, &goals);
}

pub fn two_producers(report: &Report) {
    let figures =
        alternate(ROUNDS, &Contest::<Ours>::new(), &peers(2), |contestant| contestant.burst_round(2));
    report.compare(&figures, &[Goal { peer: SharedAtomics::NAME, at_most: 1.0 / 4.0 }]);
}

pub fn lone(report: &Report) {
    let ours: &dyn Contestant = &Contest::<Ours>::new();
    let peers = peers(1);
    for contestant in [&[ours], &*peers].concat() {
        let goal = |value| std::ptr::addr_eq(contestant, ours).then_some(value);
        let cost = contestant.lone_round();
        report.value(contestant.name(), cost.median_ns, &format!("ns (p99 {:.0})", cost.p99_ns), goal(200.0));
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

/// Whether the loop looks in time although nobody waits for it. It applies events faster than they come here, so that an
/// event is refused only when the loop's thread did not get to run for a while: a figure of the machine's other work too.
pub fn paced(report: &Report) {
    let paces = [(1_000, "1 million events a second"), (100, "10 million"), (50, "20 million")];
    for (nanoseconds, name) in paces {
        let round = || Contest::<Ours>::new().paced_round(Duration::from_nanos(nanoseconds));
        let refused: Vec<_> = (0..ROUNDS).map(|_| round()).collect();
        let unit =
            format!("refused of {PACED_EVENTS} (at most {:.0} in a round)", quantile(refused.clone(), 1.0));
        report.value(name, median(refused), &unit, None);
    }
}

fn sustained(report: &Report, producers: usize) {
    let figures = alternate(ROUNDS, &Contest::<Ours>::new(), &peers(producers), |contestant| {
        contestant.sustained_round(producers)
    });
    report.compare(&figures, &[Goal { peer: Port::NAME, at_most: 1.0 / 8.0 }]);
    if let Some(ours) = figures.first() {
        report.value("that is, ours", as_float(1_000) / ours.median(), "million events a second", None);
    }
}

fn peers(producers: usize) -> Vec<&'static dyn Contestant> {
    const PORT: &Contest<Port> = &Contest::new();
    const SPSC_RING: &Contest<SpscRing> = &Contest::new();
    const ATOMICS: &Contest<SharedAtomics> = &Contest::new();
    const CACHED_HANDLES: &Contest<CachedHandles> = &Contest::new();
    const FAMILY_LOOKUP: &Contest<FamilyLookup> = &Contest::new();
    const METRICS_MACROS: &Contest<MetricsMacros> = &Contest::new();
    let all: [&dyn Contestant; 6] = [PORT, SPSC_RING, ATOMICS, CACHED_HANDLES, FAMILY_LOOKUP, METRICS_MACROS];
    all.into_iter().filter(|peer| peer.takes(producers)).collect()
}
