//! A live table in the terminal: the busiest workers, with rates and the p95 of the last interval.
//!
//! Run with `cargo run --example console`, or `-- 60` for a minute instead of three seconds. Four workers answer requests at different
//! speeds, and one of them is replaced from time to time. In a terminal the table is drawn anew every half second; elsewhere each
//! table follows the one before it. At the end the program compares the last totals with what the workers did.

use std::cmp::Reverse;
use std::error::Error;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _, stdout};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use mvx_metrics::{
    Breakdown, Counter, Histogram, Label, Metric, MetricsRuntime, Recorder, Scope, Totals, metric_event,
};

const NAMESPACE: &str = "example.console";
const INTERVAL: Duration = Duration::from_millis(500);

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
    #[dimension(by = outcome)]
    by_outcome: Breakdown<Outcome, Counter>,
    #[dimension(value = elapsed)]
    elapsed: Histogram<Duration>,
}

/// What the workers share with `main`.
#[derive(Default)]
struct Work {
    ended: AtomicBool,
    /// How many requests ended, counted without the library.
    requests: AtomicU64,
}

/// Answers requests until the program ends, at most `most` of them, and refuses each tenth one.
fn answer(recorder: &impl Recorder, work: &Work, pause: Duration, most: u64) {
    for number in 1..=most {
        if work.ended.load(Ordering::Relaxed) {
            return;
        }
        thread::sleep(pause);
        let outcome = if number % 10 == 0 { Outcome::Refused } else { Outcome::Answered };
        recorder.emit(RequestEnded { outcome, elapsed: pause * u32::from(number % 7 == 0) + pause });
        work.requests.fetch_add(1, Ordering::Relaxed);
    }
}

/// One line of the table.
struct Row<'a> {
    worker: &'a str,
    interval: RequestsSnapshot,
    total: u64,
}

/// The workers that there are, the busiest of the interval first.
fn rows<'a>(later: &'a Totals, earlier: &Totals) -> Vec<Row<'a>> {
    let row = |group: &'a mvx_metrics::GroupTotals| {
        let requests = group.get::<Requests>()?;
        let worker = group.entity_id.as_deref()?;
        // A worker that is new, or has replaced another one, counts from 0.
        let before = earlier.get_entity::<Requests>(NAMESPACE, worker);
        let interval = before.map_or_else(|| requests.clone(), |before| requests.since(&before));
        Some(Row { worker, interval, total: requests.total })
    };
    let mut rows: Vec<_> = later.groups.iter().filter_map(row).collect();
    rows.sort_by_key(|row| Reverse(row.interval.total));
    rows
}

#[expect(clippy::cast_precision_loss, reason = "a rate is shown without decimals")]
fn table(later: &Totals, earlier: &Totals) -> Result<String, Box<dyn Error>> {
    let seconds = later.taken_at().duration_since(earlier.taken_at())?.as_secs_f64();
    let mut table =
        format!("{:<12} {:>8} {:>8} {:>10} {:>8}\n", "worker", "per s", "refused", "p95", "total");
    for Row { worker, interval, total } in rows(later, earlier) {
        let rate = interval.total as f64 / seconds;
        let refused = interval.by_outcome.get(Outcome::Refused).copied().unwrap_or_default();
        let p95 = interval.elapsed.quantile(0.95).unwrap_or_default() * 1e3;
        writeln!(table, "{worker:<12} {rate:>8.0} {refused:>8} {p95:>7.1} ms {total:>8}")?;
    }
    Ok(table)
}

fn main() -> Result<(), Box<dyn Error>> {
    let seconds = std::env::args().nth(1).map_or(Ok(3), |seconds| seconds.parse::<u64>())?;
    let runtime = MetricsRuntime::new(NAMESPACE)?;
    runtime.start()?;
    let work = Work::default();

    thread::scope(|scope| -> Result<(), Box<dyn Error>> {
        // It is dropped last, also when an error ends this function: then the workers end, and the scope can.
        let _ended = OnDrop(|| work.ended.store(true, Ordering::Relaxed));
        for (number, pause) in (1..).zip([1, 2, 5]) {
            let recorder = runtime.create_recorder(&format!("worker-{number}"))?;
            recorder.metric::<Requests>()?;
            let work = &work;
            scope.spawn(move || answer(&recorder, work, Duration::from_millis(pause), u64::MAX));
        }
        let mut earlier = runtime.totals(Scope::PerEntity)?;
        for _ in 0..seconds * 2 {
            // The last worker has little to do. It ends, and another one takes its id.
            let recorder = runtime.create_recorder("worker-4")?;
            recorder.metric::<Requests>()?;
            let work = &work;
            let last = scope.spawn(move || answer(&recorder, work, Duration::from_millis(4), 50));
            thread::sleep(INTERVAL);
            let later = runtime.totals(Scope::PerEntity)?;
            if stdout().is_terminal() {
                // Clears the screen and goes to its first line.
                print!("\x1b[2J\x1b[H");
            }
            println!("{}", table(&later, &earlier)?);
            stdout().flush()?;
            earlier = later;
            last.join().map_err(|_| "a worker panicked")?;
            runtime.stop_and_remove_recorder("worker-4")?;
        }
        Ok(())
    })?;

    runtime.shutdown()?;
    let totals = runtime.totals(Scope::Rollup)?;
    let counted = totals.get::<Requests>(NAMESPACE).ok_or("no worker has this metric")?.total;
    let done = work.requests.into_inner();
    if counted != done {
        return Err(format!("the workers ended {done} requests, the totals have {counted}").into());
    }
    println!("check passed: {counted} requests, none lost");
    Ok(())
}

/// Runs a function when it is dropped.
struct OnDrop<F: Fn()>(F);

impl<F: Fn()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
