//! A recorder in a `static`, for code that nothing can be passed to: callbacks, deep call chains, code that used a global registry.
//!
//! Run with `cargo run --example static_recorder`. The first job runs before the recorder is there: it counts nothing, and nothing
//! fails. Then four threads do the other jobs.

use std::error::Error;
use std::sync::{LazyLock, OnceLock};
use std::thread;

use mvx_metrics::{Counter, Metric, MetricsRecorder, MetricsRuntime, Sum, metric_event};

/// A job was done.
#[metric_event(name = "jobs.done")]
struct JobDone {
    items: u64,
}

/// The jobs of the program.
#[derive(Metric, Default)]
#[metric(name = "jobs", on(JobDone))]
struct Jobs {
    total: Counter,
    #[dimension(value = items)]
    items: Sum<u64>,
}

static RECORDER: OnceLock<MetricsRecorder> = OnceLock::new();

/// The recorder of the program. Until `main` has set it, and in tests that do not, it is one that does nothing.
fn recorder() -> &'static MetricsRecorder {
    static DISABLED: LazyLock<MetricsRecorder> = LazyLock::new(MetricsRecorder::disabled);
    RECORDER.get().unwrap_or(&DISABLED)
}

/// Code far from `main`.
fn do_job(items: u64) {
    recorder().emit(JobDone { items });
}

fn main() -> Result<(), Box<dyn Error>> {
    do_job(1_000_000);

    // The runtime is a local variable. The drop of a `static` never runs, so a runtime in a `static` would lose its last events.
    let runtime = MetricsRuntime::new("example.jobs")?;
    runtime.start()?;
    let created = runtime.create_recorder("jobs")?;
    let jobs = created.metric::<Jobs>()?;
    RECORDER.set(created).map_err(|_| "the recorder is set once")?;

    thread::scope(|scope| {
        for worker in 1..=4 {
            scope.spawn(move || (0..25).for_each(|_| do_job(worker)));
        }
    });

    runtime.shutdown()?;
    let jobs = jobs.snapshot()?;
    println!("{} jobs with {} items", jobs.total, jobs.items);

    // After the shutdown the static recorder refuses events, and counts them.
    do_job(1);
    println!("{} job after the shutdown", recorder().stats().rejected);
    Ok(())
}
