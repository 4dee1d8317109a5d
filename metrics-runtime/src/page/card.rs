//! The card of a metric: its values, its rates, its distribution and its largest labels.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashMap;

use super::cut::{cut, cut_json, json_len};
use super::data::{DimensionCard, LabelRow, LabelRows, MetricCard};
use super::distribution::distribution;
use crate::descriptor::{DimensionDescriptor, DimensionKind};
use crate::number::Number;
use crate::snapshot::{
    BreakdownEntry, DimensionValue, Dimensions, MeanSnapshot, MetricSnapshot, TopSnapshot, merge_plain_values,
};

/// How many labels of a dimension are shown.
const MAX_LABELS: usize = 10;
/// After so many bytes a card has no further dimension.
const MAX_CARD_BYTES: usize = 32 * 1024;
/// How deep a value of several named ones is split.
const MAX_DEPTH: usize = 4;

/// The card of a metric. `earlier` is the metric in the sample before, and the seconds from there to here.
pub(super) fn card(
    namespace: &str,
    metric: &MetricSnapshot,
    failed: u64,
    earlier: Option<(&MetricSnapshot, f64)>,
) -> MetricCard {
    // Metrics that cannot be compared have no rates.
    let interval = earlier.and_then(|(earlier, seconds)| Some((metric.since(earlier).ok()?, seconds)));
    let mut dimensions = CardDimensions::default();
    for (index, (name, value)) in metric.dimensions.iter().enumerate() {
        if dimensions.bytes >= MAX_CARD_BYTES {
            dimensions.left_out += 1;
            continue;
        }
        let declared = metric.declaration.as_ref().and_then(|declared| declared.dimension_at(index, name));
        let undeclared;
        let declared = if let Some(declared) = declared {
            declared
        } else {
            undeclared = DimensionDescriptor::new("", DimensionKind::Custom);
            &undeclared
        };
        let change = interval.as_ref().and_then(|(interval, seconds)| {
            Some(Change {
                interval: value_at(&interval.dimensions, index, name)?,
                earlier: earlier.and_then(|(earlier, _)| value_at(&earlier.dimensions, index, name)),
                seconds: *seconds,
            })
        });
        dimensions.add(declared, name, value, change.as_ref(), MAX_DEPTH);
    }
    MetricCard {
        namespace: cut(namespace).into_owned(),
        name: cut(&metric.name).into_owned(),
        help: metric.declaration().map(|declared| cut(&declared.help).into_owned()).unwrap_or_default(),
        failed,
        invalid: metric.invalid,
        dimensions: dimensions.shown,
        more_dimensions: dimensions.left_out,
    }
}

/// The value of a dimension, most often at the same position as elsewhere.
fn value_at<'a>(dimensions: &'a Dimensions, index: usize, name: &str) -> Option<&'a DimensionValue> {
    let at = dimensions.iter().nth(index).filter(|(other, _)| *other == name);
    at.map(|(_, value)| value).or_else(|| dimensions.get(name))
}

/// How a dimension changed between the last two samples.
#[derive(Clone, Copy)]
struct Change<'a> {
    /// What was recorded after the earlier sample. Its labels stand in the order of the later one.
    interval: &'a DimensionValue,
    earlier: Option<&'a DimensionValue>,
    seconds: f64,
}

impl<'a> Change<'a> {
    /// The change of a named part.
    fn of_part(&self, name: &str) -> Option<Change<'a>> {
        let part = |value: &'a DimensionValue| match value {
            DimensionValue::Map(parts) => parts.get(name),
            _ => None,
        };
        Some(Change {
            interval: part(self.interval)?,
            earlier: self.earlier.and_then(part),
            seconds: self.seconds,
        })
    }
}

/// The dimensions of a card, within its bound.
#[derive(Default)]
struct CardDimensions {
    shown: Vec<DimensionCard>,
    bytes: usize,
    left_out: usize,
}

impl CardDimensions {
    /// Adds a dimension, or one for each part of a value of several named ones.
    fn add(
        &mut self,
        declared: &DimensionDescriptor,
        name: &str,
        value: &DimensionValue,
        change: Option<&Change<'_>>,
        depth: usize,
    ) {
        if self.bytes >= MAX_CARD_BYTES {
            self.left_out += 1;
            return;
        }
        match value {
            DimensionValue::Map(parts) if depth > 0 => {
                for (part, value) in parts.iter() {
                    let change = change.and_then(|change| change.of_part(part));
                    self.add(
                        declared,
                        &format!("{}_{}", cut(name), cut(part)),
                        value,
                        change.as_ref(),
                        depth - 1,
                    );
                }
            }
            value => {
                let dimension = dimension(declared, name, value, change);
                self.bytes += size_of_card(&dimension);
                self.shown.push(dimension);
            }
        }
    }
}

/// About how many bytes a dimension is as JSON.
fn size_of_card(card: &DimensionCard) -> usize {
    let optional = |text: &Option<String>| text.as_ref().map_or(4, |text| json_len(text));
    let labels = card.labels.as_ref().map_or(0, |labels| {
        let texts = labels.rows.iter().flat_map(|row| &row.label).chain(&labels.names);
        texts.map(|text| json_len(text) + 1).sum::<usize>() + 80 * labels.rows.len()
    });
    let buckets = card.distribution.as_ref().map_or(0, |shown| 100 + 30 * shown.bounds.len());
    let texts = json_len(&card.name) + json_len(&card.help) + optional(&card.unit) + optional(&card.text);
    150 + texts + labels + buckets
}

fn dimension(
    declared: &DimensionDescriptor,
    name: &str,
    value: &DimensionValue,
    change: Option<&Change<'_>>,
) -> DimensionCard {
    let is_window = declared.window.is_some();
    // What a window shows is no count, so it has no rate.
    let change = change.filter(|_| !is_window);
    let rate = |interval: &DimensionValue| rate_of(declared, interval, change?.seconds);
    let (mut text, mut labels) = (None, None);
    let all = match value {
        DimensionValue::Breakdown(entries) => {
            labels = Some(breakdown_rows(declared, entries, change));
            combined(declared, entries)
        }
        DimensionValue::Top(top) => {
            labels = Some(top_rows(declared, top, change));
            Some(Cow::Borrowed(value))
        }
        DimensionValue::Text(shown) => {
            text = Some(cut(shown).into_owned());
            None
        }
        DimensionValue::Bool(_) | DimensionValue::List(_) | DimensionValue::Map(_) => {
            text = Some(cut_json(value));
            None
        }
        value => Some(Cow::Borrowed(value)),
    };
    let all = all.as_deref();
    let interval = change.and_then(|change| match change.interval {
        DimensionValue::Breakdown(entries) => combined(declared, entries),
        value => Some(Cow::Borrowed(value)),
    });
    let distribution = match all {
        Some(DimensionValue::Histogram(all)) => {
            let recent = match interval.as_deref() {
                _ if is_window => Some(all),
                Some(DimensionValue::Histogram(recent)) => Some(recent),
                _ => None,
            };
            Some(distribution(all, recent))
        }
        _ => None,
    };
    DimensionCard {
        name: cut(name).into_owned(),
        help: cut(&declared.help).into_owned(),
        kind: declared.kind,
        unit: declared.base_unit().map(|unit| cut(unit).into_owned()),
        window: declared.window,
        value: all.and_then(number_of),
        text,
        rate: interval.as_deref().and_then(rate),
        distribution,
        labels,
    }
}

/// All labels together. `None` where the dimension does not say how its values merge.
fn combined<'a>(
    declared: &DimensionDescriptor,
    entries: &'a [BreakdownEntry],
) -> Option<Cow<'a, DimensionValue>> {
    let (first, others) = entries.split_first()?;
    let mut all = Cow::Borrowed(&first.value);
    for entry in others {
        if !merge_plain_values(declared, all.to_mut(), &entry.value) {
            return None;
        }
    }
    Some(all)
}

/// The number that stands for a value.
fn number_of(value: &DimensionValue) -> Option<f64> {
    let number = match value {
        DimensionValue::Histogram(histogram) => {
            MeanSnapshot { sum: histogram.sum, count: histogram.count }.mean()
        }
        DimensionValue::Top(top) => top.iter().next().map(|largest| largest.value.as_f64()),
        value => value.as_f64(),
    };
    number.filter(|number| number.is_finite())
}

fn finite(number: Number) -> Option<f64> {
    Some(number.as_f64()).filter(|number| number.is_finite())
}

/// By how much the count grew per second; `None` for what does not count.
#[expect(clippy::cast_precision_loss, reason = "a rate is a floating-point number")]
fn rate_of(declared: &DimensionDescriptor, interval: &DimensionValue, seconds: f64) -> Option<f64> {
    let grown = match interval {
        DimensionValue::Mean(mean) => mean.count as f64,
        DimensionValue::Histogram(histogram) => histogram.count as f64,
        value if matches!(declared.kind, DimensionKind::Counter | DimensionKind::Sum) => value.as_f64()?,
        _ => return None,
    };
    Some(grown / seconds).filter(|rate| rate.is_finite())
}

fn breakdown_rows(
    declared: &DimensionDescriptor,
    entries: &[BreakdownEntry],
    change: Option<&Change<'_>>,
) -> LabelRows {
    let grown: Option<(&[BreakdownEntry], f64)> = change.and_then(|change| match change.interval {
        DimensionValue::Breakdown(grown) if grown.len() == entries.len() => Some((&**grown, change.seconds)),
        _ => None,
    });
    let rate = |position: usize| {
        grown.and_then(|(grown, seconds)| rate_of(declared, &grown[position].value, seconds))
    };
    let numbers =
        entries.iter().enumerate().map(|(position, entry)| (rate(position), number_of(&entry.value)));
    let shown = largest(numbers.collect());
    let row = |(position, rate, value): (usize, Option<f64>, Option<f64>)| LabelRow {
        label: label(&entries[position].labels),
        value,
        rate,
    };
    rows(declared, entries.len(), shown.into_iter().map(row))
}

/// A label whose error stayed the same was kept all the time, so its value grew by what it had since.
fn top_rows(
    declared: &DimensionDescriptor,
    top: &TopSnapshot<(), Number>,
    change: Option<&Change<'_>>,
) -> LabelRows {
    let earlier = change.and_then(|change| match change.earlier {
        Some(DimensionValue::Top(earlier)) => {
            let entries = earlier.iter().map(|entry| (&entry.labels, entry));
            Some((entries.collect::<HashMap<_, _>>(), change.seconds))
        }
        _ => None,
    });
    let numbers = top.iter().map(|entry| {
        let rate = earlier.as_ref().and_then(|(earlier, seconds)| {
            let before = earlier.get(&entry.labels).filter(|before| before.error == entry.error)?;
            let grown = entry.value.as_f64() - before.value.as_f64();
            Some(grown / seconds).filter(|rate| rate.is_finite() && *rate >= 0.0)
        });
        (rate, finite(entry.value))
    });
    let shown = largest(numbers.collect());
    let entries: Vec<_> = top.iter().collect();
    let row = |(position, rate, value): (usize, Option<f64>, Option<f64>)| LabelRow {
        label: label(&entries[position].labels),
        value,
        rate,
    };
    rows(declared, entries.len(), shown.into_iter().map(row))
}

fn rows(declared: &DimensionDescriptor, total: usize, rows: impl Iterator<Item = LabelRow>) -> LabelRows {
    let names = declared.labels.iter().map(|name| cut(name).into_owned()).collect();
    LabelRows { names, total, rows: rows.collect() }
}

fn label(texts: &[Cow<'static, str>]) -> Vec<String> {
    texts.iter().map(|text| cut(text).into_owned()).collect()
}

/// The positions of the labels with the highest rate, then of those with the largest value.
fn largest(numbers: Vec<(Option<f64>, Option<f64>)>) -> Vec<(usize, Option<f64>, Option<f64>)> {
    type Row = (usize, Option<f64>, Option<f64>);
    let key = |number: Option<f64>| number.unwrap_or(f64::NEG_INFINITY);
    let order = |left: &Row, right: &Row| -> Ordering {
        let rates = key(right.1).total_cmp(&key(left.1));
        rates.then_with(|| key(right.2).total_cmp(&key(left.2))).then(left.0.cmp(&right.0))
    };
    let mut rows: Vec<Row> =
        numbers.into_iter().enumerate().map(|(position, (rate, value))| (position, rate, value)).collect();
    if rows.len() > MAX_LABELS {
        rows.select_nth_unstable_by(MAX_LABELS, order);
        rows.truncate(MAX_LABELS);
    }
    rows.sort_unstable_by(order);
    rows
}
