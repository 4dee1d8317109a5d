//! The HTTP endpoint: a thread of its own that answers scrapes.
//!
//! ```text
//! accept ─▶ one task for each connection ─▶ routes ─▶ renderer ─▶ one rendering at a time, in a blocking thread
//! ```
//!
//! What a client can cost is bounded: connections, the size of headers, the time for headers, the time a response may stand
//! still, the life of a connection, and the share of time that is spent on rendering. When there are too many connections,
//! the one that has been waited for longest makes room, or the next one that has its answer, so that idle, slow and busy clients
//! cannot lock others out.

mod body;
mod connections;
mod renderer;
mod routes;
mod stream;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tokio::sync::oneshot;

use self::connections::serve;
use self::renderer::Renderer;
use crate::export::Scope;
use crate::runtime::{MetricsRuntime, Shared};

/// The port of an endpoint that is told no other.
const DEFAULT_PORT: u16 = 9464;
const DEFAULT_CONNECTIONS: usize = 64;

/// What can be chosen for an [`Endpoint`].
///
/// ```
/// use std::net::{Ipv6Addr, SocketAddr};
///
/// use mvx_metrics::export::Scope;
/// use mvx_metrics::http::EndpointOptions;
///
/// let options = EndpointOptions::new()
///     .address(SocketAddr::from((Ipv6Addr::UNSPECIFIED, 9000))) // whoever reaches this machine may read
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
    /// The default choices: port 9464 on loopback, everything rolled up, 64 connections.
    pub fn new() -> Self {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_PORT));
        Self { address, scope: Scope::default(), max_connections: DEFAULT_CONNECTIONS }
    }

    /// Another port on loopback; 0 lets the system choose.
    pub fn port(mut self, port: u16) -> Self {
        self.address.set_port(port);
        self
    }

    /// Another address, which may be one that other machines reach. The endpoint knows no authentication.
    pub fn address(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// Which recorders share their series; by default all of a namespace.
    pub fn scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// How many connections may be open, at least 1; by default 64. One more takes the place of one that asks for nothing.
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

/// Why there is no endpoint.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// The address cannot be had, mostly because it is in use.
    #[error("cannot listen on {address}")]
    Address {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The thread or its event loop cannot be created.
    #[error("cannot create the thread of the endpoint")]
    Thread {
        /// What the system says.
        source: io::Error,
    },
}

impl EndpointError {
    /// A stable code for the kind of error.
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
/// | `/metrics` | the exposition, in the format the `Accept` header asks for |
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
    /// Before the runtime is started and after it is shut down the endpoint answers 503.
    ///
    /// # Errors
    /// [`EndpointError::Address`] when the address is in use or not ours; [`EndpointError::Thread`] when the thread cannot be
    /// created.
    pub fn serve_http(&self, options: EndpointOptions) -> Result<Endpoint, EndpointError> {
        Endpoint::start(Arc::clone(&self.shared), options)
    }
}

impl Endpoint {
    /// The address it listens on, with the port the system chose if that was asked for.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    fn start(shared: Arc<Shared>, options: EndpointOptions) -> Result<Self, EndpointError> {
        let EndpointOptions { address, scope, max_connections } = options;
        let unavailable = |source| EndpointError::Address { address, source };
        let listener = TcpListener::bind(address).map_err(unavailable)?;
        listener.set_nonblocking(true).map_err(unavailable)?;
        let address = listener.local_addr().map_err(unavailable)?;

        let failed = |source| EndpointError::Thread { source };
        // One rendering at a time has a thread; everything else shares this one.
        let tokio = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(1)
            .thread_name(format!("{}.metrics_render", shared.namespace()))
            .build()
            .map_err(failed)?;
        let listener = {
            let _inside = tokio.enter();
            tokio::net::TcpListener::from_std(listener).map_err(failed)?
        };
        let (stop, stopped) = oneshot::channel();
        let name = format!("{}.metrics_http", shared.namespace());
        let run = move || {
            tokio.block_on(async {
                let renderer = Renderer::spawn(shared, scope, max_connections);
                tokio::spawn(serve(listener, renderer, max_connections));
                // Either way it says that the endpoint was dropped.
                let _ = stopped.await;
            });
            // A rendering in progress is not waited for.
            tokio.shutdown_background();
        };
        let thread = thread::Builder::new().name(name).spawn(run).map_err(failed)?;
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        // The thread looks at nothing but this; should it have ended, nobody listens.
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic in there has nothing to say to whoever drops the endpoint.
            let _ = thread.join();
        }
    }
}
