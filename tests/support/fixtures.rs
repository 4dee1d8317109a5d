//! Events and hand-written metrics that many tests use.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use mvx_metrics::{
    DimensionDescriptor, EventHandler, HandleEvent, Metric, MetricDescriptor, MetricEvent, MetricSnapshot,
    MetricsRecorder, TypedMetric,
};
use serde::{Deserialize, Serialize};

use crate::gate::Gate;

/// The event most tests use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step(pub u64);

impl MetricEvent for Step {
    const EVENT_TYPE: &'static str = "step";
}

/// An event that none of these metrics lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Other;

impl MetricEvent for Other {
    const EVENT_TYPE: &'static str = "other";
}

/// Creates events, and counts how many were created and dropped.
#[derive(Clone, Default)]
pub struct Drops(Arc<[AtomicUsize; 2]>);

impl Drops {
    /// Both counts are 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates an event.
    pub fn event(&self) -> Tracked {
        self.0[0].fetch_add(1, Ordering::SeqCst);
        Tracked { drops: self.clone(), _heap: Box::new(7) }
    }

    /// How many events were created.
    pub fn made(&self) -> usize {
        self.0[0].load(Ordering::SeqCst)
    }

    /// How many times an event was dropped.
    pub fn dropped(&self) -> usize {
        self.0[1].load(Ordering::SeqCst)
    }
}

/// An event that owns heap data and counts its drops.
pub struct Tracked {
    drops: Drops,
    _heap: Box<u64>,
}

impl Drop for Tracked {
    fn drop(&mut self) {
        self.drops.0[1].fetch_add(1, Ordering::SeqCst);
    }
}

impl MetricEvent for Tracked {
    const EVENT_TYPE: &'static str = "tracked";
}

/// Counts steps and sums them up.
pub struct Steps {
    name: String,
    total: u64,
    sum: u64,
}

impl Default for Steps {
    fn default() -> Self {
        Self::named("steps")
    }
}

impl Steps {
    /// The same metric under another name.
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), total: 0, sum: 0 }
    }

    /// The count of the recorder's metric `steps`.
    pub fn total(recorder: &MetricsRecorder) -> u64 {
        Self::total_of(recorder, "steps")
    }

    /// The count of the recorder's metric of this name.
    pub fn total_of(recorder: &MetricsRecorder, name: &str) -> u64 {
        let snapshots = recorder.metric_snapshots().expect("reading works");
        let snapshot = snapshots.get(name).expect("the metric is registered");
        snapshot.get("total").and_then(mvx_metrics::DimensionValue::as_u64).expect("a count")
    }
}

/// The typed snapshot of [`Steps`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepsSnapshot {
    /// How many steps.
    pub total: u64,
    /// Their sum.
    pub sum: u64,
}

impl HandleEvent<Step> for Steps {
    fn handle(&mut self, event: &Step) -> bool {
        self.total += 1;
        self.sum += event.0;
        true
    }
}

impl HandleEvent<Tracked> for Steps {
    fn handle(&mut self, _: &Tracked) -> bool {
        self.total += 1;
        true
    }
}

impl Metric for Steps {
    fn metric_name(&self) -> &str {
        &self.name
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        const { &[EventHandler::of::<Step>(), EventHandler::of::<Tracked>()] }
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::new(self.name.as_str()).with("total", self.total).with("sum", self.sum)
    }

    fn descriptor(&self) -> MetricDescriptor {
        MetricDescriptor::new(self.name.clone())
            .with_help("Steps that were taken.")
            .with_dimensions(Vec::<DimensionDescriptor>::new())
    }
}

impl TypedMetric for Steps {
    type Snapshot = StepsSnapshot;

    fn typed_snapshot(&self) -> StepsSnapshot {
        StepsSnapshot { total: self.total, sum: self.sum }
    }
}

/// Keeps the numbers of the steps in the order of their processing. Clones share the numbers.
#[derive(Clone, Default)]
pub struct Journal(Arc<Mutex<Vec<u64>>>);

impl Journal {
    /// An empty journal.
    pub fn new() -> Self {
        Self::default()
    }

    /// The numbers so far.
    pub fn numbers(&self) -> Vec<u64> {
        self.0.lock().expect("nothing panics under this lock").clone()
    }
}

impl HandleEvent<Step> for Journal {
    fn handle(&mut self, event: &Step) -> bool {
        self.0.lock().expect("nothing panics under this lock").push(event.0);
        true
    }
}

impl Metric for Journal {
    fn metric_name(&self) -> &'static str {
        "journal"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        const { &[EventHandler::of::<Step>()] }
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::of_static("journal").with("length", self.numbers().len() as u64)
    }
}

/// Counts steps and panics at one of them.
pub struct Fragile {
    breaks_at: u64,
    total: u64,
}

impl Fragile {
    /// Panics at the step of this number.
    pub fn at(number: u64) -> Self {
        Self { breaks_at: number, total: 0 }
    }
}

impl HandleEvent<Step> for Fragile {
    fn handle(&mut self, event: &Step) -> bool {
        assert_ne!(event.0, self.breaks_at, "fragile broke");
        self.total += 1;
        true
    }
}

impl Metric for Fragile {
    fn metric_name(&self) -> &'static str {
        "fragile"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        const { &[EventHandler::of::<Step>()] }
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::of_static("fragile").with("total", self.total)
    }
}

impl TypedMetric for Fragile {
    type Snapshot = u64;

    fn typed_snapshot(&self) -> u64 {
        self.total
    }
}

/// A metric that panics in its snapshot, typed snapshot and descriptor.
#[derive(Default)]
pub struct SnapshotPanics;

impl HandleEvent<Step> for SnapshotPanics {
    fn handle(&mut self, _: &Step) -> bool {
        true
    }
}

impl Metric for SnapshotPanics {
    fn metric_name(&self) -> &'static str {
        "snapshot_panics"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        const { &[EventHandler::of::<Step>()] }
    }

    fn snapshot(&self) -> MetricSnapshot {
        panic!("the snapshot panics")
    }

    fn descriptor(&self) -> MetricDescriptor {
        panic!("the descriptor panics")
    }
}

impl TypedMetric for SnapshotPanics {
    type Snapshot = ();

    fn typed_snapshot(&self) {
        panic!("the snapshot panics")
    }
}

/// A metric that blocks at a gate in its handlers.
pub struct Gated(pub Gate);

impl HandleEvent<Step> for Gated {
    fn handle(&mut self, _: &Step) -> bool {
        self.0.block();
        true
    }
}

impl HandleEvent<Tracked> for Gated {
    fn handle(&mut self, _: &Tracked) -> bool {
        self.0.block();
        true
    }
}

impl Metric for Gated {
    fn metric_name(&self) -> &'static str {
        "gated"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        const { &[EventHandler::of::<Step>(), EventHandler::of::<Tracked>()] }
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::of_static("gated")
    }
}

/// A metric that blocks at a gate in its snapshot.
pub struct GatedSnapshot(pub Gate);

impl Metric for GatedSnapshot {
    fn metric_name(&self) -> &'static str {
        "gated_snapshot"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        &[]
    }

    fn snapshot(&self) -> MetricSnapshot {
        self.0.block();
        MetricSnapshot::of_static("gated_snapshot")
    }
}

/// A metric that calls a function with its first step.
pub struct CallsOnce(Option<Box<dyn FnOnce() + Send>>);

impl CallsOnce {
    /// The handler calls this function.
    pub fn new(code: impl FnOnce() + Send + 'static) -> Self {
        Self(Some(Box::new(code)))
    }
}

impl HandleEvent<Step> for CallsOnce {
    fn handle(&mut self, _: &Step) -> bool {
        if let Some(code) = self.0.take() {
            code();
        }
        true
    }
}

impl Metric for CallsOnce {
    fn metric_name(&self) -> &'static str {
        "calls_once"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        const { &[EventHandler::of::<Step>()] }
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::of_static("calls_once")
    }
}
