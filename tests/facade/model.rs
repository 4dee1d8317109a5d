//! FC1, FC2: random calls of several threads, beside a plain model.

use std::collections::BTreeMap;

use metrics::{counter, gauge, histogram};
use mvx_metrics::{DimensionValue, Totals};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::fixtures::{facade, problem, totals, with};

const NAMES: [&str; 3] = ["calls", "cache.hits", "read_bytes_total"];
const LABELS: [&str; 3] = ["a", "b", "namespace"];
const TEXTS: [&str; 4] = ["", "1", "two", "other"];
const LIMIT: usize = 6;

#[derive(Debug, Clone)]
enum Call {
    Increment(u64),
    Absolute(u64),
    Set(f64),
    Add(f64),
    Record(f64, usize),
    Read,
}

#[derive(Debug, Clone)]
struct Step {
    name: usize,
    /// The text of each label, and whether the labels come in the opposite order.
    texts: [usize; 3],
    is_reversed: bool,
    call: Call,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    // Sums of these numbers are exact in any order.
    let number = (-1_000_i32..1_000).prop_map(|number| f64::from(number) * 0.25);
    let call = prop_oneof![
        4 => (0_u64..100).prop_map(Call::Increment),
        1 => (0_u64..1_000).prop_map(Call::Absolute),
        1 => number.clone().prop_map(Call::Set),
        2 => number.clone().prop_map(Call::Add),
        3 => (number, 0_usize..40).prop_map(|(number, times)| Call::Record(number, times)),
        1 => Just(Call::Read),
    ];
    let texts = [0..TEXTS.len(), 0..TEXTS.len(), 0..TEXTS.len()];
    let step = (0..NAMES.len(), texts, any::<bool>(), call);
    vec(step.prop_map(|(name, texts, is_reversed, call)| Step { name, texts, is_reversed, call }), 0..60)
}

impl Step {
    fn labels(&self) -> Vec<(&'static str, &'static str)> {
        let mut labels: Vec<_> = LABELS.into_iter().zip(self.texts.map(|text| TEXTS[text])).collect();
        if self.is_reversed {
            labels.reverse();
        }
        labels
    }

    /// The name with the kind, because one name has several kinds here.
    fn name(&self, kind: &str) -> String {
        format!("{}.{kind}", NAMES[self.name])
    }

    /// Records the step, in the facade.
    fn record(&self) {
        let labels = self.labels();
        match self.call {
            Call::Increment(amount) => counter!(self.name("counter"), &labels).increment(amount),
            Call::Absolute(count) => counter!(self.name("absolute"), &labels).absolute(count),
            Call::Set(value) => gauge!(self.name("set"), &labels).set(value),
            Call::Add(value) if value < 0.0 => gauge!(self.name("gauge"), &labels).decrement(-value),
            Call::Add(value) => gauge!(self.name("gauge"), &labels).increment(value),
            Call::Record(value, times) => {
                histogram!(self.name("histogram"), &labels).record_many(value, times);
            }
            Call::Read => {}
        }
    }
}

/// The texts of a label set, and of a metric all that was recorded under them.
#[derive(Default)]
struct Model(BTreeMap<String, BTreeMap<Vec<String>, Recorded>>);

#[derive(Debug, Default, Clone, PartialEq)]
struct Recorded {
    count: u64,
    sum: f64,
    absolute: u64,
}

impl Model {
    fn record(&mut self, step: &Step) {
        let (kind, count, sum, absolute) = match step.call {
            Call::Increment(amount) => ("counter", amount, 0.0, 0),
            Call::Absolute(count) => ("absolute", 0, 0.0, count),
            Call::Add(value) => ("gauge", 0, value, 0),
            #[expect(clippy::cast_precision_loss, reason = "a small number")]
            Call::Record(value, times) => ("histogram", times as u64, value * times as f64, 0),
            Call::Set(_) | Call::Read => return,
        };
        let series = self.0.entry(step.name(kind)).or_default();
        let recorded = series.entry(step.texts.map(|text| TEXTS[text].to_owned()).to_vec()).or_default();
        recorded.count += count;
        recorded.sum += sum;
        recorded.absolute = recorded.absolute.max(absolute);
    }
}

/// What the totals have of a metric, by its labels `a`, `b` and `namespace`.
fn shown(totals: &Totals, name: &str) -> BTreeMap<Vec<String>, Recorded> {
    let metric = totals.groups[0].metrics.get(name).unwrap_or_else(|| panic!("no metric {name}"));
    let recorded = |value: &DimensionValue| match value {
        DimensionValue::Unsigned(count) => Recorded { count: *count, absolute: *count, sum: 0.0 },
        DimensionValue::Histogram(histogram) => {
            assert_eq!(histogram.buckets.count(), histogram.count);
            Recorded { count: histogram.count, sum: histogram.sum.as_f64(), absolute: 0 }
        }
        value => Recorded { count: 0, sum: value.as_f64().expect("a number"), absolute: 0 },
    };
    match metric.get("").expect("the dimension without a name") {
        DimensionValue::Breakdown(entries) => {
            let texts =
                |labels: &[std::borrow::Cow<'static, str>]| labels.iter().map(ToString::to_string).collect();
            entries.iter().map(|entry| (texts(&entry.labels), recorded(&entry.value))).collect()
        }
        value => BTreeMap::from([(vec![String::new(); 3], recorded(value))]),
    }
}

/// Runs one list of steps in each thread, reads meanwhile, and compares the totals with the model.
fn check(threads: &[Vec<Step>], limit: usize) {
    let kinds = ["counter", "absolute", "set", "gauge", "histogram"];
    let names = NAMES.into_iter().flat_map(|name| kinds.map(|kind| format!("{name}.{kind}")));
    let (runtime, facade) =
        facade(|options| names.fold(options.limit(limit), |options, name| options.labels(name, LABELS)));
    let (facade, runtime) = (&facade, &runtime);
    std::thread::scope(|scope| {
        for steps in threads {
            scope.spawn(move || {
                with(facade, || {
                    for step in steps {
                        step.record();
                        if matches!(step.call, Call::Read) {
                            drop(totals(runtime));
                        }
                    }
                });
            });
        }
    });
    let mut model = Model::default();
    threads.iter().flatten().for_each(|step| model.record(step));
    let totals = totals(runtime);
    for (name, expected) in &model.0 {
        let shown = shown(&totals, name);
        let sum_of = |series: &BTreeMap<_, Recorded>| {
            series
                .values()
                .fold((0, 0.0), |(count, sum), recorded| (count + recorded.count, sum + recorded.sum))
        };
        let is_absolute = name.ends_with("absolute");
        if !is_absolute {
            assert_eq!(sum_of(&shown), sum_of(expected), "{name}: totals stay right, whatever the limit");
        }
        let own =
            |series: &BTreeMap<Vec<String>, Recorded>| series.keys().filter(|texts| !is_other(texts)).count();
        assert_eq!(own(&shown), own(expected).min(limit), "{name}");
        for (texts, recorded) in shown.iter().filter(|(texts, _)| !is_other(texts)) {
            let expected = &expected[texts];
            if is_absolute {
                assert_eq!(recorded.absolute, expected.absolute, "{name} {texts:?}");
            } else {
                assert_eq!(
                    (recorded.count, recorded.sum),
                    (expected.count, expected.sum),
                    "{name} {texts:?}"
                );
            }
        }
    }
    assert_eq!(totals.left_out, []);
    assert_eq!(problem(runtime, "lost_labels") + problem(runtime, "refused_names"), 0);
    let json = serde_json::to_string(&totals).expect("it is written");
    assert_eq!(serde_json::from_str::<Totals>(&json).expect("it is read back"), totals);
    runtime.shutdown().expect("it stops");
}

fn is_other(texts: &[String]) -> bool {
    texts.iter().all(|text| text == "other")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn fc1_random_calls_of_several_threads_are_in_the_totals(threads in vec(steps(), 1..4)) {
        check(&threads, 1_000);
    }

    #[test]
    fn fc2_random_calls_beyond_the_limit_are_in_the_totals(threads in vec(steps(), 1..4)) {
        check(&threads, LIMIT);
    }
}
