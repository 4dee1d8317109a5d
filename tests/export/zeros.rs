//! Covers zeros in totals and text: ST11, ST12, ST13.

use std::time::Duration;

use mvx_metrics::export::{Format, Scope};
use mvx_metrics::{
    Breakdown, Counter, Gauge, Histogram, InFlight, Max, Mean, Metric, MetricsRuntime, Min, Sum, Totals,
    metric_event,
};
use mvx_metrics_tests::{Gate, Gated, Step, bounded};

use crate::fixtures::{Outcome, running};
use crate::samples::{Samples, of_text};

#[metric_event]
struct Called {
    outcome: Outcome,
    cached: bool,
    host: &'static str,
    elapsed: Duration,
    bytes: u64,
}

#[metric_event]
struct Retried;

/// Breakdowns of each dimension type over labels that are known by type, and one over labels that are not.
#[derive(Metric, Default)]
#[metric(on(Called))]
struct Calls {
    #[dimension(by = outcome)]
    counter: Breakdown<Outcome, Counter>,
    #[dimension(by(outcome, cached))]
    both: Breakdown<(Outcome, bool), Counter>,
    #[dimension(by = cached, value = elapsed)]
    sum: Breakdown<bool, Sum<Duration>>,
    #[dimension(by = outcome, value = bytes)]
    mean: Breakdown<Outcome, Mean<u64>>,
    #[dimension(by = outcome, add = 1, sub = |_| 1u64)]
    flying: Breakdown<Outcome, InFlight>,
    #[dimension(by = outcome, value = bytes, buckets = [10, 100])]
    sizes: Breakdown<Outcome, Histogram<u64>>,
    #[dimension(by = outcome, value = bytes)]
    least: Breakdown<Outcome, Min<u64>>,
    #[dimension(by = outcome, value = bytes)]
    most: Breakdown<Outcome, Max<u64>>,
    #[dimension(by = outcome, set = elapsed)]
    level: Breakdown<Outcome, Gauge<Duration>>,
    #[dimension(by = host, limit = 5)]
    host: Breakdown<&'static str, Counter>,
    #[dimension(by = outcome, zeros = off)]
    quiet: Breakdown<Outcome, Counter>,
    #[dimension(on(Retried))]
    retries: Counter,
}

const BOTH: [&str; 2] = ["success", "failure"];

/// The series that stand at 0 before anything happens, without the labels of the group.
fn zeros() -> Vec<String> {
    let mut zeros = vec!["calls_retries_total{}".to_owned()];
    for outcome in BOTH {
        let own = format!("outcome=\"{outcome}\"");
        zeros.push(format!("calls_counter_total{{,{own}}}"));
        for cached in [false, true] {
            zeros.push(format!("calls_both_total{{,{own},cached=\"{cached}\"}}"));
        }
        for suffix in ["sum", "count"] {
            zeros.push(format!("calls_mean_{suffix}{{,{own}}}"));
            zeros.push(format!("calls_sizes_{suffix}{{,{own}}}"));
        }
        for bound in ["10.0", "100.0", "+Inf"] {
            zeros.push(format!("calls_sizes_bucket{{,{own},le=\"{bound}\"}}"));
        }
        zeros.push(format!("calls_flying{{,{own}}}"));
    }
    zeros.extend([false, true].map(|cached| format!("calls_sum_seconds_total{{,cached=\"{cached}\"}}")));
    zeros.sort_unstable();
    zeros
}

fn called(outcome: Outcome) -> Called {
    Called { outcome, cached: true, host: "north", elapsed: Duration::from_secs(1), bytes: 7 }
}

/// The samples of the metric, without the labels of the group.
fn calls_in(totals: &Totals, format: Format, group: &str) -> Samples {
    let samples = of_text(&totals.exposition(format).text).into_iter();
    let own = samples.filter(|(series, _)| series.starts_with("calls_"));
    own.map(|(series, value)| (series.replacen(group, "", 1), value)).collect()
}

#[test]
fn st11_labels_that_are_known_by_type_stand_at_zero_in_the_text() {
    let runtime = running("shop");
    runtime.create_recorder("one").expect("the id is free").metric::<Calls>().expect("it runs");
    for (scope, group) in
        [(Scope::Rollup, "namespace=\"shop\""), (Scope::PerEntity, "namespace=\"shop\",entity_id=\"one\"")]
    {
        let totals = runtime.totals(scope).expect("the runtime runs");
        for format in [Format::Prometheus, Format::OpenMetrics] {
            let samples = calls_in(&totals, format, group);
            let names: Vec<_> = samples.keys().cloned().collect();
            assert_eq!(names, zeros(), "{scope:?} {format:?}");
            assert!(samples.values().all(|value| value == "0"), "{samples:?}");
        }
    }
}

#[test]
fn st11_the_series_of_later_labels_join_those_at_zero() {
    let runtime = running("shop");
    let recorder = runtime.create_recorder("one").expect("the id is free");
    recorder.metric::<Calls>().expect("the recorder runs");
    recorder.emit(called(Outcome::Failure));
    let totals = runtime.totals(Scope::Rollup).expect("the runtime runs");
    let samples = calls_in(&totals, Format::Prometheus, "namespace=\"shop\"");
    assert!(zeros().iter().all(|series| samples.contains_key(series)), "{samples:?}");
    assert_eq!(samples["calls_counter_total{,outcome=\"failure\"}"], "1");
    assert_eq!(samples["calls_counter_total{,outcome=\"success\"}"], "0");
    assert_eq!(samples["calls_both_total{,outcome=\"failure\",cached=\"false\"}"], "0");
    assert_eq!(samples["calls_mean_sum{,outcome=\"failure\"}"], "7");
    assert_eq!(samples["calls_host_total{,host=\"north\"}"], "1");
    let calls = totals.get::<Calls>("shop").expect("it was registered");
    assert_eq!(calls.counter.get(Outcome::Success), Some(&0));
    assert_eq!(calls.both.get((Outcome::Success, true)), Some(&0));
}

#[test]
fn st11_dropped_events_stand_at_zero_for_every_event_type_of_a_metric() {
    let runtime = running("shop");
    runtime.create_recorder("one").expect("the id is free").metric::<Calls>().expect("it runs");
    for scope in [Scope::Rollup, Scope::PerEntity] {
        let totals = runtime.totals(scope).expect("the runtime runs");
        let dropped: Vec<_> = totals.groups[0].stats.dropped_by_type.clone().into_iter().collect();
        assert_eq!(dropped, [("called".into(), 0), ("retried".into(), 0)]);
        let text = totals.exposition(Format::OpenMetrics).text;
        let dropped = text.lines().filter(|line| line.starts_with("mvx_metrics_events_dropped_total{"));
        let values: Vec<_> =
            dropped.filter_map(|line| line.rsplit_once(' ')).map(|(_, value)| value).collect();
        assert_eq!(values, ["0", "0"], "{scope:?}");
    }
}

/// Another metric of the same name, for another event.
#[derive(Metric, Default)]
#[metric(name = "calls", on(Retried))]
struct OtherCalls {
    retries: Counter,
}

#[test]
fn st11_dropped_events_stand_at_zero_for_all_metrics_of_one_name() {
    let runtime = running("shop");
    let dropped = || {
        let totals = runtime.totals(Scope::Rollup).expect("the runtime runs");
        totals.groups[0].stats.dropped_by_type.clone().into_iter().collect::<Vec<_>>()
    };
    let one = runtime.create_recorder("one").expect("the id is free");
    one.register_metric(OtherCalls::default()).expect("the recorder runs");
    assert_eq!(dropped(), [("retried".into(), 0)]);
    let other = runtime.create_recorder("other").expect("the id is free");
    other.register_metric(Calls::default()).expect("the recorder runs");
    let both = [("called".into(), 0), ("retried".into(), 0)];
    assert_eq!(dropped(), both, "a recorder with a metric of the same name");
    other.register_metric(OtherCalls::default()).expect("the recorder runs");
    assert_eq!(dropped(), both, "its metric is replaced");
    runtime.stop_and_remove_recorder("other").expect("it stops");
    assert_eq!(dropped(), both, "it is removed");
}

#[test]
fn st11_dropped_events_stay_at_zero_while_a_recorder_cannot_be_read() {
    bounded(|| {
        let (runtime, gate) = (running("shop"), Gate::new());
        let recorder = runtime.create_recorder("one").expect("the id is free");
        recorder.metric::<Calls>().expect("the recorder runs");
        recorder.register_metric(Gated(gate.clone())).expect("the recorder runs");
        let dropped = || {
            let text = runtime.exposition(Scope::Rollup, Format::Prometheus).expect("the runtime runs").text;
            let dropped = text.lines().filter(|line| line.starts_with("mvx_metrics_events_dropped_total{"));
            dropped.map(str::to_owned).collect::<Vec<_>>()
        };
        let before = dropped();
        assert_eq!(before.len(), 4, "{before:?}");
        recorder.emit(Step(1));
        gate.wait_for_arrival();
        assert_eq!(dropped(), before);
        gate.open();
    });
}

#[test]
fn st13_a_breakdown_with_zeros_off_has_no_series_before_its_first_event() {
    let runtime = running("shop");
    let recorder = runtime.create_recorder("one").expect("the id is free");
    recorder.metric::<Calls>().expect("the recorder runs");
    let quiet = || {
        let totals = runtime.totals(Scope::Rollup).expect("the runtime runs");
        let samples = calls_in(&totals, Format::Prometheus, "namespace=\"shop\"");
        samples.into_iter().filter(|(series, _)| series.starts_with("calls_quiet")).collect::<Vec<_>>()
    };
    assert_eq!(quiet(), []);
    recorder.emit(called(Outcome::Failure));
    assert_eq!(quiet(), [("calls_quiet_total{,outcome=\"failure\"}".to_owned(), "1".to_owned())]);
}

/// The values of the failures of all series, in order.
fn failures(runtime: &MetricsRuntime, scope: Scope) -> Vec<String> {
    let samples = of_text(&runtime.exposition(scope, Format::OpenMetrics).expect("it runs").text);
    let failures = samples.into_iter().filter(|(series, _)| {
        series.starts_with("calls_counter_total{") && series.contains("outcome=\"failure\"")
    });
    failures.map(|(_, value)| value).collect()
}

/// A server computes an increase from two samples of one series. `.ci/prometheus` shows it with a real one.
#[test]
fn st12_the_first_failure_of_each_of_1000_recorders_raises_a_series_that_was_at_zero() {
    let runtime = running("shop");
    let recorders: Vec<_> = (0..1_000)
        .map(|number| {
            let recorder = runtime.create_recorder(&number.to_string()).expect("the id is free");
            recorder.metric::<Calls>().expect("the recorder runs");
            recorder.emit(called(Outcome::Success));
            recorder
        })
        .collect();
    assert_eq!(failures(&runtime, Scope::PerEntity), vec!["0"; 1_000]);
    assert_eq!(failures(&runtime, Scope::Rollup), ["0"]);
    for recorder in &recorders {
        recorder.emit(called(Outcome::Failure));
    }
    assert_eq!(failures(&runtime, Scope::PerEntity), vec!["1"; 1_000]);
    assert_eq!(failures(&runtime, Scope::Rollup), ["1000"]);
}
