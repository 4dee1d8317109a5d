//! Covers continuity: no series falls or changes its meaning when recorders come, go, or cannot be read.

use std::time::Duration;

use mvx_metrics::export::{Exposition, Format, Scope};
use mvx_metrics::{Counter, Histogram, Metric, MetricsRecorder, MetricsRuntime, metric_event};
use mvx_metrics_tests::{Gate, Gated, Step, eventually};

use crate::fixtures::{Outcome, finished, recorder, running, value};

fn rollup(runtime: &MetricsRuntime) -> Exposition {
    runtime.exposition(Scope::Rollup, Format::OpenMetrics).expect("the runtime runs")
}

#[metric_event]
struct Done(u64);

#[derive(Metric, Default)]
#[metric(name = "jobs.done", on(Done))]
struct First {
    total: Counter,
    #[dimension(value = |e| e.0, buckets = [1, 2])]
    size: Histogram<u64>,
}

#[derive(Metric, Default)]
#[metric(name = "jobs", on(Done))]
struct SameName {
    done_total: Counter,
}

#[derive(Metric, Default)]
#[metric(name = "jobs.done", on(Done))]
struct OtherBuckets {
    #[dimension(value = |e| e.0, buckets = [10, 20])]
    size: Histogram<u64>,
}

fn with<M: Metric>(runtime: &MetricsRuntime, id: &str, metric: M, events: u64) -> MetricsRecorder {
    let recorder = runtime.create_recorder(id).expect("the id is free");
    recorder.register_metric(metric).expect("the recorder runs");
    (0..events).for_each(|number| recorder.emit(Done(number)));
    recorder
}

#[test]
fn a_name_keeps_its_meaning_when_any_recorder_is_removed() {
    let runtime = running("shop");
    with(&runtime, "first", First::default(), 50);
    with(&runtime, "same name", SameName::default(), 3);
    with(&runtime, "other buckets", OtherBuckets::default(), 7);
    let check = |after: &str| {
        let Exposition { text, skipped, .. } = rollup(&runtime);
        let mut skipped: Vec<_> = skipped.iter().map(|left| (&*left.metric, &*left.dimension)).collect();
        skipped.sort_unstable();
        assert_eq!(skipped, [("jobs", "done_total"), ("jobs.done", "size")], "after {after}");
        assert_eq!(value(&text, "jobs_done_total{namespace=\"shop\"}").to_string(), "50", "after {after}");
        assert_eq!(
            value(&text, "jobs_done_size_count{namespace=\"shop\"}").to_string(),
            "50",
            "after {after}"
        );
    };
    check("the start");
    for id in ["same name", "other buckets", "first"] {
        runtime.stop_and_remove_recorder(id).expect("it stops");
        check(id);
    }
}

#[test]
fn no_counter_falls_while_a_handler_does_not_return() {
    let builder = MetricsRuntime::builder("shop").shutdown_timeout(Duration::from_millis(50));
    let runtime = builder.build().expect("valid choices");
    runtime.start().expect("a thread can be started");
    let others = recorder(&runtime, "other");
    let stuck = recorder(&runtime, "stuck");
    let gate = Gate::new();
    stuck.register_metric(Gated(gate.clone())).expect("the recorder runs");
    let emit = |recorder: &MetricsRecorder, count| {
        (0..count).for_each(|_| recorder.emit(finished(Outcome::Success, 100)));
    };
    let series = |name: &str| {
        let text = rollup(&runtime).text;
        value(&text, &format!("service_requests_{name}")).to_string()
    };
    let check = |total: &str| {
        assert_eq!(series("total{namespace=\"shop\"}"), total);
        assert_eq!(series("by_outcome_total{namespace=\"shop\",outcome=\"success\"}"), total);
        assert_eq!(series("size_bytes_count{namespace=\"shop\"}"), total);
        assert_eq!(series("size_bytes_bucket{namespace=\"shop\",le=\"100.0\"}"), total);
    };
    emit(&stuck, 100);
    emit(&others, 10);
    check("110");

    stuck.emit(Step(1));
    gate.wait_for_arrival();
    emit(&stuck, 50);
    check("110");
    assert!(rollup(&runtime).text.contains("mvx_metrics_recorders_stalled{namespace=\"shop\"} 1\n"));

    let removed = runtime.stop_and_remove_recorder("stuck").expect_err("its handler is stuck");
    assert_eq!(removed.reason(), "RECORDER_STOP_ERROR");
    check("110");
    gate.open();
    let complete = || series("total{namespace=\"shop\"}") == "160";
    eventually("the removed recorder counts", complete);
    check("160");
    let text = rollup(&runtime).text;
    assert!(text.contains("mvx_metrics_recorders_removed_total{namespace=\"shop\"} 1\n"), "{text}");
    assert!(text.contains("mvx_metrics_recorders_stalled{namespace=\"shop\"} 0\n"), "{text}");
    assert!(text.contains("mvx_metrics_events_processed_total{namespace=\"shop\"} 161\n"), "{text}");
}

#[derive(Metric, Default)]
#[metric(name = "jobs.sizes", on(Done))]
struct Sizes {
    #[dimension(value = |e| e.0)]
    size: Histogram<u64>,
}

#[test]
fn di6_all_entities_show_the_bounds_that_any_of_them_has_needed() {
    let runtime = running("sizes");
    let small = with(&runtime, "small", Sizes::default(), 0);
    small.emit(Done(3));
    let large = with(&runtime, "large", Sizes::default(), 0);
    large.emit(Done(30));
    let bounds_of = |entity: &str| -> Vec<String> {
        let text = runtime.exposition(Scope::PerEntity, Format::OpenMetrics).expect("the runtime runs").text;
        let start = format!("jobs_sizes_size_bucket{{namespace=\"sizes\",entity_id=\"{entity}\",le=\"");
        let bounds = text.lines().filter_map(|line| line.strip_prefix(&start)?.split('"').next());
        bounds.map(str::to_owned).collect()
    };
    let all = ["2.0", "4.0", "8.0", "16.0", "32.0", "+Inf"];
    assert_eq!(
        (bounds_of("small"), bounds_of("large")),
        (all.map(str::to_owned).into(), all.map(str::to_owned).into())
    );
    // The bounds stay when the entity that needed them is gone.
    runtime.stop_and_remove_recorder("large").expect("it stops");
    assert_eq!(bounds_of("small"), all);
}
