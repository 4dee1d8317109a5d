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

    /// Whether counts are those since the start, or those since the push before.
    pub fn temporality(mut self, temporality: Temporality) -> Self {
        self.temporality = temporality;
        self
    }

    /// The attribute `service.name` of the resource.
    pub fn service_name(self, name: impl Into<String>) -> Self {
        self.resource_attribute("service.name", name)
    }

    /// An attribute of the resource. It replaces an earlier one, and a constant label, of the same name.
    pub fn resource_attribute(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.resource.insert(name.into(), value.into());
        self
    }

    /// The size of a request before its compression, in bytes. Larger totals are pushed as several requests, one after the other.
    pub fn max_request_size(mut self, bytes: usize) -> Self {
        self.max_request_size = bytes;
        self
    }
}
