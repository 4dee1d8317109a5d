//! The trait that components depend on, instead of a certain type of recorder.

use std::any::TypeId;
use std::sync::Arc;

use super::any_event::EventSlot;
use super::{AnyEvent, MetricHandle, MetricsRecorder, disabled, drop_event};
use crate::descriptor::MetricDescriptor;
use crate::dispatch::{Metric, MetricBox, ReadTyped, Typed, TypedMetric};
use crate::engine::{MetricSource, Registered};
use crate::error::{MetricsRecorderError, RegisterEventError};
use crate::event::MetricEvent;
use crate::panics;
use crate::recorder::EmitOnDrop;
use crate::snapshot::MetricSnapshots;
use crate::state::MetricsRecorderState;

/// The calls that a component makes to a recorder of any type.
///
/// Implemented by [`MetricsRecorder`], by [`CaptureRecorder`](crate::testing::CaptureRecorder) for tests, by references,
/// `Arc`s and `Box`es of recorders, and by `Option`s: `None` is like [`MetricsRecorder::disabled`]. Components either are generic
/// over it or hold an `Arc<dyn Recorder>`; the methods are the same.
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
///
/// # Recorders of your own
///
/// A type of your own has two methods to write. [`register_any`](Self::register_any) decides what happens to an event.
/// [`wrapped`](Self::wrapped) names the recorder behind it, if there is one. By default metrics are registered there, and read from
/// there. This filter lets one type of event pass only now and then:
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// use mvx_metrics::testing::CaptureRecorder;
/// use mvx_metrics::{AnyEvent, Recorder, RegisterEventError, metric_event};
///
/// #[metric_event]
/// struct PacketSeen;
///
/// #[metric_event]
/// struct PacketLost;
///
/// /// Every hundredth packet that was seen, and all other events.
/// struct Sampler<R>(R, AtomicU64);
///
/// impl<R: Recorder> Recorder for Sampler<R> {
///     fn register_any<'a>(&self, event: AnyEvent<'a>) -> Result<(), RegisterEventError<AnyEvent<'a>>> {
///         if event.is::<PacketSeen>() && self.1.fetch_add(1, Ordering::Relaxed) % 100 != 0 {
///             return Ok(());
///         }
///         self.0.register_any(event)
///     }
///
///     fn wrapped(&self) -> Option<&dyn Recorder> {
///         Some(&self.0)
///     }
/// }
///
/// let recorder = CaptureRecorder::new();
/// let sampler = Sampler(recorder.clone(), AtomicU64::new(0));
/// for _ in 0..1_000 {
///     sampler.emit(PacketSeen);
/// }
/// sampler.emit(PacketLost);
/// assert_eq!((recorder.count::<PacketSeen>(), recorder.count::<PacketLost>()), (10, 1));
/// ```
///
/// Events need not be `Clone`, so an event goes to one recorder. A tee copies those types that it knows, and passes on the original:
///
/// ```
/// use std::sync::Arc;
///
/// use mvx_metrics::testing::CaptureRecorder;
/// use mvx_metrics::{AnyEvent, Recorder, RegisterEventError, metric_event};
///
/// #[metric_event]
/// #[derive(Clone)]
/// struct Paid {
///     cents: u64,
/// }
///
/// struct Tee {
///     recorder: Arc<dyn Recorder>,
///     audit: Arc<dyn Recorder>,
/// }
///
/// impl Recorder for Tee {
///     fn register_any<'a>(&self, event: AnyEvent<'a>) -> Result<(), RegisterEventError<AnyEvent<'a>>> {
///         if let Some(paid) = event.downcast_ref::<Paid>() {
///             self.audit.emit(paid.clone());
///         }
///         self.recorder.register_any(event)
///     }
///
///     fn wrapped(&self) -> Option<&dyn Recorder> {
///         Some(&self.recorder)
///     }
/// }
///
/// let (recorder, audit) = (CaptureRecorder::new(), CaptureRecorder::new());
/// let tee: Arc<dyn Recorder> =
///     Arc::new(Tee { recorder: Arc::new(recorder.clone()), audit: Arc::new(audit.clone()) });
/// tee.emit(Paid { cents: 250 });
/// assert_eq!((recorder.take::<Paid>()[0].cents, audit.take::<Paid>()[0].cents), (250, 250));
/// ```
///
/// A forwarder boxes events and sends them to another thread, which registers them with any recorder. It has no recorder behind it,
/// so it accepts all metrics and reads nothing:
///
/// ```
/// use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
/// use std::thread;
///
/// use mvx_metrics::testing::CaptureRecorder;
/// use mvx_metrics::{AnyEvent, MetricsRecorderError, Recorder, RegisterEventError, metric_event};
///
/// #[metric_event]
/// struct Paid {
///     cents: u64,
/// }
///
/// struct Forwarder(SyncSender<AnyEvent<'static>>);
///
/// impl Recorder for Forwarder {
///     fn register_any<'a>(&self, event: AnyEvent<'a>) -> Result<(), RegisterEventError<AnyEvent<'a>>> {
///         self.0.try_send(event.into_owned()).map_err(|refused| match refused {
///             TrySendError::Full(event) => {
///                 RegisterEventError::new(event, MetricsRecorderError::QueueOverflow { limit: 100 })
///             }
///             TrySendError::Disconnected(event) => {
///                 RegisterEventError::new(event, MetricsRecorderError::LoopUnavailable)
///             }
///         })
///     }
///
///     fn wrapped(&self) -> Option<&dyn Recorder> {
///         None
///     }
/// }
///
/// let recorder = CaptureRecorder::new();
/// let (sender, events) = sync_channel(100);
/// thread::scope(|scope| {
///     scope.spawn(|| events.into_iter().for_each(|event| drop(recorder.register_any(event))));
///     Forwarder(sender).emit(Paid { cents: 250 });
/// });
/// assert_eq!(recorder.take::<Paid>()[0].cents, 250);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a recorder",
    label = "not a recorder",
    note = "use a `MetricsRecorder`, a `testing::CaptureRecorder`, or a reference, an `Arc`, a `Box` or an `Option` of one",
    note = "a recorder of your own implements `register_any` and `wrapped` of `mvx_metrics::Recorder`"
)]
pub trait Recorder: Send + Sync {
    /// Registers an event of any type. All other calls that register events end up here.
    ///
    /// A recorder of your own may look at the event, pass it on, keep it, or drop it. When it returns `Ok`, the event counts as
    /// accepted. It should neither wait nor panic: the caller is production code. Nothing catches a panic of it.
    ///
    /// # Errors
    /// When the recorder does not accept the event, it hands the event back with the reason. A recorder that has lost the event
    /// cannot refuse it: an error with another event then counts as `Ok`.
    fn register_any<'a>(&self, event: AnyEvent<'a>) -> Result<(), RegisterEventError<AnyEvent<'a>>>;

    /// The recorder behind this one, where metrics are registered and read.
    ///
    /// With `None` this recorder accepts each metric, and no metric gets an event: a [`MetricHandle`] reads the first state of
    /// its metric, and the other reads are empty. The recorders of this crate answer `None`. The way along the wrapped recorders must end:
    /// a recorder that wraps itself overflows the stack.
    fn wrapped(&self) -> Option<&dyn Recorder>;

    /// The state of all metrics; see [`MetricsRecorder::metric_snapshots`]. By default that of the [`wrapped`](Self::wrapped)
    /// recorder.
    ///
    /// # Errors
    /// As there.
    fn metric_snapshots(&self) -> Result<MetricSnapshots, MetricsRecorderError> {
        match self.wrapped() {
            Some(recorder) => recorder.metric_snapshots(),
            None => Ok(MetricSnapshots::default()),
        }
    }

    /// The declarations of all metrics; see [`MetricsRecorder::metrics`]. By default those of the [`wrapped`](Self::wrapped)
    /// recorder.
    ///
    /// # Errors
    /// As there.
    fn metrics(&self) -> Result<Vec<MetricDescriptor>, MetricsRecorderError> {
        match self.wrapped() {
            Some(recorder) => recorder.metrics(),
            None => Ok(Vec::new()),
        }
    }

    /// The measured entity. By default that of the [`wrapped`](Self::wrapped) recorder, and empty without one.
    fn entity_id(&self) -> &str {
        match self.wrapped() {
            Some(recorder) => recorder.entity_id(),
            None => "",
        }
    }

    /// The namespace. By default that of the [`wrapped`](Self::wrapped) recorder, and empty without one.
    fn namespace(&self) -> &str {
        match self.wrapped() {
            Some(recorder) => recorder.namespace(),
            None => "",
        }
    }

    /// The state the recorder is in. By default that of the [`wrapped`](Self::wrapped) recorder, and `RUNNING` without one.
    fn status(&self) -> MetricsRecorderState {
        match self.wrapped() {
            Some(recorder) => recorder.status(),
            None => MetricsRecorderState::Running,
        }
    }

    /// Registers an event; see [`MetricsRecorder::register_event`].
    ///
    /// # Errors
    /// As there; the event comes back with the error.
    #[inline]
    fn register_event<E: MetricEvent>(&self, event: E) -> Result<(), RegisterEventError<E>>
    where
        Self: Sized,
    {
        let mut slot = Some(event);
        match (self.register_slot(&mut slot), slot) {
            (Err(error), Some(event)) => Err(RegisterEventError::new(event, error)),
            // The recorder has taken the event.
            (_, None) => Ok(()),
            (Ok(()), Some(event)) => {
                // The recorder has accepted the event without taking it.
                drop_event(event);
                Ok(())
            }
        }
    }

    /// Registers an event and ignores errors; see [`MetricsRecorder::emit`].
    #[inline]
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
        add(self.metric_store(), MetricBox::named(metric))
    }

    /// The metric of type `M`, registered if there is none; see [`MetricsRecorder::metric`].
    ///
    /// # Errors
    /// As there.
    fn metric<M: TypedMetric + Default>(&self) -> Result<MetricHandle<M>, MetricsRecorderError>
    where
        Self: Sized,
    {
        match find_or_add(self.metric_store(), MetricBox::of_default::<M>()) {
            Ok(source) => Ok(MetricHandle::new(source)),
            Err(error) => Err(error),
        }
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
        match find_or_add(self.metric_store(), MetricBox::named(metric)) {
            Ok(source) => Ok(MetricHandle::new(source)),
            Err(error) => Err(error),
        }
    }

    /// The state of the metric of type `M`, with its types; see [`MetricsRecorder::metric_snapshot`].
    ///
    /// # Errors
    /// As there.
    fn metric_snapshot<M: TypedMetric>(&self) -> Result<Option<M::Snapshot>, MetricsRecorderError>
    where
        Self: Sized,
    {
        let mut typed = Typed::<M>(None);
        read_first(self.metric_store(), TypeId::of::<M>(), &mut typed)?;
        Ok(typed.0)
    }

    /// As [`register_any`](Self::register_any), for an event that is in a slot and stays there when it is refused.
    #[doc(hidden)]
    fn register_slot(&self, slot: &mut (dyn EventSlot + Send)) -> Result<(), MetricsRecorderError> {
        let Err(refused) = self.register_any(AnyEvent::borrowed(&mut *slot)) else {
            return Ok(());
        };
        let (event, error) = refused.into_parts();
        if let Some(mut boxed) = event.into_box() {
            slot.refill(boxed.as_any_mut());
        }
        Err(error)
    }

    /// Where the metrics are.
    #[doc(hidden)]
    fn metric_store(&self) -> Option<&dyn MetricStore> {
        self.wrapped()?.metric_store()
    }
}

fn add(
    store: Option<&dyn MetricStore>,
    metric: Result<MetricBox, MetricsRecorderError>,
) -> Result<Registered, MetricsRecorderError> {
    let metric = metric?;
    store.map_or(Ok(Registered::Added), |store| store.add(metric))
}

fn find_or_add(
    store: Option<&dyn MetricStore>,
    metric: Result<MetricBox, MetricsRecorderError>,
) -> Result<MetricSource, MetricsRecorderError> {
    let metric = metric?;
    match store {
        Some(store) => store.find_or_add(metric),
        None => Ok(MetricSource::unregistered(metric)),
    }
}

/// Reads the first metric of that type, if there is one.
fn read_first(
    store: Option<&dyn MetricStore>,
    metric_type: TypeId,
    read: &mut dyn ReadTyped,
) -> Result<(), MetricsRecorderError> {
    store.map_or(Ok(()), |store| store.read(metric_type, &mut |metric| metric.read_typed(read)))
}

/// The metrics of a recorder, without type parameters. Other crates cannot name it.
pub trait MetricStore {
    fn add(&self, metric: MetricBox) -> Result<Registered, MetricsRecorderError>;

    /// Adds the metric unless there is one of its name and type. Answers where that metric is read.
    fn find_or_add(&self, metric: MetricBox) -> Result<MetricSource, MetricsRecorderError>;

    /// Reads the first metric of that type, if there is one.
    fn read(&self, metric_type: TypeId, read: &mut ReadMetric<'_>) -> Result<(), MetricsRecorderError>;
}

/// Reads a metric under the lock of its recorder.
pub(crate) type ReadMetric<'a> = dyn FnMut(&MetricBox) -> Result<(), MetricsRecorderError> + 'a;

impl Recorder for MetricsRecorder {
    fn register_any<'a>(&self, event: AnyEvent<'a>) -> Result<(), RegisterEventError<AnyEvent<'a>>> {
        event.register_with(self)
    }

    fn wrapped(&self) -> Option<&dyn Recorder> {
        None
    }

    fn metric_snapshots(&self) -> Result<MetricSnapshots, MetricsRecorderError> {
        MetricsRecorder::metric_snapshots(self)
    }

    fn metrics(&self) -> Result<Vec<MetricDescriptor>, MetricsRecorderError> {
        MetricsRecorder::metrics(self)
    }

    fn entity_id(&self) -> &str {
        MetricsRecorder::entity_id(self)
    }

    fn namespace(&self) -> &str {
        MetricsRecorder::namespace(self)
    }

    fn status(&self) -> MetricsRecorderState {
        MetricsRecorder::status(self)
    }

    #[inline]
    fn register_event<E: MetricEvent>(&self, event: E) -> Result<(), RegisterEventError<E>> {
        MetricsRecorder::register_event(self, event)
    }

    #[inline]
    fn emit<E: MetricEvent>(&self, event: E) {
        MetricsRecorder::emit(self, event);
    }

    fn register_slot(&self, slot: &mut (dyn EventSlot + Send)) -> Result<(), MetricsRecorderError> {
        slot.register_with(self)
    }

    fn metric_store(&self) -> Option<&dyn MetricStore> {
        Some(self)
    }
}

impl MetricStore for MetricsRecorder {
    fn add(&self, metric: MetricBox) -> Result<Registered, MetricsRecorderError> {
        self.inner.register_metric(metric)
    }

    fn find_or_add(&self, metric: MetricBox) -> Result<MetricSource, MetricsRecorderError> {
        self.inner.register_metric_if_absent(metric)
    }

    fn read(&self, metric_type: TypeId, read: &mut ReadMetric<'_>) -> Result<(), MetricsRecorderError> {
        self.inner.read_first(metric_type, read)
    }
}

/// Implements the methods of [`Recorder`] without type parameters by those of another recorder.
macro_rules! forward {
    ($self:ident => $recorder:expr) => {
        fn register_any<'a>(
            &$self,
            event: AnyEvent<'a>,
        ) -> Result<(), RegisterEventError<AnyEvent<'a>>> {
            $recorder.register_any(event)
        }

        fn wrapped(&$self) -> Option<&dyn Recorder> {
            $recorder.wrapped()
        }

        fn metric_snapshots(&$self) -> Result<MetricSnapshots, MetricsRecorderError> {
            $recorder.metric_snapshots()
        }

        fn metrics(&$self) -> Result<Vec<MetricDescriptor>, MetricsRecorderError> {
            $recorder.metrics()
        }

        fn entity_id(&$self) -> &str {
            $recorder.entity_id()
        }

        fn namespace(&$self) -> &str {
            $recorder.namespace()
        }

        fn status(&$self) -> MetricsRecorderState {
            $recorder.status()
        }

        fn register_slot(
            &$self,
            slot: &mut (dyn EventSlot + Send),
        ) -> Result<(), MetricsRecorderError> {
            $recorder.register_slot(slot)
        }

        fn metric_store(&$self) -> Option<&dyn MetricStore> {
            $recorder.metric_store()
        }
    };
}

impl<R: Recorder + ?Sized> Recorder for &R {
    forward!(self => (**self));
}

impl<R: Recorder + ?Sized> Recorder for Arc<R> {
    forward!(self => (**self));
}

impl<R: Recorder + ?Sized> Recorder for Box<R> {
    forward!(self => (**self));
}

/// `None` is like [`MetricsRecorder::disabled`].
impl<R: Recorder> Recorder for Option<R> {
    forward!(self => some_or_disabled(self.as_ref()));

    #[inline]
    fn register_event<E: MetricEvent>(&self, event: E) -> Result<(), RegisterEventError<E>> {
        match self {
            Some(recorder) => recorder.register_event(event),
            None => disabled().register_event(event),
        }
    }

    #[inline]
    fn emit<E: MetricEvent>(&self, event: E) {
        match self {
            Some(recorder) => recorder.emit(event),
            None => disabled().emit(event),
        }
    }
}

fn some_or_disabled<R: Recorder>(recorder: Option<&R>) -> &dyn Recorder {
    recorder.map_or(disabled(), |recorder| recorder)
}
