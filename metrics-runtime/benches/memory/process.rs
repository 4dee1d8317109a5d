//! What Linux tells of this process.

use std::fs;
use std::thread;
use std::time::Duration;

/// The memory that is resident now. Unlike `statm`, this file is exact.
pub fn resident_bytes() -> Option<i64> {
    kibibytes("/proc/self/smaps_rollup", "Rss:").map(|kibibytes| kibibytes * 1_024)
}

/// The most memory that was ever resident.
pub fn peak_bytes() -> Option<i64> {
    kibibytes("/proc/self/status", "VmHWM:").map(|kibibytes| kibibytes * 1_024)
}

fn kibibytes(file: &str, field: &str) -> Option<i64> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(field))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Waits until no thread but this one has run for a second: the event loop then sleeps without a timer.
pub fn wait_until_quiet() {
    let mut before = switches();
    loop {
        thread::sleep(Duration::from_secs(1));
        let now = switches();
        if now == before {
            return;
        }
        before = now;
    }
}

/// How often the other threads have gone to sleep or were preempted.
fn switches() -> i64 {
    let this = fs::read_link("/proc/thread-self").expect("Linux");
    let this = this.file_name().expect("a thread's id").to_owned();
    let tasks = fs::read_dir("/proc/self/task").expect("Linux").flatten();
    let others = tasks.filter(|task| task.file_name() != this);
    let count = |task: fs::DirEntry| {
        let status = fs::read_to_string(task.path().join("status")).unwrap_or_default();
        let switches = status.lines().filter(|line| line.contains("ctxt_switches:"));
        switches.filter_map(|line| line.rsplit('\t').next()?.parse::<i64>().ok()).sum::<i64>()
    };
    others.map(count).sum()
}
