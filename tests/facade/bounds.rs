//! FC2: what comes beyond a limit. Nothing is lost in silence.

use metrics::{counter, gauge, histogram};
use mvx_metrics::{DimensionValue, Totals};
use mvx_metrics_facade::{FacadeBuilder, FacadeRecorder};
use mvx_metrics_tests::{capture, running_runtime};

use crate::fixtures::{facade, json, lines, metric, problem, totals, with};

/// The sum of a counter over all its labels, and how many labels there are.
fn sum(value: &DimensionValue) -> (u64, usize) {
    match value {
        DimensionValue::Breakdown(entries) => {
            (entries.iter().filter_map(|entry| entry.value.as_u64()).sum(), entries.len())
        }
        value => (value.as_u64().unwrap_or_default(), 1),
    }
}

#[test]
fn fc2_labels_beyond_the_limit_share_other_and_totals_stay_right() {
    let (runtime, facade) = facade(|options| options.limit(3));
    with(&facade, || {
        for round in 0..2 {
            for user in 0..1_000 {
                counter!("calls", "user" => format!("{user:04}")).increment(1);
                gauge!("level", "user" => format!("{user:04}")).increment(1.0);
                histogram!("size", "user" => format!("{user:04}")).record(round);
            }
        }
    });
    assert_eq!(json(&runtime, "calls"), r#"{"0000":2,"0001":2,"0002":2,"other":1994}"#);
    assert_eq!(json(&runtime, "level"), r#"{"0000":2.0,"0001":2.0,"0002":2.0,"other":1994.0}"#);
    let counts = lines(&runtime, "size_count");
    assert_eq!(counts.last().map(String::as_str), Some(r#"size_count{namespace="shop",user="other"} 1994"#));
    assert_eq!(problem(&runtime, "lost_labels"), 0);
    runtime.shutdown().expect("it stops");
}

#[test]
fn fc2_a_label_called_other_and_a_text_that_is_too_long_count_for_other() {
    let (runtime, facade) = facade(|options| options);
    with(&facade, || {
        counter!("calls", "user" => "a").increment(1);
        counter!("calls", "user" => "other").increment(10);
        counter!("calls", "user" => "x".repeat(10_000)).increment(100);
        counter!("calls", "user" => "y".repeat(257)).increment(1_000);
        counter!("calls", "user" => "z".repeat(256)).increment(1);
    });
    let expected = format!(r#"{{"a":1,"{}":1,"other":1110}}"#, "z".repeat(256));
    assert_eq!(json(&runtime, "calls"), expected);
    runtime.shutdown().expect("it stops");
}

#[test]
fn fc2_labels_in_any_order_are_one_series_and_an_empty_text_is_no_label() {
    let (runtime, facade) = facade(|options| options);
    with(&facade, || {
        counter!("calls", "a" => "1", "b" => "2", "c" => "3").increment(1);
        counter!("calls", "c" => "3", "a" => "1", "b" => "2").increment(1);
        counter!("calls", "b" => "", "a" => "1").increment(1);
        counter!("calls", "a" => "1").increment(1);
        counter!("calls", "a" => "1", "c" => "", "b" => "").increment(1);
    });
    assert_eq!(json(&runtime, "calls"), r#"{"1":{"":{"":3},"2":{"3":2}}}"#);
    assert_eq!(problem(&runtime, "lost_labels"), 0);
    runtime.shutdown().expect("it stops");
}

#[test]
fn fc2_a_label_after_the_first_reading_is_lost_counted_and_logged_once() {
    capture::install();
    let (runtime, facade) = facade(|options| options);
    with(&facade, || {
        counter!("lg.late", "method" => "GET").increment(1);
        // Before the first reading further labels are taken up.
        counter!("lg.late", "method" => "GET", "code" => "200").increment(1);
        assert_eq!(json(&runtime, "lg.late"), r#"{"":{"GET":1},"200":{"GET":1}}"#);
        for host in ["a", "b", "c"] {
            counter!("lg.late", "method" => "GET", "host" => host).increment(10);
        }
        counter!("lg.late", "code" => "200").increment(100);
    });
    assert_eq!(json(&runtime, "lg.late"), r#"{"":{"GET":31},"200":{"":100,"GET":1}}"#);
    assert_eq!(problem(&runtime, "lost_labels"), 3);
    let logged = capture::matching(|logged| logged.field("metric") == "lg.late");
    let lines: Vec<_> = logged.iter().map(|line| (line.field("event"), line.field("label"))).collect();
    assert_eq!(lines, [("metrics_facade.label_lost", "host")]);
    assert!(logged[0].field("message").contains("FacadeBuilder::labels"), "{logged:?}");
    runtime.shutdown().expect("it stops");
}

#[test]
fn fc2_the_line_about_a_lost_label_is_short_however_long_the_label_is() {
    capture::install();
    let (runtime, facade) = facade(|options| options);
    with(&facade, || counter!("lg.long_label", "ä".repeat(100_000) => "1").increment(1));
    let logged = capture::matching(|logged| logged.field("metric") == "lg.long_label");
    let labels: Vec<_> = logged.iter().map(|line| line.field("label").to_owned()).collect();
    assert_eq!(labels, ["ä".repeat(128)]);
    runtime.shutdown().expect("it stops");
}

#[test]
fn fc2_labels_that_the_builder_names_are_there_whenever_they_come() {
    let (runtime, facade) = facade(|options| options.labels("calls", ["method", "code"]));
    with(&facade, || {
        counter!("calls").increment(1);
        assert_eq!(json(&runtime, "calls"), r#"{"":{"":1}}"#);
        counter!("calls", "code" => "200", "method" => "GET").increment(1);
        counter!("calls", "code" => "200", "host" => "a").increment(1);
    });
    assert_eq!(json(&runtime, "calls"), r#"{"":{"":1,"200":1},"GET":{"200":1}}"#);
    assert_eq!(problem(&runtime, "lost_labels"), 1);
    assert_eq!(
        lines(&runtime, "calls"),
        [
            r#"calls_total{namespace="shop",method="",code=""} 1"#,
            r#"calls_total{namespace="shop",method="",code="200"} 1"#,
            r#"calls_total{namespace="shop",method="GET",code="200"} 1"#
        ]
    );
    runtime.shutdown().expect("it stops");
}

#[test]
fn fc2_hostile_labels_have_names_of_their_own_or_are_counted() {
    let (runtime, facade) = facade(|options| options);
    with(&facade, || {
        counter!("reserved", "namespace" => "n", "entity_id" => "e", "le" => "1", "__name__" => "x", "" => "y").increment(1);
        counter!("twice", "a" => "1", "a" => "2").increment(1);
        counter!("twice", "a" => "2", "a" => "1").increment(1);
        counter!("long", "k".repeat(10_000) => "1").increment(1);
        counter!("long").increment(1);
        let many: Vec<(String, String)> =
            (0..100).map(|label| (format!("l{label:03}"), "v".to_owned())).collect();
        counter!("many", &many).increment(1);
    });
    let reserved = lines(&runtime, "reserved");
    assert_eq!(reserved.len(), 1);
    for label in
        ["exported_namespace=\"n\"", "entity_id=\"e\"", "exported_le=\"1\"", "exported___name__=\"x\""]
    {
        assert!(reserved[0].contains(label), "{reserved:?}");
    }
    assert_eq!(json(&runtime, "twice"), r#"{"2":2}"#);
    assert_eq!(json(&runtime, "long"), "2");
    assert_eq!(metric(&runtime, "many").and_then(|many| many.get("").map(sum)), Some((1, 1)));
    let labels = metric(&runtime, "many")
        .expect("it is there")
        .declaration()
        .map(|many| many.dimensions[0].labels.len());
    assert_eq!(labels, Some(32));
    assert_eq!(problem(&runtime, "lost_labels"), 4);
    let totals = totals(&runtime);
    assert_eq!(totals.left_out, []);
    let json = serde_json::to_string(&totals).expect("it is written");
    assert_eq!(serde_json::from_str::<Totals>(&json).expect("it is read back"), totals);
    runtime.shutdown().expect("it stops");
}

#[test]
fn fc2_names_beyond_the_limit_are_refused_counted_and_logged_once() {
    capture::install();
    let (runtime, facade) = facade(|options| options.max_names(50));
    with(&facade, || {
        for name in 0..10_000 {
            counter!(format!("lg.name.{name}"), "label" => "x").increment(1);
        }
        counter!("lg.name.7", "label" => "x").increment(1);
        counter!(format!("lg.{}", "ä".repeat(5_000))).increment(1);
        gauge!("lg.refused").set(1);
        histogram!("lg.refused").record(1);
    });
    let all = totals(&runtime);
    let shown: Vec<_> =
        all.groups[0].metrics.iter().filter(|metric| metric.name.starts_with("lg.name")).collect();
    assert_eq!(shown.len(), 50);
    assert_eq!(shown.iter().filter_map(|metric| metric.get("")).map(|value| sum(value).0).sum::<u64>(), 51);
    assert_eq!(problem(&runtime, "refused_names"), 9_950 + 3);
    let logged = capture::matching(|logged| logged.field("event") == "metrics_facade.name_refused");
    assert_eq!(logged.iter().filter(|line| line.field("metric") == "lg.name.50").count(), 1);
    assert_eq!(logged.iter().filter(|line| line.field("metric") == "lg.refused").count(), 0);
    runtime.shutdown().expect("it stops");
}

#[test]
fn fc2_one_name_of_several_kinds_is_shown_for_each_and_logged() {
    capture::install();
    let (runtime, facade) = facade(|options| options);
    with(&facade, || {
        counter!("lg.both").increment(1);
        gauge!("lg.both").set(2.5);
        gauge!("lg.both").set(3.5);
        histogram!("lg.both").record(4.0);
        // The recorder's own metric has this name.
        counter!("facade").increment(5);
    });
    assert_eq!((&*json(&runtime, "lg.both"), &*json(&runtime, "lg.both.gauge")), ("1", "3.5"));
    assert!(json(&runtime, "lg.both.histogram").starts_with(r#"{"count":1,"sum":4.0"#));
    assert_eq!(json(&runtime, "facade.counter"), "5");
    assert_eq!(problem(&runtime, "renamed_metrics"), 3);
    let logged = capture::matching(|logged| logged.field("metric") == "lg.both");
    let mut shown_as: Vec<_> = logged.iter().map(|line| line.field("shown_as")).collect();
    shown_as.sort_unstable();
    assert_eq!(shown_as, ["lg.both.gauge", "lg.both.histogram"]);
    assert_eq!(lines(&runtime, "lg_both_gauge"), [r#"lg_both_gauge{namespace="shop"} 3.5"#]);
    runtime.shutdown().expect("it stops");
}

#[test]
fn fc2_options_out_of_range_are_errors_that_name_the_option() {
    let runtime = running_runtime("shop");
    let names = || (0..33).map(|label| format!("l{label}"));
    let cases: [(FacadeBuilder, &str); 9] = [
        (FacadeRecorder::builder().limit(0), "`limit` must be 1 to 65536, and is 0"),
        (FacadeRecorder::builder().limit(65_537), "`limit` must be 1 to 65536, and is 65537"),
        (FacadeRecorder::builder().max_names(4_001), "`max_names` must be 1 to 4000, and is 4001"),
        (FacadeRecorder::builder().labels("calls", names()), "`labels` of `calls` are 33, and may be 32"),
        (
            FacadeRecorder::builder().labels("calls", ["a", "a"]),
            "`labels` of `calls` has `a` twice, or it is too long",
        ),
        (FacadeRecorder::builder().buckets("size", []), "`buckets` of `size` must be"),
        (FacadeRecorder::builder().buckets("size", [1.0, f64::NAN]), "`buckets` of `size` must be"),
        (FacadeRecorder::builder().buckets("size", [1.0, 1.0]), "`buckets` of `size` must be"),
        (FacadeRecorder::builder().buckets("size", [1.0, f64::INFINITY]), "`buckets` of `size` must be"),
    ];
    for (options, expected) in cases {
        let error = options.build(&runtime).expect_err("it is out of range");
        assert!(error.to_string().starts_with(expected), "{error} is not {expected}");
        assert_eq!(error.reason(), "INVALID_OPTION");
    }
    assert_eq!(runtime.list_recorder_ids().expect("it runs"), Vec::<String>::new());
    runtime.shutdown().expect("it stops");
}
