//! The formats beside each other: the bytes and the time of an exposition of many recorders.

use std::hint::black_box;
use std::time::Instant;

use mvx_metrics::export::{Format, Scope};
use mvx_metrics::{Histogram, Metric, MetricsRuntime, RuntimeSnapshot, metric_event};

use crate::ours::{Ours, running};
use crate::{EVENTS, bytes};

const RECORDERS: usize = 10_000;
const ROUNDS: usize = 11;

#[metric_event]
struct Received {
    bytes: u64,
}

/// Messages.
#[derive(Metric, Default)]
#[metric(name = "messages", on(Received))]
struct Messages {
    #[dimension(value = bytes, unit = "bytes")]
    size: Histogram<u64>,
}

/// Recorders with a histogram of exponential buckets alone.
fn with_exponential_buckets() -> (MetricsRuntime, RuntimeSnapshot) {
    let runtime = running();
    for number in 0..RECORDERS {
        let recorder = runtime.create_recorder(&format!("entity-{number:06}")).expect("the id is free");
        recorder.metric::<Messages>().expect("the recorder runs");
        (0..EVENTS).for_each(|event| recorder.emit(Received { bytes: bytes(event) }));
    }
    let snapshot = runtime.snapshot().expect("the runtime runs");
    (runtime, snapshot)
}

/// Encodes the entities of both in all formats.
pub fn compare() {
    let ours = Ours::new(RECORDERS);
    let (_runtime, exponential) = with_exponential_buckets();
    println!(
        "\n{:<48} {:>12} {:>10}",
        format!("encoding {RECORDERS} recorders, entity by entity"),
        "bytes",
        "time"
    );
    for (name, snapshot) in [
        ("five families, 16 declared buckets", ours.read()),
        ("one family, exponential buckets", &exponential),
    ] {
        for format in [Format::Prometheus, Format::OpenMetrics, Format::Protobuf] {
            let mut size = 0;
            let mut times: Vec<_> = (0..ROUNDS)
                .map(|_| {
                    let started = Instant::now();
                    size = black_box(snapshot.exposition(Scope::PerEntity, format)).as_bytes().len();
                    started.elapsed()
                })
                .collect();
            times.sort_unstable();
            println!("{:<48} {size:>12} {:>10.1?}", format!("{name}, {format:?}"), times[ROUNDS / 2]);
        }
    }
}
