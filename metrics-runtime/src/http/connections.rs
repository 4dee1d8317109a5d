//! Connections: how many there are, how long they live, and which one makes room for another.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::header::{CONNECTION, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};

use super::renderer::Renderer;
use super::routes::respond;
use super::stream::{Progress, Watched, millis};
use crate::log;

/// How long the headers of a request may take, counted from the end of the one before.
const HEADERS: Duration = Duration::from_secs(10);
/// How long a connection may be used, and how long it then has for what it is about.
const LIFE: Duration = Duration::from_mins(5);
const FAREWELL: Duration = Duration::from_secs(10);
/// How large the headers of a request may be, and how many of them there may be.
const HEADER_BYTES: usize = 16 * 1024;
const HEADER_LINES: usize = 64;
/// How long to wait when the system has no connection to give, for example for want of file descriptors.
const RESPITE: Duration = Duration::from_millis(100);

/// For how long a connection is safe from being ended for another one, in milliseconds: after it began or was answered, and
/// while it takes an answer.
const GRACE: u64 = 100;
const SENDING_GRACE: u64 = 1_000;
/// How long to wait until one of them may be ended.
const PAUSE: Duration = Duration::from_millis(10);

/// What all connections share.
#[derive(Clone)]
struct Common {
    began: Instant,
    renderer: Renderer,
    /// Somebody waits for a place: the next connection that has its answer makes room. Without it, clients that ask again as
    /// soon as they are answered would have all places for as long as they like.
    crowded: Arc<AtomicBool>,
}

/// An open connection.
struct Open {
    task: AbortHandle,
    progress: Arc<Progress>,
    /// Whether a request waits for its answer.
    asks: Arc<AtomicBool>,
}

/// Accepts connections for as long as it is polled.
pub(super) async fn serve(listener: TcpListener, renderer: Renderer, most: usize) {
    let began = Instant::now();
    let common = Common { began, renderer, crowded: Arc::default() };
    let mut open: Vec<Open> = Vec::new();
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                log::export_warning("metrics_endpoint.accept", &error);
                sleep(RESPITE).await;
                continue;
            }
        };
        // Those who come after it wait with the system meanwhile.
        while !has_room(&mut open, began, most) {
            // Relaxed: all of it happens in one thread.
            common.crowded.store(true, Ordering::Relaxed);
            sleep(PAUSE).await;
        }
        common.crowded.store(false, Ordering::Relaxed);
        open.push(spawn(stream, common.clone()));
    }
}

/// Whether there may be one more connection; ends the one that has been waited for longest if that helps.
fn has_room(open: &mut Vec<Open>, began: Instant, most: usize) -> bool {
    open.retain(|connection| !connection.task.is_finished());
    if open.len() < most {
        return true;
    }
    let now = millis(began);
    let spent = open.iter().enumerate().filter(|(_, connection)| connection.is_spent(now));
    let longest = spent.min_by_key(|(_, connection)| connection.progress.moved()).map(|(place, _)| place);
    if let Some(longest) = longest {
        open.remove(longest).task.abort();
    }
    longest.is_some()
}

impl Open {
    /// Whether it has had its time: it waits for nothing from here, and did not use the last while to ask for something or
    /// to take what is there for it.
    fn is_spent(&self, now: u64) -> bool {
        let grace = if self.progress.is_blocked() { SENDING_GRACE } else { GRACE };
        // Relaxed: all of it happens in one thread.
        !self.asks.load(Ordering::Relaxed) && now.saturating_sub(self.progress.moved()) >= grace
    }
}

fn spawn(stream: TcpStream, common: Common) -> Open {
    let (progress, asks) = (Arc::<Progress>::default(), Arc::<AtomicBool>::default());
    let stream = Watched::new(stream, common.began, Arc::clone(&progress));
    let task = tokio::spawn(talk(stream, Arc::clone(&asks), common));
    Open { task: task.abort_handle(), progress, asks }
}

async fn talk(stream: Watched, asks: Arc<AtomicBool>, common: Common) {
    let service = service_fn(move |request| {
        let (asks, Common { renderer, crowded, .. }) = (Arc::clone(&asks), common.clone());
        async move {
            asks.store(true, Ordering::Relaxed);
            let mut response = respond(&request, &renderer).await;
            asks.store(false, Ordering::Relaxed);
            if crowded.swap(false, Ordering::Relaxed) {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, std::convert::Infallible>(response)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS)
        .max_headers(HEADER_LINES)
        .max_buf_size(HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    // What goes wrong on a connection is the client's affair.
    if timeout(LIFE, connection.as_mut()).await.is_err() {
        connection.as_mut().graceful_shutdown();
        let _ = timeout(FAREWELL, connection).await;
    }
}
