//! Whether a snapshot holds the metrics loop or the registry up.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use mvx_metrics::export::{Format, Scope};
use mvx_metrics::{
    EventHandler, EventRun, HandleEvent, Metric, MetricSnapshot, MetricsRuntime, metric_event,
};

use crate::ours::recorder;

const RECORDERS: usize = 100_000;
const ROUNDS: usize = 5;
/// A delay of the loop that counts, in microseconds.
const LONG: u64 = 1_000;

/// The longest time between two events that were processed, and how many times were long.
static LONGEST: AtomicU64 = AtomicU64::new(0);
static LONG_ONES: AtomicU64 = AtomicU64::new(0);

#[metric_event]
struct Ticked;

/// Notes how the loop gets on.
struct Pace {
    last: Instant,
}

impl HandleEvent<Ticked> for Pace {
    fn handle(&mut self, _: &Ticked) -> bool {
        let now = Instant::now();
        let gap = u64::try_from((now - self.last).as_micros()).unwrap_or(u64::MAX);
        self.last = now;
        LONGEST.fetch_max(gap, Ordering::Relaxed);
        LONG_ONES.fetch_add(u64::from(gap >= LONG), Ordering::Relaxed);
        true
    }

    fn handle_run(&mut self, run: EventRun<'_, Ticked>) {
        for event in run {
            self.handle(event);
        }
    }
}

impl Metric for Pace {
    fn metric_name(&self) -> &'static str {
        "pace"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        const { &[EventHandler::of::<Ticked>()] }
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::new("pace")
    }
}

/// Takes snapshots of 100,000 recorders while the loop is kept busy and somebody asks the registry.
pub fn loop_and_registry() {
    // Without the timer that lets events wait a little: what is measured is the loop itself.
    let runtime =
        MetricsRuntime::builder("bench").poll_interval(Duration::ZERO).build().expect("valid choices");
    runtime.start().expect("a thread can be started");
    for number in 0..RECORDERS {
        drop(recorder(&runtime, number));
    }
    let probe = runtime.create_recorder("probe").expect("the id is free");
    probe.register_metric(Pace { last: Instant::now() }).expect("the recorder runs");
    println!();
    watch("alone", &runtime, &probe, |_| thread::sleep(Duration::from_millis(250)));
    // What a busy thread does to the others on this machine when it holds nothing.
    watch("a thread that only computes", &runtime, &probe, |_| {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(250) {
            std::hint::spin_loop();
        }
    });
    watch("a rollup of 100,000 recorders", &runtime, &probe, |runtime| {
        runtime.exposition(Scope::Rollup, Format::OpenMetrics).expect("the runtime runs");
    });
    watch("a snapshot of 100,000 recorders", &runtime, &probe, |runtime| {
        runtime.snapshot().expect("the runtime runs");
    });
}

/// What one round of work did to others.
struct Seen {
    lasted: Duration,
    events: u64,
    longest: u64,
    long: u64,
    registry: Duration,
}

/// Does the work some times and prints the round that disturbed least: what the work itself holds up is held up in each of
/// them, what other programs do is not.
fn watch(
    name: &str,
    runtime: &MetricsRuntime,
    probe: &mvx_metrics::MetricsRecorder,
    work: impl Fn(&MetricsRuntime),
) {
    let rounds: Vec<Seen> = (0..ROUNDS).map(|_| one_round(runtime, probe, &work)).collect();
    let Some(best) = rounds.iter().min_by_key(|seen| seen.longest) else { return };
    let registry = rounds.iter().map(|seen| seen.registry).min().unwrap_or_default();
    println!(
        "{name:<32} {:>10.1?}: {} events went on; between two of them at most {} us, {} times {LONG} us or more; asking the \
         registry took at most {registry:.1?} (best of {ROUNDS})",
        best.lasted, best.events, best.longest, best.long,
    );
}

fn one_round(
    runtime: &MetricsRuntime,
    probe: &mvx_metrics::MetricsRecorder,
    work: &impl Fn(&MetricsRuntime),
) -> Seen {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let over = &over;
        scope.spawn(move || {
            while !over.load(Ordering::Relaxed) {
                probe.emit(Ticked);
                thread::sleep(Duration::from_micros(50));
            }
        });
        let registry = scope.spawn(move || {
            let mut longest = Duration::ZERO;
            while !over.load(Ordering::Relaxed) {
                let started = Instant::now();
                runtime.try_get_recorder("entity-000001").expect("the runtime runs");
                longest = longest.max(started.elapsed());
                thread::sleep(Duration::from_micros(200));
            }
            longest
        });
        thread::sleep(Duration::from_millis(100));
        LONGEST.store(0, Ordering::Relaxed);
        LONG_ONES.store(0, Ordering::Relaxed);
        let before = probe.stats().processed;
        let started = Instant::now();
        work(runtime);
        let lasted = started.elapsed();
        let events = probe.stats().processed - before;
        let (longest, long) = (LONGEST.load(Ordering::Relaxed), LONG_ONES.load(Ordering::Relaxed));
        over.store(true, Ordering::Relaxed);
        let registry = registry.join().expect("nothing panics");
        Seen { lasted, events, longest, long, registry }
    })
}
