//! A collector that is away under load: what an `emit` costs, and how much memory the process has, before and during it.
//!
//! `cargo bench -p mvx-metrics-otlp --bench unreachable -- 60` lets each part last 60 seconds; without a number it is 3. Linux only. A
//! thread emits bursts of 1,000 events to recorders in turn, and waits after each burst until they are applied. The pusher pushes
//! deltas of all entities every second. The row `none` has no pusher, at the begin and at the end: the difference of the two is the
//! noise of the machine.

#[path = "support/events.rs"]
mod events;
#[path = "support/load.rs"]
mod load;
#[path = "support/process.rs"]
mod process;

use std::net::TcpListener;
use std::time::{Duration, Instant};

use events::emit;
use load::Load;
use mvx_metrics::Scope;
use mvx_metrics_otlp::{OtlpOptions, OtlpPusher, PushStats, Temporality};
use mvx_metrics_tests::collector::{FakeCollector, Reply, Then};

const RECORDERS: usize = 1_000;
const BURST: u64 = 1_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // Without this argument of `cargo bench` it is a test run, which has nothing to measure.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    if process::resident_bytes().is_none() {
        return println!("skipped: this system does not tell the resident memory of a process");
    }
    let seconds = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(3);
    let duration = Duration::from_secs(seconds);
    let load = Load::new(RECORDERS);
    load.emit(100);
    println!(
        "{RECORDERS} recorders, {seconds} s each; nanoseconds of one emit in a burst of {BURST}; resident memory"
    );
    let columns = ["median", "99%", "begin KiB", "peak KiB", "end KiB", "pushes", "failures", "requests"];
    println!("{:<20}{}", "the collector", columns.map(|column| format!("{column:>11}")).concat());

    run(&load, duration).print("none", None);
    let accepting = FakeCollector::forgetful();
    with_pusher(&load, duration, "takes all", &accepting.url());
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    with_pusher(&load, duration, "refuses connections", &format!("http://{address}"));
    let hanging = FakeCollector::start(|_, _| Reply::raw("", Then::Hang));
    with_pusher(&load, duration, "never answers", &hanging.url());
    run(&load, duration).print("none", None);
}

fn with_pusher(load: &Load, duration: Duration, name: &str, url: &str) {
    let options = OtlpOptions::new()
        .endpoint(url)
        .scope(Scope::PerEntity)
        .temporality(Temporality::Delta)
        .interval(Duration::from_secs(1));
    let pusher = OtlpPusher::start(&load.runtime, options).expect("a pusher");
    let measured = run(load, duration);
    measured.print(name, Some(&pusher.stats()));
}

struct Measured {
    /// How many bursts had so many nanoseconds for one emit; the last entry has the slower ones, too. Its size is fixed, because the
    /// memory is measured.
    bursts: [usize; 1_024],
    begin: usize,
    peak: usize,
    end: usize,
}

fn run(load: &Load, duration: Duration) -> Measured {
    let resident = || process::resident_bytes().unwrap_or_default() >> 10;
    let mut measured = Measured { bursts: [0; 1_024], begin: resident(), peak: 0, end: 0 };
    let (begin, mut last_look) = (Instant::now(), Instant::now());
    for recorder in load.recorders.iter().cycle() {
        let burst = Instant::now();
        (0..BURST).for_each(|number| emit(recorder, number));
        let nanoseconds =
            usize::try_from(burst.elapsed().as_nanos() / u128::from(BURST)).unwrap_or(usize::MAX);
        measured.bursts[nanoseconds.min(measured.bursts.len() - 1)] += 1;
        recorder.flush().wait().expect("it runs");
        if last_look.elapsed() > Duration::from_millis(20) {
            measured.peak = measured.peak.max(resident());
            last_look = Instant::now();
        }
        if begin.elapsed() > duration {
            break;
        }
    }
    measured.end = resident();
    measured
}

impl Measured {
    fn print(&self, name: &str, stats: Option<&PushStats>) {
        let all: usize = self.bursts.iter().sum();
        let quantile = |percent| {
            let mut before = 0;
            let is_reached = |count: &usize| {
                before += count;
                before * 100 > all * percent
            };
            self.bursts.iter().position(is_reached).unwrap_or_default()
        };
        let stats = stats.map_or_else(String::new, |stats| {
            format!("{:>11}{:>11}{:>11}", stats.pushes, stats.failures, stats.requests)
        });
        println!(
            "{name:<20}{:>11}{:>11}{:>11}{:>11}{:>11}{stats}",
            quantile(50),
            quantile(99),
            self.begin,
            self.peak,
            self.end,
        );
    }
}
