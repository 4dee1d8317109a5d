//! The service: the metrics of runtimes for the HTTP server that a program already has.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::{Method, Request, Response};

use super::body::ResponseBody;
use super::encoding::prefers_gzip;
use super::host::{self, HostRule};
use super::options::ServiceOptions;
use super::renderer::{Renderer, View};
use super::routes::{self, Route};
use crate::runtime::MetricsRuntime;

/// A service that answers HTTP requests with the metrics of one or several runtimes. A clone is cheap and shares its renderings.
///
/// It is a tower service and a hyper service for requests with any body, which it does not read. It never fails. It needs no
/// particular executor, and no tokio: a thread of its own renders while clients wait. If that thread cannot be created, the answer
/// is 503.
///
/// | | answer to `GET` and `HEAD` |
/// |---|---|
/// | any path | the exposition, in the format that the `Accept` header prefers: text, or Protobuf for native histograms |
/// | with [`routes`](Self::routes): `/metrics` | the same |
/// | `/snapshot` | [`RuntimeSnapshot`](crate::RuntimeSnapshot) as JSON; of several runtimes a list of them |
/// | `/healthz` | 200 while all runtimes run, 503 otherwise, with the state as text |
/// | with [`ServiceOptions::page`](ServiceOptions): `/` | a [page](crate#features) that shows the running program |
/// | other paths | 404 |
///
/// Other methods are 405. Before the runtime is started, and while it is shut down, the exposition and `/snapshot` are 503. After
/// the shutdown they have the final state, also when the [`MetricsRuntime`] is dropped: the service keeps its final state in
/// memory. A service does not keep a runtime running.
///
/// With `Accept-Encoding: gzip`, an exposition or snapshot above 1 KiB is compressed, once for all clients that wait for it.
///
/// In axum:
///
/// ```
/// use axum::Router;
/// use mvx_metrics::MetricsRuntime;
/// use mvx_metrics::http::ServiceOptions;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runtime = MetricsRuntime::new("my.service")?;
/// runtime.start()?;
/// let app: Router = Router::new()
///     .route_service("/metrics", runtime.metrics_service(ServiceOptions::default()))
///     .nest_service("/internal", runtime.metrics_service(ServiceOptions::default()).routes());
/// # runtime.shutdown()?;
/// # Ok(())
/// # }
/// ```
///
/// In a hyper server:
///
/// ```no_run
/// use hyper::server::conn::http1;
/// use hyper_util::rt::TokioIo;
/// use mvx_metrics::MetricsRuntime;
/// use mvx_metrics::http::ServiceOptions;
/// use tokio::net::TcpListener;
///
/// # async fn serve() -> Result<(), Box<dyn std::error::Error>> {
/// let runtime = MetricsRuntime::new("my.service")?;
/// runtime.start()?;
/// let service = runtime.metrics_service(ServiceOptions::default());
/// let listener = TcpListener::bind("127.0.0.1:9000").await?;
/// loop {
///     let (stream, _) = listener.accept().await?;
///     tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service.clone()));
/// }
/// # }
/// ```
#[derive(Clone)]
pub struct MetricsService {
    renderer: Arc<Renderer>,
    options: Arc<ServiceOptions>,
    host_rule: HostRule,
    has_routes: bool,
}

impl MetricsRuntime {
    /// A service with the metrics of this runtime, for an HTTP server such as one of axum or hyper.
    ///
    /// It can be created in any state of the runtime. Create one and clone it: clones share the limits on the cost of clients.
    /// [`MetricsService`] has examples.
    #[must_use]
    pub fn metrics_service(&self, options: ServiceOptions) -> MetricsService {
        let host_rule = if options.check_host == Some(true) { HostRule::Allowed } else { HostRule::Any };
        let renderer = Renderer::new(vec![Arc::clone(&self.inner)], options.exposition.clone());
        MetricsService { renderer, options: Arc::new(options), host_rule, has_routes: false }
    }
}

impl MetricsService {
    /// The same service with routes: `/metrics`, `/snapshot` and `/healthz`.
    #[must_use]
    pub fn routes(mut self) -> Self {
        self.has_routes = true;
        self
    }

    /// A service with the metrics of another runtime too, in one exposition. Clones that were made before stay as they are.
    ///
    /// The exposition is that of [`MetricsRuntime::exposition_of`]: runtimes with the same namespace share its series. A runtime
    /// that was never started is not in the answers. While a runtime is being shut down, the exposition and `/snapshot` are 503. A
    /// runtime that the service already has is not added again.
    ///
    /// ```
    /// use mvx_metrics::MetricsRuntime;
    /// use mvx_metrics::http::{EndpointOptions, ServiceOptions};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let [fast, slow] = [MetricsRuntime::new("fast")?, MetricsRuntime::new("slow")?];
    /// fast.start()?;
    /// slow.start()?;
    /// let service = fast.metrics_service(ServiceOptions::default()).and(&slow);
    /// let endpoint = service.serve(EndpointOptions::new().port(0))?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn and(mut self, other: &MetricsRuntime) -> Self {
        let mut runtimes = self.renderer.runtimes().to_vec();
        if !runtimes.iter().any(|runtime| Arc::ptr_eq(runtime, &other.inner)) {
            runtimes.push(Arc::clone(&other.inner));
            self.renderer = Renderer::new(runtimes, self.options.exposition.clone());
        }
        self
    }

    pub(super) fn renderer(&self) -> &Renderer {
        &self.renderer
    }

    /// The same service behind a listener of its own.
    pub(super) fn behind_listener(mut self, on_loopback: bool) -> Self {
        let checks = self.options.check_host.unwrap_or(on_loopback);
        self.host_rule = if checks { HostRule::Allowed } else { HostRule::WellFormed };
        self.routes()
    }

    /// The answer to a request. Its body is ignored.
    fn respond<B>(&self, request: &Request<B>) -> ResponseFuture {
        let is_head = request.method() == Method::HEAD;
        let plan = self.plan(request);
        let renderer = Arc::clone(&self.renderer);
        ResponseFuture(Box::pin(async move {
            let response = match plan {
                Plan::Respond(response) => response,
                Plan::Render { view, gzip } => routes::view(&view, gzip, renderer.request(&view, gzip).await),
            };
            if is_head { response.map(|_| ResponseBody::default()) } else { response }
        }))
    }

    fn plan<B>(&self, request: &Request<B>) -> Plan {
        let ServiceOptions { gzip, ref allowed_hosts, .. } = *self.options;
        if let Err(status) = host::check(request, self.host_rule, allowed_hosts) {
            return Plan::Respond(routes::refused_host(status));
        }
        let route = if self.has_routes {
            Route::of(request.uri().path(), &self.options)
        } else {
            Some(Route::Metrics)
        };
        let Some(route) = route else {
            return Plan::Respond(routes::not_found(&self.options));
        };
        if let Some(refusal) = routes::refused_method(request) {
            return Plan::Respond(refusal);
        }
        let gzip = gzip && prefers_gzip(request.headers());
        match route {
            Route::Metrics => {
                Plan::Render { view: View::Exposition(routes::accepted_format(request.headers())), gzip }
            }
            Route::Snapshot => Plan::Render { view: View::Snapshot, gzip },
            Route::Health => Plan::Respond(routes::health(self.renderer.runtimes())),
            #[cfg(feature = "page")]
            Route::Page(part) => match part.file(gzip) {
                Some(file) => Plan::Respond(file),
                None => Plan::Render { view: View::page(request.uri().query().unwrap_or_default()), gzip },
            },
        }
    }
}

/// How a request is answered.
enum Plan {
    Respond(Response<ResponseBody>),
    Render { view: View, gzip: bool },
}

impl<B> tower_service::Service<Request<B>> for MetricsService {
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> ResponseFuture {
        self.respond(&request)
    }
}

impl<B> hyper::service::Service<Request<B>> for MetricsService {
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = ResponseFuture;

    fn call(&self, request: Request<B>) -> ResponseFuture {
        self.respond(&request)
    }
}

impl fmt::Debug for MetricsService {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let namespaces: Vec<_> = self.renderer.runtimes().iter().map(|runtime| runtime.namespace()).collect();
        formatter
            .debug_struct("MetricsService")
            .field("namespaces", &namespaces)
            .field("options", &self.options)
            .field("routes", &self.has_routes)
            .finish_non_exhaustive()
    }
}

/// The future of a response. When it is dropped, the client is forgotten; a rendering for other clients goes on.
pub struct ResponseFuture(Pin<Box<dyn Future<Output = Response<ResponseBody>> + Send>>);

impl Future for ResponseFuture {
    type Output = Result<Response<ResponseBody>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(context).map(Ok)
    }
}

impl fmt::Debug for ResponseFuture {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
