//! Recorders that a user writes: a filter, a sampler, a tee, a forwarder and a test double.
//! Covers HX4.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;

use mvx_metrics::testing::CaptureRecorder;
use mvx_metrics::{
    AnyEvent, Metric, MetricEvent, MetricsRecorder, MetricsRecorderError, MetricsRecorderState, Recorder,
    RecorderOptions, RegisterEventError, Registered,
};
use mvx_metrics_tests::{Direct, Drops, Other, Step, Steps, Tracked, bounded, running_runtime};

type Outcome<'a> = Result<(), RegisterEventError<AnyEvent<'a>>>;

/// Passes on all events but [`Other`].
struct Filter<R>(R);

impl<R: Recorder> Recorder for Filter<R> {
    fn register_any<'a>(&self, event: AnyEvent<'a>) -> Outcome<'a> {
        if event.is::<Other>() { Ok(()) } else { self.0.register_any(event) }
    }

    fn wrapped(&self) -> Option<&dyn Recorder> {
        Some(&self.0)
    }
}

/// Passes on every tenth event.
struct Sampler<R>(R, AtomicU64);

impl<R: Recorder> Recorder for Sampler<R> {
    fn register_any<'a>(&self, event: AnyEvent<'a>) -> Outcome<'a> {
        if self.1.fetch_add(1, Ordering::Relaxed).is_multiple_of(10) {
            self.0.register_any(event)
        } else {
            Ok(())
        }
    }

    fn wrapped(&self) -> Option<&dyn Recorder> {
        Some(&self.0)
    }
}

/// Sends a copy of each [`Step`] to a second recorder.
struct Tee {
    first: Arc<dyn Recorder>,
    second: Arc<dyn Recorder>,
}

impl Recorder for Tee {
    fn register_any<'a>(&self, event: AnyEvent<'a>) -> Outcome<'a> {
        if let Some(step) = event.downcast_ref::<Step>() {
            self.second.emit(*step);
        }
        self.first.register_any(event)
    }

    fn wrapped(&self) -> Option<&dyn Recorder> {
        Some(&self.first)
    }
}

/// Sends events to another thread.
struct Forwarder(SyncSender<AnyEvent<'static>>);

impl Recorder for Forwarder {
    fn register_any<'a>(&self, event: AnyEvent<'a>) -> Outcome<'a> {
        self.0.try_send(event.into_owned()).map_err(|refused| {
            let (event, error) = match refused {
                TrySendError::Full(event) => (event, MetricsRecorderError::QueueOverflow { limit: 2 }),
                TrySendError::Disconnected(event) => (event, MetricsRecorderError::LoopUnavailable),
            };
            RegisterEventError::new(event, error)
        })
    }

    fn wrapped(&self) -> Option<&dyn Recorder> {
        None
    }
}

impl Forwarder {
    fn new(limit: usize) -> (Self, Receiver<AnyEvent<'static>>) {
        let (sender, events) = sync_channel(limit);
        (Self(sender), events)
    }
}

/// A test double that notes the names of events.
#[derive(Default)]
struct Names(Mutex<Vec<&'static str>>);

impl Recorder for Names {
    fn register_any<'a>(&self, event: AnyEvent<'a>) -> Outcome<'a> {
        self.0.lock().expect("not poisoned").push(event.event_type());
        Ok(())
    }

    fn wrapped(&self) -> Option<&dyn Recorder> {
        None
    }
}

/// Applies events to a metric in place, without a queue.
#[derive(Default)]
struct InPlace(Mutex<Steps>);

impl Recorder for InPlace {
    fn register_any<'a>(&self, event: AnyEvent<'a>) -> Outcome<'a> {
        self.0.lock().expect("not poisoned").handle_event(event.view());
        Ok(())
    }

    fn wrapped(&self) -> Option<&dyn Recorder> {
        None
    }
}

/// Refuses each event.
struct Refuses;

impl Recorder for Refuses {
    fn register_any<'a>(&self, event: AnyEvent<'a>) -> Outcome<'a> {
        Err(RegisterEventError::new(event, MetricsRecorderError::LoopUnavailable))
    }

    fn wrapped(&self) -> Option<&dyn Recorder> {
        None
    }
}

/// A component that is generic over its recorder: it counts three steps, and reads them.
fn component(recorder: &impl Recorder) -> u64 {
    let steps = recorder.metric::<Steps>().expect("accepted");
    recorder.emit(Other);
    (1..=3).for_each(|number| recorder.register_event(Step(number)).expect("accepted"));
    steps.snapshot().expect("reads").total
}

fn counts(capture: &CaptureRecorder) -> [usize; 2] {
    [capture.count::<Step>(), capture.count::<Other>()]
}

#[test]
fn hx4_a_filter_works_around_each_recorder_and_behind_each_pointer() {
    bounded(|| {
        let runtime = running_runtime("custom");
        let recorder = |id| runtime.create_recorder(id).expect("creates");
        let (a, b, c) = (recorder("a"), recorder("b"), recorder("c"));
        assert_eq!(component(&Filter(a.clone())), 3);
        assert_eq!(component(&(Arc::new(Filter(b.clone())) as Arc<dyn Recorder>)), 3);
        let inner: Box<dyn Recorder> = Box::new(c.clone());
        assert_eq!(component(&(&Filter(inner) as &dyn Recorder)), 3);
        for recorder in [a, b, c] {
            assert_eq!(recorder.stats().accepted, 3, "one event of four was filtered out");
        }

        let capture = CaptureRecorder::new();
        assert_eq!(component(&Filter(capture.clone())), 0);
        assert_eq!(component(&(Arc::new(Filter(&capture.clone())) as Arc<dyn Recorder + '_>)), 0);
        assert_eq!(counts(&capture), [6, 0]);
        assert_eq!(capture.metric_names(), ["steps"]);
        runtime.shutdown().expect("stops");
    });
}

#[test]
fn hx4_a_sampler_passes_on_a_part() {
    let capture = CaptureRecorder::new();
    let sampler: Arc<dyn Recorder> = Arc::new(Sampler(capture.clone(), AtomicU64::new(0)));
    (0..100).for_each(|number| sampler.emit(Step(number)));
    assert_eq!(capture.take::<Step>(), [0, 10, 20, 30, 40, 50, 60, 70, 80, 90].map(Step));
}

#[test]
fn hx4_a_tee_copies_the_events_it_knows() {
    bounded(|| {
        let runtime = running_runtime("custom");
        let recorder = runtime.create_recorder("a").expect("creates");
        let copies = CaptureRecorder::new();
        let tee = Tee { first: Arc::new(recorder.clone()), second: Arc::new(copies.clone()) };
        assert_eq!(component(&tee), 3);
        assert_eq!(recorder.stats().accepted, 4);
        assert_eq!(counts(&copies), [3, 0]);
        runtime.shutdown().expect("stops");
    });
}

#[test]
fn hx4_a_forwarder_registers_events_in_another_thread() {
    bounded(|| {
        let runtime = running_runtime("custom");
        let recorder = runtime.create_recorder("a").expect("creates");
        let steps = recorder.metric::<Steps>().expect("registers");
        let drops = Drops::new();
        let (forwarder, events) = Forwarder::new(1_000);
        thread::scope(|scope| {
            scope.spawn(|| {
                for event in events {
                    recorder.register_any(event).expect("accepted");
                }
            });
            let forwarder: Arc<dyn Recorder> = Arc::new(forwarder);
            for number in 0..500 {
                forwarder.register_event(Step(number)).expect("there is room");
                forwarder.emit(drops.event());
            }
        });
        assert_eq!(steps.snapshot().expect("reads").total, 1_000);
        assert_eq!((drops.made(), drops.dropped()), (500, 500));
        runtime.shutdown().expect("stops");
    });
}

#[test]
fn hx4_events_for_several_recorders_are_kept_and_sorted_later() {
    bounded(|| {
        let (forwarder, events) = Forwarder::new(10);
        component(&forwarder);
        let (steps, others) = (CaptureRecorder::new(), CaptureRecorder::new());
        for event in events.try_iter() {
            let recorder = if event.is::<Step>() { &steps } else { &others };
            recorder.register_any(event).expect("accepted");
        }
        assert_eq!((counts(&steps), counts(&others)), ([3, 0], [0, 1]));
    });
}

#[test]
fn hx4_a_refused_event_comes_back_with_its_type() {
    let (forwarder, events) = Forwarder::new(2);
    let recorder: Arc<dyn Recorder> = Arc::new(forwarder);
    for number in 0..2 {
        recorder.register_event(Step(number)).expect("there is room");
    }
    let refused = recorder.register_event(Step(2)).expect_err("it is full");
    assert_eq!((refused.reason(), refused.into_event()), ("QUEUE_OVERFLOW", Step(2)));
    drop(events);
    let refused = recorder.register_event(Step(3)).expect_err("it is closed");
    assert_eq!((refused.reason(), refused.into_event()), ("EVENT_LOOP_UNAVAILABLE", Step(3)));

    let refused = Filter(Refuses).register_event(Step(4)).expect_err("refused");
    assert_eq!(refused.into_event(), Step(4));
}

#[test]
fn hx4_a_stopped_recorder_hands_the_event_back_through_its_wrappers() {
    bounded(|| {
        let application = Direct::new();
        let recorder = application.recorder(RecorderOptions::new());
        recorder.start().wait().expect("starts");
        recorder.stop().wait().expect("stops");
        let wrapped: Arc<dyn Recorder> = Arc::new(Filter(Filter(Some(recorder.clone()))));
        assert_eq!(wrapped.status(), MetricsRecorderState::Stopped);
        let refused = wrapped.register_event(Step(5)).expect_err("it has stopped");
        assert_eq!((refused.reason(), refused.into_event()), ("INVALID_RECORDER_STATE", Step(5)));
        // Also an event in a box of its own.
        let refused = recorder.register_any(AnyEvent::new(Step(6))).expect_err("it has stopped");
        let event = refused.into_event();
        assert_eq!(event.downcast::<Step>().expect("its type"), Step(6));
        assert_eq!(recorder.stats().rejected, 2);
        wrapped.emit(Other);
        assert_eq!(recorder.stats().rejected, 2, "the filter accepts and drops this one");
    });
}

#[test]
fn hx4_a_test_double_of_ones_own() {
    let names = Arc::new(Names::default());
    let recorder: Arc<dyn Recorder> = names.clone();
    assert_eq!(component(&recorder), 0);
    assert_eq!(*names.0.lock().expect("not poisoned"), ["other", "step", "step", "step"]);

    let in_place = InPlace::default();
    component(&in_place);
    let total = in_place.0.lock().expect("not poisoned").snapshot();
    assert_eq!(total.get("total").and_then(mvx_metrics::DimensionValue::as_u64), Some(3));
}

#[test]
fn hx4_metrics_live_in_the_recorder_behind() {
    bounded(|| {
        let application = Direct::new();
        let recorder = application.recorder(RecorderOptions::new().entity_id("door-1").namespace("house"));
        let outer: Arc<dyn Recorder> = Arc::new(Filter(Sampler(recorder.clone(), AtomicU64::new(0))));
        assert_eq!(outer.register_metric(Steps::default()).expect("registers"), Registered::Added);
        assert_eq!(outer.register_metric(Steps::default()).expect("registers"), Registered::Replaced);
        outer.register_metric_if_absent(Steps::named("others")).expect("registers");
        let names = |recorder: &dyn Recorder| -> Vec<_> {
            let metrics = recorder.metrics().expect("reads");
            metrics.into_iter().map(|metric| metric.name.to_string()).collect()
        };
        assert_eq!(names(&outer), ["steps", "others"]);
        assert_eq!(names(&recorder), ["steps", "others"]);
        outer.emit(Step(7));
        recorder.flush().wait().expect("flushes");
        let snapshot = outer.metric_snapshot::<Steps>().expect("reads").expect("it is registered");
        assert_eq!((snapshot.total, snapshot.sum), (1, 7));
        assert_eq!(outer.metric_snapshots().expect("reads").len(), 2);
        assert_eq!((outer.entity_id(), outer.namespace()), ("door-1", "house"));
        assert_eq!(outer.status(), MetricsRecorderState::Running);
    });
}

#[test]
fn hx4_a_recorder_with_none_behind_it_accepts_metrics_and_reads_nothing() {
    let names: Arc<dyn Recorder> = Arc::new(Names::default());
    assert_eq!(names.register_metric(Steps::default()).expect("accepted"), Registered::Added);
    assert_eq!(names.register_metric_if_absent(Steps::default()).expect("accepted").name(), "steps");
    assert_eq!(names.register_metric(Steps::named(" ")).expect_err("blank").reason(), "INVALID_ARGUMENT");
    assert_eq!(names.metric_snapshot::<Steps>().expect("reads"), None);
    assert!(names.metric_snapshots().expect("reads").is_empty());
    assert!(names.metrics().expect("reads").is_empty());
    assert_eq!((names.entity_id(), names.namespace()), ("", ""));
    assert_eq!(names.status(), MetricsRecorderState::Running);
    let capture = CaptureRecorder::new();
    assert_eq!((capture.entity_id(), capture.namespace()), ("capture", "metrics"));
}

#[test]
fn hx4_none_is_like_a_disabled_recorder() {
    bounded(|| {
        let none = None::<MetricsRecorder>;
        let disabled = MetricsRecorder::disabled();
        assert_eq!((component(&none), component(&disabled)), (0, 0));
        assert_eq!((none.entity_id(), none.status()), (disabled.entity_id(), disabled.status()));
        assert_eq!(none.namespace(), disabled.namespace());
        let optional: Arc<dyn Recorder> = Arc::new(None::<Arc<dyn Recorder>>);
        assert_eq!(component(&optional), 0);
        assert!(optional.metric_snapshots().expect("reads").is_empty());

        let application = Direct::new();
        let some = Some(application.recorder(RecorderOptions::new()));
        assert_eq!(component(&some), 3);
        assert_eq!(component(&(Box::new(some) as Box<dyn Recorder>)), 6);
        let capture = CaptureRecorder::new();
        component(&Some(&capture));
        assert_eq!(counts(&capture), [3, 1]);
    });
}

/// Does not handle events as it should.
enum Careless {
    Drops,
    Takes,
    HandsBackAnother,
    TakesAndHandsBackAnother,
}

impl Recorder for Careless {
    fn register_any<'a>(&self, event: AnyEvent<'a>) -> Outcome<'a> {
        match self {
            Self::Drops => Ok(()),
            Self::HandsBackAnother => {
                Err(RegisterEventError::new(AnyEvent::new(Other), MetricsRecorderError::LoopUnavailable))
            }
            Self::Takes => {
                event.downcast::<Tracked>().map(drop).expect("its type");
                Ok(())
            }
            Self::TakesAndHandsBackAnother => {
                drop(event.into_owned());
                Self::HandsBackAnother.register_any(AnyEvent::new(Other))
            }
        }
    }

    fn wrapped(&self) -> Option<&dyn Recorder> {
        None
    }
}

#[test]
fn hx4_an_event_is_dropped_exactly_once_whatever_a_recorder_does() {
    let drops = Drops::new();
    let refused =
        Careless::HandsBackAnother.register_event(drops.event()).expect_err("the event is still there");
    assert_eq!((refused.reason(), drops.dropped()), ("EVENT_LOOP_UNAVAILABLE", 0));
    drop(refused);
    for recorder in
        [Careless::Drops, Careless::Takes, Careless::HandsBackAnother, Careless::TakesAndHandsBackAnother]
    {
        let is_refused = recorder.register_event(drops.event()).is_err();
        assert_eq!(is_refused, matches!(recorder, Careless::HandsBackAnother));
        recorder.emit(drops.event());
        (&recorder as &dyn Recorder).register_any(AnyEvent::new(drops.event())).map_or_else(drop, |()| ());
        assert_eq!(drops.dropped(), drops.made());
    }
    let (forwarder, events) = Forwarder::new(2);
    forwarder.emit(drops.event());
    forwarder.emit(drops.event());
    forwarder.emit(drops.event());
    assert_eq!(drops.made() - drops.dropped(), 2, "two are in the channel");
    drop(events);
    assert_eq!(drops.dropped(), drops.made());
    drop(Refuses.register_event(drops.event()));
    assert_eq!(drops.dropped(), drops.made());
}

/// An event whose destructor panics.
struct Bomb;

impl MetricEvent for Bomb {
    const EVENT_TYPE: &'static str = "bomb";
}

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("the bomb explodes");
    }
}

#[test]
fn hx4_a_panic_of_a_dropped_event_does_not_reach_the_caller() {
    Careless::Drops.emit(Bomb);
    Careless::Drops.register_event(Bomb).expect("accepted");
    Refuses.emit(Bomb);
    None::<MetricsRecorder>.emit(Bomb);
    drop(AnyEvent::new(Bomb));
    let (forwarder, events) = Forwarder::new(1);
    forwarder.emit(Bomb);
    drop(events);
}

#[test]
fn hx4_an_event_of_any_type_can_be_looked_at_and_taken_out() {
    let event = AnyEvent::new(Step(3));
    assert_eq!(event.event_type(), "step");
    assert!(event.is::<Step>() && !event.is::<Other>());
    assert_eq!(event.downcast_ref::<Step>(), Some(&Step(3)));
    assert_eq!(event.downcast_ref::<Other>(), None);
    assert_eq!(event.view().downcast_ref::<Step>(), Some(&Step(3)));
    assert_eq!(format!("{event:?}"), "AnyEvent { event_type: \"step\", .. }");
    let event = event.downcast::<Other>().expect_err("another type");
    let event = event.into_owned().into_owned();
    assert_eq!(event.downcast::<Step>().expect("its type"), Step(3));
}
