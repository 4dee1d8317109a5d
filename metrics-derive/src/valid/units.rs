//! Checks of units of time.

use syn::{Expr, LitStr};

use super::buckets::number;
use crate::attr::FeedOptions;
use crate::ctxt::Ctxt;
use crate::resolved::Field;
use crate::shape::{Kind, Measure};
use crate::source_text::to_source;

/// The units of a `Duration`, each with the method that makes one and with other words for it.
const UNITS: [(&str, &str, &[&str]); 4] = [
    ("nanoseconds", "from_nanos", &["nanosecond", "nanos", "nano", "ns"]),
    ("microseconds", "from_micros", &["microsecond", "micros", "micro", "us"]),
    ("milliseconds", "from_millis", &["millisecond", "millis", "milli", "ms"]),
    ("seconds", "from_secs", &["second", "secs", "sec", "s"]),
];

/// Reports a word that is no unit of a `Duration`; false after a mistake.
pub fn check(cx: &Ctxt, key: &str, unit: &LitStr) -> bool {
    let text = unit.value();
    if UNITS.iter().any(|(name, ..)| *name == text) {
        return true;
    }
    let meant = UNITS.iter().find(|(name, _, others)| {
        text.eq_ignore_ascii_case(name) || others.iter().any(|other| text.eq_ignore_ascii_case(other))
    });
    let write = meant.map_or_else(
        || "write `nanoseconds`, `microseconds`, `milliseconds` or `seconds`".to_owned(),
        |(name, ..)| format!("write `{key} = {name}`"),
    );
    cx.error(unit, format!("`{text}` is no unit of a `Duration`: {write}"));
    false
}

/// Reports `from` where no number becomes a time, and a word that is no unit.
pub fn check_from(cx: &Ctxt, field: &Field, feed: &FeedOptions) {
    let Some(from) = &feed.from else { return };
    let inner = field.shape.inner();
    let source = to_source(inner.ty);
    let takes = match (inner.kind, inner.measure()) {
        (Kind::Unknown, _) | (_, Some(Measure::Duration | Measure::Unknown)) => {
            let has_source = [&feed.add, &feed.sub].into_iter().flatten().any(|given| given.value.is_some());
            if !has_source && feed.value.is_none() && feed.set.is_none() {
                let message = "`from` needs a number: add `value = <event field>`";
                cx.error(&from.key, message);
            } else {
                check(cx, "from", &from.value);
            }
            return;
        }
        (_, Some(_)) => format!("remove it, or write `{}<Duration>`", inner.name()),
        (_, None) => "remove it".to_owned(),
    };
    cx.error(&from.key, format!("`from` makes a time of a number, and `{source}` takes no times: {takes}"));
}

/// Reports bounds without a unit beside another unit than theirs, which is seconds.
pub fn check_bounds(cx: &Ctxt, field: &Field, unit: &LitStr) {
    let text = unit.value();
    let made = UNITS.iter().find(|(name, ..)| *name == text && text != "seconds").map(|(_, made, _)| made);
    let bound = field.options.buckets.as_ref().and_then(|buckets| match &buckets.value {
        Expr::Array(array) => array.elems.iter().find(|bound| number(bound).is_some()),
        Expr::Call(call) => call.args.first().filter(|start| number(start).is_some()),
        _ => None,
    });
    if let (Some(made), Some(bound)) = (made, bound) {
        let message = format!(
            "a bound without a unit is in seconds: beside `unit = {text}` write `Duration::{made}(..)`"
        );
        cx.error(bound, message);
    }
}
