//! Covers OT1 with hostile input: names, labels and values that no derived metric has. What is left out is counted and named.

use std::borrow::Cow;
use std::time::Duration;

use mvx_metrics::{
    Breakdown, BreakdownEntry, Bucket, Counter, DimensionKind, DimensionValue, Extreme, HistogramSnapshot,
    Metric, Number, Recent, Scope, Totals, metric_event,
};
use mvx_metrics_otlp::{Encoder, LeftOutDimension, OtlpOptions};
use mvx_metrics_tests::Handwritten;

use crate::decode::{Decoded, Kind, Value, push};
use crate::fixtures::{dimension, running, runtime_with};
use crate::numbers::attributes;

fn totals_of(metrics: Vec<Handwritten>) -> Totals {
    runtime_with(metrics).totals(Scope::Rollup).expect("it runs")
}

/// A push of these metrics, and what it leaves out.
fn pushed(metrics: Vec<Handwritten>) -> (Decoded, Vec<LeftOutDimension>) {
    let mut encoder = Encoder::new(&OtlpOptions::new());
    let totals = totals_of(metrics);
    let first = push(&mut encoder, &totals);
    // A second push of the same encoder says the same.
    let left_out = encoder.left_out().to_vec();
    let second = push(&mut encoder, &totals);
    assert_eq!((&first.points, &left_out[..]), (&second.points, encoder.left_out()));
    let count = first.only("mvx_metrics.dimensions_left_out");
    assert_eq!(count.value, Value::Int(i64::try_from(left_out.len()).expect("a few")));
    (first, left_out)
}

fn named(left_out: &[LeftOutDimension]) -> Vec<(&str, &str)> {
    left_out.iter().map(|left_out| (&*left_out.metric, &*left_out.dimension)).collect()
}

fn counter(value: u64) -> DimensionValue {
    DimensionValue::Unsigned(value)
}

fn by(
    labels: &[&'static str],
    entries: &[(&[&str], DimensionValue)],
) -> (Vec<Cow<'static, str>>, DimensionValue) {
    let entries = entries.iter().map(|(labels, value)| BreakdownEntry {
        labels: labels.iter().map(|label| (*label).to_owned().into()).collect(),
        value: value.clone(),
    });
    (labels.iter().map(|label| Cow::Borrowed(*label)).collect(), DimensionValue::Breakdown(entries.collect()))
}

fn broken_down(
    name: &'static str,
    kind: DimensionKind,
    labels: &[&'static str],
    entries: &[(&[&str], DimensionValue)],
) -> (mvx_metrics::DimensionDescriptor, DimensionValue) {
    let (labels, value) = by(labels, entries);
    let (mut declared, value) = dimension(name, kind, value);
    declared.labels = labels.into();
    (declared, value)
}

#[test]
fn ot1_labels_may_have_any_names_and_any_texts() {
    let long = "x".repeat(10_000);
    let names = ["namespace", "entity_id", "quantile", "state", "state", "", "größe\0"];
    let texts: [&str; 7] = ["a", "", "\0", &long, "b", "\u{1f980}", "\"\n\\"];
    let (decoded, left_out) = pushed(vec![Handwritten::new(
        "odd",
        vec![broken_down("labels", DimensionKind::Counter, &names, &[(&texts, counter(7))])],
    )]);
    assert_eq!(left_out, []);
    let ((_, labels), point) =
        decoded.points.iter().find(|((name, _), _)| name == "odd.labels").expect("a point");
    assert_eq!(point.value, Value::Int(7));
    let expected = [
        ("namespace", "shop"),
        ("exported_namespace", "a"),
        ("exported_entity_id", ""),
        ("exported_quantile", "\0"),
        ("state", &*long),
        ("state_2", "b"),
        ("label", "\u{1f980}"),
        ("größe\0", "\"\n\\"),
    ];
    assert_eq!(*labels, attributes(&expected));
}

#[metric_event]
struct Called {
    entity_id: String,
    took: Duration,
}

#[derive(Metric, Default)]
#[metric(name = "calls", on(Called))]
struct Calls {
    #[dimension(by = entity_id, limit = 10)]
    by_entity: Breakdown<String, Counter>,
    #[dimension(by = entity_id, value = took, limit = 10)]
    recent: Breakdown<String, Recent<mvx_metrics::Histogram<Duration>, 60>>,
}

#[test]
fn ot1_a_breakdown_by_entity_keeps_its_label_beside_the_recorders_entity() {
    let runtime = running("shop");
    let recorder = runtime.create_recorder("server\0").expect("the id is free");
    recorder.metric::<Calls>().expect("it runs");
    recorder.emit(Called { entity_id: "client".to_owned(), took: Duration::from_secs(2) });
    let totals = runtime.totals(Scope::PerEntity).expect("it runs");
    let decoded = push(&mut Encoder::new(&OtlpOptions::new()), &totals);
    let labels = [("namespace", "shop"), ("entity_id", "server\0"), ("exported_entity_id", "client")];
    let id = ("calls.by_entity".to_owned(), attributes(&labels));
    assert_eq!(decoded.points[&id].value, Value::Int(1));
    let mut id = ("calls.recent".to_owned(), attributes(&labels));
    id.1.insert("quantile".to_owned(), "0.99".to_owned());
    assert_eq!((decoded.points[&id].kind, &decoded.points[&id].value), (Kind::Gauge, &Value::Double(2.0)));
}

#[test]
fn ot1_names_become_those_of_the_syntax_and_the_first_of_two_equal_ones_stays() {
    let number = |value| vec![dimension("a", DimensionKind::Counter, counter(value))];
    let (decoded, left_out) = pushed(vec![
        Handwritten::new("größe", number(2)),
        // The same name.
        Handwritten::new("gr__e", number(3)),
        // The same but for its case.
        Handwritten::new("GR__E", number(4)),
        Handwritten::new("9", number(5)),
        Handwritten::new("x".repeat(10_000), number(6)),
        // The same once its end is cut off.
        Handwritten::new("x".repeat(9_999), number(7)),
        Handwritten::new("dotted", vec![dimension("b.c", DimensionKind::Counter, counter(8))]),
        Handwritten::new("dotted.b", vec![dimension("c", DimensionKind::Counter, counter(9))]),
        Handwritten::new("alone", vec![dimension("", DimensionKind::Counter, counter(10))]),
        Handwritten::new("nul\0", number(11)),
    ]);
    let value = |name: &str| decoded.only(name).value.clone();
    let shown = ["gr__e.a", "metric_9.a", &"x".repeat(255), "dotted.b.c", "alone", "nul_.a"];
    assert_eq!(shown.map(value), [2, 5, 6, 8, 10, 11].map(Value::Int));
    let long = "x".repeat(9_999);
    assert_eq!(named(&left_out), [("gr__e", "a"), ("GR__E", "a"), (&*long, "a"), ("dotted.b", "c")]);
    assert_eq!(left_out[0].reason, "`gr__e.a` belongs to `a` of the metric `größe`");
    assert_eq!(
        left_out[3].to_string(),
        "`c` of the metric `dotted.b` is left out: `dotted.b.c` belongs to `b.c` of the metric `dotted`"
    );
}

#[test]
fn ot1_the_librarys_own_names_stay_its_own() {
    let names = ["events_accepted", "events_dropped", "of_mine", "dimensions_left_out"];
    let dimensions = names.map(|name| dimension(name, DimensionKind::Counter, counter(1_000))).to_vec();
    let (decoded, left_out) = pushed(vec![
        Handwritten::new("mvx_metrics", dimensions),
        Handwritten::new(
            "MVX_metrics.of_mine",
            vec![dimension("too", DimensionKind::Counter, counter(1_000))],
        ),
    ]);
    assert_eq!(named(&left_out).len(), 5);
    assert!(decoded.points.values().all(|point| point.value != Value::Int(1_000)));
    assert_eq!(decoded.only("mvx_metrics.events_accepted").value, Value::Int(0));
}

#[test]
fn ot1_values_without_a_form_are_left_out_and_named() {
    let list = DimensionValue::List(vec![counter(1)]);
    let map = DimensionValue::map([
        ("text", "a".to_owned().into()),
        ("number", counter(3)),
        ("none", None::<u64>.into()),
    ]);
    let custom = DimensionKind::Custom;
    let (decoded, left_out) = pushed(vec![Handwritten::new(
        "odd",
        vec![
            dimension("text", custom, "a".to_owned()),
            dimension("truth", custom, true),
            dimension("list", custom, list.clone()),
            dimension("map", custom, map.clone()),
            dimension("empty", custom, DimensionValue::Empty),
            dimension("unknown", DimensionKind::Max, DimensionValue::Unknown),
            broken_down(
                "mixed",
                custom,
                &["kind"],
                &[
                    (&["a"], "text".to_owned().into()),
                    (&["b"], counter(5)),
                    (&["c"], list),
                    (&["d"], counter(6)),
                ],
            ),
            broken_down("maps", custom, &["kind"], &[(&["a"], map.clone()), (&["b"], map)]),
        ],
    )]);
    let expected = ["list", "maps_text", "map_text", "mixed", "text", "truth"];
    let mut names: Vec<_> = named(&left_out).into_iter().map(|(_, dimension)| dimension).collect();
    names.sort_unstable();
    assert_eq!(names, sorted(expected));
    assert_eq!(decoded.only("odd.map_number").value, Value::Int(3));
    let mixed = decoded.points.iter().filter(|((name, _), _)| name == "odd.mixed");
    assert_eq!(mixed.map(|(_, point)| &point.value).collect::<Vec<_>>(), [&Value::Int(5), &Value::Int(6)]);
    assert_eq!(decoded.names().iter().filter(|name| name.starts_with("odd.")).count(), 3);
}

fn sorted<const N: usize>(mut names: [&str; N]) -> [&str; N] {
    names.sort_unstable();
    names
}

#[test]
fn ot1_the_part_of_a_map_may_have_the_name_of_another_dimension() {
    let map = DimensionValue::map([("part", counter(1))]);
    let custom = DimensionKind::Custom;
    let (decoded, left_out) = pushed(vec![Handwritten::new(
        "odd",
        vec![dimension("a", custom, map), dimension("a_part", custom, counter(2))],
    )]);
    assert_eq!(decoded.only("odd.a_part").value, Value::Int(1));
    assert_eq!(named(&left_out), [("odd", "a_part")]);
}

#[test]
fn ot1_dimensions_of_one_name_and_several_kinds_keep_the_first_kind() {
    let runtime = running("shop");
    let with = |id, kind, value| {
        let recorder = runtime.create_recorder(id).expect("the id is free");
        recorder
            .register_metric(Handwritten::new("load", vec![dimension("now", kind, value)]))
            .expect("it runs");
    };
    with("one", DimensionKind::Counter, counter(1));
    with("two", DimensionKind::Gauge, counter(2));
    let mut encoder = Encoder::new(&OtlpOptions::new());
    for scope in [Scope::PerEntity, Scope::Rollup] {
        let decoded = push(&mut encoder, &runtime.totals(scope).expect("it runs"));
        assert_eq!(
            (decoded.only("load.now").kind, &decoded.only("load.now").value),
            (Kind::Counter, &Value::Int(1))
        );
        assert_eq!(named(encoder.left_out()), [("load", "now")]);
    }
}

#[test]
fn ot1_numbers_of_every_size_are_shown() {
    let numbers = [
        ("unsigned", counter(u64::MAX), Value::Double(18_446_744_073_709_551_616.0)),
        ("signed", DimensionValue::Signed(i64::MIN), Value::Int(i64::MIN)),
        ("large", DimensionValue::Float(f64::MAX), Value::Double(f64::MAX)),
        ("small", DimensionValue::Float(-5e-324), Value::Double(-5e-324)),
        ("infinite", DimensionValue::Float(f64::INFINITY), Value::Double(f64::INFINITY)),
        ("long", Duration::MAX.into(), Value::Double(Duration::MAX.as_secs_f64())),
    ];
    let dimensions =
        numbers.iter().map(|(name, value, _)| dimension(*name, DimensionKind::Gauge, value.clone()));
    let (decoded, left_out) = pushed(vec![Handwritten::new("numbers", dimensions.collect())]);
    assert_eq!(left_out, []);
    for (name, _, expected) in numbers {
        assert_eq!(decoded.only(&format!("numbers.{name}")).value, expected, "{name}");
    }
}

#[test]
fn ot1_bounds_that_are_one_floating_point_number_have_one_bucket() {
    let bound = |bound: u64, count| Bucket { upper_bound: Some(Number::Unsigned(bound)), count };
    let large = 1_u64 << 53;
    let histogram = HistogramSnapshot {
        count: 15,
        sum: Number::Unsigned(9),
        min: Extreme::Unknown,
        max: Extreme::Known(Number::Unsigned(9)),
        buckets: vec![
            bound(5, 1),
            bound(large, 2),
            bound(large + 1, 4),
            bound(u64::MAX, 3),
            Bucket { upper_bound: None, count: 5 },
        ]
        .into(),
    };
    let (decoded, _) = pushed(vec![Handwritten::new(
        "sizes",
        vec![dimension("all", DimensionKind::Histogram, DimensionValue::Histogram(histogram))],
    )]);
    let Value::Distribution(all) = &decoded.only("sizes.all").value else { panic!("no histogram") };
    #[expect(clippy::cast_precision_loss, reason = "that is the case")]
    let bounds = [5.0, large as f64, u64::MAX as f64];
    assert_eq!((&all.bounds[..], &all.counts[..]), (&bounds[..], &[1, 6, 3, 5][..]));
    assert_eq!((all.count, all.extremes), (15, [None, Some(9.0)]));
}

#[test]
fn ot1_what_totals_leave_out_is_counted_too() {
    // A dimension without a rule to merge has no total.
    let (mut declared, value) = dimension("alone", DimensionKind::Custom, counter(1));
    declared.merge = None;
    let (decoded, left_out) = pushed(vec![Handwritten::new("odd", vec![(declared, value)])]);
    assert_eq!(named(&left_out), [("odd", "alone")]);
    assert!(!decoded.names().contains("odd.alone"));
}
