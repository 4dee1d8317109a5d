//! What a pusher logs: each state once.

use std::time::Duration;

use mvx_metrics::{LogPolicy, MetricsRuntime, Scope};
use mvx_metrics_tests::capture::{self, Logged};
use mvx_metrics_tests::collector::{FakeCollector, Reply};
use mvx_metrics_tests::{bounded, eventually};

use crate::support::{Hits, options, partial, start};

fn started(namespace: &str, policy: LogPolicy) -> MetricsRuntime {
    capture::install();
    let runtime = MetricsRuntime::builder(namespace).log_policy(policy).build().expect("a namespace");
    runtime.start().expect("a start");
    runtime
}

/// The lines of a pusher, as `event phase reason`.
fn lines(namespace: &str) -> Vec<String> {
    let own = |logged: &Logged| logged.target == "mvx_metrics_otlp" && logged.field("namespace") == namespace;
    let line = |logged: &Logged| {
        let parts = [logged.level.to_string(), logged.title(), logged.field("reason").to_owned()];
        parts.join(" ").trim_end().to_owned()
    };
    capture::matching(own).iter().map(line).collect()
}

#[test]
fn ot3_what_repeats_is_logged_once_until_it_changes() {
    bounded(|| {
        let collector = FakeCollector::start(|number, _| match number {
            0..5 => Reply::http(404, "", format!("no page {number}").as_bytes()),
            5..10 => Reply::http(401, "", b""),
            _ => Reply::success(),
        });
        let runtime = started("lg.repeats", LogPolicy::Normal);
        let pusher = start(&runtime, options(&collector).interval(Duration::from_millis(10)));
        collector.wait_for(20);
        pusher.shutdown(Duration::from_secs(5)).expect("a collector that takes all");
        assert_eq!(
            lines("lg.repeats"),
            [
                "WARN metrics_otlp.push failed OTLP_REFUSED",
                "WARN metrics_otlp.push failed OTLP_REFUSED",
                "INFO metrics_otlp.push success",
                "INFO metrics_otlp.shutdown success",
            ]
        );
        let of_push = |logged: &Logged| {
            logged.field("namespace") == "lg.repeats" && logged.field("event") == "metrics_otlp.push"
        };
        let logged = capture::matching(of_push);
        assert_eq!(logged[0].field("error"), "the collector answered 404: no page 0");
        assert_eq!(logged[1].field("error"), "the collector answered 401");
        assert_eq!(logged[2].field("failed_pushes"), "10");
        assert_eq!(logged[0].field("collector"), collector.address().to_string());
    });
}

#[test]
fn ot3_rejected_points_and_unreadable_answers_are_logged_once() {
    bounded(|| {
        let collector = FakeCollector::start(|number, _| match number {
            0..5 => Reply::http(200, "", &partial(3, "too old")),
            5..10 => Reply::http(200, "", b"<html>"),
            10..15 => Reply::http(200, "", &partial(0, "a warning")),
            _ => Reply::success(),
        });
        let runtime = started("lg.partial", LogPolicy::Normal);
        let pusher = start(&runtime, options(&collector).interval(Duration::from_millis(10)));
        collector.wait_for(20);
        pusher.shutdown(Duration::from_secs(5)).expect("a collector that takes all");
        assert_eq!(
            lines("lg.partial"),
            [
                "WARN metrics_otlp.partial_success",
                "WARN metrics_otlp.unreadable_answer",
                "WARN metrics_otlp.partial_success",
                "INFO metrics_otlp.shutdown success",
            ]
        );
    });
}

#[test]
fn ot3_a_push_of_several_requests_has_one_line_for_what_some_of_them_reject() {
    bounded(|| {
        let collector = FakeCollector::start(|number, _| match number % 3 {
            0 => Reply::http(200, "", &partial(1, "too old")),
            _ => Reply::success(),
        });
        let runtime = started("lg.several", LogPolicy::Normal);
        for number in 0..8 {
            let recorder = runtime.create_recorder(&format!("{number}")).expect("a recorder");
            recorder.metric::<Hits>().expect("a metric");
        }
        let options = options(&collector).scope(Scope::PerEntity).max_request_size(2 << 10);
        let pusher = start(&runtime, options);
        for _ in 0..3 {
            let error = pusher.push().expect_err("a partial success");
            assert!(error.to_string().ends_with("points: too old"), "{error}");
        }
        assert!(collector.requests().len() > 9, "each push has several requests");
        assert_eq!(lines("lg.several"), ["WARN metrics_otlp.partial_success"]);
    });
}

#[test]
fn a_silent_runtime_has_a_silent_pusher() {
    bounded(|| {
        let collector = FakeCollector::start(|_, _| Reply::http(404, "", b""));
        let runtime = started("lg.silent", LogPolicy::Silent);
        let pusher = start(&runtime, options(&collector).interval(Duration::from_millis(10)));
        eventually("pushes fail", || pusher.stats().failures > 2);
        pusher.shutdown(Duration::from_secs(5)).expect_err("a collector that takes nothing");
        assert!(lines("lg.silent").is_empty());
    });
}
