//! What Linux tells about this process.

use std::fs;
use std::time::Duration;

/// The resident memory in bytes; `None` where the system does not tell it.
pub fn resident_bytes() -> Option<usize> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}

/// The processor's time of the pusher's thread; `None` where the system does not tell it, and without a pusher.
pub fn pusher_cpu() -> Option<Duration> {
    // Linux keeps 15 characters of a name.
    let is_pusher = |task: &fs::DirEntry| {
        fs::read_to_string(task.path().join("comm")).is_ok_and(|name| name.trim() == "mvx-metrics-otl")
    };
    let task = fs::read_dir("/proc/self/task").ok()?.filter_map(Result::ok).find(is_pusher)?;
    let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
    text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}
