//! The cost of the library, beside its peers in the same run.
//!
//! `cargo bench -p mvx-metrics --bench table` prints the whole table in about a minute. Words after `--` choose rows by their
//! titles; `--producers=16` asks for more producers than there are cores. Ratios count: absolute times differ from machine to machine. Figures are medians over alternating rounds, with the
//! lowest and the highest round in parentheses.
//!
//! `metrics-runtime/benches/instructions.sh` counts instructions instead, which do not depend on noise.

// This cfg leaves out the peers, which take a minute to build, and the table. What counts instructions of ours needs neither.
#![cfg_attr(mvx_instrumented, allow(dead_code, reason = "the table is left out"))]

mod allocator;
mod cpu_time;
mod dimensions;
mod event_loop;
mod figure;
mod harness;
mod instructions;
mod ours;
#[cfg(not(mvx_instrumented))]
mod peers;
mod refused;
#[cfg(not(mvx_instrumented))]
mod report;
#[cfg(not(mvx_instrumented))]
mod rows;
mod subject;
mod syscalls;
mod threads;
mod workload;

use std::env;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    // Without this argument of `cargo bench` it is a test run, which has nothing to measure.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    if let Some(run) = instructions::from_arguments(&arguments) {
        return run.execute();
    }
    #[cfg(mvx_instrumented)]
    panic!("the table is left out");
    #[cfg(not(mvx_instrumented))]
    print_table(&arguments);
}

#[cfg(not(mvx_instrumented))]
fn print_table(arguments: &[String]) {
    let words: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with("--")).collect();
    if threads::core_count() < 2 {
        println!("one core only: producers and the runtime thread take turns, so the figures say little");
    }
    let report = report::Report::default();
    for row in rows::ROWS {
        if words.is_empty() || words.iter().any(|word| row.title.contains(word.as_str())) {
            report.row(row.title, row.measure);
            (row.print)(&report);
        }
    }
    report.close();
}
