//! The helpers of these tests.

use mvx_metrics::export::Format;
use mvx_metrics::{DimensionValue, MetricSnapshot, MetricsRuntime, Scope, Totals};
use mvx_metrics_facade::{FacadeBuilder, FacadeRecorder};

/// A running runtime with a recorder for the facade.
pub fn facade(options: impl FnOnce(FacadeBuilder) -> FacadeBuilder) -> (MetricsRuntime, FacadeRecorder) {
    let runtime = mvx_metrics_tests::running_runtime("shop");
    let facade = options(FacadeRecorder::builder()).build(&runtime).expect("the options are valid");
    (runtime, facade)
}

/// What libraries do, with this recorder for their macros.
pub fn with<T>(facade: &FacadeRecorder, library: impl FnOnce() -> T) -> T {
    metrics::with_local_recorder(facade, library)
}

pub fn totals(runtime: &MetricsRuntime) -> Totals {
    runtime.totals(Scope::Rollup).expect("totals are read")
}

/// A metric of the rollup.
pub fn metric(runtime: &MetricsRuntime, name: &str) -> Option<MetricSnapshot> {
    totals(runtime).groups[0].metrics.get(name).cloned()
}

/// The value of a metric in the rollup, as JSON.
pub fn json(runtime: &MetricsRuntime, name: &str) -> String {
    let metric = metric(runtime, name).unwrap_or_else(|| panic!("no metric {name}"));
    let value = metric.get("").unwrap_or(&DimensionValue::Empty);
    serde_json::to_string(value).expect("it is written")
}

/// What the recorder counted of this problem.
pub fn problem(runtime: &MetricsRuntime, name: &str) -> u64 {
    let own = metric(runtime, "facade").expect("it is registered");
    own.get(name).and_then(DimensionValue::as_u64).expect("a count")
}

pub fn text(runtime: &MetricsRuntime) -> String {
    runtime.exposition(Scope::Rollup, Format::Prometheus).expect("it is rendered").text
}

/// The lines of the text that start so.
pub fn lines(runtime: &MetricsRuntime, start: &str) -> Vec<String> {
    text(runtime).lines().filter(|line| line.starts_with(start)).map(str::to_owned).collect()
}
