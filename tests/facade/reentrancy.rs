//! FC3: the macros in places where other calls of the library would wait for their own thread.

use metrics::{counter, gauge};
use mvx_metrics::{
    EventHandler, HandleEvent, HookError, Metric, MetricSnapshot, RecorderContext, RecorderHooks,
    RecorderOptions, metric_event,
};
use mvx_metrics_facade::FacadeRecorder;
use mvx_metrics_tests::capture::Listener;
use mvx_metrics_tests::{bounded, running_runtime};

use crate::fixtures::{facade, json, problem, with};

#[metric_event]
struct Rang;

/// Records through the facade wherever user code runs.
struct Recording(FacadeRecorder);

impl Recording {
    fn record(&self, place: &'static str) {
        with(&self.0, || counter!(format!("from.{place}"), "place" => place).increment(1));
    }
}

impl HandleEvent<Rang> for Recording {
    fn handle(&mut self, _: &Rang) -> bool {
        self.record("handler");
        true
    }
}

impl Metric for Recording {
    fn metric_name(&self) -> &'static str {
        "recording"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        const { &[EventHandler::of::<Rang>()] }
    }

    fn snapshot(&self) -> MetricSnapshot {
        self.record("snapshot");
        MetricSnapshot::new("recording")
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        self.record("drop");
    }
}

struct Hooks(FacadeRecorder);

impl RecorderHooks for Hooks {
    async fn on_starting(&self, _: RecorderContext<'_>) -> Result<(), HookError> {
        with(&self.0, || counter!("from.hook").increment(1));
        Ok(())
    }
}

#[test]
fn fc3_macros_record_in_handlers_hooks_snapshots_and_drops() {
    bounded(|| {
        let (runtime, facade) = facade(|options| options);
        let options = RecorderOptions::new().hooks(Hooks(facade.clone()));
        let recorder = runtime.create_recorder_with("bell", options).expect("the id is free");
        recorder.register_metric(Recording(facade.clone())).expect("it runs");
        recorder.emit(Rang);
        recorder.metric_snapshots().expect("it is read");
        recorder.register_metric(Recording(facade.clone())).expect("it replaces the other one");
        recorder.metric_snapshots().expect("it is read");
        assert_eq!(json(&runtime, "from.hook"), "1");
        assert_eq!(json(&runtime, "from.handler"), r#"{"handler":1}"#);
        assert_eq!(json(&runtime, "from.drop"), r#"{"drop":1}"#);
        assert!(json(&runtime, "from.snapshot").starts_with(r#"{"snapshot":"#));
        runtime.shutdown().expect("it stops");
    });
}

#[test]
fn fc3_macros_record_while_their_own_recorder_is_read() {
    bounded(|| {
        let (runtime, facade) = facade(|options| options);
        // This metric of the facade's own recorder records, while the reader holds the metrics.
        let recorder = runtime.get_recorder("facade").expect("it is there");
        recorder.register_metric(Recording(facade.clone())).expect("it runs");
        recorder.metric_snapshots().expect("it is read");
        // The metric of the facade was registered first, so it is read first: this is what the first reading recorded.
        assert_eq!(json(&runtime, "from.snapshot"), r#"{"snapshot":1}"#);
        runtime.shutdown().expect("it stops");
    });
}

#[test]
fn fc3_a_subscriber_may_record_and_may_panic() {
    bounded(|| {
        let (runtime, facade) = facade(|options| options);
        let inner = facade.clone();
        let subscriber = Listener(move |event: &tracing::Event<'_>| {
            if event.metadata().target() == "mvx_metrics_facade" {
                with(&inner, || {
                    counter!("lines").increment(1);
                    gauge!("lines").set(1);
                });
                panic!("a subscriber that panics");
            }
        });
        tracing::subscriber::with_default(subscriber, || {
            with(&facade, || {
                counter!("both").increment(1);
                gauge!("both").set(1);
            });
        });
        // The line about `both` records `lines` of both kinds. `tracing` writes no line within a line.
        assert_eq!((&*json(&runtime, "both.gauge"), &*json(&runtime, "lines.gauge")), ("1.0", "1.0"));
        assert_eq!((json(&runtime, "lines"), problem(&runtime, "renamed_metrics")), ("1".to_owned(), 2));
        runtime.shutdown().expect("it stops");
    });
}

#[test]
fn fc3_a_subscriber_may_panic_with_what_panics_when_it_is_dropped() {
    struct PanicsOnDrop;

    impl Drop for PanicsOnDrop {
        fn drop(&mut self) {
            panic!("a payload that panics");
        }
    }

    bounded(|| {
        let (runtime, facade) = facade(|options| options);
        let subscriber = Listener(|event: &tracing::Event<'_>| {
            if event.metadata().target() == "mvx_metrics_facade" {
                std::panic::panic_any(PanicsOnDrop);
            }
        });
        tracing::subscriber::with_default(subscriber, || {
            with(&facade, || {
                counter!("both").increment(1);
                gauge!("both").set(1);
            });
        });
        assert_eq!((&*json(&runtime, "both.gauge"), problem(&runtime, "renamed_metrics")), ("1.0", 1));
        runtime.shutdown().expect("it stops");
    });
}

#[test]
fn fc3_macros_record_in_a_thread_that_ends_and_while_others_read() {
    struct AtEnd(FacadeRecorder);

    impl Drop for AtEnd {
        fn drop(&mut self) {
            counter_of(&self.0);
        }
    }

    fn counter_of(facade: &FacadeRecorder) {
        metrics::Recorder::register_counter(
            facade,
            &metrics::Key::from_name("at.end"),
            &metrics::Metadata::new("test", metrics::Level::INFO, None),
        )
        .increment(1);
    }

    thread_local! {
        static AT_END: std::cell::RefCell<Option<AtEnd>> = const { std::cell::RefCell::new(None) };
    }

    bounded(|| {
        let runtime = running_runtime("shop");
        let facade = FacadeRecorder::builder().build(&runtime).expect("a new id");
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| (0..100).for_each(|_| drop(crate::fixtures::totals(&runtime))));
            for thread in 0..50 {
                let facade = facade.clone();
                scope.spawn(move || {
                    with(&facade, || counter!(format!("of.{thread}"), "a" => "1").increment(1));
                    AT_END.with(|at_end| *at_end.borrow_mut() = Some(AtEnd(facade)));
                });
            }
            reader.join().expect("no panic");
        });
        assert_eq!(json(&runtime, "at.end"), "50");
        for thread in 0..50 {
            assert_eq!(json(&runtime, &format!("of.{thread}")), r#"{"1":1}"#);
        }
        runtime.shutdown().expect("it stops");
    });
}
