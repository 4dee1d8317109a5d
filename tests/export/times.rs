//! Covers the times of snapshots, totals and text: ST16.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mvx_metrics::export::{ExpositionOptions, Format, Scope};
use mvx_metrics::{MetricSnapshot, MetricsRuntime, RuntimeSnapshot, Totals};
use mvx_metrics_tests::{Gate, GatedSnapshot, Steps, bounded};

use crate::everything::{Work, emit, replace, worker};
use crate::fixtures::running;
use crate::samples::{created_in, of_text};

const SCOPES: [Scope; 2] = [Scope::Rollup, Scope::PerEntity];

/// Waits until the clock shows another moment.
fn pass_a_moment() {
    let now = Instant::now();
    while now.elapsed() < Duration::from_micros(50) {}
}

fn totals_of(runtime: &MetricsRuntime, scope: Scope) -> Totals {
    runtime.totals(scope).expect("the runtime runs")
}

/// No time lies before its cause, or in the future.
fn assert_ordered(totals: &Totals, before: SystemTime) {
    // Times are in whole microseconds.
    let before = before - Duration::from_micros(1);
    let (started, taken) = (totals.started_at(), totals.taken_at());
    assert!(before <= started && started <= taken, "{before:?} {started:?} {taken:?}");
    assert!(taken <= SystemTime::now() + Duration::from_secs(1), "{taken:?}");
    for recorder in &totals.recorders {
        let created = recorder.created_at();
        assert!(started <= created && created <= taken, "{}: {created:?}", recorder.id);
        assert_eq!(Ok(totals.age(recorder)), taken.duration_since(created).map_err(|_| ()));
    }
    for metric in totals.groups.iter().flat_map(|group| &group.metrics) {
        let since = metric.counting_since().expect("a recorder took it");
        assert!(started <= since && since <= taken, "{}: {since:?}, {taken:?}", metric.name);
    }
}

/// Since when the metric `work` counts.
fn since(totals: &Totals, entity: Option<&str>) -> SystemTime {
    let group = totals.groups.iter().find(|group| group.entity_id.as_deref() == entity);
    let work = group.and_then(|group| group.metrics.get("work")).expect("there is such a metric");
    work.counting_since().expect("a recorder took it")
}

#[test]
fn st16_times_are_in_order_and_come_back_from_json() {
    let before = SystemTime::now();
    let runtime = running("shop");
    for id in ["one", "other"] {
        pass_a_moment();
        emit(&worker(&runtime, id), 3);
    }
    for scope in SCOPES {
        let totals = totals_of(&runtime, scope);
        assert_ordered(&totals, before);
        let json = serde_json::to_string(&totals).expect("totals serialise");
        let back: Totals = serde_json::from_str(&json).expect("totals are read back");
        assert_ordered(&back, before);
        assert_eq!((back.taken_at(), back.started_at()), (totals.taken_at(), totals.started_at()));
        for (one, other) in back.recorders.iter().zip(&totals.recorders) {
            assert_eq!(one.created_at(), other.created_at());
        }
    }
    let snapshot = runtime.snapshot().expect("the runtime runs");
    let json = serde_json::to_string(&snapshot).expect("a snapshot serialises");
    let back: RuntimeSnapshot = serde_json::from_str(&json).expect("a snapshot is read back");
    assert_eq!((back.taken_at(), back.started_at()), (snapshot.taken_at(), snapshot.started_at()));
    for recorder in &back.recorders {
        let work =
            recorder.metrics.get("work").and_then(MetricSnapshot::counting_since).expect("it is known");
        assert!(recorder.created_at() <= work && work <= back.taken_at(), "{work:?}");
    }
    assert!(snapshot.recorders[0].created_at() < snapshot.recorders[1].created_at());
}

/// A reader stands in the snapshot of the first recorder while a metric is registered with the second one.
#[test]
fn st16_a_metric_that_is_registered_during_a_read_counts_since_before_its_end() {
    bounded(|| {
        let before = SystemTime::now();
        for scope in SCOPES {
            let runtime = running("shop");
            let gate = Gate::new();
            let first = runtime.create_recorder("first").expect("the id is free");
            first.register_metric(GatedSnapshot(gate.clone())).expect("the recorder runs");
            let second = worker(&runtime, "second");
            std::thread::scope(|threads| {
                let reader = threads.spawn(|| totals_of(&runtime, scope));
                gate.wait_for_arrival();
                pass_a_moment();
                replace(&second, Work::default());
                second.register_metric(Steps::default()).expect("the recorder runs");
                pass_a_moment();
                gate.open();
                let totals = reader.join().expect("it reads");
                assert!(totals.groups.iter().any(|group| group.metrics.get("steps").is_some()));
                assert_ordered(&totals, before);
            });
        }
    });
}

#[test]
fn st16_a_replaced_metric_has_a_later_start_and_the_rollup_keeps_the_earlier_one() {
    let runtime = running("shop");
    let recorder = worker(&runtime, "one");
    emit(&recorder, 3);
    let entity = since(&totals_of(&runtime, Scope::PerEntity), Some("one"));
    let rollup = since(&totals_of(&runtime, Scope::Rollup), None);
    assert_eq!(entity, rollup);
    pass_a_moment();
    let between = SystemTime::now();
    pass_a_moment();
    replace(&recorder, Work::default());
    let totals = totals_of(&runtime, Scope::PerEntity);
    let later = since(&totals, Some("one"));
    assert!(later > entity && totals.recorders[0].created_at() <= entity, "{later:?} after {entity:?}");
    // The library's clock and the system's one may differ by what the system's one was corrected.
    assert!(later + Duration::from_secs(1) > between);
    assert_eq!(since(&totals_of(&runtime, Scope::Rollup), None), rollup);
    runtime.stop_and_remove_recorder("one").expect("it stops");
    assert_eq!(since(&totals_of(&runtime, Scope::Rollup), None), rollup, "also after the removal");
}

#[test]
fn st16_an_entity_that_is_created_again_has_a_later_start() {
    let runtime = running("shop");
    let mut starts = Vec::new();
    for _ in 0..3 {
        emit(&worker(&runtime, "one"), 3);
        let totals = totals_of(&runtime, Scope::PerEntity);
        let text = totals.exposition(Format::OpenMetrics).text;
        let created = created_in(&text);
        let health = created["mvx_metrics_events_accepted{namespace=\"shop\",entity_id=\"one\"}"];
        let work = created["work_all{namespace=\"shop\",entity_id=\"one\"}"];
        starts.push((totals.recorders[0].created_at(), since(&totals, Some("one")), health, work));
        pass_a_moment();
        runtime.stop_and_remove_recorder("one").expect("it stops");
    }
    for pair in starts.windows(2) {
        let ((created, since, health, work), later) = (pair[0], pair[1]);
        assert!(created < later.0 && since < later.1 && health < later.2 && work < later.3, "{pair:?}");
    }
    let rollup = totals_of(&runtime, Scope::Rollup);
    assert_eq!(Some(since(&rollup, None)), starts.first().map(|start| start.1));
}

#[test]
fn st16_every_counter_of_openmetrics_has_the_start_of_its_metric() {
    let before = SystemTime::now();
    let runtime = running("shop");
    emit(&worker(&runtime, "one"), 9);
    pass_a_moment();
    emit(&worker(&runtime, "other"), 9);
    let seconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).expect("after 1970").as_secs_f64();
    for scope in SCOPES {
        let totals = totals_of(&runtime, scope);
        let text = totals.exposition(Format::OpenMetrics).text;
        let created = created_in(&text);
        let mut counters = 0;
        for series in of_text(&text).into_keys() {
            let (name, labels) = series.split_once('{').expect("all series have labels");
            let Some(family) = name.strip_suffix("_total").or_else(|| name.strip_suffix("_count")) else {
                continue;
            };
            let start = created.get(&format!("{family}{{{labels}")).copied();
            let start = start.unwrap_or_else(|| panic!("{series} has no start in\n{text}"));
            counters += 1;
            assert!(
                seconds(before) - 1e-6 <= start && start <= seconds(totals.taken_at()),
                "{series}: {start}"
            );
            if family.starts_with("work_") {
                let entity =
                    ["one", "other"].into_iter().find(|id| labels.contains(&format!("entity_id=\"{id}\"")));
                assert!((start - seconds(since(&totals, entity))).abs() < 1e-6, "{series}: {start}");
            }
        }
        assert!(counters > 30 && counters == created.len(), "{counters} of {}", created.len());
        let back: Totals = serde_json::to_string(&totals)
            .and_then(|json| serde_json::from_str(&json))
            .expect("totals are read back");
        assert_eq!(created_in(&back.exposition(Format::OpenMetrics).text), created);
    }
    assert!(
        !runtime
            .totals(Scope::Rollup)
            .expect("it runs")
            .exposition(Format::Prometheus)
            .text
            .contains("_created")
    );
    let options = ExpositionOptions::new().format(Format::OpenMetrics).created(false);
    let text = runtime.exposition_with(&options).expect("the runtime runs").text;
    assert!(!text.contains("_created"), "{text}");
}
