//! Covers totals as a value: ST8, ST9.

use std::time::Duration;

use mvx_metrics::export::{Format, Scope};
use mvx_metrics::feed::Count;
use mvx_metrics::{
    Breakdown, Counter, Dimension, DimensionKind, DimensionValue, Gauge, Max, Metric, MetricsRuntime, Min,
    QueueOverflowPolicy, RecorderOptions, Totals, metric_event,
};
use mvx_metrics_tests::{Fragile, Gate, Gated, GatedSnapshot, Step, bounded};
use proptest::prelude::*;

use crate::everything::{Work, Worked, emit, replace, some_work, worked, worker};
use crate::fixtures::{Outcome, running};
use crate::samples::{Samples, as_numbers, of_json, of_text, of_totals};

const SCOPES: [Scope; 2] = [Scope::Rollup, Scope::PerEntity];
const FORMATS: [Format; 2] = [Format::Prometheus, Format::OpenMetrics];

/// A runtime with live, removed, replaced, failed and overflowing recorders in two namespaces.
fn of_all_kinds() -> MetricsRuntime {
    let runtime = running("shop");
    let north = worker(&runtime, "north");
    emit(&north, 20);
    north.emit(Worked { ratio: f64::NAN, ..first() });
    emit(&worker(&runtime, "south"), 30);
    runtime.stop_and_remove_recorder("south").expect("it stops");

    let west = worker(&runtime, "west");
    emit(&west, 40);
    replace(&west, Work::default());
    emit(&west, 5);
    west.register_metric(Fragile::at(2)).expect("the recorder runs");
    (1..=3).for_each(|step| west.emit(Step(step)));

    let other = RecorderOptions::new().namespace("depot").entity_id("north");
    let depot = runtime.create_recorder_with("depot", other).expect("the id is free");
    depot.metric::<Work>().expect("the recorder runs");
    emit(&depot, 3);
    let full = RecorderOptions::new()
        .entity_id("north")
        .queue_max_size(4)
        .queue_overflow_policy(QueueOverflowPolicy::Drop);
    let full = runtime.create_recorder_with("full", full).expect("the id is free");
    full.metric::<Work>().expect("the recorder runs");
    emit(&full, 10_000);
    worker(&runtime, "idle");
    for recorder in [north, west, depot, full] {
        recorder.flush().wait().expect("the recorder runs");
    }
    runtime
}

fn totals_of(runtime: &MetricsRuntime, scope: Scope) -> Totals {
    runtime.totals(scope).expect("the runtime runs")
}

#[test]
fn st8_text_and_totals_agree_on_every_number() {
    let runtime = of_all_kinds();
    for scope in SCOPES {
        let totals = totals_of(&runtime, scope);
        for format in FORMATS {
            let exposition = totals.exposition(format);
            let expected = of_totals(&totals, exposition.skipped.len());
            assert!(expected.len() > 150, "{} samples", expected.len());
            assert_eq!(of_text(&exposition.text), expected, "{scope:?} {format:?}");
            let of_runtime = runtime.exposition(scope, format).expect("the runtime runs");
            assert_eq!(of_runtime.text, exposition.text, "{scope:?} {format:?}");
            let of_snapshot = runtime.snapshot().expect("the runtime runs").exposition(scope, format);
            assert_eq!(of_text(&of_snapshot.text), expected, "{scope:?} {format:?}");
        }
    }
}

#[test]
fn st8_json_and_text_agree_on_every_number() {
    let runtime = of_all_kinds();
    for scope in SCOPES {
        let totals = totals_of(&runtime, scope);
        let json = serde_json::to_value(&totals).expect("totals serialise");
        let text = totals.exposition(Format::OpenMetrics).text;
        let of_metrics: Samples =
            of_text(&text).into_iter().filter(|(name, _)| name.starts_with("work_")).collect();
        let from_json: Samples =
            of_json(&json).into_iter().filter(|(name, _)| name.starts_with("work_")).collect();
        assert_eq!(as_numbers(&from_json), as_numbers(&of_metrics), "{scope:?}");
        assert_eq!(json["recorders"].as_array().map(Vec::len), Some(totals.recorders.len()));
        for (recorder, value) in totals.recorders.iter().zip(json["recorders"].as_array().expect("a list")) {
            let stats: mvx_metrics::RecorderStats =
                serde_json::from_value(value["stats"].clone()).expect("stats are read back");
            assert_eq!(stats, recorder.stats);
            assert_eq!(value["id"], *recorder.id);
        }
    }
}

#[test]
fn st8_totals_that_were_read_back_have_the_same_text() {
    let runtime = of_all_kinds();
    for scope in SCOPES {
        let totals = totals_of(&runtime, scope);
        let json = serde_json::to_string(&totals).expect("totals serialise");
        let back: Totals = serde_json::from_str(&json).expect("totals are read back");
        for format in FORMATS {
            assert_eq!(back.exposition(format).text, totals.exposition(format).text, "{scope:?} {format:?}");
        }
    }
}

#[test]
fn st8_typed_totals_have_the_numbers_of_all_recorders() {
    let runtime = of_all_kinds();
    let rollup = totals_of(&runtime, Scope::Rollup);
    let stats = &rollup.groups[0].stats;
    let work = rollup.get::<Work>("shop").expect("there is work");
    // Three events were steps of the metric that fails.
    assert_eq!(work.all, stats.processed - 3);
    assert_eq!(
        work.by_outcome.get(Outcome::Success).copied().unwrap_or(0)
            + work.by_outcome.get(Outcome::Failure).copied().unwrap_or(0),
        work.all
    );
    // The sum, the mean and the gauge of one ratio that is not a number.
    assert_eq!(work.invalid, 3);
    assert_eq!(rollup.get::<Work>("depot").map(|work| work.all), Some(3));
    assert_eq!(rollup.get::<Work>("nowhere"), None);
    assert_eq!(rollup.get_entity::<Work>("shop", "north"), None, "a rollup has no entities");

    let entities = totals_of(&runtime, Scope::PerEntity);
    assert_eq!(entities.get_entity::<Work>("shop", "west").map(|work| work.all), Some(5));
    assert_eq!(entities.get_entity::<Work>("depot", "north").map(|work| work.all), Some(3));
    assert_eq!(entities.get_entity::<Work>("shop", "idle").map(|work| work.all), Some(0));
    assert_eq!(entities.get_entity::<Work>("shop", "south"), None, "it was removed");
    let all = entities.get::<Work>("shop").map(|work| work.all);
    assert_eq!(all, Some(work.all - 30 - 40), "without the removed and the replaced one");
}

#[metric_event]
struct Heard;

/// Counts, and does not say how it merges.
#[derive(Default)]
struct Private(u64);

impl Dimension for Private {
    type Output = u64;
    const KIND: DimensionKind = DimensionKind::Custom;

    fn read(&self) -> u64 {
        self.0
    }

    fn value(count: u64) -> DimensionValue {
        count.into()
    }
}

impl Count for Private {
    fn count(&mut self) -> bool {
        self.0 += 1;
        true
    }
}

#[derive(Metric, Default)]
#[metric(on(Heard))]
struct Noise {
    total: Counter,
    private: Private,
}

#[test]
fn st8_a_dimension_without_a_merge_rule_is_left_out_and_named() {
    let runtime = running("shop");
    for id in ["one", "other"] {
        let recorder = runtime.create_recorder(id).expect("the id is free");
        recorder.register_metric(Noise::default()).expect("the recorder runs");
        recorder.emit(Heard);
    }
    let rollup = totals_of(&runtime, Scope::Rollup);
    let metric = rollup.groups[0].metrics.get("noise").expect("it was registered");
    assert_eq!(metric.get("total"), Some(&2_u64.into()));
    assert_eq!(metric.get("private"), None);
    assert_eq!(metric.declaration().map(|declared| declared.dimensions.len()), Some(1));
    let left_out: Vec<_> =
        rollup.left_out.iter().map(|left| (&*left.namespace, &*left.metric, &*left.dimension)).collect();
    assert_eq!(left_out, [("shop", "noise", "private")]);
    assert!(rollup.left_out[0].reason.contains("merge"), "{}", rollup.left_out[0].reason);
    assert_eq!(rollup.get_entity::<Noise>("shop", "one"), None);
    let exposition = rollup.exposition(Format::Prometheus);
    assert!(!exposition.text.contains("noise_private"), "{}", exposition.text);
    assert!(exposition.text.contains("mvx_metrics_dimensions_left_out{namespace=\"shop\"} 1\n"));
    assert_eq!(exposition.skipped[0].dimension, "private");

    let entities = totals_of(&runtime, Scope::PerEntity);
    let one = entities.get_entity::<Noise>("shop", "one").expect("it was registered");
    assert_eq!((one.total, one.private), (1, 1), "the total of one recorder needs no rule");
    assert!(entities.left_out.is_empty(), "{:?}", entities.left_out);
}

/// What happens to the recorders of a runtime.
#[derive(Debug, Clone)]
enum Change {
    Create(u8),
    Count(u8, Worked),
    Replace(u8),
    Remove(u8),
    Read,
}

fn change() -> impl Strategy<Value = Change> {
    let id = 0..3_u8;
    prop_oneof![
        2 => id.clone().prop_map(Change::Create),
        6 => (id.clone(), worked()).prop_map(|(id, event)| Change::Count(id, event)),
        2 => id.clone().prop_map(Change::Replace),
        1 => id.prop_map(Change::Remove),
        2 => Just(Change::Read),
    ]
}

/// Whether the series never falls. The sums of signed numbers, levels and extremes may.
fn is_count(series: &str) -> bool {
    let name = series.split('{').next().unwrap_or_default();
    ["_total", "_bucket", "_count", "_sum"].iter().any(|suffix| name.ends_with(suffix))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn st9_no_rollup_counter_falls_whatever_happens_to_recorders_and_metrics(
        changes in proptest::collection::vec(change(), 1..40)
    ) {
        let runtime = running("shop");
        let mut before = Samples::new();
        let mut events = 0;
        for change in changes.iter().chain([&Change::Read]) {
            let recorder = |id: u8| runtime.get_recorder(&id.to_string()).ok();
            match change {
                Change::Create(id) => {
                    if recorder(*id).is_none() {
                        worker(&runtime, &id.to_string());
                    }
                }
                Change::Count(id, event) => {
                    if let Some(recorder) = recorder(*id) {
                        recorder.emit(event.clone());
                        events += 1;
                    }
                }
                Change::Replace(id) => {
                    if let Some(recorder) = recorder(*id) {
                        replace(&recorder, Work::default());
                    }
                }
                Change::Remove(id) => {
                    if recorder(*id).is_some() {
                        runtime.stop_and_remove_recorder(&id.to_string()).expect("it stops");
                    }
                }
                Change::Read => {
                    let totals = totals_of(&runtime, Scope::Rollup);
                    let text = of_text(&totals.exposition(Format::Prometheus).text);
                    for (series, earlier) in before.iter().filter(|(series, _)| is_count(series)) {
                        let value = |text: &str| text.parse::<f64>().expect("a number");
                        let later = text.get(series).map(|later| value(later));
                        prop_assert!(later >= Some(value(earlier)), "{series}: {earlier}, then {later:?}");
                    }
                    before = text;
                    if let Some(work) = totals.get::<Work>("shop") {
                        prop_assert_eq!(work.all, events);
                        let places: u64 = work.by_place.iter().map(|(_, count)| count).sum();
                        prop_assert_eq!(places, events);
                        prop_assert!(work.by_place.iter().count() <= 4);
                    }
                }
            }
        }
    }
}

#[derive(Metric, Default)]
#[metric(name = "work", on(Worked))]
struct OtherWork {
    all: Counter,
    #[dimension(by = place, limit = 2)]
    by_outcome: Breakdown<&'static str, Counter>,
}

#[test]
fn st9_a_metric_of_another_type_under_the_same_name_lets_no_counter_fall() {
    let runtime = running("shop");
    let recorder = worker(&runtime, "one");
    emit(&recorder, 7);
    let before = of_text(&totals_of(&runtime, Scope::Rollup).exposition(Format::Prometheus).text);
    replace(&recorder, OtherWork::default());
    emit(&recorder, 2);
    let totals = totals_of(&runtime, Scope::Rollup);
    let after = of_text(&totals.exposition(Format::Prometheus).text);
    for (series, value) in before.iter().filter(|(series, _)| is_count(series)) {
        let number = |text: &String| text.parse::<f64>().expect("a number");
        assert!(after.get(series).map(number) >= Some(number(value)), "{series} fell from {value}");
    }
    assert_eq!(after["work_all_total{namespace=\"shop\"}"], "9");
    let left_out: Vec<_> = totals.left_out.iter().map(|left| &*left.dimension).collect();
    assert_eq!(left_out, ["by_outcome"], "its labels are others");
    runtime.stop_and_remove_recorder("one").expect("it stops");
    let removed = of_text(&totals_of(&runtime, Scope::Rollup).exposition(Format::Prometheus).text);
    for (series, value) in after.iter().filter(|(series, _)| is_count(series)) {
        if !series.contains("_removed_total") {
            assert_eq!(removed.get(series), Some(value), "{series}");
        }
    }
}

#[test]
fn st9_a_recorder_that_takes_a_removed_id_adds_to_the_totals() {
    let runtime = running("shop");
    for round in 1..=3 {
        let recorder = worker(&runtime, "one");
        emit(&recorder, 4);
        let total = || totals_of(&runtime, Scope::Rollup).get::<Work>("shop").map(|work| work.all);
        assert_eq!(total(), Some(4 * round));
        runtime.stop_and_remove_recorder("one").expect("it stops");
        assert_eq!(total(), Some(4 * round));
        let totals = totals_of(&runtime, Scope::Rollup);
        assert_eq!((totals.recorders.len(), totals.namespaces[0].removed), (0, round));
        assert!(totals.taken_at().elapsed().is_ok_and(|age| age < Duration::from_mins(1)));
    }
}

#[metric_event]
struct Sampled {
    host: &'static str,
    value: i64,
}

#[derive(Metric, Default)]
#[metric(name = "levels", on(Sampled))]
struct Levels {
    total: Counter,
    #[dimension(by = host, limit = 9, set = value)]
    last: Breakdown<&'static str, Gauge<i64>>,
}

#[test]
fn st5_a_gauge_that_goes_with_its_recorder_is_no_restart() {
    let runtime = running("shop");
    let recorders = ["a", "b"].map(|host| {
        let recorder = runtime.create_recorder(host).expect("the id is free");
        recorder.metric::<Levels>().expect("the recorder runs");
        recorder.emit(Sampled { host, value: 7 });
        recorder
    });
    let rollup = || runtime.totals(Scope::Rollup).expect("the runtime runs");
    let (earlier, earlier_typed) = (rollup(), rollup().get::<Levels>("shop").expect("it is registered"));
    runtime.stop_and_remove_recorder("b").expect("it stops");
    recorders[0].emit(Sampled { host: "a", value: 8 });
    let (later, later_typed) = (rollup(), rollup().get::<Levels>("shop").expect("it is registered"));
    assert!(!later_typed.restarted_since(&earlier_typed));
    assert_eq!(later_typed.since(&earlier_typed).total, 1);
    let metric = |totals: &Totals| totals.groups[0].metrics.get("levels").expect("it is registered").clone();
    let interval = metric(&later).since(&metric(&earlier)).expect("it is one metric");
    assert_eq!(interval.get("total"), Some(&1_u64.into()));
    drop(recorders);
}

#[derive(Metric, Default)]
#[metric(name = "extreme", on(Sampled))]
struct Highest {
    #[dimension(value = value)]
    value: Max<i64>,
}

#[derive(Metric, Default)]
#[metric(name = "extreme", on(Sampled))]
struct Lowest {
    #[dimension(value = value)]
    value: Min<i64>,
}

#[test]
fn st8_a_typed_total_is_not_that_of_another_declaration() {
    let runtime = running("shop");
    let (one, other) = (runtime.create_recorder("one"), runtime.create_recorder("other"));
    let (one, other) = (one.expect("the id is free"), other.expect("the id is free"));
    one.metric::<Highest>().expect("the recorder runs");
    other.metric::<Lowest>().expect("the recorder runs");
    one.emit(Sampled { host: "a", value: 7 });
    other.emit(Sampled { host: "a", value: 3 });
    let totals = runtime.totals(Scope::Rollup).expect("the runtime runs");
    assert_eq!(totals.get::<Highest>("shop").map(|metric| metric.value.known()), Some(Some(7)));
    assert_eq!(totals.get::<Lowest>("shop"), None);
    assert_eq!(totals.left_out.len(), 1, "{:?}", totals.left_out);
    let totals = runtime.totals(Scope::PerEntity).expect("the runtime runs");
    assert_eq!(totals.get::<Lowest>("shop"), None, "entities have other declarations");
    assert_eq!(
        totals.get_entity::<Lowest>("shop", "other").map(|metric| metric.value.known()),
        Some(Some(3))
    );
    assert_eq!(totals.get_entity::<Lowest>("shop", "one"), None);
}

#[derive(Metric, Default)]
#[metric(on(Sampled))]
struct Kept {
    total: Counter,
    own: Private,
}

#[test]
fn st8_a_typed_total_over_entities_needs_dimensions_that_merge() {
    let runtime = running("shop");
    for host in ["a", "b"] {
        let recorder = runtime.create_recorder(host).expect("the id is free");
        recorder.metric::<Kept>().expect("the recorder runs");
        recorder.emit(Sampled { host, value: 1 });
    }
    let totals = runtime.totals(Scope::PerEntity).expect("the runtime runs");
    assert_eq!(totals.get::<Kept>("shop"), None);
    let of_entity = totals.get_entity::<Kept>("shop", "a").expect("it is registered");
    assert_eq!((of_entity.total, of_entity.own), (1, 1));
}

#[test]
fn st9_no_counter_of_a_rollup_falls_while_a_recorder_cannot_be_read() {
    bounded(|| {
        let (runtime, gate) = (running("shop"), Gate::new());
        let (held, free) = (worker(&runtime, "held"), worker(&runtime, "free"));
        let large =
            |number: u64| Worked { bytes: 1_000 + number, elapsed: Duration::from_mins(1), ..first() };
        (0..10).for_each(|number| held.emit(large(number)));
        let read = || of_text(&totals_of(&runtime, Scope::Rollup).exposition(Format::Prometheus).text);
        let mut before = read();
        let mut check = |step: &str| {
            let after = read();
            for (series, value) in before.iter().filter(|(series, _)| is_count(series)) {
                let number = |text: &String| text.parse::<f64>().expect("a number");
                let later = after.get(series);
                assert!(
                    later.map(number) >= Some(number(value)),
                    "{step}: {series}: {value}, then {later:?}"
                );
            }
            before = after;
        };
        held.register_metric(GatedSnapshot(gate.clone())).expect("the recorder runs");
        std::thread::scope(|threads| {
            // This reader holds the metrics of the recorder.
            threads.spawn(|| held.metric_snapshots().expect("it reads"));
            gate.wait_for_arrival();
            check("a reader holds the metrics");
            // More events than the other recorder has counted, and smaller ones.
            for _ in 0..15 {
                free.emit(Worked { bytes: 1, elapsed: Duration::from_nanos(1), ..first() });
            }
            free.flush().wait().expect("the recorder runs");
            check("another recorder counts");
            gate.open();
        });
        check("the reader is done");
        assert_eq!(before["work_all_total{namespace=\"shop\"}"], "25");
        assert_eq!(before["work_mean_bytes_sum{namespace=\"shop\"}"], "10060");
    });
}

fn first() -> Worked {
    some_work(1).next().expect("an event")
}

#[test]
fn st8_labels_keep_their_order_while_a_recorder_cannot_be_read() {
    bounded(|| {
        let (runtime, gate) = (running("shop"), Gate::new());
        let stuck = worker(&runtime, "stuck");
        worker(&runtime, "healthy");
        stuck.register_metric(Gated(gate.clone())).expect("the recorder runs");
        emit(&stuck, 9);
        let labels = || {
            let totals = totals_of(&runtime, Scope::Rollup);
            let work = totals.get::<Work>("shop").expect("there is work");
            work.by_outcome.iter().map(|(labels, _)| labels[0].to_string()).collect::<Vec<_>>()
        };
        assert_eq!(labels(), ["success", "failure"]);
        stuck.emit(Step(1));
        gate.wait_for_arrival();
        assert_eq!(labels(), ["success", "failure"]);
        gate.open();
    });
}

#[metric_event]
struct Walked;

/// Two types of metrics with one name and other dimensions.
mod walks {
    use super::Walked;
    use mvx_metrics::{Breakdown, Counter, Gauge, Metric};

    #[derive(Metric, Default)]
    #[metric(name = "walks", on(Walked))]
    pub struct Simple {
        total: Counter,
    }

    #[derive(Metric, Default)]
    #[metric(name = "walks", on(Walked))]
    pub struct Detailed {
        long: Counter,
        #[dimension(by(place = |_| "hill"), limit = 3)]
        by_place: Breakdown<&'static str, Counter>,
        #[dimension(value = |_| 7)]
        level: Gauge<i64>,
    }
}

#[test]
fn st9_dimensions_that_only_a_recorder_which_cannot_be_read_has_do_not_fall() {
    bounded(|| {
        let runtime = running("shop");
        let simple = runtime.create_recorder("simple").expect("the id is free");
        simple.metric::<walks::Simple>().expect("the recorder runs");
        simple.emit(Walked);
        let detailed = runtime.create_recorder("detailed").expect("the id is free");
        detailed.metric::<walks::Detailed>().expect("the recorder runs");
        (0..5).for_each(|_| detailed.emit(Walked));
        let gate = Gate::new();
        detailed.register_metric(Gated(gate.clone())).expect("the recorder runs");
        let check = |level: bool| {
            let totals = totals_of(&runtime, Scope::Rollup);
            let text = totals.exposition(Format::Prometheus).text;
            for series in [
                "walks_total{namespace=\"shop\"} 1\n",
                "walks_long_total{namespace=\"shop\"} 5\n",
                "walks_by_place_total{namespace=\"shop\",place=\"hill\"} 5\n",
            ] {
                assert!(text.contains(series), "{series} in\n{text}");
            }
            assert_eq!(text.contains("walks_level{"), level, "{text}");
            let json = serde_json::to_string(&totals).expect("totals serialise");
            assert_eq!(serde_json::from_str::<Totals>(&json).expect("totals are read back"), totals);
        };
        check(true);
        detailed.emit(Step(1));
        gate.wait_for_arrival();
        check(false);
        simple.stop().wait().expect("it stops");
        check(false);
        gate.open();
        detailed.flush().wait().expect("the recorder runs");
        check(true);
    });
}

#[metric_event]
struct Met {
    who: u64,
}

#[derive(Metric, Default)]
#[metric(on(Met))]
struct Meetings {
    #[dimension(by = who, limit = 60_000)]
    by_person: Breakdown<u64, Counter>,
}

/// It would take minutes if each label were searched for.
#[test]
fn st9_many_labels_of_totals_that_lack_a_recorder_take_little_time() {
    const LABELS: u64 = 40_000;
    bounded(|| {
        let runtime = running("shop");
        let recorders = ["one", "two"].map(|id| {
            let options = RecorderOptions::new().queue_max_size(100_000);
            let recorder = runtime.create_recorder_with(id, options).expect("the id is free");
            recorder.metric::<Meetings>().expect("the recorder runs");
            recorder
        });
        (0..LABELS).for_each(|who| recorders[0].emit(Met { who }));
        (0..LABELS).rev().for_each(|who| recorders[1].emit(Met { who }));
        for recorder in &recorders {
            recorder.flush().wait().expect("the recorder runs");
        }
        let gate = Gate::new();
        recorders[0].register_metric(Gated(gate.clone())).expect("the recorder runs");
        totals_of(&runtime, Scope::Rollup);
        recorders[0].emit(Step(1));
        gate.wait_for_arrival();
        let start = std::time::Instant::now();
        let totals = totals_of(&runtime, Scope::Rollup);
        let took = start.elapsed();
        gate.open();
        let people = totals.get::<Meetings>("shop").expect("it is registered").by_person;
        assert_eq!((people.len() as u64, people.get(9)), (LABELS, Some(&2)));
        assert!(took < Duration::from_secs(10), "{took:?}");
    });
}
