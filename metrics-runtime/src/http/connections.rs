//! Connections: how many may be open, how long they live, and which one is evicted for a new client.

use std::cell::Cell;
use std::convert::Infallible;
use std::rc::Rc;
use std::time::Duration;

use hyper::header::{CONNECTION, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, spawn_local};
use tokio::time::{sleep, timeout};

use super::service::MetricsService;
use super::stream::{Activity, StallGuard};
use crate::export;
use crate::log::LogPolicy;

/// How long a client may take to send the headers of a request, counted from the end of the request before.
const REQUEST_HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// How large the headers of a request may be in all.
const MAX_HEADER_BYTES: usize = 16 * 1024;
const MAX_HEADER_LINES: usize = 64;

/// After this time a connection accepts no further request.
const MAX_CONNECTION_AGE: Duration = Duration::from_mins(5);
/// How long a connection of that age may take to finish its last response.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection is not evicted within this time after it was accepted or has sent a response.
const IDLE_GRACE_PERIOD: Duration = Duration::from_millis(100);
/// A connection with a blocked write is not evicted within this time after its last progress.
const SLOW_READER_GRACE_PERIOD: Duration = Duration::from_secs(1);
/// How often the accept loop looks for a connection to evict while there is none.
const EVICTION_RETRY_INTERVAL: Duration = Duration::from_millis(10);
/// How long the accept loop waits after an error, for example because the process has no file descriptor left.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);

/// An open connection, as the accept loop sees it.
struct OpenConnection {
    task: AbortHandle,
    activity: Rc<Activity>,
}

impl OpenConnection {
    /// Whether the connection has been idle, or its client has read nothing of a response, for too long. While a request
    /// waits for its response, the connection is neither.
    fn is_evictable(&self) -> bool {
        let Activity { last_progress, write_blocked, request_in_flight } = &*self.activity;
        let grace_period = if write_blocked.get() { SLOW_READER_GRACE_PERIOD } else { IDLE_GRACE_PERIOD };
        !request_in_flight.get() && last_progress.get().elapsed() >= grace_period
    }
}

/// Accepts connections for as long as it is polled, in a [`LocalSet`](tokio::task::LocalSet).
pub(super) async fn accept_connections(
    listener: TcpListener,
    service: MetricsService,
    max_connections: usize,
    log_policy: LogPolicy,
) {
    // Set while a new client waits for room: then the next connection that gets its response closes. Otherwise clients
    // that send the next request at once would keep all connections for ever.
    let at_capacity = Rc::new(Cell::new(false));
    let mut open: Vec<OpenConnection> = Vec::new();
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                if log_policy != LogPolicy::Silent {
                    export::warn("metrics_endpoint.accept", &error);
                }
                sleep(ACCEPT_BACKOFF).await;
                continue;
            }
        };
        // Later clients wait in the listener's backlog.
        while !make_room(&mut open, max_connections) {
            at_capacity.set(true);
            sleep(EVICTION_RETRY_INTERVAL).await;
        }
        at_capacity.set(false);
        open.push(spawn_connection(stream, service.clone(), Rc::clone(&at_capacity)));
    }
}

/// Makes room for one more connection and says whether there is room. Evicts the connection without progress for the
/// longest time if it must and may.
fn make_room(open: &mut Vec<OpenConnection>, max_connections: usize) -> bool {
    open.retain(|connection| !connection.task.is_finished());
    if open.len() < max_connections {
        return true;
    }
    let evictable = open.iter().enumerate().filter(|(_, connection)| connection.is_evictable());
    let oldest = evictable.min_by_key(|(_, connection)| connection.activity.last_progress.get());
    let Some(index) = oldest.map(|(index, _)| index) else { return false };
    open.remove(index).task.abort();
    true
}

fn spawn_connection(
    stream: TcpStream,
    service: MetricsService,
    at_capacity: Rc<Cell<bool>>,
) -> OpenConnection {
    let activity = Rc::new(Activity::new());
    let task = spawn_local(serve_connection(stream, Rc::clone(&activity), service, at_capacity));
    OpenConnection { task: task.abort_handle(), activity }
}

async fn serve_connection(
    stream: TcpStream,
    activity: Rc<Activity>,
    service: MetricsService,
    at_capacity: Rc<Cell<bool>>,
) {
    let stream = StallGuard::new(stream, Rc::clone(&activity));
    let tracked = service_fn(|request| {
        let (activity, at_capacity) = (&activity, &at_capacity);
        let response = service.call(request);
        async move {
            activity.request_in_flight.set(true);
            let Ok(mut response) = response.await;
            activity.request_in_flight.set(false);
            if at_capacity.take() {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(response)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(REQUEST_HEADER_TIMEOUT)
        .max_headers(MAX_HEADER_LINES)
        .max_buf_size(MAX_HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), tracked);
    let mut connection = std::pin::pin!(connection);
    // Errors of a connection concern its client alone.
    if timeout(MAX_CONNECTION_AGE, connection.as_mut()).await.is_err() {
        connection.as_mut().graceful_shutdown();
        let _ = timeout(DRAIN_TIMEOUT, connection).await;
    }
}
