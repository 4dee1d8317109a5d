//! The pusher: a handle, and a thread that pushes.

mod log;
mod round;
mod worker;

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{fmt, io};

use mvx_metrics::MetricsRuntime;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::time::Instant;

use self::worker::Worker;
use crate::deadline::{Call, Calls};
use crate::error::OtlpError;
use crate::options::OtlpOptions;
use crate::stats::PushStats;

/// At most 15 characters of it are seen on Linux.
const THREAD_NAME: &str = "mvx-metrics-otlp";
/// How long the drop of a pusher waits for the last push.
const DROP_TIMEOUT: Duration = Duration::from_secs(1);
/// How much longer a caller waits than the push for which it waits, before it says that no answer came.
const ANSWER_MARGIN: Duration = Duration::from_millis(250);
/// The clock cannot count to every deadline.
const MAX_TIMEOUT: Duration = Duration::from_hours(100 * 365 * 24);

type Result<T> = std::result::Result<T, OtlpError>;

/// The counts of a pusher, which its thread writes and other threads read.
#[derive(Debug, Clone, Default)]
struct SharedStats(Arc<Mutex<PushStats>>);

impl SharedStats {
    fn lock(&self) -> MutexGuard<'_, PushStats> {
        // No code that may panic runs under the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn update(&self, change: impl FnOnce(&mut PushStats)) {
        change(&mut self.lock());
    }

    fn read(&self) -> PushStats {
        self.lock().clone()
    }
}

/// Pushes the totals of a runtime to a collector, in a thread of its own, until it is shut down or dropped.
///
/// The thread is called `mvx-metrics-otlp`. It reads the totals, encodes and compresses them, and sends them over one connection,
/// which it keeps. Nothing of that happens in a thread of the caller or of the runtime. The calls below work inside and outside of
/// a tokio runtime.
///
/// A pusher does not keep its runtime running. After the runtime's shutdown or drop it pushes the final state.
///
/// ```
/// use std::time::Duration;
///
/// use mvx_metrics::MetricsRuntime;
/// use mvx_metrics_otlp::{OtlpOptions, OtlpPusher};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let collector = mvx_metrics_tests::collector::FakeCollector::accepting();
/// # let url = collector.url();
/// let runtime = MetricsRuntime::new("shop")?;
/// runtime.start()?;
/// let pusher = OtlpPusher::start(&runtime, OtlpOptions::new().endpoint(url).interval(Duration::from_secs(10)))?;
/// pusher.push()?;
/// assert_eq!(pusher.stats().successes, 1);
///
/// runtime.shutdown()?;
/// let stats = pusher.shutdown(Duration::from_secs(5))?;
/// assert_eq!((stats.successes, stats.failures), (2, 0));
/// # Ok(())
/// # }
/// ```
#[must_use = "the pusher ends when it is dropped"]
pub struct OtlpPusher {
    calls: UnboundedSender<Call>,
    stats: SharedStats,
    timeout: Duration,
    /// `None` once the pusher has been shut down.
    thread: Option<JoinHandle<()>>,
}

impl OtlpPusher {
    /// Starts the thread. The first push begins after one interval; [`push`](Self::push) does not wait for it.
    ///
    /// The runtime may be in any state. Before its start there is nothing to push.
    ///
    /// # Errors
    /// * [`OtlpError::InvalidOption`] names the first option with a wrong value, and the value
    /// * [`OtlpError::Certificates`] when the endpoint needs TLS and the operating system has no certificates
    /// * [`OtlpError::Thread`] when the operating system gives no thread, or no event loop for it
    #[expect(clippy::needless_pass_by_value, reason = "options are handed over, as elsewhere in the library")]
    pub fn start(runtime: &MetricsRuntime, options: OtlpOptions) -> Result<Self> {
        let (calls, receiver) = unbounded_channel();
        let stats = SharedStats::default();
        let timeout = options.timeout;
        let worker = Worker::new(runtime.observer(), &options, Calls::new(receiver), stats.clone())?;
        let failed = |error: io::Error| OtlpError::Thread { cause: Arc::new(error) };
        let (ready, is_ready) = mpsc::sync_channel(1);
        let run = move || {
            let executor = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(executor) => executor,
                Err(error) => return drop(ready.send(Err(error))),
            };
            // The caller waits for it.
            let _ = ready.send(Ok(()));
            let last = executor.block_on(worker.run());
            // The system's resolver may hold a thread of tokio for long.
            executor.shutdown_background();
            last.answer();
        };
        let thread = thread::Builder::new().name(THREAD_NAME.to_owned()).spawn(run).map_err(failed)?;
        is_ready.recv().unwrap_or(Ok(())).map_err(failed)?;
        Ok(Self { calls, stats, timeout, thread: Some(thread) })
    }

    /// Pushes now, and waits until the collector has answered all requests. In async code use [`push_async`](Self::push_async).
    ///
    /// The push ends within the [`timeout`](OtlpOptions::timeout) of the options, retries included. The call ends at most a quarter
    /// of a second later, also when reading the totals takes longer. It replaces a push in
    /// progress, because it has newer numbers: a request that waits for its answer gets half of the time, a retry does not
    /// begin. Calls of several threads share one push. A push that has replaced that of another call goes to its end, and
    /// further calls wait for it.
    ///
    /// # Errors
    /// Why the push did not arrive as a whole: see [`OtlpError`]. [`OtlpError::Rejected`] when the collector has taken it but for
    /// some points. What did not arrive is part of the next push.
    pub fn push(&self) -> Result<()> {
        self.call(self.timeout, false)
    }

    /// As [`push`](Self::push), without blocking the caller's executor. The push goes on when the future is dropped. The future waits
    /// for the totals for as long as reading them takes.
    ///
    /// # Errors
    /// As there.
    pub async fn push_async(&self) -> Result<()> {
        self.call_async(self.timeout, false).await
    }

    /// What the pusher has done so far.
    #[must_use]
    pub fn stats(&self) -> PushStats {
        self.stats.read()
    }

    /// Pushes the last state, ends the thread, and returns what the pusher has done.
    ///
    /// The push ends within the timeout, also when the collector hangs. The call ends at most a quarter of a second later, also when
    /// reading the totals takes longer. While a shutdown of the runtime is in progress, the push waits for the final state. Shut the runtime down first: its final state has all events.
    ///
    /// # Errors
    /// Why the last push did not arrive as a whole: see [`OtlpError`]. The pusher has ended all the same.
    pub fn shutdown(mut self, timeout: Duration) -> Result<PushStats> {
        let result = self.call(timeout, true);
        self.end(&result);
        result.map(|()| self.stats())
    }

    /// As [`shutdown`](Self::shutdown), without blocking the caller's executor. When the future is dropped, the last push goes on
    /// and the thread ends.
    ///
    /// # Errors
    /// As there.
    pub async fn shutdown_async(mut self, timeout: Duration) -> Result<PushStats> {
        let pending = self.call_async(timeout, true);
        // The drop of this future shall not wait.
        let thread = self.thread.take();
        let result = pending.await;
        self.thread = thread;
        self.end(&result);
        result.map(|()| self.stats())
    }

    /// Asks for a push and waits for its result, a little longer than for the push.
    fn call(&self, timeout: Duration, is_last: bool) -> Result<()> {
        let (answer, answered) = mpsc::sync_channel(1);
        let answer = Box::new(move |result| {
            // The caller may have given up.
            let _ = answer.send(result);
        });
        self.send(timeout, is_last, answer);
        match answered.recv_timeout(timeout.saturating_add(ANSWER_MARGIN)) {
            Ok(result) => result,
            Err(RecvTimeoutError::Timeout) => Err(OtlpError::TimedOut { waited: timeout }),
            Err(RecvTimeoutError::Disconnected) => Err(OtlpError::Ended),
        }
    }

    /// Asks for a push at once. The future has its result.
    fn call_async(&self, timeout: Duration, is_last: bool) -> impl Future<Output = Result<()>> + use<> {
        let (answer, answered) = oneshot::channel();
        let answer = Box::new(move |result| {
            // The future may be dropped.
            let _ = answer.send(result);
        });
        self.send(timeout, is_last, answer);
        async move { answered.await.unwrap_or(Err(OtlpError::Ended)) }
    }

    /// A thread that has ended drops the call, and the caller sees that.
    fn send(&self, timeout: Duration, is_last: bool, answer: Box<dyn FnOnce(Result<()>) + Send>) {
        let deadline = Instant::now() + timeout.min(MAX_TIMEOUT);
        let _ = self.calls.send(Call { deadline, is_last, answer });
    }

    /// Waits for the thread after its last answer. A thread that is late ends by itself.
    fn end(&mut self, last: &Result<()>) {
        let is_late = matches!(last, Err(OtlpError::TimedOut { .. }));
        if let Some(thread) = self.thread.take()
            && !is_late
        {
            // A panic of the thread must not reach the caller.
            let _ = thread.join();
        }
    }
}

/// Tries one last push, for at most one second. [`shutdown`](OtlpPusher::shutdown) has a timeout, and says whether it arrived.
impl Drop for OtlpPusher {
    fn drop(&mut self) {
        if self.thread.is_some() {
            let result = self.call(DROP_TIMEOUT, true);
            self.end(&result);
        }
    }
}

impl fmt::Debug for OtlpPusher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("OtlpPusher").field("stats", &self.stats.read()).finish_non_exhaustive()
    }
}
