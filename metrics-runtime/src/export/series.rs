//! The series of a family, one after another, for every writer.

use std::borrow::Cow;

use super::family::{Family, Sample};
use super::family_type::FamilyType;
use super::name::{UsedNames, label_names};
use crate::snapshot::DimensionValue;

/// The label of the series of a quantile.
pub(super) const QUANTILE: &str = "quantile";
/// The quantiles that the formats show of a window of a histogram.
pub(super) const QUANTILES: [(f64, &str); 4] = [(0.5, "0.5"), (0.9, "0.9"), (0.95, "0.95"), (0.99, "0.99")];

/// A value with the further labels that a breakdown gives to it: their names and their texts.
pub(super) struct Series<'s, 'a> {
    pub(super) sample: &'s Sample<'a>,
    pub(super) names: &'s [String],
    pub(super) labels: &'s [Cow<'static, str>],
    pub(super) value: &'s DimensionValue,
}

impl Series<'_, '_> {
    /// The further labels, as names and texts.
    pub(super) fn further(&self) -> impl Iterator<Item = (&str, &str)> {
        self.names.iter().zip(self.labels).map(|(name, label)| (&**name, &**label))
    }
}

/// Calls `each` with the series of a family, but not with values of another type: `Skipped` lists those.
pub(super) fn for_each_series<'a>(
    family: &Family<'a>,
    used: &UsedNames,
    mut each: impl FnMut(Series<'_, 'a>),
) {
    let is_shown = |sample: &Sample<'_>, value: &DimensionValue| {
        FamilyType::of(sample.declared, value) == Some(family.family_type())
    };
    let mut declared: &[Cow<'static, str>] = &[];
    let mut names: Vec<String> = Vec::new();
    for sample in &family.samples {
        let DimensionValue::Breakdown(entries) = sample.value else {
            if is_shown(sample, sample.value) {
                each(Series { sample, names: &[], labels: &[], value: sample.value });
            }
            continue;
        };
        for entry in entries.iter().filter(|entry| is_shown(sample, &entry.value)) {
            if names.len() != entry.labels.len() || *declared != *sample.declared.labels {
                declared = &sample.declared.labels;
                names = label_names(declared, entry.labels.len(), used);
            }
            each(Series { sample, names: &names, labels: &entry.labels, value: &entry.value });
        }
    }
}
