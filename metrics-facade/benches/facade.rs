//! What a call of the facade costs with this recorder, and with those of other crates.
//!
//! Run with `cargo bench -p mvx-metrics-facade`. It prints nanoseconds for each call and thread: the median of rounds in which the
//! recorders take turns. Compare the columns of one run; figures of two runs differ with the machine.
//!
//! * `prometheus` is `metrics-exporter-prometheus`, whose histograms keep each value until the next rendering.
//! * `registry` is `metrics-util`'s registry of atomics. Its histograms keep each value until somebody takes them out.
//!
//! Both keep all label sets for ever. The rows of their histograms include taking the values out, as a scrape would.

use std::hint::black_box;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use metrics::{
    Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit, counter, gauge,
    histogram,
};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use metrics_util::registry::{AtomicStorage, Registry};
use mvx_metrics::MetricsRuntime;
use mvx_metrics_facade::FacadeRecorder;

const ROUNDS: usize = 15;
const CALLS: u32 = 100_000;
const LABELS: usize = 64;

/// A recorder, and what empties its histograms.
struct Subject {
    name: &'static str,
    recorder: Box<dyn Recorder + Sync>,
    take_out: Box<dyn Fn() + Sync>,
}

/// `metrics-util`'s registry as a recorder.
struct Atomics(Arc<Registry<Key, AtomicStorage>>);

impl Recorder for Atomics {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.0.get_or_create_counter(key, |counter| Counter::from_arc(Arc::clone(counter)))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        self.0.get_or_create_gauge(key, |gauge| Gauge::from_arc(Arc::clone(gauge)))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        self.0.get_or_create_histogram(key, |histogram| Histogram::from_arc(Arc::clone(histogram)))
    }
}

fn subjects(runtime: &MetricsRuntime) -> Vec<Subject> {
    let facade = FacadeRecorder::builder().limit(LABELS).build(runtime).expect("the runtime runs");
    let prometheus: PrometheusRecorder = PrometheusBuilder::new().build_recorder();
    let handle: PrometheusHandle = prometheus.handle();
    let registry = Arc::new(Registry::new(AtomicStorage));
    let atomics = Atomics(Arc::clone(&registry));
    let take_out = move || {
        registry.visit_histograms(|_, histogram| histogram.clear_with(|values| _ = black_box(values)));
    };
    vec![
        Subject { name: "facade", recorder: Box::new(facade), take_out: Box::new(|| {}) },
        Subject {
            name: "prometheus",
            recorder: Box::new(prometheus),
            take_out: Box::new(move || handle.run_upkeep()),
        },
        Subject { name: "registry", recorder: Box::new(atomics), take_out: Box::new(take_out) },
    ]
}

/// One kind of call, repeated: it gets the texts of the dynamic labels.
type Row = (&'static str, fn(&[String]));

const ROWS: [Row; 9] = [
    ("counter, kept handle", |_| {
        let kept = counter!("kept", "method" => "GET");
        for _ in 0..CALLS {
            black_box(&kept).increment(1);
        }
    }),
    ("counter, static labels", |_| {
        for _ in 0..CALLS {
            counter!("static", "method" => "GET", "status" => "200").increment(1);
        }
    }),
    ("counter, dynamic label", |texts| {
        for (_, text) in (0..CALLS).zip(texts[..LABELS].iter().cycle()) {
            counter!("dynamic", "user" => text.clone()).increment(1);
        }
    }),
    ("counter, label beyond the limit", |texts| {
        for text in &texts[..LABELS] {
            counter!("beyond", "user" => text.clone()).increment(1);
        }
        for (_, text) in (0..CALLS).zip(texts[LABELS..].iter().cycle()) {
            counter!("beyond", "user" => text.clone()).increment(1);
        }
    }),
    ("gauge, kept handle", |_| {
        let kept = gauge!("gauge");
        for _ in 0..CALLS {
            black_box(&kept).increment(1.0);
        }
    }),
    ("gauge, static labels", |_| {
        for call in 0..CALLS {
            gauge!("gauge.static", "kind" => "log").set(call);
        }
    }),
    ("histogram, kept handle", |_| {
        let kept = histogram!("kept.size");
        for call in 0..CALLS {
            black_box(&kept).record(call % 1_000);
        }
    }),
    ("histogram, static labels", |_| {
        for call in 0..CALLS {
            histogram!("static.size", "kind" => "log").record(call % 1_000);
        }
    }),
    ("histogram, dynamic label", |texts| {
        for (call, text) in (0..CALLS).zip(texts[..LABELS].iter().cycle()) {
            histogram!("dynamic.size", "user" => text.clone()).record(call % 1_000);
        }
    }),
];

/// The time of one round: the longest of all threads, and the taking out.
fn round(subject: &Subject, row: fn(&[String]), threads: usize, texts: &[String]) -> Duration {
    let barrier = Barrier::new(threads);
    let run = || {
        metrics::with_local_recorder(&subject.recorder, || {
            barrier.wait();
            let start = Instant::now();
            row(texts);
            start.elapsed()
        })
    };
    let longest = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        running.into_iter().map(|thread| thread.join().expect("no panic")).max().unwrap_or_default()
    });
    let start = Instant::now();
    (subject.take_out)();
    longest + start.elapsed()
}

fn main() {
    let runtime = MetricsRuntime::new("bench").expect("a valid namespace");
    runtime.start().expect("a thread can be started");
    let subjects = subjects(&runtime);
    let texts: Vec<String> = (0..2 * LABELS).map(|user| format!("user-{user:04}")).collect();
    print!("{:<44}", "ns for each call and thread");
    for subject in &subjects {
        print!("{:>12}", subject.name);
    }
    println!();
    for threads in [1, 2] {
        for (name, row) in ROWS {
            let mut times = vec![Vec::with_capacity(ROUNDS); subjects.len()];
            for _ in 0..ROUNDS {
                for (subject, times) in subjects.iter().zip(&mut times) {
                    times.push(round(subject, row, threads, &texts));
                }
            }
            print!("{:<44}", format!("{name}, {threads} thread{}", if threads == 1 { "" } else { "s" }));
            for mut times in times {
                times.sort_unstable();
                print!("{:>12.1}", times[ROUNDS / 2].as_secs_f64() * 1e9 / f64::from(CALLS));
            }
            println!();
        }
    }
    runtime.shutdown().expect("it stops");
}
