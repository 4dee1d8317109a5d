//! Covers merging the totals of several runtimes: ST2 and ST7 for totals.

use mvx_metrics::export::{Format, Scope};
use mvx_metrics::feed::Count;
use mvx_metrics::{
    Breakdown, Counter, Dimension, DimensionKind, DimensionValue, MergeError, Metric, MetricsRuntime,
    RecorderOptions, Totals, metric_event,
};

use crate::everything::{Work, emit, worker};
use crate::fixtures::running;
use crate::samples::{of_text, of_totals};

fn totals_of(runtime: &MetricsRuntime, scope: Scope) -> Totals {
    runtime.totals(scope).expect("the runtime runs")
}

/// The totals as another process gets them.
fn sent(totals: &Totals) -> Totals {
    let json = serde_json::to_string(totals).expect("totals serialise");
    serde_json::from_str(&json).expect("totals are read back")
}

/// A runtime with recorders that have counted so many events.
fn runtime_with(events: &[(&str, u64)]) -> MetricsRuntime {
    let runtime = running("shop");
    for (id, count) in events {
        emit(&worker(&runtime, id), *count);
    }
    runtime
}

/// All samples of the text in order.
fn numbers(totals: &Totals) -> Vec<(String, String)> {
    of_text(&totals.exposition(Format::Prometheus).text).into_iter().collect()
}

#[test]
fn st2_merged_totals_are_those_of_one_runtime_with_all_recorders() {
    let (north, south) =
        (runtime_with(&[("one", 12), ("two", 5)]), runtime_with(&[("three", 30), ("one more", 1)]));
    let all = runtime_with(&[("one", 12), ("two", 5), ("three", 30), ("one more", 1)]);
    north.stop_and_remove_recorder("two").expect("it stops");
    all.stop_and_remove_recorder("two").expect("it stops");
    for scope in [Scope::Rollup, Scope::PerEntity] {
        let (first, second) = (totals_of(&north, scope), totals_of(&south, scope));
        let expected = totals_of(&all, scope);
        let forms =
            [(first.clone(), second.clone()), (first.clone(), sent(&second)), (sent(&first), second.clone())];
        for (number, (mut merged, other)) in forms.into_iter().enumerate() {
            merged.merge(&other).expect("they are of one declaration");
            // The removed recorder was the first to show its labels, so the order of the labels differs.
            let total = |totals: &Totals| totals.get::<Work>("shop").expect("there is work");
            let (one, both) = (total(&merged), total(&expected));
            assert_eq!(
                (one.all, one.moved, one.time),
                (both.all, both.moved, both.time),
                "{scope:?} {number}"
            );
            assert_eq!((&one.by_both, &one.mean_by), (&both.by_both, &both.mean_by), "{scope:?} {number}");
            assert_eq!((&one.spread, &one.took), (&both.spread, &both.took), "{scope:?} {number}");
            assert_eq!((one.flying, one.peak), (both.flying, both.peak), "{scope:?} {number}");
            assert_eq!(one.by_place.iter().map(|(_, count)| count).sum::<u64>(), both.all);
            assert_eq!(merged.groups.len(), expected.groups.len());
            assert_eq!(merged.namespaces, expected.namespaces);
            assert_eq!(merged.recorders.len(), expected.recorders.len());
            assert_eq!(of_text(&merged.exposition(Format::OpenMetrics).text), of_totals(&merged, 0));
            assert_eq!(merged.taken_at(), first.taken_at().max(second.taken_at()));
            assert_eq!(merged.started_at(), first.started_at().min(second.started_at()));
        }
    }
}

#[test]
fn st2_groups_of_other_namespaces_and_entities_stand_side_by_side() {
    let runtime = running("shop");
    emit(&worker(&runtime, "one"), 2);
    let options = RecorderOptions::new().namespace("depot").entity_id("one");
    let depot = runtime.create_recorder_with("depot", options).expect("the id is free");
    depot.metric::<Work>().expect("the recorder runs");
    emit(&depot, 3);
    let other = runtime_with(&[("one", 10), ("two", 20)]);
    let mut merged = totals_of(&runtime, Scope::PerEntity);
    merged.merge(&sent(&totals_of(&other, Scope::PerEntity))).expect("they are of one declaration");
    let of = |namespace, id| merged.get_entity::<Work>(namespace, id).map(|work| work.all);
    let counts = [of("shop", "one"), of("shop", "two"), of("depot", "one"), of("depot", "two")];
    assert_eq!(counts, [Some(12), Some(20), Some(3), None]);
    assert_eq!(merged.groups.len(), 3);
}

#[metric_event]
struct Visited(String);

#[derive(Metric, Default)]
#[metric(on(Visited))]
struct Visits {
    #[dimension(by(page = |e| e.0.clone()), limit = 3)]
    by_page: Breakdown<String, Counter>,
}

fn visits(pages: &[&str]) -> Totals {
    let runtime = running("shop");
    let recorder = runtime.create_recorder("one").expect("the id is free");
    recorder.metric::<Visits>().expect("the recorder runs");
    for page in pages {
        recorder.emit(Visited((*page).to_owned()));
    }
    totals_of(&runtime, Scope::Rollup)
}

#[test]
fn st2_labels_beyond_the_limit_go_to_other() {
    let mut merged = visits(&["a", "a", "b"]);
    let texts = |totals: &Totals| {
        let pages = totals.get::<Visits>("shop").expect("it was registered").by_page;
        let mut pages: Vec<_> = pages.iter().map(|(labels, count)| (labels[0].to_string(), *count)).collect();
        pages.sort_unstable();
        pages
    };
    let pages = |expected: &[(&str, u64)]| -> Vec<(String, u64)> {
        expected.iter().map(|(page, count)| ((*page).to_owned(), *count)).collect()
    };
    merged.merge(&sent(&visits(&["c", "d", "d", "a"]))).expect("they are of one declaration");
    assert_eq!(texts(&merged), pages(&[("a", 3), ("b", 1), ("c", 1), ("other", 2)]));
    merged.merge(&visits(&["e", "f", "g", "h"])).expect("they are of one declaration");
    assert_eq!(texts(&merged), pages(&[("a", 3), ("b", 1), ("c", 1), ("other", 6)]));
    assert_eq!(texts(&sent(&merged)), texts(&merged));
}

#[derive(Metric, Default)]
#[metric(name = "visits", on(Visited))]
struct OtherVisits {
    #[dimension(by(page = |e| e.0.clone()), limit = 3, unit = "pages")]
    by_page: Breakdown<String, Counter>,
}

#[test]
fn st7_totals_that_do_not_fit_change_nothing() {
    let runtime = running("shop");
    emit(&worker(&runtime, "one"), 4);
    let other = running("shop");
    emit(&worker(&other, "one"), 4);
    let recorders = [&runtime, &other].map(|runtime| runtime.get_recorder("one").expect("it is there"));
    recorders[0].register_metric(Visits::default()).expect("the recorder runs");
    recorders[1].register_metric(OtherVisits::default()).expect("the recorder runs");
    let mut totals = totals_of(&runtime, Scope::Rollup);
    let before = (totals.clone(), numbers(&totals));

    let other_scope = totals_of(&runtime, Scope::PerEntity);
    assert_eq!(totals.merge(&other_scope), Err(MergeError::OtherScope));
    for other in [totals_of(&other, Scope::Rollup), sent(&totals_of(&other, Scope::Rollup))] {
        match totals.merge(&other) {
            Err(error @ MergeError::OtherDeclaration { .. }) => {
                assert_eq!(error.reason(), "MERGE_ERROR");
                let text = error.to_string();
                assert!(text.contains("visits") && text.contains("unit"), "{text}");
            }
            unexpected => panic!("{unexpected:?}"),
        }
    }
    assert_eq!(totals, before.0);
    assert_eq!(numbers(&totals), before.1);
}

#[test]
fn st2_totals_that_were_both_read_back_merge_but_for_rules_of_unknown_types() {
    let (one, other) = (visits(&["a", "b"]), visits(&["b", "c"]));
    let mut merged = sent(&one);
    merged.merge(&sent(&other)).expect("all rules are the library's own");
    assert_eq!(merged.get::<Visits>("shop").map(|visits| visits.by_page.get("b").copied()), Some(Some(2)));

    let one = runtime_with(&[("one", 12)]);
    let mut merged = sent(&totals_of(&one, Scope::Rollup));
    let before = merged.clone();
    match merged.merge(&sent(&totals_of(&one, Scope::Rollup))) {
        Err(MergeError::UnknownType { metric, dimension }) => {
            assert_eq!((&*metric, &*dimension), ("work", "spread"));
        }
        unexpected => panic!("{unexpected:?}"),
    }
    assert_eq!(merged, before);
}

#[metric_event]
struct Counted;

/// Counts, and does not say how it merges.
#[derive(Default)]
struct Unmerged(u64);

impl Dimension for Unmerged {
    type Output = u64;
    const KIND: DimensionKind = DimensionKind::Custom;

    fn read(&self) -> u64 {
        self.0
    }

    fn value(output: u64) -> DimensionValue {
        output.into()
    }
}

impl Count for Unmerged {
    fn count(&mut self) -> bool {
        self.0 += 1;
        true
    }
}

#[derive(Metric, Default)]
#[metric(on(Counted))]
struct Counts {
    all: Counter,
    unmerged: Unmerged,
}

#[test]
fn st2_a_dimension_without_a_rule_is_listed_as_left_out() {
    let runtime = running("shop");
    let recorder = runtime.create_recorder("one").expect("the id is free");
    recorder.metric::<Counts>().expect("the recorder runs");
    recorder.emit(Counted);
    let one = totals_of(&runtime, Scope::PerEntity);
    let unmerged = |totals: &Totals| {
        totals.groups[0].metrics.get("counts").and_then(|counts| counts.get("unmerged").cloned())
    };
    assert_eq!((unmerged(&one), one.left_out.len()), (Some(1_u64.into()), 0));
    for other in [one.clone(), sent(&one)] {
        let mut merged = one.clone();
        for number in 2..5_u64 {
            merged.merge(&other).expect("they are of one declaration");
            let all = merged.groups[0].metrics.get("counts").and_then(|counts| counts.get("all")?.as_u64());
            assert_eq!((all, unmerged(&merged)), (Some(number), None));
            let left_out: Vec<_> =
                merged.left_out.iter().map(|left| (&*left.metric, &*left.dimension)).collect();
            assert_eq!(left_out, [("counts", "unmerged")]);
        }
        assert_eq!(sent(&merged), merged);
    }
}
