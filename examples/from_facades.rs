//! One component counted three ways at once: with the macros of `metrics`, with atomics of `prometheus-client`, and with events.
//!
//! Run with `cargo run --example from_facades`. A port goes through this state: the old and the new numbers stand side by side, and the
//! program compares them before the old lines go.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use mvx_metrics::export::ExpositionOptions;
use mvx_metrics::{
    Breakdown, Counter, Histogram, Label, Metric, MetricHandle, MetricsRecorderError, MetricsRuntime,
    Recorder, Sum, metric_event,
};
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, text::encode};
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

const NAMESPACE: &str = "example.shop";

/// How an order ended. The same enum is a label for both libraries with typed labels.
#[derive(Label, EncodeLabelValue, Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Outcome {
    Accepted,
    Declined,
}

#[derive(EncodeLabelSet, Debug, Clone, PartialEq, Eq, Hash)]
struct OutcomeLabels {
    outcome: Outcome,
}

/// The old numbers of `prometheus-client`.
#[derive(Default)]
struct OldOrders {
    orders: Family<OutcomeLabels, prometheus_client::metrics::counter::Counter>,
}

/// The fact from which all numbers come now.
#[metric_event(name = "shop.order.ended")]
struct OrderEnded {
    outcome: Outcome,
    cents: u64,
    elapsed: Duration,
}

/// Orders of the shop.
#[derive(Metric, Default)]
#[metric(name = "shop", on(OrderEnded))]
struct Sales {
    /// All orders.
    #[dimension(by = outcome)]
    orders: Breakdown<Outcome, Counter>,
    /// What was paid.
    #[dimension(value = cents, when = |e| e.outcome == Outcome::Accepted)]
    revenue_cents: Sum<u64>,
    /// How long an order took.
    #[dimension(value = elapsed)]
    order_duration: Histogram<Duration>,
}

struct Shop {
    old: OldOrders,
    recorder: Arc<dyn Recorder>,
    orders: MetricHandle<Sales>,
}

impl Shop {
    fn new(old: OldOrders, recorder: Arc<dyn Recorder>) -> Result<Self, MetricsRecorderError> {
        let orders = recorder.metric::<Sales>()?;
        Ok(Self { old, recorder, orders })
    }

    fn order(&self, cents: u64) {
        let outcome = if cents > 500 { Outcome::Declined } else { Outcome::Accepted };
        let elapsed = Duration::from_millis(cents);

        // Before: a line for each number, at each place. The labels of `metrics` are texts.
        let name = if outcome == Outcome::Accepted { "accepted" } else { "declined" };
        metrics::counter!("shop_orders_total", "outcome" => name).increment(1);
        if outcome == Outcome::Accepted {
            metrics::counter!("shop_revenue_cents_total").increment(cents);
        }
        self.old.orders.get_or_create(&OutcomeLabels { outcome }).inc();

        // After: what happened.
        self.recorder.emit(OrderEnded { outcome, cents, elapsed });
    }
}

/// The counters of `metrics` by name, all labels of a name together.
fn sum_of(snapshot: &[(String, DebugValue)], name: &str) -> u64 {
    let of_name = snapshot.iter().filter(|(key, _)| key == name);
    of_name.map(|(_, value)| if let DebugValue::Counter(count) = value { *count } else { 0 }).sum()
}

fn main() -> Result<(), Box<dyn Error>> {
    let facade = DebuggingRecorder::new();
    let facade_reader = facade.snapshotter();
    let _facade = metrics::set_default_local_recorder(&facade);
    let mut registry = Registry::default();
    let old = OldOrders::default();
    registry.register("shop_orders", "All orders", old.orders.clone());

    let runtime = MetricsRuntime::new(NAMESPACE)?;
    runtime.start()?;
    let shop = Shop::new(old, Arc::new(runtime.create_recorder("shop")?))?;
    (1..=100).for_each(|order| shop.order(order * 7));

    let orders = shop.orders.snapshot()?;
    let facade = facade_reader.snapshot().into_vec();
    let facade: Vec<_> =
        facade.into_iter().map(|(key, _, _, value)| (key.key().name().to_owned(), value)).collect();
    let mut old_text = String::new();
    encode(&mut old_text, &registry)?;
    let accepted = orders.orders.get(Outcome::Accepted).copied().unwrap_or_default();
    let declined = orders.orders.get(Outcome::Declined).copied().unwrap_or_default();
    assert_eq!(accepted + declined, sum_of(&facade, "shop_orders_total"));
    assert_eq!(orders.revenue_cents, sum_of(&facade, "shop_revenue_cents_total"));
    assert!(old_text.contains(&format!("shop_orders_total{{outcome=\"Accepted\"}} {accepted}\n")));
    println!("{accepted} accepted, {declined} declined, {} cents", orders.revenue_cents);

    // The series keep their names. Labels of an enum are written in snake case, and `namespace` is left out.
    let text = runtime.exposition_with(&ExpositionOptions::new().namespace_label(None))?.text;
    let of_shop = |line: &&str| line.starts_with("shop_") && !line.contains("_bucket");
    for line in text.lines().filter(of_shop) {
        println!("{line}");
    }
    runtime.shutdown()?;
    Ok(())
}
