//! HTTP: the metrics of runtimes for Prometheus, as a [`MetricsService`] or as an [`Endpoint`]. Feature `http`.
//!
//! [`MetricsRuntime::metrics_service`](crate::MetricsRuntime::metrics_service) gives a service for the server that a program
//! already has. [`MetricsRuntime::serve_http`](crate::MetricsRuntime::serve_http) is the same service with a listener and a thread
//! of its own. Both share nothing with the event loop but the registry of recorders.
//!
//! ```text
//! listener ─▶ one task per connection ─▶ service ─▶ routes ─▶ renderer ─▶ one rendering at a time, in a thread of its own
//! ```
//!
//! # What bounds the cost of clients
//!
//! One thread renders for all clients of a service that wait, and pauses after each rendering. The thread exists while a
//! client waits, and during the pause. It needs no tokio runtime. A client gets a rendering that began after its request. Only
//! where rendering takes more than an eighth of a second, the clients that ask meanwhile share the rendering in progress.
//!
//! The body of a request is never read.
//!
//! An endpoint has further limits:
//!
//! * the number and the age of connections,
//! * the size of headers, and the time that they take,
//! * the time in which a client reads nothing of a response.
//!
//! When all connections are in use, the endpoint evicts one for the next client. It closes the connection without progress for
//! the longest time, or the next one that gets its response. So idle, slow and busy clients cannot shut others out.
//!
//! # Which hosts are answered
//!
//! A web page can let its own host name lead to `127.0.0.1` (DNS rebinding). The browser then lets the page read from a server on
//! loopback, but it sends the page's name in `Host`. So an endpoint on a loopback address answers only to a host that is an
//! IP address or `localhost`, with any port, or that [`ServiceOptions::allowed_hosts`] names. Other hosts get 421 (Misdirected
//! Request), the status of a server that does not serve the named host. An endpoint on another address and a mounted service answer
//! to all hosts, unless [`ServiceOptions::check_host`] or `allowed_hosts` asks for the check.
//!
//! HTTP/1.1 requires one valid `Host`. Otherwise an endpoint answers 400, and so does a mounted service that checks. A request with
//! an absolute target, such as `GET http://localhost/metrics`, has the host of its target.

mod body;
mod connections;
mod encoding;
mod endpoint;
mod host;
mod options;
mod renderer;
mod routes;
mod service;
mod stream;

pub use self::body::ResponseBody;
pub use self::endpoint::{Endpoint, EndpointError, EndpointOptions};
pub use self::options::ServiceOptions;
pub use self::service::{MetricsService, ResponseFuture};
