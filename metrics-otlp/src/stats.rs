//! What a pusher has done so far.

use std::time::SystemTime;

use crate::error::OtlpError;

/// What a pusher has done since its start: read by [`OtlpPusher::stats`](crate::OtlpPusher::stats).
///
/// `pushes` is `successes + failures + skipped`, and the push in progress.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct PushStats {
    /// Pushes that have begun, and those that were skipped.
    pub pushes: u64,
    /// Pushes of which the collector has taken all requests, without rejecting a point.
    pub successes: u64,
    /// Pushes that did not arrive, or only in part. A push that a newer one replaced is among them.
    pub failures: u64,
    /// Pushes that did not begin, because the collector had asked for a pause with `Retry-After`.
    pub skipped: u64,
    /// Requests that were sent, or that found no connection; each try counts. One that was sent again because the collector had
    /// closed the kept connection is one try.
    pub requests: u64,
    /// The requests among them that were sent again, because the try before had failed.
    pub retries: u64,
    /// Data points in requests that the collector has taken, without those that it rejected.
    pub points: u64,
    /// Data points that the collector rejected from requests that it has taken.
    pub rejected_points: u64,
    /// Data points in requests that were sent and that the collector has not taken. The next push has their series again, with newer
    /// values.
    pub undelivered_points: u64,
    /// Requests that were too large for the collector.
    pub too_large: u64,
    /// Answers whose body was broken, had no end, was too large, or was not the message of the specification.
    pub unreadable_answers: u64,
    /// The bytes of the requests' bodies as they were sent: compressed, each try counts.
    pub bytes: u64,
    /// The bytes of the requests' bodies before their compression, each request once.
    pub uncompressed_bytes: u64,
    /// When the last push arrived as a whole.
    pub last_success: Option<SystemTime>,
    /// Why the last push failed; `None` after a push that arrived.
    pub last_error: Option<OtlpError>,
}
