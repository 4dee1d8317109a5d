//! The HTTP client: one connection, which is kept between pushes.

mod connect;
#[cfg(feature = "tls")]
mod tls;

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, Request, Version};
use hyper_util::rt::TokioIo;
use mvx_metrics::SharedError;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use self::connect::Connector;
use crate::answer::retry_after;
use crate::deadline::Deadline;
use crate::endpoint::Endpoint;
use crate::error::OtlpError;

/// The head of an answer may have this size.
const MAX_HEAD_SIZE: usize = 64 << 10;
/// The body of an answer may have this size.
const MAX_BODY_SIZE: usize = 4 << 20;
/// A connection that is not ready for its next request by then is replaced.
const REUSE_TIMEOUT: Duration = Duration::from_millis(100);
const USER_AGENT: &str = concat!("mvx-metrics-otlp/", env!("CARGO_PKG_VERSION"));

/// The body of a request, in one piece.
pub(crate) struct RequestBody(Bytes);

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let bytes = std::mem::take(&mut self.0);
        Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.len() as u64)
    }
}

/// An answer of the collector.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<Duration>,
    /// `None` when the body broke off, had no end in time, or was too large.
    pub(crate) body: Option<Vec<u8>>,
}

/// What a request carries.
#[derive(Debug, Clone)]
pub(crate) struct Payload {
    pub(crate) body: Bytes,
    pub(crate) is_compressed: bool,
}

/// A connection, and the task that moves its bytes.
struct Connection {
    sender: SendRequest<RequestBody>,
    task: JoinHandle<()>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        // A collector that neither reads nor closes would keep the task alive.
        self.task.abort();
    }
}

/// A client of one endpoint.
pub(crate) struct Client {
    endpoint: Endpoint,
    headers: HeaderMap,
    connector: Connector,
    connection: Option<Connection>,
}

impl Client {
    /// A client without a connection. `headers` are those of the options.
    pub(crate) fn new(endpoint: Endpoint, mut headers: HeaderMap) -> Result<Self, OtlpError> {
        let connector = Connector::new(&endpoint)?;
        headers.insert(header::HOST, endpoint.authority.clone());
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
        headers.entry(header::USER_AGENT).or_insert(HeaderValue::from_static(USER_AGENT));
        Ok(Self { endpoint, headers, connector, connection: None })
    }

    /// Sends a request and reads the answer. `Ok(None)` when there was none in time.
    ///
    /// An answer counts when its head has arrived, even if its body is broken. A connection goes on only after a whole answer.
    pub(crate) async fn send(
        &mut self,
        payload: &Payload,
        deadline: &mut Deadline<'_>,
    ) -> Result<Option<Answer>, OtlpError> {
        if let Some(mut connection) = self.reusable().await {
            // The collector may close a kept connection at the moment at which it is used again.
            match deadline.bound(connection.sender.send_request(self.request(payload))).await {
                Some(Ok(response)) => return Ok(Some(self.finish(connection, response, deadline).await)),
                Some(Err(_)) => {}
                None => return Ok(None),
            }
        }
        let Some(mut connection) = self.connect(deadline).await? else { return Ok(None) };
        match deadline.bound(connection.sender.send_request(self.request(payload))).await {
            Some(Ok(response)) => Ok(Some(self.finish(connection, response, deadline).await)),
            Some(Err(error)) => Err(disconnected(error)),
            None => Ok(None),
        }
    }

    /// The kept connection, unless the collector has closed it or still does not read the request that it has answered.
    async fn reusable(&mut self) -> Option<Connection> {
        let mut connection = self.connection.take()?;
        let ready = timeout(REUSE_TIMEOUT, connection.sender.ready()).await;
        matches!(ready, Ok(Ok(()))).then_some(connection)
    }

    async fn connect(&mut self, deadline: &mut Deadline<'_>) -> Result<Option<Connection>, OtlpError> {
        let Some(stream) = self.connector.connect(&self.endpoint, deadline).await? else { return Ok(None) };
        let mut builder = http1::Builder::new();
        builder.max_buf_size(MAX_HEAD_SIZE);
        let handshake = builder.handshake(TokioIo::new(stream));
        let (sender, connection) = match deadline.bound(handshake).await {
            Some(result) => result.map_err(disconnected)?,
            None => return Ok(None),
        };
        // The end of a connection shows at its next use.
        let task = tokio::spawn(async { drop(connection.await) });
        Ok(Some(Connection { sender, task }))
    }

    fn request(&self, payload: &Payload) -> Request<RequestBody> {
        let mut request = Request::new(RequestBody(payload.body.clone()));
        *request.method_mut() = Method::POST;
        *request.version_mut() = Version::HTTP_11;
        *request.uri_mut() = self.endpoint.path.clone();
        *request.headers_mut() = self.headers.clone();
        if payload.is_compressed {
            request.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        request
    }

    /// Reads the body of an answer. The connection is kept only after a whole one.
    async fn finish(
        &mut self,
        connection: Connection,
        response: hyper::Response<Incoming>,
        deadline: &mut Deadline<'_>,
    ) -> Answer {
        let (head, incoming) = response.into_parts();
        let now = SystemTime::now();
        let retry_after = head.headers.get(header::RETRY_AFTER).and_then(|value| retry_after(value, now));
        let body = deadline.bound(read_body(incoming)).await.flatten();
        if body.is_some() {
            self.connection = Some(connection);
        }
        Answer { status: head.status.as_u16(), retry_after, body }
    }
}

/// The whole body; `None` when it is broken or too large.
async fn read_body(mut incoming: Incoming) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut incoming).poll_frame(context)).await {
        if let Ok(data) = frame.ok()?.into_data() {
            if body.len() + data.len() > MAX_BODY_SIZE {
                return None;
            }
            body.extend_from_slice(&data);
        }
    }
    Some(body)
}

fn disconnected(error: hyper::Error) -> OtlpError {
    let cause: SharedError = Arc::new(error);
    OtlpError::Disconnected { cause }
}
