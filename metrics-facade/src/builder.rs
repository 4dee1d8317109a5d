//! The options of a recorder, and its creation.

use std::collections::HashMap;
use std::sync::Arc;

use mvx_metrics::{LogPolicy, MetricsRuntime, RecorderOptions};

use crate::error::FacadeError;
use crate::family::{MAX_LABEL_NAMES, MAX_TEXT_BYTES};
use crate::recorder::FacadeRecorder;
use crate::registry::{FacadeMetric, Options, Registry};

/// The id of the recorder in its runtime, unless the builder has another one.
const DEFAULT_ID: &str = "facade";
const DEFAULT_LIMIT: usize = 1_000;
/// What totals take of a breakdown that declares no limit.
const MAX_LIMIT: usize = 65_536;
/// The totals of a namespace take 4,096 metrics. The rest is for those of the program.
const MAX_NAMES: usize = 4_000;
const DEFAULT_MAX_NAMES: usize = 1_000;
/// The most bounds of a histogram.
const MAX_BOUNDS: usize = 1_024;

/// The options of a [`FacadeRecorder`].
///
/// ```
/// use mvx_metrics::MetricsRuntime;
/// use mvx_metrics_facade::FacadeRecorder;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runtime = MetricsRuntime::new("example")?;
/// runtime.start()?;
/// FacadeRecorder::builder()
///     .limit(100)
///     .labels("http_requests", ["method", "status"])
///     .buckets("http_request_seconds", [0.01, 0.1, 1.0])
///     .install(&runtime)?;
/// metrics::counter!("http_requests", "method" => "GET", "status" => "200").increment(1);
/// # runtime.shutdown()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct FacadeBuilder {
    id: String,
    namespace: Option<String>,
    limit: usize,
    max_names: usize,
    labels: HashMap<String, Vec<String>>,
    buckets: HashMap<String, Vec<f64>>,
}

impl Default for FacadeBuilder {
    fn default() -> Self {
        Self {
            id: DEFAULT_ID.to_owned(),
            namespace: None,
            limit: DEFAULT_LIMIT,
            max_names: DEFAULT_MAX_NAMES,
            labels: HashMap::new(),
            buckets: HashMap::new(),
        }
    }
}

impl FacadeRecorder {
    /// The options of a recorder, with their defaults.
    pub fn builder() -> FacadeBuilder {
        FacadeBuilder::default()
    }
}

impl FacadeBuilder {
    /// The id of the recorder in its runtime, which no other recorder there has. By default `facade`.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = id.into();
        self
    }

    /// The namespace of the metrics. By default that of the runtime.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// How many label sets of one name have values of their own: 1 to 65,536, by default 1,000. All further ones share the label `other`.
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// How many names there may be, of counters, gauges and histograms together: 1 to 4,000, by default 1,000. A name that is only
    /// described is one, too. What comes under further names is not recorded. The metric `facade` counts it.
    pub fn max_names(mut self, names: usize) -> Self {
        self.max_names = names;
        self
    }

    /// The labels of the metrics of this name, up to 32.
    ///
    /// Without this option a metric has the labels of the series that were there when it was first read. Later ones are lost: their
    /// values count for the series without them.
    pub fn labels<L: Into<String>>(
        mut self,
        name: impl Into<String>,
        labels: impl IntoIterator<Item = L>,
    ) -> Self {
        self.labels.insert(name.into(), labels.into_iter().map(Into::into).collect());
        self
    }

    /// The upper bounds of the buckets of the histogram of this name, up to 1,024. A last bucket has no bound.
    ///
    /// Without this option the buckets are [exponential](mvx_metrics::Histogram#how-many-buckets), at most 160. Each call that builds a
    /// recorder keeps the bounds for the life of the process.
    pub fn buckets(mut self, name: impl Into<String>, bounds: impl IntoIterator<Item = f64>) -> Self {
        self.buckets.insert(name.into(), bounds.into_iter().collect());
        self
    }

    /// Creates a recorder in the runtime, for [`metrics::with_local_recorder`], or for a recorder of your own that passes calls on.
    ///
    /// # Errors
    ///
    /// When an option is out of range, the runtime is not running, or the id is in use.
    pub fn build(self, runtime: &MetricsRuntime) -> Result<FacadeRecorder, FacadeError> {
        self.check()?;
        let buckets = self.buckets.into_iter().map(|(name, bounds)| (name, &*bounds.leak())).collect();
        let registry = Arc::new(Registry::new(Options {
            limit: self.limit,
            max_names: self.max_names,
            labels: self.labels,
            buckets,
            logs: runtime.log_policy() != LogPolicy::Silent,
        }));
        let options = RecorderOptions::new().namespace(self.namespace.unwrap_or_default());
        let recorder = runtime.create_recorder_with(&self.id, options).map_err(FacadeError::Runtime)?;
        if let Err(error) = recorder.register_metric(FacadeMetric(Arc::clone(&registry))) {
            remove(runtime, &self.id);
            return Err(FacadeError::Recorder(error));
        }
        Ok(FacadeRecorder(registry))
    }

    /// Creates a recorder in the runtime, and makes it the recorder of the process, to which the macros of all libraries go.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build), and when the process has a recorder already. Then the runtime has none that was added here.
    pub fn install(self, runtime: &MetricsRuntime) -> Result<FacadeRecorder, FacadeError> {
        let id = self.id.clone();
        let facade = self.build(runtime)?;
        if metrics::set_global_recorder(facade.clone()).is_err() {
            remove(runtime, &id);
            return Err(FacadeError::AlreadyInstalled);
        }
        Ok(facade)
    }

    fn check(&self) -> Result<(), FacadeError> {
        let invalid = |option, problem| Err(FacadeError::InvalidOption { option, problem });
        for (option, value, max) in
            [("limit", self.limit, MAX_LIMIT), ("max_names", self.max_names, MAX_NAMES)]
        {
            if !(1..=max).contains(&value) {
                return invalid(option, format!("must be 1 to {max}, and is {value}"));
            }
        }
        for (name, labels) in &self.labels {
            if labels.len() > MAX_LABEL_NAMES {
                let count = labels.len();
                return invalid("labels", format!("of `{name}` are {count}, and may be {MAX_LABEL_NAMES}"));
            }
            for (position, label) in labels.iter().enumerate() {
                if label.len() > MAX_TEXT_BYTES || labels[..position].contains(label) {
                    return invalid("labels", format!("of `{name}` has `{label}` twice, or it is too long"));
                }
            }
        }
        for (name, bounds) in &self.buckets {
            let is_ascending = bounds.is_sorted_by(|lower, upper| lower < upper);
            let is_finite = bounds.iter().all(|bound| bound.is_finite());
            if bounds.is_empty() || bounds.len() > MAX_BOUNDS || !is_ascending || !is_finite {
                let problem =
                    format!("of `{name}` must be 1 to {MAX_BOUNDS} finite numbers in ascending order");
                return invalid("buckets", problem);
            }
        }
        Ok(())
    }
}

/// Removes a recorder that is of no use. It has no events, so its stop loses nothing.
fn remove(runtime: &MetricsRuntime, id: &str) {
    let _ = runtime.stop_and_remove_recorder(id);
}
