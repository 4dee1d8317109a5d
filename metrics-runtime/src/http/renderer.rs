//! The renderer: renders one view at a time, once for all clients that wait for it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::body::Bytes;
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::export::{ExpositionOptions, Format, Scope, exposition_of};
use crate::runtime::RuntimeInner;
use crate::state::MetricsRuntimeState;

/// After a rendering the renderer pauses for this many times as long as the rendering took. Clients that ask without end
/// thus take at most a ninth of one core, unless a rendering takes longer than an eighth of `MAX_PAUSE`.
const PAUSE_FACTOR: u32 = 8;
const MAX_PAUSE: Duration = Duration::from_secs(1);

/// What a client may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    Exposition(Format),
    Snapshot,
}

const ALL_VIEWS: [View; 3] =
    [View::Exposition(Format::Prometheus), View::Exposition(Format::OpenMetrics), View::Snapshot];

/// The bytes of a view, or why the runtime has none.
pub(super) type Rendered = Result<Bytes, String>;

struct RenderRequest {
    view: View,
    reply: oneshot::Sender<Rendered>,
}

/// A handle of the renderer, for one connection.
#[derive(Clone)]
pub(super) struct Renderer {
    runtime: Arc<RuntimeInner>,
    requests: mpsc::Sender<RenderRequest>,
}

impl Renderer {
    /// Starts the renderer's task in the current tokio runtime.
    pub(super) fn spawn(runtime: Arc<RuntimeInner>, scope: Scope, max_waiting: usize) -> Self {
        let (requests, receiver) = mpsc::channel(max_waiting.min(Semaphore::MAX_PERMITS));
        tokio::spawn(serve_requests(Arc::clone(&runtime), scope, receiver));
        Self { runtime, requests }
    }

    pub(super) fn runtime_state(&self) -> MetricsRuntimeState {
        self.runtime.status()
    }

    /// Waits for a rendering that starts after this call.
    pub(super) async fn request(&self, view: View) -> Rendered {
        let (reply, receiver) = oneshot::channel();
        let ended = "the endpoint is ending";
        self.requests.send(RenderRequest { view, reply }).await.map_err(|_| ended)?;
        receiver.await.map_err(|_| ended)?
    }
}

async fn serve_requests(
    runtime: Arc<RuntimeInner>,
    scope: Scope,
    mut receiver: mpsc::Receiver<RenderRequest>,
) {
    let mut pause_end = Instant::now();
    while let Some(first) = receiver.recv().await {
        tokio::time::sleep_until(pause_end.into()).await;
        let mut waiting = vec![first];
        while let Ok(request) = receiver.try_recv() {
            waiting.push(request);
        }
        // Drops the requests of clients that have closed their connections.
        waiting.retain(|request| !request.reply.is_closed());
        let started = Instant::now();
        for view in ALL_VIEWS {
            let (requests, others): (Vec<_>, Vec<_>) =
                waiting.into_iter().partition(|request| request.view == view);
            waiting = others;
            if requests.is_empty() {
                continue;
            }
            let runtime = Arc::clone(&runtime);
            let rendered = tokio::task::spawn_blocking(move || render_view(&runtime, scope, view)).await;
            let rendered = rendered.unwrap_or_else(|error| Err(error.to_string()));
            for request in requests {
                // The client may have closed its connection meanwhile.
                let _ = request.reply.send(rendered.clone());
            }
        }
        pause_end = Instant::now() + (started.elapsed() * PAUSE_FACTOR).min(MAX_PAUSE);
    }
}

fn render_view(runtime: &Arc<RuntimeInner>, scope: Scope, view: View) -> Rendered {
    match view {
        View::Exposition(format) => {
            let options = ExpositionOptions::new().scope(scope).format(format);
            match exposition_of(std::slice::from_ref(runtime), &options) {
                Ok(exposition) => Ok(exposition.text.into()),
                Err(error) => Err(error.to_string()),
            }
        }
        View::Snapshot => {
            let snapshot = runtime.snapshot().map_err(|error| error.to_string())?;
            serde_json::to_vec(&snapshot).map(Bytes::from).map_err(|error| error.to_string())
        }
    }
}
