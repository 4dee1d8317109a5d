//! The samples that totals must have in a text, spelled by the contract and not by the library.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use mvx_metrics::export::Scope;
use mvx_metrics::{
    DimensionDescriptor, DimensionKind, DimensionValue, GroupTotals, MetricsRecorderState, Number,
    NumberType, Totals,
};
use serde_json::Value;

/// The value of each series. Numbers have the text of the exposition.
pub type Samples = BTreeMap<String, String>;

/// All samples of a text but those of `.._created`. No series may stand twice.
pub fn of_text(text: &str) -> Samples {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.contains("_created{"));
    let mut samples = Samples::new();
    for line in lines {
        let (series, value) = line.rsplit_once(' ').expect("a series and a value");
        let before = samples.insert(series.to_owned(), value.to_owned());
        assert_eq!(before, None, "{series} stands twice");
    }
    samples
}

/// The start of each series that has one, in seconds since 1970.
pub fn created_in(text: &str) -> BTreeMap<String, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && line.contains("_created{"));
    let created = lines.map(|line| {
        let (series, value) = line.rsplit_once(' ').expect("a series and a value");
        (series.replacen("_created{", "{", 1), value.parse().expect("a number"))
    });
    created.collect()
}

/// The samples of all numbers of `totals`, read from its fields. `skipped` dimensions are in the exposition's own list.
pub fn of_totals(totals: &Totals, skipped: usize) -> Samples {
    let mut samples = Samples::new();
    for group in &totals.groups {
        let labels = labels_of(group);
        for metric in &group.metrics {
            let declared = &metric.declaration().expect("totals have declarations").dimensions;
            for (name, value) in metric.dimensions.iter() {
                let declared = declared.iter().find(|declared| declared.name == name).cloned();
                // A metric that is written by hand may describe none of its dimensions.
                let declared =
                    declared.unwrap_or_else(|| DimensionDescriptor::new("", DimensionKind::Custom));
                let family = format!("{}_{name}", metric.name);
                add_value(&mut samples, &family, &labels, &declared, value);
            }
        }
        add_health(&mut samples, &labels, group);
    }
    add_recorders(&mut samples, totals, skipped);
    samples
}

/// The samples of the metrics in the JSON of totals.
pub fn of_json(totals: &Value) -> Samples {
    let mut samples = Samples::new();
    for group in totals["groups"].as_array().expect("groups") {
        let mut labels = format!("namespace={}", group["namespace"]);
        if let Some(entity) = group.get("entity_id") {
            write!(labels, ",entity_id={entity}").expect("a text takes all");
        }
        for (metric, snapshot) in group["metrics"].as_object().expect("metrics") {
            let declared = snapshot["declaration"]["dimensions"].as_array().expect("dimensions");
            for (name, value) in snapshot["dimensions"].as_object().expect("dimensions") {
                let declared: DimensionDescriptor = declared
                    .iter()
                    .find(|declared| declared["name"] == **name)
                    .map(|declared| serde_json::from_value(declared.clone()).expect("a declaration"))
                    .expect("it is declared");
                add_json(&mut samples, &format!("{metric}_{name}"), &labels, &declared, 0, value);
            }
        }
    }
    samples
}

fn labels_of(group: &GroupTotals) -> String {
    let entity = group.entity_id.as_ref().map(|entity| format!(",entity_id=\"{entity}\""));
    format!("namespace=\"{}\"{}", group.namespace, entity.unwrap_or_default())
}

/// `_total` is no part of a name: counters get it at the end, other types do not have it.
fn with_unit(family: &str, declared: &DimensionDescriptor) -> String {
    let family = family.strip_suffix("_total").unwrap_or(family);
    declared.unit.as_ref().map_or(family.to_owned(), |unit| format!("{family}_{unit}"))
}

fn add_value(
    samples: &mut Samples,
    family: &str,
    labels: &str,
    declared: &DimensionDescriptor,
    value: &DimensionValue,
) {
    use DimensionKind::{Counter, Sum};
    let name = with_unit(family, declared);
    let mut add = |suffix: &str, value: String| {
        samples.insert(format!("{name}{suffix}{{{labels}}}"), value);
    };
    match (declared.kind, value) {
        (_, DimensionValue::Empty) => {}
        (Counter | Sum, DimensionValue::Unsigned(value)) => add("_total", value.to_string()),
        (Sum, DimensionValue::Duration(value)) => add("_total", seconds(*value)),
        (_, DimensionValue::Mean(mean)) => match mean.sum {
            Number::Unsigned(_) | Number::Duration(_) => {
                add("_sum", number(mean.sum));
                add("_count", mean.count.to_string());
            }
            _ => mean.mean().into_iter().for_each(|mean| add("", format!("{mean:?}"))),
        },
        (_, DimensionValue::InFlight(flying)) => add("", flying.current().to_string()),
        (_, DimensionValue::Histogram(histogram)) => {
            let mut count = 0;
            for bucket in histogram.buckets.explicit().unwrap_or_default() {
                count += bucket.count;
                let bound =
                    bucket.upper_bound.map_or("+Inf".to_owned(), |bound| format!("{:?}", bound.as_f64()));
                let series = format!("{name}_bucket{{{labels},le=\"{bound}\"}}");
                samples.insert(series, count.to_string());
            }
            samples.insert(format!("{name}_count{{{labels}}}"), histogram.count.to_string());
            samples.insert(format!("{name}_sum{{{labels}}}"), number(histogram.sum));
        }
        (_, DimensionValue::Breakdown(entries)) => {
            for entry in entries {
                let pairs = declared.labels.iter().zip(&entry.labels);
                let own: Vec<_> = pairs.map(|(name, label)| format!(",{name}=\"{label}\"")).collect();
                add_value(samples, family, &format!("{labels}{}", own.concat()), declared, &entry.value);
            }
        }
        (_, DimensionValue::Map(parts)) => {
            for (part, value) in parts.iter() {
                add_value(samples, &format!("{family}_{part}"), labels, declared, value);
            }
        }
        (_, DimensionValue::Unsigned(value)) => add("", value.to_string()),
        (_, DimensionValue::Signed(value)) => add("", value.to_string()),
        (_, DimensionValue::Float(value)) => add("", format!("{value:?}")),
        (_, DimensionValue::Duration(value)) => add("", seconds(*value)),
        (_, value) => panic!("no sample is known for {value:?}"),
    }
}

fn add_json(
    samples: &mut Samples,
    family: &str,
    labels: &str,
    declared: &DimensionDescriptor,
    depth: usize,
    value: &Value,
) {
    use DimensionKind::{Counter, Custom, Histogram, InFlight, Mean, Sum};
    let name = with_unit(family, declared);
    let mut add = |suffix: &str, value: &Value| {
        samples.insert(format!("{name}{suffix}{{{labels}}}"), value.to_string());
    };
    if let Some(label) = declared.labels.get(depth) {
        for (text, value) in value.as_object().expect("a map of labels") {
            add_json(samples, family, &format!("{labels},{label}=\"{text}\""), declared, depth + 1, value);
        }
        return;
    }
    let may_fall = matches!(declared.number, Some(NumberType::Signed | NumberType::Float));
    match declared.kind {
        _ if value.is_null() => {}
        Mean if !may_fall => {
            add("_sum", &value["sum"]);
            add("_count", &value["count"]);
        }
        Mean => {
            if !value["mean"].is_null() {
                add("", &value["mean"]);
            }
        }
        InFlight => add("", &value["current"]),
        Counter => add("_total", value),
        Sum if !may_fall => add("_total", value),
        Histogram => {
            add("_sum", &value["sum"]);
            add("_count", &value["count"]);
            let mut count = 0;
            for bucket in value["buckets"].as_array().expect("buckets") {
                count += bucket["count"].as_u64().expect("a count");
                let bound = bucket["up_to"].as_f64().map_or("+Inf".to_owned(), |bound| format!("{bound:?}"));
                let series = format!("{name}_bucket{{{labels},le=\"{bound}\"}}");
                samples.insert(series, count.to_string());
            }
        }
        Custom if value.is_object() => {
            for (part, value) in value.as_object().into_iter().flatten() {
                add_json(samples, &format!("{family}_{part}"), labels, declared, depth, value);
            }
        }
        _ => add("", value),
    }
}

fn add_health(samples: &mut Samples, labels: &str, group: &GroupTotals) {
    let stats = &group.stats;
    for (name, count) in [
        ("events_accepted_total", stats.accepted),
        ("events_processed_total", stats.processed),
        ("events_rejected_total", stats.rejected),
        ("events_discarded_total", stats.discarded),
        ("events_pending", stats.pending),
    ] {
        samples.insert(format!("mvx_metrics_{name}{{{labels}}}"), count.to_string());
    }
    for (event_type, dropped) in &stats.dropped_by_type {
        let series = format!("mvx_metrics_events_dropped_total{{{labels},event_type=\"{event_type}\"}}");
        samples.insert(series, dropped.to_string());
    }
    for metric in &group.metrics {
        let labels = format!("{{{labels},metric=\"{}\"}}", metric.name);
        let failed = group.failed.get(&metric.name).copied().unwrap_or(0);
        samples.insert(format!("mvx_metrics_metrics_failed{labels}"), failed.to_string());
        samples.insert(format!("mvx_metrics_values_invalid_total{labels}"), metric.invalid.to_string());
    }
}

fn add_recorders(samples: &mut Samples, totals: &Totals, skipped: usize) {
    use MetricsRecorderState::{Cancelled, Failure, Running, Starting, Stopped, Stopping, Virgin};
    for namespace in &totals.namespaces {
        let labels = format!("namespace=\"{}\"", namespace.namespace);
        let own = || totals.recorders.iter().filter(|recorder| recorder.namespace == namespace.namespace);
        for state in [Virgin, Starting, Running, Stopping, Stopped, Failure, Cancelled] {
            let count = own().filter(|recorder| recorder.status == state).count();
            samples.insert(format!("mvx_metrics_recorders{{{labels},state=\"{state}\"}}"), count.to_string());
        }
        let stalled = own().filter(|recorder| recorder.stalled).count() as u64 + namespace.unread;
        samples.insert(format!("mvx_metrics_recorders_stalled{{{labels}}}"), stalled.to_string());
        samples.insert(
            format!("mvx_metrics_recorders_removed_total{{{labels}}}"),
            namespace.removed.to_string(),
        );
    }
    let first = match totals.scope {
        Scope::PerEntity => labels_of(&totals.groups[0]),
        _ => format!("namespace=\"{}\"", totals.namespaces[0].namespace),
    };
    samples.insert(format!("mvx_metrics_dimensions_left_out{{{first}}}"), skipped.to_string());
}

fn number(number: Number) -> String {
    match number {
        Number::Unsigned(number) => number.to_string(),
        Number::Signed(number) => number.to_string(),
        Number::Float(number) => format!("{number:?}"),
        Number::Duration(duration) => seconds(duration),
        other => panic!("no sample is known for {other:?}"),
    }
}

/// Nanoseconds after the point, without trailing zeros.
fn seconds(duration: Duration) -> String {
    let exact = format!("{}.{:09}", duration.as_secs(), duration.subsec_nanos());
    exact.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The values as numbers, because JSON spells some of them in another way.
pub fn as_numbers(samples: &Samples) -> BTreeMap<&str, u64> {
    let numbers = samples.iter().map(|(series, value)| {
        let number: f64 = value.parse().unwrap_or_else(|_| panic!("{series} is no number: {value}"));
        (&**series, number.to_bits())
    });
    numbers.collect()
}
