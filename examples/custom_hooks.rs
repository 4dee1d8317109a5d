//! Hooks open and close a publisher, and a change listener feeds it; production code knows nothing of it.
//!
//! Run with `cargo run --example custom_hooks`. A shop sells three things. The program prints what the publisher saw:
//! its opening, the state of the metric after each sale, and its closing. The hooks of the runtime, which all recorders
//! have, add who has stopped. The same follows for a second run of the recorder. At last a publisher cannot be opened: the
//! recorder is not created, and the error says why.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use mvx_metrics::{
    ChangeListener, Counter, HookError, Metric, MetricChange, MetricsRecorder, MetricsRuntime,
    RecorderContext, RecorderHooks, RecorderOptions, Sum, metric_event,
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

/// Publishes every change of a metric. Its calls run one after the other, and never on a thread that sells.
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

    /// Options with this publisher as hooks, which open and close it, and as listener, which feeds it.
    fn options(self) -> RecorderOptions {
        let publisher = Arc::new(self);
        RecorderOptions::new().hooks(Arc::clone(&publisher)).change_listener(publisher)
    }

    fn set_published(&self, count: Option<u64>) -> Option<u64> {
        std::mem::replace(&mut *self.published.lock().unwrap_or_else(PoisonError::into_inner), count)
    }
}

impl RecorderHooks for Publisher {
    async fn on_starting(&self, recorder: RecorderContext<'_>) -> Result<(), HookError> {
        if self.address.is_empty() {
            return Err("the publisher has no address".into());
        }
        self.set_published(Some(0));
        self.broker.receive(format!("opened {} for {}", self.address, recorder.entity_id()));
        Ok(())
    }

    async fn on_stopped(&self, recorder: RecorderContext<'_>) -> Result<(), HookError> {
        // After a failed start this runs as cleanup, and there is nothing to close.
        if let Some(published) = self.set_published(None) {
            let sales = recorder.metric_snapshot::<Sales>()?.ok_or("sales are measured")?;
            self.broker.receive(format!("closed after {published} changes, {} sold in all", sales.total));
        }
        Ok(())
    }
}

impl ChangeListener for Publisher {
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
        // The next event is not applied before the call has ended, so it may take its time.
        tokio::task::yield_now().await;
        let published = self.set_published(None).ok_or("the publisher is closed")?;
        self.broker.receive(line);
        self.set_published(Some(published + 1));
        Ok(())
    }
}

/// Logs the stop of each recorder of the runtime.
struct StopLog(Broker);

impl RecorderHooks for StopLog {
    async fn on_stopped(&self, recorder: RecorderContext<'_>) -> Result<(), HookError> {
        let id = recorder.recorder_id().unwrap_or("a direct recorder");
        self.0.receive(format!("log: {id} has stopped after {} events", recorder.stats().processed));
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
    let broker = Broker::default();
    let runtime = MetricsRuntime::builder("example.metrics").hooks(StopLog(broker.clone())).build()?;
    runtime.start()?;

    let options = Publisher::new(&broker, "broker.example:9000").options();
    let recorder = runtime.create_recorder_with("shop", options)?;
    recorder.metric::<Sales>()?;
    sell(&recorder, "bread", 450);
    sell(&recorder, "milk", 120);
    // Processes the events that were accepted, and publishes their changes, before it closes the publisher.
    runtime.stop_recorder("shop")?;
    show("first run", &broker);

    // Metrics keep their state over a restart.
    recorder.start().wait()?;
    sell(&recorder, "eggs", 300);
    runtime.stop_and_remove_recorder("shop")?;
    show("second run", &broker);

    if let Err(error) = runtime.create_recorder_with("kiosk", Publisher::new(&broker, "").options()) {
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
