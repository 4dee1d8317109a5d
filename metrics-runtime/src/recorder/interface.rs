//! The trait that components depend on, instead of a certain type of recorder.

use std::any::Any;
use std::sync::Arc;

use crate::dispatch::Metric;
use crate::dispatch::MetricBox;
use crate::engine::Registered;
use crate::error::{MetricsRecorderError, RegisterEventError};
use crate::event::MetricEvent;
use crate::panics;
use crate::recorder::MetricsRecorder;
use crate::snapshot::MetricSnapshots;

/// The calls that a component makes to a recorder of any type.
///
/// Implemented by [`MetricsRecorder`], by [`CaptureRecorder`](crate::testing::CaptureRecorder) for tests, and by
/// references and `Arc`s to them. Components either are generic over it or hold an `Arc<dyn Recorder>`; the methods are
/// the same. Sealed: recorders are customised with [`RecorderHooks`](crate::RecorderHooks) and read by adapters.
///
/// ```
/// use std::sync::Arc;
///
/// use mvx_metrics::testing::CaptureRecorder;
/// use mvx_metrics::{Recorder, metric_event};
///
/// #[metric_event]
/// struct DoorOpened;
///
/// struct Door {
///     recorder: Arc<dyn Recorder>,
/// }
///
/// impl Door {
///     fn open(&self) {
///         self.recorder.emit(DoorOpened);
///     }
/// }
///
/// let recorder = CaptureRecorder::new();
/// Door { recorder: Arc::new(recorder.clone()) }.open();
/// assert_eq!(recorder.count::<DoorOpened>(), 1);
/// ```
pub trait Recorder: Sealed + Send + Sync {
    /// The state of all metrics; see [`MetricsRecorder::metric_snapshots`].
    ///
    /// # Errors
    /// As there.
    fn metric_snapshots(&self) -> Result<MetricSnapshots, MetricsRecorderError>;

    /// Registers an event; see [`MetricsRecorder::register_event`].
    ///
    /// # Errors
    /// As there; the event comes back with the error.
    fn register_event<E: MetricEvent>(&self, event: E) -> Result<(), RegisterEventError<E>>
    where
        Self: Sized,
    {
        offer(self, event)
    }

    /// Registers an event and ignores errors; see [`MetricsRecorder::emit`].
    fn emit<E: MetricEvent>(&self, event: E)
    where
        Self: Sized,
    {
        drop_refused(self.register_event(event));
    }

    /// Adds a metric; see [`MetricsRecorder::register_metric`].
    ///
    /// # Errors
    /// As there.
    fn register_metric<M: Metric>(&self, metric: M) -> Result<Registered, MetricsRecorderError>
    where
        Self: Sized,
    {
        self.add(MetricBox::named(metric)?)
    }
}

impl dyn Recorder + '_ {
    /// Registers an event; see [`MetricsRecorder::register_event`].
    ///
    /// # Errors
    /// As there; the event comes back with the error.
    pub fn register_event<E: MetricEvent>(&self, event: E) -> Result<(), RegisterEventError<E>> {
        offer(self, event)
    }

    /// Registers an event and ignores errors; see [`MetricsRecorder::emit`].
    pub fn emit<E: MetricEvent>(&self, event: E) {
        drop_refused(offer(self, event));
    }

    /// Adds a metric; see [`MetricsRecorder::register_metric`].
    ///
    /// # Errors
    /// As there.
    pub fn register_metric<M: Metric>(&self, metric: M) -> Result<Registered, MetricsRecorderError> {
        self.add(MetricBox::named(metric)?)
    }
}

/// [`Recorder`] without type parameters. Other crates cannot name it, so they cannot implement [`Recorder`].
pub trait Sealed {
    /// Takes the event out of its slot if it is accepted.
    fn take(&self, event: &mut dyn ErasedEvent) -> Result<(), MetricsRecorderError>;

    fn add(&self, metric: MetricBox) -> Result<Registered, MetricsRecorderError>;
}

/// An event of any type that can be taken once.
pub trait ErasedEvent {
    fn event_type(&self) -> &'static str;

    /// Registers the event with a recorder, which gives it its type back.
    fn register_with(&mut self, recorder: &MetricsRecorder) -> Result<(), MetricsRecorderError>;

    /// Takes the event, boxed.
    fn take(&mut self) -> Option<Box<dyn Any + Send>>;
}

impl<E: MetricEvent> ErasedEvent for Option<E> {
    fn event_type(&self) -> &'static str {
        E::EVENT_TYPE
    }

    fn register_with(&mut self, recorder: &MetricsRecorder) -> Result<(), MetricsRecorderError> {
        let Some(event) = Option::take(self) else {
            return Ok(());
        };
        recorder.register_event(event).map_err(|refused| {
            let (event, error) = refused.into_parts();
            *self = Some(event);
            error
        })
    }

    fn take(&mut self) -> Option<Box<dyn Any + Send>> {
        let event = Option::take(self)?;
        Some(Box::new(event))
    }
}

fn offer<E: MetricEvent>(recorder: &(impl Recorder + ?Sized), event: E) -> Result<(), RegisterEventError<E>> {
    let mut slot = Some(event);
    match (recorder.take(&mut slot), slot) {
        (Err(error), Some(event)) => Err(RegisterEventError::new(event, error)),
        // The recorder has taken the event.
        (_, _) => Ok(()),
    }
}

fn drop_refused<E>(result: Result<(), RegisterEventError<E>>) {
    if let Err(refused) = result {
        panics::catch_and_ignore(|| drop(refused));
    }
}

impl Recorder for MetricsRecorder {
    fn metric_snapshots(&self) -> Result<MetricSnapshots, MetricsRecorderError> {
        MetricsRecorder::metric_snapshots(self)
    }

    #[inline]
    fn register_event<E: MetricEvent>(&self, event: E) -> Result<(), RegisterEventError<E>> {
        MetricsRecorder::register_event(self, event)
    }
}

impl Sealed for MetricsRecorder {
    fn take(&self, event: &mut dyn ErasedEvent) -> Result<(), MetricsRecorderError> {
        event.register_with(self)
    }

    fn add(&self, metric: MetricBox) -> Result<Registered, MetricsRecorderError> {
        self.inner.register_metric(metric)
    }
}

impl<R: Recorder + ?Sized> Recorder for Arc<R> {
    fn metric_snapshots(&self) -> Result<MetricSnapshots, MetricsRecorderError> {
        (**self).metric_snapshots()
    }
}

impl<R: Recorder + ?Sized> Sealed for Arc<R> {
    fn take(&self, event: &mut dyn ErasedEvent) -> Result<(), MetricsRecorderError> {
        (**self).take(event)
    }

    fn add(&self, metric: MetricBox) -> Result<Registered, MetricsRecorderError> {
        (**self).add(metric)
    }
}

impl<R: Recorder + ?Sized> Recorder for &R {
    fn metric_snapshots(&self) -> Result<MetricSnapshots, MetricsRecorderError> {
        (**self).metric_snapshots()
    }
}

impl<R: Recorder + ?Sized> Sealed for &R {
    fn take(&self, event: &mut dyn ErasedEvent) -> Result<(), MetricsRecorderError> {
        (**self).take(event)
    }

    fn add(&self, metric: MetricBox) -> Result<Registered, MetricsRecorderError> {
        (**self).add(metric)
    }
}
