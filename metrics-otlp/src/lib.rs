//! Pushes the metrics of [`mvx-metrics`](mvx_metrics) to an OpenTelemetry collector, as
//! [OTLP](https://opentelemetry.io/docs/specs/otlp/) over HTTP.
//!
//! ```
//! use std::time::Duration;
//!
//! use mvx_metrics::{Counter, Metric, MetricsRuntime, metric_event};
//! use mvx_metrics_otlp::{OtlpOptions, OtlpPusher};
//!
//! #[metric_event]
//! struct Sold {
//!     cents: u64,
//! }
//!
//! #[derive(Metric, Default)]
//! #[metric(name = "shop.sales", on(Sold))]
//! struct Sales {
//!     count: Counter,
//!     #[dimension(add = cents)]
//!     cents: Counter,
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let collector = mvx_metrics_tests::collector::FakeCollector::accepting();
//! # let url = collector.url();
//! let runtime = MetricsRuntime::new("shop")?;
//! runtime.start()?;
//! let recorder = runtime.create_recorder("counter-1")?;
//! recorder.metric::<Sales>()?;
//!
//! let options = OtlpOptions::new().endpoint(url).interval(Duration::from_secs(10));
//! let pusher = OtlpPusher::start(&runtime, options)?;
//! recorder.emit(Sold { cents: 250 });
//!
//! // All events are in the final state, and the last push has it.
//! runtime.shutdown()?;
//! let stats = pusher.shutdown(Duration::from_secs(5))?;
//! assert_eq!((stats.pushes, stats.failures), (1, 0));
//! # Ok(())
//! # }
//! ```
//!
//! * [`OtlpPusher`] pushes in a thread of its own, and [`OtlpOptions`] says what, where to and how often. An `emit` never waits
//!   for it.
//! * [`PushStats`] counts what arrived and what did not, and [`OtlpError`] says why.
//! * [`Encoder`] makes the requests alone, for a transport of your own.
//!
//! # What an answer does
//!
//! | answer | what the pusher does | counted as |
//! |---|---|---|
//! | 2xx | the request is delivered | [`points`](PushStats::points) |
//! | 2xx with a partial success | delivered; the rejected points are not sent again; [`push`](OtlpPusher::push) returns [`Rejected`](OtlpError::Rejected) | [`rejected_points`](PushStats::rejected_points) |
//! | 2xx with a body that is garbage, broken off, without an end, or above 4 MiB | delivered, because the status says so | [`unreadable_answers`](PushStats::unreadable_answers) |
//! | 429, 502, 503, 504; no connection; no HTTP; no answer in time | the same request again, after a pause or what `Retry-After` says, while the push has time | [`retries`](PushStats::retries) |
//! | `Retry-After` beyond the end of the push | the push ends; those of the schedule within the pause, at most 5 minutes, are left out | [`skipped`](PushStats::skipped) |
//! | 413 | the request is divided into halves, and later requests stay as small; below 16 KiB the push ends | [`too_large`](PushStats::too_large) |
//! | 400 | the request is given up, the other requests of the push are sent | [`undelivered_points`](PushStats::undelivered_points) |
//! | 3xx, other 4xx and 5xx | the push ends; redirects are not followed, because headers may have secrets | [`failures`](PushStats::failures) |
//!
//! With [`Temporality::Cumulative`] a push that does not arrive loses nothing. With [`Temporality::Delta`] a delta that did not
//! arrive is part of the next one. An answer that came too late, or got lost, may belong to a request that the collector has
//! taken. It is then sent twice: cumulative numbers do not change by it, deltas count twice there.
//!
//! # What is logged
//!
//! Through `tracing`, with the target `mvx_metrics_otlp`, and nothing where the runtime's policy is
//! [`Silent`](mvx_metrics::LogPolicy::Silent). All lines have `event`, `namespace` and `collector`, which is host and port.
//!
//! | `event` | when | further fields |
//! |---|---|---|
//! | `metrics_otlp.push` at WARN, `phase = "failed"` | a push fails in another way than the one before | `reason`, `error` |
//! | `metrics_otlp.push` at INFO, `phase = "success"` | a push arrives after others had failed | `failed_pushes` |
//! | `metrics_otlp.partial_success` at WARN | the collector begins to reject points, or to warn | `rejected_points`, `error` |
//! | `metrics_otlp.unreadable_answer` at WARN | an answer cannot be read; once | `error` |
//! | `metrics_otlp.left_out` at WARN | a push lacks a dimension; once each, up to 1,000 | `error` |
//! | `metrics_otlp.shutdown` at INFO or WARN | the pusher ends, after its last push | `phase`, `reason`, `error` |
//!
//! # Features
//!
//! | feature | adds |
//! |---|---|
//! | `tls` | endpoints that begin with `https://`, with the certificates of the operating system; depends on rustls and ring |

#![cfg_attr(docsrs, feature(doc_cfg))]

mod answer;
mod client;
mod deadline;
mod encoder;
mod endpoint;
mod error;
mod options;
mod pusher;
mod stats;

pub use encoder::{Encoder, LeftOutDimension, Request, Requests};
pub use error::OtlpError;
pub use options::{OtlpOptions, Temporality};
pub use pusher::OtlpPusher;
pub use stats::PushStats;

/// The program of the README compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
