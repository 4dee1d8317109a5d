//! Covers replaced metrics in totals: ST15.

use mvx_metrics::export::{Format, Scope};
use mvx_metrics::{
    Breakdown, Counter, HandleEvent, InFlightSnapshot, Metric, MetricsRuntime, RuntimeSnapshot, Totals,
    TypedMetric, metric_event,
};
use mvx_metrics_tests::{Fragile, Step};

use crate::everything::{Work, WorkSnapshot, emit, replace, some_work, worker};
use crate::fixtures::running;
use crate::samples::{of_text, of_totals};

fn totals_of(runtime: &MetricsRuntime, scope: Scope) -> Totals {
    runtime.totals(scope).expect("the runtime runs")
}

fn work_of(runtime: &MetricsRuntime) -> WorkSnapshot {
    totals_of(runtime, Scope::Rollup).get::<Work>("shop").expect("there is work")
}

/// The state of a metric that has seen these numbers of events one after the other.
fn state_after(events: &[u64]) -> WorkSnapshot {
    let mut work = Work::default();
    for event in events.iter().flat_map(|count| some_work(*count)) {
        work.handle(&event);
    }
    work.typed_snapshot()
}

#[test]
fn st15_the_totals_are_those_of_a_metric_that_was_never_replaced() {
    let runtime = running("shop");
    let recorder = worker(&runtime, "one");
    let rounds = [12, 1, 7, 30];
    for (index, count) in rounds.into_iter().enumerate() {
        emit(&recorder, count);
        if index + 1 < rounds.len() {
            replace(&recorder, Work::default());
        }
    }
    let expected = state_after(&rounds);
    let check = |after: &str| {
        let work = work_of(&runtime);
        assert_eq!((work.all, work.moved, work.time), (50, expected.moved, expected.time), "{after}");
        assert_eq!((work.balance, work.invalid), (expected.balance, 0), "{after}");
        assert_eq!((work.least, work.longest), (expected.least, expected.longest), "{after}");
        assert_eq!((work.mean_bytes, work.mean_time), (expected.mean_bytes, expected.mean_time), "{after}");
        assert_eq!(work.flying, expected.flying, "{after}");
        assert_eq!((&work.sizes, &work.took), (&expected.sizes, &expected.took), "{after}");
        assert_eq!(work.spread, expected.spread, "{after}: it merges by a rule of its own");
        assert_eq!((&work.by_both, &work.mean_by), (&expected.by_both, &expected.mean_by), "{after}");
        assert_eq!((&work.sizes_by, &work.flying_by), (&expected.sizes_by, &expected.flying_by), "{after}");
        assert_eq!(work.by_place.iter().map(|(_, count)| count).sum::<u64>(), 50, "{after}");
        let totals = totals_of(&runtime, Scope::Rollup);
        assert_eq!(of_text(&totals.exposition(Format::Prometheus).text), of_totals(&totals, 0), "{after}");
        assert!(totals.left_out.is_empty(), "{:?}", totals.left_out);
    };
    check("three replacements");
    runtime.stop_and_remove_recorder("one").expect("it stops");
    check("the removal");
    runtime.shutdown().expect("it ends");
    check("the shutdown");
}

#[test]
fn st15_a_replaced_metric_is_in_the_rollup_only_and_without_its_gauges() {
    let runtime = running("shop");
    let recorder = worker(&runtime, "one");
    emit(&recorder, 6);
    assert_eq!((work_of(&runtime).level, work_of(&runtime).peak), (Some(9), Some(0.75)));
    replace(&recorder, Work::default());
    let work = work_of(&runtime);
    assert_eq!((work.all, work.level, work.peak), (6, None, None));
    assert_eq!(work.flying, InFlightSnapshot { finished: 6, ..work.flying });
    let levels: Vec<_> = work.level_by.iter().filter(|(_, level)| level.is_some()).collect();
    assert!(levels.is_empty(), "{levels:?}");
    let entities = totals_of(&runtime, Scope::PerEntity);
    assert_eq!(entities.get_entity::<Work>("shop", "one").map(|work| work.all), Some(0));
    emit(&recorder, 1);
    assert_eq!((work_of(&runtime).all, work_of(&runtime).level), (7, Some(-4)));
}

#[test]
fn st15_the_totals_of_a_snapshot_have_the_replaced_metric_too() {
    let runtime = running("shop");
    let recorder = worker(&runtime, "one");
    emit(&recorder, 6);
    replace(&recorder, Work::default());
    emit(&recorder, 2);
    let snapshot = runtime.snapshot().expect("the runtime runs");
    assert_eq!(snapshot.totals(Scope::Rollup), totals_of(&runtime, Scope::Rollup));
    assert_eq!(snapshot.totals(Scope::Rollup).get::<Work>("shop").map(|work| work.all), Some(8));
    assert_eq!(
        snapshot.recorders[0].metrics.get("work").and_then(|work| work.get("all")),
        Some(&2_u64.into())
    );
    let json = serde_json::to_string(&snapshot).expect("a snapshot serialises");
    let back: RuntimeSnapshot = serde_json::from_str(&json).expect("a snapshot is read back");
    assert_eq!(back.totals(Scope::Rollup).get::<Work>("shop").map(|work| work.all), Some(2));
}

/// Counts steps under the name of the metric that panics.
#[derive(Metric, Default)]
#[metric(name = "fragile", on(Step))]
struct Solid {
    steps: Counter,
}

#[test]
fn st15_a_quarantined_metric_that_is_replaced_counts_as_failed_no_more() {
    let runtime = running("shop");
    let recorder = runtime.create_recorder("one").expect("the id is free");
    recorder.register_metric(Fragile::at(2)).expect("the recorder runs");
    (1..=3).for_each(|step| recorder.emit(Step(step)));
    let failed = || totals_of(&runtime, Scope::Rollup).groups[0].failed.values().sum::<u64>();
    assert_eq!(failed(), 1);
    replace(&recorder, Solid::default());
    recorder.emit(Step(4));
    assert_eq!(failed(), 0);
    let totals = totals_of(&runtime, Scope::Rollup);
    let text = totals.exposition(Format::Prometheus).text;
    assert!(text.contains("fragile_steps_total{namespace=\"shop\"} 1\n"), "{text}");
    assert!(text.contains("mvx_metrics_metrics_failed{namespace=\"shop\",metric=\"fragile\"} 0\n"), "{text}");
}

#[test]
fn st15_the_metrics_of_many_recorders_are_replaced_while_they_count() {
    const ROUNDS: u64 = 20;
    let runtime = running("shop");
    let recorders: Vec<_> = (0..4).map(|number| worker(&runtime, &number.to_string())).collect();
    std::thread::scope(|threads| {
        for recorder in &recorders {
            threads.spawn(move || {
                for _ in 0..ROUNDS {
                    emit(recorder, 10);
                    replace(recorder, Work::default());
                }
            });
        }
        let mut before = 0;
        while before < 4 * ROUNDS * 10 {
            let all = work_of(&runtime).all;
            assert!(all >= before, "{before}, then {all}");
            before = all;
        }
        assert_eq!(before, 4 * ROUNDS * 10);
    });
}

#[metric_event]
struct Opened {
    page: String,
}

#[derive(Metric, Default)]
#[metric(name = "pages", on(Opened))]
struct Pages {
    #[dimension(by = page, limit = 3)]
    by_page: Breakdown<String, Counter>,
}

#[test]
fn st15_the_states_of_replaced_metrics_take_bounded_memory() {
    let runtime = running("shop");
    let recorder = runtime.create_recorder("one").expect("the id is free");
    let mut opened = 0;
    for round in 0..200 {
        recorder.register_metric(Pages::default()).expect("the recorder runs");
        for page in 0..3 {
            recorder.emit(Opened { page: format!("{round} {page}") });
            opened += 1;
        }
    }
    let snapshot = runtime.snapshot().expect("the runtime runs");
    let kept = format!("{:?}", snapshot.recorders[0]).matches("labels: ").count();
    // 16 times the limit, `other`, those of the current metric, and two declarations.
    assert!(kept <= 3 * 16 + 1 + 3 + 2, "{kept} labels are kept");
    let totals = runtime.totals(Scope::Rollup).expect("the runtime runs");
    let pages = totals.get::<Pages>("shop").expect("it is registered").by_page;
    assert_eq!(pages.iter().map(|(_, count)| count).sum::<u64>(), opened);
    assert_eq!(pages.len(), 4);
}
