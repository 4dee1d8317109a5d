//! Covers ED6: means whose sums never fall are summaries, and the others are gauges.

use std::time::Duration;

use mvx_metrics::export::{ExpositionOptions, Format};
use mvx_metrics::{Breakdown, Mean, Metric, metric_event};

use crate::fixtures::{FORMATS, Outcome, SCOPES, assert_grouped, running, value};

#[metric_event]
struct Called {
    outcome: Outcome,
    path: &'static str,
    elapsed: Duration,
    bytes: u64,
    balance: i64,
    ratio: f64,
}

#[derive(Metric, Default)]
#[metric(on(Called))]
struct Calls {
    #[dimension(value = bytes, unit = bytes)]
    size: Mean<u64>,
    #[dimension(value = elapsed)]
    duration: Mean<Duration>,
    #[dimension(value = balance)]
    balance: Mean<i64>,
    #[dimension(value = ratio)]
    ratio: Mean<f64>,
    #[dimension(by = outcome, value = elapsed)]
    by_outcome: Breakdown<Outcome, Mean<Duration>>,
    #[dimension(by = path, value = bytes, limit = 8)]
    by_path: Breakdown<&'static str, Mean<u64>>,
    #[dimension(by = outcome, value = ratio)]
    ratio_by: Breakdown<Outcome, Mean<f64>>,
}

fn called(millis: u64, bytes: u64) -> Called {
    Called {
        outcome: Outcome::Success,
        path: "/",
        elapsed: Duration::from_millis(millis),
        bytes,
        balance: -4,
        ratio: -0.5,
    }
}

/// The families of means, each with its type.
const TYPES: [(&str, &str); 7] = [
    ("calls_size_bytes", "summary"),
    ("calls_duration_seconds", "summary"),
    ("calls_balance", "gauge"),
    ("calls_ratio", "gauge"),
    ("calls_by_outcome_seconds", "summary"),
    ("calls_by_path", "summary"),
    ("calls_ratio_by", "gauge"),
];

#[test]
fn ed6_a_mean_that_cannot_fall_is_a_summary_without_quantiles() {
    let runtime = running("shop");
    let recorder = runtime.create_recorder("one").expect("the id is free");
    recorder.metric::<Calls>().expect("the recorder runs");
    recorder.emit(called(250, 700));
    recorder.emit(called(500, 40));
    for (scope, format) in SCOPES.iter().flat_map(|scope| FORMATS.map(|format| (*scope, format))) {
        let options = ExpositionOptions::new().scope(scope).format(format).entity_id_label(None);
        let text = runtime.exposition_with(&options).expect("the runtime runs").text;
        assert_grouped(&text);
        for (name, family_type) in TYPES {
            assert!(text.contains(&format!("# TYPE {name} {family_type}\n")), "{name} in\n{text}");
            let suffixes: Vec<&str> = (text.lines())
                .filter_map(|line| line.strip_prefix(name)?.split_once('{').map(|(suffix, _)| suffix))
                .filter(|suffix| suffix.is_empty() || ["_sum", "_count", "_created"].contains(suffix))
                .collect();
            let expected: &[&str] = match (family_type, format) {
                ("gauge", _) => &[""],
                (_, Format::OpenMetrics) => &["_count", "_sum", "_created"],
                _ => &["_count", "_sum"],
            };
            // A label that is known by type stands at 0, but a gauge without a value has no series.
            let series =
                if name == "calls_by_outcome_seconds" { expected.repeat(2) } else { expected.to_vec() };
            assert_eq!(suffixes, series, "{name} in\n{text}");
        }
        assert!(!text.contains("quantile"), "{text}");
        let of = |series: &str| value(&text, series).to_string();
        assert_eq!(of("calls_size_bytes_sum{namespace=\"shop\"}"), "740");
        assert_eq!(of("calls_size_bytes_count{namespace=\"shop\"}"), "2");
        assert_eq!(of("calls_duration_seconds_sum{namespace=\"shop\"}"), "0.75");
        assert_eq!(of("calls_by_outcome_seconds_sum{namespace=\"shop\",outcome=\"success\"}"), "0.75");
        assert_eq!(of("calls_by_path_count{namespace=\"shop\",path=\"/\"}"), "2");
        assert_eq!(of("calls_balance{namespace=\"shop\"}"), "-4");
        assert_eq!(of("calls_ratio_by{namespace=\"shop\",outcome=\"success\"}"), "-0.5");
    }
}

#[test]
fn ed6_a_summary_stands_at_zero_before_the_first_value() {
    let runtime = running("shop");
    let recorder = runtime.create_recorder("one").expect("the id is free");
    recorder.metric::<Calls>().expect("the recorder runs");
    for format in FORMATS {
        let options = ExpositionOptions::new().format(format);
        let text = runtime.exposition_with(&options).expect("the runtime runs").text;
        for series in [
            "calls_size_bytes_sum{namespace=\"shop\"}",
            "calls_size_bytes_count{namespace=\"shop\"}",
            "calls_duration_seconds_sum{namespace=\"shop\"}",
            "calls_by_outcome_seconds_sum{namespace=\"shop\",outcome=\"failure\"}",
            "calls_by_outcome_seconds_count{namespace=\"shop\",outcome=\"success\"}",
        ] {
            assert_eq!(value(&text, series).to_string(), "0", "{series}");
        }
        assert!(!text.contains("\ncalls_balance") && !text.contains("\ncalls_by_path"), "{text}");
    }
}

#[test]
fn ed6_sum_and_count_give_the_mean_of_an_interval_also_when_recorders_are_removed() {
    let runtime = running("shop");
    let scrape = || {
        let text = runtime.exposition_with(&ExpositionOptions::new()).expect("the runtime runs").text;
        let of = |suffix| value(&text, &format!("calls_duration_seconds_{suffix}{{namespace=\"shop\"}}"));
        (of("sum"), of("count"))
    };
    for id in ["one", "two"] {
        let recorder = runtime.create_recorder(id).expect("the id is free");
        recorder.metric::<Calls>().expect("the recorder runs");
        recorder.emit(called(10_000, 1));
    }
    let (sum, count) = scrape();
    for (id, millis) in [("one", [125, 375]), ("two", [250, 250])] {
        let recorder = runtime.get_recorder(id).expect("it is there");
        for millis in millis {
            recorder.emit(called(millis, 1));
        }
    }
    runtime.stop_and_remove_recorder("one").expect("it stops");
    let (later_sum, later_count) = scrape();
    assert_eq!(((later_sum - sum) / (later_count - count)).to_string(), "0.25");
}
