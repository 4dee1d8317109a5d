//! How long a snapshot delays the event loop and the registry.
//!
//! An event is handled late for two reasons. The event loop had no processor: the scheduler measures this delay. Or the event
//! loop did other work or waited for a lock: this is the hold, the rest of the time. The bench prints both, and for comparison
//! the effect of a thread that only computes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use mvx_metrics::export::{Format, Scope};
use mvx_metrics::{
    Breakdown, Counter, EventBatch, EventHandler, HandleEvent, Metric, MetricSnapshot, MetricsRecorder,
    MetricsRuntime, metric_event,
};

use crate::delay::Delay;
use crate::ours::recorder;

const ROUNDS: usize = 7;
/// The length of a round of work that does not end by itself.
const ROUND_TIME: Duration = Duration::from_millis(100);
/// How many labels the large recorder has.
const LABELS: u32 = 20_000;

/// The handled events. `held` does not contain the scheduling delay of the event loop.
static HANDLED: Mutex<Vec<Handled>> = Mutex::new(Vec::new());

#[derive(Clone, Copy)]
struct Handled {
    number: usize,
    late: Duration,
    held: Duration,
}

#[metric_event]
struct Ticked {
    number: usize,
    at: Instant,
}

/// Measures how late the event loop handles each event.
struct Lateness {
    last: Instant,
    /// The delay of the event loop, and its value at the previous event.
    delay: Option<(Delay, Duration)>,
}

impl HandleEvent<Ticked> for Lateness {
    fn handle(&mut self, event: &Ticked) -> bool {
        let now = Instant::now();
        let (delay, before) = self.delay.get_or_insert_with(|| (Delay::of_this_thread(), Duration::ZERO));
        let so_far = delay.so_far();
        let late = now.saturating_duration_since(self.last.max(event.at));
        let held = late.saturating_sub(so_far.saturating_sub(*before));
        *before = so_far;
        self.last = now;
        handled().push(Handled { number: event.number, late, held });
        true
    }

    fn handle_batch(&mut self, batch: EventBatch<'_, Ticked>) {
        for event in batch {
            self.handle(event);
        }
    }
}

impl Metric for Lateness {
    fn metric_name(&self) -> &'static str {
        "lateness"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        const { &[EventHandler::of::<Ticked>()] }
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::new("lateness")
    }
}

fn handled() -> MutexGuard<'static, Vec<Handled>> {
    HANDLED.lock().expect("nothing panics under this lock")
}

#[metric_event]
struct Called {
    number: u32,
}

/// Has so many labels that reading it takes long.
#[derive(Metric, Default)]
#[metric(on(Called))]
struct Calls {
    #[dimension(by = number, limit = 20_000)]
    by_number: Breakdown<u32, Counter>,
}

/// Reads many recorders, and a large one, while the event loop is busy and a thread uses the registry.
pub fn loop_and_registry() {
    // Without the poll interval, which would delay events.
    let runtime =
        MetricsRuntime::builder("bench").poll_interval(Duration::ZERO).build().expect("valid choices");
    runtime.start().expect("a thread can be started");
    let probe = runtime.create_recorder("probe").expect("the id is free");
    probe.register_metric(Lateness { last: Instant::now(), delay: None }).expect("the recorder runs");
    println!(
        "\n{:<48} {:>10} {:>8} {:>12} {:>12} {:>12}",
        "other work during the measurement", "lasts", "events", "late at most", "held at most", "registry"
    );
    watch("nothing", &runtime, &probe, |_| thread::sleep(ROUND_TIME));
    watch("a thread that only computes", &runtime, &probe, |_| {
        let begun = Instant::now();
        while begun.elapsed() < ROUND_TIME {
            std::hint::spin_loop();
        }
    });
    let large = runtime.create_recorder("large").expect("the id is free");
    large.register_metric(Calls::default()).expect("the recorder runs");
    for number in 0..LABELS {
        large.emit(Called { number });
        if number % 5_000 == 0 {
            large.flush().wait().expect("the runtime runs");
        }
    }
    watch("reading 20,000 labels that change meanwhile", &runtime, &probe, |_| {
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    large.emit(Called { number: 1 });
                    thread::sleep(Duration::from_micros(200));
                }
            });
            let begun = Instant::now();
            while begun.elapsed() < ROUND_TIME {
                large.metric_snapshots().expect("the runtime runs");
            }
            over.store(true, Ordering::Relaxed);
        });
    });
    runtime.stop_and_remove_recorder("large").expect("it stops");
    let mut created = 0;
    for (recorders, name) in [(10_000, "10,000 recorders"), (100_000, "100,000 recorders")] {
        (created..recorders).for_each(|number| drop(recorder(&runtime, number)));
        created = recorders;
        watch(&format!("a rollup of {name}"), &runtime, &probe, |runtime| {
            runtime.exposition(Scope::Rollup, Format::OpenMetrics).expect("the runtime runs");
        });
        watch(&format!("a snapshot of {name}"), &runtime, &probe, |runtime| {
            runtime.snapshot().expect("the runtime runs");
        });
    }
    watch("creating and removing recorders", &runtime, &probe, |runtime| {
        let begun = Instant::now();
        while begun.elapsed() < ROUND_TIME {
            drop(recorder(runtime, created));
            runtime.stop_and_remove_recorder(&format!("entity-{created:06}")).expect("it stops");
        }
    });
}

/// The effects of one round of work.
struct Effects {
    lasted: Duration,
    events: usize,
    late: Duration,
    held: Duration,
    registry: Duration,
}

/// Does the work several times and prints the round with the shortest hold. The work itself delays every round; other programs
/// and the hypervisor delay only some.
fn watch(name: &str, runtime: &MetricsRuntime, probe: &MetricsRecorder, work: impl Fn(&MetricsRuntime)) {
    let rounds: Vec<Effects> = (0..ROUNDS).map(|_| one_round(runtime, probe, &work)).collect();
    let Some(best) = rounds.iter().min_by_key(|effects| effects.held) else { return };
    let registry = rounds.iter().map(|effects| effects.registry).min().unwrap_or_default();
    println!(
        "{name:<48} {:>10.1?} {:>8} {:>12.1?} {:>12.1?} {registry:>12.1?}",
        best.lasted, best.events, best.late, best.held,
    );
}

fn one_round(runtime: &MetricsRuntime, probe: &MetricsRecorder, work: &impl Fn(&MetricsRuntime)) -> Effects {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let over = &over;
        // The delay of the producer is not the event loop's.
        let producer = scope.spawn(move || {
            let delay = Delay::of_this_thread();
            let mut delays = Vec::new();
            while !over.load(Ordering::Relaxed) {
                let before = delay.so_far();
                probe.emit(Ticked { number: delays.len(), at: Instant::now() });
                delays.push(delay.so_far().saturating_sub(before));
                thread::sleep(Duration::from_micros(50));
            }
            delays
        });
        let registry = scope.spawn(move || {
            let delay = Delay::of_this_thread();
            let mut longest = Duration::ZERO;
            while !over.load(Ordering::Relaxed) {
                let (started, before) = (Instant::now(), delay.so_far());
                runtime.try_get_recorder("probe").expect("the runtime runs");
                let took = started.elapsed();
                longest = longest.max(took.saturating_sub(delay.so_far().saturating_sub(before)));
                thread::sleep(Duration::from_micros(200));
            }
            longest
        });
        thread::sleep(Duration::from_millis(50));
        handled().clear();
        let started = Instant::now();
        work(runtime);
        let lasted = started.elapsed();
        let handled = std::mem::take(&mut *handled());
        over.store(true, Ordering::Relaxed);
        let delays = producer.join().expect("nothing panics");
        let held = handled.iter().map(|one| one.held.saturating_sub(delays[one.number])).max();
        let late = handled.iter().map(|one| one.late).max();
        Effects {
            lasted,
            events: handled.len(),
            late: late.unwrap_or_default(),
            held: held.unwrap_or_default(),
            registry: registry.join().expect("nothing panics"),
        }
    })
}
