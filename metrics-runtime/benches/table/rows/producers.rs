//! From one to sixteen producers on one recorder.
//!
//! By default there are no more producers than cores. `--producers=16` asks for more, or for fewer.

use std::env;

use super::Ours;
use crate::event_loop::OneRecorder;
use crate::figure::Figure;
use crate::harness::{Participant, Trial, alternate};
use crate::ours::OurPerThread;
use crate::peers::{CachedHandles, MetricsMacros, ShardedCounters, SharedAtomics, SpscRing};
use crate::report::{Goal, Report};
use crate::subject::Subject;
use crate::threads;

const ROUNDS: usize = 5;
const PRODUCERS: [usize; 5] = [1, 2, 4, 8, 16];

type PerThread = OneRecorder<OurPerThread>;

/// Every row of these tables. Ours with a ring for each thread is compared with the others.
const ROWS: [&dyn Participant; 6] = [
    const { &Trial::<Ours>::new() },
    const { &Trial::<SpscRing>::new() },
    const { &Trial::<SharedAtomics>::new() },
    const { &Trial::<ShardedCounters>::new() },
    const { &Trial::<CachedHandles>::new() },
    const { &Trial::<MetricsMacros>::new() },
];

pub fn calls(report: &Report) {
    let goal = |producers, peer, at_most| (producers, Goal { peer, at_most });
    let goals = [goal(1, SpscRing::NAME, 1.6)];
    let ours = each_count(report, &goals, |_| true, |row, producers| row.burst_round(producers));
    if let [(1, one), (2, two), ..] = &ours[..] {
        let ratio = two.median() / one.median();
        let verdict = report.judge(format!("{ratio:.2} x of one producer"), "1.15".to_owned(), ratio <= 1.15);
        println!("    per thread, two producers: {ratio:.2} x of one, {verdict}");
    }
}

pub fn cpu(report: &Report) {
    let goals = PRODUCERS.map(|producers| (producers, Goal { peer: Ours::NAME, at_most: 0.5 }));
    // The consumer of the ring spins, whether there are events or not.
    let counts = |row: &dyn Participant| row.name() != SpscRing::NAME;
    each_count(report, &goals, counts, |row, producers| row.cpu_round(producers));
}

/// Prints a block for each number of producers. Returns the figures of ours with a ring for each thread.
fn each_count(
    report: &Report,
    goals: &[(usize, Goal)],
    counts: impl Fn(&dyn Participant) -> bool,
    measure: impl Fn(&dyn Participant, usize) -> f64,
) -> Vec<(usize, Figure)> {
    let per_thread = Trial::<PerThread>::new();
    let mut ours = Vec::new();
    for producers in PRODUCERS.into_iter().filter(|producers| *producers <= most_producers()) {
        println!("  {producers} {}", if producers == 1 { "producer" } else { "producers" });
        let rows: Vec<_> = ROWS.into_iter().filter(|row| row.takes(producers) && counts(*row)).collect();
        let figures = alternate(ROUNDS, &per_thread, &rows, |row| measure(row, producers));
        let goals: Vec<_> =
            goals.iter().filter(|(count, _)| *count == producers).map(|(_, goal)| *goal).collect();
        report.compare(&figures, &goals);
        ours.extend(figures.into_iter().next().map(|figure| (producers, figure)));
    }
    ours
}

fn most_producers() -> usize {
    let asked = env::args().find_map(|argument| argument.strip_prefix("--producers=")?.parse().ok());
    asked.unwrap_or_else(threads::core_count)
}
