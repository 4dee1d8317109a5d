//! The endpoint: a service behind a listener, in a thread of its own.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::thread::{self, JoinHandle};

use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::{LocalSet, spawn_local};

use super::connections::accept_connections;
use super::options::ServiceOptions;
use super::service::MetricsService;
use crate::runtime::MetricsRuntime;

const DEFAULT_PORT: u16 = 9464;
const DEFAULT_MAX_CONNECTIONS: usize = 64;

/// Where an [`Endpoint`] listens. The service decides about the answers: see [`MetricsService::serve`].
///
/// ```
/// use std::net::{Ipv6Addr, SocketAddr};
///
/// use mvx_metrics::http::EndpointOptions;
///
/// let options = EndpointOptions::new()
///     .address(SocketAddr::from((Ipv6Addr::UNSPECIFIED, 9000))) // every machine that reaches this one may read
///     .max_connections(8);
/// ```
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct EndpointOptions {
    address: SocketAddr,
    max_connections: usize,
}

impl EndpointOptions {
    /// The defaults: port 9464 on loopback, 64 connections.
    pub fn new() -> Self {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_PORT));
        Self { address, max_connections: DEFAULT_MAX_CONNECTIONS }
    }

    /// Another port on loopback; 0 lets the system choose.
    pub fn port(mut self, port: u16) -> Self {
        self.address.set_port(port);
        self
    }

    /// Another address. Other machines may reach it, and the endpoint has no authentication. Unless the address is a loopback
    /// address, the endpoint answers to every host name; see [`ServiceOptions::check_host`].
    ///
    /// `0.0.0.0` and `[::]` include loopback. A website that is open in a browser of this machine can then read the metrics by DNS
    /// rebinding, unless the host is checked.
    pub fn address(mut self, address: SocketAddr) -> Self {
        self.address = address;
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

/// An HTTP endpoint that serves the [routes](MetricsService::routes) of a [`MetricsService`] until it is dropped.
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
    /// Serves the metrics over HTTP until the endpoint is dropped: a [`metrics_service`](Self::metrics_service) with default
    /// options, behind a listener.
    ///
    /// # Errors
    /// As [`MetricsService::serve`].
    pub fn serve_http(&self, options: EndpointOptions) -> Result<Endpoint, EndpointError> {
        self.metrics_service(ServiceOptions::default()).serve(options)
    }
}

impl MetricsService {
    /// Serves the [routes](Self::routes) until the endpoint is dropped, in a thread named `{namespace}.metrics_http`.
    ///
    /// On a loopback address it answers only to a host that is an IP address, `localhost` or an
    /// [allowed name](ServiceOptions::allowed_hosts). The [module](crate::http) has the reasons.
    ///
    /// ```
    /// use mvx_metrics::MetricsRuntime;
    /// use mvx_metrics::export::Scope;
    /// use mvx_metrics::http::{EndpointOptions, ServiceOptions};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = MetricsRuntime::new("my.service")?;
    /// runtime.start()?;
    /// let service = runtime.metrics_service(ServiceOptions::new().scope(Scope::PerEntity));
    /// let endpoint = service.serve(EndpointOptions::new().port(0))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`EndpointError::Address`] when the address is in use or not an address of this machine;
    /// [`EndpointError::Thread`] when the thread cannot be created.
    pub fn serve(self, options: EndpointOptions) -> Result<Endpoint, EndpointError> {
        let EndpointOptions { address, max_connections } = options;
        let unavailable = |source| EndpointError::Address { address, source };
        let listener = TcpListener::bind(address).map_err(unavailable)?;
        listener.set_nonblocking(true).map_err(unavailable)?;
        let address = listener.local_addr().map_err(unavailable)?;

        let failed = |source| EndpointError::Thread { source };
        let executor = EndpointRuntime::new().map_err(failed)?;
        let listener = {
            let _context = executor.get().enter();
            tokio::net::TcpListener::from_std(listener).map_err(failed)?
        };
        let (stop, stopped) = oneshot::channel();
        let runtime = &self.renderer().runtimes()[0];
        let (name, log_policy) = (format!("{}.metrics_http", runtime.namespace()), runtime.log_policy());
        let service = self.behind_listener(address.ip().to_canonical().is_loopback());
        let run = move || {
            LocalSet::new().block_on(executor.get(), async {
                spawn_local(accept_connections(listener, service, max_connections, log_policy));
                // Any result means that the endpoint was dropped.
                let _ = stopped.await;
            });
        };
        let thread = thread::Builder::new().name(name).spawn(run).map_err(failed)?;
        Ok(Endpoint { address, stop: Some(stop), thread: Some(thread) })
    }
}

impl Endpoint {
    /// The address the endpoint listens on. If the options had port 0, it has the port that the system chose.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
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
    fn new() -> io::Result<Self> {
        // The endpoint's thread does everything but the rendering, and nothing runs in tokio's blocking threads.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self(Some(runtime)))
    }

    fn get(&self) -> &Runtime {
        self.0.as_ref().expect("only `drop` takes the runtime")
    }
}

impl Drop for EndpointRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
