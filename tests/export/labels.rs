//! Covers the labels of series that are not those of a breakdown: LB4 (constant labels) and LB5 (`namespace` and `entity_id`).

use std::collections::BTreeSet;

use mvx_metrics::export::{ExpositionOptions, Format, Scope};
use mvx_metrics::{
    Breakdown, Counter, Gauge, Histogram, Metric, MetricsRuntime, MetricsRuntimeBuilder, RecorderOptions,
    RuntimeSnapshot, Totals, metric_event,
};

use crate::everything::{Work, emit, worker};
use crate::fixtures::{FORMATS, SCOPES, assert_grouped, running, value};
use crate::samples::of_text;

#[metric_event]
struct Moved {
    namespace: &'static str,
    region: &'static str,
    weight: u64,
}

#[derive(Metric, Default)]
#[metric(name = "moves", on(Moved))]
struct Moves {
    total: Counter,
    #[dimension(by = (namespace, region), limit = 2)]
    by_place: Breakdown<(&'static str, &'static str), Counter>,
    #[dimension(by = region, value = weight, buckets = [10, 100], limit = 8)]
    weight: Breakdown<&'static str, Histogram<u64>>,
    #[dimension(value = weight, buckets = [10, 100])]
    weights: Histogram<u64>,
    #[dimension(value = |e| e.weight.cast_signed(), merge = max)]
    heaviest: Gauge<i64>,
}

fn moved(namespace: &'static str, region: &'static str, weight: u64) -> Moved {
    Moved { namespace, region, weight }
}

fn started(builder: MetricsRuntimeBuilder) -> MetricsRuntime {
    let runtime = builder.build().expect("valid choices");
    runtime.start().expect("a thread can be started");
    runtime
}

/// A runtime with these labels and one recorder that has counted one event.
fn shop_with(labels: &[(&str, &str)]) -> MetricsRuntime {
    let builder = MetricsRuntime::builder("shop");
    let runtime = started(labels.iter().fold(builder, |builder, (name, value)| builder.label(*name, *value)));
    let recorder = runtime.create_recorder("one").expect("the id is free");
    recorder.metric::<Moves>().expect("the recorder runs");
    recorder.emit(moved("a", "b", 7));
    runtime
}

fn text(runtime: &MetricsRuntime, options: &ExpositionOptions) -> String {
    let exposition = runtime.exposition_with(options).expect("the runtime runs");
    assert_eq!(exposition.skipped, []);
    assert_grouped(&exposition.text);
    exposition.text
}

fn both(one: &MetricsRuntime, other: &MetricsRuntime, options: &ExpositionOptions) -> String {
    let exposition = MetricsRuntime::exposition_of(&[one, other], options).expect("they run");
    assert_eq!(exposition.skipped, []);
    assert_grouped(&exposition.text);
    exposition.text
}

fn series(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.starts_with('#')).collect()
}

#[test]
fn lb4_constant_labels_are_on_every_series() {
    let runtime = shop_with(&[("zone", "z\"1\\\n"), ("region", "north")]);
    for (scope, format) in SCOPES.iter().flat_map(|scope| FORMATS.map(|format| (*scope, format))) {
        let options = ExpositionOptions::new().scope(scope).format(format).label("stage", "test");
        let text = text(&runtime, &options);
        for series in series(&text) {
            assert!(series.contains(",region=\"north\",zone=\"z\\\"1\\\\\\n\",stage=\"test\""), "{series}");
        }
        let of_breakdown = ",stage=\"test\",exported_namespace=\"a\",exported_region=\"b\"} 1\n";
        assert!(text.contains(of_breakdown), "{text}");
    }
}

#[test]
fn lb4_target_info_comes_first_and_takes_the_labels_off_the_other_series() {
    let runtime = shop_with(&[("zone", "z1"), ("region", "north")]);
    let heads = [
        (Format::Prometheus, "# HELP target_info The labels of the process.\n# TYPE target_info gauge\n"),
        (Format::OpenMetrics, "# HELP target The labels of the process.\n# TYPE target info\n"),
    ];
    for (format, head) in heads {
        let options = ExpositionOptions::new().format(format).target_info(true).label("stage", "test");
        let text = text(&runtime, &options);
        let expected = format!("{head}target_info{{region=\"north\",zone=\"z1\",stage=\"test\"}} 1\n");
        assert!(text.starts_with(&expected), "{text}");
        for series in &series(&text)[1..] {
            assert!(series.contains(",stage=\"test\"") && !series.contains("zone"), "{series}");
            assert!(!series.contains(",region"), "a join with target_info would find {series} ambiguous");
        }
        assert!(text.contains(",exported_region=\"b\"} 1\n"), "{text}");
    }
    let without = text(&shop_with(&[]), &ExpositionOptions::new().target_info(true));
    assert!(!without.contains("target"), "{without}");
}

#[test]
fn lb4_each_runtime_has_its_labels_and_target_info_those_that_all_have() {
    let north = shop_with(&[("region", "north"), ("host", "h1")]);
    let south = shop_with(&[("region", "south"), ("host", "h1"), ("rack", "r1")]);
    let together = text_of_total(&both(&north, &south, &ExpositionOptions::new()));
    let expected = [
        "moves_total{namespace=\"shop\",host=\"h1\",rack=\"r1\",region=\"south\"} 1",
        "moves_total{namespace=\"shop\",host=\"h1\",region=\"north\"} 1",
    ];
    assert_eq!(together, BTreeSet::from(expected.map(str::to_owned)));
    let text = both(&north, &south, &ExpositionOptions::new().target_info(true));
    assert!(text.contains("\ntarget_info{host=\"h1\"} 1\n"), "{text}");
    let expected = [
        "moves_total{namespace=\"shop\",rack=\"r1\",region=\"south\"} 1",
        "moves_total{namespace=\"shop\",region=\"north\"} 1",
    ];
    assert_eq!(text_of_total(&text), BTreeSet::from(expected.map(str::to_owned)));
    // A breakdown of one runtime cannot be taken for a constant label of another.
    assert!(!text.contains(",region=\"b\""), "{text}");
}

/// The series of `moves_total`.
fn text_of_total(text: &str) -> BTreeSet<String> {
    text.lines().filter(|line| line.starts_with("moves_total{")).map(str::to_owned).collect()
}

#[test]
fn lb4_a_name_that_cannot_be_used_is_an_invalid_argument() {
    for names in [
        &["9"][..],
        &[""],
        &["a b"],
        &["ü"],
        &["service.name"],
        &["__name__"],
        &["le"],
        &["quantile"],
        &["namespace"],
        &["entity_id"],
        &["region", "zone", "region"],
        &["le", "region"],
    ] {
        let builder = MetricsRuntime::builder("shop");
        let built = names.iter().fold(builder, |builder, name| builder.label(*name, "x")).build();
        let error = built.map(|_| ()).expect_err("the name is not valid");
        assert_eq!(error.reason(), "INVALID_ARGUMENT", "{names:?}");
        assert!(error.to_string().contains("label"), "{error}");

        let options = names.iter().fold(ExpositionOptions::new(), |options, name| options.label(*name, "x"));
        let runtime = shop_with(&[]);
        let error = runtime.exposition_with(&options).map(|_| ()).expect_err("the name is not valid");
        assert_eq!(error.reason(), "INVALID_ARGUMENT", "{names:?}");
        let totals = runtime.totals(Scope::Rollup).expect("the runtime runs");
        let error = totals.exposition_with(&options).map(|_| ()).expect_err("the name is not valid");
        assert_eq!(error.reason(), "INVALID_ARGUMENT", "{names:?}");
    }
}

#[test]
fn lb4_a_label_of_the_exposition_replaces_that_of_the_process() {
    let runtime = shop_with(&[("region", "north"), ("zone", "z1")]);
    let options = ExpositionOptions::new().label("region", "south");
    let all = text(&runtime, &options);
    assert!(all.contains("moves_total{namespace=\"shop\",zone=\"z1\",region=\"south\"} 1\n"), "{all}");
    assert!(!all.contains("north"), "{all}");
    let text = text(&runtime, &options.target_info(true));
    assert!(text.contains("\ntarget_info{zone=\"z1\",region=\"south\"} 1\n"), "{text}");
}

#[derive(Metric, Default)]
#[metric(name = "target", on(Moved))]
struct Target {
    #[dimension(value = |e| e.weight.cast_signed())]
    info: Gauge<i64>,
}

#[test]
fn lb4_no_metric_has_the_name_of_target_info() {
    let runtime = shop_with(&[("region", "north")]);
    let recorder = runtime.get_recorder("one").expect("it is there");
    recorder.register_metric(Target::default()).expect("the recorder runs");
    recorder.emit(moved("a", "b", 7));
    let plain = text(&runtime, &ExpositionOptions::new());
    assert!(plain.contains("target_info{namespace=\"shop\",region=\"north\"} 7\n"), "{plain}");
    for format in FORMATS {
        let options = ExpositionOptions::new().format(format).target_info(true);
        let shown = runtime.exposition_with(&options).expect("the runtime runs");
        assert_grouped(&shown.text);
        let skipped: Vec<_> = shown.skipped.iter().map(|skipped| skipped.family.as_str()).collect();
        assert_eq!(skipped, ["target_info"]);
        assert_eq!(shown.text.matches("\ntarget_info{").count(), 1, "{}", shown.text);
    }
}

#[test]
fn lb4_totals_and_snapshots_carry_the_labels() {
    let runtime = shop_with(&[("region", "north"), ("host", "h1")]);
    let totals = runtime.totals(Scope::Rollup).expect("the runtime runs");
    let json = serde_json::to_value(&totals).expect("totals serialise");
    assert_eq!(json["labels"], serde_json::json!({ "region": "north", "host": "h1" }));
    let back: Totals = serde_json::from_value(json.clone()).expect("totals are read back");
    assert_eq!((back.labels(), &back), (totals.labels(), &totals));
    let samples = |totals: &Totals| of_text(&totals.exposition(Format::OpenMetrics).text);
    assert_eq!(samples(&back), samples(&totals));

    let snapshot = runtime.snapshot().expect("the runtime runs");
    let text = serde_json::to_string(&snapshot).expect("snapshots serialise");
    let back: RuntimeSnapshot = serde_json::from_str(&text).expect("it is read back");
    assert_eq!((back.labels(), &back), (snapshot.labels(), &snapshot));
    assert_eq!(back.totals(Scope::Rollup).labels(), totals.labels());

    let bytes = rmp_serde::to_vec_named(&totals).expect("totals serialise");
    let back: Totals = rmp_serde::from_slice(&bytes).expect("totals are read back");
    assert_eq!(back.labels(), totals.labels());

    for labels in ["{\"le\":\"1\"}", "{\"a b\":\"1\"}", "{\"a\":\"1\",\"a\":\"2\"}", "[]", "{\"a\":1}"] {
        let json = serde_json::to_string(&totals).expect("totals serialise");
        let hostile = json.replacen("{\"host\":\"h1\",\"region\":\"north\"}", labels, 1);
        assert_ne!(hostile, json);
        assert!(serde_json::from_str::<Totals>(&hostile).is_err(), "{labels} is read back");
    }
    let none = shop_with(&[]).totals(Scope::Rollup).expect("the runtime runs");
    assert_eq!(serde_json::to_value(&none).expect("totals serialise").get("labels"), None);
}

#[test]
fn lb4_merged_totals_have_the_labels_that_are_equal_in_both() {
    let of = |labels| shop_with(labels).totals(Scope::Rollup).expect("the runtime runs");
    let mut merged = of(&[("region", "north"), ("host", "h1"), ("rack", "r1")]);
    merged
        .merge(&of(&[("region", "north"), ("host", "h2"), ("row", "2")]))
        .expect("they are of one declaration");
    assert_eq!(merged.labels().iter().collect::<Vec<_>>(), [(&"region".to_owned(), &"north".to_owned())]);
    let text = merged.exposition(Format::Prometheus).text;
    assert_eq!(value(&text, "moves_total{namespace=\"shop\",region=\"north\"}").to_string(), "2");
}

/// Recorders of two namespaces, and one that was removed.
fn two_namespaces() -> MetricsRuntime {
    let runtime = running("shop");
    for (id, namespace, events) in
        [("one", "shop", 12), ("two", "depot", 5), ("three", "depot", 30), ("gone", "attic", 4)]
    {
        let options = RecorderOptions::new().namespace(namespace);
        let recorder = runtime.create_recorder_with(id, options).expect("the id is free");
        recorder.metric::<Work>().expect("the recorder runs");
        emit(&recorder, events);
    }
    runtime.stop_and_remove_recorder("gone").expect("it stops");
    runtime
}

/// The same recorders, all of one namespace.
fn one_namespace() -> MetricsRuntime {
    let runtime = running("shop");
    for (id, events) in [("one", 12), ("two", 5), ("three", 30), ("gone", 4)] {
        emit(&worker(&runtime, id), events);
    }
    runtime.stop_and_remove_recorder("gone").expect("it stops");
    runtime
}

#[test]
fn lb5_namespace_and_entity_can_be_renamed() {
    let runtime = two_namespaces();
    for (scope, format) in SCOPES.iter().flat_map(|scope| FORMATS.map(|format| (*scope, format))) {
        let options = ExpositionOptions::new().scope(scope).format(format).created(false);
        let usual = text(&runtime, &options);
        let renamed = options.namespace_label(Some("component")).entity_id_label(Some("connection"));
        let expected =
            usual.replace("{namespace=\"", "{component=\"").replace(",entity_id=\"", ",connection=\"");
        assert_eq!(text(&runtime, &renamed), expected, "{scope:?} {format:?}");
    }
}

#[test]
fn lb5_the_names_that_are_free_again_are_those_of_breakdowns_and_the_new_ones_are_not() {
    let runtime = shop_with(&[]);
    let free = text(&runtime, &ExpositionOptions::new().namespace_label(None));
    assert!(free.contains("moves_by_place_total{namespace=\"a\",region=\"b\"} 1\n"), "{free}");
    let renamed = text(&runtime, &ExpositionOptions::new().namespace_label(Some("region")));
    let expected = "moves_by_place_total{region=\"shop\",namespace=\"a\",exported_region=\"b\"} 1\n";
    assert!(renamed.contains(expected), "{renamed}");
    let options = ExpositionOptions::new().namespace_label(Some("component")).label("namespace", "prod");
    let labelled = text(&runtime, &options);
    let expected = "moves_by_place_total{component=\"shop\",namespace=\"prod\",exported_namespace=\"a\",region=\"b\"} 1\n";
    assert!(labelled.contains(expected), "{labelled}");
}

#[test]
fn lb5_a_label_of_the_process_gives_way_to_a_renamed_one() {
    let runtime = shop_with(&[("component", "x"), ("exported_component", "y")]);
    let text = text(&runtime, &ExpositionOptions::new().namespace_label(Some("component")));
    let expected = "moves_total{component=\"shop\",exported_component_2=\"x\",exported_component=\"y\"} 1\n";
    assert!(text.contains(expected), "{text}");
}

#[test]
fn lb5_names_that_cannot_be_used_are_invalid_arguments() {
    let runtime = shop_with(&[]);
    let new = ExpositionOptions::new;
    for (options, argument) in [
        (new().namespace_label(Some("le")), "namespace_label"),
        (new().namespace_label(Some("")), "namespace_label"),
        (new().namespace_label(Some("a-b")), "namespace_label"),
        (new().entity_id_label(Some("__x")), "entity_id_label"),
        (new().namespace_label(Some("entity_id")), "entity_id_label"),
        (new().namespace_label(Some("x")).label("x", "1"), "label"),
        (new().entity_id_label(Some("x")).label("x", "1"), "label"),
    ] {
        let error = runtime.exposition_with(&options).map(|_| ()).expect_err("the name is not valid");
        assert_eq!(error.reason(), "INVALID_ARGUMENT");
        assert!(error.to_string().contains(&format!("{argument}:")), "{error}");
    }
}

#[test]
fn lb5_series_of_namespaces_that_coincide_are_added_up() {
    let (two, one) = (two_namespaces(), one_namespace());
    for format in FORMATS {
        let options = ExpositionOptions::new().format(format).namespace_label(None);
        // The limit of a breakdown holds for the sums. Which labels are within it depends on the order of the recorders.
        let samples = |runtime| {
            let mut samples = of_text(&text(runtime, &options).replace("_created ", "_created{} "));
            samples.retain(|series, _| !series.contains("place=\""));
            samples
        };
        assert_eq!(samples(&two), samples(&one), "{format:?}");
        assert!(samples(&two).keys().all(|series| !series.contains("namespace")));
    }
    let text = text(&two, &ExpositionOptions::new().namespace_label(None));
    assert_eq!(value(&text, "work_all_total").to_string(), "51");
    assert_eq!(value(&text, "mvx_metrics_recorders_removed_total").to_string(), "1");
    assert_eq!(value(&text, "mvx_metrics_recorders{state=\"RUNNING\"}").to_string(), "3");
    let of_places =
        text.lines().filter_map(|line| line.strip_prefix("work_by_place_total{")?.rsplit_once(' '));
    let counts: Vec<u64> = of_places.map(|(_, count)| count.parse().expect("a count")).collect();
    assert_eq!((counts.len(), counts.iter().sum::<u64>()), (4, 51));
}

#[test]
fn lb5_series_of_entities_that_coincide_are_added_up() {
    let runtime = two_namespaces();
    let options = ExpositionOptions::new().scope(Scope::PerEntity).entity_id_label(None);
    let text = text(&runtime, &options);
    assert!(!text.contains("entity_id"), "{text}");
    assert_eq!(value(&text, "work_all_total{namespace=\"depot\"}").to_string(), "35");
    assert_eq!(value(&text, "work_all_total{namespace=\"shop\"}").to_string(), "12");
    assert_eq!(value(&text, "mvx_metrics_events_accepted_total{namespace=\"depot\"}").to_string(), "35");
    assert_eq!(value(&text, "mvx_metrics_recorders_removed_total{namespace=\"attic\"}").to_string(), "1");

    let exposition = runtime.exposition_with(&options.namespace_label(None)).expect("the runtime runs");
    assert_grouped(&exposition.text);
    assert_eq!(value(&exposition.text, "work_all_total").to_string(), "47");
    assert_eq!(value(&exposition.text, "mvx_metrics_recorders_removed_total").to_string(), "1");
}

#[test]
fn lb5_gauges_of_coinciding_series_follow_their_rule() {
    let runtime = running("shop");
    for (id, namespace, weight) in [("one", "north", 7), ("two", "south", 40), ("three", "south", 20)] {
        let options = RecorderOptions::new().namespace(namespace);
        let recorder = runtime.create_recorder_with(id, options).expect("the id is free");
        recorder.metric::<Moves>().expect("the recorder runs");
        recorder.emit(moved("a", "b", weight));
    }
    for scope in SCOPES {
        let options = ExpositionOptions::new().scope(scope).namespace_label(None).entity_id_label(None);
        let text = text(&runtime, &options);
        assert_eq!(value(&text, "moves_heaviest").to_string(), "40");
        assert_eq!(value(&text, "moves_weights_bucket{le=\"10.0\"}").to_string(), "1");
        assert_eq!(value(&text, "moves_weights_count").to_string(), "3");
        assert_eq!(value(&text, "moves_weight_bucket{region=\"b\",le=\"+Inf\"}").to_string(), "3");
    }
}

#[test]
fn lb5_labels_that_were_shown_keep_their_series_when_a_namespace_joins_or_its_recorders_leave() {
    let runtime = running("shop");
    let add = |id: &str, namespace: &str, regions: &[&'static str]| {
        let options = RecorderOptions::new().namespace(namespace);
        let recorder = runtime.create_recorder_with(id, options).expect("the id is free");
        recorder.metric::<Moves>().expect("the recorder runs");
        for region in regions {
            recorder.emit(moved("x", region, 1));
        }
    };
    let options = ExpositionOptions::new().namespace_label(None);
    let counts = || {
        let text = text(&runtime, &options);
        let lines =
            text.lines().filter_map(|line| line.strip_prefix("moves_by_place_total{namespace=\"x\",region="));
        lines.map(str::to_owned).collect::<BTreeSet<_>>()
    };
    let expected = |lines: [&str; 2]| lines.map(str::to_owned).into_iter().collect::<BTreeSet<_>>();
    add("one", "zoo", &["a", "b"]);
    assert_eq!(counts(), expected(["\"a\"} 1", "\"b\"} 1"]));
    // The name of this namespace comes before that of the first one.
    add("two", "attic", &["c", "a", "d"]);
    assert_eq!(counts(), expected(["\"a\"} 2", "\"b\"} 1"]));
    for id in ["one", "two"] {
        runtime.stop_and_remove_recorder(id).expect("it stops");
        assert_eq!(counts(), expected(["\"a\"} 2", "\"b\"} 1"]));
    }
}
