//! This crate.

use std::time::Instant;

use mvx_metrics::export::{Format, Scope};
use mvx_metrics::{
    Breakdown, Counter, Gauge, Histogram, Label, Metric, MetricsRecorder, MetricsRuntime, RuntimeSnapshot,
    Sum, metric_event,
};

use crate::{EVENTS, bytes};

#[derive(Label, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Success,
    Failure,
}

#[metric_event]
pub struct Saved {
    outcome: Outcome,
    bytes: u64,
}

impl Saved {
    pub fn number(number: u64) -> Self {
        let outcome = if number.is_multiple_of(7) { Outcome::Failure } else { Outcome::Success };
        Self { outcome, bytes: bytes(number) }
    }
}

/// Saves.
#[derive(Metric, Default)]
#[metric(name = "saves", on(Saved))]
pub struct Saves {
    total: Counter,
    #[dimension(by = outcome)]
    by_outcome: Breakdown<Outcome, Counter>,
    #[dimension(value = bytes, unit = "bytes")]
    written: Sum<u64>,
    #[dimension(value = |e| e.bytes.cast_signed(), unit = "bytes")]
    last: Gauge<i64>,
    #[dimension(value = bytes, unit = "bytes", buckets = [
        1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 131_072, 262_144, 524_288, 1_048_576, 2_097_152, 4_194_304, 8_388_608,
    ])]
    size: Histogram<u64>,
}

pub struct Ours {
    runtime: MetricsRuntime,
    snapshot: RuntimeSnapshot,
}

pub fn running() -> MetricsRuntime {
    let runtime = MetricsRuntime::new("bench").expect("a valid namespace");
    runtime.start().expect("a thread can be started");
    runtime
}

pub fn recorder(runtime: &MetricsRuntime, number: usize) -> MetricsRecorder {
    let recorder = runtime.create_recorder(&format!("entity-{number:06}")).expect("the id is free");
    recorder.register_metric(Saves::default()).expect("the recorder runs");
    recorder
}

impl Ours {
    pub fn new(entities: usize) -> Self {
        let runtime = running();
        for number in 0..entities {
            let recorder = recorder(&runtime, number);
            for event in 0..EVENTS {
                recorder.emit(Saved::number(event));
            }
        }
        let snapshot = runtime.snapshot().expect("the runtime runs");
        Self { runtime, snapshot }
    }

    pub fn encode_open_metrics(&self) -> String {
        self.snapshot.exposition(Scope::PerEntity, Format::OpenMetrics).text
    }

    pub fn encode_prometheus(&self) -> String {
        self.snapshot.exposition(Scope::PerEntity, Format::Prometheus).text
    }

    pub fn roll_up(&self) -> String {
        self.runtime.exposition(Scope::Rollup, Format::OpenMetrics).expect("the runtime runs").text
    }

    /// The snapshot that was taken at the beginning.
    pub fn read(&self) -> &RuntimeSnapshot {
        &self.snapshot
    }

    pub fn snapshot(&self) -> RuntimeSnapshot {
        self.runtime.snapshot().expect("the runtime runs")
    }

    pub fn expose(&self) -> String {
        self.runtime.exposition(Scope::PerEntity, Format::OpenMetrics).expect("the runtime runs").text
    }
}

/// The rollup of many recorders, and the removal of recorders.
pub fn rollup() {
    const RECORDERS: usize = 10_000;
    let Ours { runtime, .. } = Ours::new(RECORDERS);
    let mut times: Vec<_> = (0..20)
        .map(|_| {
            let started = Instant::now();
            runtime.exposition(Scope::Rollup, Format::OpenMetrics).expect("the runtime runs");
            started.elapsed()
        })
        .collect();
    times.sort_unstable();
    println!("\nrollup of {RECORDERS} recorders: median {:?}, at most {:?}", times[10], times[19]);
    let mut times: Vec<_> = (0..1_000)
        .map(|number| {
            let started = Instant::now();
            runtime.stop_and_remove_recorder(&format!("entity-{number:06}")).expect("it stops");
            started.elapsed()
        })
        .collect();
    times.sort_unstable();
    println!("stopping and removing a recorder, its counts kept: median {:?}", times[500]);
}
