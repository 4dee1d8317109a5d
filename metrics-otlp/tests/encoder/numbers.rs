//! Covers OT1: every number of the requests is that of the totals, in every kind of dimension.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mvx_metrics::{
    Buckets, DimensionDescriptor, DimensionKind, DimensionValue, Extreme, GroupTotals, HistogramSnapshot,
    MetricSnapshot, Number, Scope, Totals,
};
use mvx_metrics_otlp::{Encoder, OtlpOptions};
use proptest::prelude::{Strategy, any, prop};
use proptest::test_runner::{Config, TestRunner};

use crate::decode::{Attributes, Decoded, Distribution, Id, Kind, Point, Value, push};
use crate::fixtures::{Outcome, PLACES, Worked, running, worker};

/// Events with all kinds of numbers, which stay exact as floating-point numbers.
pub fn worked() -> impl Strategy<Value = Worked> {
    let numbers = (0_u32..40, any::<i32>(), -1e3..1e3_f64, 0..1_000_000_000_u64);
    (any::<bool>(), 0..PLACES.len(), numbers).prop_map(|(success, place, (power, balance, ratio, nanos))| {
        Worked {
            outcome: if success { Outcome::Success } else { Outcome::Failure },
            place: PLACES[place],
            elapsed: Duration::from_nanos(nanos),
            bytes: (1_u64 << power) - u64::from(power % 3 == 0),
            balance: i64::from(balance % 100),
            ratio: if power == 7 { 0.0 } else { ratio },
        }
    })
}

/// The series of totals, from their public fields alone.
#[derive(Default)]
struct Expected(BTreeMap<Id, Point>);

impl Expected {
    fn of(totals: &Totals) -> Self {
        let (mut expected, time) = (Self::default(), nanos(totals.taken_at()));
        let count = |count: u64| Value::Int(i64::try_from(count).expect("a count of a test"));
        let since = nanos(totals.started_at());
        for namespace in &totals.namespaces {
            let base = attributes(&[("namespace", &namespace.namespace)]);
            for (state, number) in &namespace.by_state {
                let labels = with(&base, &[("state", &state.to_string())]);
                expected.add("mvx_metrics.recorders", labels, Kind::Gauge, 0, time, count(*number));
            }
            let stalled = count(namespace.stalled + namespace.unread);
            expected.add("mvx_metrics.recorders_stalled", base.clone(), Kind::Gauge, 0, time, stalled);
            let removed = count(namespace.removed);
            expected.add("mvx_metrics.recorders_removed", base, Kind::Counter, since, time, removed);
        }
        for group in &totals.groups {
            expected.add_health(group, time);
            for metric in &group.metrics {
                expected.add_metric(&base_of(group), metric, time);
            }
        }
        let base = attributes(&[("namespace", &totals.namespace)]);
        let left_out = count(totals.left_out.len() as u64);
        expected.add("mvx_metrics.dimensions_left_out", base, Kind::Gauge, 0, time, left_out);
        expected
    }

    fn add_health(&mut self, group: &GroupTotals, time: u64) {
        let (base, since) = (base_of(group), nanos(group.counting_since()));
        let stats = &group.stats;
        let counts = [
            ("accepted", stats.accepted),
            ("processed", stats.processed),
            ("rejected", stats.rejected),
            ("discarded", stats.discarded),
        ];
        let count = |count: u64| Value::Int(i64::try_from(count).expect("a count of a test"));
        for (name, number) in counts {
            let name = format!("mvx_metrics.events_{name}");
            self.add(&name, base.clone(), Kind::Counter, since, time, count(number));
        }
        self.add("mvx_metrics.events_pending", base.clone(), Kind::Gauge, 0, time, count(stats.pending));
        for (event_type, number) in &stats.dropped_by_type {
            let labels = with(&base, &[("event_type", event_type)]);
            self.add("mvx_metrics.events_dropped", labels, Kind::Counter, since, time, count(*number));
        }
        for metric in &group.metrics {
            let labels = with(&base, &[("metric", &metric.name)]);
            let failed = group.failed.get(&metric.name).copied().unwrap_or(0);
            self.add("mvx_metrics.metrics_failed", labels.clone(), Kind::Gauge, 0, time, count(failed));
            let invalid = count(metric.invalid);
            self.add("mvx_metrics.values_invalid", labels, Kind::Counter, since, time, invalid);
        }
    }

    fn add_metric(&mut self, base: &Attributes, metric: &MetricSnapshot, time: u64) {
        let since = nanos(metric.counting_since().expect("a time"));
        let declaration = metric.declaration().expect("a declaration");
        for (name, value) in metric.dimensions.iter() {
            let declared = declaration.dimensions.iter().find(|declared| declared.name == name);
            let declared = declared.expect("a declared dimension");
            let name = format!("{}.{name}", metric.name);
            match value {
                DimensionValue::Breakdown(entries) => {
                    for entry in entries {
                        let labels = declared.labels.iter().zip(&entry.labels);
                        let labels: Vec<_> = labels.map(|(key, label)| (&**key, &**label)).collect();
                        self.add_value(&name, with(base, &labels), declared, &entry.value, [since, time]);
                    }
                }
                DimensionValue::Top(top) => {
                    for entry in top {
                        let labels = with(base, &[(&declared.labels[0], &entry.labels[0])]);
                        let value = number(entry.value);
                        self.add(&name, labels.clone(), Kind::Gauge, 0, time, value);
                        self.add(&format!("{name}_error"), labels, Kind::Gauge, 0, time, number(entry.error));
                    }
                }
                value => self.add_value(&name, base.clone(), declared, value, [since, time]),
            }
        }
    }

    fn add_value(
        &mut self,
        name: &str,
        labels: Attributes,
        declared: &DimensionDescriptor,
        value: &DimensionValue,
        [since, time]: [u64; 2],
    ) {
        use DimensionValue as V;
        let is_counted = [DimensionKind::Counter, DimensionKind::Sum].contains(&declared.kind);
        let has_window = declared.window.is_some();
        let (kind, value) = match value {
            V::Empty | V::Unknown => return,
            V::Histogram(histogram) if has_window => {
                for quantile in ["0.5", "0.9", "0.95", "0.99"] {
                    let value = histogram.quantile(quantile.parse().expect("a number"));
                    let Some(value) = value.map(Value::Double) else { continue };
                    let labels = with(&labels, &[("quantile", quantile)]);
                    self.add(name, labels, Kind::Gauge, 0, time, value);
                }
                return;
            }
            V::Histogram(histogram) => {
                let is_explicit = histogram.buckets.explicit().is_some();
                let kind = if is_explicit { Kind::Histogram } else { Kind::ExponentialHistogram };
                (kind, Value::Distribution(distribution(histogram)))
            }
            V::Mean(mean) => match mean.sum {
                Number::Unsigned(_) | Number::Duration(_) if !has_window => {
                    let (count, sum) = (mean.count, Some(mean.sum.as_f64()));
                    // Some stores take no histogram without a bucket.
                    let distribution =
                        Distribution { count, sum, counts: vec![count], ..Distribution::default() };
                    (Kind::Histogram, Value::Distribution(distribution))
                }
                _ => match mean.mean() {
                    Some(mean) => (Kind::Gauge, Value::Double(mean)),
                    None => return,
                },
            },
            V::InFlight(in_flight) => (Kind::UpDownCounter, Value::Int(in_flight.current())),
            V::Distinct(distinct) => {
                (Kind::Gauge, Value::Int(i64::try_from(distinct.estimate()).expect("a few values")))
            }
            V::Unsigned(_) | V::Duration(_) if is_counted && !has_window => (Kind::Counter, plain(value)),
            V::Signed(_) | V::Float(_) if is_counted && !has_window => (Kind::UpDownCounter, plain(value)),
            value => (Kind::Gauge, plain(value)),
        };
        let start = if kind == Kind::Gauge { 0 } else { since };
        self.add(name, labels, kind, start, time, value);
    }

    fn add(&mut self, name: &str, labels: Attributes, kind: Kind, start: u64, time: u64, value: Value) {
        let point = Point { kind, unit: String::new(), is_delta: false, start, time, value };
        assert!(self.0.insert((name.to_owned(), labels), point).is_none(), "{name} is expected twice");
    }
}

fn base_of(group: &GroupTotals) -> Attributes {
    let mut base = attributes(&[("namespace", &group.namespace)]);
    base.extend(group.entity_id.as_ref().map(|entity_id| ("entity_id".to_owned(), entity_id.to_string())));
    base
}

pub fn attributes(pairs: &[(&str, &str)]) -> Attributes {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn with(base: &Attributes, pairs: &[(&str, &str)]) -> Attributes {
    let mut all = base.clone();
    all.extend(attributes(pairs));
    all
}

pub fn nanos(time: SystemTime) -> u64 {
    u64::try_from(time.duration_since(UNIX_EPOCH).expect("after 1970").as_nanos()).expect("this century")
}

fn plain(value: &DimensionValue) -> Value {
    match value {
        DimensionValue::Unsigned(value) => number(Number::Unsigned(*value)),
        DimensionValue::Signed(value) => number(Number::Signed(*value)),
        DimensionValue::Float(value) => number(Number::Float(*value)),
        DimensionValue::Duration(value) => number(Number::Duration(*value)),
        other => panic!("{other:?} is no plain number"),
    }
}

fn number(number: Number) -> Value {
    match number {
        Number::Unsigned(number) => Value::Int(i64::try_from(number).expect("a number of a test")),
        Number::Signed(number) => Value::Int(number),
        Number::Float(number) => Value::Double(number),
        Number::Duration(duration) => Value::Double(duration.as_secs_f64()),
        other => panic!("{other:?}"),
    }
}

fn distribution(histogram: &HistogramSnapshot<Number>) -> Distribution {
    let extreme = |extreme: Extreme<Number>| match extreme {
        Extreme::Known(number) => Some(number.as_f64()),
        _ => None,
    };
    let mut all = Distribution {
        count: histogram.count,
        sum: Some(histogram.sum.as_f64()),
        extremes: [extreme(histogram.min), extreme(histogram.max)],
        ..Distribution::default()
    };
    let mut is_below = all.extremes[0].is_some_and(|min| min < 0.0);
    match &histogram.buckets {
        Buckets::Explicit(buckets) => {
            all.bounds = buckets.iter().filter_map(|bucket| Some(bucket.upper_bound?.as_f64())).collect();
            all.counts = buckets.iter().map(|bucket| bucket.count).collect();
            is_below |= all.bounds.first().is_some_and(|first| *first < 0.0);
        }
        Buckets::Exponential(buckets) => {
            (all.scale, all.zero) = (buckets.scale, buckets.zero);
            let counts = |range: &mvx_metrics::BucketRange| {
                let counts = (i64::from(range.offset)..).zip(range.counts.iter().copied());
                counts.filter(|(_, count)| *count > 0).collect::<BTreeMap<_, _>>()
            };
            (all.positive, all.negative) = (counts(&buckets.positive), counts(&buckets.negative));
        }
        other => panic!("{other:?}"),
    }
    if is_below {
        all.sum = None;
    }
    all
}

/// Compares all series of a push with those of the totals, without units.
fn assert_equal(mut pushed: Decoded, totals: &Totals) {
    pushed.points.values_mut().for_each(|point| point.unit.clear());
    let expected = Expected::of(totals).0;
    for (id, point) in &expected {
        assert_eq!(pushed.points.get(id), Some(point), "{id:?}");
    }
    let further: Vec<_> = pushed.points.keys().filter(|id| !expected.contains_key(id)).collect();
    assert!(further.is_empty(), "{further:?}");
}

#[test]
fn ot1_every_number_is_that_of_the_totals() {
    let runs = prop::collection::vec((0..3_usize, worked()), 0..60);
    let mut runner = TestRunner::new(Config::with_cases(24));
    let result = runner.run(&runs, |run| {
        let runtime = running("shop");
        let recorders = ["north", "south", "\"east\"\0"].map(|id| worker(&runtime, id));
        let mut encoder = Encoder::new(&OtlpOptions::new());
        for (recorder, event) in &run {
            recorders[*recorder].emit(*event);
        }
        for scope in [Scope::Rollup, Scope::PerEntity] {
            let totals = runtime.totals(scope).expect("it runs");
            assert_equal(push(&mut encoder, &totals), &totals);
            assert_eq!(encoder.left_out(), []);
        }
        runtime.stop_and_remove_recorder("south").expect("it is registered");
        for scope in [Scope::PerEntity, Scope::Rollup] {
            let totals = runtime.totals(scope).expect("it runs");
            assert_equal(push(&mut encoder, &totals), &totals);
        }
        runtime.shutdown().expect("it stops");
        Ok(())
    });
    result.expect("all runs");
}

#[test]
fn ot1_units_and_descriptions_are_those_of_the_declarations() {
    let runtime = running("shop");
    worker(&runtime, "north").emit(Worked {
        outcome: Outcome::Success,
        place: "here",
        elapsed: Duration::from_millis(250),
        bytes: 1_000,
        balance: -5,
        ratio: 0.5,
    });
    let totals = runtime.totals(Scope::Rollup).expect("it runs");
    let pushed = push(&mut Encoder::new(&OtlpOptions::new()), &totals);
    let unit = |name: &str| &*pushed.only(name).unit;
    assert_eq!((unit("work.moved"), unit("work.time"), unit("work.balance")), ("By", "s", "{euros}"));
    assert_eq!((unit("work.all"), unit("mvx_metrics.events_accepted")), ("", ""));
    // Durations are in seconds, whatever unit JSON shows them in.
    assert_eq!(pushed.only("work.time").value, Value::Double(0.25));
    assert_eq!(pushed.descriptions["work.all"], "All work.");
    assert_eq!(pushed.descriptions["work.moved"], "Work of all kinds.");
    assert_eq!(pushed.descriptions["mvx_metrics.events_accepted"], "Events taken into a queue.");
}

#[test]
fn ot1_the_resource_says_whose_numbers_they_are() {
    let runtime = mvx_metrics::MetricsRuntime::builder("shop").label("region", "eu").label("team", "a");
    let runtime = runtime.build().expect("valid labels");
    runtime.start().expect("a thread can be started");
    let totals = runtime.totals(Scope::Rollup).expect("it runs");
    let mut resource = push(&mut Encoder::new(&OtlpOptions::new()), &totals).resource;
    let id = resource.remove("service.instance.id").expect("an id");
    let is_hex = |other: char| other.is_ascii_hexdigit() && !other.is_ascii_uppercase();
    let parts: Vec<_> = id.split('-').map(str::len).collect();
    assert!(parts == [8, 4, 4, 4, 12] && id.chars().all(|other| other == '-' || is_hex(other)), "{id}");
    assert!(id[14..].starts_with('4') && ["8", "9", "a", "b"].contains(&&id[19..20]), "{id}");
    assert_eq!(resource, attributes(&[("region", "eu"), ("service.name", "shop"), ("team", "a")]));

    // The series of one process have one id, and later attributes win.
    let options = OtlpOptions::new().service_name("till").resource_attribute("team", "b");
    let other = push(&mut Encoder::new(&options), &totals).resource;
    let expected = [("region", "eu"), ("service.instance.id", &id), ("service.name", "till"), ("team", "b")];
    assert_eq!(other, attributes(&expected));
    let options = options.resource_attribute("service.instance.id", "till-7");
    let other = push(&mut Encoder::new(&options), &totals).resource;
    assert_eq!(other["service.instance.id"], "till-7");
}
