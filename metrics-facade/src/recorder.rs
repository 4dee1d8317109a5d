//! The recorder, as the facade sees it.

use std::fmt;
use std::sync::Arc;

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};

use crate::registry::Registry;

/// A recorder for the facade `metrics`, which shows in a [`MetricsRuntime`](mvx_metrics::MetricsRuntime) what is recorded through it.
///
/// Clones are one recorder. Its values stay in the totals of the runtime also when all clones are dropped, and handles that the macros have
/// made stay valid. After the runtime's shutdown the totals stay as they were then.
///
/// ```
/// use mvx_metrics::{MetricsRuntime, Scope};
/// use mvx_metrics_facade::FacadeRecorder;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runtime = MetricsRuntime::new("example")?;
/// runtime.start()?;
/// let facade = FacadeRecorder::builder().build(&runtime)?;
/// metrics::with_local_recorder(&facade, || {
///     metrics::counter!("requests", "method" => "GET").increment(2);
/// });
/// let totals = runtime.totals(Scope::Rollup)?;
/// let requests = totals.groups[0].metrics.get("requests").and_then(|requests| requests.get(""));
/// assert_eq!(serde_json::to_string(&requests)?, r#"{"GET":2}"#);
/// runtime.shutdown()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct FacadeRecorder(pub(crate) Arc<Registry>);

impl fmt::Debug for FacadeRecorder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("FacadeRecorder").finish_non_exhaustive()
    }
}

impl Recorder for FacadeRecorder {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.0.describe(&self.0.counters, key.as_str(), unit, &description);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.0.describe(&self.0.gauges, key.as_str(), unit, &description);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.0.describe(&self.0.histograms, key.as_str(), unit, &description);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.0.cell(&self.0.counters, key).map_or_else(Counter::noop, Counter::from_arc)
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        self.0.cell(&self.0.gauges, key).map_or_else(Gauge::noop, Gauge::from_arc)
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        self.0.cell(&self.0.histograms, key).map_or_else(Histogram::noop, Histogram::from_arc)
    }
}
