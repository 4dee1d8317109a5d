//! HTTP: an [`Endpoint`] that serves the metrics of a runtime to Prometheus. Feature `http`.
//!
//! The endpoint has a thread of its own and shares nothing with the event loop but the registry of recorders.
//!
//! ```text
//! accept ─▶ one task per connection ─▶ routes ─▶ renderer ─▶ one rendering at a time, in a blocking thread
//! ```
//!
//! Limits bound the cost of clients:
//!
//! * the number and the age of connections,
//! * the size of headers, and the time that they take,
//! * the time in which a client reads nothing of a response,
//! * the pause after each rendering.
//!
//! When all connections are in use, the endpoint evicts one for the next client. It closes the connection without progress for
//! the longest time, or the next one that gets its response. So idle, slow and busy clients cannot shut others out.

mod connections;
mod renderer;
mod routes;
mod stream;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::{LocalSet, spawn_local};

use self::connections::accept_connections;
use self::renderer::Renderer;
use crate::export::Scope;
use crate::runtime::{MetricsRuntime, RuntimeInner};

const DEFAULT_PORT: u16 = 9464;
const DEFAULT_MAX_CONNECTIONS: usize = 64;

/// The options of an [`Endpoint`].
///
/// ```
/// use std::net::{Ipv6Addr, SocketAddr};
///
/// use mvx_metrics::export::Scope;
/// use mvx_metrics::http::EndpointOptions;
///
/// let options = EndpointOptions::new()
///     .address(SocketAddr::from((Ipv6Addr::UNSPECIFIED, 9000))) // every machine that reaches this one may read
///     .scope(Scope::PerEntity)
///     .max_connections(8);
/// ```
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct EndpointOptions {
    address: SocketAddr,
    scope: Scope,
    max_connections: usize,
}

impl EndpointOptions {
    /// The defaults: port 9464 on loopback, [`Scope::Rollup`], 64 connections.
    pub fn new() -> Self {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_PORT));
        Self { address, scope: Scope::default(), max_connections: DEFAULT_MAX_CONNECTIONS }
    }

    /// Another port on loopback; 0 lets the system choose.
    pub fn port(mut self, port: u16) -> Self {
        self.address.set_port(port);
        self
    }

    /// Another address. Other machines may reach it, and the endpoint has no authentication.
    pub fn address(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// Which recorders share series; by default all recorders of a namespace.
    pub fn scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// How many connections may be open, at least 1; by default 64. A further connection replaces an idle one.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.max_connections = connections.max(1);
        self
    }
}

impl Default for EndpointOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// Why an endpoint could not be created.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// The endpoint cannot listen on the address. In most cases the address is in use.
    #[error("cannot listen on {address}")]
    Address {
        /// The address in the options.
        address: SocketAddr,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The thread of the endpoint, or the tokio runtime in it, cannot be created.
    #[error("cannot create the thread of the endpoint")]
    Thread {
        /// The error of the operating system.
        source: io::Error,
    },
}

impl EndpointError {
    /// A stable code of this kind of error.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Address { .. } => "ENDPOINT_ADDRESS_UNAVAILABLE",
            Self::Thread { .. } => "ENDPOINT_STARTUP_ERROR",
        }
    }
}

/// An HTTP endpoint that serves the metrics of a runtime until it is dropped.
///
/// | path | answer |
/// |---|---|
/// | `/metrics` | the exposition, in the format that the `Accept` header prefers |
/// | `/snapshot` | [`RuntimeSnapshot`](crate::RuntimeSnapshot) as JSON |
/// | `/healthz` | 200 while the runtime runs, 503 otherwise |
///
/// `GET` and `HEAD` only.
///
/// ```
/// use mvx_metrics::MetricsRuntime;
/// use mvx_metrics::http::EndpointOptions;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runtime = MetricsRuntime::new("my.service")?;
/// runtime.start()?;
/// let endpoint = runtime.serve_http(EndpointOptions::new().port(0))?;
/// println!("curl http://{}/metrics", endpoint.address());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "the endpoint ends when it is dropped"]
pub struct Endpoint {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl MetricsRuntime {
    /// Serves the metrics over HTTP until the endpoint is dropped, in a thread named `{namespace}.metrics_http`.
    ///
    /// Before the runtime is started, and while it is shut down, `/metrics` and `/snapshot` are 503. After the shutdown they
    /// have the final state.
    ///
    /// # Errors
    /// [`EndpointError::Address`] when the address is in use or not an address of this machine;
    /// [`EndpointError::Thread`] when the thread cannot be created.
    pub fn serve_http(&self, options: EndpointOptions) -> Result<Endpoint, EndpointError> {
        Endpoint::start(Arc::clone(&self.inner), options)
    }
}

impl Endpoint {
    /// The address the endpoint listens on. If the options had port 0, it has the port that the system chose.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    fn start(runtime: Arc<RuntimeInner>, options: EndpointOptions) -> Result<Self, EndpointError> {
        let EndpointOptions { address, scope, max_connections } = options;
        let unavailable = |source| EndpointError::Address { address, source };
        let listener = TcpListener::bind(address).map_err(unavailable)?;
        listener.set_nonblocking(true).map_err(unavailable)?;
        let address = listener.local_addr().map_err(unavailable)?;

        let failed = |source| EndpointError::Thread { source };
        let executor = EndpointRuntime::new(runtime.namespace()).map_err(failed)?;
        let listener = {
            let _context = executor.get().enter();
            tokio::net::TcpListener::from_std(listener).map_err(failed)?
        };
        let (stop, stopped) = oneshot::channel();
        let name = format!("{}.metrics_http", runtime.namespace());
        let run = move || {
            LocalSet::new().block_on(executor.get(), async {
                let log_policy = runtime.log_policy();
                let renderer = Renderer::spawn(runtime, scope, max_connections);
                spawn_local(accept_connections(listener, renderer, max_connections, log_policy));
                // Any result means that the endpoint was dropped.
                let _ = stopped.await;
            });
        };
        let thread = thread::Builder::new().name(name).spawn(run).map_err(failed)?;
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        // The thread may have ended already; then nothing receives this.
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the thread must not reach the caller.
            let _ = thread.join();
        }
    }
}

/// The tokio runtime of an endpoint. It may be dropped in async code, where a tokio runtime must not wait for its threads.
struct EndpointRuntime(Option<Runtime>);

impl EndpointRuntime {
    fn new(namespace: &str) -> io::Result<Self> {
        // The endpoint's thread does everything but the rendering, which has a blocking thread.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(1)
            .thread_name(format!("{namespace}.metrics_render"))
            .build()?;
        Ok(Self(Some(runtime)))
    }

    fn get(&self) -> &Runtime {
        self.0.as_ref().expect("only `drop` takes the runtime")
    }
}

impl Drop for EndpointRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // Does not wait for a rendering in progress.
            runtime.shutdown_background();
        }
    }
}
