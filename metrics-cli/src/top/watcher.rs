//! The thread that looks at the endpoint again and again.

use std::future::Future;
use std::io;
use std::thread;
use std::time::Duration;

use tokio::runtime;
use tokio::sync::watch;
use tokio::time::timeout;

use super::client::{Client, Look, LookError};
use super::query::Query;

/// The pause before the first retry; each further one is twice as long.
const MIN_BACKOFF: Duration = Duration::from_millis(500);
const MAX_BACKOFF: Duration = Duration::from_secs(10);
/// The limits of the pause that an endpoint asks for.
const PAUSES: [f64; 2] = [0.2, 60.0];

/// What the thread reports.
#[derive(Debug)]
pub(super) enum Report {
    /// The end of a look.
    Looked(Box<Looked>),
    /// The process was asked to end.
    Terminated,
    /// The thread has ended, although the receiver was there.
    Ended,
}

/// The end of a look.
#[derive(Debug)]
pub(super) struct Looked {
    /// The query of the look.
    pub(super) query: Query,
    pub(super) result: Result<Look, LookError>,
    /// The time until the next look.
    pub(super) pause: Duration,
}

/// Tells the thread what to look at. The thread ends when this is dropped.
#[derive(Debug)]
pub(super) struct Watcher {
    queries: watch::Sender<Query>,
}

impl Watcher {
    /// Starts the thread. `report` returns whether the receiver is still there.
    pub(super) fn start(
        client: Client,
        query: Query,
        report: impl Fn(Report) -> bool + Clone + Send + 'static,
    ) -> io::Result<Self> {
        let (queries, receiver) = watch::channel(query);
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let run = move || {
            // Dropped in a panic, too. Without the thread the screen would stay as it is for ever.
            let _ended = ReportEndOnDrop(report.clone());
            runtime.block_on(watch(client, receiver, report));
        };
        thread::Builder::new().name("mvx-metrics-top".to_owned()).spawn(run)?;
        Ok(Self { queries })
    }

    /// Looks now, and from now on with this query.
    pub(super) fn ask(&self, query: &Query) {
        self.queries.send_replace(query.clone());
    }
}

struct ReportEndOnDrop<R: Fn(Report) -> bool>(R);

impl<R: Fn(Report) -> bool> Drop for ReportEndOnDrop<R> {
    fn drop(&mut self) {
        (self.0)(Report::Ended);
    }
}

async fn watch(
    client: Client,
    mut queries: watch::Receiver<Query>,
    report: impl Fn(Report) -> bool + Clone + Send + 'static,
) {
    #[cfg(unix)]
    report_signals(&report);
    let mut failures = 0;
    loop {
        let query = queries.borrow_and_update().clone();
        let result = client.look(&query).await;
        failures = if result.is_ok() { 0 } else { failures + 1 };
        let pause = result.as_ref().map_or_else(|_| backoff(failures), pause_after);
        if !report(Report::Looked(Box::new(Looked { query, result, pause }))) {
            return;
        }
        let changed = queries.changed();
        if let Ok(Err(_)) = timeout(pause, changed).await {
            return;
        }
    }
}

/// A process that ends by a signal would leave the terminal as it is.
#[cfg(unix)]
fn report_signals(report: &(impl Fn(Report) -> bool + Clone + Send + 'static)) {
    use tokio::signal::unix::{SignalKind, signal};
    for kind in [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()] {
        // Without the handler the signal ends the process at once, as it does everywhere.
        let Ok(mut signal) = signal(kind) else { continue };
        let report = report.clone();
        tokio::spawn(async move {
            while signal.recv().await.is_some() {
                report(Report::Terminated);
            }
        });
    }
}

/// The pause that an endpoint asks for.
pub(super) fn pause_after(look: &Look) -> Duration {
    let [min, max] = PAUSES;
    Duration::from_secs_f64(look.data.next_look.clamp(min, max))
}

/// The pause after so many failures in a row.
fn backoff(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    (MIN_BACKOFF * 2_u32.pow(doublings)).min(MAX_BACKOFF)
}

/// Runs a future on a runtime of its own.
pub(super) fn block_on<T>(future: impl Future<Output = T>) -> io::Result<T> {
    Ok(runtime::Builder::new_current_thread().enable_all().build()?.block_on(future))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::sync::mpsc::{Receiver, channel};

    use super::*;
    use crate::top::address::Address;
    use crate::top::client::Limits;
    use crate::top::fixtures::{FakeEndpoint, Reply, answer, page_json};

    const PATIENCE: Duration = Duration::from_secs(30);

    fn watcher(address: &str) -> (Watcher, Receiver<Report>) {
        let (sender, receiver) = channel();
        let client = Client::new(Address::parse(address).expect("an address"), Limits::USUAL);
        let report = move |report| sender.send(report).is_ok();
        (Watcher::start(client, Query::new(25), report).expect("a thread"), receiver)
    }

    fn next(reports: &Receiver<Report>) -> (Result<Look, LookError>, Duration) {
        match reports.recv_timeout(PATIENCE).expect("a report") {
            Report::Looked(looked) => (looked.result, looked.pause),
            other => panic!("no look has ended: {other:?}"),
        }
    }

    #[test]
    fn pauses_double_up_to_a_limit() {
        let pauses = [1, 2, 3, 4, 5, 6, 7, u32::MAX].map(|failures| backoff(failures).as_millis());
        assert_eq!(pauses, [500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000]);
    }

    #[test]
    fn the_pause_of_an_endpoint_has_limits() {
        let mut look = Look { data: crate::top::fixtures::page_data(), namespaces: Vec::new() };
        let pauses = [-1.0, 0.0, 1.5, 1e300].map(|next_look| {
            look.data.next_look = next_look;
            pause_after(&look).as_millis()
        });
        assert_eq!(pauses, [200, 200, 1_500, 60_000]);
    }

    #[test]
    fn an_endpoint_that_disappears_is_found_again() {
        let reserved = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = reserved.local_addr().expect("an address");
        drop(reserved);
        let (_watcher, reports) = watcher(&address.to_string());
        // The port is closed: the pauses grow.
        let (first, pause) = next(&reports);
        assert!(matches!(first, Err(LookError::Connect(_))) && pause == backoff(1));
        let (second, pause) = next(&reports);
        assert!(second.is_err() && pause == backoff(2));
        let listener = TcpListener::bind(address).expect("the same port");
        let whole = Reply::Bytes(answer("200 OK", &page_json().to_string()));
        let gone = Reply::Bytes(Vec::new());
        let endpoint = FakeEndpoint::start_on(listener, vec![whole.clone(), gone, whole]);
        // It is there, gone once, and there again.
        let results: Vec<bool> = (0..3).map(|_| next(&reports).0.is_ok()).collect();
        assert_eq!((results, endpoint.requests().len()), (vec![true, false, true], 3));
    }

    #[test]
    fn a_new_query_is_asked_at_once() {
        let mut data = page_json();
        data["next_look"] = 60.0.into();
        let endpoint = FakeEndpoint::start(vec![Reply::Bytes(answer("200 OK", &data.to_string()))]);
        let (watcher, reports) = watcher(&endpoint.address());
        let (_, pause) = next(&reports);
        assert_eq!(pause.as_secs(), 60);
        watcher.ask(&Query { search: "x".to_owned(), ..Query::new(25) });
        assert!(next(&reports).0.is_ok());
        assert!(endpoint.requests()[1].contains("&search=x HTTP"), "{:?}", endpoint.requests());
    }

    #[test]
    fn the_thread_ends_when_nobody_watches() {
        let endpoint = FakeEndpoint::start(vec![Reply::Bytes(answer("200 OK", &page_json().to_string()))]);
        let (watcher, reports) = watcher(&endpoint.address());
        assert!(next(&reports).0.is_ok());
        drop(watcher);
        // The sender is dropped with the thread.
        let last = std::iter::from_fn(|| reports.recv_timeout(PATIENCE).ok()).last();
        assert!(matches!(last, Some(Report::Ended)), "{last:?}");
        assert!(matches!(reports.try_recv(), Err(std::sync::mpsc::TryRecvError::Disconnected)));
    }
}
