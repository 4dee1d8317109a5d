//! Options from the variables of the environment that the specification names.
//!
//! <https://opentelemetry.io/docs/specs/otel/protocol/exporter/> and
//! <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>.

use std::env;
use std::ffi::OsString;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::{INTERVALS, METRICS_PATH, OtlpOptions, TIMEOUTS, Temporality, check_headers};
use crate::endpoint::Endpoint;
use crate::error::{OtlpError, invalid};

impl OtlpOptions {
    /// The defaults, changed by the variables of the environment that the specification names.
    ///
    /// An empty variable counts as not set. Of two variables in a row of the table, the first one wins. Methods that are called
    /// on the result win over the environment.
    ///
    /// | variable | option |
    /// |---|---|
    /// | `OTEL_EXPORTER_OTLP_METRICS_ENDPOINT` | [`metrics_endpoint`](Self::metrics_endpoint) |
    /// | `OTEL_EXPORTER_OTLP_ENDPOINT` | [`endpoint`](Self::endpoint) |
    /// | `OTEL_EXPORTER_OTLP_METRICS_HEADERS`, `OTEL_EXPORTER_OTLP_HEADERS`: `name=value,..`, percent-encoded | [`header`](Self::header) |
    /// | `OTEL_EXPORTER_OTLP_METRICS_TIMEOUT`, `OTEL_EXPORTER_OTLP_TIMEOUT`: milliseconds | [`timeout`](Self::timeout) |
    /// | `OTEL_EXPORTER_OTLP_METRICS_COMPRESSION`, `OTEL_EXPORTER_OTLP_COMPRESSION`: `gzip`, `none` | [`gzip`](Self::gzip) |
    /// | `OTEL_EXPORTER_OTLP_METRICS_PROTOCOL`, `OTEL_EXPORTER_OTLP_PROTOCOL`: `http/protobuf` | none: it is the only one |
    /// | `OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE`: `cumulative`, `delta`, `lowmemory` (as `delta`) | [`temporality`](Self::temporality) |
    /// | `OTEL_METRIC_EXPORT_INTERVAL`: milliseconds | [`interval`](Self::interval) |
    /// | `OTEL_SERVICE_NAME` | [`service_name`](Self::service_name) |
    /// | `OTEL_RESOURCE_ATTRIBUTES`: `name=value,..`, percent-encoded | [`resource_attribute`](Self::resource_attribute) |
    ///
    /// ```
    /// use mvx_metrics_otlp::OtlpOptions;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let options = OtlpOptions::from_env()?.service_name("shop.orders");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`OtlpError::InvalidOption`] names the variable and its value. Of headers it names the variable and the header.
    pub fn from_env() -> Result<Self, OtlpError> {
        Self::from_variables(|name| env::var_os(name))
    }

    /// The same, with a function that finds variables.
    pub(super) fn from_variables(find: impl Fn(&str) -> Option<OsString>) -> Result<Self, OtlpError> {
        let find = |name: &'static str| {
            let text = find(name).map(|value| match value.into_string() {
                Ok(text) => Ok((name, text.trim().to_owned())),
                Err(value) => Err(invalid(name, value.to_string_lossy(), "must be UTF-8")),
            });
            text.transpose().map(|found| found.filter(|(_, text)| !text.is_empty()))
        };
        let first_of = |own, general| find(own)?.map_or_else(|| find(general), |found| Ok(Some(found)));

        let mut options = Self::new();
        if let Some((name, url)) = find("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT")? {
            Endpoint::parse(name, &url, "")?;
            options.metrics_endpoint = Some(url);
        }
        if let Some((name, url)) = find("OTEL_EXPORTER_OTLP_ENDPOINT")? {
            Endpoint::parse(name, &url, METRICS_PATH)?;
            options.endpoint = url;
        }
        if let Some((name, text)) =
            first_of("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS")?
        {
            options.headers = pairs(&text).ok_or_else(|| invalid(name, "..", PAIRS))?;
            check_headers(name, &options.headers)?;
        }
        if let Some((name, text)) =
            first_of("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT")?
        {
            options.timeout =
                milliseconds(name, &text, &TIMEOUTS, "must be milliseconds, from 1 to 3600000")?;
        }
        if let Some((name, text)) =
            first_of("OTEL_EXPORTER_OTLP_METRICS_COMPRESSION", "OTEL_EXPORTER_OTLP_COMPRESSION")?
        {
            options.gzip = match &*text.to_ascii_lowercase() {
                "gzip" => true,
                "none" => false,
                _ => return Err(invalid(name, text, "must be `gzip` or `none`")),
            };
        }
        if let Some((name, text)) =
            first_of("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")?
            && text != "http/protobuf"
        {
            return Err(invalid(
                name,
                text,
                "must be `http/protobuf`, the only one that mvx-metrics-otlp has",
            ));
        }
        if let Some((name, text)) = find("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE")? {
            options.temporality = match &*text.to_ascii_lowercase() {
                "cumulative" => Temporality::Cumulative,
                "delta" | "lowmemory" => Temporality::Delta,
                _ => return Err(invalid(name, text, "must be `cumulative`, `delta` or `lowmemory`")),
            };
        }
        if let Some((name, text)) = find("OTEL_METRIC_EXPORT_INTERVAL")? {
            options.interval =
                milliseconds(name, &text, &INTERVALS, "must be milliseconds, from 10 to 86400000")?;
        }
        if let Some((name, text)) = find("OTEL_RESOURCE_ATTRIBUTES")? {
            let attributes = pairs(&text).ok_or_else(|| invalid(name, text, PAIRS))?;
            options.resource.extend(attributes);
        }
        if let Some((_, text)) = find("OTEL_SERVICE_NAME")? {
            options = options.service_name(text);
        }
        Ok(options)
    }
}

const PAIRS: &str = "must be `name=value,..`, percent-encoded";

/// Milliseconds within the range of an option.
fn milliseconds(
    name: &'static str,
    text: &str,
    range: &RangeInclusive<Duration>,
    problem: &'static str,
) -> Result<Duration, OtlpError> {
    match text.parse().map(Duration::from_millis) {
        Ok(time) if range.contains(&time) => Ok(time),
        _ => Err(invalid(name, text, problem)),
    }
}

/// The pairs of `name=value,..`; empty parts do not count.
fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    let pair = |part: &str| {
        let (name, value) = part.split_once('=')?;
        let name = percent_decoded(name.trim())?;
        Some((name, percent_decoded(value.trim())?)).filter(|(name, _)| !name.is_empty())
    };
    parts.map(pair).collect()
}

/// The text with `%20` and the like decoded; `None` when a `%` begins no byte, or the bytes are no UTF-8.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut parts = text.split('%');
    bytes.extend_from_slice(parts.next()?.as_bytes());
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}
