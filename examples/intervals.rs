//! Intervals of a running program, for two readers; the busiest workers; totals that go out of the process and back.
//!
//! Run with `cargo run --example intervals`. Three workers answer requests, and one of them is replaced on the way. A console
//! reads after each round, a report reads at the end, and neither disturbs the other. Then the program starts a second time,
//! compares with the totals that its first run has stored, and merges both. Rates per second depend on the machine, so
//! they are printed to the standard error.

use std::cmp::Reverse;
use std::error::Error;
use std::time::Duration;

use mvx_metrics::{
    Breakdown, Counter, Histogram, Label, Max, Metric, MetricsRuntime, Recorder, Scope, Totals, metric_event,
};

const NAMESPACE: &str = "example.workers";

#[derive(Label, Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Answered,
    Refused,
}

/// A request ended.
#[metric_event(name = "request.ended")]
struct RequestEnded {
    outcome: Outcome,
    elapsed: Duration,
}

/// Requests of a worker.
#[derive(Metric, Default)]
#[metric(name = "requests", on(RequestEnded))]
struct Requests {
    total: Counter,
    /// Both outcomes are there from the beginning, with 0.
    #[dimension(by = outcome)]
    by_outcome: Breakdown<Outcome, Counter>,
    #[dimension(value = elapsed)]
    elapsed: Histogram<Duration>,
    #[dimension(value = elapsed)]
    slowest: Max<Duration>,
}

/// Answers requests that take 1, 2, 3, .. milliseconds. It refuses those that would take more than 90.
fn work(recorder: &impl Recorder, requests: u64) -> Result<(), Box<dyn Error>> {
    recorder.metric::<Requests>()?;
    for millis in 1..=requests {
        let outcome = if millis > 90 { Outcome::Refused } else { Outcome::Answered };
        recorder.emit(RequestEnded { outcome, elapsed: Duration::from_millis(millis) });
    }
    Ok(())
}

/// What the workers have done between two readings.
fn interval(later: &Totals, earlier: &Totals) -> Result<RequestsSnapshot, Box<dyn Error>> {
    let requests = later.get::<Requests>(NAMESPACE).ok_or("no worker has this metric")?;
    // Before the first worker there is nothing to subtract.
    let earlier = earlier.get::<Requests>(NAMESPACE);
    Ok(earlier.map_or_else(|| requests.clone(), |earlier| requests.since(&earlier)))
}

#[expect(clippy::cast_precision_loss, reason = "a rate is shown without decimals")]
fn print_interval(name: &str, later: &Totals, earlier: &Totals) -> Result<(), Box<dyn Error>> {
    let requests = interval(later, earlier)?;
    let seconds = later.taken_at().duration_since(earlier.taken_at())?.as_secs_f64();
    eprintln!("{name}: {:.0} requests per second", requests.total as f64 / seconds);
    println!(
        "{name:<8} {:>8} {:>8} {:>7.1} ms  {:?}",
        requests.total,
        requests.by_outcome.get(Outcome::Refused).copied().unwrap_or_default(),
        requests.elapsed.quantile(0.95).unwrap_or_default() * 1e3,
        requests.slowest,
    );
    Ok(())
}

/// Prints the workers that there are, the busiest first.
fn print_top(totals: &Totals) {
    let mut top: Vec<(&str, u64)> = Vec::new();
    for group in &totals.groups {
        let total = group.metrics.get("requests").and_then(|requests| requests.get("total")?.as_u64());
        top.extend(group.entity_id.as_deref().zip(total));
    }
    top.sort_by_key(|(_, total)| Reverse(*total));
    println!("busiest: {top:?}");
}

/// The program's first run. Returns its last totals as JSON, as a file would keep them.
fn first_run() -> Result<String, Box<dyn Error>> {
    let runtime = MetricsRuntime::new(NAMESPACE)?;
    runtime.start()?;
    let report = runtime.totals(Scope::Rollup)?;
    let mut console = report.clone();
    println!("{:<8} {:>8} {:>8} {:>10}  slowest", "", "requests", "refused", "p95");
    for (round, requests) in [("round 1", [40, 80, 0]), ("round 2", [100, 20, 5]), ("round 3", [0, 0, 100])] {
        for (number, requests) in (1..).zip(requests) {
            let id = format!("worker-{number}");
            let recorder = runtime.try_get_recorder(&id)?.map_or_else(|| runtime.create_recorder(&id), Ok)?;
            work(&recorder, requests)?;
        }
        // The second worker ends in each round, and a new one takes its id. The totals keep its counts.
        runtime.stop_and_remove_recorder("worker-2")?;
        let later = runtime.totals(Scope::Rollup)?;
        print_interval(round, &later, &console)?;
        console = later;
    }
    print_top(&runtime.totals(Scope::PerEntity)?);
    runtime.shutdown()?;

    // The final state, after the last event.
    let last = runtime.totals(Scope::Rollup)?;
    print_interval("report", &last, &report)?;
    Ok(serde_json::to_string(&last)?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let stored = first_run()?;

    let mut all: Totals = serde_json::from_str(&stored)?;
    let runtime = MetricsRuntime::new(NAMESPACE)?;
    runtime.start()?;
    work(&runtime.create_recorder("worker-1")?, 400)?;
    let second = runtime.totals(Scope::Rollup)?;
    if let Some((requests, before)) = second.get::<Requests>(NAMESPACE).zip(all.get::<Requests>(NAMESPACE)) {
        // The second run has more requests than the first one. The times tell that it counts anew.
        println!("restarted: {}", requests.restarted_since(&before));
    }
    print_interval("run 2", &second, &all)?;
    all.merge(&second)?;
    println!("both runs: {} requests", all.get::<Requests>(NAMESPACE).map_or(0, |requests| requests.total));
    runtime.shutdown()?;
    Ok(())
}
