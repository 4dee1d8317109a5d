//! The page of a running program, and the data that it shows. Feature `page`.
//!
//! [`ServiceOptions::page`](crate::http::ServiceOptions::page) switches it on, for a [service](crate::http::MetricsService) with routes and
//! for an endpoint. The page is at `/`:
//!
//! ```
//! use mvx_metrics::MetricsRuntime;
//! use mvx_metrics::http::{EndpointOptions, ServiceOptions};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let runtime = MetricsRuntime::new("my.service")?;
//! runtime.start()?;
//! let service = runtime.metrics_service(ServiceOptions::new().page(true));
//! let endpoint = service.serve(EndpointOptions::new().port(0))?;
//! println!("open http://{}/", endpoint.address());
//! # Ok(())
//! # }
//! ```
//!
//! # What it shows
//!
//! * Problems: failed recorders, quarantined metrics, dropped types of events, discarded events, recorders that cannot be read, dimensions that
//!   totals or texts lack, and values that could not be recorded.
//! * Namespaces, with their recorders by state and their events.
//! * Recorders with state, age, rate, pending and lost events. The service searches, sorts and pages them.
//! * A card for each metric: the totals of all recorders of its namespace, with help, units, rates, distributions and the largest labels.
//!
//! [`PageData`] is all of that, as `GET page/data` answers it: JSON that other programs may read too. Rates are those between the last two
//! samples. A recorder, a metric or a label that is in one sample only has no rate, and a count that begins anew has no negative one.
//!
//! Several runtimes of one service ([`MetricsService::and`](crate::http::MetricsService::and)) are shown together. Before the start and during
//! a shutdown, the data is 503 with the reason. After the shutdown the page shows the final state.
//!
//! # What it costs
//!
//! Nothing while nobody looks. The service takes samples for all clients together: one of the metrics, and one of the recorders, which reads no
//! metric and waits for no event. A look takes a new sample when the last one is older than a second, and older than 100 times as long as a
//! sample takes. So the samples take about 2% of a core in the long run, with any number of recorders and of clients: where a sample takes 100 ms,
//! there is one in ten seconds. Of the last two samples the shorter one counts, because a busy machine makes a sample slow, too.
//! The second sample of all follows after 10 times as long as the first one took, so that rates come soon.
//! [`PageData::next_look`] tells clients when to look again. Cards, and pages of the recorders, are made once for each sample
//! and query, and count as part of the sample. What is left for a look is to write its rows.
//!
//! Waiting is no cost: a handler that blocks makes a sample slow and not rare. The service keeps the last samples in memory for half a minute after
//! a look: about 150 bytes for each recorder, and two copies of the totals.
//!
//! Looks are answered by the thread that renders expositions, one round for all clients that wait. It pauses after a round, as the module
//! [`http`](crate::http) says, but not for the time that samples took, because they have a pace of their own. So clients with different queries wait
//! for the round in progress, and for a pause of milliseconds.
//!
//! # Who can see it
//!
//! There is no authentication: who reaches the port reads the names, labels and numbers of the program, as in `/metrics` and `/snapshot`. It changes
//! nothing in the program. An [endpoint](crate::http::Endpoint) listens on loopback unless its options say otherwise, and checks the `Host` there, so
//! that no website reads it by DNS rebinding. On another address, or mounted in the program's own server, put it behind that server's
//! authentication, and see [`ServiceOptions::check_host`](crate::http::ServiceOptions::check_host).
//!
//! The page loads nothing from other hosts. Its Content-Security-Policy allows its own script and style sheet alone, and names of the program are
//! shown as text.
//!
//! # Below a prefix
//!
//! The page names its files relative to its own path. A service that is mounted below a prefix, such as axum's `nest_service("/internal", ..)`,
//! works when the page is opened with a slash at the end: `/internal/`.

mod assets;
mod card;
mod cut;
mod data;
mod distribution;
mod problems;
mod query;
mod recorders;
mod sampler;
mod source;

pub use self::data::{
    DimensionCard, Distribution, LabelRow, LabelRows, Listed, MetricCard, NamespaceRow, PageData, Problem,
    ProblemKind, RecorderRow, RuntimeRow,
};

pub(crate) use self::assets::{ASSETS, CONTENT_SECURITY_POLICY, DATA_PATH};
pub(crate) use self::query::PageQuery;
pub(crate) use self::sampler::Sampler;
pub(crate) use self::source::Runtimes;
