//! Covers totals while recorders come and go: ST9 for removed recorders and for ids that are taken again.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use mvx_metrics::export::{Format, Scope};
use mvx_metrics::{Breakdown, Gauge, Metric, metric_event};

use crate::fixtures::{Outcome, RequestStarted, finished, recorder, running, value};

const NAMESPACE: &str = "{namespace=\"shop\"}";

fn rollup(runtime: &mvx_metrics::MetricsRuntime) -> String {
    runtime.exposition(Scope::Rollup, Format::OpenMetrics).expect("the runtime runs").text
}

#[test]
fn counts_of_a_removed_recorder_stay_and_its_gauges_go() {
    let runtime = running("shop");
    let (one, other) = (recorder(&runtime, "one"), recorder(&runtime, "other"));
    one.emit(finished(Outcome::Success, 100));
    other.emit(RequestStarted);
    other.emit(finished(Outcome::Failure, 300));
    let before = rollup(&runtime);
    runtime.stop_and_remove_recorder("other").expect("it stops");
    let after = rollup(&runtime);
    for series in [
        "service_requests_total{namespace=\"shop\"}",
        "service_requests_by_outcome_total{namespace=\"shop\",outcome=\"failure\"}",
        "service_requests_balance_euros{namespace=\"shop\"}",
        "service_requests_fastest_seconds{namespace=\"shop\"}",
        "service_requests_slowest_seconds{namespace=\"shop\"}",
        "service_requests_mean_seconds_sum{namespace=\"shop\"}",
        "service_requests_mean_seconds_count{namespace=\"shop\"}",
        "service_requests_size_bytes_count{namespace=\"shop\"}",
        "service_requests_size_bytes_bucket{namespace=\"shop\",le=\"1000.0\"}",
        "service_requests_in_flight{namespace=\"shop\"}",
        "mvx_metrics_events_processed_total{namespace=\"shop\"}",
    ] {
        assert_eq!(value(&before, series).to_bits(), value(&after, series).to_bits(), "{series}");
    }
    assert_eq!(value(&before, &format!("service_requests_level{NAMESPACE}")).to_string(), "-2");
    assert_eq!(value(&after, &format!("service_requests_level{NAMESPACE}")).to_string(), "5");
    assert_eq!(value(&after, &format!("mvx_metrics_recorders_removed_total{NAMESPACE}")).to_string(), "1");
}

#[test]
fn a_recorder_with_the_id_of_a_removed_one_adds_to_its_counts() {
    let runtime = running("shop");
    for _ in 0..3 {
        recorder(&runtime, "connection").emit(finished(Outcome::Success, 1));
        runtime.stop_and_remove_recorder("connection").expect("it stops");
    }
    recorder(&runtime, "connection").emit(finished(Outcome::Success, 1));
    assert_eq!(value(&rollup(&runtime), &format!("service_requests_total{NAMESPACE}")).to_string(), "4");
}

#[test]
fn the_series_of_a_removed_entity_disappear_at_once() {
    let runtime = running("shop");
    recorder(&runtime, "one").emit(finished(Outcome::Success, 1));
    recorder(&runtime, "other").emit(finished(Outcome::Success, 1));
    runtime.stop_and_remove_recorder("other").expect("it stops");
    let text = runtime.exposition(Scope::PerEntity, Format::Prometheus).expect("the runtime runs").text;
    assert!(text.contains("entity_id=\"one\"") && !text.contains("entity_id=\"other\""), "{text}");
}

#[test]
fn labels_beyond_the_limit_are_other_and_the_total_is_exact() {
    let runtime = running("shop");
    let paths = ["/a", "/b", "/c", "/d", "/e", "/f"];
    for (number, path) in paths.iter().enumerate() {
        let id = format!("{number}");
        let recorder = recorder(&runtime, &id);
        for _ in 0..=number {
            let mut finished = finished(Outcome::Success, 1);
            finished.path = path;
            recorder.emit(finished);
        }
        if number % 2 == 0 {
            runtime.stop_and_remove_recorder(&id).expect("it stops");
        }
    }
    let text = rollup(&runtime);
    let sent: Vec<&str> =
        text.lines().filter(|line| line.starts_with("service_requests_sent_bytes_total")).collect();
    assert_eq!(sent.len(), 4, "three labels and other: {sent:#?}");
    let other = "service_requests_sent_bytes_total{namespace=\"shop\",outcome=\"other\",path=\"other\"}";
    let total: f64 = sent.iter().filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum();
    assert_eq!((total.to_string(), value(&text, other).to_string()), ("21".into(), "12".into()), "{sent:#?}");
}

#[test]
fn a_label_keeps_its_series_when_recorders_come_and_go() {
    let runtime = running("shop");
    let count = |id: &str, paths: &[&'static str], times: usize| {
        for path in paths {
            for _ in 0..times {
                let mut finished = finished(Outcome::Success, 1);
                finished.path = path;
                runtime.get_recorder(id).expect("it is there").emit(finished);
            }
        }
    };
    for id in ["one", "two", "three"] {
        recorder(&runtime, id);
    }
    let mut before = Vec::new();
    let mut scrape = |step: &str| {
        let text = rollup(&runtime);
        let now: Vec<_> =
            counters(&text).into_iter().filter(|(series, _)| series.contains("sent_bytes_total")).collect();
        for (series, value) in &before {
            let now = now.iter().find(|(other, _)| other == series).map(|(_, value)| *value);
            assert!(now >= Some(*value), "{step}: {series} fell from {value} to {now:?}");
        }
        before = now;
    };
    count("two", &["/d", "/e", "/f"], 1);
    scrape("the first labels");
    count("three", &["/g", "/h", "/i"], 3);
    scrape("labels beyond the limit");
    count("one", &["/a", "/b", "/c"], 1);
    scrape("labels of an older recorder");
    runtime.stop_and_remove_recorder("three").expect("it stops");
    scrape("a recorder beyond the limit is gone");
}

#[metric_event]
struct Sampled {
    host: &'static str,
    load: f64,
}

#[derive(Metric, Default)]
#[metric(on(Sampled))]
struct Load {
    #[dimension(by = host, set = load, limit = 1)]
    by_host: Breakdown<&'static str, Gauge<f64>>,
}

#[test]
fn the_gauge_of_a_removed_recorder_frees_its_label_slot() {
    let runtime = running("shop");
    for host in ["north", "south"] {
        let recorder = runtime.create_recorder(host).expect("the id is free");
        recorder.register_metric(Load::default()).expect("the recorder runs");
        recorder.emit(Sampled { host, load: 0.5 });
        let text = rollup(&runtime);
        let series = format!("load_by_host{{namespace=\"shop\",host=\"{host}\"}}");
        assert_eq!(value(&text, &series).to_string(), "0.5");
        runtime.stop_and_remove_recorder(host).expect("it stops");
    }
}

/// Ten thousand recorders come and go under load, while a scraper checks every exposition.
#[test]
fn no_counter_falls_under_load_and_the_final_totals_are_exact() {
    const THREADS: u64 = 2;
    const RECORDERS: u64 = 5_000;
    const EVENTS: u64 = 20;
    let runtime = running("shop");
    let (emitted, over) = (AtomicU64::new(0), AtomicBool::new(false));
    let scrapes = thread::scope(|scope| {
        let (runtime, emitted, over) = (&runtime, &emitted, &over);
        let scraper = scope.spawn(move || {
            let mut before = Vec::new();
            let mut scrapes = 0;
            while !over.load(Ordering::Acquire) {
                let least = emitted.load(Ordering::Acquire);
                let text = rollup(runtime);
                let counters = counters(&text);
                for (series, value) in &before {
                    let now = counters.iter().find(|(other, _)| other == series).map(|(_, value)| *value);
                    assert!(now >= Some(*value), "{series} fell from {value} to {now:?}");
                }
                let total = counters.iter().find(|(series, _)| series.starts_with("service_requests_total"));
                let total = total.map_or(0.0, |(_, value)| *value);
                #[expect(clippy::cast_precision_loss, reason = "the numbers are small")]
                let (least, most) = (least as f64, (THREADS * RECORDERS * EVENTS) as f64);
                assert!((least..=most).contains(&total), "{total} of at least {least}");
                before = counters;
                scrapes += 1;
            }
            scrapes
        });
        let churn = |thread: u64| {
            move || {
                for number in 0..RECORDERS {
                    let id = format!("{thread}-{number}");
                    let recorder = recorder(runtime, &id);
                    for event in 0..EVENTS {
                        recorder.emit(finished(Outcome::Success, event));
                    }
                    emitted.fetch_add(EVENTS, Ordering::Release);
                    if number % 10 != 0 {
                        runtime.stop_and_remove_recorder(&id).expect("it stops");
                    }
                }
                // The other recorders stay longer.
                for number in (0..RECORDERS).step_by(10) {
                    runtime.stop_and_remove_recorder(&format!("{thread}-{number}")).expect("it stops");
                }
            }
        };
        let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(churn(thread))).collect();
        let churned: Vec<_> = threads.into_iter().map(thread::ScopedJoinHandle::join).collect();
        over.store(true, Ordering::Release);
        for churned in churned {
            churned.expect("no thread panics");
        }
        scraper.join().expect("no counter falls")
    });
    let text = rollup(&runtime);
    let total = value(&text, &format!("service_requests_total{NAMESPACE}"));
    assert_eq!(total.to_string(), (THREADS * RECORDERS * EVENTS).to_string());
    assert_eq!(value(&text, &format!("mvx_metrics_recorders_removed_total{NAMESPACE}")).to_string(), "10000");
    assert_eq!(runtime.list_recorder_ids().expect("the runtime runs"), [""; 0]);
    println!("{scrapes} scrapes while {} recorders came and went", THREADS * RECORDERS);
}

/// All series that must not fall.
fn counters(text: &str) -> Vec<(String, f64)> {
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let samples = samples.filter_map(|line| line.rsplit_once(' '));
    let counters = samples.filter(|(series, _)| {
        let name = series.split('{').next().unwrap_or_default();
        ["_total", "_bucket", "_count", "_sum"].iter().any(|suffix| name.ends_with(suffix))
    });
    counters.map(|(series, value)| (series.to_owned(), value.parse().expect("a number"))).collect()
}
