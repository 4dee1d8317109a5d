//! The text types that are labels without a derive. No ids; the contract's section on labels.

use std::borrow::Cow;
use std::sync::Arc;

use mvx_metrics::{Breakdown, Counter, HandleEvent, Label, Metric, metric_event};
use serde_json::json;

use crate::basics::dimensions;

#[metric_event]
struct Named {
    owned: String,
    shared: Arc<str>,
    boxed: Box<str>,
    either: Cow<'static, str>,
    fixed: &'static str,
}

#[derive(Metric, Default)]
#[metric(on(Named))]
struct ByName {
    #[dimension(by = owned, limit = 2)]
    owned: Breakdown<String, Counter>,
    #[dimension(by = shared, limit = 2)]
    shared: Breakdown<Arc<str>, Counter>,
    #[dimension(by = boxed, limit = 2)]
    boxed: Breakdown<Box<str>, Counter>,
    #[dimension(by = either, limit = 2)]
    either: Breakdown<Cow<'static, str>, Counter>,
    #[dimension(by(owned = |e| Cow::Borrowed(&*e.owned)), limit = 2)]
    borrowed: Breakdown<Cow<'static, str>, Counter>,
    #[dimension(by(either = |e| e.either.clone()), limit = 2)]
    cloned: Breakdown<Cow<'static, str>, Counter>,
    #[dimension(by = fixed, limit = 2)]
    fixed: Breakdown<&'static str, Counter>,
}

/// Generic code over labels needs no bound but `Label`.
fn count_in<L: Label>(breakdown: &mut Breakdown<L, Counter>, label: &L) -> u64 {
    breakdown.update_within(label, 2, |counter| {
        counter.increment();
        true
    });
    breakdown.get(label).map_or(0, Counter::get)
}

#[test]
fn every_text_type_is_a_label() {
    let mut metric = ByName::default();
    for name in ["a", "b", "a", "c"] {
        metric.handle(&Named {
            owned: name.to_owned(),
            shared: Arc::from(name),
            boxed: Box::from(name),
            either: Cow::Borrowed(name),
            fixed: name,
        });
    }
    for (name, counts) in dimensions(&metric).as_object().expect("a map") {
        assert_eq!(*counts, json!({"a": 2, "b": 1, "other": 1}), "{name}");
    }
    assert_eq!(count_in(&mut metric.either, &Cow::Borrowed("a")), 3);
    assert_eq!(count_in(&mut metric.fixed, &"b"), 2);
}
