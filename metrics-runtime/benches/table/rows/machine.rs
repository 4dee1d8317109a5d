//! What the machine itself takes for the two things no handoff between threads can do without, to read the other rows by.
//! Both differ from machine to machine, and on shared ones from minute to minute.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use crate::figure::{as_float, median, nanoseconds, quantile};
use crate::report::Report;
use crate::threads;

const ROUNDS: usize = 5;
const EXCHANGES: u64 = 1_000_000;
const ROUND_TRIPS: u64 = 50_000;

#[repr(align(128))]
struct Word(AtomicU64);

pub fn print(report: &Report) {
    line(report, "an uncontended compare-exchange", exchange_round);
    if threads::core_count() > 1 {
        line(report, "a cache line to the other core and back", round_trip_round);
    }
}

fn line(report: &Report, name: &str, round: impl Fn() -> f64) {
    let rounds: Vec<_> = (0..ROUNDS).map(|_| round()).collect();
    let (lowest, highest) = (quantile(rounds.clone(), 0.0), quantile(rounds.clone(), 1.0));
    report.value(name, median(rounds), &format!("ns ({lowest:.1} to {highest:.1})"), None);
}

/// Nanoseconds for each of many compare-exchanges in a row, on one thread.
fn exchange_round() -> f64 {
    threads::on_core(Some(0), || {
        let word = Word(AtomicU64::new(0));
        let started = Instant::now();
        for expected in 0..EXCHANGES {
            let exchanged =
                word.0.compare_exchange(expected, expected + 1, Ordering::Acquire, Ordering::Relaxed);
            assert_eq!(exchanged, Ok(expected));
        }
        nanoseconds(started.elapsed()) / as_float(EXCHANGES)
    })
}

/// Nanoseconds for a word to be passed to a thread on the other core and back.
fn round_trip_round() -> f64 {
    let word = Word(AtomicU64::new(0));
    let wait_for = |value| {
        while word.0.load(Ordering::Acquire) != value {
            std::hint::spin_loop();
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| {
            threads::pin(1);
            for trip in 0..ROUND_TRIPS {
                wait_for(2 * trip + 1);
                word.0.store(2 * trip + 2, Ordering::Release);
            }
        });
        let here = scope.spawn(|| {
            threads::pin(0);
            let started = Instant::now();
            for trip in 0..ROUND_TRIPS {
                word.0.store(2 * trip + 1, Ordering::Release);
                wait_for(2 * trip + 2);
            }
            nanoseconds(started.elapsed()) / as_float(ROUND_TRIPS)
        });
        here.join().expect("the benchmark's thread panicked")
    })
}
