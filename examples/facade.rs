//! Metrics of libraries that use the facade `metrics`, beside the program's own.
//!
//! Run with `cargo run --example facade`. A library counts with the macros of the facade, and knows nothing of this one. The program
//! installs a recorder for them. Then one text has both: `shop_orders_total` from events, and the library's `cache_..` from macros.

use std::error::Error;
use std::time::Duration;

use mvx_metrics::export::Format;
use mvx_metrics::{Counter, Metric, MetricsRuntime, Scope, metric_event};
use mvx_metrics_facade::FacadeRecorder;

/// Some library.
mod cache {
    use std::time::Duration;

    use metrics::{Unit, counter, describe_counter, describe_histogram, gauge, histogram};

    pub fn describe() {
        describe_counter!("cache_requests", "Look-ups.");
        describe_histogram!("cache_load_duration", Unit::Seconds, "How long loading took.");
    }

    pub fn get(key: &str, loaded: Option<Duration>) {
        let outcome = if loaded.is_none() { "hit" } else { "miss" };
        counter!("cache_requests", "outcome" => outcome, "key" => key.to_owned()).increment(1);
        if let Some(loaded) = loaded {
            histogram!("cache_load_duration").record(loaded);
            gauge!("cache_entries").increment(1);
        }
    }
}

#[metric_event]
struct Ordered;

/// Orders of the shop.
#[derive(Metric, Default)]
#[metric(name = "shop", on(Ordered))]
struct Shop {
    /// All orders.
    orders: Counter,
}

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = MetricsRuntime::new("example.shop")?;
    runtime.start()?;
    // Keys come from users, so at most two of them have series of their own.
    FacadeRecorder::builder().limit(2).buckets("cache_load_duration", [0.2, 0.4, 0.8]).install(&runtime)?;
    let recorder = runtime.create_recorder("shop")?;
    recorder.metric::<Shop>()?;

    cache::describe();
    for (key, millis) in [("apple", Some(125)), ("apple", None), ("pear", Some(500)), ("plum", Some(250))] {
        recorder.emit(Ordered);
        cache::get(key, millis.map(Duration::from_millis));
    }

    let text = runtime.exposition(Scope::Rollup, Format::Prometheus)?.text;
    // The library's own series, about its recorders and metrics, are left out.
    for line in text.lines().filter(|line| line.starts_with("cache_") || line.starts_with("shop_orders")) {
        println!("{line}");
    }
    runtime.shutdown()?;
    Ok(())
}
