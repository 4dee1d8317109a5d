//! The stream of one connection: it records when responses make progress and ends a response that stalls.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

/// How long a client may read nothing of a response before its connection ends.
const RESPONSE_STALL_TIMEOUT: Duration = Duration::from_secs(10);

/// What the accept loop must know of a connection to decide whether it may evict it.
#[derive(Debug)]
pub(super) struct Activity {
    /// When the connection was accepted, or last wrote bytes of a response. Bytes that the client sends do not count:
    /// a client that sends one byte now and then would never be evicted.
    pub(super) last_progress: Cell<Instant>,
    /// Whether the client has to read before the connection can write more.
    pub(super) write_blocked: Cell<bool>,
    /// Whether a request waits for its response.
    pub(super) request_in_flight: Cell<bool>,
}

impl Activity {
    pub(super) fn new() -> Self {
        Self {
            last_progress: Cell::new(Instant::now()),
            write_blocked: Cell::new(false),
            request_in_flight: Cell::new(false),
        }
    }
}

/// A client's stream that reports to an [`Activity`].
pub(super) struct StallGuard {
    stream: TcpStream,
    activity: Rc<Activity>,
    /// Runs while a write is blocked.
    stall_timer: Option<Pin<Box<Sleep>>>,
}

impl StallGuard {
    pub(super) fn new(stream: TcpStream, activity: Rc<Activity>) -> Self {
        Self { stream, activity, stall_timer: None }
    }

    /// Records the result of a write, and turns a write that has stalled for too long into an error.
    fn record_write<T>(
        &mut self,
        written: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        self.activity.write_blocked.set(written.is_pending());
        if written.is_ready() {
            self.stall_timer = None;
            self.activity.last_progress.set(Instant::now());
            return written;
        }
        let timer = self.stall_timer.get_or_insert_with(|| Box::pin(sleep(RESPONSE_STALL_TIMEOUT)));
        ready!(timer.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for StallGuard {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for StallGuard {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.record_write(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.record_write(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
