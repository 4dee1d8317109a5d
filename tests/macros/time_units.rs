//! Units of time: in which durations are shown, and from which numbers are recorded. Covers DL5.

// Numbers and texts, for minutes.
#![cfg(not(miri))]

use std::time::Duration;

use mvx_metrics::export::{Format, Scope};
use mvx_metrics::feed::Record;
use mvx_metrics::{
    Breakdown, Counter, Dimension, DimensionKind, DimensionValue, Gauge, HandleEvent, Histogram, Label, Max,
    Mean, Merge, MergeError, Metric, MetricSnapshot, MetricsRuntime, Min, Output, Recent, RuntimeSnapshot,
    Sum, Top, Totals, TypedMetric, metric_event,
};
use proptest::prelude::*;
use serde_json::{Value, json};

#[derive(Label, Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Store {
    Memory,
    Disk,
}

#[metric_event]
#[derive(Debug, Clone)]
struct Saved {
    elapsed: Duration,
    store: Store,
    user: &'static str,
    bytes: u64,
}

type Latency = Histogram<Duration>;

/// The last duration, a type of the user's own whose type has a unit.
#[derive(Default)]
struct Last(Duration);

impl Dimension for Last {
    type Output = Duration;
    const KIND: DimensionKind = DimensionKind::Custom;
    const UNIT: Option<&'static str> = Some("microseconds");
    const MERGE: Option<fn(&mut Duration, &Duration)> = Some(|last, other| *last = (*last).max(*other));

    fn read(&self) -> Duration {
        self.0
    }

    fn value(last: Duration) -> DimensionValue {
        last.into()
    }
}

impl Record<Duration> for Last {
    fn record(&mut self, value: Duration) -> bool {
        self.0 = value;
        true
    }
}

#[derive(Metric, Default)]
#[metric(name = "saves", on(Saved))]
struct Saves {
    count: Counter,
    #[dimension(value = elapsed)]
    in_seconds: Sum<Duration>,
    #[dimension(value = elapsed, unit = seconds)]
    in_declared_seconds: Sum<Duration>,
    #[dimension(value = elapsed, unit = milliseconds)]
    sum: Sum<Duration>,
    #[dimension(value = elapsed, unit = "microseconds")]
    min: Min<Duration>,
    #[dimension(value = elapsed, unit = nanoseconds)]
    max: Max<Duration>,
    #[dimension(value = elapsed, unit = milliseconds)]
    mean: Mean<Duration>,
    #[dimension(set = elapsed, unit = milliseconds)]
    gauge: Gauge<Duration>,
    #[dimension(value = elapsed, unit = milliseconds)]
    histogram: Histogram<Duration>,
    #[dimension(value = elapsed, unit = microseconds, buckets = [Duration::from_micros(1_500), Duration::from_secs(1)])]
    buckets: Histogram<Duration>,
    #[dimension(value = elapsed, by = store, unit = milliseconds)]
    by_store: Breakdown<Store, Mean<Duration>>,
    #[dimension(value = elapsed, by(store, user), limit = 10, unit = nanoseconds)]
    by_user: Breakdown<(Store, &'static str), Recent<Sum<Duration>, 3_600>>,
    #[dimension(value = elapsed, unit = milliseconds)]
    recent: Recent<Max<Duration>, 3_600>,
    #[dimension(value = elapsed, by = user, keep = 10, unit = milliseconds)]
    slowest: Top<&'static str, Sum<Duration>>,
    #[dimension(value = elapsed, unit = milliseconds)]
    alias: Latency,
    #[dimension(value = bytes, unit = milliseconds)]
    number: Sum<u64>,
    #[dimension(value = elapsed)]
    own: Last,
    #[dimension(flatten(prefix = "inner_"))]
    inner: Inner,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Inner {
    #[dimension(value = elapsed, unit = microseconds)]
    sum: Sum<Duration>,
}

fn saved(elapsed: Duration, store: Store, user: &'static str) -> Saved {
    Saved { elapsed, store, user, bytes: 7 }
}

fn metric(events: &[Saved]) -> Saves {
    let mut metric = Saves::default();
    for event in events {
        metric.handle(event);
    }
    metric
}

fn typed(metric: &Saves) -> Value {
    serde_json::to_value(metric.typed_snapshot()).unwrap()
}

fn erased(metric: &Saves) -> Value {
    serde_json::to_value(metric.snapshot()).unwrap()["dimensions"].clone()
}

#[test]
fn dl5_json_shows_durations_in_the_unit_of_their_field() {
    let metric = metric(&[
        saved(Duration::from_micros(1_500), Store::Disk, "ada"),
        saved(Duration::new(2, 1), Store::Disk, "bob"),
    ]);
    let json = typed(&metric);
    assert_eq!(json["in_seconds"], json!(2.001_500_001));
    assert_eq!(json["in_declared_seconds"], json!(2.001_500_001));
    assert_eq!(json["sum"], json!(2_001.500_001));
    assert_eq!(json["min"], json!(1_500.0));
    assert_eq!(json["max"], json!(2_000_000_001_u64));
    assert_eq!(json["mean"], json!({"mean": 1_000.750_000_5, "sum": 2_001.500_001, "count": 2}));
    assert_eq!(json["gauge"], json!(2_000.000_001));
    assert_eq!(json["histogram"]["sum"], json!(2_001.500_001));
    assert_eq!(json["histogram"]["min"], json!(1.5));
    let bounds = json["buckets"]["buckets"].as_array().unwrap();
    let bounds: Vec<_> = bounds.iter().map(|bucket| bucket["up_to"].clone()).collect();
    assert_eq!(bounds, [json!(1_500.0), json!(1_000_000.0), json!(null)]);
    assert_eq!(json["by_store"]["disk"]["sum"], json!(2_001.500_001));
    assert_eq!(json["by_store"]["memory"], json!({"mean": null, "sum": 0.0, "count": 0}));
    assert_eq!(json["by_user"]["disk"]["ada"], json!(1_500_000));
    assert_eq!(json["recent"], json!(2_000.000_001));
    assert_eq!(json["slowest"]["entries"][0]["value"], json!(2_000.000_001));
    assert_eq!(json["slowest"]["unseen"], json!(0.0));
    assert_eq!(json["alias"]["max"], json!(2_000.000_001));
    assert_eq!(json["number"], json!(14));
    assert_eq!(json["own"], json!(2_000_000.001));
    assert_eq!(json["inner_sum"], json!(2_001_500.001));
    assert_eq!(erased(&metric), json, "typed and erased snapshots agree");
}

#[test]
fn dl5_the_typed_field_stays_a_duration_and_value_has_the_unit() {
    let metric = metric(&[saved(Duration::from_micros(1_500), Store::Disk, "ada")]);
    assert_eq!(metric.typed_snapshot().sum, Duration::from_micros(1_500));
    let snapshot = metric.snapshot();
    let names = ["in_seconds", "sum", "min", "max", "mean", "own", "number", "histogram", "unknown"];
    let values = names.map(|name| snapshot.value(name));
    let expected = [
        Some(0.001_5),
        Some(1.5),
        Some(1_500.0),
        Some(1_500_000.0),
        Some(1.5),
        Some(1_500.0),
        Some(7.0),
        None,
        None,
    ];
    assert_eq!(values, expected);
    assert_eq!(snapshot.get("sum").unwrap().as_f64(), Some(0.001_5), "without its declaration, seconds");
}

#[test]
fn dl5_the_declaration_names_the_unit_and_the_text_has_seconds() {
    let descriptor = Saves::default().descriptor();
    let unit = |name: &str| {
        let dimension = descriptor.dimensions.iter().find(|dimension| dimension.name == name).unwrap();
        (dimension.unit.clone().unwrap(), dimension.base_unit().unwrap().to_owned())
    };
    let is = |unit: &'static str, base: &str| (unit.into(), base.to_owned());
    assert_eq!(unit("in_seconds"), is("seconds", "seconds"));
    assert_eq!(unit("sum"), is("milliseconds", "seconds"));
    assert_eq!(unit("alias"), is("milliseconds", "seconds"));
    assert_eq!(unit("by_user"), is("nanoseconds", "seconds"));
    assert_eq!(unit("own"), is("microseconds", "seconds"));
    assert_eq!(unit("number"), is("milliseconds", "milliseconds"));
    assert_eq!(unit("inner_sum"), is("microseconds", "seconds"));
}

fn runtime(events: &[Saved]) -> MetricsRuntime {
    let runtime = MetricsRuntime::new("shop").unwrap();
    runtime.start().unwrap();
    let recorder = runtime.create_recorder("store").unwrap();
    recorder.metric::<Saves>().unwrap();
    for event in events {
        recorder.emit(event.clone());
    }
    recorder.metric_snapshots().unwrap();
    runtime
}

fn events() -> impl Strategy<Value = Vec<Saved>> {
    let nanos = prop_oneof![0..10_u64, 0..10_000_000_000_u64, any::<u64>()];
    let elapsed =
        prop_oneof![nanos.prop_map(Duration::from_nanos), (0..1_u64 << 53).prop_map(Duration::from_secs),];
    let user = prop_oneof![Just("ada"), Just("bob")];
    let store = prop_oneof![Just(Store::Memory), Just(Store::Disk)];
    proptest::collection::vec(
        (elapsed, store, user).prop_map(|(elapsed, store, user)| saved(elapsed, store, user)),
        0..8,
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn dl5_typed_and_erased_snapshots_come_back_equal_and_merge(one in events(), other in events()) {
        let (first, second) = (metric(&one), metric(&other));
        let mut both = first.typed_snapshot();
        let json = serde_json::to_string(&both).unwrap();
        prop_assert_eq!(&serde_json::from_str::<SavesSnapshot>(&json).unwrap(), &both);
        let packed = rmp_serde::to_vec_named(&both).unwrap();
        prop_assert_eq!(&rmp_serde::from_slice::<SavesSnapshot>(&packed).unwrap(), &both);

        let mut erased_both = first.snapshot();
        prop_assert_eq!(serde_json::to_value(&erased_both).unwrap()["dimensions"].clone(), typed(&first));
        let text = serde_json::to_string(&erased_both).unwrap();
        let alone: MetricSnapshot = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(serde_json::to_string(&alone).unwrap(), text, "it serialises to the same JSON");

        both.merge(&second.typed_snapshot());
        erased_both.merge(&second.snapshot()).unwrap();
        prop_assert_eq!(serde_json::to_value(&erased_both).unwrap()["dimensions"].clone(), serde_json::to_value(&both).unwrap());
        let interval = both.since(&first.typed_snapshot());
        let erased_interval = erased_both.since(&first.snapshot()).unwrap();
        prop_assert_eq!(
            serde_json::to_value(&erased_interval).unwrap()["dimensions"].clone(),
            serde_json::to_value(&interval).unwrap()
        );
    }

    #[test]
    fn dl5_totals_and_runtime_snapshots_come_back_equal(events in events()) {
        let runtime = runtime(&events);
        let snapshot = runtime.snapshot().unwrap();
        let text = serde_json::to_string(&snapshot).unwrap();
        let back: RuntimeSnapshot = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&back, &snapshot);
        prop_assert_eq!(serde_json::to_string(&back).unwrap(), text);
        let json = serde_json::to_value(&snapshot).unwrap();
        let dimensions = json["recorders"][0]["metrics"]["saves"]["dimensions"].clone();
        prop_assert_eq!(dimensions, typed(&metric(&events)));

        let totals = runtime.totals(Scope::Rollup).unwrap();
        let back: Totals = serde_json::from_str(&serde_json::to_string(&totals).unwrap()).unwrap();
        prop_assert_eq!(&back, &totals);
        // The windows of a rollup begin empty once their recorder is gone, so only these differ.
        let of_metric = metric(&events).typed_snapshot();
        let read = [&totals, &back].map(|totals| totals.get::<Saves>("shop"));
        for read in read {
            prop_assert_eq!(read.unwrap(), of_metric.clone());
        }
        prop_assert_eq!(back.exposition(Format::OpenMetrics).text, totals.exposition(Format::OpenMetrics).text);
        runtime.shutdown().unwrap();
    }
}

#[test]
fn dl5_values_of_different_units_do_not_merge() {
    #[derive(Metric, Default)]
    #[metric(name = "saves", on(Saved))]
    struct Micros {
        #[dimension(value = elapsed, unit = microseconds)]
        sum: Sum<Duration>,
    }

    #[derive(Metric, Default)]
    #[metric(name = "saves", on(Saved))]
    struct Millis {
        #[dimension(value = elapsed, unit = milliseconds)]
        sum: Sum<Duration>,
    }

    let mut micros = Micros::default().snapshot();
    let error = micros.merge(&Millis::default().snapshot()).unwrap_err();
    assert!(matches!(error, MergeError::OtherDeclaration { .. }), "{error}");
    assert!(error.to_string().contains("the units of `sum` differ"), "{error}");
}

#[test]
fn dl5_a_generic_measure_converts_where_it_is_a_duration() {
    #[derive(Metric, Default)]
    #[metric(on(Saved))]
    struct Of<T: mvx_metrics::Measure>
    where
        Duration: mvx_metrics::feed::IntoMeasure<T>,
    {
        #[dimension(value = elapsed, unit = milliseconds)]
        sum: Sum<T>,
    }

    let mut metric = Of::<Duration>::default();
    metric.handle(&saved(Duration::from_secs(1), Store::Disk, "ada"));
    assert_eq!(serde_json::to_value(metric.typed_snapshot()).unwrap(), json!({"sum": 1_000.0}));
    assert_eq!(serde_json::to_value(metric.snapshot()).unwrap()["dimensions"], json!({"sum": 1_000.0}));
}

#[metric_event]
#[derive(Default)]
struct Timed {
    nanos: u64,
    micros: i32,
    millis: u128,
    seconds: f64,
    narrow: f32,
    maybe: Option<u32>,
    store: bool,
}

#[derive(Metric, Default)]
#[metric(name = "times", on(Timed))]
struct Times {
    #[dimension(value = nanos, from = nanoseconds)]
    sum: Sum<Duration>,
    #[dimension(value = micros, from = "microseconds")]
    min: Min<Duration>,
    #[dimension(value = millis, from = milliseconds)]
    max: Max<Duration>,
    #[dimension(value = seconds, from = seconds)]
    mean: Mean<Duration>,
    #[dimension(on(Timed, set = maybe, from = seconds))]
    gauge: Gauge<Duration>,
    #[dimension(set = 5, from = milliseconds)]
    constant: Gauge<Duration>,
    #[dimension(value = |e| e.narrow / 2.0, from = seconds)]
    closure: Histogram<Duration>,
    #[dimension(value = seconds, from = milliseconds, unit = microseconds, buckets = [Duration::from_millis(1)])]
    bounds: Histogram<Duration>,
    #[dimension(value = seconds, from = seconds, max_buckets = 20)]
    few: Histogram<Duration>,
    #[dimension(value = nanos, from = nanoseconds, by = store)]
    by_store: Breakdown<bool, Sum<Duration>>,
    #[dimension(value = nanos, from = nanoseconds)]
    recent: Recent<Sum<Duration>, 3_600>,
    #[dimension(value = nanos, from = nanoseconds, by = store, keep = 2)]
    slowest: Top<bool, Sum<Duration>>,
    #[dimension(value = nanos, from = microseconds)]
    alias: Latency,
}

#[test]
fn dl5_from_makes_times_of_numbers() {
    let mut metric = Times::default();
    metric.handle(&Timed {
        nanos: 1_500,
        micros: 7,
        millis: 250,
        seconds: 0.5,
        narrow: 3.0,
        maybe: Some(60),
        store: true,
    });
    let times = metric.typed_snapshot();
    assert_eq!(times.sum, Duration::from_nanos(1_500));
    assert_eq!(times.min.known(), Some(Duration::from_micros(7)));
    assert_eq!(times.max.known(), Some(Duration::from_millis(250)));
    assert_eq!(times.mean.sum, Duration::from_millis(500));
    assert_eq!(times.gauge, Some(Duration::from_mins(1)));
    assert_eq!(times.constant, Some(Duration::from_millis(5)));
    assert_eq!(times.closure.sum, Duration::from_millis(1_500));
    assert_eq!(times.bounds.sum, Duration::from_micros(500));
    assert_eq!(times.few.sum, Duration::from_millis(500));
    assert_eq!(times.by_store.get(true), Some(&Duration::from_nanos(1_500)));
    assert_eq!(times.recent, Duration::from_nanos(1_500));
    assert_eq!(times.slowest.iter().next().unwrap().value, Duration::from_nanos(1_500));
    assert_eq!(times.alias.sum, Duration::from_micros(1_500));
    assert_eq!(times.invalid, 0);

    metric.handle(&Timed::default());
    assert_eq!(metric.typed_snapshot().gauge, Some(Duration::from_mins(1)), "`None` records nothing");
}

#[test]
fn dl5_a_number_that_is_no_time_counts_as_invalid_and_one_too_large_saturates() {
    for (seconds, micros, invalid) in [
        (0.0, 0, 0),
        (-0.0, 0, 0),
        (-0.5, 0, 3),
        (f64::NAN, 0, 3),
        (f64::INFINITY, 0, 3),
        (f64::NEG_INFINITY, -1, 4),
        (1.0, i32::MIN, 1),
    ] {
        let mut metric = Times::default();
        assert!(metric.handle(&Timed { micros, seconds, ..Timed::default() }));
        let times = metric.typed_snapshot();
        assert_eq!(times.invalid, invalid, "{seconds} and {micros}");
        assert_eq!(times.mean.count, u64::from(invalid < 3), "{seconds}");
        assert_eq!(times.min.known().is_some(), micros >= 0, "{micros}");
    }
    let mut metric = Times::default();
    metric.handle(&Timed { nanos: u64::MAX, millis: u128::MAX, seconds: f64::MAX, ..Timed::default() });
    let times = metric.typed_snapshot();
    assert_eq!(times.sum, Duration::from_nanos(u64::MAX));
    assert_eq!((times.max.known(), times.mean.sum), (Some(Duration::MAX), Duration::MAX));
    assert_eq!(times.invalid, 0);
}

/// A whole number of units is a number below 2^53, also where the number of nanoseconds is beyond it.
#[test]
fn dl5_a_first_number_that_is_no_time_leaves_the_buckets_as_they_are() {
    #[metric_event]
    struct Slept {
        seconds: f64,
    }

    #[derive(Metric, Default)]
    #[metric(on(Slept))]
    struct Sleeps {
        #[dimension(value = seconds, from = seconds, buckets = [1, 60])]
        slept: Histogram<Duration>,
    }

    let mut sleeps = Sleeps::default();
    for seconds in [-1.0, 2.0] {
        sleeps.handle(&Slept { seconds });
    }
    let SleepsSnapshot { slept, invalid, .. } = sleeps.typed_snapshot();
    assert_eq!((slept.count, invalid), (1, 1));
    let counts = slept.buckets.explicit().map(|buckets| buckets.iter().map(|bucket| bucket.count).collect());
    assert_eq!(counts, Some(vec![0, 1, 0]));
}

#[test]
fn dl5_a_long_duration_of_whole_units_is_shown_and_read_back_exactly() {
    for part in 0..300_u64 {
        let units = [part * (1 << 41) + 2_002, (1 << 53) - 1 - part];
        for long in units.into_iter().flat_map(|units| {
            [Duration::from_secs(units), Duration::from_millis(units), Duration::from_micros(units)]
        }) {
            let snapshot = metric(&[saved(long, Store::Memory, "ada")]).typed_snapshot();
            let packed = rmp_serde::to_vec_named(&snapshot).unwrap();
            assert_eq!(rmp_serde::from_slice::<SavesSnapshot>(&packed).unwrap(), snapshot, "{long:?}");
            let text = serde_json::to_string(&snapshot).unwrap();
            assert_eq!(serde_json::from_str::<SavesSnapshot>(&text).unwrap(), snapshot, "{long:?}");
        }
    }
    let long = Duration::from_millis((1 << 31) + 2);
    assert_eq!(typed(&metric(&[saved(long, Store::Memory, "ada")]))["sum"], json!(2_147_483_650.0));
    let longer = Duration::from_millis(2_147_483_648_002);
    assert_eq!(typed(&metric(&[saved(longer, Store::Memory, "ada")]))["sum"], json!(2_147_483_648_002.0));
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Nested {
    #[dimension(value = elapsed)]
    sum: Sum<Duration>,
}

impl Output for NestedSnapshot {}

/// A type of the user's own that shows the snapshot of a metric.
#[derive(Default)]
struct Holder(Nested);

impl Dimension for Holder {
    type Output = NestedSnapshot;
    const KIND: DimensionKind = DimensionKind::Custom;
    const UNIT: Option<&'static str> = Some("milliseconds");

    fn read(&self) -> NestedSnapshot {
        self.0.typed_snapshot()
    }

    fn value(nested: NestedSnapshot) -> DimensionValue {
        nested.sum.into()
    }
}

impl Record<Duration> for Holder {
    fn record(&mut self, value: Duration) -> bool {
        self.0.handle(&saved(value, Store::Memory, "ada"))
    }
}

#[test]
fn dl5_a_snapshot_inside_of_another_value_keeps_its_own_units() {
    #[derive(Metric, Default)]
    #[metric(on(Saved))]
    struct Outer {
        #[dimension(value = elapsed)]
        holder: Holder,
    }

    let mut outer = Outer::default();
    outer.handle(&saved(Duration::from_millis(1_500), Store::Memory, "ada"));
    let snapshot = outer.typed_snapshot();
    let text = serde_json::to_string(&snapshot).unwrap();
    assert_eq!(text, r#"{"holder":{"sum":1.5}}"#);
    assert_eq!(serde_json::from_str::<OuterSnapshot>(&text).unwrap(), snapshot);
}
