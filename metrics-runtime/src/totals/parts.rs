//! Values that consist of several named ones, split into the dimensions that exporters show them as.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::descriptor::{DimensionDescriptor, DimensionKind};
use crate::snapshot::{BreakdownEntry, DimensionValue};

/// Whether a value, or the value of one label, consists of several named ones.
pub(super) fn has_parts(value: &DimensionValue) -> bool {
    match value {
        DimensionValue::Map(_) | DimensionValue::Top(_) => true,
        DimensionValue::Breakdown(entries) => entries.iter().any(|entry| has_parts(&entry.value)),
        _ => false,
    }
}

/// Calls `each` with every single value in `value` and its declaration, which has the name of the part at the end of its own.
pub(crate) fn for_each_part(
    declared: &DimensionDescriptor,
    value: &DimensionValue,
    each: &mut dyn FnMut(DimensionDescriptor, DimensionValue),
) {
    match value {
        DimensionValue::Map(parts) => {
            for (name, part) in parts.iter() {
                for_each_part(&declaration_of_part(declared, name), part, each);
            }
        }
        DimensionValue::Top(top) => {
            let (values, errors) = top.as_breakdowns();
            for_values_and_errors(declared, values, errors, each);
        }
        // It has the same parts before there is a value.
        DimensionValue::Empty if declared.kind == DimensionKind::Top => {
            let none = || DimensionValue::Breakdown(Vec::new());
            for_values_and_errors(declared, none(), none(), each);
        }
        DimensionValue::Breakdown(entries) if has_parts(value) => {
            // The entries of each part, in the order of the first labels that have it.
            let mut parts: Vec<(DimensionDescriptor, Vec<BreakdownEntry>)> = Vec::new();
            let mut indexes: HashMap<Cow<'static, str>, usize> = HashMap::new();
            for entry in entries {
                for_each_part(declared, &entry.value, &mut |declared, part| {
                    let entry = BreakdownEntry { labels: entry.labels.clone(), value: part };
                    let index = *indexes.entry(declared.name.clone()).or_insert(parts.len());
                    match parts.get_mut(index) {
                        Some((_, entries)) => entries.push(entry),
                        None => parts.push((declared, vec![entry])),
                    }
                });
            }
            for (declared, entries) in parts {
                each(declared, DimensionValue::Breakdown(entries));
            }
        }
        value => each(declared.clone(), value.clone()),
    }
}

/// Calls `each` with both parts of a `Top`. A kept label may vanish, and its value is an estimate: both are gauges.
fn for_values_and_errors(
    declared: &DimensionDescriptor,
    values: DimensionValue,
    errors: DimensionValue,
    each: &mut dyn FnMut(DimensionDescriptor, DimensionValue),
) {
    let declared = DimensionDescriptor { kind: DimensionKind::Gauge, ..declared.clone() };
    let help = format!("How much each value of {} may be too large.", declared.name);
    let error = declaration_of_part(&declared, "error");
    each(declared, values);
    each(DimensionDescriptor { help: help.into(), ..error }, errors);
}

fn declaration_of_part(declared: &DimensionDescriptor, part: &str) -> DimensionDescriptor {
    let name = Cow::Owned(format!("{}_{part}", declared.name));
    DimensionDescriptor { name, ..declared.clone() }
}
