//! Hooks open a publisher, feed it and close it; production code knows nothing of it.
//!
//! Run with `cargo run --example custom_hooks`. A shop sells three things. The program prints what the publisher saw:
//! its opening, the state of the metric after each sale, and its closing. The same follows for a second run of the
//! recorder. At last a publisher cannot be opened: the recorder is not created, and the error says why.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use mvx_metrics::{
    Counter, HookError, Metric, MetricChange, MetricsRecorder, MetricsRuntime, RecorderHooks,
    RecorderOptions, Sum, metric_event,
};

#[metric_event(name = "shop.sale")]
struct Sale {
    item: &'static str,
    cents: u64,
}

/// The sales of a shop.
#[derive(Metric, Default)]
#[metric(name = "shop.sales", on(Sale))]
struct Sales {
    /// All sales.
    total: Counter,
    #[dimension(value = cents, unit = "cents")]
    revenue: Sum<u64>,
}

/// The other end of the publisher's connection: here a list of lines, elsewhere a message broker.
#[derive(Clone, Default)]
struct Broker {
    lines: Arc<Mutex<Vec<String>>>,
}

impl Broker {
    fn receive(&self, line: String) {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.lines.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Publishes every change of a metric. Its hooks run one after the other, and never on a thread that sells.
struct Publisher {
    broker: Broker,
    address: &'static str,
    /// How many changes were published since the publisher was opened; `None` while it is closed.
    published: Mutex<Option<u64>>,
}

impl Publisher {
    fn new(broker: &Broker, address: &'static str) -> Self {
        Self { broker: broker.clone(), address, published: Mutex::new(None) }
    }

    fn set_published(&self, count: Option<u64>) -> Option<u64> {
        std::mem::replace(&mut *self.published.lock().unwrap_or_else(PoisonError::into_inner), count)
    }
}

impl RecorderHooks for Publisher {
    async fn on_starting(&self) -> Result<(), HookError> {
        if self.address.is_empty() {
            return Err("the publisher has no address".into());
        }
        self.set_published(Some(0));
        self.broker.receive(format!("opened {}", self.address));
        Ok(())
    }

    async fn on_metric_changed(&self, change: MetricChange<'_>) -> Result<(), HookError> {
        let sale = change.event().downcast_ref::<Sale>().map_or("something", |sale| sale.item);
        let sales = change.typed_snapshot::<Sales>().ok_or("only sales are published")?;
        let line = format!(
            "{} of {} after {sale}: {} sold for {} cents",
            change.metric_name(),
            change.entity_id(),
            sales.total,
            sales.revenue,
        );
        // The next event is not applied before the hook has ended, so a hook may take its time.
        tokio::task::yield_now().await;
        let published = self.set_published(None).ok_or("the publisher is closed")?;
        self.broker.receive(line);
        self.set_published(Some(published + 1));
        Ok(())
    }

    async fn on_stopped(&self) -> Result<(), HookError> {
        // After a failed start this runs as cleanup, and there is nothing to close.
        if let Some(published) = self.set_published(None) {
            self.broker.receive(format!("closed {} after {published} changes", self.address));
        }
        Ok(())
    }
}

fn sell(recorder: &MetricsRecorder, item: &'static str, cents: u64) {
    recorder.emit(Sale { item, cents });
}

fn show(run: &str, broker: &Broker) {
    println!("{run}:");
    for line in broker.take() {
        println!("  {line}");
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = MetricsRuntime::new("example.metrics")?;
    runtime.start()?;
    let broker = Broker::default();

    let options = RecorderOptions::new().hooks(Publisher::new(&broker, "broker.example:9000"));
    let recorder = runtime.create_recorder_with("shop", options)?;
    recorder.metric::<Sales>()?;
    sell(&recorder, "bread", 450);
    sell(&recorder, "milk", 120);
    // Processes the events that were accepted, with their hooks, before it closes the publisher.
    runtime.stop_recorder("shop")?;
    show("first run", &broker);

    // Metrics keep their state over a restart.
    recorder.start().wait()?;
    sell(&recorder, "eggs", 300);
    runtime.stop_and_remove_recorder("shop")?;
    show("second run", &broker);

    let options = RecorderOptions::new().hooks(Publisher::new(&broker, ""));
    if let Err(error) = runtime.create_recorder_with("kiosk", options) {
        println!("without an address: {}", error.reason());
        let mut cause = error.source();
        while let Some(error) = cause {
            println!("  because {error}");
            cause = error.source();
        }
    }
    runtime.shutdown()?;
    Ok(())
}
