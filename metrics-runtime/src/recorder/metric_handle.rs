//! The handle by which a component reads its metric.

use std::any::TypeId;
use std::fmt;
use std::marker::PhantomData;
use std::panic::{RefUnwindSafe, UnwindSafe};

use crate::dispatch::{Typed, TypedMetric};
use crate::engine::MetricSource;
use crate::error::MetricsRecorderError;

/// The handle by which a component reads its metric, from [`MetricsRecorder::metric`](crate::MetricsRecorder::metric).
///
/// Cheap to clone; clones read the same metric. The handle reads in every state of the recorder, also after its stop and after
/// the shutdown of its runtime. It does not keep the recorder running: the recorder stops without its last
/// [`MetricsRecorder`](crate::MetricsRecorder).
///
/// Each read looks the metric up by its name. So after
/// [`register_metric`](crate::MetricsRecorder::register_metric) has replaced the metric, the handle reads the new one.
///
/// On [`MetricsRecorder::disabled`](crate::MetricsRecorder::disabled) and
/// [`CaptureRecorder`](crate::testing::CaptureRecorder) no metric gets events. There the handle has a metric of its own, and
/// reads its first state.
///
/// ```
/// use mvx_metrics::{Counter, Metric, MetricHandle, MetricsRecorder, MetricsRecorderError, MetricsRuntime, metric_event};
///
/// #[metric_event]
/// struct Paid;
///
/// #[derive(Metric, Default)]
/// #[metric(on(Paid))]
/// struct Payments {
///     total: Counter,
/// }
///
/// struct Till {
///     recorder: MetricsRecorder,
///     payments: MetricHandle<Payments>,
/// }
///
/// impl Till {
///     fn new(recorder: MetricsRecorder) -> Result<Self, MetricsRecorderError> {
///         let payments = recorder.metric::<Payments>()?;
///         Ok(Self { recorder, payments })
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runtime = MetricsRuntime::new("example")?;
/// runtime.start()?;
/// let recorder = runtime.create_recorder("shop")?;
/// // Two components, one metric.
/// let tills = [Till::new(recorder.clone())?, Till::new(recorder)?];
/// for till in &tills {
///     till.recorder.emit(Paid);
/// }
/// assert_eq!(tills[0].payments.snapshot()?.total, 2);
/// runtime.shutdown()?;
/// assert_eq!(tills[1].payments.snapshot()?.total, 2);
/// # Ok(())
/// # }
/// ```
pub struct MetricHandle<M> {
    source: MetricSource,
    metric: PhantomData<fn() -> M>,
}

impl<M> MetricHandle<M> {
    pub(super) fn new(source: MetricSource) -> Self {
        Self { source, metric: PhantomData }
    }

    /// The name of the metric.
    #[must_use]
    pub fn name(&self) -> &str {
        self.source.name()
    }
}

impl<M: TypedMetric> MetricHandle<M> {
    /// The state of the metric, with its types. It waits, and is logged, like
    /// [`MetricsRecorder::metric_snapshot`](crate::MetricsRecorder::metric_snapshot).
    ///
    /// It includes all events that were accepted before the call, as this thread sees it. While a hook of the recorder runs,
    /// and before the recorder runs, it is the state as it is.
    ///
    /// # Errors
    /// * [`MetricTypeMismatch`](MetricsRecorderError::MetricTypeMismatch) when a metric of another type has replaced this one
    /// * [`WouldDeadlock`](MetricsRecorderError::WouldDeadlock) and [`Stalled`](MetricsRecorderError::Stalled) as in
    ///   [`MetricsRecorder::metric_snapshots`](crate::MetricsRecorder::metric_snapshots)
    /// * [`Unexpected`](MetricsRecorderError::Unexpected) when the metric panics
    pub fn snapshot(&self) -> Result<M::Snapshot, MetricsRecorderError> {
        let mut typed = Typed::<M>(None);
        match (self.source.read_typed(&mut typed), typed.0) {
            (Err(error), _) => Err(error),
            (Ok(()), Some(snapshot)) => Ok(snapshot),
            (Ok(()), None) => Err(mismatch(&self.source)),
        }
    }

    /// The panic after which the metric gets no more events; `None` while the metric works.
    ///
    /// The text is that of [`MetricSnapshot::failed`](crate::MetricSnapshot::failed), and [`snapshot`](Self::snapshot) still
    /// reads the last state. It waits, and is logged, like `snapshot`.
    ///
    /// # Errors
    /// As [`snapshot`](Self::snapshot), except that no code of the metric runs.
    ///
    /// ```
    /// use mvx_metrics::{Counter, Metric, MetricsRuntime, metric_event};
    ///
    /// #[metric_event]
    /// struct Sold {
    ///     items: u64,
    /// }
    ///
    /// #[derive(Metric, Default)]
    /// #[metric(on(Sold))]
    /// struct Sales {
    ///     #[dimension(when = |e| 100 / e.items > 1)]
    ///     small: Counter,
    /// }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # std::panic::set_hook(Box::new(|_| {}));
    /// let runtime = MetricsRuntime::new("example")?;
    /// runtime.start()?;
    /// let recorder = runtime.create_recorder("shop")?;
    /// let sales = recorder.metric::<Sales>()?;
    /// recorder.emit(Sold { items: 3 });
    /// assert_eq!(sales.failed()?, None);
    /// recorder.emit(Sold { items: 0 });
    /// assert_eq!(sales.failed()?.as_deref(), Some("panicked: attempt to divide by zero"));
    /// assert_eq!(sales.snapshot()?.small, 1);
    /// runtime.shutdown()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn failed(&self) -> Result<Option<String>, MetricsRecorderError> {
        failure_of(&self.source, TypeId::of::<M>())
    }
}

/// The panic that failed the metric, which is of this type.
fn failure_of(source: &MetricSource, metric_type: TypeId) -> Result<Option<String>, MetricsRecorderError> {
    let mut failed = None;
    source.read(&mut |metric, failure| {
        if metric.metric_type() != metric_type {
            return Err(mismatch(source));
        }
        failed = failure.map(ToString::to_string);
        Ok(())
    })?;
    Ok(failed)
}

fn mismatch(source: &MetricSource) -> MetricsRecorderError {
    MetricsRecorderError::metric_type_mismatch(source.name())
}

// As for the recorder itself.
impl<M> UnwindSafe for MetricHandle<M> {}
impl<M> RefUnwindSafe for MetricHandle<M> {}

impl<M> Clone for MetricHandle<M> {
    fn clone(&self) -> Self {
        Self::new(self.source.clone())
    }
}

impl<M> fmt::Debug for MetricHandle<M> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("MetricHandle").field("name", &self.name()).finish_non_exhaustive()
    }
}
