//! Rendering for clients: one at a time, and for all that wait at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::body::Bytes;
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::export::{Format, Scope};
use crate::runtime::{MetricsRuntimeState, Shared};

/// After a rendering the next one waits for this many times as long as it took: clients that ask without end get at most
/// this share of a processor's time.
const PAUSE: u32 = 8;
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// What a client may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    Exposition(Format),
    Snapshot,
}

/// The views there are.
const VIEWS: [View; 3] =
    [View::Exposition(Format::Prometheus), View::Exposition(Format::OpenMetrics), View::Snapshot];

/// What came of it: the bytes, or what is wrong with the runtime.
pub(super) type Rendered = Result<Bytes, String>;

struct Order {
    view: View,
    answer: oneshot::Sender<Rendered>,
}

#[derive(Clone)]
pub(super) struct Renderer {
    shared: Arc<Shared>,
    orders: mpsc::Sender<Order>,
}

impl Renderer {
    /// Begins to render, in the tokio runtime it is called in.
    pub(super) fn spawn(shared: Arc<Shared>, scope: Scope, most_orders: usize) -> Self {
        let (orders, ordered) = mpsc::channel(most_orders.min(Semaphore::MAX_PERMITS));
        tokio::spawn(render_all(Arc::clone(&shared), scope, ordered));
        Self { shared, orders }
    }

    pub(super) fn status(&self) -> MetricsRuntimeState {
        self.shared.state()
    }

    /// Renders what is so at some moment after the call.
    pub(super) async fn render(&self, view: View) -> Rendered {
        let (answer, answered) = oneshot::channel();
        let gone = "the endpoint is ending";
        self.orders.send(Order { view, answer }).await.map_err(|_| gone)?;
        answered.await.map_err(|_| gone)?
    }
}

async fn render_all(shared: Arc<Shared>, scope: Scope, mut ordered: mpsc::Receiver<Order>) {
    let mut next = Instant::now();
    while let Some(first) = ordered.recv().await {
        tokio::time::sleep_until(next.into()).await;
        let mut orders = vec![first];
        while let Ok(order) = ordered.try_recv() {
            orders.push(order);
        }
        // Who has gone away meanwhile needs nothing any more.
        orders.retain(|order| !order.answer.is_closed());
        let started = Instant::now();
        for view in VIEWS {
            let (now, later): (Vec<_>, Vec<_>) = orders.into_iter().partition(|order| order.view == view);
            orders = later;
            if now.is_empty() {
                continue;
            }
            let shared = Arc::clone(&shared);
            let rendered = tokio::task::spawn_blocking(move || render(&shared, scope, view)).await;
            let rendered = rendered.unwrap_or_else(|error| Err(error.to_string()));
            for order in now {
                // The client may have gone away.
                let _ = order.answer.send(rendered.clone());
            }
        }
        next = Instant::now() + (started.elapsed() * PAUSE).min(LONGEST_PAUSE);
    }
}

fn render(shared: &Shared, scope: Scope, view: View) -> Rendered {
    match view {
        View::Exposition(format) => match shared.exposition(scope, format) {
            Ok(exposition) => Ok(exposition.text.into()),
            Err(error) => Err(error.to_string()),
        },
        View::Snapshot => {
            let snapshot = shared.snapshot().map_err(|error| error.to_string())?;
            serde_json::to_vec(&snapshot).map(Bytes::from).map_err(|error| error.to_string())
        }
    }
}
