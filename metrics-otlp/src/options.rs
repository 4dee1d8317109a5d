//! The options of a push. Branch `push` writes this file; `encode` reads the fields below.

use std::collections::BTreeMap;
use std::time::Duration;

use mvx_metrics::Scope;

/// Whether a push has the counts since the start or since the push before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Temporality {
    /// The counts since the start.
    #[default]
    Cumulative,
    /// The counts since the last push that the collector has taken.
    Delta,
}

/// What is pushed, where to and how often.
#[derive(Debug, Clone)]
#[must_use]
pub struct OtlpOptions {
    pub(crate) endpoint: String,
    pub(crate) interval: Duration,
    pub(crate) temporality: Temporality,
    pub(crate) scope: Scope,
    /// Attributes of the resource, `service.name` and `service.instance.id` among them where they were set.
    pub(crate) resource: BTreeMap<String, String>,
    pub(crate) max_request_size: usize,
}

impl OtlpOptions {
    /// The defaults of the specification.
    pub fn new() -> Self {
        Self {
            endpoint: "http://localhost:4318".to_owned(),
            interval: Duration::from_secs(60),
            temporality: Temporality::default(),
            scope: Scope::default(),
            resource: BTreeMap::new(),
            max_request_size: 4 << 20,
        }
    }
}
