//! The catalogue of a program against the text that the running program shows. Covers CA1.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mvx_metrics::catalogue::{Catalogue, CatalogueError, CatalogueType};
use mvx_metrics::export::{Exposition, ExpositionOptions, Format};
use mvx_metrics::feed::{IntoMeasure, Record};
use mvx_metrics::{
    Breakdown, BreakdownEntry, Counter, Dimension, DimensionDescriptor, DimensionKind, DimensionValue, Gauge,
    Histogram, InFlight, Max, Mean, MergeRule, Metric, MetricsRecorder, MetricsRuntime, Min, Recent, Sum,
    Top, catalogue, metric_event,
};
use mvx_metrics_tests::Handwritten;
use proptest::prelude::*;
use proptest::sample::select;

use crate::everything::{self, Spread, Work};
use crate::fixtures::{Outcome, RequestFinished, RequestStarted, Requests, running};

#[metric_event]
struct Seen {
    outcome: Outcome,
    secure: bool,
    place: &'static str,
    elapsed: Duration,
    bytes: u64,
    balance: i64,
    ratio: f64,
    namespace: u64,
    le: bool,
    quantile: Outcome,
}

#[metric_event(name = "opened.twice")]
struct Opened;

/// Values of many forms: numbers in two levels, one that is missing at first, and a text.
#[derive(Default)]
struct Load {
    last: Option<f64>,
    calls: u64,
}

impl Dimension for Load {
    type Output = Option<f64>;
    const KIND: DimensionKind = DimensionKind::Custom;
    const MERGE: Option<fn(&mut Option<f64>, &Option<f64>)> = Some(|_, _| ());

    fn read(&self) -> Option<f64> {
        self.last
    }

    fn value(last: Option<f64>) -> DimensionValue {
        let calls = DimensionValue::map([("made", u64::from(last.is_some()).into()), ("lost", last.into())]);
        let size = if last.is_some() { "large" } else { "small" };
        DimensionValue::map([("last", last.into()), ("calls", calls), ("size", size.to_owned().into())])
    }
}

impl<V: IntoMeasure<f64>> Record<V> for Load {
    fn record(&mut self, value: V) -> bool {
        self.last = value.into_measure();
        self.calls += 1;
        self.last.is_some()
    }
}

/// A text that is no series.
#[derive(Default)]
struct Note(String);

impl Dimension for Note {
    type Output = String;
    const KIND: DimensionKind = DimensionKind::Custom;

    fn read(&self) -> String {
        self.0.clone()
    }

    fn value(note: String) -> DimensionValue {
        note.into()
    }
}

impl<V: IntoMeasure<f64>> Record<V> for Note {
    fn record(&mut self, value: V) -> bool {
        self.0 = value.into_measure().map(|value: f64| value.to_string()).unwrap_or_default();
        true
    }
}

/// A number that does not say how it merges, so no rollup has it.
#[derive(Default)]
struct Alone(f64);

impl Dimension for Alone {
    type Output = f64;
    const KIND: DimensionKind = DimensionKind::Custom;

    fn read(&self) -> f64 {
        self.0
    }

    fn value(number: f64) -> DimensionValue {
        number.into()
    }
}

impl<V: IntoMeasure<f64>> Record<V> for Alone {
    fn record(&mut self, value: V) -> bool {
        self.0 = value.into_measure().unwrap_or_default();
        true
    }
}

/// Users' own dimensions.
#[derive(Metric, Default)]
#[metric(name = "own", on(Seen))]
struct Own {
    /// Its help.
    #[dimension(value = ratio)]
    load: Load,
    #[dimension(value = ratio, by = secure)]
    load_by_secure: Breakdown<bool, Load>,
    #[dimension(value = ratio, by(place, secure), limit = 3)]
    load_by_place: Breakdown<(&'static str, bool), Load>,
    #[dimension(value = ratio, merge = sum)]
    note: Note,
    #[dimension(value = ratio)]
    alone: Alone,
    #[dimension(value = ratio, merge = max)]
    largest: Alone,
    #[dimension(value = ratio)]
    spread_lately: Recent<Spread, 3_600>,
    #[dimension(value = ratio, by = place, limit = 3)]
    spread_lately_by: Breakdown<&'static str, Recent<Spread, 3_600>>,
}

/// What happened in the last hour.
#[derive(Metric, Default)]
#[metric(name = "lately", on(Seen))]
struct Lately {
    requests_total: Recent<Counter, 3_600>,
    #[dimension(value = bytes, unit = bytes)]
    sent: Recent<Sum<u64>, 3_600>,
    #[dimension(value = elapsed, unit = milliseconds)]
    slowest: Recent<Max<Duration>, 3_600>,
    #[dimension(value = bytes)]
    mean: Recent<Mean<u64>, 3_600>,
    #[dimension(value = ratio)]
    ratios: Recent<Mean<f64>, 3_600>,
    #[dimension(set = balance)]
    balance: Recent<Gauge<i64>, 3_600>,
    #[dimension(add = bytes, sub = 3)]
    change: Recent<InFlight, 3_600>,
    #[dimension(value = bytes, buckets = [100, 200, 400])]
    sizes: Recent<Histogram<u64>, 3_600>,
    #[dimension(value = balance)]
    balances: Recent<Histogram<i64>, 3_600>,
    #[dimension(by = outcome)]
    by_outcome: Breakdown<Outcome, Recent<Counter, 3_600>>,
    #[dimension(by = place, limit = 2, value = bytes, buckets = [100, 200, 400])]
    by_place: Breakdown<String, Recent<Histogram<u64>, 3_600>>,
}

/// The largest.
#[derive(Metric, Default)]
#[metric(name = "largest", on(Seen))]
struct Largest {
    /// The busiest places.
    #[dimension(by = place, keep = 2)]
    busiest: Top<&'static str, Counter>,
    #[dimension(by(place, secure), keep = 2, value = elapsed)]
    slowest: Top<(&'static str, bool), Sum<Duration>>,
    #[dimension(by = place, keep = 2, value = bytes, unit = bytes)]
    heaviest: Top<&'static str, Sum<u64>>,
}

/// Statistics of one place.
#[derive(Metric, Default)]
#[metric(on(Seen))]
struct PlaceStats {
    /// All of them.
    seen: Counter,
    #[dimension(value = elapsed, buckets = [0.1, 1.0])]
    took: Histogram<Duration>,
    #[dimension(set = balance)]
    level: Gauge<i64>,
    #[dimension(value = ratio)]
    load: Load,
    #[dimension(value = ratio)]
    mean: Mean<f64>,
}

#[derive(Metric, Default)]
#[metric(name = "places", on(Seen), by = place, limit = 4)]
struct Places {
    per_place: Breakdown<&'static str, PlaceStats>,
}

/// A metric inside of another one, a hostile name, and zeros that are switched off.
#[derive(Metric, Default)]
#[metric(name = "lives.total", on(Seen))]
struct Hostile {
    #[dimension(flatten(prefix = "inner"))]
    inner: PlaceStats,
    #[dimension(by(namespace, le, quantile), limit = 9)]
    by_reserved: Breakdown<(u64, bool, Outcome), Counter>,
    #[dimension(by = outcome, zeros = off)]
    quiet: Breakdown<Outcome, Counter>,
    #[dimension(value = bytes, unit = "bytes_total")]
    rate_total: Max<u64>,
    #[dimension(value = ratio, unit = percent)]
    part: Gauge<f64>,
    #[dimension(value = bytes, unit = "bytes")]
    read_bytes_total: Sum<u64>,
    #[dimension(value = bytes, max_buckets = 20)]
    exponential: Histogram<u64>,
    #[dimension(value = balance)]
    least: Min<i64>,
    #[dimension(on(Opened))]
    opened: Counter,
}

fn handwritten() -> Handwritten {
    let declared = |name: &'static str, kind, labels: &[&'static str]| {
        let mut declared = DimensionDescriptor::new(name, kind);
        declared.labels = labels.iter().map(|label| Cow::Borrowed(*label)).collect();
        declared
    };
    let entry = |labels: &[&'static str], value: DimensionValue| BreakdownEntry {
        labels: labels.iter().map(|label| Cow::Borrowed(*label)).collect(),
        value,
    };
    let breakdown = |entries: Vec<BreakdownEntry>| DimensionValue::Breakdown(entries);
    let bytes = breakdown(vec![entry(&["a", "b"], 1_u64.into()), entry(&["a", "c"], 2_u64.into())]);
    let parts = DimensionValue::map([("low", 0.5.into()), ("text", "x".to_owned().into())]);
    Handwritten::new(
        "hand.written",
        vec![
            (declared("bytes total", DimensionKind::Counter, &["path", "path"]), bytes),
            (declared("flag", DimensionKind::Gauge, &[]), true.into()),
            (declared("list", DimensionKind::Gauge, &[]), vec![1_u64].into()),
            (declared("level", DimensionKind::Gauge, &[]), (-3_i64).into()),
            (declared("sum", DimensionKind::Sum, &["__x"]), breakdown(vec![entry(&["y"], 0.5.into())])),
            (merged("map", DimensionKind::Custom), parts),
            (DimensionDescriptor::new("left_out", DimensionKind::Custom), 1_u64.into()),
        ],
    )
}

fn merged(name: &'static str, kind: DimensionKind) -> DimensionDescriptor {
    let mut declared = DimensionDescriptor::new(name, kind);
    declared.merge = Some(MergeRule::Sum);
    declared
}

/// One family: its type, its help and the labels of its series, of which `le` and `namespace` are no part.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Shown {
    family_type: String,
    help: String,
    labels: BTreeSet<Vec<String>>,
}

/// The families of the metrics in a text of Prometheus.
fn families_of(text: &str) -> BTreeMap<String, Shown> {
    let mut families: BTreeMap<String, Shown> = BTreeMap::new();
    let mut current = String::new();
    let mut help = "";
    for line in text.lines() {
        if let Some(head) = line.strip_prefix("# HELP ") {
            help = head.split_once(' ').expect("a help").1;
        } else if let Some(head) = line.strip_prefix("# TYPE ") {
            let (name, family_type) = head.split_once(' ').expect("a type");
            name.clone_into(&mut current);
            let (family_type, help) = (family_type.to_owned(), help.to_owned());
            families.insert(current.clone(), Shown { family_type, help, labels: BTreeSet::new() });
        } else {
            let family = families.get_mut(&current).expect("a head in front of its series");
            family.labels.insert(label_names(line));
        }
    }
    families.retain(|name, _| !name.starts_with("mvx_metrics_"));
    families
}

fn label_names(line: &str) -> Vec<String> {
    let mut names = Vec::new();
    let Some((_, mut rest)) = line.split_once('{') else { return names };
    while let Some((name, value)) = rest.split_once("=\"") {
        names.push(name.trim_start_matches(',').to_owned());
        let mut is_escaped = false;
        let end = value.find(|character| {
            let ends = character == '"' && !is_escaped;
            is_escaped = character == '\\' && !is_escaped;
            ends
        });
        rest = &value[end.expect("the end of a value") + 1..];
        if rest.starts_with('}') {
            break;
        }
    }
    names.retain(|name| !["namespace", "le"].contains(&&**name));
    names
}

/// The same families as the catalogue promises them.
fn promised(catalogue: &Catalogue) -> BTreeMap<String, Shown> {
    let dimensions = catalogue.metrics.iter().flat_map(|metric| &metric.dimensions);
    let mut families = BTreeMap::new();
    for family in dimensions.flat_map(|dimension| &dimension.families) {
        let family_type = match family.family_type {
            CatalogueType::Counter => "counter",
            CatalogueType::Gauge => "gauge",
            CatalogueType::Histogram => "histogram",
            CatalogueType::Summary => "summary",
            _ => "untyped",
        };
        let help = family.help.replace('\\', "\\\\").replace('\n', "\\n");
        let labels = BTreeSet::from([family.labels.clone()]);
        let shown = Shown { family_type: family_type.to_owned(), help, labels };
        let earlier = families.insert(family.name.clone(), shown);
        assert_eq!(earlier, None, "{} stands twice", family.name);
    }
    families
}

fn assert_same(catalogue: &Catalogue, exposition: &Exposition) {
    let (shown, promised) = (families_of(&exposition.text), promised(catalogue));
    for (name, family) in &shown {
        assert_eq!(promised.get(name), Some(family), "{name} of the text");
    }
    for (name, family) in &promised {
        assert_eq!(shown.get(name), Some(family), "{name} of the catalogue, in\n{}", exposition.text);
    }
}

fn exposition(runtime: &MetricsRuntime, format: Format) -> Exposition {
    runtime.exposition_with(&ExpositionOptions::new().format(format)).expect("the runtime runs")
}

fn emit_everything(recorder: &MetricsRecorder) {
    everything::emit(recorder, 20);
    recorder.emit(RequestStarted);
    recorder.emit(Opened);
    for (number, place) in (1_u32..).zip(["north", "south", "east", "west"]) {
        let outcome = if number % 2 == 0 { Outcome::Failure } else { Outcome::Success };
        let elapsed = Duration::from_millis(number.into());
        let (bytes, balance) = (number.into(), number.into());
        recorder.emit(RequestFinished { outcome, path: place, elapsed, bytes, balance });
        let (secure, ratio) = (number > 2, f64::from(number));
        let (namespace, le, quantile) = (1, secure, outcome);
        recorder.emit(Seen {
            outcome,
            secure,
            place,
            elapsed,
            bytes,
            balance,
            ratio,
            namespace,
            le,
            quantile,
        });
    }
}

fn everything_listed() -> Catalogue {
    Catalogue::builder()
        .metric::<Work>()
        .metric::<Requests>()
        .metric::<Own>()
        .metric::<Lately>()
        .metric::<Largest>()
        .metric::<Places>()
        .metric::<Hostile>()
        .metric_of(&handwritten())
        .build()
        .expect("no names clash")
}

fn everything_running() -> (MetricsRuntime, MetricsRecorder) {
    let runtime = running("shop");
    let recorder = runtime.create_recorder("one").expect("the id is free");
    recorder.metric::<Work>().expect("it runs");
    recorder.metric::<Requests>().expect("it runs");
    recorder.metric::<Own>().expect("it runs");
    recorder.metric::<Lately>().expect("it runs");
    recorder.metric::<Largest>().expect("it runs");
    recorder.metric::<Places>().expect("it runs");
    recorder.metric::<Hostile>().expect("it runs");
    recorder.register_metric(handwritten()).expect("it runs");
    (runtime, recorder)
}

#[test]
fn ca1_the_catalogue_has_the_families_of_the_text_and_no_others() {
    let catalogue = everything_listed();
    let (runtime, recorder) = everything_running();
    emit_everything(&recorder);
    let exposition = exposition(&runtime, Format::Prometheus);
    let skipped: Vec<_> = exposition.skipped.iter().map(|skipped| &*skipped.dimension).collect();
    assert_eq!(skipped, ["alone", "left_out"], "these say not how they merge");
    assert!(families_of(&exposition.text).len() > 80, "{}", exposition.text);
    assert_same(&catalogue, &exposition);
}

#[test]
fn ca1_the_catalogue_has_the_units_of_open_metrics() {
    let catalogue = everything_listed();
    let (runtime, recorder) = everything_running();
    emit_everything(&recorder);
    let text = exposition(&runtime, Format::OpenMetrics).text;
    let units = text.lines().filter_map(|line| line.strip_prefix("# UNIT ")?.split_once(' '));
    let units: BTreeMap<&str, &str> = units.collect();
    let dimensions = catalogue.metrics.iter().flat_map(|metric| &metric.dimensions);
    let families = dimensions.flat_map(|dimension| &dimension.families);
    let promised: BTreeMap<&str, &str> = families
        .filter_map(|family| {
            let is_counter = family.family_type == CatalogueType::Counter;
            let name = family.name.strip_suffix("_total").filter(|_| is_counter).unwrap_or(&family.name);
            Some((name, family.unit.as_deref()?))
        })
        .collect();
    assert!(units.len() > 20 && units.values().any(|unit| *unit == "percent"), "{units:?}");
    assert_eq!(promised, units);
}

#[test]
fn ca1_the_catalogue_has_the_events_and_the_labels_of_the_first_text() {
    let catalogue = everything_listed();
    let (runtime, _recorder) = everything_running();
    let text = exposition(&runtime, Format::Prometheus).text;
    let value = |line: &str, label: &str| {
        let (_, rest) = line.split_once(&format!("{label}=\""))?;
        Some(rest.rsplit_once("\"}")?.0.replace("\\\"", "\""))
    };
    let dropped = text.lines().filter(|line| line.starts_with("mvx_metrics_events_dropped_total{"));
    let shown: BTreeSet<String> = dropped.filter_map(|line| value(line, "event_type")).collect();
    let listed = catalogue.metrics.iter().flat_map(|metric| metric.events.iter().cloned());
    assert_eq!(listed.collect::<BTreeSet<_>>(), shown);
    assert!(shown.contains("opened.twice"), "{shown:?}");
    let by_outcome = catalogue.get("work").and_then(|work| work.get("by_outcome")).expect("it is listed");
    assert_eq!(by_outcome.labels[0].values, ["success", "failure"]);
    for label in &by_outcome.labels[0].values {
        let series = format!("work_by_outcome_total{{namespace=\"shop\",outcome=\"{label}\"}} 0\n");
        assert!(text.contains(&series), "{text}");
    }
    let quiet = catalogue.metrics.iter().find_map(|metric| metric.get("quiet")).expect("it is listed");
    assert_eq!(quiet.labels[0].values, [""; 0], "its labels come with the events");
}

#[test]
fn ca1_a_catalogue_reads_back_equal_and_needs_no_running_program() {
    let catalogue = everything_listed();
    assert_eq!(Catalogue::from_json(&catalogue.to_json()).expect("it was written"), catalogue);
    // The same without the dimensions' values: they are those of new metrics.
    let again = catalogue![Hostile, Places, Largest, Lately, Own, Requests, Work].expect("no names clash");
    for metric in &again.metrics {
        assert_eq!(catalogue.get(&metric.name), Some(metric));
    }
    assert_eq!(again.metrics.len() + 1, catalogue.metrics.len());
}

const NAMES: [&str; 14] = [
    "requests",
    "requests.total",
    "io.bytes",
    "io",
    "total",
    "größe",
    "9to5",
    "x_seconds",
    "x",
    "x_count",
    "x.bucket",
    "x_sum",
    "-",
    "a:b",
];
const LABELS: [&str; 6] = ["path", "namespace", "le", "quantile", "a b", ""];
const UNITS: [Option<&str>; 5] = [None, Some("seconds"), Some("bytes/s"), Some("%"), Some("€")];

fn any_dimension() -> impl Strategy<Value = (DimensionDescriptor, DimensionValue)> {
    use DimensionKind::{Counter, Custom, Gauge, Max, Sum};
    let values: Vec<DimensionValue> = vec![
        1_u64.into(),
        (-1_i64).into(),
        0.5.into(),
        Duration::from_secs(1).into(),
        DimensionValue::map([("low", 0.5.into()), ("count", 1_u64.into()), ("text", "x".to_owned().into())]),
        true.into(),
    ];
    let labels = proptest::collection::vec(select(&LABELS[..]), 0..3);
    let kind = select(vec![Counter, Custom, Gauge, Max, Sum]);
    (select(&NAMES[..]), kind, select(&UNITS[..]), labels, select(values), select(&["", " a\\b\n\"c\" "][..]))
        .prop_map(|(name, kind, unit, labels, value, help)| {
            let mut declared = merged(name, kind);
            declared.unit = unit.map(Cow::Borrowed);
            declared.help = Cow::Borrowed(help);
            declared.labels = labels.iter().map(|label| Cow::Borrowed(*label)).collect();
            let is_plain = labels.is_empty() || matches!(value, DimensionValue::Bool(_));
            let texts = labels.iter().map(|_| Cow::Borrowed("text")).collect();
            let breakdown =
                DimensionValue::Breakdown(vec![BreakdownEntry { labels: texts, value: value.clone() }]);
            if is_plain {
                declared.labels = Cow::Borrowed(&[]);
            }
            (declared, if is_plain { value } else { breakdown })
        })
}

/// The first dimension of each name.
fn distinct(
    mut dimensions: Vec<(DimensionDescriptor, DimensionValue)>,
) -> Vec<(DimensionDescriptor, DimensionValue)> {
    let mut names = BTreeSet::new();
    dimensions.retain(|(declared, _)| names.insert(declared.name.clone()));
    dimensions
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// The catalogue refuses names exactly where the exposition skips dimensions, else both have the same families.
    #[test]
    fn ca1_hostile_names_clash_in_the_catalogue_where_they_clash_in_the_text(
        one in proptest::collection::vec(any_dimension(), 1..4),
        other in proptest::collection::vec(any_dimension(), 1..4),
        names in (select(&NAMES[..]), select(&NAMES[..])).prop_filter("two metrics", |(one, other)| one != other),
    ) {
        let (one, other) = (Handwritten::new(names.0, distinct(one)), Handwritten::new(names.1, distinct(other)));
        let catalogue = Catalogue::builder().metric_of(&one).metric_of(&other).build();
        let runtime = running("shop");
        let recorder = runtime.create_recorder("one").expect("the id is free");
        recorder.register_metric(one).expect("it runs");
        recorder.register_metric(other).expect("it runs");
        let exposition = exposition(&runtime, Format::Prometheus);
        match catalogue {
            Ok(catalogue) => {
                prop_assert_eq!(&exposition.skipped, &[]);
                assert_same(&catalogue, &exposition);
            }
            Err(CatalogueError::SameName(clashes)) => {
                prop_assert!(!exposition.skipped.is_empty(), "{:?} in\n{}", clashes, exposition.text);
            }
            Err(error) => prop_assert!(false, "{error}"),
        }
        runtime.shutdown().expect("it ends");
    }
}
