//! Covers OT2 with random runs: recorders come and go, metrics are replaced, requests are lost or divided, and the deltas that the
//! collector has taken add up to what the cumulative series say.

use std::collections::BTreeMap;

use mvx_metrics::{MetricsRuntime, Scope, Totals};
use mvx_metrics_otlp::{Encoder, OtlpOptions, Temporality};
use proptest::prelude::{Just, Strategy, prop, prop_oneof};
use proptest::test_runner::{Config, TestRunner};

use crate::decode::{Decoded, Distribution, Id, Kind, Point, Value, decode, push};
use crate::fixtures::{Work, Worked, running};
use crate::numbers::worked;

#[derive(Debug, Clone)]
enum Step {
    Emit(usize, Worked),
    Create(usize),
    Remove(usize),
    Replace(usize),
    /// A push, with what becomes of its requests, one after the other.
    Push(Vec<Fate>),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    Taken,
    Lost,
    TooLarge,
}

/// Two recorders for each of two entities.
const RECORDERS: [(&str, &str); 4] = [("a1", "a"), ("a2", "a"), ("b1", "b"), ("b2", "b")];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let recorder = || 0..RECORDERS.len();
    let fate = prop_oneof![
        6 => Just(Fate::Taken),
        3 => Just(Fate::Lost),
        1 => Just(Fate::TooLarge),
    ];
    let step = prop_oneof![
        12 => (recorder(), worked()).prop_map(|(recorder, event)| Step::Emit(recorder, event)),
        2 => recorder().prop_map(Step::Create),
        1 => recorder().prop_map(Step::Remove),
        1 => recorder().prop_map(Step::Replace),
        3 => prop::collection::vec(fate, 1..6).prop_map(Step::Push),
    ];
    prop::collection::vec(step, 0..80)
}

/// One scope, with an encoder of deltas and a cumulative one.
struct Observed {
    scope: Scope,
    deltas: Encoder,
    cumulative: Encoder,
    series: BTreeMap<Id, Series>,
}

/// What the collector knows of a series.
struct Series {
    /// The sum of all deltas.
    sum: Value,
    /// The same by the cumulative series, where a value that begins anew counts in full.
    expected: Value,
    /// The last cumulative point at a delivered delta.
    last: Point,
}

impl Observed {
    fn new(scope: Scope) -> Self {
        let options = OtlpOptions::new().max_request_size(6_000);
        let deltas = Encoder::new(&options.clone().temporality(Temporality::Delta));
        Self { scope, deltas, cumulative: Encoder::new(&options), series: BTreeMap::new() }
    }

    fn push(&mut self, totals: &Totals, fates: &[Fate]) {
        let cumulative = push(&mut self.cumulative, totals);
        let (mut all, mut taken) = (Decoded::default(), Decoded::default());
        let mut fates = fates.iter().copied().cycle();
        let mut requests = self.deltas.requests(totals);
        while let Some(request) = requests.next_request() {
            let fate = fates.next().unwrap_or(Fate::Taken);
            if fate == Fate::TooLarge && request.body.len() > 2_000 && requests.divide(&request) {
                continue;
            }
            all.extend(decode(&request));
            if fate == Fate::Taken {
                taken.extend(decode(&request));
                requests.delivered(request);
            }
        }
        drop(requests);
        assert_eq!(self.deltas.left_out(), self.cumulative.left_out());
        self.series.retain(|id, _| cumulative.points.contains_key(id));
        for (id, point) in &cumulative.points {
            let has_deltas = ![Kind::Gauge, Kind::UpDownCounter].contains(&point.kind);
            if has_deltas {
                self.observe(id, point, all.points.get(id), taken.points.contains_key(id));
            } else {
                assert_eq!(all.points.get(id), Some(point), "{id:?} has no deltas");
            }
        }
        let known = |id: &&Id| cumulative.points.contains_key(*id);
        assert!(all.points.keys().all(|id| known(&id)), "a series that the totals do not have");
        assert_eq!(self.deltas.remembered_series(), self.series.len());
    }

    fn observe(&mut self, id: &Id, cumulative: &Point, delta: Option<&Point>, is_taken: bool) {
        let Some(series) = self.series.get_mut(id) else {
            // All that was counted so far is the first delta, also if that is nothing.
            let delta = delta.unwrap_or_else(|| panic!("{id:?} has no first delta"));
            assert_eq!((&delta.value, delta.start), (&cumulative.value, cumulative.start), "{id:?}");
            assert!(delta.is_delta && delta.time == cumulative.time, "{id:?}");
            if is_taken {
                let [sum, expected] = [delta, cumulative].map(|point| point.value.clone());
                self.series.insert(id.clone(), Series { sum, expected, last: cumulative.clone() });
            }
            return;
        };
        let last = &series.last;
        let is_new = cumulative.start > last.start || has_fallen(&last.value, &cumulative.value);
        let counted = if is_new { cumulative.value.clone() } else { minus(&cumulative.value, &last.value) };
        let Some(delta) = delta else {
            assert!(is_nothing(&counted) && !is_new, "{id:?} lacks {counted:?}");
            return;
        };
        assert!(is_new || !is_nothing(&counted), "{id:?} has a delta of nothing");
        assert!(delta.is_delta && delta.time == cumulative.time, "{id:?}");
        // Intervals are next to each other, also where a request was lost in between.
        let start = if is_new { cumulative.start.max(last.time) } else { last.time };
        assert_eq!(delta.start, start, "{id:?}");
        if let Value::Distribution(distribution) = &delta.value {
            let was_empty = is_nothing(&last.value);
            assert!(is_new || was_empty || distribution.extremes == [None; 2], "{id:?}");
        }
        if is_taken {
            series.sum = plus(&series.sum, &delta.value);
            series.expected = plus(&series.expected, &counted);
            series.last = cumulative.clone();
        }
        assert_close(id, &series.sum, &series.expected);
    }

    /// Compares the sums of all deltas with the cumulative end. The collector has taken a push of it.
    fn finish(&mut self, totals: &Totals) {
        self.push(totals, &[Fate::Taken]);
        for (id, series) in &self.series {
            assert_close(id, &series.sum, &series.expected);
            if self.scope == Scope::Rollup {
                assert_close(id, &series.sum, &series.last.value);
            }
        }
    }
}

fn distributions<'a>(one: &'a Value, other: &'a Value) -> Option<(&'a Distribution, &'a Distribution)> {
    match (one, other) {
        (Value::Distribution(one), Value::Distribution(other)) => Some((one, other)),
        _ => None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "the numbers of the runs are small")]
fn as_f64(value: &Value) -> f64 {
    match value {
        Value::Int(value) => *value as f64,
        Value::Double(value) => *value,
        Value::Distribution(_) => panic!("a distribution"),
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Int(value) => *value == 0,
        Value::Double(value) => *value == 0.0,
        Value::Distribution(distribution) => distribution.count == 0,
    }
}

/// Combines two values number by number, histograms at the coarser scale of both.
fn combine(one: &Value, other: &Value, ints: fn(i64, i64) -> i64, counts: fn(u64, u64) -> u64) -> Value {
    let floats = |one: f64, other: f64| if ints(1, 1) == 2 { one + other } else { one - other };
    let Some((one, other)) = distributions(one, other) else {
        return match (one, other) {
            (Value::Int(one), Value::Int(other)) => Value::Int(ints(*one, *other)),
            (one, other) => Value::Double(floats(as_f64(one), as_f64(other))),
        };
    };
    let scale = one.scale.min(other.scale);
    let (one, other) = (downscaled(one, scale), downscaled(other, scale));
    assert_eq!(one.bounds, other.bounds);
    let maps = |one: &BTreeMap<i64, u64>, other: &BTreeMap<i64, u64>| {
        let mut all = one.clone();
        for index in other.keys() {
            all.entry(*index).or_default();
        }
        for (index, count) in &mut all {
            *count = counts(*count, other.get(index).copied().unwrap_or(0));
        }
        all.retain(|_, count| *count > 0);
        all
    };
    Value::Distribution(Distribution {
        count: counts(one.count, other.count),
        sum: one.sum.zip(other.sum).map(|(one, other)| floats(one, other)),
        extremes: [None; 2],
        bounds: one.bounds.clone(),
        counts: one.counts.iter().zip(&other.counts).map(|(one, other)| counts(*one, *other)).collect(),
        scale,
        zero: counts(one.zero, other.zero),
        positive: maps(&one.positive, &other.positive),
        negative: maps(&one.negative, &other.negative),
    })
}

fn plus(one: &Value, other: &Value) -> Value {
    combine(one, other, |one, other| one + other, |one, other| one + other)
}

fn minus(one: &Value, other: &Value) -> Value {
    combine(one, other, |one, other| one - other, |one, other| one - other)
}

fn has_fallen(earlier: &Value, later: &Value) -> bool {
    let Some((earlier, later)) = distributions(earlier, later) else {
        return as_f64(later) < as_f64(earlier);
    };
    let scale = earlier.scale.min(later.scale);
    let (earlier, later) = (downscaled(earlier, scale), downscaled(later, scale));
    let maps = |earlier: &BTreeMap<i64, u64>, later: &BTreeMap<i64, u64>| {
        earlier.iter().any(|(index, count)| later.get(index).copied().unwrap_or(0) < *count)
    };
    later.count < earlier.count
        || later.zero < earlier.zero
        || earlier.counts.iter().zip(&later.counts).any(|(earlier, later)| later < earlier)
        || maps(&earlier.positive, &later.positive)
        || maps(&earlier.negative, &later.negative)
        || earlier.sum.zip(later.sum).is_some_and(|(earlier, later)| later < earlier * (1.0 - 1e-9))
}

fn downscaled(distribution: &Distribution, scale: i32) -> Distribution {
    let steps = distribution.scale - scale;
    let side = |counts: &BTreeMap<i64, u64>| {
        let mut coarser = BTreeMap::new();
        for (index, count) in counts {
            *coarser.entry(index >> steps).or_default() += count;
        }
        coarser
    };
    let (positive, negative) = (side(&distribution.positive), side(&distribution.negative));
    Distribution { scale, positive, negative, ..distribution.clone() }
}

/// All counts are equal, at the coarser scale of both, and the other numbers but for their rounding.
fn assert_close(id: &Id, sum: &Value, expected: &Value) {
    let is_close = |sum: f64, expected: f64| (sum - expected).abs() <= 1e-9 * expected.abs().max(1.0);
    let Some((one, other)) = distributions(sum, expected) else {
        if let (Value::Int(sum), Value::Int(expected)) = (sum, expected) {
            assert_eq!(sum, expected, "{id:?}");
        }
        assert!(is_close(as_f64(sum), as_f64(expected)), "{id:?}: {sum:?} and not {expected:?}");
        return;
    };
    let scale = one.scale.min(other.scale);
    let (mut one, mut other) = (downscaled(one, scale), downscaled(other, scale));
    assert_eq!(one.sum.is_some(), other.sum.is_some(), "{id:?}");
    assert!(
        one.sum.zip(other.sum).is_none_or(|(sum, expected)| is_close(sum, expected)),
        "{id:?}: {sum:?}, {expected:?}"
    );
    (one.sum, one.extremes, other.sum, other.extremes) = (None, [None; 2], None, [None; 2]);
    assert_eq!(one, other, "{id:?}");
}

fn run(steps: &[Step]) {
    let runtime = running("shop");
    let mut observed = [Scope::Rollup, Scope::PerEntity].map(Observed::new);
    for step in steps {
        match step {
            Step::Create(recorder) => create(&runtime, *recorder),
            Step::Remove(recorder) => {
                let _ = runtime.stop_and_remove_recorder(RECORDERS[*recorder].0);
            }
            Step::Emit(recorder, event) => {
                let recorder = runtime.try_get_recorder(RECORDERS[*recorder].0).expect("it runs");
                if let Some(recorder) = recorder {
                    recorder.emit(*event);
                }
            }
            Step::Replace(recorder) => {
                let recorder = runtime.try_get_recorder(RECORDERS[*recorder].0).expect("it runs");
                if let Some(recorder) = recorder {
                    recorder.register_metric(Work::default()).expect("it runs");
                }
            }
            Step::Push(fates) => {
                for observed in &mut observed {
                    observed.push(&runtime.totals(observed.scope).expect("it runs"), fates);
                }
            }
        }
    }
    runtime.shutdown().expect("it stops");
    // The final state is pushed after the shutdown.
    for observed in &mut observed {
        observed.finish(&runtime.totals(observed.scope).expect("its final state"));
    }
}

fn create(runtime: &MetricsRuntime, recorder: usize) {
    let (id, entity_id) = RECORDERS[recorder];
    let options = mvx_metrics::RecorderOptions::default().entity_id(entity_id);
    if let Ok(recorder) = runtime.create_recorder_with(id, options) {
        recorder.metric::<Work>().expect("it runs");
    }
}

#[test]
fn ot2_deltas_of_a_run_add_up_to_the_cumulative_end() {
    let mut runner = TestRunner::new(Config::with_cases(48));
    let result = runner.run(&steps(), |steps| {
        run(&steps);
        Ok(())
    });
    result.expect("all runs");
}
