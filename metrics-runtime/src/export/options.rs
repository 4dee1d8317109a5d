//! The options of an exposition.

use super::format::Format;
use crate::error::MetricsRuntimeError;
use crate::totals::{ENTITY_ID, NAMESPACE, REPEATED, RESERVED, Scope, check_label_name, is_reserved};

/// What an exposition shows, for [`MetricsRuntime::exposition_with`](crate::MetricsRuntime::exposition_with).
///
/// ```
/// use mvx_metrics::MetricsRuntime;
/// use mvx_metrics::export::{ExpositionOptions, Format};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runtime = MetricsRuntime::new("example")?;
/// runtime.start()?;
/// let options = ExpositionOptions::new().format(Format::OpenMetrics).label("region", "north");
/// let text = runtime.exposition_with(&options)?.text;
/// assert!(text.contains("mvx_metrics_recorders_removed_total{namespace=\"example\",region=\"north\"} 0\n"));
/// # runtime.shutdown()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct ExpositionOptions {
    pub(super) scope: Scope,
    pub(super) format: Format,
    pub(super) created: bool,
    pub(super) target_info: bool,
    pub(super) process: bool,
    /// The names of these labels; `None` leaves the label out.
    pub(super) namespace: Option<String>,
    pub(super) entity_id: Option<String>,
    pub(super) labels: Vec<(String, String)>,
}

impl ExpositionOptions {
    /// A rollup in the Prometheus format, without further labels.
    pub fn new() -> Self {
        Self {
            scope: Scope::default(),
            format: Format::default(),
            created: true,
            target_info: false,
            process: false,
            namespace: Some(NAMESPACE.to_owned()),
            entity_id: Some(ENTITY_ID.to_owned()),
            labels: Vec::new(),
        }
    }

    /// Which recorders share series.
    pub fn scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// The format.
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// Whether OpenMetrics shows since when each series counts, in the series `.._created`, and Protobuf in a field; `true` by
    /// default.
    pub fn created(mut self, created: bool) -> Self {
        self.created = created;
        self
    }

    /// A label of every series. A breakdown's label of the same name gets the prefix `exported_`. A label of the process of the
    /// same name is not shown.
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.push((name.into(), value.into()));
        self
    }

    /// The name of the label with the recorders' namespace, `namespace` by default; `None` leaves the label out.
    ///
    /// Without the label the series of all namespaces coincide. They are added up, as [`Totals::merge`](crate::Totals::merge) does
    /// with those of one namespace.
    ///
    /// ```
    /// use mvx_metrics::MetricsRuntime;
    /// use mvx_metrics::export::ExpositionOptions;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = MetricsRuntime::new("storage")?;
    /// runtime.start()?;
    /// let named = runtime.exposition_with(&ExpositionOptions::new().namespace_label(Some("component")))?;
    /// assert!(named.text.contains("mvx_metrics_recorders_removed_total{component=\"storage\"} 0\n"));
    /// let bare = runtime.exposition_with(&ExpositionOptions::new().namespace_label(None))?;
    /// assert!(bare.text.contains("mvx_metrics_recorders_removed_total 0\n"));
    /// # runtime.shutdown()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn namespace_label(mut self, name: Option<&str>) -> Self {
        self.namespace = name.map(str::to_owned);
        self
    }

    /// The name of the label with the measured entity in [`Scope::PerEntity`], `entity_id` by default; `None` leaves the label
    /// out.
    ///
    /// Without the label the series of all entities of a namespace coincide, and are added up. A counter falls when a recorder
    /// is removed. In [`Scope::Rollup`] it does not.
    pub fn entity_id_label(mut self, name: Option<&str>) -> Self {
        self.entity_id = name.map(str::to_owned);
        self
    }

    /// Whether the [labels of the process](crate::MetricsRuntimeBuilder::label) stand in the one series `target_info`, and not on
    /// every series; `false` by default. Of several runtimes it has the labels that are equal in all of them, those that were never
    /// started included.
    ///
    /// ```
    /// use mvx_metrics::MetricsRuntime;
    /// use mvx_metrics::export::ExpositionOptions;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = MetricsRuntime::builder("storage").label("region", "north").build()?;
    /// runtime.start()?;
    /// let text = runtime.exposition_with(&ExpositionOptions::new().target_info(true))?.text;
    /// assert!(text.contains("# TYPE target_info gauge\ntarget_info{region=\"north\"} 1\n"));
    /// assert!(text.contains("mvx_metrics_recorders_removed_total{namespace=\"storage\"} 0\n"));
    /// # runtime.shutdown()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn target_info(mut self, target_info: bool) -> Self {
        self.target_info = target_info;
        self
    }

    /// Whether CPU time, memory, files and threads of the whole process are shown too, under the names that all clients of
    /// Prometheus use; `false` by default. Feature `process`.
    ///
    /// | name | type | unit |
    /// |---|---|---|
    /// | `process_cpu_seconds_total` | counter | seconds of all cores, user and system |
    /// | `process_start_time_seconds` | gauge | seconds since 1970 |
    /// | `process_resident_memory_bytes`, `process_virtual_memory_bytes` | gauge | bytes |
    /// | `process_open_fds`, `process_max_fds` | gauge | file descriptors; no `process_max_fds` without a limit |
    /// | `process_threads` | gauge | threads |
    ///
    /// They have the constant labels of the process, and no namespace. Linux has them all, as far as `/proc` may be read; other
    /// systems have none. An exposition of [`Totals`](crate::Totals) that were read before has none, because they may be of another
    /// process.
    ///
    /// ```
    /// use mvx_metrics::MetricsRuntime;
    /// use mvx_metrics::export::ExpositionOptions;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = MetricsRuntime::new("storage")?;
    /// runtime.start()?;
    /// let text = runtime.exposition_with(&ExpositionOptions::new().process(true))?.text;
    /// # #[cfg(target_os = "linux")]
    /// assert!(text.contains("# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total "));
    /// # runtime.shutdown()?;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "process")]
    pub fn process(mut self, process: bool) -> Self {
        self.process = process;
        self
    }

    /// Checks the names of all labels.
    pub(crate) fn check(&self) -> Result<(), MetricsRuntimeError> {
        let check = |argument, name: &str, others: &[&str]| {
            let problem = match check_label_name(name) {
                Err(problem) => problem,
                Ok(()) if is_reserved(name) => RESERVED,
                Ok(()) if others.contains(&name) => REPEATED,
                Ok(()) => return Ok(()),
            };
            Err(MetricsRuntimeError::InvalidArgument { argument, problem })
        };
        let mut names: Vec<&str> = Vec::new();
        let scope = [("namespace_label", &self.namespace), ("entity_id_label", &self.entity_id)];
        let scope = scope.into_iter().filter_map(|(argument, name)| Some((argument, name.as_deref()?)));
        for (argument, name) in scope.chain(self.labels.iter().map(|(name, _)| ("label", &**name))) {
            check(argument, name, &names)?;
            names.push(name);
        }
        Ok(())
    }
}

impl Default for ExpositionOptions {
    fn default() -> Self {
        Self::new()
    }
}
