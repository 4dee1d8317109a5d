//! Covers ED8 without a server: the messages have the families and the numbers of the texts, and always decode.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use mvx_metrics::export::{Exposition, ExpositionOptions, Format, Scope};
use mvx_metrics::{
    BreakdownEntry, Bucket, BucketRange, Buckets, DimensionDescriptor, DimensionKind, DimensionValue,
    ExponentialBuckets, Extreme, HistogramSnapshot, InFlightSnapshot, MeanSnapshot, MergeRule,
    MetricsRuntime, Number, metric_event,
};
use mvx_metrics_tests::Handwritten;
use mvx_metrics_tests::messages::{
    self, Bucket as BucketMessage, BucketSpan, Histogram, LabelPair, Metric, MetricFamily, MetricType,
    Timestamp,
};
use proptest::prelude::*;
use prost::Message as _;

use crate::everything::{emit, worker};
use crate::fixtures::{Outcome, Requests, SCOPES, finished, recorder, running};
use crate::handwritten::runtime_with;

/// A number that can be compared: a NaN is equal to a NaN.
type Bits = u64;

fn bits(number: f64) -> Bits {
    if number.is_nan() { f64::NAN.to_bits() } else { number.to_bits() }
}

/// What an exposition has to say, whatever its format.
#[derive(Debug, Default, PartialEq)]
struct Told {
    /// HELP and TYPE of each family, under the name that the Prometheus format has.
    heads: BTreeMap<String, (String, String)>,
    units: BTreeMap<String, String>,
    /// The labels of a series are sorted by their names.
    samples: BTreeMap<(String, BTreeMap<String, String>), Bits>,
    created: BTreeMap<(String, BTreeMap<String, String>), Bits>,
}

impl Told {
    fn add(&mut self, name: String, labels: BTreeMap<String, String>, value: f64) {
        let before = self.samples.insert((name, labels), bits(value));
        assert_eq!(before, None, "a series stands twice");
    }

    /// What both texts say. OpenMetrics has units and times; the Prometheus format has all names and numbers.
    fn by_texts(prometheus: &str, open_metrics: &str) -> Self {
        let mut told = Self::default();
        for line in prometheus.lines() {
            if let Some(head) = line.strip_prefix("# HELP ") {
                let (name, help) = head.split_once(' ').expect("a name");
                told.heads.entry(name.to_owned()).or_default().0 = unescaped(help);
            } else if let Some(head) = line.strip_prefix("# TYPE ") {
                let (name, family_type) = head.split_once(' ').expect("a name");
                family_type.clone_into(&mut told.heads.entry(name.to_owned()).or_default().1);
            } else {
                let (name, labels, value) = sample(line);
                told.add(name, labels, value);
            }
        }
        for line in open_metrics.lines().filter(|line| *line != "# EOF") {
            if let Some(unit) = line.strip_prefix("# UNIT ") {
                let (name, unit) = unit.split_once(' ').expect("a name");
                let counter = format!("{name}_total");
                let name = if told.heads.contains_key(&counter) { counter } else { name.to_owned() };
                told.units.insert(name, unit.to_owned());
            } else if !line.starts_with('#') {
                let (name, labels, value) = sample(line);
                if let Some(name) = name.strip_suffix("_created")
                    && !told.samples.contains_key(&(format!("{name}_created"), labels.clone()))
                {
                    told.created.insert((name.to_owned(), labels), bits(value));
                }
            }
        }
        told
    }

    fn by_messages(families: &[MetricFamily]) -> Self {
        let mut told = Self::default();
        for family in families {
            let name = family.name.clone().expect("a name");
            let family_type = family.r#type.and_then(|number| MetricType::try_from(number).ok());
            let family_type = family_type.expect("a known type");
            let help = family.help.clone().expect("a help text");
            let before = told.heads.insert(name.clone(), (help, format!("{family_type:?}").to_lowercase()));
            assert_eq!(before, None, "{name} stands twice");
            told.units.extend(family.unit.clone().map(|unit| (name.clone(), unit)));
            for metric in &family.metric {
                told.add_metric(&name, family_type, metric);
            }
        }
        told
    }

    fn add_metric(&mut self, name: &str, family_type: MetricType, metric: &Metric) {
        let Metric { label, gauge, counter, summary, untyped, histogram, timestamp_ms } = metric;
        assert_eq!(*timestamp_ms, None);
        let labels: BTreeMap<_, _> = label.iter().map(name_and_value).collect();
        assert_eq!(labels.len(), label.len(), "a label stands twice in {metric:?}");
        let values = [gauge.is_some(), counter.is_some(), summary.is_some(), untyped.is_some()];
        let values = values.into_iter().chain([histogram.is_some()]).filter(|has| *has).count();
        assert_eq!(values, 1, "{metric:?}");
        let mut created = None;
        match family_type {
            MetricType::Counter => {
                let counter = counter.expect("a counter");
                created = counter.created_timestamp;
                self.add(name.to_owned(), labels.clone(), counter.value.expect("a value"));
            }
            MetricType::Gauge => {
                let value = gauge.and_then(|gauge| gauge.value).expect("a value");
                self.add(name.to_owned(), labels.clone(), value);
            }
            MetricType::Untyped => {
                let value = untyped.and_then(|untyped| untyped.value).expect("a value");
                self.add(name.to_owned(), labels.clone(), value);
            }
            MetricType::Summary => {
                let summary = summary.as_ref().expect("a summary");
                assert_eq!(summary.quantile, []);
                created = summary.created_timestamp;
                let (count, sum) =
                    (summary.sample_count.expect("a count"), summary.sample_sum.expect("a sum"));
                self.add(format!("{name}_count"), labels.clone(), as_f64(count));
                self.add(format!("{name}_sum"), labels.clone(), sum);
            }
            MetricType::Histogram => {
                let histogram = histogram.as_ref().expect("a histogram");
                created = histogram.created_timestamp;
                self.add_histogram(name, &labels, histogram);
            }
            MetricType::GaugeHistogram => panic!("the library has none"),
        }
        if let Some(Timestamp { seconds, nanos }) = created {
            let seconds = format!("{}.{:09}", seconds.expect("seconds"), nanos.expect("nanoseconds"));
            let seconds: f64 = seconds.parse().expect("a number");
            let name = name.strip_suffix("_total").unwrap_or(name);
            self.created.insert((name.to_owned(), labels), bits(seconds));
        }
    }

    fn add_histogram(&mut self, name: &str, labels: &BTreeMap<String, String>, histogram: &Histogram) {
        let count = histogram.sample_count.expect("a count");
        self.add(format!("{name}_count"), labels.clone(), as_f64(count));
        self.add(format!("{name}_sum"), labels.clone(), histogram.sample_sum.expect("a sum"));
        let last = BucketMessage { cumulative_count: Some(count), upper_bound: Some(f64::INFINITY) };
        for bucket in histogram.bucket.iter().chain([&last]) {
            let mut labels = labels.clone();
            labels.insert("le".to_owned(), format!("{:?}", bucket.upper_bound.expect("a bound")));
            self.add(format!("{name}_bucket"), labels, as_f64(bucket.cumulative_count.expect("a count")));
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "the texts are parsed as floating-point numbers, too")]
fn as_f64(count: u64) -> f64 {
    count as f64
}

fn name_and_value(pair: &LabelPair) -> (String, String) {
    (pair.name.clone().expect("a name"), pair.value.clone().expect("a value"))
}

fn unescaped(text: &str) -> String {
    let (mut plain, mut characters) = (String::new(), text.chars());
    while let Some(character) = characters.next() {
        plain.push(match character {
            '\\' => match characters.next() {
                Some('n') => '\n',
                other => other.expect("no text ends with an escape"),
            },
            character => character,
        });
    }
    plain
}

/// The name, the labels and the value of a line. Bounds are spelled as Rust spells them.
fn sample(line: &str) -> (String, BTreeMap<String, String>, f64) {
    let (series, value) = line.rsplit_once(' ').expect("a series and a value");
    let (name, rest) = series.split_once('{').unwrap_or((series, ""));
    let (mut labels, mut rest) = (BTreeMap::new(), rest.strip_suffix('}').unwrap_or(rest));
    while let Some((label, after)) = rest.split_once("=\"") {
        let mut is_escaped = false;
        let end = after.find(|character| {
            let is_end = character == '"' && !is_escaped;
            is_escaped = character == '\\' && !is_escaped;
            is_end
        });
        let (value, after) = after.split_at(end.expect("the end of the text"));
        let bound = value.parse().map(|bound: f64| format!("{bound:?}"));
        let value = if label == "le" { bound.expect("a bound") } else { unescaped(value) };
        assert_eq!(labels.insert(label.to_owned(), value), None, "{line}");
        rest = after.strip_prefix("\",").unwrap_or_default();
    }
    (name.to_owned(), labels, value.parse().expect("a number"))
}

/// Compares the messages with both texts.
fn assert_same(expose: impl Fn(Format) -> Exposition) -> Vec<MetricFamily> {
    let [prometheus, open_metrics] = [Format::Prometheus, Format::OpenMetrics].map(|format| {
        let exposition = expose(format);
        assert_eq!(exposition.as_bytes(), exposition.text.as_bytes());
        assert_eq!(exposition.clone().into_bytes(), exposition.text.as_bytes());
        exposition
    });
    let exposition = expose(Format::Protobuf);
    assert!(exposition.text.contains("`Exposition::as_bytes()`"));
    let as_messages = MetricFamily::decode_length_delimited(exposition.text.as_bytes());
    assert!(as_messages.is_err(), "a server that sends the text must not look like one without series");
    assert_eq!(exposition.clone().into_bytes(), exposition.as_bytes());
    assert_eq!(exposition.skipped, prometheus.skipped);
    let families = messages::decode(exposition.as_bytes());
    let expected = Told::by_texts(&prometheus.text, &open_metrics.text);
    assert!(!expected.samples.is_empty());
    let told = Told::by_messages(&families);
    assert_eq!(told.heads, expected.heads);
    assert_eq!(told.units, expected.units);
    assert_eq!(told.samples, expected.samples);
    assert_eq!(told.created, expected.created);
    families
}

pub fn assert_same_of(runtime: &MetricsRuntime) {
    for scope in SCOPES {
        assert_same(|format| runtime.exposition(scope, format).expect("the runtime runs"));
    }
}

#[test]
fn ed8_the_messages_have_the_families_and_numbers_of_the_texts() {
    let runtime = running("shop");
    for (number, id) in ["one", "two", "three"].into_iter().enumerate() {
        emit(&worker(&runtime, id), 7 * number as u64);
        recorder(&runtime, &format!("{id} requests")).emit(finished(Outcome::Failure, 3));
    }
    runtime.stop_and_remove_recorder("two").expect("it stops");
    assert_same_of(&runtime);
}

#[test]
fn ed8_labels_of_all_series_target_info_and_times_are_as_in_the_texts() {
    let hostile = "a\"b\\c\nd\\n,e=\"f\"";
    let builder = MetricsRuntime::builder("back \"office\"\\\n").label("region", hostile).label("empty", "");
    let runtime = builder.build().expect("valid choices");
    runtime.start().expect("a thread can be started");
    let recorder = runtime.create_recorder("one").expect("the id is free");
    recorder.register_metric(Requests::default()).expect("the recorder runs");
    recorder.emit(finished(Outcome::Success, 3));
    let options = || ExpositionOptions::new().label("zone", hostile);
    let all = [
        options(),
        options().target_info(true),
        options().namespace_label(None),
        options().scope(Scope::PerEntity).entity_id_label(Some("who")),
        #[cfg(target_os = "linux")]
        options().process(true).target_info(true),
    ];
    for options in all {
        if options == options.clone().process(true) {
            // The time of the process goes on between two readings.
            let exposition = runtime.exposition_with(&options.format(Format::Protobuf)).expect("it runs");
            let told = Told::by_messages(&messages::decode(exposition.as_bytes()));
            assert!(told.heads.contains_key("process_cpu_seconds_total"), "{told:?}");
            continue;
        }
        assert_same(|format| runtime.exposition_with(&options.clone().format(format)).expect("it runs"));
    }
    let untimed = options().created(false).format(Format::Protobuf);
    let untimed = runtime.exposition_with(&untimed).expect("it runs");
    let untimed = Told::by_messages(&messages::decode(untimed.as_bytes()));
    assert_eq!(untimed.created, BTreeMap::new());
    assert!(untimed.samples.len() > 10);
}

#[test]
fn ed8_totals_without_recorders_are_no_messages() {
    let runtime = running("shop");
    let mut totals = runtime.totals(Scope::PerEntity).expect("the runtime runs");
    totals.namespaces.clear();
    let exposition = totals.exposition(Format::Protobuf);
    assert_eq!((exposition.as_bytes(), exposition.clone().into_bytes()), (&[][..], Vec::new()));
}

#[metric_event]
struct Measured {
    value: f64,
}

#[metric_event]
struct Never {
    elapsed: Duration,
}

/// Measurements without declared bounds.
#[derive(mvx_metrics::Metric, Default)]
#[metric(name = "measured", on(Measured))]
struct Measurements {
    #[dimension(value = value)]
    values: mvx_metrics::Histogram<f64>,
    #[dimension(value = value, buckets = [1.5, 10.0])]
    declared: mvx_metrics::Histogram<f64>,
    #[dimension(on(Never), value = elapsed)]
    never: mvx_metrics::Histogram<Duration>,
}

/// The number of values in each bucket, by Prometheus' index of the bucket.
fn by_index(spans: &[BucketSpan], deltas: &[i64]) -> BTreeMap<i32, i64> {
    let (mut index, mut count, mut deltas) = (0, 0, deltas.iter());
    let mut counts = BTreeMap::new();
    for span in spans {
        index += span.offset.expect("an offset");
        for _ in 0..span.length.expect("a length") {
            count += deltas.next().expect("a difference for each bucket");
            counts.insert(index, count);
            index += 1;
        }
    }
    counts.retain(|_, count| *count > 0);
    counts
}

#[test]
fn ed8_a_histogram_without_declared_bounds_is_a_native_one() {
    let runtime = running("shop");
    let recorder = runtime.create_recorder("one").expect("the id is free");
    recorder.metric::<Measurements>().expect("the recorder runs");
    // No bound is one of them.
    let positive: Vec<f64> = (1..200).map(|number| 1.01 + 3.7 * f64::from(number)).collect();
    let negative: Vec<f64> = (1..40).map(|number| 0.3 * f64::from(number) + 0.01).collect();
    for value in positive.iter().copied().chain(negative.iter().map(|value| -value)).chain([0.0, -0.0]) {
        recorder.emit(Measured { value });
    }
    let families = assert_same(|format| runtime.exposition(Scope::Rollup, format).expect("the runtime runs"));
    let histogram = |name: &str| {
        let family = families.iter().find(|family| family.name.as_deref() == Some(name));
        let [metric] = &family.expect("the family is there").metric[..] else { panic!("one series") };
        metric.histogram.as_ref().expect("a histogram")
    };
    let native = histogram("measured_values");
    assert_valid(native);
    let schema = native.schema.expect("a schema");
    assert!(schema > 0);
    assert_eq!((native.zero_count, native.sample_count), (Some(2), Some(240)));
    let expected = |values: &[f64]| {
        let mut counts = BTreeMap::new();
        for value in values {
            #[expect(clippy::cast_possible_truncation, reason = "a small number")]
            let index = (value.log2() * 2_f64.powi(schema)).ceil() as i32;
            *counts.entry(index).or_insert(0_i64) += 1;
        }
        counts
    };
    assert_eq!(by_index(&native.positive_span, &native.positive_delta), expected(&positive));
    assert_eq!(by_index(&native.negative_span, &native.negative_delta), expected(&negative));
    assert!(native.bucket.len() > 5, "the buckets of the texts are there, too");
    let declared = histogram("measured_declared");
    assert_eq!((declared.schema, declared.zero_threshold, declared.bucket.len()), (None, None, 2));
    // An empty histogram is native by its threshold.
    let never = histogram("measured_never_seconds");
    assert_eq!((never.sample_count, never.zero_count, never.bucket.len()), (Some(0), Some(0), 0));
    assert_eq!((never.positive_span.len(), never.negative_span.len()), (0, 0));
    assert_valid(never);
    assert!(never.zero_threshold > Some(0.0));
}

fn texts() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "plain",
        "",
        " ",
        "\"",
        "\\",
        "\n",
        "\\n",
        "a\"b\\c\nd",
        "\r\t",
        "a,b=\"c\"",
        "\u{fc}\u{1f980}",
        "\0",
        "x\\",
        "le",
    ])
}

/// Any number, the smallest and the largest ones more often.
fn counts() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), Just(1), Just(u64::MAX), Just(i64::MAX.cast_unsigned()), 0..1_000_u64, any::<u64>()]
}

fn numbers() -> impl Strategy<Value = Number> {
    prop_oneof![
        counts().prop_map(Number::Unsigned),
        any::<i64>().prop_map(Number::Signed),
        any::<f64>().prop_map(Number::Float),
        prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(-0.0), Just(f64::MIN)].prop_map(Number::Float),
        // Up to here every number of nanoseconds is exact.
        (0..9_007_199_254_740_992_u64).prop_map(|nanos| Number::Duration(Duration::from_nanos(nanos))),
    ]
}

fn ranges() -> impl Strategy<Value = BucketRange> {
    let offset =
        prop_oneof![-300..300_i32, -300_000..300_000_i32, Just(i32::MIN), Just(i32::MAX), any::<i32>()];
    (offset, proptest::collection::vec(counts(), 0..20))
        .prop_map(|(offset, counts)| BucketRange { offset, counts })
}

fn histograms() -> impl Strategy<Value = DimensionValue> {
    let explicit = proptest::collection::vec((numbers(), counts()), 0..6).prop_map(|buckets| {
        let buckets = buckets.into_iter().map(|(bound, count)| Bucket { upper_bound: Some(bound), count });
        Buckets::Explicit(buckets.chain([Bucket { upper_bound: None, count: 3 }]).collect())
    });
    let scale = prop_oneof![-10..=20_i32, Just(i32::MIN), Just(i32::MAX)];
    let exponential = (scale, counts(), ranges(), ranges()).prop_map(|(scale, zero, positive, negative)| {
        Buckets::Exponential(ExponentialBuckets { scale, zero, positive, negative })
    });
    (prop_oneof![explicit, exponential], counts(), numbers()).prop_map(|(buckets, count, sum)| {
        let (min, max) = (Extreme::Unknown, Extreme::None);
        DimensionValue::Histogram(HistogramSnapshot { count, sum, min, max, buckets })
    })
}

fn values() -> impl Strategy<Value = (DimensionKind, DimensionValue)> {
    use DimensionKind::{Counter, Custom, Gauge, Histogram, InFlight, Mean, Sum};
    let number = numbers().prop_map(|number| match number {
        Number::Unsigned(number) => DimensionValue::Unsigned(number),
        Number::Signed(number) => DimensionValue::Signed(number),
        Number::Duration(duration) => DimensionValue::Duration(duration),
        number => DimensionValue::Float(number.as_f64()),
    });
    let kind = proptest::sample::select(vec![Counter, Sum, Gauge, Custom]);
    prop_oneof![
        (kind, number),
        (numbers(), counts())
            .prop_map(|(sum, count)| (Mean, DimensionValue::Mean(MeanSnapshot { sum, count }))),
        (counts(), counts()).prop_map(|(started, finished)| {
            (InFlight, DimensionValue::InFlight(InFlightSnapshot { started, finished }))
        }),
        histograms().prop_map(|value| (Histogram, value)),
    ]
}

/// A dimension with any help text and unit, perhaps with labels.
fn dimensions() -> impl Strategy<Value = (DimensionDescriptor, DimensionValue)> {
    let units =
        proptest::sample::select(vec![None, Some("seconds"), Some("bytes"), Some("%"), Some("\u{20ac}")]);
    let entry = (texts(), values());
    (values(), texts(), units, proptest::option::of((texts(), proptest::collection::vec(entry, 0..4))))
        .prop_map(|((kind, value), help, unit, labels)| {
            let mut declared = DimensionDescriptor::new("", kind);
            declared.help = Cow::Borrowed(help);
            declared.unit = unit.map(Cow::Borrowed);
            declared.merge = Some(MergeRule::Max);
            let Some((name, entries)) = labels else { return (declared, value) };
            declared.labels = vec![Cow::Borrowed(name)].into();
            let mut unique: Vec<BreakdownEntry> = Vec::new();
            for (label, (_, value)) in entries {
                let labels = vec![Cow::Borrowed(label)];
                if unique.iter().all(|entry| entry.labels != labels) {
                    unique.push(BreakdownEntry { labels, value });
                }
            }
            (declared, DimensionValue::Breakdown(unique))
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn ed8_any_totals_become_messages_that_decode_to_the_numbers_of_the_texts(
        dimensions in proptest::collection::vec(dimensions(), 1..8)
    ) {
        let dimensions = dimensions.into_iter().enumerate().map(|(number, (mut declared, value))| {
            declared.name = Cow::Owned(format!("d{number}"));
            (declared, value)
        });
        let runtime = runtime_with(vec![Handwritten::new("m", dimensions.collect())]);
        for scope in SCOPES {
            let families = assert_same(|format| runtime.exposition(scope, format).expect("the runtime runs"));
            let metrics = families.iter().flat_map(|family| &family.metric);
            metrics.filter_map(|metric| metric.histogram.as_ref()).for_each(assert_valid);
        }
    }
}

/// What Prometheus checks before it takes a native histogram; a scrape with another one fails as a whole.
fn assert_valid(histogram: &Histogram) {
    let Some(schema) = histogram.schema else { return };
    assert!((-4..=8).contains(&schema), "{histogram:?}");
    assert!(histogram.zero_threshold.expect("a threshold") > 0.0);
    let sides = [
        (&histogram.negative_span, &histogram.negative_delta),
        (&histogram.positive_span, &histogram.positive_delta),
    ];
    let mut sum = u128::from(histogram.zero_count.expect("a count"));
    for (spans, deltas) in sides {
        let lengths = spans.iter().map(|span| span.length.expect("a length") as usize).sum::<usize>();
        assert_eq!(lengths, deltas.len());
        assert!(spans.iter().skip(1).all(|span| span.offset.expect("an offset") >= 0), "{histogram:?}");
        let mut count = 0_i64;
        for delta in deltas {
            count = count.checked_add(*delta).expect("no overflow");
            sum += u128::try_from(count).expect("no count is negative");
        }
    }
    assert_eq!(sum, u128::from(histogram.sample_count.expect("a count")));
}
