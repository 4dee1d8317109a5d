//! The trait that components depend on, instead of a certain type of recorder.

use std::any::{Any, TypeId};
use std::sync::Arc;

use crate::descriptor::MetricDescriptor;
use crate::dispatch::MetricBox;
use crate::dispatch::{Metric, TypedMetric};
use crate::engine::{MetricSource, Registered};
use crate::error::{MetricsRecorderError, RegisterEventError};
use crate::event::MetricEvent;
use crate::panics;
use crate::recorder::{EmitOnDrop, MetricHandle, MetricsRecorder};
use crate::snapshot::MetricSnapshots;
use crate::state::MetricsRecorderState;

/// The calls that a component makes to a recorder of any type.
///
/// Implemented by [`MetricsRecorder`], by [`CaptureRecorder`](crate::testing::CaptureRecorder) for tests, and by
/// references, `Arc`s and `Box`es to them. Components either are generic over it or hold an `Arc<dyn Recorder>`; the methods
/// are the same. Sealed: recorders are customised with [`RecorderHooks`](crate::RecorderHooks) and read by adapters.
///
/// Rust calls no generic method on a bare trait object. So a function takes an `&Arc<dyn Recorder>` or an `&impl Recorder`; code
/// that has a `recorder: &dyn Recorder` calls `(&recorder).emit(..)`.
///
/// ```
/// use std::sync::Arc;
///
/// use mvx_metrics::testing::CaptureRecorder;
/// use mvx_metrics::{Counter, Metric, MetricHandle, MetricsRecorderError, Recorder, metric_event};
///
/// #[metric_event]
/// struct DoorOpened;
///
/// #[derive(Metric, Default)]
/// #[metric(on(DoorOpened))]
/// struct Openings {
///     total: Counter,
/// }
///
/// struct Door {
///     recorder: Arc<dyn Recorder>,
///     openings: MetricHandle<Openings>,
/// }
///
/// impl Door {
///     fn new(recorder: Arc<dyn Recorder>) -> Result<Self, MetricsRecorderError> {
///         let openings = recorder.metric::<Openings>()?;
///         Ok(Self { recorder, openings })
///     }
///
///     fn open(&self) {
///         self.recorder.emit(DoorOpened);
///     }
/// }
///
/// let recorder = CaptureRecorder::new();
/// let door = Door::new(Arc::new(recorder.clone()))?;
/// door.open();
/// assert_eq!(recorder.count::<DoorOpened>(), 1);
/// assert_eq!(recorder.metric_names(), ["openings"]);
/// // This recorder applies no events to metrics.
/// assert_eq!(door.openings.snapshot()?.total, 0);
/// # Ok::<(), MetricsRecorderError>(())
/// ```
pub trait Recorder: Sealed + Send + Sync {
    /// The state of all metrics; see [`MetricsRecorder::metric_snapshots`].
    ///
    /// # Errors
    /// As there.
    fn metric_snapshots(&self) -> Result<MetricSnapshots, MetricsRecorderError>;

    /// The declarations of all metrics; see [`MetricsRecorder::metrics`].
    ///
    /// # Errors
    /// As there.
    fn metrics(&self) -> Result<Vec<MetricDescriptor>, MetricsRecorderError>;

    /// The measured entity.
    fn entity_id(&self) -> &str;

    /// The state the recorder is in.
    fn status(&self) -> MetricsRecorderState;

    /// Registers an event; see [`MetricsRecorder::register_event`].
    ///
    /// # Errors
    /// As there; the event comes back with the error.
    fn register_event<E: MetricEvent>(&self, event: E) -> Result<(), RegisterEventError<E>>
    where
        Self: Sized,
    {
        let mut slot = Some(event);
        match (self.take(&mut slot), slot) {
            (Err(error), Some(event)) => Err(RegisterEventError::new(event, error)),
            // The recorder has taken the event.
            (_, _) => Ok(()),
        }
    }

    /// Registers an event and ignores errors; see [`MetricsRecorder::emit`].
    fn emit<E: MetricEvent>(&self, event: E)
    where
        Self: Sized,
    {
        if let Err(refused) = self.register_event(event) {
            panics::catch_and_ignore(|| drop(refused));
        }
    }

    /// A guard that emits the event when it is dropped; see [`EmitOnDrop`].
    ///
    /// The guard has a clone of the recorder. Code with a recorder that cannot be cloned calls `(&recorder).emit_on_drop(..)`: that
    /// guard borrows.
    fn emit_on_drop<E: MetricEvent>(&self, event: E) -> EmitOnDrop<E, Self>
    where
        Self: Sized + Clone,
    {
        EmitOnDrop::new(self.clone(), event, std::convert::identity)
    }

    /// A guard that makes an event of its state when it is dropped, and emits it; see [`EmitOnDrop`].
    fn emit_on_drop_with<S, E, F>(&self, state: S, event: F) -> EmitOnDrop<S, Self, E, F>
    where
        E: MetricEvent,
        F: FnOnce(S) -> E,
        Self: Sized + Clone,
    {
        EmitOnDrop::new(self.clone(), state, event)
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

    /// The metric of type `M`, registered if there is none; see [`MetricsRecorder::metric`].
    ///
    /// # Errors
    /// As there.
    fn metric<M: TypedMetric + Default>(&self) -> Result<MetricHandle<M>, MetricsRecorderError>
    where
        Self: Sized,
    {
        self.find_or_add(MetricBox::of_default::<M>()?).map(MetricHandle::new)
    }

    /// As [`metric`](Self::metric), for metrics without a default; see [`MetricsRecorder::register_metric_if_absent`].
    ///
    /// # Errors
    /// As there.
    fn register_metric_if_absent<M: TypedMetric>(
        &self,
        metric: M,
    ) -> Result<MetricHandle<M>, MetricsRecorderError>
    where
        Self: Sized,
    {
        self.find_or_add(MetricBox::named(metric)?).map(MetricHandle::new)
    }

    /// The state of the metric of type `M`, with its types; see [`MetricsRecorder::metric_snapshot`].
    ///
    /// # Errors
    /// As there.
    fn metric_snapshot<M: TypedMetric>(&self) -> Result<Option<M::Snapshot>, MetricsRecorderError>
    where
        Self: Sized,
    {
        let mut snapshot = None;
        self.read(TypeId::of::<M>(), &mut |metric| {
            snapshot = metric.typed_snapshot::<M>()?;
            Ok(())
        })?;
        Ok(snapshot)
    }
}

/// [`Recorder`] without type parameters. Other crates cannot name it, so they cannot implement [`Recorder`].
pub trait Sealed {
    /// Takes the event out of its slot if it is accepted.
    fn take(&self, event: &mut dyn ErasedEvent) -> Result<(), MetricsRecorderError>;

    fn add(&self, metric: MetricBox) -> Result<Registered, MetricsRecorderError>;

    /// Adds the metric unless there is one of its name and type. Answers where that metric is read.
    fn find_or_add(&self, metric: MetricBox) -> Result<MetricSource, MetricsRecorderError>;

    /// Reads the first metric of that type, if there is one.
    fn read(&self, metric_type: TypeId, read: &mut ReadMetric<'_>) -> Result<(), MetricsRecorderError>;
}

/// Reads a metric under the lock of its recorder.
pub(crate) type ReadMetric<'a> = dyn FnMut(&MetricBox) -> Result<(), MetricsRecorderError> + 'a;

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

impl Recorder for MetricsRecorder {
    fn metric_snapshots(&self) -> Result<MetricSnapshots, MetricsRecorderError> {
        MetricsRecorder::metric_snapshots(self)
    }

    fn metrics(&self) -> Result<Vec<MetricDescriptor>, MetricsRecorderError> {
        MetricsRecorder::metrics(self)
    }

    fn entity_id(&self) -> &str {
        MetricsRecorder::entity_id(self)
    }

    fn status(&self) -> MetricsRecorderState {
        MetricsRecorder::status(self)
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

    fn find_or_add(&self, metric: MetricBox) -> Result<MetricSource, MetricsRecorderError> {
        self.inner.register_metric_if_absent(metric)
    }

    fn read(&self, metric_type: TypeId, read: &mut ReadMetric<'_>) -> Result<(), MetricsRecorderError> {
        self.inner.read_first(metric_type, read).map(drop)
    }
}

/// Implements [`Recorder`] for a pointer to a recorder. Generic methods need a pointer that is `Sized`.
macro_rules! forward {
    ($($pointer:ty),+) => {$(
        impl<R: Recorder + ?Sized> Recorder for $pointer {
            fn metric_snapshots(&self) -> Result<MetricSnapshots, MetricsRecorderError> {
                (**self).metric_snapshots()
            }

            fn metrics(&self) -> Result<Vec<MetricDescriptor>, MetricsRecorderError> {
                (**self).metrics()
            }

            fn entity_id(&self) -> &str {
                (**self).entity_id()
            }

            fn status(&self) -> MetricsRecorderState {
                (**self).status()
            }
        }

        impl<R: Recorder + ?Sized> Sealed for $pointer {
            fn take(&self, event: &mut dyn ErasedEvent) -> Result<(), MetricsRecorderError> {
                (**self).take(event)
            }

            fn add(&self, metric: MetricBox) -> Result<Registered, MetricsRecorderError> {
                (**self).add(metric)
            }

            fn find_or_add(&self, metric: MetricBox) -> Result<MetricSource, MetricsRecorderError> {
                (**self).find_or_add(metric)
            }

            fn read(
                &self,
                metric_type: TypeId,
                read: &mut ReadMetric<'_>,
            ) -> Result<(), MetricsRecorderError> {
                (**self).read(metric_type, read)
            }
        }
    )+};
}

forward!(&R, Arc<R>, Box<R>);
