//! The cost of a push with its transport: bytes on the wire, and the processor's time of the pusher's thread.
//!
//! `cargo bench -p mvx-metrics-otlp --bench transport`, on Linux. The collector is a thread of this process, which takes everything
//! and whose time is not counted. Each recorder measures another entity: a counter, a counter by outcome, a sum, the largest and a
//! histogram with exponential buckets. The thread's time is that of reading the totals, encoding, compressing and sending.

#[path = "support/events.rs"]
mod events;
#[path = "support/load.rs"]
mod load;
#[path = "support/process.rs"]
mod process;

use std::fs;
use std::time::{Duration, Instant};

use load::Load;
use mvx_metrics::Scope;
use mvx_metrics_otlp::{OtlpOptions, OtlpPusher};
use mvx_metrics_tests::collector::FakeCollector;

fn main() {
    // Without this argument of `cargo bench` it is a test run, which has nothing to measure.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    if process::resident_bytes().is_none() {
        return println!("skipped: this system does not tell the time of a thread");
    }
    let columns = ["points", "requests", "plain", "sent", "cpu", "clock"];
    println!("{:<38}{}", "", columns.map(|column| format!("{column:>12}")).concat());
    for (recorders, rounds) in [(1_000, 20), (100_000, 3)] {
        let load = Load::new(recorders);
        load.emit(50);
        for scope in [Scope::PerEntity, Scope::Rollup] {
            for gzip in [true, false] {
                measure(&load, scope, gzip, rounds);
            }
        }
    }
}

fn measure(load: &Load, scope: Scope, gzip: bool, rounds: u64) {
    let collector = FakeCollector::forgetful();
    let options = OtlpOptions::new()
        .endpoint(collector.url())
        .scope(scope)
        .gzip(gzip)
        .interval(Duration::from_hours(1))
        .timeout(Duration::from_mins(1));
    let pusher = OtlpPusher::start(&load.runtime, options).expect("a pusher");
    pusher.push().expect("a collector that takes all");
    let (before, cpu, clock) = (pusher.stats(), pusher_cpu(), Instant::now());
    for _ in 0..rounds {
        pusher.push().expect("a collector that takes all");
    }
    let (clock, stats) = (clock.elapsed(), pusher.stats());
    let cpu = pusher_cpu().unwrap_or_default().saturating_sub(cpu.unwrap_or_default());
    let each = |after: u64, before: u64| (after - before) / rounds;
    let head = format!("{} recorders, {scope:?}{}", load.recorders.len(), if gzip { ", gzip" } else { "" });
    println!(
        "{head:<38}{:>12}{:>12}{:>12}{:>12}{:>9.2} ms{:>9.2} ms",
        each(stats.points, before.points),
        each(stats.requests, before.requests),
        each(stats.uncompressed_bytes, before.uncompressed_bytes),
        each(stats.bytes, before.bytes),
        milliseconds(cpu, rounds),
        milliseconds(clock, rounds),
    );
}

/// The processor's time of the pusher's thread; `None` where the system does not tell it, and without a pusher.
fn pusher_cpu() -> Option<Duration> {
    // Linux keeps 15 characters of a name.
    let is_pusher = |task: &fs::DirEntry| {
        fs::read_to_string(task.path().join("comm")).is_ok_and(|name| name.trim() == "mvx-metrics-otl")
    };
    let task = fs::read_dir("/proc/self/task").ok()?.filter_map(Result::ok).find(is_pusher)?;
    let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
    text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

#[expect(clippy::cast_precision_loss, reason = "a few rounds")]
fn milliseconds(time: Duration, rounds: u64) -> f64 {
    time.as_secs_f64() * 1e3 / rounds as f64
}
