//! FC1: what the macros record, in totals, texts and JSON, alone and merged.

use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use mvx_metrics::export::Format;
use mvx_metrics::{Counter, DimensionKind, DimensionValue, Metric, Scope, Totals, metric_event};
use mvx_metrics_facade::FacadeRecorder;

use mvx_metrics_tests::messages;

use crate::fixtures::{facade, json, lines, metric, text, totals, with};

/// What a library records.
fn record() {
    describe_counter!("http_requests", "Requests.");
    describe_histogram!("http_request_duration", Unit::Seconds, "How long requests take.");
    describe_gauge!("open_files", Unit::Count, "Open files.");
    counter!("http_requests", "method" => "GET").increment(2);
    counter!("http_requests", "method" => "PUT").increment(1);
    counter!("restarts").absolute(7);
    gauge!("open_files", "kind" => "log").set(5.5);
    gauge!("open_files", "kind" => "log").decrement(0.5);
    gauge!("open_files", "kind" => "log").increment(2);
    for millis in [1, 2, 4, 800] {
        histogram!("http_request_duration", "method" => "GET").record(Duration::from_millis(millis));
    }
    histogram!("batch").record_many(3.0, 1_000);
}

#[test]
fn fc1_counters_gauges_and_histograms_are_in_the_text() {
    let (runtime, facade) = facade(|options| options.buckets("batch", [1.0, 5.0]));
    with(&facade, record);
    assert_eq!(
        lines(&runtime, "http_requests"),
        [
            r#"http_requests_total{namespace="shop",method="GET"} 2"#,
            r#"http_requests_total{namespace="shop",method="PUT"} 1"#
        ]
    );
    assert_eq!(lines(&runtime, "restarts"), [r#"restarts_total{namespace="shop"} 7"#]);
    assert_eq!(lines(&runtime, "open_files"), [r#"open_files{namespace="shop",kind="log"} 7.0"#]);
    assert_eq!(
        lines(&runtime, "batch"),
        [
            r#"batch_bucket{namespace="shop",le="1.0"} 0"#,
            r#"batch_bucket{namespace="shop",le="5.0"} 1000"#,
            r#"batch_bucket{namespace="shop",le="+Inf"} 1000"#,
            r#"batch_count{namespace="shop"} 1000"#,
            r#"batch_sum{namespace="shop"} 3000.0"#
        ]
    );
    let duration = lines(&runtime, "http_request_duration_seconds_count");
    assert_eq!(duration, [r#"http_request_duration_seconds_count{namespace="shop",method="GET"} 4"#]);
    assert_eq!(lines(&runtime, "# HELP http_requests"), ["# HELP http_requests_total Requests."]);
    assert_eq!(lines(&runtime, "# TYPE http_requests"), ["# TYPE http_requests_total counter"]);
    assert_eq!(lines(&runtime, "# HELP restarts"), ["# HELP restarts_total The metric restarts."]);
    let openmetrics = runtime.exposition(Scope::PerEntity, Format::OpenMetrics).expect("it is rendered").text;
    let series = r#"http_requests_total{namespace="shop",entity_id="facade",method="GET"} 2"#;
    assert!(openmetrics.contains(series), "{openmetrics}");
    assert!(openmetrics.contains("# UNIT http_request_duration_seconds seconds"), "{openmetrics}");
    let exposition = runtime.exposition(Scope::Rollup, Format::Protobuf).expect("it is rendered");
    let families = messages::decode(exposition.as_bytes());
    let duration = families.iter().find(|family| family.name() == "http_request_duration_seconds");
    let histogram = duration.and_then(|family| family.metric[0].histogram.clone()).expect("a histogram");
    assert_eq!((histogram.sample_count(), histogram.sample_sum()), (4, 0.807));
    runtime.shutdown().expect("it stops");
}

#[test]
fn fc1_counters_gauges_and_histograms_are_in_totals_and_json() {
    let (runtime, facade) = facade(|options| options);
    with(&facade, record);
    assert_eq!(json(&runtime, "http_requests"), r#"{"GET":2,"PUT":1}"#);
    assert_eq!(json(&runtime, "restarts"), "7");
    assert_eq!(json(&runtime, "open_files"), r#"{"log":7.0}"#);
    let Some(DimensionValue::Histogram(batch)) =
        metric(&runtime, "batch").and_then(|batch| batch.get("").cloned())
    else {
        panic!("no histogram");
    };
    assert_eq!((batch.count, batch.sum.as_f64(), batch.quantile(0.5)), (1_000, 3_000.0, Some(3.0)));
    let descriptor = metric(&runtime, "http_request_duration").expect("it is shown");
    let descriptor = descriptor.declaration().expect("it is declared");
    let duration = &descriptor.dimensions[0];
    assert_eq!((&*descriptor.help, duration.kind), ("How long requests take.", DimensionKind::Histogram));
    assert_eq!((duration.unit.as_deref(), duration.limit), (Some("seconds"), Some(1_000)));

    for scope in [Scope::Rollup, Scope::PerEntity] {
        let totals = runtime.totals(scope).expect("totals are read");
        assert_eq!(totals.left_out, []);
        let written = serde_json::to_string(&totals).expect("it is written");
        assert_eq!(serde_json::from_str::<Totals>(&written).expect("it is read back"), totals);
        let written = rmp_serde::to_vec_named(&totals).expect("it is written");
        assert_eq!(rmp_serde::from_slice::<Totals>(&written).expect("it is read back"), totals);
    }
    runtime.shutdown().expect("it stops");
}

#[test]
fn fc1_totals_of_two_processes_merge() {
    // The second process uses the labels in another order, and has a series of its own.
    let processes = [["a", "b"], ["b", "a"]].map(|[first, second]| {
        let (runtime, facade) = facade(|options| options);
        with(&facade, || {
            record();
            counter!("jobs", first => "1", second => "1").increment(5);
            counter!("jobs", "a" => "1", "b" => first).increment(1);
        });
        let totals = totals(&runtime);
        runtime.shutdown().expect("it stops");
        serde_json::to_string(&totals).expect("it is written")
    });
    let [mut merged, other] =
        processes.map(|json| serde_json::from_str::<Totals>(&json).expect("it is read back"));
    merged.merge(&other).expect("both declare the same");
    assert_eq!(merged.left_out, []);
    let value = |name: &str| {
        let value = merged.groups[0].metrics.get(name).and_then(|metric| metric.get(""));
        serde_json::to_string(value.expect("it is there")).expect("it is written")
    };
    assert_eq!(value("jobs"), r#"{"1":{"1":10,"a":1,"b":1}}"#);
    assert_eq!(value("http_requests"), r#"{"GET":4,"PUT":2}"#);
    assert_eq!(value("open_files"), r#"{"log":14.0}"#);
    assert!(value("http_request_duration").starts_with(r#"{"GET":{"count":8,"sum":1.614,"#));
}

#[test]
fn fc1_totals_with_other_labels_merge_to_the_labels_of_both() {
    let process = |labels: &[&str], late: bool| {
        let (runtime, facade) = facade(|options| match labels {
            [] => options.limit(2),
            labels => options.labels("jobs", labels.iter().copied()),
        });
        with(&facade, || {
            counter!("fine").increment(1);
            counter!("jobs", "a" => "1").increment(1);
            if late {
                // This process is read before its second label comes.
                totals(&runtime);
            }
            counter!("jobs", "a" => "1", "b" => "2").increment(1);
        });
        let totals = totals(&runtime);
        runtime.shutdown().expect("it stops");
        totals
    };
    let jobs = |totals: &Totals| {
        let jobs = totals.groups[0].metrics.get("jobs").and_then(|jobs| jobs.get(""));
        serde_json::to_string(&jobs).expect("it is written")
    };
    let (two_labels, one_label) = (process(&[], false), process(&[], true));
    assert_eq!((&*jobs(&two_labels), &*jobs(&one_label)), (r#"{"1":{"":1,"2":1}}"#, r#"{"1":2}"#));
    for [first, second] in [[&two_labels, &one_label], [&one_label, &two_labels]] {
        let mut merged = first.clone();
        merged.merge(second).expect("the labels of both");
        assert_eq!(jobs(&merged), r#"{"1":{"":3,"2":1}}"#);
        let json = serde_json::to_string(&merged).expect("it is written");
        let mut read: Totals = serde_json::from_str(&json).expect("it is read back");
        assert_eq!(read, merged);
        read.merge(&merged).expect("merged totals merge");
        assert_eq!(jobs(&read), r#"{"1":{"":6,"2":2}}"#);
    }
    let (runtime, facade) = facade(|options| options);
    with(&facade, || counter!("jobs").increment(5));
    let mut merged = totals(&runtime);
    runtime.shutdown().expect("it stops");
    merged.merge(&one_label).expect("a metric without labels");
    assert_eq!(jobs(&merged), r#"{"":5,"1":2}"#);

    let mut merged = process(&["a", "b"], false);
    merged.merge(&process(&["a", "b"], true)).expect("both declare the same");
    assert_eq!(jobs(&merged), r#"{"1":{"":2,"2":2}}"#);
}

#[test]
fn fc1_of_two_metrics_with_one_name_in_a_text_totals_have_both() {
    #[metric_event]
    struct Ordered;

    #[derive(Metric, Default)]
    #[metric(name = "shop", on(Ordered))]
    struct Shop {
        orders: Counter,
    }

    for facade_is_first in [true, false] {
        let runtime = mvx_metrics_tests::running_runtime("shop");
        let build = || FacadeRecorder::builder().build(&runtime).expect("a new id");
        let first = facade_is_first.then(build);
        let recorder = runtime.create_recorder("shop").expect("a new id");
        let shop = recorder.metric::<Shop>().expect("it is registered");
        let facade = first.unwrap_or_else(build);
        with(&facade, || counter!("shop_orders_total").increment(5));
        recorder.emit(Ordered);
        assert_eq!(shop.snapshot().expect("it is read").orders, 1);
        let shown = if facade_is_first { 5 } else { 1 };
        assert_eq!(
            lines(&runtime, "shop_orders"),
            [format!(r#"shop_orders_total{{namespace="shop"}} {shown}"#)]
        );
        let left_out = lines(&runtime, "mvx_metrics_dimensions_left_out");
        assert_eq!(left_out, [r#"mvx_metrics_dimensions_left_out{namespace="shop"} 1"#]);
        assert_eq!(json(&runtime, "shop_orders_total"), "5");
        let own = metric(&runtime, "shop").and_then(|shop| shop.get("orders")?.as_u64());
        assert_eq!(own, Some(1));
        runtime.shutdown().expect("it stops");
    }
}

#[test]
fn fc1_numbers_stay_as_they_are_whatever_the_unit() {
    let (runtime, facade) = facade(|options| options);
    with(&facade, || {
        describe_histogram!("wait", Unit::Milliseconds, "A time in milliseconds.");
        histogram!("wait").record(250.0);
        describe_gauge!("load", Unit::Percent, "Load.");
        gauge!("load").set(99.5);
        describe_counter!("read_bytes_total", Unit::Bytes, "Bytes.");
        counter!("read_bytes_total").increment(3);
    });
    assert_eq!(
        lines(&runtime, "wait_milliseconds_sum"),
        [r#"wait_milliseconds_sum{namespace="shop"} 250.0"#]
    );
    assert_eq!(lines(&runtime, "load"), [r#"load_percent{namespace="shop"} 99.5"#]);
    assert_eq!(lines(&runtime, "read"), [r#"read_bytes_total{namespace="shop"} 3"#]);
    runtime.shutdown().expect("it stops");
}

#[test]
fn fc1_names_with_dots_suffixes_and_odd_characters_make_one_series_each() {
    let (runtime, facade) = facade(|options| options);
    with(&facade, || {
        for name in ["requests_total", "cache.hits", "9 lives", "größe", "", " "] {
            counter!(name).increment(1);
        }
        gauge!("threads_total").set(4);
    });
    for series in ["requests_total", "cache_hits_total", "_9_lives_total", "gr__e_total", "threads"] {
        assert_eq!(lines(&runtime, &format!("{series}{{")).len(), 1, "{series}");
    }
    // Both names are blank.
    assert_eq!(lines(&runtime, "unnamed"), [r#"unnamed_total{namespace="shop"} 2"#]);
    runtime.shutdown().expect("it stops");
}

#[test]
fn fc1_values_that_are_not_finite_are_counted_as_invalid() {
    let (runtime, facade) = facade(|options| options);
    with(&facade, || {
        gauge!("level", "tank" => "a").set(f64::NAN);
        gauge!("level", "tank" => "b").increment(f64::INFINITY);
        gauge!("level", "tank" => "b").set(1);
        histogram!("size").record(f64::NEG_INFINITY);
        histogram!("size").record_many(f64::NAN, 100);
        histogram!("endless").record_many(1.0, usize::MAX);
    });
    assert_eq!(metric(&runtime, "level").map(|level| level.invalid), Some(2));
    assert_eq!(json(&runtime, "level"), r#"{"a":0.0,"b":1.0}"#);
    assert_eq!(metric(&runtime, "size").map(|size| size.invalid), Some(101));
    assert_eq!(lines(&runtime, "endless_count"), [r#"endless_count{namespace="shop"} 18446744073709551615"#]);
    assert!(!text(&runtime).contains("NaN"));
    runtime.shutdown().expect("it stops");
}

#[test]
fn fc1_a_handle_without_a_value_shows_zero_and_a_description_alone_shows_nothing() {
    let (runtime, facade) = facade(|options| options);
    with(&facade, || {
        let _ = (counter!("calls"), gauge!("level"), histogram!("size"));
        describe_counter!("never", "Never used.");
    });
    assert_eq!((&*json(&runtime, "calls"), &*json(&runtime, "level")), ("0", "0.0"));
    assert!(json(&runtime, "size").starts_with(r#"{"count":0,"#));
    assert_eq!(metric(&runtime, "never"), None);
    runtime.shutdown().expect("it stops");
}
