//! Covers overload: the event loop, other clients and the memory, while misbehaving clients do everything at once.
//!
//! It reads what Linux tells of the threads and the memory of its process, so no other test runs beside it.

#![cfg(target_os = "linux")]

#[allow(dead_code, reason = "`endpoint` uses the rest")]
mod client;
#[allow(dead_code, reason = "`endpoint` uses the rest")]
mod fixtures;

use std::fs;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use mvx_metrics::export::Scope;
use mvx_metrics::{MetricsRecorder, MetricsRuntime};

use crate::client::{ask, connect, get, read_answer};
use crate::fixtures::{Worked, endpoint, recorder, running};

/// How fast a steady stream of events was processed.
#[derive(Clone, Copy)]
struct Throughput {
    /// Events processed in a second.
    events_per_second: f64,
    /// CPU time of the event loop for each event. It grows when the loop is disturbed, even if the loop keeps pace.
    nanoseconds_per_event: f64,
}

#[expect(clippy::cast_precision_loss, reason = "a measurement")]
fn measure(runtime: &MetricsRuntime, recorder: &MetricsRecorder, lasts: Duration) -> Throughput {
    assert_eq!(runtime.list_recorder_ids().expect("it runs").last().map(String::as_str), Some("busy"));
    let (begun, processed, worked) = (Instant::now(), recorder.stats().processed, event_loop_cpu_time());
    while begun.elapsed() < lasts {
        for _ in 0..1_000 {
            recorder.emit(Worked { bytes: 1 });
        }
        thread::sleep(Duration::from_micros(200));
    }
    recorder.flush().wait().expect("it goes on");
    let processed = (recorder.stats().processed - processed) as f64;
    Throughput {
        events_per_second: processed / begun.elapsed().as_secs_f64(),
        nanoseconds_per_event: (event_loop_cpu_time() - worked) as f64 / processed,
    }
}

/// The CPU time of the event loop so far, in nanoseconds.
fn event_loop_cpu_time() -> u64 {
    let tasks = fs::read_dir("/proc/self/task").expect("a process has threads");
    let tasks = tasks.map(|task| task.expect("it can be read").path());
    let is_loop = |task: &PathBuf| {
        // Linux keeps 15 characters of a thread's name.
        fs::read_to_string(task.join("comm")).is_ok_and(|name| name.trim() == "load.metrics_ru")
    };
    let task = tasks.into_iter().find(is_loop).expect("the event loop has a thread");
    let times = fs::read_to_string(task.join("schedstat")).expect("the system keeps times");
    times.split_whitespace().next().and_then(|time| time.parse().ok()).expect("a number of nanoseconds")
}

/// The memory of this process in bytes.
fn memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("a process has a status");
    let line =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("the status has the memory");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
}

/// Misbehaves in one way until it is over. Returns how often.
fn attack(kind: usize, address: SocketAddr, over: &AtomicBool) -> u64 {
    let mut done = 0;
    while !over.load(Ordering::Relaxed) {
        match kind {
            0 => {
                // Slowloris: headers that never end.
                let mut slow: Vec<_> = (0..100).map(|_| connect(address)).collect();
                for _ in 0..20 {
                    for stream in &mut slow {
                        // The endpoint may have closed the connection.
                        let _ = stream.write_all(b"GET /metrics HTTP/1.1\r\nx: y\r\n");
                    }
                    thread::sleep(Duration::from_millis(20));
                }
            }
            1 => {
                let headers = format!("GET /metrics HTTP/1.1\r\nx: {}\r\n\r\n", "x".repeat(50_000));
                ask(&mut connect(address), &headers);
            }
            2 => {
                let mut stream = connect(address);
                for request in ["GET /nothing", "POST /metrics", "BREW /snapshot"] {
                    ask(&mut stream, &format!("{request} HTTP/1.1\r\nhost: localhost\r\n\r\n"));
                }
            }
            3 => {
                let mut stream = connect(address);
                let _ = stream
                    .write_all("GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(100).as_bytes());
                for _ in 0..100 {
                    if over.load(Ordering::Relaxed) || read_answer(&mut stream, false).is_none() {
                        break;
                    }
                }
            }
            _ => {
                // A scrape that is abandoned half way.
                let mut stream = connect(address);
                let _ = stream.write_all(b"GET /snapshot HTTP/1.1\r\nhost: localhost\r\n\r\n");
                let _ = stream.read(&mut [0; 100]);
            }
        }
        done += 1;
        thread::sleep(Duration::from_millis(5));
    }
    done
}

const ROUND_TIME: Duration = Duration::from_millis(500);
const ROUNDS: usize = 11;
/// How much the memory may grow, in bytes.
const MAX_GROWTH: u64 = 64 << 20;

#[test]
fn event_loop_and_memory_bear_all_attacks_at_once() {
    let runtime = running("load");
    for number in 0..1_000 {
        recorder(&runtime, &format!("bystander-{number}")).emit(Worked { bytes: 1 });
    }
    let busy = recorder(&runtime, "busy");
    let endpoint = endpoint(&runtime, Scope::PerEntity);
    let address = endpoint.address();
    // The first round allocates memory that stays.
    measure(&runtime, &busy, ROUND_TIME);
    get(address, "/metrics");
    get(address, "/snapshot");
    let idle: Vec<_> = (0..1_000).map(|_| connect(address)).collect();
    let (before, mut most) = (memory(), 0);
    // Each round is compared with the quiet rounds right before and after it, because other programs come and go.
    let mut alone = measure(&runtime, &busy, ROUND_TIME);
    let (mut attacks, mut scrapes) = (0, 0);
    let (mut shares, mut costs): (Vec<f64>, Vec<f64>) = (0..ROUNDS)
        .map(|_| {
            let attacked = measure_under_attack(&runtime, &busy, address);
            most = memory().max(most);
            let before = std::mem::replace(&mut alone, measure(&runtime, &busy, ROUND_TIME));
            let (throughput, compared) = (attacked.throughput, |of: fn(Throughput) -> f64| {
                of(attacked.throughput) / f64::midpoint(of(before), of(alone))
            });
            let share = compared(|one| one.events_per_second);
            let cost = compared(|one| one.nanoseconds_per_event);
            println!(
                "alone {:.0} and {:.0} events/s, under attack {:.0} events/s: {share:.3}; {:.0} ns of the loop each: {cost:.3}",
                before.events_per_second,
                alone.events_per_second,
                throughput.events_per_second,
                throughput.nanoseconds_per_event,
            );
            attacks += attacked.attacks;
            scrapes += attacked.scrapes;
            (share, cost)
        })
        .unzip();
    shares.sort_by(f64::total_cmp);
    costs.sort_by(f64::total_cmp);
    // An endpoint that slows the event loop down does so in every round. Other programs take the cores in some rounds only.
    let (share, cost, grown) = (shares[ROUNDS * 3 / 4], costs[ROUNDS / 2], most.saturating_sub(before));
    println!("upper quartile {share:.3}, median cost {cost:.3}; {attacks} attacks, {scrapes} scrapes served");
    println!("memory grew by {} KiB at most", grown / 1024);
    drop(idle);
    assert!(scrapes >= ROUNDS as u64, "other clients were hardly served");
    assert!(share >= 0.9, "the event loop was slowed down to {share:.3}");
    assert!(cost <= 1.5, "each event takes {cost:.3} times as long");
    assert!(grown < MAX_GROWTH, "memory grew by {grown} bytes");
    let stats = busy.stats();
    assert_eq!((stats.rejected, stats.discarded, stats.accepted), (0, 0, stats.processed));
}

struct Attacked {
    throughput: Throughput,
    attacks: u64,
    scrapes: u64,
}

/// Measures while all attacks and a scraper go on.
fn measure_under_attack(runtime: &MetricsRuntime, busy: &MetricsRecorder, address: SocketAddr) -> Attacked {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let over = &over;
        let attackers: Vec<_> = (0..5).map(|kind| scope.spawn(move || attack(kind, address, over))).collect();
        let scraper = scope.spawn(move || {
            let mut scrapes = 0;
            while !over.load(Ordering::Relaxed) {
                assert_eq!(get(address, "/metrics").status, 200, "others are still served");
                scrapes += 1;
                thread::sleep(Duration::from_millis(200));
            }
            scrapes
        });
        let throughput = measure(runtime, busy, ROUND_TIME);
        over.store(true, Ordering::Relaxed);
        let attacks = attackers.into_iter().map(|attacker| attacker.join().expect("attackers only attack"));
        let attacks = attacks.sum();
        Attacked { throughput, attacks, scrapes: scraper.join().expect("every scrape is answered") }
    })
}
