//! Pushes the metrics of `mvx-metrics` to an OpenTelemetry collector, as OTLP over HTTP.

mod encoder;
mod options;
mod pusher;

pub use encoder::{Encoder, LeftOutDimension, Request, Requests};
pub use options::{OtlpOptions, Temporality};
pub use pusher::{OtlpError, OtlpPusher, PushStats};
