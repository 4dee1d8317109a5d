//! EV: events and dispatch. EV1, EV2, EV4 and EV6 are with the macros.

use std::sync::mpsc;

use mvx_metrics::{
    Counter, EventHandler, HandleEvent, Metric, MetricSnapshot, QueueOverflowPolicy, RecorderOptions, Sum,
    metric_event,
};
use mvx_metrics_tests::{
    Act, Direct, Drops, Gate, Journal, Other, Script, Step, Steps, bounded, eventually, running_runtime,
};

#[metric_event]
struct Paid {
    cents: u64,
}

#[derive(Metric, Default)]
#[metric(on(Paid))]
struct Payments {
    total: Counter,
}

#[derive(Metric, Default)]
#[metric(on(Paid))]
struct Revenue {
    #[dimension(value = cents)]
    cents: Sum<u64>,
}

#[test]
fn ev3_two_metrics_read_one_event_differently() {
    bounded(|| {
        let runtime = running_runtime("ev.3");
        let recorder = runtime.create_recorder("a").expect("creates");
        recorder.register_metric(Payments::default()).expect("registers");
        recorder.register_metric(Revenue::default()).expect("registers");
        recorder.register_event(Paid { cents: 250 }).expect("accepted");
        let payments = recorder.metric_snapshot::<Payments>().expect("reads").expect("is registered");
        let revenue = recorder.metric_snapshot::<Revenue>().expect("reads").expect("is registered");
        assert_eq!((payments.total, revenue.cents), (1, 250));
    });
}

#[test]
fn ev5_an_event_no_metric_listens_to_is_accepted_processed_and_dropped() {
    bounded(|| {
        let (runtime, drops) = (running_runtime("ev.5"), Drops::new());
        let recorder = runtime.create_recorder("a").expect("creates");
        recorder.register_metric(Payments::default()).expect("registers");
        recorder.register_event(drops.event()).map_err(drop).expect("accepted");
        recorder.flush().wait().expect("flushes");
        let stats = recorder.stats();
        assert_eq!((stats.accepted, stats.processed, drops.dropped()), (1, 1, 1));
    });
}

#[metric_event]
struct Large {
    numbers: [u64; 100],
}

#[metric_event]
#[repr(align(128))]
struct Aligned {
    number: u64,
}

#[metric_event]
struct Nothing;

#[derive(Metric, Default)]
struct Sizes {
    #[dimension(on(Large, value = |e| e.numbers.iter().sum::<u64>()))]
    large: Sum<u64>,
    #[dimension(on(Aligned, value = number, when = |e| std::ptr::from_ref(e).addr() % 128 == 0))]
    aligned: Sum<u64>,
    #[dimension(on(Nothing))]
    nothing: Counter,
}

#[test]
fn ev7_large_aligned_and_empty_events_travel_intact() {
    bounded(|| {
        let runtime = running_runtime("ev.7");
        let recorder = runtime.create_recorder("a").expect("creates");
        recorder.register_metric(Sizes::default()).expect("registers");
        for _ in 0..1_000 {
            let numbers = std::array::from_fn(|index| index as u64);
            recorder.register_event(Large { numbers }).expect("accepted");
            recorder.register_event(Aligned { number: 3 }).expect("accepted");
            recorder.register_event(Nothing).expect("accepted");
        }
        let sizes = recorder.metric_snapshot::<Sizes>().expect("reads").expect("is registered");
        assert_eq!((sizes.large, sizes.aligned, sizes.nothing), (4_950_000, 3_000, 1_000));
    });
}

#[test]
fn ev8_a_handled_event_is_dropped_once() {
    bounded(|| {
        let (runtime, drops) = (running_runtime("ev.8.handled"), Drops::new());
        let recorder = runtime.create_recorder("a").expect("creates");
        recorder.register_metric(Steps::default()).expect("registers");
        for _ in 0..1_000 {
            recorder.register_event(drops.event()).map_err(drop).expect("accepted");
        }
        assert_eq!(Steps::total(&recorder), 1_000);
        assert_eq!((drops.made(), drops.dropped()), (1_000, 1_000));
    });
}

#[test]
fn ev8_an_event_beyond_the_limit_is_dropped_once() {
    bounded(|| {
        let (runtime, drops, gate) = (running_runtime("ev.8.overflow"), Drops::new(), Gate::new());
        let options = RecorderOptions::new()
            .queue_max_size(2)
            .queue_overflow_policy(QueueOverflowPolicy::Drop)
            .hooks(Script::new().changed(Act::Wait(gate.clone())));
        let recorder = runtime.create_recorder_with("a", options).expect("creates");
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.register_event(drops.event()).map_err(drop).expect("accepted");
        gate.wait_for_arrival();
        for _ in 0..5 {
            recorder.register_event(drops.event()).map_err(drop).expect("accepted or dropped");
        }
        assert_eq!((recorder.stats().dropped, drops.dropped()), (4, 4));
        gate.open();
        recorder.stop().wait().expect("stops");
        assert_eq!((drops.made(), drops.dropped()), (6, 6));
    });
}

#[test]
fn ev8_a_discarded_event_is_dropped_once() {
    bounded(|| {
        let (runtime, drops, gate) = (running_runtime("ev.8.discarded"), Drops::new(), Gate::new());
        let script = Script::new().changed(Act::WaitAndFail(gate.clone(), "not sent"));
        let recorder =
            runtime.create_recorder_with("a", RecorderOptions::new().hooks(script)).expect("creates");
        recorder.register_metric(Steps::default()).expect("registers");
        for _ in 0..5 {
            recorder.register_event(drops.event()).map_err(drop).expect("accepted");
        }
        gate.wait_for_arrival();
        gate.open();
        eventually("what is pending is discarded", || recorder.stats().discarded == 4);
        assert_eq!((drops.made(), drops.dropped()), (5, 5));
    });
}

#[test]
fn ev8_an_event_that_is_never_processed_is_dropped_once() {
    bounded(|| {
        let drops = Drops::new();
        let mut application = Direct::new();
        let recorder = application.recorder(RecorderOptions::new());
        application.end();
        recorder.register_event(drops.event()).map_err(drop).expect("accepted before the end is noticed");
        let refused = recorder.register_event(drops.event()).expect_err("the recorder has ended");
        assert_eq!(drops.dropped(), 1, "the first is discarded, the second handed back");
        drop(refused.into_event());
        drop(recorder);
        assert_eq!((drops.made(), drops.dropped()), (2, 2));
    });
}

#[test]
fn ev9_a_metric_written_by_hand_works_beside_a_derived_one() {
    bounded(|| {
        struct Largest(u64);

        impl HandleEvent<Paid> for Largest {
            fn handle(&mut self, event: &Paid) -> bool {
                self.0 = self.0.max(event.cents);
                true
            }
        }

        impl Metric for Largest {
            fn metric_name(&self) -> &'static str {
                "largest"
            }
            fn handlers() -> &'static [EventHandler<Self>] {
                const { &[EventHandler::of::<Paid>()] }
            }
            fn snapshot(&self) -> MetricSnapshot {
                MetricSnapshot::of_static("largest").with("cents", self.0)
            }
        }

        let runtime = running_runtime("ev.9");
        let recorder = runtime.create_recorder("a").expect("creates");
        recorder.register_metric(Largest(0)).expect("registers");
        recorder.register_metric(Revenue::default()).expect("registers");
        for cents in [100, 300, 200] {
            recorder.register_event(Paid { cents }).expect("accepted");
        }
        let snapshots =
            serde_json::to_value(recorder.metric_snapshots().expect("reads")).expect("serialises");
        assert_eq!(snapshots["largest"]["dimensions"]["cents"], 300);
        assert_eq!(snapshots["revenue"]["dimensions"]["cents"], 600);
    });
}

#[test]
fn ev10_events_apply_in_order_of_acceptance_across_threads_that_hand_over() {
    bounded(|| {
        const ROUNDS: u64 = 2_000;
        let runtime = running_runtime("ev.10");
        let recorder = runtime.create_recorder("a").expect("creates");
        let journal = Journal::new();
        recorder.register_metric(journal.clone()).expect("registers");
        let (to_other, from_first) = mpsc::channel();
        let (to_first, from_other) = mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for number in from_first {
                    recorder.register_event(Step(number)).expect("accepted");
                    // The first thread is gone after its last round.
                    let _ = to_first.send(number + 1);
                }
            });
            let mut number = 0;
            while number < 2 * ROUNDS {
                recorder.register_event(Step(number)).expect("accepted");
                to_other.send(number + 1).expect("the other thread listens");
                number = from_other.recv().expect("the other thread answers");
            }
            drop(to_other);
        });
        recorder.flush().wait().expect("flushes");
        assert!(journal.numbers().into_iter().eq(0..2 * ROUNDS));
    });
}

#[test]
fn ev11_a_metric_does_not_see_events_accepted_before_it_was_registered() {
    bounded(|| {
        let (runtime, gate) = (running_runtime("ev.11"), Gate::new());
        let options = RecorderOptions::new().hooks(Script::new().changed(Act::Wait(gate.clone())));
        let recorder = runtime.create_recorder_with("a", options).expect("creates");
        recorder.register_metric(Steps::default()).expect("registers");
        for number in 0..3 {
            recorder.register_event(Step(number)).expect("accepted");
        }
        gate.wait_for_arrival();
        let late = Journal::new();
        recorder.register_metric(late.clone()).expect("registers");
        for number in 3..6 {
            recorder.register_event(Step(number)).expect("accepted");
        }
        gate.open();
        recorder.stop().wait().expect("stops");
        assert_eq!(late.numbers(), [3, 4, 5]);
        assert_eq!(Steps::total(&recorder), 6);
    });
}

#[test]
fn ev12_an_event_is_never_offered_to_a_metric_that_does_not_list_it() {
    bounded(|| {
        /// Lists steps, and panics on anything else it is offered.
        struct Strict(u64);

        impl HandleEvent<Step> for Strict {
            fn handle(&mut self, _: &Step) -> bool {
                self.0 += 1;
                true
            }
        }

        impl HandleEvent<Other> for Strict {
            fn handle(&mut self, _: &Other) -> bool {
                panic!("a foreign event")
            }
        }

        impl Metric for Strict {
            fn metric_name(&self) -> &'static str {
                "strict"
            }
            fn handlers() -> &'static [EventHandler<Self>] {
                const { &[EventHandler::of::<Step>()] }
            }
            fn handle_event(&mut self, _: mvx_metrics::EventRef<'_>) -> bool {
                panic!("dispatch does not go by trial and error")
            }
            fn snapshot(&self) -> MetricSnapshot {
                MetricSnapshot::of_static("strict").with("total", self.0)
            }
        }

        let runtime = running_runtime("ev.12");
        let recorder = runtime.create_recorder("a").expect("creates");
        recorder.register_metric(Strict(0)).expect("registers");
        for number in 0..100 {
            recorder.register_event(Other).expect("accepted");
            recorder.register_event(Step(number)).expect("accepted");
            recorder.register_event(Paid { cents: 1 }).expect("accepted");
        }
        let snapshots = recorder.metric_snapshots().expect("reads");
        let strict = snapshots.get("strict").expect("is registered");
        assert_eq!(strict.failed, None);
        assert_eq!(strict.get("total").and_then(mvx_metrics::DimensionValue::as_u64), Some(100));
    });
}
