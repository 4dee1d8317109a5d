//! The options of a service.

use super::host;
use crate::export::{ExpositionOptions, Scope};

/// The options of a [`MetricsService`](super::MetricsService).
///
/// ```
/// use mvx_metrics::export::{ExpositionOptions, Scope};
/// use mvx_metrics::http::ServiceOptions;
///
/// let options = ServiceOptions::new()
///     .exposition(ExpositionOptions::new().label("region", "north"))
///     .scope(Scope::PerEntity)
///     .snapshot(false)
///     .allowed_hosts(["metrics.internal"]);
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct ServiceOptions {
    pub(super) exposition: ExpositionOptions,
    pub(super) gzip: bool,
    pub(super) snapshot: bool,
    /// Only the feature `page` sets it.
    pub(super) page: bool,
    pub(super) check_host: Option<bool>,
    /// Names as they are compared: without port, in lower case.
    pub(super) allowed_hosts: Vec<String>,
}

impl ServiceOptions {
    /// The defaults: [`Scope::Rollup`], gzip for clients that ask for it, with `/snapshot`.
    pub fn new() -> Self {
        Self {
            exposition: ExpositionOptions::new(),
            gzip: true,
            snapshot: true,
            page: false,
            check_host: None,
            allowed_hosts: Vec::new(),
        }
    }

    /// What `/metrics` shows: scope, labels and so on. It replaces a scope that was chosen before. Each client chooses the format, so
    /// that of these options has no effect.
    ///
    /// With a label that cannot be used, `/metrics` is 500 and says why.
    pub fn exposition(mut self, exposition: ExpositionOptions) -> Self {
        self.exposition = exposition;
        self
    }

    /// Which recorders share series; by default all recorders of a namespace.
    pub fn scope(mut self, scope: Scope) -> Self {
        self.exposition = self.exposition.scope(scope);
        self
    }

    /// Whether answers above 1 KiB are compressed for clients that ask for gzip; `true` by default.
    pub fn gzip(mut self, gzip: bool) -> Self {
        self.gzip = gzip;
        self
    }

    /// Whether the [routes](super::MetricsService::routes) have `/snapshot`; `true` by default. It shows the ids of all entities, in
    /// every scope.
    pub fn snapshot(mut self, snapshot: bool) -> Self {
        self.snapshot = snapshot;
        self
    }

    /// Whether the [routes](super::MetricsService::routes) have a page that shows the running program, at `/`; `false` by default.
    /// Feature `page`.
    ///
    /// The [module](crate::page) says what it shows, what it costs, and who can see it: there is no authentication.
    ///
    /// ```
    /// use mvx_metrics::MetricsRuntime;
    /// use mvx_metrics::http::{EndpointOptions, ServiceOptions};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = MetricsRuntime::new("my.service")?;
    /// runtime.start()?;
    /// let service = runtime.metrics_service(ServiceOptions::new().page(true));
    /// let endpoint = service.serve(EndpointOptions::new().port(0))?;
    /// println!("open http://{}/", endpoint.address());
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "page")]
    pub fn page(mut self, page: bool) -> Self {
        self.page = page;
        self
    }

    /// Whether only requests to an IP address, to `localhost` or to an allowed name are answered. By default an endpoint on a
    /// loopback address checks, and so does every service with [`allowed_hosts`](Self::allowed_hosts).
    pub fn check_host(mut self, check: bool) -> Self {
        self.check_host = Some(check);
        self
    }

    /// Host names that are answered, and no other names but `localhost`. Further calls add names.
    ///
    /// Names are compared without case, port and final dot. They are in ASCII, as clients send them. A text that is no host name,
    /// such as a URL, allows nothing.
    pub fn allowed_hosts(mut self, hosts: impl IntoIterator<Item: AsRef<str>>) -> Self {
        self.check_host.get_or_insert(true);
        self.allowed_hosts.extend(hosts.into_iter().filter_map(|name| host::normalised(name.as_ref())));
        self
    }
}

impl Default for ServiceOptions {
    fn default() -> Self {
        Self::new()
    }
}
