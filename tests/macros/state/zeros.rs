//! Labels known by type are there from the beginning.

// See `state.rs`.
#![cfg(not(miri))]

use std::time::Duration;

use mvx_metrics::{
    Breakdown, Counter, Distinct, Gauge, HandleEvent, Histogram, InFlight, Label, Max, Mean, Metric, Min,
    Sum, TypedMetric, metric_event,
};
use serde_json::{Value, json};

use super::{assert_agree, assert_comes_back, recorded};

macro_rules! labels {
    ($($name:ident: $($label:ident)*;)*) => {
        $(
            #[derive(Label, Debug, Clone, Copy, PartialEq, Eq)]
            enum $name {
                $($label,)*
            }

            impl $name {
                const ALL: &[Self] = &[$(Self::$label),*];
            }
        )*
    };
}

labels! {
    Eight: A B C D E F G H;
    Nine: A B C D E F G H I;
}

#[metric_event]
struct Ended {
    eight: Eight,
    nine: Nine,
    failed: bool,
    host: &'static str,
    elapsed: Duration,
    amount: u64,
    level: i64,
}

#[derive(Metric, Default)]
#[metric(on(Ended))]
struct Ends {
    #[dimension(by = eight)]
    counters: Breakdown<Eight, Counter>,
    #[dimension(by = failed)]
    by_bool: Breakdown<bool, Counter>,
    #[dimension(by = failed, value = elapsed)]
    sums: Breakdown<bool, Sum<Duration>>,
    #[dimension(by = failed, value = elapsed)]
    means: Breakdown<bool, Mean<Duration>>,
    #[dimension(by = failed, add = amount, sub = |e| e.amount)]
    in_flight: Breakdown<bool, InFlight>,
    #[dimension(by = failed, value = elapsed)]
    histograms: Breakdown<bool, Histogram<Duration>>,
    #[dimension(by = failed, value = host)]
    distinct: Breakdown<bool, Distinct>,
    #[dimension(by = failed, value = amount, buckets = [5, 10])]
    declared: Breakdown<bool, Histogram<u64>>,
    #[dimension(by(first = eight, second = eight))]
    sixty_four: Breakdown<(Eight, Eight), Counter>,
    #[dimension(by(first = failed, eight, third = failed, fourth = failed))]
    four_parts: Breakdown<(bool, Eight, bool, bool), Counter>,
}

/// Breakdowns that show a label only after its first event.
#[derive(Metric, Default)]
#[metric(on(Ended))]
struct Seen {
    #[dimension(by = failed, value = amount)]
    least: Breakdown<bool, Min<u64>>,
    #[dimension(by = failed, value = amount)]
    most: Breakdown<bool, Max<u64>>,
    #[dimension(by = failed, set = level)]
    levels: Breakdown<bool, Gauge<i64>>,
    #[dimension(by(eight, nine))]
    seventy_two: Breakdown<(Eight, Nine), Counter>,
    #[dimension(by(failed, host), limit = 9)]
    open: Breakdown<(bool, &'static str), Counter>,
    #[dimension(by = failed, zeros = off)]
    counter_off: Breakdown<bool, Counter>,
    #[dimension(by = failed, value = elapsed, zeros = off)]
    histogram_off: Breakdown<bool, Histogram<Duration>>,
    #[dimension(by = failed, value = amount, buckets = [5, 10], zeros = off)]
    declared_off: Breakdown<bool, Histogram<u64>>,
}

const ENDED: Ended = Ended {
    eight: Eight::C,
    nine: Nine::I,
    failed: true,
    host: "a",
    elapsed: Duration::from_secs(1),
    amount: 7,
    level: -1,
};

fn shown<M>(metric: &M) -> Value
where
    M: TypedMetric<Snapshot: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>,
{
    let typed = metric.typed_snapshot();
    assert_agree(&typed, &metric.snapshot());
    assert_comes_back(&typed);
    serde_json::to_value(&typed).unwrap()
}

#[test]
fn st11_labels_known_by_type_are_shown_from_the_beginning() {
    let shown = shown(&Ends::default());
    let zeros = |zero: Value| json!({"false": zero, "true": zero});
    assert_eq!(shown["counters"], json!({"a": 0, "b": 0, "c": 0, "d": 0, "e": 0, "f": 0, "g": 0, "h": 0}));
    assert_eq!(shown["by_bool"], zeros(json!(0)));
    assert_eq!(shown["sums"], zeros(json!(0.0)));
    assert_eq!(shown["means"], zeros(json!({"mean": null, "sum": 0.0, "count": 0})));
    assert_eq!(shown["in_flight"], zeros(json!({"current": 0, "started": 0, "finished": 0})));
    assert_eq!(shown["distinct"], zeros(json!({"estimate": 0, "registers": ""})));
    let bounds = |shown: &Value| -> Vec<Value> {
        let buckets = shown["true"]["buckets"].as_array().unwrap();
        assert!(buckets.iter().all(|bucket| bucket["count"] == 0));
        buckets.iter().map(|bucket| bucket["up_to"].clone()).collect()
    };
    let empty = &shown["histograms"]["true"];
    assert_eq!((&empty["count"], &empty["positive"]["counts"]), (&json!(0), &json!([])));
    assert_eq!(bounds(&shown["declared"]), [json!(5), json!(10), json!(null)]);
    assert_eq!(shown["sixty_four"].as_object().unwrap().len(), 8);
    assert!(shown["sixty_four"].as_object().unwrap().values().all(|inner| inner["h"] == 0));
    assert_eq!(shown["four_parts"]["true"]["h"]["true"], json!({"false": 0, "true": 0}));
    let snapshot = Ends::default().typed_snapshot();
    assert_eq!(snapshot.sixty_four.len(), 64);
    for (one, other) in Eight::ALL.iter().flat_map(|one| Eight::ALL.iter().map(move |other| (*one, *other))) {
        assert_eq!(snapshot.sixty_four.get((one, other)), Some(&0));
    }
    assert_eq!(snapshot.four_parts.len(), 64);
}

#[test]
fn st11_an_event_changes_its_own_label_only() {
    let mut metric = Ends::default();
    metric.handle(&ENDED);
    let shown = shown(&metric);
    assert_eq!(shown["counters"], json!({"a": 0, "b": 0, "c": 1, "d": 0, "e": 0, "f": 0, "g": 0, "h": 0}));
    assert_eq!(shown["sums"], json!({"false": 0.0, "true": 1.0}));
    assert_eq!(
        (&shown["declared"]["false"]["count"], &shown["declared"]["true"]["count"]),
        (&json!(0), &json!(1))
    );
}

#[test]
fn st11_no_zeros_beyond_64_labels_nor_for_open_labels_extremes_and_gauges() {
    let shown_names = |metric: &Seen| -> Vec<usize> {
        shown(metric).as_object().unwrap().values().map(|labels| labels.as_object().unwrap().len()).collect()
    };
    assert_eq!(shown_names(&Seen::default()), [0; 8]);
    let mut metric = Seen::default();
    metric.handle(&ENDED);
    assert_eq!(shown_names(&metric), [1; 8]);
    let snapshot = metric.typed_snapshot();
    let seen = |label: &&Nine| snapshot.seventy_two.get((Eight::C, **label)).is_some();
    assert_eq!(Nine::ALL.iter().filter(seen).collect::<Vec<_>>(), [&Nine::I]);
}

#[test]
fn st13_zeros_off_is_obeyed_in_both_forms() {
    let erased = recorded(Seen::default());
    for name in ["counter_off", "histogram_off", "declared_off"] {
        assert_eq!(erased.get(name), Some(&mvx_metrics::DimensionValue::Breakdown(Vec::new())), "{name}");
    }
    let typed = Seen::default().typed_snapshot();
    assert!(typed.counter_off.is_empty() && typed.histogram_off.is_empty() && typed.declared_off.is_empty());
}
