//! When pushes begin, and from where they may be called.

use std::thread;
use std::time::{Duration, Instant};

use mvx_metrics::{MetricsRuntime, Scope};
use mvx_metrics_tests::collector::{FakeCollector, Reply};
use mvx_metrics_tests::{bounded, bounded_async, eventually, in_threads};

use crate::support::{Hits, hit, hits, hits_in, options, start};

#[test]
fn pushes_begin_at_each_interval() {
    bounded(|| {
        let collector = FakeCollector::accepting();
        let (runtime, recorder) = hits("interval");
        hit(&recorder, 1);
        let interval = Duration::from_millis(100);
        let pusher = start(&runtime, options(&collector).interval(interval));
        let requests = collector.wait_for(4);
        let (first, last) = (requests[0].at, requests[3].at);
        assert!(last - first >= interval * 2, "four pushes within {:?}", last - first);
        assert!(requests.iter().all(|request| hits_in(request) == [1]));
        assert_eq!(pusher.stats().failures, 0);
    });
}

#[test]
fn ot3_pushes_that_take_longer_than_the_interval_arrive() {
    bounded(|| {
        let collector = FakeCollector::start(|_, _| Reply::success().after(Duration::from_millis(100)));
        let (runtime, _recorder) = hits("slow");
        let pusher = start(&runtime, options(&collector).interval(Duration::from_millis(10)));
        eventually("three pushes arrive", || pusher.stats().successes >= 3);
        let stats = pusher.stats();
        assert_eq!((stats.failures, stats.retries), (0, 0), "{stats:?}");
        assert!(stats.requests <= stats.successes + 1, "no two at a time: {stats:?}");
    });
}

#[test]
fn a_pusher_may_be_started_before_its_runtime() {
    bounded(|| {
        let collector = FakeCollector::accepting();
        let runtime = MetricsRuntime::new("early").expect("a namespace");
        let pusher = start(&runtime, options(&collector).interval(Duration::from_millis(20)));
        eventually("a push fails", || pusher.stats().failures > 0);
        assert_eq!(pusher.push().expect_err("no totals").reason(), "OTLP_TOTALS_UNAVAILABLE");
        runtime.start().expect("a start");
        eventually("a push succeeds", || pusher.stats().successes > 0);
    });
}

#[test]
fn ot3_all_calls_work_inside_of_a_tokio_runtime() {
    bounded_async(|| async {
        let collector = FakeCollector::accepting();
        let (runtime, recorder) = hits("async");
        let pusher = start(&runtime, options(&collector));
        hit(&recorder, 1);
        pusher.push_async().await.expect("a collector that takes all");
        hit(&recorder, 1);
        // It blocks the executor, and ends all the same.
        pusher.push().expect("a collector that takes all");
        hit(&recorder, 1);
        let stats = pusher.shutdown_async(Duration::from_secs(5)).await.expect("a collector that takes all");
        assert_eq!(stats.successes, 3);
        let pusher = start(&runtime, options(&collector));
        drop(pusher.push_async());
        drop(pusher);
        let pusher = start(&runtime, options(&collector));
        drop(pusher.shutdown_async(Duration::from_secs(5)));
        let hits: Vec<_> = collector.wait_for(4).iter().take(4).flat_map(hits_in).collect();
        assert_eq!(hits, [1, 2, 3, 3]);
    });
}

#[test]
fn two_pushers_of_one_runtime_do_not_disturb_each_other() {
    bounded(|| {
        let collectors = [FakeCollector::accepting(), FakeCollector::accepting()];
        let (runtime, recorder) = hits("two");
        let pushers = [0, 1].map(|index| start(&runtime, options(&collectors[index])));
        in_threads(2, |index| {
            for _ in 0..20 {
                hit(&recorder, 1);
                pushers[index].push().expect("a collector that takes all");
            }
        });
        for (pusher, collector) in pushers.into_iter().zip(&collectors) {
            pusher.shutdown(Duration::from_secs(5)).expect("a collector that takes all");
            assert_eq!(collector.requests().last().map(hits_in), Some(vec![40]));
        }
    });
}

#[test]
fn calls_of_several_threads_are_all_answered() {
    bounded(|| {
        let collector = FakeCollector::accepting();
        let (runtime, recorder) = hits("threads");
        let pusher = start(&runtime, options(&collector));
        in_threads(8, |_| {
            for _ in 0..10 {
                hit(&recorder, 1);
                pusher.push().expect("a collector that takes all");
            }
        });
        assert_eq!(collector.requests().last().map(hits_in), Some(vec![80]));
    });
}

#[test]
fn ot3_calls_that_come_one_after_the_other_do_not_keep_a_push_from_its_end() {
    bounded(|| {
        let collector = FakeCollector::start(|_, _| Reply::success().after(Duration::from_millis(20)));
        let (runtime, _recorder) = hits("busy");
        for number in 0..8 {
            let recorder = runtime.create_recorder(&format!("{number}")).expect("a recorder");
            recorder.metric::<Hits>().expect("a metric");
        }
        let options = options(&collector).scope(Scope::PerEntity).max_request_size(1 << 10);
        let pusher = start(&runtime, options);
        let begin = Instant::now();
        thread::scope(|scope| {
            while pusher.stats().successes == 0 {
                assert!(begin.elapsed() < Duration::from_secs(8), "no push arrives: {:?}", pusher.stats());
                scope.spawn(|| drop(pusher.push()));
                thread::sleep(Duration::from_millis(30));
            }
        });
        assert!(collector.requests().len() > 5, "a push has several requests");
    });
}
