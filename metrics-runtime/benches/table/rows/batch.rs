//! A batch that must lose nothing, in two threads: one event for each item, beside one event for a thousand of them.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use mvx_metrics::{Counter, Max, Metric, MetricsRecorder, MetricsRuntime, Sum, metric_event};

use crate::figure::{as_float, median, nanoseconds};
use crate::report::Report;

const ROUNDS: usize = 5;
const ITEMS: u64 = 2_000_000;
const THREADS: u64 = 2;
const CHUNK: u64 = 1_000;
const TIMEOUT: Duration = Duration::from_mins(1);

#[metric_event]
struct ItemDone {
    failed: bool,
    weight: u64,
}

#[derive(Metric, Default)]
#[metric(on(ItemDone))]
struct Items {
    total: Counter,
    #[dimension(when = |e| e.failed)]
    failed: Counter,
    #[dimension(value = weight)]
    weight: Sum<u64>,
    #[dimension(value = weight)]
    heaviest: Max<u64>,
}

/// What a program counts itself, for a thousand items.
#[metric_event]
#[derive(Default)]
struct ChunkDone {
    items: u64,
    failed: u64,
    weight: u64,
    heaviest: u64,
}

#[derive(Metric, Default)]
#[metric(on(ChunkDone))]
struct Chunks {
    #[dimension(value = items)]
    total: Sum<u64>,
    #[dimension(value = failed)]
    failed: Sum<u64>,
    #[dimension(value = weight)]
    weight: Sum<u64>,
    #[dimension(value = heaviest)]
    heaviest: Max<u64>,
}

/// How many times an item is mixed, and what that is called. The first is less work than an event of its own, so this row
/// shows the limit of the queue. The second is an item that a program may have: to hash a line, or to parse a number.
const WORK: [(u32, &str); 2] = [(8, "cheap"), (32, "costlier")];

/// The work on one item.
fn item(number: u64, work: u32) -> ItemDone {
    let mut weight = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    for _ in 0..work {
        weight ^= weight >> 30;
        weight = weight.wrapping_mul(0xbf58_476d_1ce4_e5b9);
        weight ^= weight >> 27;
    }
    weight >>= 44;
    ItemDone { failed: weight.is_multiple_of(100), weight }
}

/// Nanoseconds per item until all are in the metrics. `run` does the items of one thread, `total` reads how many were counted.
fn round(run: impl Fn(Range<u64>) + Sync, total: impl FnOnce() -> u64) -> f64 {
    let began = Instant::now();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let items = thread * (ITEMS / THREADS)..(thread + 1) * (ITEMS / THREADS);
            let run = &run;
            scope.spawn(move || run(items));
        }
    });
    assert_eq!(total(), ITEMS, "nothing is lost");
    nanoseconds(began.elapsed()) / as_float(ITEMS)
}

fn chunked(recorder: &MetricsRecorder, work: u32) -> f64 {
    let metric = recorder.metric::<Chunks>().expect("registers");
    let run = |mut items: Range<u64>| {
        while !items.is_empty() {
            let mut chunk = ChunkDone::default();
            for number in items.by_ref().take(usize::try_from(CHUNK).expect("small")) {
                let ItemDone { failed, weight } = item(number, work);
                chunk.items += 1;
                chunk.failed += u64::from(failed);
                chunk.weight += weight;
                chunk.heaviest = chunk.heaviest.max(weight);
            }
            recorder.emit(chunk);
        }
    };
    round(run, || metric.snapshot().expect("reads").total)
}

fn blocking(recorder: &MetricsRecorder, work: u32) -> f64 {
    let metric = recorder.metric::<Items>().expect("registers");
    let run = |items: Range<u64>| {
        for number in items {
            recorder.register_event_blocking(item(number, work), TIMEOUT).expect("there is room");
        }
    };
    round(run, || metric.snapshot().expect("reads").total)
}

fn awaiting(recorder: &MetricsRecorder, work: u32) -> f64 {
    let metric = recorder.metric::<Items>().expect("registers");
    let run = |items: Range<u64>| {
        let tokio = tokio::runtime::Builder::new_current_thread().build().expect("a tokio runtime");
        tokio.block_on(async {
            for number in items {
                recorder.register_event_async(item(number, work)).await.expect("there is room");
            }
        });
    };
    round(run, || metric.snapshot().expect("reads").total)
}

fn atomics(_: &MetricsRecorder, work: u32) -> f64 {
    let [total, failed, weight, heaviest] = [const { AtomicU64::new(0) }; 4];
    let run = |items: Range<u64>| {
        for number in items {
            let item = item(number, work);
            total.fetch_add(1, Ordering::Relaxed);
            failed.fetch_add(u64::from(item.failed), Ordering::Relaxed);
            weight.fetch_add(item.weight, Ordering::Relaxed);
            heaviest.fetch_max(item.weight, Ordering::Relaxed);
        }
    };
    round(run, || total.load(Ordering::Relaxed))
}

/// A way to count a batch: its name, and a round of it.
type Way = (&'static str, fn(&MetricsRecorder, u32) -> f64);

pub fn print(report: &Report) {
    let ways: [Way; 4] = [
        ("sums of 1,000 items, one event each", chunked),
        ("register_event_blocking", blocking),
        ("register_event_async", awaiting),
        ("four shared atomics", atomics),
    ];
    for (work, size) in WORK {
        compare(report, &ways, work, size);
    }
}

fn compare(report: &Report, ways: &[Way; 4], work: u32, size: &str) {
    let runtime = MetricsRuntime::new("batch").expect("valid");
    runtime.start().expect("starts");
    let mut rounds = ways.map(|_| Vec::new());
    for _ in 0..ROUNDS {
        for ((name, way), figures) in ways.iter().zip(&mut rounds) {
            let recorder = runtime.create_recorder(name).expect("creates");
            figures.push(way(&recorder, work));
            drop(recorder);
            runtime.stop_and_remove_recorder(name).expect("removes");
        }
    }
    runtime.shutdown().expect("shuts down");
    let medians = rounds.map(median);
    for ((name, _), figure) in ways.iter().zip(medians) {
        report.value(&format!("{size} items: {name}"), figure, "ns per item", None);
    }
    for (name, figure) in ["blocking", "async"].into_iter().zip(&medians[1..3]) {
        report.value(&format!("{size} items: {name}"), figure / medians[0], "x of the sums", Some(3.0));
    }
}
