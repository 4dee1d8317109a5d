//! What traffic costs that leaves the consumer pauses, beside tokio channels in the same run: sparse traffic on one recorder, and
//! many recorders.
//!
//! `cargo bench -p mvx-metrics --bench polling` prints the tables in about two minutes. Words after `--` choose cases by their
//! titles. A channel is an unbounded `tokio::sync::mpsc` channel with a task of its own; all tasks run on one thread, as all
//! recorders do. Each case runs in rounds, in turn with the channels. CPU times are those of the kernel, so other load on the
//! machine adds little to them. It adds to latencies. A cost is the CPU time of the consumers' thread and of the producer's call.

mod channels;
#[path = "../table/figure.rs"]
#[expect(dead_code, reason = "the other bench uses the rest")]
mod figure;
mod ours;
mod subject;
mod traffic;
mod usage;

use std::env;
use std::time::Duration;

use channels::Channels;
use figure::{Figure, as_float, quantile};
use ours::Recorders;
use subject::Round;
use traffic::{Pattern, Traffic};

const ROUNDS: usize = 5;

/// A kind of traffic, with its goal.
struct Case {
    title: &'static str,
    traffic: Traffic,
    /// At most this share of the CPU time of the channels.
    goal: Option<f64>,
}

const fn one(title: &'static str, pattern: Pattern, goal: Option<f64>) -> Case {
    Case { title, traffic: Traffic { recorders: 1, pattern }, goal }
}

const fn many(title: &'static str, recorders: u32, period_ms: u64, goal: Option<f64>) -> Case {
    let pattern = Pattern::Each(Duration::from_millis(period_ms));
    Case { title, traffic: Traffic { recorders, pattern }, goal }
}

const fn gap(milliseconds: u64) -> Pattern {
    Pattern::Each(Duration::from_millis(milliseconds))
}

const CASES: [Case; 9] = [
    one("sparse: an event every 50 ms", gap(50), Some(3.0)),
    one("sparse: an event every 15 ms", gap(15), Some(3.0)),
    one("sparse: an event every 5 ms", gap(5), Some(3.0)),
    one("sparse: an event every 1 ms", gap(1), Some(0.7)),
    one(
        "sparse: bursts of 20 events, 100 us apart, every 50 ms",
        Pattern::Bursts { events: 20, apart: Duration::from_micros(100), every: Duration::from_millis(50) },
        None,
    ),
    many("many: 1,000 recorders, each an event every 100 ms", 1_000, 100, None),
    many("many: 10,000 recorders, each an event every 1 s", 10_000, 1_000, Some(1.0)),
    many("many: 10,000 recorders, each an event every 100 ms", 10_000, 100, None),
    many("many: 10,000 recorders, each an event every 10 ms", 10_000, 10, None),
];

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    // Without this argument of `cargo bench` it is a test run, which has nothing to measure.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    if !usage::is_available() {
        println!("skipped: this system does not show the CPU time of a thread");
        return;
    }
    let words: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with("--")).collect();
    let chosen =
        |case: &&Case| words.is_empty() || words.iter().any(|word| case.title.contains(word.as_str()));
    let verdicts: Vec<String> = CASES.iter().filter(chosen).filter_map(run).collect();
    println!("\ngoals: cost as a share of the channels'");
    for verdict in &verdicts {
        println!("  {verdict}");
    }
}

/// Measures a case and prints its table. Returns the result of its goal, if it has one.
fn run(case: &Case) -> Option<String> {
    let (mut ours, mut channels) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        channels.push(subject::measure::<Channels>(&case.traffic));
        ours.push(subject::measure::<Recorders>(&case.traffic));
    }
    println!("\n{}, medians of {ROUNDS} rounds", case.title);
    println!(
        "    {:<12}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}{:>8}{:>8}{:>6}",
        "",
        "events/s",
        "cost us",
        "loop us",
        "call us",
        "all us",
        "wakes/s",
        "wakes/ev",
        "p50 us",
        "p99 us",
        "idle"
    );
    print_row("mvx-metrics", &ours);
    print_row("channels", &channels);
    let ratio = |value: fn(&Round) -> f64| {
        let pairs = ours.iter().zip(&channels).map(|(ours, channels)| value(ours) / value(channels));
        quantile(pairs.collect(), 0.5)
    };
    let cost = ratio(Round::cost_us);
    println!("    cost {cost:.2} x, on the loop's thread {:.2} x", ratio(Round::loop_us));
    let met = |goal| if cost <= goal { "met   " } else { "MISSED" };
    case.goal.map(|goal| format!("{} {:<55} {cost:.2} x, goal at most {goal}", met(goal), case.title))
}

fn median(rounds: &[Round], value: impl Fn(&Round) -> f64) -> f64 {
    let mut figure = Figure::new("");
    for round in rounds {
        figure.push(value(round));
    }
    figure.median()
}

fn print_row(name: &str, rounds: &[Round]) {
    let latency = |share| {
        median(rounds, |round| {
            let micros = round.latencies.iter().map(|nanos| as_float(u64::from(*nanos)) / 1e3);
            quantile(micros.collect(), share)
        })
    };
    println!(
        "    {name:<12}{:>10.0}{:>10.2}{:>10.2}{:>10.2}{:>10.2}{:>10.0}{:>10.3}{:>8.0}{:>8.0}{:>6.0}",
        median(rounds, Round::per_second),
        median(rounds, Round::cost_us),
        median(rounds, Round::loop_us),
        median(rounds, Round::emit_us),
        median(rounds, Round::process_us),
        median(rounds, Round::wakes_per_second),
        median(rounds, Round::wakes_per_event),
        latency(0.5),
        latency(0.99),
        median(rounds, |round| as_float(round.idle_wakes)),
    );
}
