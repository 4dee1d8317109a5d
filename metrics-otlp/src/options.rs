//! The options of a push.

mod environment;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use mvx_metrics::Scope;

use crate::endpoint::{Endpoint, shown};
use crate::error::{OtlpError, invalid};

const INTERVALS: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_hours(24);
const TIMEOUTS: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_hours(1);
const REQUEST_SIZES: RangeInclusive<usize> = 1 << 10..=64 << 20;
/// Headers that the pusher writes itself, or that would change what a request is.
const RESERVED_HEADERS: [HeaderName; 7] = [
    header::CONNECTION,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::HOST,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Whether a push has the counts since the start, or those since the push before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Temporality {
    /// The counts since the start. A push that does not arrive loses nothing: the next one has it.
    #[default]
    Cumulative,
    /// The counts since the last push that the collector has taken. Gauges and numbers that fall stay cumulative.
    Delta,
}

/// What is pushed, where to, and how often.
///
/// The defaults are those of the [specification](https://opentelemetry.io/docs/specs/otel/protocol/exporter/), with gzip.
/// [`OtlpPusher::start`](crate::OtlpPusher::start) checks the values.
///
/// | option | default | allowed |
/// |---|---|---|
/// | [`endpoint`](Self::endpoint) | `http://localhost:4318` | `http://`; `https://` with the feature `tls` |
/// | [`interval`](Self::interval) | 60 s | 10 ms to 24 h |
/// | [`timeout`](Self::timeout) | 10 s | 1 ms to 1 h |
/// | [`gzip`](Self::gzip) | `true` | |
/// | [`temporality`](Self::temporality) | [`Cumulative`](Temporality::Cumulative) | |
/// | [`scope`](Self::scope) | [`Scope::Rollup`] | |
/// | [`header`](Self::header) | none | any but those that the pusher writes |
/// | [`service_name`](Self::service_name) | the runtime's namespace | |
/// | [`resource_attribute`](Self::resource_attribute) | the runtime's constant labels | |
/// | [`max_request_size`](Self::max_request_size) | 4 MiB | 1 KiB to 64 MiB |
///
/// ```
/// use std::time::Duration;
///
/// use mvx_metrics::Scope;
/// use mvx_metrics_otlp::{OtlpOptions, Temporality};
///
/// let options = OtlpOptions::new()
///     .endpoint("http://collector.example:4318")
///     .header("Authorization", "Bearer 1234")
///     .interval(Duration::from_secs(10))
///     .temporality(Temporality::Delta)
///     .scope(Scope::PerEntity)
///     .service_name("shop.orders")
///     .resource_attribute("deployment.environment.name", "test");
/// assert!(!format!("{options:?}").contains("1234"), "values of headers are not shown");
/// ```
#[derive(Clone)]
#[must_use]
pub struct OtlpOptions {
    pub(crate) endpoint: String,
    /// The whole URL, in place of the one made from `endpoint`.
    metrics_endpoint: Option<String>,
    headers: Vec<(String, String)>,
    pub(crate) interval: Duration,
    pub(crate) timeout: Duration,
    pub(crate) gzip: bool,
    pub(crate) temporality: Temporality,
    pub(crate) scope: Scope,
    /// Attributes of the resource, `service.name` and `service.instance.id` among them where they were set.
    pub(crate) resource: BTreeMap<String, String>,
    pub(crate) max_request_size: usize,
}

impl OtlpOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self {
            endpoint: "http://localhost:4318".to_owned(),
            metrics_endpoint: None,
            headers: Vec::new(),
            interval: Duration::from_mins(1),
            timeout: Duration::from_secs(10),
            gzip: true,
            temporality: Temporality::default(),
            scope: Scope::default(),
            resource: BTreeMap::new(),
            max_request_size: 4 << 20,
        }
    }

    /// The base URL of the collector, such as `http://localhost:4318`. `/v1/metrics` is appended to its path. It replaces an
    /// earlier [`metrics_endpoint`](Self::metrics_endpoint).
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = url.into();
        self.metrics_endpoint = None;
        self
    }

    /// The whole URL to which metrics are posted. It replaces an earlier [`endpoint`](Self::endpoint), and nothing is appended.
    pub fn metrics_endpoint(mut self, url: impl Into<String>) -> Self {
        self.metrics_endpoint = Some(url.into());
        self
    }

    /// A header of all requests, such as `Authorization`. A later one of the same name replaces it.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The time from the begin of a push to the begin of the next one.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// How long one request may take: connecting, sending, and reading the answer. Also how long
    /// [`push`](crate::OtlpPusher::push) waits, with all requests and retries.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Whether requests above 1 KiB are compressed.
    pub fn gzip(mut self, gzip: bool) -> Self {
        self.gzip = gzip;
        self
    }

    /// Whether counts are those since the start, or those since the push before.
    pub fn temporality(mut self, temporality: Temporality) -> Self {
        self.temporality = temporality;
        self
    }

    /// Which recorders share their numbers.
    pub fn scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
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

    /// Checks all values. The headers are those of every request.
    pub(crate) fn check(&self) -> Result<(Endpoint, HeaderMap), OtlpError> {
        let endpoint = match &self.metrics_endpoint {
            Some(url) => Endpoint::parse("metrics_endpoint", url, "")?,
            None => Endpoint::parse("endpoint", &self.endpoint, METRICS_PATH)?,
        };
        let is_tls_missing = endpoint.is_secure && !cfg!(feature = "tls");
        if is_tls_missing {
            let option = if self.metrics_endpoint.is_some() { "metrics_endpoint" } else { "endpoint" };
            return Err(invalid(option, endpoint.url(), "https needs the feature `tls` of mvx-metrics-otlp"));
        }
        check_range("interval", &self.interval, &INTERVALS, "must be from 10 ms to 24 h")?;
        check_range("timeout", &self.timeout, &TIMEOUTS, "must be from 1 ms to 1 h")?;
        let size = &self.max_request_size;
        check_range("max_request_size", size, &REQUEST_SIZES, "must be from 1 KiB to 64 MiB")?;
        if self.resource.contains_key("") {
            return Err(invalid("resource_attribute", "", "must have a name"));
        }
        Ok((endpoint, check_headers("header", &self.headers)?))
    }
}

/// Appended to the path of a base URL.
const METRICS_PATH: &str = "/v1/metrics";

impl Default for OtlpOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for OtlpOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<_> = self.headers.iter().map(|(name, _)| shown_name(name)).collect();
        formatter
            .debug_struct("OtlpOptions")
            .field("endpoint", &shown(&self.endpoint))
            .field("metrics_endpoint", &self.metrics_endpoint.as_deref().map(shown))
            .field("headers", &headers)
            .field("interval", &self.interval)
            .field("timeout", &self.timeout)
            .field("gzip", &self.gzip)
            .field("temporality", &self.temporality)
            .field("scope", &self.scope)
            .field("resource", &self.resource)
            .field("max_request_size", &self.max_request_size)
            .finish()
    }
}

fn check_range<T: PartialOrd + fmt::Debug>(
    option: &'static str,
    value: &T,
    range: &RangeInclusive<T>,
    problem: &'static str,
) -> Result<(), OtlpError> {
    if range.contains(value) { Ok(()) } else { Err(invalid(option, format!("{value:?}"), problem)) }
}

/// The name of a header as messages show it. Of `Authorization: Bearer 1234` in its place, they show no more than the first word.
fn shown_name(name: &str) -> Cow<'_, str> {
    let is_of_name = |character: char| character.is_ascii_alphanumeric() || ['-', '_'].contains(&character);
    match name.trim().split_once(|character| !is_of_name(character)) {
        Some((first, _)) => format!("{first}..").into(),
        None => name.into(),
    }
}

/// The headers as HTTP has them. Errors show names alone.
fn check_headers(option: &'static str, headers: &[(String, String)]) -> Result<HeaderMap, OtlpError> {
    let mut checked = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let problem = |problem| invalid(option, shown_name(name), problem);
        let key = HeaderName::try_from(name.trim())
            .map_err(|_| problem("a name of a header has letters, digits and `-`"))?;
        if RESERVED_HEADERS.contains(&key) {
            return Err(problem("the pusher writes this header itself"));
        }
        let mut value = HeaderValue::try_from(value.trim())
            .map_err(|_| problem("a value of a header has no control characters"))?;
        value.set_sensitive(true);
        checked.insert(key, value);
    }
    Ok(checked)
}

#[cfg(test)]
mod tests;
