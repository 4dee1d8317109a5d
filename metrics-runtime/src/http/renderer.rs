//! The renderer: renders one view at a time, once for all clients that wait for it.
//!
//! ```text
//! request ─▶ waiting ─▶ round: render each view that a client waits for, answer ─▶ pause ─▶ the next round, if a client waits
//! ```
//!
//! The thread of the renderer exists from the first request to the end of the last pause. A renderer keeps no rendering, so
//! clients that ask without end cost no more than a response each for every round.
//!
//! It keeps the samples of the page while somebody looks, and so long lives its thread. The time that samples take is not part of the pause,
//! because the sampler bounds it. So clients that look with different queries do not wait for that long a pause.

use std::sync::Arc;
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use hyper::StatusCode;
use hyper::body::Bytes;
use tokio::sync::watch;

use super::encoding::{MAX_PLAIN_SIZE, compress};
use crate::error::MetricsRuntimeError;
use crate::export::{ExpositionOptions, Format, exposition_of, read_all};
#[cfg(feature = "page")]
use crate::page::{PageQuery, Runtimes, Sampler};
use crate::panics;
use crate::runtime::RuntimeInner;
use crate::state::MetricsRuntimeState;
use crate::sync::Mutex;

/// After a round the renderer pauses for this many times as long as the round took. Clients that ask without end thus take
/// at most a ninth of one core, while a round takes at most an eighth of `MAX_PAUSE`. They take half of one core where a round
/// takes as long as `MAX_PAUSE`, and more beyond.
const PAUSE_FACTOR: u32 = 8;
const MAX_PAUSE: Duration = Duration::from_secs(1);
/// A round of this length or longer also answers the clients that asked meanwhile. Otherwise they would wait for two rounds.
const SHARED_ROUND: Duration = Duration::from_millis(125);

/// What a client may ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum View {
    Exposition(Format),
    Snapshot,
    /// One look at the page's data.
    #[cfg(feature = "page")]
    Page(Box<PageQuery>),
}

#[cfg(feature = "page")]
impl View {
    /// The look that the query of a URL asks for.
    pub(super) fn page(query: &str) -> Self {
        Self::Page(Box::new(PageQuery::parse(query)))
    }
}

/// The bytes of a view.
#[derive(Debug, Clone)]
pub(super) struct Rendering {
    pub(super) plain: Bytes,
    /// The compressed bytes, if a client asked for them and they are worth it.
    pub(super) gzip: Option<Bytes>,
}

impl Rendering {
    fn serves(&self, gzip: bool) -> bool {
        !gzip || self.gzip.is_some() || self.plain.len() <= MAX_PLAIN_SIZE
    }
}

/// Why there is no rendering.
#[derive(Debug, Clone)]
pub(super) struct RenderError {
    pub(super) status: StatusCode,
    pub(super) problem: String,
}

pub(super) type Rendered = Result<Rendering, RenderError>;

/// The clients that wait for a view.
struct Waiting {
    view: View,
    /// Whether one of the clients wants gzip.
    gzip: bool,
    answer: watch::Sender<Option<Rendered>>,
}

#[derive(Default)]
struct Rounds {
    has_thread: bool,
    /// The requests for the next round, with one entry for each view.
    waiting: Vec<Waiting>,
    /// The thread, while no client waits and it keeps the samples of the page for a next look.
    lingering: Option<Thread>,
}

/// The renderer of a service and its clones.
pub(super) struct Renderer {
    runtimes: Vec<Arc<RuntimeInner>>,
    exposition: ExpositionOptions,
    rounds: Mutex<Rounds>,
    /// The samples of the page. Only the renderer's thread takes them out, and puts them back after a look.
    #[cfg(feature = "page")]
    sampler: Mutex<Sampler>,
}

/// The thread does not wait for a next look at a service that is gone.
impl Drop for Renderer {
    fn drop(&mut self) {
        let lingering = self.rounds.lock().lingering.take();
        if let Some(thread) = lingering {
            thread.unpark();
        }
    }
}

/// What the thread does after a round.
enum Next {
    Pause(Duration),
    /// No client waits. The samples of the page are kept for so long.
    Linger(Duration),
    End,
}

impl Renderer {
    pub(super) fn new(runtimes: Vec<Arc<RuntimeInner>>, exposition: ExpositionOptions) -> Arc<Self> {
        Arc::new(Self {
            runtimes,
            exposition,
            rounds: Mutex::default(),
            #[cfg(feature = "page")]
            sampler: Mutex::default(),
        })
    }

    pub(super) fn runtimes(&self) -> &[Arc<RuntimeInner>] {
        &self.runtimes
    }

    fn states(&self) -> Vec<MetricsRuntimeState> {
        self.runtimes.iter().map(|runtime| runtime.status()).collect()
    }

    /// Waits for a rendering that starts after this call, or for that of a long round in progress.
    pub(super) async fn request(self: Arc<Self>, view: &View, gzip: bool) -> Rendered {
        let mut answer = self.join(view, gzip);
        let rendered = answer.wait_for(Option::is_some).await.ok().and_then(|rendered| rendered.clone());
        rendered.unwrap_or_else(|| Err(unavailable("the thread that renders has ended")))
    }

    /// Asks for a rendering in the next round.
    fn join(self: &Arc<Self>, view: &View, gzip: bool) -> watch::Receiver<Option<Rendered>> {
        let mut rounds = self.rounds.lock();
        let answer = if let Some(waiting) = rounds.waiting.iter_mut().find(|waiting| waiting.view == *view) {
            waiting.gzip |= gzip;
            waiting.answer.subscribe()
        } else {
            let (answer, receiver) = watch::channel(None);
            rounds.waiting.push(Waiting { view: view.clone(), gzip, answer });
            receiver
        };
        let needs_thread = !std::mem::replace(&mut rounds.has_thread, true);
        let lingering = rounds.lingering.take();
        drop(rounds);
        if let Some(thread) = lingering {
            thread.unpark();
        }
        if needs_thread {
            self.spawn_thread();
        }
        answer
    }

    fn spawn_thread(self: &Arc<Self>) {
        let renderer = Arc::clone(self);
        let name = format!("{}.metrics_render", self.runtimes[0].namespace());
        if let Err(error) = thread::Builder::new().name(name).spawn(move || run_rounds(renderer)) {
            let mut rounds = self.rounds.lock();
            rounds.has_thread = false;
            let waiting = std::mem::take(&mut rounds.waiting);
            drop(rounds);
            for waiting in waiting {
                let problem = unavailable(format!("cannot create the thread that renders: {error}"));
                waiting.answer.send_replace(Some(Err(problem)));
            }
        }
    }

    /// Answers all clients that wait, and tells what comes after that.
    fn render_round(&self) -> Next {
        let kept_for = self.samples_kept_for();
        let waiting = {
            let mut rounds = self.rounds.lock();
            let is_idle = rounds.waiting.is_empty();
            rounds.has_thread = !is_idle || kept_for.is_some();
            rounds.lingering = kept_for.filter(|_| is_idle).map(|_| thread::current());
            std::mem::take(&mut rounds.waiting)
        };
        if waiting.is_empty() {
            return kept_for.map_or(Next::End, Next::Linger);
        }
        // Samples of the page have a pace of their own.
        let mut sampled = Duration::ZERO;
        let (started, states) = (Instant::now(), self.states());
        let mut renderings = Vec::new();
        for Waiting { view, gzip, answer } in waiting {
            // All clients may have closed their connections.
            if answer.is_closed() {
                continue;
            }
            let rendered = panics::catch(|| self.render(&view, gzip, &mut sampled));
            let rendered = rendered.unwrap_or_else(|panic| Err(unavailable(panic.to_string())));
            if let Ok(rendering) = &rendered {
                renderings.push((view, rendering.clone()));
            }
            answer.send_replace(Some(rendered));
        }
        // After a change of state the final state is to be shown, not the one of before.
        if started.elapsed() >= SHARED_ROUND && self.states() == states {
            self.share(&renderings);
        }
        Next::Pause((started.elapsed().saturating_sub(sampled) * PAUSE_FACTOR).min(MAX_PAUSE))
    }

    /// Gives the renderings of a long round to the clients that have asked meanwhile.
    fn share(&self, renderings: &[(View, Rendering)]) {
        for (view, rendering) in renderings {
            let is_served = |waiting: &mut Waiting| waiting.view == *view && rendering.serves(waiting.gzip);
            let served: Vec<_> = self.rounds.lock().waiting.extract_if(.., is_served).collect();
            // No lock is held: this wakes the clients.
            for waiting in served {
                waiting.answer.send_replace(Some(Ok(rendering.clone())));
            }
        }
    }

    /// Renders a view, and adds the time that samples of the page took.
    #[cfg_attr(not(feature = "page"), expect(unused_variables, reason = "only the page has samples"))]
    fn render(&self, view: &View, gzip: bool, sampled: &mut Duration) -> Rendered {
        let plain = match view {
            View::Exposition(format) => {
                let options = self.exposition.clone().format(*format);
                exposition_of(&self.runtimes, &options)?.into_bytes().into()
            }
            View::Snapshot => self.render_snapshots()?,
            #[cfg(feature = "page")]
            View::Page(query) => self.render_page(query, sampled)?,
        };
        let gzip = if gzip { compress(&plain) } else { None };
        Ok(Rendering { plain, gzip })
    }

    /// One runtime is an object, several are a list of these. As in an exposition, the list has no runtime that was never started.
    fn render_snapshots(&self) -> Result<Bytes, RenderError> {
        let json = if let [runtime] = &*self.runtimes {
            serde_json::to_vec(&runtime.snapshot()?)
        } else {
            let (snapshots, _) = read_all(&self.runtimes, RuntimeInner::snapshot)?;
            serde_json::to_vec(&snapshots)
        };
        json.map(Bytes::from).map_err(|error| unavailable(error.to_string()))
    }
}

/// The page.
#[cfg(feature = "page")]
impl Renderer {
    fn render_page(&self, query: &PageQuery, sampled: &mut Duration) -> Result<Bytes, RenderError> {
        let source = Runtimes { runtimes: &self.runtimes, exposition: &self.exposition };
        // Reading metrics runs user code, so no lock is held.
        let mut taken = std::mem::take(&mut *self.sampler.lock());
        let look = taken.look(query, &source, Instant::now());
        *self.sampler.lock() = taken;
        let (data, cost) = look?;
        *sampled += cost;
        serde_json::to_vec(&data).map(Bytes::from).map_err(|error| unavailable(error.to_string()))
    }

    /// For how long the samples of the page are to be kept for a next look. Older ones are forgotten.
    fn samples_kept_for(&self) -> Option<Duration> {
        self.sampler.lock().forget_if_old(Instant::now())
    }
}

#[cfg(not(feature = "page"))]
impl Renderer {
    #[expect(clippy::unused_self, reason = "the page has samples")]
    fn samples_kept_for(&self) -> Option<Duration> {
        None
    }
}

impl From<MetricsRuntimeError> for RenderError {
    fn from(error: MetricsRuntimeError) -> Self {
        let status = match error {
            // A mistake in the options of the service, which no retry heals.
            MetricsRuntimeError::InvalidArgument { .. } => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self { status, problem: error.to_string() }
    }
}

fn unavailable(problem: impl Into<String>) -> RenderError {
    RenderError { status: StatusCode::SERVICE_UNAVAILABLE, problem: problem.into() }
}

/// Renders for as long as clients wait. During a pause the service may be dropped, and is freed at once.
fn run_rounds(mut renderer: Arc<Renderer>) {
    loop {
        let next = renderer.render_round();
        let paused = Arc::downgrade(&renderer);
        drop(renderer);
        match next {
            Next::Pause(pause) => thread::sleep(pause),
            // The next client, or the drop of the service, ends it early.
            Next::Linger(rest) => thread::park_timeout(rest),
            Next::End => return,
        }
        match paused.upgrade() {
            Some(again) => renderer = again,
            None => return,
        }
    }
}
