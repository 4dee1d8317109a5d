//! RM11: metrics that another metric shows beside itself. They are never registered, and every reading asks for them anew.

use std::sync::{Arc, Mutex};

use mvx_metrics::export::Format;
use mvx_metrics::{
    DimensionDescriptor, DimensionKind, EventHandler, Metric, MetricDescriptor, MetricSnapshot, Scope, Totals,
};

use crate::fixtures::running;
use crate::handwritten::lines;

type Shown = Arc<Mutex<Vec<(&'static str, u64)>>>;

/// Shows counters that may come at any time; panics when there is one without a name.
struct Adapter(Shown);

impl Metric for Adapter {
    fn metric_name(&self) -> &'static str {
        "adapter"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        &[]
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::new("adapter").with("asked", 1_u64)
    }

    fn descriptor(&self) -> MetricDescriptor {
        let asked = DimensionDescriptor::new("asked", DimensionKind::Counter);
        MetricDescriptor::new("adapter").with_dimensions(vec![asked])
    }

    fn further_metrics(&self) -> Vec<MetricSnapshot> {
        let shown = self.0.lock().expect("not poisoned").clone();
        let further = shown.into_iter().map(|(name, count)| {
            assert!(!name.is_empty(), "a metric without a name");
            let dimension = DimensionDescriptor::new("", DimensionKind::Counter);
            let descriptor =
                MetricDescriptor::new(name).with_help("Counted elsewhere.").with_dimensions(vec![dimension]);
            MetricSnapshot::new("").with("", count).declared(descriptor)
        });
        further.collect()
    }
}

fn count(totals: &Totals, metric: &str) -> Option<u64> {
    totals.groups[0].metrics.get(metric)?.get("")?.as_u64()
}

#[test]
fn rm11_further_metrics_come_and_count_in_all_outputs() {
    let (runtime, shown) = (running("shop"), Shown::default());
    let recorder = runtime.create_recorder("one").expect("the id is free");
    recorder.register_metric(Adapter(Arc::clone(&shown))).expect("it runs");
    assert_eq!(recorder.metric_snapshots().expect("it is read").len(), 1);
    *shown.lock().expect("not poisoned") = vec![("cache.hits", 3), ("misses_total", 1)];

    let snapshots = recorder.metric_snapshots().expect("it is read");
    let names: Vec<_> = snapshots.iter().map(|metric| &*metric.name).collect();
    assert_eq!(names, ["adapter", "cache.hits", "misses_total"]);
    let descriptors = recorder.metrics().expect("they are read");
    let names: Vec<_> = descriptors.iter().map(|metric| &*metric.name).collect();
    assert_eq!(names, ["adapter", "cache.hits", "misses_total"]);
    assert_eq!(descriptors[1].help, "Counted elsewhere.");

    for scope in [Scope::Rollup, Scope::PerEntity] {
        let totals = runtime.totals(scope).expect("it runs");
        assert_eq!((count(&totals, "cache.hits"), count(&totals, "misses_total")), (Some(3), Some(1)));
        let json = serde_json::to_string(&totals).expect("it is written");
        let mut read: Totals = serde_json::from_str(&json).expect("it is read back");
        assert_eq!(read, totals);
        read.merge(&totals).expect("both declare the same");
        assert_eq!(count(&read, "cache.hits"), Some(6));
    }
    let text = runtime.exposition(Scope::Rollup, Format::Prometheus).expect("it runs").text;
    assert_eq!(lines(&text, "# HELP cache"), ["# HELP cache_hits_total Counted elsewhere."]);
    assert_eq!(lines(&text, "cache"), ["cache_hits_total{namespace=\"shop\"} 3"]);
    assert_eq!(lines(&text, "misses"), ["misses_total{namespace=\"shop\"} 1"]);
    runtime.shutdown().expect("it stops");
}

#[test]
fn rm11_a_further_metric_with_the_name_of_another_one_is_left_out() {
    let (runtime, shown) = (running("shop"), Shown::default());
    let recorder = runtime.create_recorder("one").expect("the id is free");
    recorder.register_metric(Adapter(Arc::clone(&shown))).expect("it runs");
    *shown.lock().expect("not poisoned") = vec![("adapter", 3), ("hits", 1), ("hits", 2)];
    let snapshots = recorder.metric_snapshots().expect("it is read");
    let json = serde_json::to_string(&snapshots).expect("it is written");
    let expected = r#"{"adapter":{"name":"adapter","dimensions":{"asked":1}},"hits":{"name":"hits","dimensions":{"":1}}}"#;
    assert_eq!(json, expected);
    runtime.shutdown().expect("it stops");
}

#[test]
fn rm11_counts_stay_when_the_recorder_or_its_metric_goes_or_panics() {
    let (runtime, shown) = (running("shop"), Shown::default());
    let recorder = runtime.create_recorder("one").expect("the id is free");
    recorder.register_metric(Adapter(Arc::clone(&shown))).expect("it runs");
    *shown.lock().expect("not poisoned") = vec![("hits", 3)];
    let hits = || count(&runtime.totals(Scope::Rollup).expect("it runs"), "hits");
    assert_eq!(hits(), Some(3));

    *shown.lock().expect("not poisoned") = vec![("", 0)];
    assert_eq!(hits(), Some(3), "a reading that panics shows what was shown last");
    *shown.lock().expect("not poisoned") = vec![("hits", 4)];
    assert_eq!(hits(), Some(4));

    recorder.register_metric(Adapter(Shown::default())).expect("it replaces the other one");
    assert_eq!(hits(), Some(4), "the replaced one stays in the totals");
    let successor = Arc::new(Mutex::new(vec![("hits", 10)]));
    recorder.register_metric(Adapter(successor)).expect("it replaces the other one");
    assert_eq!(hits(), Some(14));
    runtime.stop_and_remove_recorder("one").expect("it stops");
    assert_eq!(hits(), Some(14), "the removed one stays in the totals");
    runtime.shutdown().expect("it stops");
    assert_eq!(hits(), Some(14));
}
