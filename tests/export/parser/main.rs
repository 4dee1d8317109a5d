//! Covers expositions of random metrics, read back by the OpenMetrics parser of the Python package `prometheus_client`.
//!
//! Needs a Python that has the package, named by `MVX_PYTHON`; `.ci/openmetrics` makes one and runs this test. The script
//! beside this file has its own implementation of the naming and merging rules. It compares every number, HELP, TYPE and UNIT.

use std::borrow::Cow;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use std::{env, fs};

use mvx_metrics::export::{ExpositionOptions, Format, Scope};
use mvx_metrics::{
    BreakdownEntry, Bucket, BucketRange, DimensionDescriptor, DimensionKind, DimensionValue,
    ExponentialBuckets, Extreme, HistogramSnapshot, InFlightSnapshot, MeanSnapshot, MergeRule,
    MetricsRuntime, Number, RecorderOptions,
};
use mvx_metrics_tests::Handwritten;
use serde_json::{Value, json};

const CASES: u64 = 200;
/// The minimum of compared samples in all expositions together; there are about half as many again.
const MIN_SAMPLES: u64 = 20_000;

/// Pseudo-random numbers, the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let index = usize::try_from(self.below(all.len() as u64)).expect("an index of a slice");
        &all[index]
    }
}

const NAMES: &[&str] = &[
    "requests",
    "requests.total",
    "io.bytes",
    "io",
    "bytes_total",
    "total",
    "größe",
    "a b",
    "9to5",
    "x_seconds",
    "x",
    "x_count",
    "_",
    "__",
    "x.bucket",
    "x_sum",
    "x_created",
    "\"\n\\",
    "le",
    "total_bytes",
    "\u{1f980}",
    "a-b",
    "a:b",
];
const TEXTS: &[&str] = &[
    "plain",
    "",
    " ",
    "\"",
    "\\",
    "\n",
    "\\n",
    "a\"b\\c\nd",
    "\r",
    "\t",
    "{}",
    "# EOF",
    "a,b=\"c\"",
    "ü\u{1f980}",
    "\u{0}",
    "\u{7f}\u{85}\u{2028}",
    "other",
    "\\\\",
    "x\\",
];
const LABELS: &[&str] =
    &["path", "namespace", "entity_id", "le", "quantile", "__name__", "a b", "", "path", "9"];
const UNITS: &[Option<&str>] =
    &[None, None, Some("seconds"), Some("bytes"), Some("bytes/s"), Some("%"), Some("€")];

/// The shape of a dimension. Each recorder has values of its own.
struct Shape {
    declared: DimensionDescriptor,
    kind: &'static str,
    parts: usize,
}

fn shape(random: &mut Random) -> Shape {
    use DimensionKind::{Counter, Custom, Gauge, Histogram, InFlight, Max, Mean, Min, Sum};
    let kinds = [
        ("unsigned", Counter),
        ("unsigned", Sum),
        ("duration", Sum),
        ("signed", Sum),
        ("float", Sum),
        ("signed", Min),
        ("float", Max),
        ("duration", Max),
        ("mean", Mean),
        ("whole_mean", Mean),
        ("signed", Gauge),
        ("float", Gauge),
        ("in_flight", InFlight),
        ("histogram", Histogram),
        ("exponential", Histogram),
        ("unsigned", Custom),
        ("float", Custom),
        ("map", Custom),
    ];
    let (kind, declared_kind) = *random.one_of(&kinds);
    let mut declared = DimensionDescriptor::new("", declared_kind);
    declared.name = Cow::Borrowed(*random.one_of(NAMES));
    declared.help = Cow::Borrowed(*random.one_of(TEXTS));
    declared.unit = random.one_of(UNITS).map(Cow::Borrowed);
    declared.merge = Some(*random.one_of(&[MergeRule::Sum, MergeRule::Min, MergeRule::Max]));
    let parts = usize::try_from(random.below(4)).expect("a small number");
    declared.labels = (0..parts).map(|_| Cow::Borrowed(*random.one_of(LABELS))).collect::<Vec<_>>().into();
    Shape { declared, kind, parts }
}

/// A value, and its JSON for the script.
fn value(random: &mut Random, kind: &str) -> (DimensionValue, Value) {
    let unsigned = random.next() >> random.below(64);
    let signed = i64::try_from(unsigned >> 1).expect("63 bits") * if random.below(2) == 0 { -1 } else { 1 };
    #[expect(clippy::cast_precision_loss, reason = "any number will do")]
    let float = signed as f64 / 1024.0;
    match kind {
        "unsigned" => ((unsigned >> 8).into(), json!(unsigned >> 8)),
        "signed" => ((signed >> 8).into(), json!(signed >> 8)),
        "float" => (float.into(), json!(float)),
        "duration" => {
            let duration = Duration::from_nanos(unsigned >> 8);
            (duration.into(), json!({ "nanos": unsigned >> 8 }))
        }
        "mean" => {
            let (sum, count) = (float, random.below(10));
            (
                DimensionValue::Mean(MeanSnapshot { sum: Number::Float(sum), count }),
                json!({ "sum": sum, "count": count }),
            )
        }
        "whole_mean" => {
            let (sum, count) = (unsigned >> 8, random.below(10));
            let mean = MeanSnapshot { sum: Number::Unsigned(sum), count };
            (DimensionValue::Mean(mean), json!({ "sum": sum, "count": count }))
        }
        "in_flight" => {
            let (started, finished) = (unsigned >> 8, random.below(1000));
            (
                DimensionValue::InFlight(InFlightSnapshot { started, finished }),
                json!({ "started": started, "finished": finished }),
            )
        }
        "map" => {
            let made = unsigned >> 8;
            let parts = [("low", float.into()), ("made", made.into()), ("text", "none".to_owned().into())];
            (DimensionValue::map(parts), json!({ "low": float, "made": made }))
        }
        "exponential" => {
            let mut range = |len: u64| {
                let offset = i32::try_from(random.below(40)).expect("a small number") - 20;
                BucketRange { offset, counts: (0..len).map(|_| random.below(9)).collect() }
            };
            let (positive, negative) = (range(9), range(unsigned % 3));
            let scale = i32::try_from(unsigned % 11).expect("a small number") - 2;
            let buckets = ExponentialBuckets { scale, zero: unsigned % 2, positive, negative };
            let shown = json!({
                "scale": scale,
                "zero": buckets.zero,
                "positive": { "offset": buckets.positive.offset, "counts": buckets.positive.counts },
                "negative": { "offset": buckets.negative.offset, "counts": buckets.negative.counts },
                "sum": float,
            });
            let (count, sum) = (buckets.count(), Number::Float(float));
            let buckets = buckets.into();
            let histogram = HistogramSnapshot { count, sum, min: Extreme::None, max: Extreme::None, buckets };
            (DimensionValue::Histogram(histogram), shown)
        }
        _ => {
            let bounds = [-1.5, 0.005, 1.0, 10.0, 1e6];
            let counts: Vec<u64> = (0..=bounds.len()).map(|_| random.below(1000)).collect();
            let upper_bound = bounds.iter().map(|bound| Some(Number::Float(*bound))).chain([None]);
            let buckets = upper_bound
                .zip(&counts)
                .map(|(upper_bound, count)| Bucket { upper_bound, count: *count })
                .collect::<Vec<_>>()
                .into();
            let (count, sum) = (counts.iter().sum(), Number::Float(float));
            let histogram = HistogramSnapshot { count, sum, min: Extreme::None, max: Extreme::None, buckets };
            (
                DimensionValue::Histogram(histogram),
                json!({ "bounds": bounds, "counts": counts, "sum": float }),
            )
        }
    }
}

fn values(random: &mut Random, shape: &Shape) -> (DimensionValue, Value) {
    if shape.parts == 0 {
        let (value, told) = value(random, shape.kind);
        return (value, json!([{ "labels": [], "value": told }]));
    }
    let (mut entries, mut told_all) = (Vec::<BreakdownEntry>::new(), Vec::new());
    for _ in 0..random.below(6) {
        let labels: Vec<_> = (0..shape.parts).map(|_| Cow::Borrowed(*random.one_of(TEXTS))).collect();
        if entries.iter().any(|entry| entry.labels == labels) {
            continue;
        }
        let (value, told) = value(random, shape.kind);
        told_all.push(json!({ "labels": labels, "value": told }));
        entries.push(BreakdownEntry { labels, value });
    }
    (DimensionValue::Breakdown(entries), told_all.into())
}

/// Writes the files of one case: the values of the recorders as JSON, and the expositions.
fn write_case(directory: &Path, case: u64) {
    let random = &mut Random(case);
    let runtime = MetricsRuntime::new("hostile\"\\\n").expect("a valid namespace");
    runtime.start().expect("a thread can be started");
    let mut metrics: Vec<(String, String, Vec<Shape>)> = Vec::new();
    for _ in 0..=random.below(4) {
        let name = (*random.one_of(NAMES)).to_owned();
        if metrics.iter().any(|(other, ..)| *other == name) {
            continue;
        }
        let mut shapes: Vec<Shape> = Vec::new();
        for _ in 0..random.below(6) {
            let shape = shape(random);
            if shapes.iter().all(|other| other.declared.name != shape.declared.name) {
                shapes.push(shape);
            }
        }
        metrics.push((name, (*random.one_of(TEXTS)).to_owned(), shapes));
    }
    let mut recorders = Vec::new();
    for number in 0..=random.below(5) {
        let namespace = *random.one_of(&["one", "\"two\"\n\\"]);
        let entity_id = format!("{number}{}", random.one_of(TEXTS)).trim().to_owned();
        let id = format!("recorder {number}");
        let options = RecorderOptions::new().namespace(namespace).entity_id(&*entity_id);
        let recorder = runtime.create_recorder_with(&id, options).expect("the id is free");
        let mut told_metrics = Vec::new();
        for (name, help, shapes) in &metrics {
            let mut dimensions = Vec::new();
            let mut told = Vec::new();
            for shape in shapes {
                let (value, told_value) = values(random, shape);
                let DimensionDescriptor { name, help, unit, labels, .. } = &shape.declared;
                told.push(json!({
                    "name": name, "kind": format!("{:?}", shape.declared.kind), "type": shape.kind, "help": help,
                    "unit": unit, "labels": labels, "merge": format!("{:?}", shape.declared.merge.expect("each has a rule")),
                    "entries": told_value,
                }));
                dimensions.push((shape.declared.clone(), value));
            }
            let metric = Handwritten::new(name.clone(), dimensions).with_help(help.clone());
            recorder.register_metric(metric).expect("the recorder runs");
            told_metrics.push(json!({ "name": name, "help": help, "dimensions": told }));
        }
        let removed = random.below(3) == 0;
        if removed {
            runtime.stop_and_remove_recorder(&id).expect("it stops");
        }
        recorders.push(json!({
            "namespace": namespace, "entity_id": entity_id, "removed": removed, "metrics": told_metrics,
        }));
    }
    let write = |name: &str, text: &str| {
        fs::write(directory.join(format!("{case}.{name}")), text).expect("a file can be written");
    };
    let mut skipped = json!({});
    let rollup = ExpositionOptions::new();
    let per_entity = rollup.clone().scope(Scope::PerEntity);
    let bare = rollup.clone().namespace_label(None).label("path", "p\"\\\n");
    for (options, name) in [(rollup, "rollup"), (per_entity, "per_entity"), (bare, "bare")] {
        for (format, extension) in [(Format::OpenMetrics, "openmetrics"), (Format::Prometheus, "prometheus")]
        {
            let options = options.clone().format(format);
            let exposition = runtime.exposition_with(&options).expect("the runtime runs");
            write(&format!("{name}.{extension}"), &exposition.text);
            let missing = exposition.skipped.iter();
            skipped[format!("{name}.{extension}")] =
                missing.map(|out| json!([out.metric, out.dimension, out.family])).collect();
        }
    }
    write("json", &json!({ "recorders": recorders, "skipped": skipped }).to_string());
}

#[test]
#[ignore = "needs a Python with prometheus_client: .ci/openmetrics makes one and runs this"]
fn an_independent_parser_reads_the_same_numbers() {
    let python = env::var("MVX_PYTHON").expect("MVX_PYTHON names a Python that has prometheus_client");
    let directory = env::temp_dir().join(format!("mvx-openmetrics-{}", std::process::id()));
    fs::create_dir_all(&directory).expect("a directory can be made");
    for case in 0..CASES {
        write_case(&directory, case);
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("export/parser/read_back.py");
    let mut command = Command::new(python);
    command.arg(script).arg(&directory).args([CASES, MIN_SAMPLES].map(|number| number.to_string()));
    let status = command.status().expect("Python runs");
    assert!(status.success(), "the cases are in {}", directory.display());
    fs::remove_dir_all(&directory).expect("the directory can be removed");
}
