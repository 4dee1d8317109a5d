//! FC3: handles that are kept, and descriptions that come at any time.

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge, histogram};
use mvx_metrics_tests::{capture, in_threads};

use crate::fixtures::{facade, json, lines, metric, problem, with};

#[test]
fn fc3_handles_that_are_kept_and_macros_count_once_in_one_series() {
    let (runtime, facade) = facade(|options| options);
    let (kept, level, size) =
        with(&facade, || (counter!("calls", "a" => "1"), gauge!("level"), histogram!("size")));
    in_threads(4, |_| {
        with(&facade, || {
            for _ in 0..1_000 {
                kept.increment(1);
                counter!("calls", "a" => "1").increment(1);
                level.increment(1);
                gauge!("level").decrement(0.5);
                size.record(1.0);
                histogram!("size").record_many(1.0, 2);
            }
        });
    });
    assert_eq!((&*json(&runtime, "calls"), &*json(&runtime, "level")), (r#"{"1":8000}"#, "2000.0"));
    assert_eq!(lines(&runtime, "size_count"), [r#"size_count{namespace="shop"} 12000"#]);
    assert_eq!(lines(&runtime, "size_sum"), [r#"size_sum{namespace="shop"} 12000.0"#]);
    runtime.shutdown().expect("it stops");
}

#[test]
fn fc3_handles_stay_valid_when_the_recorder_of_the_facade_is_dropped() {
    let (runtime, facade) = facade(|options| options);
    let kept = with(&facade, || counter!("calls"));
    drop(facade);
    kept.increment(3);
    assert_eq!(json(&runtime, "calls"), "3");
    runtime.shutdown().expect("it stops");
}

#[test]
fn fc3_handles_stay_valid_after_the_removal_of_the_recorder_and_after_the_shutdown() {
    let (runtime, facade) = facade(|options| options);
    let kept = with(&facade, || counter!("calls"));
    kept.increment(3);
    runtime.stop_and_remove_recorder("facade").expect("it stops");
    kept.increment(1);
    assert_eq!(json(&runtime, "calls"), "3", "what was counted before stays in the totals");

    let second = mvx_metrics_facade::FacadeRecorder::builder().build(&runtime).expect("the id is free again");
    with(&second, || counter!("calls").increment(10));
    assert_eq!(json(&runtime, "calls"), "13");
    runtime.shutdown().expect("it stops");
    with(&second, || {
        counter!("calls").increment(100);
        counter!("late", "a" => "1").increment(100);
    });
    kept.increment(1);
    assert_eq!(json(&runtime, "calls"), "13", "totals stay as they were at the shutdown");
    assert_eq!(metric(&runtime, "late"), None);
}

#[test]
fn fc3_descriptions_before_and_after_the_first_use_become_help_and_unit() {
    let (runtime, facade) = facade(|options| options);
    with(&facade, || {
        describe_counter!("before", Unit::Bytes, "Came before.");
        counter!("before").increment(1);
        counter!("after").increment(1);
        describe_counter!("after", Unit::Bytes, "Came after.");
        // The last one counts, and one of another kind belongs to another metric.
        describe_counter!("after", "Came last.");
        describe_gauge!("after", Unit::Seconds, "Of a gauge.");
    });
    assert_eq!(lines(&runtime, "before"), [r#"before_bytes_total{namespace="shop"} 1"#]);
    assert_eq!(lines(&runtime, "after"), [r#"after_bytes_total{namespace="shop"} 1"#]);
    assert_eq!(lines(&runtime, "# HELP before"), ["# HELP before_bytes_total Came before."]);
    assert_eq!(lines(&runtime, "# HELP after"), ["# HELP after_bytes_total Came last."]);
    assert_eq!(problem(&runtime, "renamed_metrics"), 0);
    runtime.shutdown().expect("it stops");
}

#[test]
fn fc3_after_a_reading_help_still_comes_and_another_unit_is_counted_and_logged_once() {
    capture::install();
    let (runtime, facade) = facade(|options| options);
    with(&facade, || {
        counter!("lg.unit").increment(1);
        assert_eq!(lines(&runtime, "lg_unit"), [r#"lg_unit_total{namespace="shop"} 1"#]);
        for _ in 0..2 {
            describe_counter!("lg.unit", Unit::Bytes, "Came late.");
        }
        describe_counter!("lg.unit", Unit::Count, "Came late.");
    });
    assert_eq!(lines(&runtime, "lg_unit"), [r#"lg_unit_total{namespace="shop"} 1"#]);
    assert_eq!(lines(&runtime, "# HELP lg_unit"), ["# HELP lg_unit_total Came late."]);
    assert_eq!(problem(&runtime, "late_units"), 2);
    let logged = capture::matching(|logged| logged.field("metric") == "lg.unit");
    let events: Vec<_> = logged.iter().map(|line| line.field("event")).collect();
    assert_eq!(events, ["metrics_facade.unit_late"]);
    runtime.shutdown().expect("it stops");
}

#[test]
fn fc3_endless_descriptions_are_cut() {
    let (runtime, facade) = facade(|options| options);
    with(&facade, || {
        describe_counter!("calls", "ä".repeat(100_000));
        counter!("calls").increment(1);
    });
    let help = metric(&runtime, "calls").and_then(|calls| calls.declaration().map(|calls| calls.help.len()));
    assert_eq!(help, Some(4_096));
    runtime.shutdown().expect("it stops");
}
