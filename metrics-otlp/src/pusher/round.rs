//! One push: read the totals, encode them, and bring each request to the collector.

use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::time::{Duration, SystemTime};

use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::body::Bytes;
use mvx_metrics::{MetricsRuntimeError, MetricsRuntimeState, RuntimeObserver, Scope, Totals};
use tokio::time::Instant;

use super::log::Log;
use super::{Result, SharedStats};
use crate::answer::{PartialSuccess, Verdict, partial_success, pause_before, refusal};
use crate::client::{Client, Payload};
use crate::deadline::{Calls, Deadline};
use crate::encoder::{Encoder, Request};
use crate::error::OtlpError;
use crate::options::OtlpOptions;

/// Up to this size a request is not compressed: it fits into one packet as it is.
const MAX_PLAIN_SIZE: usize = 1024;
/// A collector that does not take a request of this size gets no smaller ones, so that it is not asked without end.
const MIN_REQUEST_SIZE: usize = 16 << 10;
/// The time between two looks at a runtime that is being started or shut down.
const STATE_POLL_INTERVAL: Duration = Duration::from_millis(10);

/// All that one push after the other needs.
pub(super) struct Round {
    runtime: RuntimeObserver,
    scope: Scope,
    encoder: Encoder,
    transport: Transport,
}

/// The time of a push.
#[derive(Debug, Clone, Copy)]
pub(super) struct Due {
    /// No retry begins after it.
    pub(super) end: Instant,
    /// Whether a request in progress ends then, too. In a push of the schedule it does not: reading and encoding many recorders may
    /// take longer than a short interval, and no push would ever arrive.
    pub(super) is_strict: bool,
}

/// How the delivery of a request ended.
enum Delivery {
    /// The collector has it.
    Taken(PartialSuccess),
    TooLarge(OtlpError),
    /// The collector does not want this request; it may want others.
    Invalid(OtlpError),
    /// There is no use in further requests.
    Failed(OtlpError),
    /// A call waits for a newer push.
    Replaced,
}

impl Round {
    pub(super) fn new(
        runtime: RuntimeObserver,
        options: &OtlpOptions,
        calls: Calls,
        stats: SharedStats,
    ) -> Result<Self> {
        let (endpoint, headers) = options.check()?;
        let log = Log::new(runtime.namespace(), runtime.log_policy(), endpoint.address());
        let transport = Transport {
            client: Client::new(endpoint, headers)?,
            calls,
            stats,
            log,
            timeout: options.timeout,
            gzip: options.gzip,
            paused_until: None,
            random: RandomState::new(),
        };
        Ok(Self { encoder: Encoder::new(options), scope: options.scope, runtime, transport })
    }

    pub(super) fn calls(&mut self) -> &mut Calls {
        &mut self.transport.calls
    }

    pub(super) fn timeout(&self) -> Duration {
        self.transport.timeout
    }

    /// Whether the collector has asked for a pause that still lasts. The push is then counted as skipped.
    pub(super) fn skip(&mut self) -> bool {
        let skips = self.transport.paused_until.is_some_and(|until| Instant::now() < until);
        if skips {
            self.transport.stats.update(|stats| {
                stats.pushes += 1;
                stats.skipped += 1;
            });
        }
        skips
    }

    pub(super) fn log_end(&self, last: &Result<()>) {
        self.transport.log.ended(last);
    }

    /// Pushes the totals of this moment. `None` when a call waits, which brings newer ones.
    pub(super) async fn push(&mut self, due: Due) -> Option<Result<()>> {
        self.transport.stats.update(|stats| stats.pushes += 1);
        let result = match self.read_totals(due.end).await {
            Some(Ok(totals)) => self.push_totals(&totals, due).await,
            Some(Err(cause)) => Some(Err(OtlpError::Totals { cause })),
            None => None,
        };
        self.transport.stats.update(|stats| match &result {
            Some(Ok(())) => {
                stats.successes += 1;
                (stats.last_success, stats.last_error) = (Some(SystemTime::now()), None);
            }
            Some(Err(error)) => {
                stats.failures += 1;
                stats.last_error = Some(error.clone());
            }
            None => stats.failures += 1,
        });
        if let Some(result) = &result {
            self.transport.log.pushed(result);
        }
        result
    }

    /// Reads the totals. A start or a shutdown in progress is waited for.
    async fn read_totals(
        &mut self,
        deadline: Instant,
    ) -> Option<std::result::Result<Totals, MetricsRuntimeError>> {
        use MetricsRuntimeState::{Starting, Stopping};
        loop {
            let totals = self.runtime.totals(self.scope);
            let now = Instant::now();
            match totals {
                Err(MetricsRuntimeError::InvalidState { state: Starting | Stopping, .. })
                    if now < deadline =>
                {
                    self.calls().arrival_or(deadline.min(now + STATE_POLL_INTERVAL)).await;
                    if self.calls().is_any_waiting() {
                        return None;
                    }
                }
                result => return Some(result),
            }
        }
    }

    /// Pushes totals in one or several requests.
    async fn push_totals(&mut self, totals: &Totals, due: Due) -> Option<Result<()>> {
        let Self { encoder, transport, .. } = self;
        let mut requests = encoder.requests(totals);
        let mut said = PartialSuccess::default();
        let mut first_error = None;
        let mut end = None;
        while let Some(request) = requests.next_request() {
            let payload = transport.payload(&request.body);
            let delivery = transport.deliver(&payload, due).await;
            match delivery {
                Delivery::Taken(partial) => {
                    transport.stats.update(|stats| {
                        stats.points += request.points.saturating_sub(partial.rejected);
                        stats.rejected_points += partial.rejected;
                    });
                    requests.delivered(request);
                    said.rejected += partial.rejected;
                    if said.message.is_empty() {
                        said.message = partial.message;
                    }
                }
                Delivery::TooLarge(error) => {
                    transport.stats.update(|stats| stats.too_large += 1);
                    let is_small = request.body.len() <= MIN_REQUEST_SIZE;
                    if is_small || !requests.divide(&request) {
                        transport.give_up(&request);
                        first_error.get_or_insert(error);
                    }
                    if is_small {
                        break;
                    }
                }
                Delivery::Invalid(error) => {
                    transport.give_up(&request);
                    first_error.get_or_insert(error);
                }
                Delivery::Failed(error) => {
                    transport.give_up(&request);
                    end = Some(Some(Err(error)));
                    break;
                }
                Delivery::Replaced => {
                    transport.give_up(&request);
                    end = Some(None);
                    break;
                }
            }
        }
        drop(requests);
        // The requests that a push lacks might have been rejected.
        if end.is_none() || said != PartialSuccess::default() {
            transport.log.partial(&said);
        }
        if let Some(end) = end {
            return end;
        }
        transport.log.left_out(encoder.left_out());
        let PartialSuccess { rejected: points, message } = said;
        let rejected = (points > 0).then_some(OtlpError::Rejected { points, message });
        Some(first_error.or(rejected).map_or(Ok(()), Err))
    }
}

/// Brings requests to the collector.
struct Transport {
    client: Client,
    calls: Calls,
    stats: SharedStats,
    log: Log,
    /// How long one request may take.
    timeout: Duration,
    gzip: bool,
    /// The end of a pause that the collector asked for.
    paused_until: Option<Instant>,
    random: RandomState,
}

impl Transport {
    fn payload(&mut self, body: &[u8]) -> Payload {
        self.stats.update(|stats| stats.uncompressed_bytes += body.len() as u64);
        let compressed = if self.gzip { compress(body) } else { None };
        let is_compressed = compressed.is_some();
        Payload { body: Bytes::from(compressed.unwrap_or_else(|| body.to_vec())), is_compressed }
    }

    /// Sends a request until the collector has taken or refused it, or the time is over.
    async fn deliver(&mut self, payload: &Payload, due: Due) -> Delivery {
        let mut retries = 0;
        let mut error_before = None;
        loop {
            if self.calls.is_any_waiting() {
                return Delivery::Replaced;
            }
            let begin = Instant::now();
            self.stats.update(|stats| {
                stats.requests += 1;
                stats.retries += u64::from(retries > 0);
                stats.bytes += payload.body.len() as u64;
            });

            let until = begin + self.timeout;
            let until = if due.is_strict { until.min(due.end) } else { until };
            let mut limit = Deadline::new(&mut self.calls, until);
            let sent = self.client.send(payload, &mut limit).await;
            let (error, asked) = match sent {
                Ok(Some(answer)) => {
                    let verdict = Verdict::of(answer.status);
                    if verdict == Verdict::Taken {
                        return Delivery::Taken(self.taken(answer.body));
                    }
                    if answer.body.is_none() {
                        self.unreadable();
                    }
                    let message = refusal(&answer.body.unwrap_or_default());
                    let error = OtlpError::Refused { status: answer.status, message };
                    match verdict {
                        Verdict::TooLarge => return Delivery::TooLarge(error),
                        Verdict::Invalid => return Delivery::Invalid(error),
                        Verdict::Refused => return Delivery::Failed(error),
                        Verdict::Taken | Verdict::Retry => (error, answer.retry_after),
                    }
                }
                Ok(None) => {
                    let waited = begin.elapsed();
                    // A retry that was cut short tells less than the try before it.
                    let error = error_before.take().filter(|_| waited < self.timeout);
                    (error.unwrap_or(OtlpError::TimedOut { waited }), None)
                }
                Err(error) => (error, None),
            };
            let now = Instant::now();
            self.paused_until = asked.map(|pause| now + pause);
            // A collector that asks for no pause, or whose clock is behind, is not asked again at once, again and again.
            let asked = asked.filter(|pause| !pause.is_zero());
            let pause = asked.unwrap_or_else(|| pause_before(retries, self.random.hash_one(retries)));
            let resume = now + pause;
            if resume >= due.end && !self.calls.is_any_waiting() {
                return Delivery::Failed(error);
            }
            self.calls.arrival_or(resume).await;
            error_before = Some(error);
            retries += 1;
        }
    }

    /// The points of a request do not arrive.
    fn give_up(&self, request: &Request) {
        self.stats.update(|stats| stats.undelivered_points += request.points);
    }

    /// The collector has taken a request, whatever its body says or lacks.
    fn taken(&mut self, body: Option<Vec<u8>>) -> PartialSuccess {
        self.paused_until = None;
        let said = body.and_then(|body| partial_success(&body));
        said.unwrap_or_else(|| {
            self.unreadable();
            PartialSuccess::default()
        })
    }

    fn unreadable(&mut self) {
        self.stats.update(|stats| stats.unreadable_answers += 1);
        self.log.unreadable();
    }
}

fn compress(plain: &[u8]) -> Option<Vec<u8>> {
    if plain.len() <= MAX_PLAIN_SIZE {
        return None;
    }
    // Points resemble each other so much that more effort gains little.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain).ok()?;
    encoder.finish().ok()
}
