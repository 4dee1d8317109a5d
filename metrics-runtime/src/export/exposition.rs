//! The exposition: from totals to text, in two steps. Families give the totals their names, and the writer of the format spells
//! them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::family::{Dimension, Families, Family};
use super::format::Format;
use super::groups::{Group, Groups};
use super::labels::SeriesLabels;
use super::memory::ExportMemory;
use super::options::ExpositionOptions;
use super::process::{self, ProcessDimension};
use super::skipped::Skipped;
use super::{name, protobuf, text};
use crate::error::MetricsRuntimeError;
use crate::log::OperationKind;
use crate::runtime::{MetricsRuntime, RuntimeInner};
use crate::totals::{DimensionTotals, GroupTotals, Memory, RuntimeSnapshot, Scope, Totals};

/// The metrics of a runtime, in the format that was asked for.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Exposition {
    /// The text. In [`Format::Protobuf`] there is none, but a comment that says so: send [`as_bytes`](Self::as_bytes), which has
    /// the body in any format. A server that sends the comment in place of the messages makes the scrape fail, where an empty text
    /// would be a scrape without any series.
    pub text: String,
    /// The dimensions that the text does not show because of their names or shapes.
    pub skipped: Vec<Skipped>,
    /// The runtimes that the text does not show, because they were never started. Only [`MetricsRuntime::exposition_of`] leaves a
    /// runtime out. An exposition of a single runtime fails instead.
    pub unread: Vec<UnreadRuntime>,
    /// The messages of [`Format::Protobuf`]; `None` in the text formats.
    messages: Option<Vec<u8>>,
}

impl Exposition {
    /// The exposition as it is sent to a client, in any format. [`Format::content_type`] names its type.
    ///
    /// ```
    /// use mvx_metrics::MetricsRuntime;
    /// use mvx_metrics::export::{Format, Scope};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = MetricsRuntime::new("storage")?;
    /// runtime.start()?;
    /// let text = runtime.exposition(Scope::Rollup, Format::OpenMetrics)?;
    /// assert_eq!(text.as_bytes(), text.text.as_bytes());
    /// let messages = runtime.exposition(Scope::Rollup, Format::Protobuf)?;
    /// assert!(messages.as_bytes() != messages.text.as_bytes() && messages.text.starts_with('#'));
    /// # runtime.shutdown()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.messages.as_deref().unwrap_or(self.text.as_bytes())
    }

    /// Like [`as_bytes`](Self::as_bytes), without a copy.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.messages.unwrap_or_else(|| self.text.into_bytes())
    }
}

/// A runtime that an exposition of several runtimes does not show, and why.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct UnreadRuntime {
    /// The runtime's namespace.
    pub namespace: Arc<str>,
    /// Why the runtime could not be read.
    pub error: MetricsRuntimeError,
}

impl MetricsRuntime {
    /// The metrics of all recorders in a format that Prometheus reads, rendered in the calling thread.
    ///
    /// Each skipped dimension is logged once.
    ///
    /// ```
    /// use mvx_metrics::export::{Format, Scope};
    /// use mvx_metrics::{Counter, Metric, MetricsRuntime, metric_event};
    ///
    /// #[metric_event]
    /// struct Greeted;
    ///
    /// /// Greetings so far.
    /// #[derive(Metric, Default)]
    /// #[metric(on(Greeted))]
    /// struct Greetings {
    ///     total: Counter,
    /// }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = MetricsRuntime::new("example")?;
    /// runtime.start()?;
    /// let recorder = runtime.create_recorder("greeter")?;
    /// recorder.metric::<Greetings>()?;
    /// recorder.emit(Greeted);
    /// let exposition = runtime.exposition(Scope::Rollup, Format::OpenMetrics)?;
    /// assert!(exposition.text.contains("# TYPE greetings counter\ngreetings_total{namespace=\"example\"} 1\n"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The same as those of [`snapshot`](Self::snapshot).
    pub fn exposition(&self, scope: Scope, format: Format) -> Result<Exposition, MetricsRuntimeError> {
        self.exposition_with(&ExpositionOptions::new().scope(scope).format(format))
    }

    /// Like [`exposition`](Self::exposition), with further options.
    ///
    /// # Errors
    /// The same as those of [`snapshot`](Self::snapshot), and
    /// [`InvalidArgument`](MetricsRuntimeError::InvalidArgument) for a label that cannot be used.
    pub fn exposition_with(&self, options: &ExpositionOptions) -> Result<Exposition, MetricsRuntimeError> {
        exposition_of(std::slice::from_ref(&self.inner), options)
    }

    /// The metrics of several runtimes as one text, in which each family stands once with the series of all runtimes.
    ///
    /// Runtimes that have the same namespace share its series: their numbers are added up as [`Totals::merge`] does. Where two
    /// runtimes declare a dimension in different ways, the text shows that of the first runtime, and
    /// [`Exposition::skipped`] has the other one. A runtime that was never started is not in the text:
    /// [`Exposition::unread`] lists it. Any other runtime that cannot be read fails the call, so that no counter falls for the
    /// time of a shutdown.
    ///
    /// ```
    /// use mvx_metrics::MetricsRuntime;
    /// use mvx_metrics::export::ExpositionOptions;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (storage, network) = (MetricsRuntime::new("storage")?, MetricsRuntime::new("network")?);
    /// storage.start()?;
    /// network.start()?;
    /// let both = MetricsRuntime::exposition_of(&[&storage, &network], &ExpositionOptions::new())?;
    /// assert_eq!(both.text.matches("# TYPE mvx_metrics_recorders_removed_total counter\n").count(), 1);
    /// assert!(both.text.contains("mvx_metrics_recorders_removed_total{namespace=\"network\"} 0\n"));
    /// assert!(both.text.contains("mvx_metrics_recorders_removed_total{namespace=\"storage\"} 0\n"));
    /// # storage.shutdown()?;
    /// # network.shutdown()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The same as those of [`snapshot`](Self::snapshot), when a started runtime cannot be read, or when none was started;
    /// [`InvalidArgument`](MetricsRuntimeError::InvalidArgument) for a label that cannot be used, and when there is no runtime.
    pub fn exposition_of(
        runtimes: &[&Self],
        options: &ExpositionOptions,
    ) -> Result<Exposition, MetricsRuntimeError> {
        let runtimes: Vec<_> = runtimes.iter().map(|runtime| Arc::clone(&runtime.inner)).collect();
        exposition_of(&runtimes, options)
    }

    /// Calls [`exposition`](Self::exposition) in a thread of its own and waits for it without blocking.
    ///
    /// # Errors
    /// The same as those of [`exposition`](Self::exposition).
    pub async fn exposition_async(
        &self,
        scope: Scope,
        format: Format,
    ) -> Result<Exposition, MetricsRuntimeError> {
        let options = ExpositionOptions::new().scope(scope).format(format);
        let runtime = Arc::clone(&self.inner);
        self.in_thread(move |_| exposition_of(&[runtime], &options)).await
    }
}

/// Reads the recorders of all runtimes one by one and renders their totals as one text. A runtime that is listed twice is read
/// once.
///
/// The first runtime remembers which dimension has which name, and logs the skipped ones.
pub(crate) fn exposition_of(
    runtimes: &[Arc<RuntimeInner>],
    options: &ExpositionOptions,
) -> Result<Exposition, MetricsRuntimeError> {
    let Some(first) = runtimes.first() else {
        let problem = "must have at least one runtime";
        return Err(MetricsRuntimeError::InvalidArgument { argument: "runtimes", problem });
    };
    options.check()?;
    let is_first = |index: usize| !runtimes[..index].iter().any(|other| Arc::ptr_eq(other, &runtimes[index]));
    let distinct = (0..runtimes.len()).filter(|index| is_first(*index)).map(|index| &runtimes[index]);
    let (all, unread) = read_all(distinct, |runtime| {
        runtime.logged(OperationKind::Read, "metrics_runtime.exposition", || {
            runtime.totals_for_text(options.scope)
        })
    })?;
    let labels_of_unread: Vec<_> = unread.iter().map(|(runtime, _)| runtime.labels()).collect();
    let memory = first.totals_memory();
    let process = if options.process { process::read() } else { Vec::new() };
    let mut exposition = render(&all, &labels_of_unread, options, &memory, &process);
    let unread = unread.into_iter();
    exposition.unread = unread
        .map(|(runtime, error)| UnreadRuntime { namespace: Arc::clone(runtime.namespace()), error })
        .collect();
    memory.extension::<ExportMemory>().skipped_log.log(first.log_policy(), &exposition.skipped);
    Ok(exposition)
}

/// What could be read of several runtimes, and the errors of those that were never started.
type ReadAll<'a, T> = (Vec<T>, Vec<(&'a Arc<RuntimeInner>, MetricsRuntimeError)>);

/// Reads several runtimes, and leaves out those that were never started.
///
/// # Errors
/// The error of a runtime that has run: it may share series with another one, whose counts would fall without it. The first error
/// when no runtime was ever started.
pub(crate) fn read_all<'a, T>(
    runtimes: impl IntoIterator<Item = &'a Arc<RuntimeInner>>,
    read: impl Fn(&RuntimeInner) -> Result<T, MetricsRuntimeError>,
) -> Result<ReadAll<'a, T>, MetricsRuntimeError> {
    let (mut all, mut unread) = (Vec::new(), Vec::new());
    for runtime in runtimes {
        match read(runtime) {
            Ok(one) => all.push(one),
            Err(error) if runtime.has_run() => return Err(error),
            Err(error) => unread.push((runtime, error)),
        }
    }
    if all.is_empty() && !unread.is_empty() {
        return Err(unread.swap_remove(0).1);
    }
    Ok((all, unread))
}

impl Totals {
    /// These totals in a format that Prometheus reads. Nothing is logged.
    ///
    /// Totals of a runtime give each name of a series to the dimension that had it first in this runtime.
    #[must_use]
    pub fn exposition(&self, format: Format) -> Exposition {
        let options = ExpositionOptions::new().scope(self.scope).format(format);
        render(std::slice::from_ref(self), &[], &options, &memory_of(self), &[])
    }

    /// Like [`exposition`](Self::exposition), with further options. The totals have a scope already, so that of the options has no
    /// effect.
    ///
    /// # Errors
    /// [`InvalidArgument`](MetricsRuntimeError::InvalidArgument) for a label that cannot be used.
    pub fn exposition_with(&self, options: &ExpositionOptions) -> Result<Exposition, MetricsRuntimeError> {
        options.check()?;
        Ok(render(std::slice::from_ref(self), &[], options, &memory_of(self), &[]))
    }
}

impl RuntimeSnapshot {
    /// The totals of this snapshot in a format that Prometheus reads. Nothing is logged.
    #[must_use]
    pub fn exposition(&self, scope: Scope, format: Format) -> Exposition {
        self.totals(scope).exposition(format)
    }
}

fn memory_of(totals: &Totals) -> Arc<Memory> {
    totals.memory().cloned().unwrap_or_default()
}

/// The text of an exposition in messages. A reader of messages finds that it is none.
const IN_MESSAGES: &str = "# The exposition is in Protobuf: its body is `Exposition::as_bytes()`.\n";

/// Renders totals of one scope, with options that were checked, and measurements of the process. `unread` are the labels of the
/// runtimes that have no totals.
fn render(
    totals: &[Totals],
    unread: &[&BTreeMap<String, String>],
    options: &ExpositionOptions,
    memory: &Arc<Memory>,
    process: &[ProcessDimension],
) -> Exposition {
    let ((text, messages), skipped) =
        with_families(totals, unread, options, memory, process, |labels, groups, families| {
            match options.format {
                Format::Prometheus | Format::OpenMetrics => {
                    (text::write(options, labels, groups, families), None)
                }
                Format::Protobuf => {
                    (IN_MESSAGES.to_owned(), Some(protobuf::write(options, labels, groups, families)))
                }
            }
        });
    Exposition { text, skipped, unread: Vec::new(), messages }
}

/// The dimensions that an exposition of these totals skips. It names them as an exposition does, and writes nothing.
///
/// `runtimes` are those of the totals, which were all read, and those that were never started.
///
/// # Errors
/// [`InvalidArgument`](MetricsRuntimeError::InvalidArgument) for a label that cannot be used.
#[allow(dead_code, reason = "the feature `page` uses it")]
pub(crate) fn skipped_of(
    runtimes: &[Arc<RuntimeInner>],
    totals: &[Totals],
    options: &ExpositionOptions,
) -> Result<Vec<Skipped>, MetricsRuntimeError> {
    options.check()?;
    let Some(first) = runtimes.first() else { return Ok(Vec::new()) };
    let unread: Vec<_> =
        runtimes.iter().filter(|runtime| !runtime.has_run()).map(|unread| unread.labels()).collect();
    let process = if options.process { process::read() } else { Vec::new() };
    let ((), skipped) =
        with_families(totals, &unread, options, &first.totals_memory(), &process, |_, _, _| ());
    Ok(skipped)
}

/// Gives the totals their families, and calls `write` with these. The second result are the skipped dimensions.
fn with_families<T>(
    totals: &[Totals],
    unread: &[&BTreeMap<String, String>],
    options: &ExpositionOptions,
    memory: &Arc<Memory>,
    process: &[ProcessDimension],
    write: impl FnOnce(&SeriesLabels<'_>, &[Group<'_>], &[Family<'_>]) -> T,
) -> (T, Vec<Skipped>) {
    let labels = SeriesLabels::of(options, totals, unread);
    let names = memory.extension::<ExportMemory>();
    let Groups { list: mut groups, left_out } = Groups::of(totals, &labels, memory);
    // Totals that were read back may have no group, so nothing has labels.
    let has_groups = !groups.is_empty();
    if !process.is_empty() {
        groups.push(Group::without_recorders(labels.of_process()));
    }
    let health = health_of(&groups);
    let parts = parts_of(&groups);
    let left_out_by_none = totals.first().filter(|_| has_groups).map(|totals| totals.left_out_by_exporter(0));
    let mut families = Families::new(&names);
    // The library's own families come first, so that no metric can take their names.
    if let Some(dimension) = &left_out_by_none {
        families.reserve(&Dimension::of(0, dimension));
    }
    if labels.of_target_info().is_some() {
        families.reserve_target_info();
    }
    for (group, position, health) in &health {
        families.add(*position, &Dimension::of(*group, health));
    }
    for (position, dimension) in process.iter().enumerate() {
        families.add(position, &dimension.dimension(groups.len() - 1));
    }
    for (index, group) in groups.iter().enumerate() {
        if let Some(totals) = &group.totals {
            add_metrics(&mut families, index, totals);
        }
    }
    for (position, (group, part)) in parts.iter().enumerate() {
        families.add(position, &Dimension::of(*group, part));
    }
    for left_out in left_out {
        families.skip(Skipped {
            family: match &*left_out.dimension {
                "" => String::new(),
                dimension => name::joined(&left_out.metric, dimension),
            },
            metric: left_out.metric,
            dimension: left_out.dimension,
            reason: left_out.reason.into_owned(),
        });
    }
    let skipped = families.skipped_count();
    let skipped = totals.first().filter(|_| has_groups).map(|totals| totals.left_out_by_exporter(skipped));
    if let Some(skipped) = &skipped {
        families.add(0, &Dimension::of(0, skipped));
    }
    let (families, skipped) = families.finish();
    (write(&labels, &groups, &families), skipped)
}

/// Adds the dimensions that stand in the totals as they are shown.
fn add_metrics<'a>(families: &mut Families<'a>, group: usize, totals: &'a GroupTotals) {
    for (position, dimension) in totals.whole_dimensions().enumerate() {
        let Some((declared, value)) = dimension.in_totals() else { continue };
        let DimensionTotals { metric, metric_help: help, .. } = dimension;
        let created = dimension.created();
        families
            .add(position, &Dimension { group, of_library: false, metric, help, declared, value, created });
    }
}

/// The library's own health. Each dimension stands after its group, and its position among those of the group.
fn health_of<'a>(groups: &'a [Group<'_>]) -> Vec<(usize, usize, DimensionTotals<'a>)> {
    let mut health = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        let of_namespace = group.recorders.iter().flat_map(|recorders| recorders.health(group.created));
        health.extend(of_namespace.enumerate().map(|(position, health)| (index, position, health)));
    }
    for (index, group) in groups.iter().enumerate() {
        let of_group = group.totals.iter().flat_map(|totals| totals.health());
        health.extend(of_group.enumerate().map(|(position, health)| (index, position, health)));
    }
    health
}

/// The values that stand in no metric as they are shown, each after its group: a named part of another value, or one that its
/// metric does not describe.
fn parts_of<'a>(groups: &'a [Group<'_>]) -> Vec<(usize, DimensionTotals<'a>)> {
    let mut parts = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        let of_group = group.totals.iter().flat_map(|totals| totals.parts());
        parts.extend(of_group.map(|part| (index, part)));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that sends `text` to a client that asked for messages must not answer with an empty body: that is a scrape without
    /// any series, and nobody sees that all are gone.
    #[test]
    fn ed8_the_text_of_messages_says_that_it_is_none() {
        let runtime = MetricsRuntime::new("texts").expect("the name is valid");
        runtime.start().expect("it starts");
        let exposition = |format| runtime.exposition(Scope::Rollup, format).expect("it runs");
        let messages = exposition(Format::Protobuf);
        assert!(messages.text.starts_with("# ") && messages.text.contains("as_bytes"), "{:?}", messages.text);
        // Read as messages, the comment begins with one of 35 bytes, whose first field is a number where Prometheus has messages.
        assert_eq!(messages.text.as_bytes()[..2], [35, 4 << 3]);
        assert_eq!(messages.clone().into_bytes(), messages.as_bytes());
        assert!(!messages.as_bytes().starts_with(b"#"));
        let text = exposition(Format::Prometheus);
        assert_eq!(text.as_bytes(), text.text.as_bytes());
        runtime.shutdown().expect("it stops");
    }

    #[test]
    fn ed8_messages_without_families_are_no_bytes() {
        let (text, messages) = (IN_MESSAGES.to_owned(), Some(Vec::new()));
        let empty = Exposition { text, skipped: Vec::new(), unread: Vec::new(), messages };
        assert_eq!((empty.as_bytes(), empty.clone().into_bytes().len()), (&[][..], 0));
    }
}
