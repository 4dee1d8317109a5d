//! Covers state that no runtime of one's own wrote, names that clash, and metrics that describe themselves wrongly: ST1, ST2.

use std::time::{Duration, Instant};

use mvx_metrics::export::{ExpositionOptions, Format, Scope};
use mvx_metrics::feed::Count;
use mvx_metrics::{
    Breakdown, BreakdownEntry, Counter, Dimension, DimensionDescriptor, DimensionKind, DimensionValue,
    EventHandler, MergeRule, Metric, MetricDescriptor, MetricSnapshot, RuntimeSnapshot, Totals, metric_event,
};
use mvx_metrics_tests::Handwritten;

use crate::fixtures::running;
use crate::handwritten::{metric, runtime_with};

/// Checks that no series stands twice in a text, and no label twice in a series.
fn check_series(text: &str) {
    let mut seen = std::collections::HashSet::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (series, _) = line.rsplit_once(' ').expect("a value");
        let (_, labels) = series.split_once('{').expect("labels");
        let mut names: Vec<_> = labels.split("\",").filter_map(|label| label.split('=').next()).collect();
        let labels = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), labels, "a label stands twice: {line}");
        assert!(seen.insert(series), "it stands twice: {line}");
    }
}

#[metric_event]
struct Ordered {
    namespace: u64,
    kind: u64,
}

#[derive(Metric, Default)]
#[metric(on(Ordered))]
struct Orders {
    #[dimension(by(namespace, kind), limit = 3)]
    by_both: Breakdown<(u64, u64), Counter>,
}

#[test]
fn prefixed_labels_differ_from_constant_labels() {
    let runtime = running("shop");
    let recorder = runtime.create_recorder("one").expect("the id is free");
    recorder.metric::<Orders>().expect("the recorder runs");
    recorder.emit(Ordered { namespace: 1, kind: 2 });
    let options = ExpositionOptions::new();
    let options = options.label("exported_namespace", "x").label("kind", "y").label("exported_kind", "z");
    let text = runtime.exposition_with(&options).expect("the labels are valid").text;
    check_series(&text);
    let labels = "exported_namespace_2=\"1\",exported_kind_2=\"2\"} 1\n";
    assert!(text.contains(labels), "{text}");
}

/// A metric whose dimension has two labels of one name.
struct SameLabels;

impl Metric for SameLabels {
    fn metric_name(&self) -> &'static str {
        "same"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        &[]
    }

    fn descriptor(&self) -> MetricDescriptor {
        let mut declared = DimensionDescriptor::new("n", DimensionKind::Counter);
        declared.labels = vec!["kind".into(), "kind".into()].into();
        MetricDescriptor::new("same").with_dimensions(vec![declared])
    }

    fn snapshot(&self) -> MetricSnapshot {
        let entry = BreakdownEntry { labels: vec!["a".into(), "b".into()], value: 1_u64.into() };
        MetricSnapshot::new("same").with("n", DimensionValue::Breakdown(vec![entry]))
    }
}

#[test]
fn numbered_labels_differ_from_constant_labels() {
    let runtime = running("shop");
    let recorder = runtime.create_recorder("one").expect("the id is free");
    recorder.register_metric(SameLabels).expect("the recorder runs");
    let options = ExpositionOptions::new().label("kind_2", "x");
    let text = runtime.exposition_with(&options).expect("the label is valid").text;
    check_series(&text);
    assert!(text.contains("kind=\"a\",kind_3=\"b\"} 1\n"), "{text}");
}

#[test]
fn st1_totals_without_groups_have_a_text() {
    let runtime = runtime_with(vec![metric("m", vec![("n", DimensionKind::Counter, 1_u64.into())])]);
    let totals = runtime.totals(Scope::Rollup).expect("the runtime runs");
    let mut json = serde_json::to_value(totals).expect("totals serialise");
    json["groups"] = serde_json::json!([]);
    let of_namespaces: Totals = serde_json::from_value(json.clone()).expect("totals are read back");
    let text = of_namespaces.exposition(Format::OpenMetrics).text;
    check_series(&text);
    assert!(text.contains("mvx_metrics_recorders{namespace=\"shop\",state=\"RUNNING\"} 1\n"), "{text}");
    json["namespaces"] = serde_json::json!([]);
    let empty: Totals = serde_json::from_value(json).expect("totals are read back");
    assert_eq!(empty.exposition(Format::OpenMetrics).text, "# EOF\n");
    assert_eq!(empty.exposition(Format::Prometheus).text, "");
}

#[metric_event]
struct Asked {
    page: String,
    status: u64,
}

#[derive(Metric, Default)]
#[metric(on(Asked))]
struct Questions {
    #[dimension(by(page, status), limit = 3)]
    by_both: Breakdown<(String, u64), Counter>,
}

#[test]
fn st1_long_labels_with_many_labels_below_are_refused() {
    let nested = |bytes: usize| {
        let below: serde_json::Map<_, _> = (0..3).map(|status| (status.to_string(), 1.into())).collect();
        serde_json::json!({ "x".repeat(bytes): below })
    };
    let typed =
        |bytes| serde_json::from_value::<QuestionsSnapshot>(serde_json::json!({"by_both": nested(bytes)}));
    assert_eq!(typed(256).expect("it is read back").by_both.len(), 3);
    let error = typed(257).expect_err("the text is too long").to_string();
    assert!(error.contains("256 bytes"), "{error}");

    let runtime = running("shop");
    let recorder = runtime.create_recorder("one").expect("the id is free");
    recorder.metric::<Questions>().expect("the recorder runs");
    recorder.emit(Asked { page: "x".repeat(256), status: 1 });
    recorder.emit(Asked { page: "x".repeat(257), status: 1 });
    let totals = runtime.totals(Scope::Rollup).expect("the runtime runs");
    let mut json = serde_json::to_value(&totals).expect("totals serialise");
    assert_eq!(serde_json::from_value::<Totals>(json.clone()).expect("totals are read back"), totals);
    json["groups"][0]["metrics"]["questions"]["dimensions"]["by_both"] = nested(257);
    let error = serde_json::from_value::<Totals>(json).expect_err("the text is too long").to_string();
    assert!(error.contains("256 bytes"), "{error}");
}

#[metric_event]
struct Ticked;

/// Shows its one label twice.
#[derive(Default)]
struct Twice(u64);

impl Dimension for Twice {
    type Output = u64;
    const KIND: DimensionKind = DimensionKind::Custom;

    fn read(&self) -> u64 {
        self.0
    }

    fn value(output: u64) -> DimensionValue {
        let entry = BreakdownEntry { labels: vec!["a".into()], value: output.into() };
        DimensionValue::Breakdown(vec![entry.clone(), entry])
    }
}

impl Count for Twice {
    fn count(&mut self) -> bool {
        self.0 += 1;
        true
    }
}

#[derive(Metric, Default)]
#[metric(on(Ticked))]
struct Ticks {
    all: Counter,
    twice: Twice,
}

#[test]
fn a_dimension_that_shows_a_label_twice_has_each_series_once() {
    let runtime = running("shop");
    let recorder = runtime.create_recorder("one").expect("the id is free");
    recorder.metric::<Ticks>().expect("the recorder runs");
    recorder.emit(Ticked);
    for format in [Format::Prometheus, Format::OpenMetrics] {
        let text = runtime.exposition(Scope::PerEntity, format).expect("the runtime runs").text;
        check_series(&text);
        assert!(text.contains("ticks_twice{namespace=\"shop\",entity_id=\"one\",label=\"a\"} 1\n"), "{text}");
    }
}

/// Returns snapshots with another name than its own.
struct OtherName(&'static str);

impl Metric for OtherName {
    fn metric_name(&self) -> &str {
        self.0
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        &[]
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::new("other").with("n", 1_u64)
    }
}

#[test]
fn st1_snapshots_have_the_names_under_which_their_metrics_are_registered() {
    let runtime = running("shop");
    let recorder = runtime.create_recorder("one").expect("the id is free");
    recorder.register_metric(OtherName("first")).expect("the recorder runs");
    recorder.register_metric(OtherName("second")).expect("the recorder runs");
    let snapshot = runtime.snapshot().expect("the runtime runs");
    let names: Vec<_> = snapshot.recorders[0].metrics.iter().map(|metric| &*metric.name).collect();
    assert_eq!(names, ["first", "second"]);
    let json = serde_json::to_string(&snapshot).expect("it serialises");
    assert_eq!(serde_json::from_str::<RuntimeSnapshot>(&json).expect("it is read back"), snapshot);
}

/// A snapshot of a map with so many values.
fn map_of(values: usize, prefix: &str) -> DimensionValue {
    let values = (0..values).map(|value| (format!("{prefix}{value}").into(), 1_u64.into()));
    DimensionValue::Map(values.collect())
}

/// It would take minutes if each value were searched for.
#[test]
fn st2_large_maps_merge_in_little_time() {
    const VALUES: usize = 40_000;
    let mut declared = DimensionDescriptor::new("values", DimensionKind::Custom);
    declared.merge = Some(MergeRule::Sum);
    let large = |prefix| Handwritten::new("large", vec![(declared.clone(), map_of(VALUES, prefix))]);
    let totals = ["a", "b"].map(|prefix| {
        let runtime = runtime_with(vec![large(prefix)]);
        runtime.totals(Scope::Rollup).expect("the runtime runs")
    });
    let start = Instant::now();
    let [mut merged, other] = totals;
    merged.merge(&other).expect("they are of one declaration");
    merged.merge(&other).expect("they are of one declaration");
    let took = start.elapsed();
    match merged.groups[0].metrics.get("large").and_then(|large| large.get("values")) {
        Some(DimensionValue::Map(values)) => assert_eq!(values.len(), 2 * VALUES),
        other => panic!("{other:?}"),
    }
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[test]
fn st2_many_groups_merge_in_little_time() {
    const GROUPS: usize = 20_000;
    let runtime = runtime_with(Vec::new());
    let totals = runtime.totals(Scope::PerEntity).expect("the runtime runs");
    let json = serde_json::to_value(&totals).expect("totals serialise");
    let [mut merged, other] = ["a", "b"].map(|prefix| {
        let group = |number| {
            let mut group = json["groups"][0].clone();
            group["entity_id"] = format!("{prefix}{number}").into();
            group
        };
        let mut json = json.clone();
        json["groups"] = (0..GROUPS).map(group).collect();
        serde_json::from_value::<Totals>(json).expect("totals are read back")
    });
    let start = Instant::now();
    merged.merge(&other).expect("they have no metrics");
    merged.merge(&other).expect("they have no metrics");
    let took = start.elapsed();
    assert_eq!(merged.groups.len(), 2 * GROUPS);
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[test]
fn st1_counts_of_events_that_contradict_each_other_are_refused() {
    let runtime = running("shop");
    let recorder = runtime.create_recorder("one").expect("the id is free");
    recorder.metric::<Ticks>().expect("the recorder runs");
    recorder.emit(Ticked);
    let totals = runtime.totals(Scope::PerEntity).expect("the runtime runs");
    let totals = serde_json::to_value(totals).expect("totals serialise");
    let snapshot =
        serde_json::to_value(runtime.snapshot().expect("the runtime runs")).expect("it serialises");
    for (count, number) in
        [("accepted", 0), ("processed", 2), ("pending", 2), ("discarded", 2), ("dropped", 1)]
    {
        let changed = |json: &serde_json::Value, at: &str| {
            let mut json = json.clone();
            json.pointer_mut(at).expect("there are counts")[count] = number.into();
            json
        };
        for at in ["/groups/0/stats", "/recorders/0/stats"] {
            let error = serde_json::from_value::<Totals>(changed(&totals, at)).expect_err("they contradict");
            assert!(error.to_string().contains("counts of events"), "{error}");
        }
        let snapshot = changed(&snapshot, "/recorders/0/stats");
        let error = serde_json::from_value::<RuntimeSnapshot>(snapshot).expect_err("they contradict");
        assert!(error.to_string().contains("counts of events"), "{error}");
    }
}
