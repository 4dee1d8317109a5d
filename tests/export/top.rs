//! The largest labels in the text: one gauge for the values, and one for how much they may be too large.

use mvx_metrics::export::Format;
use mvx_metrics::{Counter, Gauge, Metric, MetricsRuntime, Scope, Sum, Top, metric_event};
use std::time::Duration;

use crate::fixtures::{FORMATS, assert_grouped, running, value};

#[metric_event]
struct Called {
    route: &'static str,
    secure: bool,
    elapsed: Duration,
}

/// Calls.
#[derive(Metric, Default)]
#[metric(name = "calls", on(Called))]
struct Calls {
    /// The busiest routes.
    #[dimension(by = route, keep = 2)]
    busiest: Top<&'static str, Counter>,
    #[dimension(by(route, secure), keep = 2, value = elapsed)]
    slowest: Top<(&'static str, bool), Sum<Duration>>,
}

fn called(route: &'static str, millis: u64) -> Called {
    Called { route, secure: true, elapsed: Duration::from_millis(millis) }
}

/// Two recorders; the second one is removed.
fn runtime() -> MetricsRuntime {
    let runtime = running("top");
    for (id, routes) in [("one", ["/a", "/b", "/b", "/b", "/z"]), ("two", ["/a", "/a", "/a", "/a", "/b"])] {
        let recorder = runtime.create_recorder(id).expect("the id is free");
        recorder.metric::<Calls>().expect("it runs");
        for route in routes {
            recorder.emit(called(route, 500));
        }
    }
    runtime.stop_and_remove_recorder("two").expect("it stops");
    runtime
}

fn text_of(runtime: &MetricsRuntime, scope: Scope, format: Format) -> String {
    let exposition = runtime.exposition(scope, format).expect("it can be read");
    assert_eq!(exposition.skipped, []);
    assert_grouped(&exposition.text);
    exposition.text
}

#[test]
fn di8_the_text_shows_each_value_with_its_error_and_keeps_those_of_removed_recorders() {
    let runtime = runtime();
    for format in FORMATS {
        let text = text_of(&runtime, Scope::Rollup, format);
        // `/z` took the place of `/a` in the first recorder, so `/a` may have had one event there.
        let busiest = |name: &str, route: &str| {
            value(&text, &format!("calls_busiest{name}{{namespace=\"top\",route=\"{route}\"}}"))
        };
        assert_eq!((busiest("", "/a"), busiest("_error", "/a")), (5.0, 1.0), "{text}");
        assert_eq!((busiest("", "/b"), busiest("_error", "/b")), (4.0, 0.0));
        assert!(!text.contains("/z"), "it was cut off: {text}");
        let slowest = "calls_slowest_seconds{namespace=\"top\",route=\"/b\",secure=\"true\"}";
        let error = "calls_slowest_error_seconds{namespace=\"top\",route=\"/b\",secure=\"true\"}";
        assert_eq!((value(&text, slowest), value(&text, error)), (2.0, 0.0));
        assert!(text.contains("# TYPE calls_busiest gauge\n"), "{text}");
        assert!(text.contains("# HELP calls_busiest The busiest routes.\n"), "{text}");
        let help = "# HELP calls_busiest_error How much each value of busiest may be too large.\n";
        assert!(text.contains(help), "{text}");
    }
    runtime.shutdown().expect("it ends");
}

#[test]
fn the_series_keep_their_order_while_values_change() {
    let runtime = runtime();
    let order = || {
        let text = text_of(&runtime, Scope::PerEntity, Format::Prometheus);
        let series = text.lines().filter(|line| line.starts_with("calls_busiest{"));
        series.map(|line| line.split('"').rev().nth(1).unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(order(), ["/b", "/z"]);
    let recorder = runtime.get_recorder("one").expect("it is registered");
    for _ in 0..9 {
        recorder.emit(called("/z", 1));
    }
    assert_eq!(order(), ["/b", "/z"]);
    runtime.shutdown().expect("it ends");
}

#[test]
fn a_top_without_events_has_no_series() {
    let runtime = running("top");
    runtime.create_recorder("one").expect("the id is free").metric::<Calls>().expect("it runs");
    let text = text_of(&runtime, Scope::Rollup, Format::OpenMetrics);
    assert!(!text.contains("busiest"), "{text}");
    runtime.shutdown().expect("it ends");
}

#[test]
fn errors_give_way_to_a_dimension_with_their_name() {
    #[derive(Metric, Default)]
    #[metric(name = "calls", on(Called))]
    struct Clashing {
        #[dimension(set = 7)]
        busiest_error: Gauge<i64>,
        #[dimension(by = route, keep = 2)]
        busiest: Top<&'static str, Counter>,
    }

    let runtime = running("top");
    let recorder = runtime.create_recorder("one").expect("the id is free");
    recorder.metric::<Clashing>().expect("it runs");
    recorder.emit(called("/a", 1));
    let exposition = runtime.exposition(Scope::Rollup, Format::Prometheus).expect("it can be read");
    assert_grouped(&exposition.text);
    let skipped: Vec<_> = exposition.skipped.iter().map(|skipped| &*skipped.dimension).collect();
    assert_eq!(skipped, ["busiest_error"]);
    assert!(
        exposition.text.contains("calls_busiest{namespace=\"top\",route=\"/a\"} 1\n"),
        "{}",
        exposition.text
    );
    runtime.shutdown().expect("it ends");
}
