//! Pushes the metrics of `mvx-metrics` to an OpenTelemetry collector, as OTLP over HTTP.

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
