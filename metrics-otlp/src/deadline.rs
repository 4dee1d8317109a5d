//! What the pusher's thread waits for: a moment, and the calls of other threads.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll};

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, sleep_until};

use crate::error::OtlpError;

/// What another thread asks of the pusher's thread: a push now.
pub(crate) struct Call {
    /// When the push ends.
    pub(crate) deadline: Instant,
    /// Whether the thread ends after the push.
    pub(crate) is_last: bool,
    /// Gets the result of the push.
    pub(crate) answer: Box<dyn FnOnce(Result<(), OtlpError>) + Send>,
}

impl fmt::Debug for Call {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Call").field("is_last", &self.is_last).finish_non_exhaustive()
    }
}

impl Call {
    pub(crate) fn answer(self, result: Result<(), OtlpError>) {
        (self.answer)(result);
    }
}

/// The calls of other threads, in the order of their arrival.
#[derive(Debug)]
pub(crate) struct Calls {
    receiver: UnboundedReceiver<Call>,
    /// Calls that have arrived and wait for the push of this round to end.
    waiting: Vec<Call>,
    /// Whether only the last call replaces the push in progress, because that one has replaced another.
    is_patient: bool,
}

impl Calls {
    pub(crate) fn new(receiver: UnboundedReceiver<Call>) -> Self {
        Self { receiver, waiting: Vec::new(), is_patient: false }
    }

    /// The calls that wait.
    pub(crate) fn take(&mut self) -> Vec<Call> {
        std::mem::take(&mut self.waiting)
    }

    /// Says whether calls wait for the push in progress to end, and do not replace it. Otherwise calls that come one after the
    /// other could replace each push before its end.
    pub(crate) fn set_patient(&mut self, is_patient: bool) {
        self.is_patient = is_patient;
    }

    /// Whether a call waits for a push of its own, which then replaces the one in progress.
    pub(crate) fn is_any_waiting(&self) -> bool {
        self.replacing().next().is_some()
    }

    fn replacing(&self) -> impl Iterator<Item = &Call> {
        self.waiting.iter().filter(|call| call.is_last || !self.is_patient)
    }

    /// Whether new calls have arrived. The waker is registered.
    fn poll_arrival(&mut self, context: &mut Context<'_>) -> bool {
        let before = self.waiting.len();
        while let Poll::Ready(Some(call)) = self.receiver.poll_recv(context) {
            self.waiting.push(call);
        }
        self.waiting.len() > before
    }

    /// The moment at which a request in progress gives way to the calls that wait: half of the time that they have.
    fn midpoint(&self) -> Option<Instant> {
        let now = Instant::now();
        self.replacing().map(|call| now + call.deadline.saturating_duration_since(now) / 2).min()
    }

    /// Waits until a moment, or until a call waits.
    pub(crate) async fn arrival_or(&mut self, until: Instant) {
        let mut sleep = pin!(sleep_until(until));
        poll_fn(|context| {
            self.poll_arrival(context);
            if self.is_any_waiting() { Poll::Ready(()) } else { sleep.as_mut().poll(context) }
        })
        .await;
    }
}

/// How long one request may go on. A call that arrives meanwhile cuts the time, because it brings a newer state.
#[derive(Debug)]
pub(crate) struct Deadline<'a> {
    calls: &'a mut Calls,
    until: Instant,
}

impl<'a> Deadline<'a> {
    pub(crate) fn new(calls: &'a mut Calls, until: Instant) -> Self {
        Self { calls, until }
    }

    /// The result of a future; `None` after the deadline.
    pub(crate) async fn bound<F: Future>(&mut self, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        let mut sleep = pin!(sleep_until(self.until));
        poll_fn(|context| {
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                return Poll::Ready(Some(output));
            }
            if self.calls.poll_arrival(context)
                && let Some(midpoint) = self.calls.midpoint()
            {
                self.until = self.until.min(midpoint);
                sleep.as_mut().reset(self.until);
            }
            sleep.as_mut().poll(context).map(|()| None)
        })
        .await
    }

    /// The result of a future within a part of the time that is left.
    pub(crate) async fn bound_share<F: Future>(&mut self, parts: u32, future: F) -> Option<F::Output> {
        let whole = self.until;
        let now = Instant::now();
        self.until = now + whole.saturating_duration_since(now) / parts.max(1);
        let result = self.bound(future).await;
        // A call that has arrived meanwhile may have cut the time.
        let cut = self.calls.midpoint().unwrap_or(whole);
        self.until = whole.min(cut);
        result
    }
}
