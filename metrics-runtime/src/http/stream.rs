//! A client's stream, watched: how it gets on, and whether a response stands still.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

/// How long a response may stand still before its client is given up.
const STALLED: Duration = Duration::from_secs(10);

/// How a stream gets on: what its client sends does not count, so that one who sends a byte now and then gains nothing.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// When the stream began or last took bytes of an answer, in milliseconds since the endpoint began.
    moved: AtomicU64,
    /// Whether the client has to take something before more can be written.
    blocked: AtomicBool,
}

impl Progress {
    fn move_on(&self, began: Instant) {
        // Relaxed, here and below: all of it happens in one thread.
        self.moved.store(millis(began), Ordering::Relaxed);
    }

    pub(super) fn moved(&self) -> u64 {
        self.moved.load(Ordering::Relaxed)
    }

    pub(super) fn is_blocked(&self) -> bool {
        self.blocked.load(Ordering::Relaxed)
    }
}

/// The time since then.
pub(super) fn millis(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
}

pub(super) struct Watched {
    stream: TcpStream,
    began: Instant,
    progress: Arc<Progress>,
    /// Runs while the client does not take what is there for it.
    stall: Option<Pin<Box<Sleep>>>,
}

impl Watched {
    pub(super) fn new(stream: TcpStream, began: Instant, progress: Arc<Progress>) -> Self {
        progress.move_on(began);
        Self { stream, began, progress, stall: None }
    }

    /// Ends the wait for a client that takes nothing for too long.
    fn watch<T>(&mut self, written: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        self.progress.blocked.store(written.is_pending(), Ordering::Relaxed);
        if written.is_ready() {
            self.stall = None;
            self.progress.move_on(self.began);
            return written;
        }
        let stall = self.stall.get_or_insert_with(|| Box::pin(sleep(STALLED)));
        ready!(stall.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.watch(written, context)
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
