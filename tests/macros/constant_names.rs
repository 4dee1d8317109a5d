//! Names that are constants: of metrics, events, dimensions, prefixes and labels.

use mvx_metrics::{Breakdown, Counter, HandleEvent, Label, Metric, MetricEvent, TypedMetric, metric_event};
use serde_json::json;

const METRIC: &str = "storage.saves";
const PREFIX: &str = "inner.";

struct Names;

impl Names {
    const TOTAL: &'static str = "saves_total";
}

const fn by_store(long: bool) -> &'static str {
    if long { "by_store_of_documents" } else { "by_store" }
}

#[metric_event(name = concat!("document", "_", "saved"))]
struct Saved {
    store: Store,
}

#[derive(Label, Clone, Copy, PartialEq, Eq, Hash)]
enum Store {
    #[label(name = Names::TOTAL)]
    Total,
    #[label(name = concat!("on", "-", "disk"))]
    Disk,
    Memory,
}

#[derive(Metric, Default)]
#[metric(name = METRIC, on(Saved))]
struct Saves {
    #[dimension(name = Names::TOTAL)]
    total: Counter,
    #[dimension(by = store, name = by_store(false))]
    by_store: Breakdown<Store, Counter>,
    #[dimension(flatten(prefix = PREFIX))]
    inner: Inner,
    plain: Counter,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Inner {
    #[dimension(name = "total")]
    count: Counter,
}

#[test]
fn names_may_be_constants() {
    assert_eq!((Saved::EVENT_TYPE, <Saves as TypedMetric>::NAME), ("document_saved", "storage.saves"));
    let mut metric = Saves::default();
    assert_eq!(metric.metric_name(), "storage.saves");
    metric.handle(&Saved { store: Store::Disk });
    let descriptor = metric.descriptor();
    let names: Vec<_> = descriptor.dimensions.iter().map(|dimension| &*dimension.name).collect();
    assert_eq!(names, ["saves_total", "by_store", "inner.total", "plain"]);
    let expected = json!({
        "saves_total": 1,
        "by_store": {"saves_total": 0, "on-disk": 1, "memory": 0},
        "inner.total": 1,
        "plain": 1,
    });
    let typed = metric.typed_snapshot();
    assert_eq!(serde_json::to_value(&typed).unwrap(), expected);
    assert_eq!(serde_json::to_value(&metric.snapshot().dimensions).unwrap(), expected);
    assert_eq!(serde_json::from_value::<SavesSnapshot>(expected).unwrap(), typed);
    assert_eq!((typed.total, typed.inner.count), (1, 1));
}

#[derive(Metric, Default)]
#[metric(name = METRIC, on(Saved))]
struct OfAnything<T: Default + Send + 'static> {
    #[dimension(name = Names::TOTAL)]
    total: Counter,
    #[dimension(skip)]
    _state: T,
}

#[test]
fn names_of_a_generic_metric_may_be_constants() {
    let mut metric = OfAnything::<u8>::default();
    metric.handle(&Saved { store: Store::Total });
    metric.handle(&Saved { store: Store::Memory });
    assert_eq!(serde_json::to_value(metric.typed_snapshot()).unwrap(), json!({"saves_total": 2}));
    assert_eq!(metric.descriptor().name, "storage.saves");
}
