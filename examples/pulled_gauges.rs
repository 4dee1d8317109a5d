//! Gauges that are read when somebody looks: the length of a queue, the size of a pool, the version of the program.
//!
//! Run with `cargo run --example pulled_gauges`. A metric written by hand listens to no event. Its `snapshot` asks the pool for its
//! state, so the values are those of the moment of the reading.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use mvx_metrics::export::Format;
use mvx_metrics::{
    DimensionDescriptor, DimensionKind, EventHandler, MergeRule, Metric, MetricDescriptor, MetricSnapshot,
    MetricsRuntime, Scope,
};

const NAME: &str = "pool";

/// Buffers for reuse.
#[derive(Default)]
struct Pool {
    free: Mutex<Vec<Vec<u8>>>,
}

impl Pool {
    fn put(&self, buffer: Vec<u8>) {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push(buffer);
    }

    fn take(&self) -> Option<Vec<u8>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// How many buffers are free, and how many bytes they have. The lock is held for a moment only, because readers wait for it.
    fn free(&self) -> (u64, u64) {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        (free.len() as u64, free.iter().map(|buffer| buffer.capacity() as u64).sum())
    }
}

/// The state of a pool, without events.
struct PoolState {
    /// Weak, because the recorder keeps the metric: otherwise it would keep the pool, too.
    pool: Weak<Pool>,
}

impl Metric for PoolState {
    fn metric_name(&self) -> &'static str {
        NAME
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        &[]
    }

    fn snapshot(&self) -> MetricSnapshot {
        let (buffers, bytes) = self.pool.upgrade().map(|pool| pool.free()).unwrap_or_default();
        MetricSnapshot::new(NAME).with("free", buffers).with("free_size", bytes)
    }

    fn descriptor(&self) -> MetricDescriptor {
        let gauge = |name, help: &'static str| {
            let mut gauge = DimensionDescriptor::new(name, DimensionKind::Gauge);
            gauge.help = help.into();
            gauge.merge = Some(MergeRule::Sum);
            gauge
        };
        let mut bytes = gauge("free_size", "Memory of the free buffers.");
        bytes.unit = Some("bytes".into());
        MetricDescriptor::new(NAME)
            .with_help("Buffers for reuse.")
            .with_dimensions(vec![gauge("free", "Free buffers."), bytes])
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = MetricsRuntime::new("example.pool")?;
    runtime.start()?;
    let pool = Arc::new(Pool::default());
    let recorder = runtime.create_recorder("pool")?;
    recorder.register_metric(PoolState { pool: Arc::downgrade(&pool) })?;

    for size in [1_024, 4_096, 512] {
        pool.put(Vec::with_capacity(size));
    }
    drop(pool.take());
    let text = runtime.exposition(Scope::Rollup, Format::Prometheus)?.text;
    for line in text.lines().filter(|line| line.contains("pool_")) {
        println!("{line}");
    }
    runtime.shutdown()?;
    Ok(())
}
