//! The resident memory of recorders: before their first event, and when they have gone quiet again.
//!
//! `cargo bench -p mvx-metrics --bench memory` prints the whole table in about two minutes, on Linux only. Words after `--`
//! choose rows by their titles, and `--recorders=N` changes the number of recorders. Each row is a process of its own, because
//! memory that one row has freed would serve the next one.
//!
//! Bytes are for each recorder: when it was created; with its one metric, a counter, before its first event; and what it has on
//! top of that when it is quiet after one round of events, and after two.

mod case;
mod process;

use std::env;

use case::{Case, Measured, PATTERNS, Pattern};

const LIMITS: [usize; 4] = [256, 10_000, 1_000_000, 1 << 28];
const DEFAULT_RECORDERS: usize = 10_000;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    // Without this argument of `cargo bench` it is a test run, which has nothing to measure.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let option = |name: &str| arguments.iter().find_map(|argument| argument.strip_prefix(name));
    if let Some(case) = option("--case=") {
        let measured = Case::parse(case).expect("the parent wrote it").measure();
        return println!("{measured}");
    }
    if process::resident_bytes().is_none() {
        return println!("skipped: this system does not tell the resident memory of a process");
    }
    let recorders =
        option("--recorders=").map_or(DEFAULT_RECORDERS, |count| count.parse().expect("a number"));
    let words: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with("--")).collect();
    println!("{recorders} recorders; resident bytes of each, nanoseconds of a call\n");
    println!(
        "{:<26}{:>9}{:>9}{:>10}{:>10}{:>10}{:>10}{:>9}",
        "", "created", "with a", "quiet", "quiet", "peak", "the call:", "after"
    );
    println!(
        "{:<26}{:>9}{:>9}{:>10}{:>10}{:>10}{:>10}{:>9}",
        "", "", "metric", "", "again", "", "first", "a pause"
    );
    for limit in LIMITS {
        let mut before = None;
        for pattern in PATTERNS {
            let case = Case { pattern, limit, recorders };
            let title = case.title();
            if words.is_empty() || words.iter().any(|word| title.contains(word.as_str())) {
                let measured = run(&case);
                before = before.or(measured.before);
                print_row(&title, &measured, before);
            }
        }
    }
}

/// Measures in a process of its own.
fn run(case: &Case) -> Measured {
    let program = env::current_exe().expect("this program has a file");
    let output = std::process::Command::new(program)
        .args(["--bench", &format!("--case={case}")])
        .output()
        .expect("this program can be started again");
    assert!(output.status.success(), "{case}: {}", String::from_utf8_lossy(&output.stderr));
    Measured::parse(&String::from_utf8_lossy(&output.stdout)).expect("the child printed it")
}

/// A recorder that is created between events of others has no moment before the first event. Then `before` is that of another row.
fn print_row(title: &str, measured: &Measured, before: Option<i64>) {
    let own = if measured.before.is_none() { before.unwrap_or(0) } else { 0 };
    let column = |figure: Option<i64>| figure.map_or_else(|| String::from("-"), |figure| figure.to_string());
    println!(
        "{title:<26}{:>9}{:>9}{:>+10}{:>+10}{:>+10}{:>10}{:>9}",
        column(measured.created),
        column(measured.before),
        measured.quiet - own,
        measured.second - own,
        measured.peak - own,
        column(measured.first_call),
        column(measured.later_call),
    );
}

const _: () = assert!(PATTERNS.len() == Pattern::Interleaved as usize + 1, "all patterns are in the table");
