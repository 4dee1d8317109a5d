//! Recorders that have gone quiet give the memory of their queues back. Covers RS1. Each case is a process of its own, because
//! memory that one case has freed would serve the next one.
#![cfg(target_os = "linux")]

use std::env;
use std::fs;
use std::process::Command;
use std::thread;
use std::time::Duration;

use mvx_metrics::{MetricsRecorder, RecorderOptions};
use mvx_metrics_tests::{Step, Steps, eventually, running_runtime};

const RECORDERS: usize = 4_000;
/// What a quiet recorder may hold on top of what it had before its first event.
const MAX_QUIET_BYTES: usize = 1_024;
/// A child reads here what to do: the name of a pattern and a limit.
const CASE: &str = "MVX_MEMORY_CASE";

/// In this order: a queue whose memory grows with its limit fails before it takes all memory of the machine.
const LIMITS: [usize; 4] = [256, 10_000, 1_000_000, 1 << 28];

/// How often each recorder is used, and what this thread does in between.
struct Pattern {
    name: &'static str,
    events: usize,
    pauses_after: usize,
    is_interleaved: bool,
}

const BURST: Pattern = Pattern { name: "burst", events: 1, pauses_after: usize::MAX, is_interleaved: false };
const PACED: Pattern = Pattern { name: "paced", pauses_after: 20, ..BURST };
const MANY: Pattern = Pattern { name: "300 events", events: 300, ..BURST };
const INTERLEAVED: Pattern = Pattern { name: "interleaved", is_interleaved: true, ..BURST };

fn resident_bytes() -> usize {
    let text = fs::read_to_string("/proc/self/smaps_rollup").expect("Linux tells it");
    let kibibytes = text.lines().find_map(|line| line.strip_prefix("Rss:")).expect("it has this line");
    let kibibytes: usize = kibibytes.trim().trim_end_matches(" kB").parse().expect("a number");
    kibibytes * 1_024
}

/// Runs in a process of its own. Creates recorders and uses each, then waits until they hold no more than they may.
fn case(pattern: &Pattern, limit: usize) {
    let runtime = running_runtime("memory");
    let create = |number: usize| {
        let options = RecorderOptions::new().queue_max_size(limit);
        let recorder = runtime.create_recorder_with(&format!("{number}"), options).expect("a fresh id");
        recorder.register_metric(Steps::default()).expect("it runs");
        recorder
    };
    let emit = |number: usize, recorder: &MetricsRecorder| {
        (0..pattern.events).for_each(|_| recorder.emit(Step(1)));
        if number % pattern.pauses_after == pattern.pauses_after - 1 {
            thread::sleep(Duration::from_millis(1));
        }
    };
    // The event loop's own memory; and that of recorders without events, to compare with.
    let first = create(usize::MAX);
    emit(0, &first);
    first.flush().wait().expect("it runs");
    let empty = resident_bytes();
    let mut recorders: Vec<_> = (0..RECORDERS).map(create).collect();
    let each = resident_bytes() - empty;
    if pattern.is_interleaved {
        recorders.extend((RECORDERS..2 * RECORDERS).map(|number| {
            let recorder = create(number);
            emit(number, &recorder);
            recorder
        }));
    } else {
        recorders.iter().enumerate().for_each(|(number, recorder)| emit(number, recorder));
    }
    for recorder in &recorders {
        recorder.flush().wait().expect("it runs");
    }
    let created = empty + each * recorders.len() / RECORDERS;
    eventually("the memory goes back", || {
        resident_bytes().saturating_sub(created) <= RECORDERS * MAX_QUIET_BYTES
    });
}

/// A child runs one case; its parent starts a child for each limit.
fn in_processes(test: &str, pattern: &Pattern) {
    if let Ok(limit) = env::var(CASE) {
        return case(pattern, limit.parse().expect("the parent wrote it"));
    }
    for limit in LIMITS {
        let output = Command::new(env::current_exe().expect("this program has a file"))
            .args(["--exact", test])
            .env(CASE, limit.to_string())
            .output()
            .expect("this program can be started again");
        let printed = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{}, limit {limit}: {printed}", pattern.name);
        assert!(printed.contains("1 passed"), "the child ran the case: {printed}");
    }
}

#[test]
fn rs1_recorders_with_an_event_each_are_small_when_quiet() {
    in_processes("rs1_recorders_with_an_event_each_are_small_when_quiet", &BURST);
}

#[test]
fn rs1_recorders_that_are_used_one_by_one_are_small_when_quiet() {
    in_processes("rs1_recorders_that_are_used_one_by_one_are_small_when_quiet", &PACED);
}

#[test]
fn rs1_recorders_with_many_events_are_small_when_quiet() {
    in_processes("rs1_recorders_with_many_events_are_small_when_quiet", &MANY);
}

#[test]
fn rs1_recorders_created_while_others_are_used_are_small_when_quiet() {
    in_processes("rs1_recorders_created_while_others_are_used_are_small_when_quiet", &INTERLEAVED);
}
