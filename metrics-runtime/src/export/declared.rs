//! What Prometheus gets of a declaration, before there are values: the families that the default options of an exposition show.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::family::{FamilyNames, help_of};
use super::family_key::FamilyKey;
use super::family_type::FamilyType;
use super::labels::SeriesLabels;
use super::name::label_names;
use super::options::ExpositionOptions;
use super::series::QUANTILE;
use crate::descriptor::DimensionDescriptor;
use crate::snapshot::DimensionValue;
use crate::totals::{DECLARED_HEALTH, HEALTH_METRIC, for_each_part};

/// One family of a dimension.
pub(crate) struct DeclaredFamily {
    /// The name of the dimension, with that of the part at its end.
    pub(crate) dimension: String,
    /// The name without the suffix `_total` of a counter.
    pub(crate) base: String,
    /// The name as the head in the Prometheus format has it.
    pub(crate) name: String,
    pub(crate) family_type: FamilyType,
    /// The unit as it is spelled in names.
    pub(crate) unit: Option<String>,
    pub(crate) help: String,
    /// The labels that each series has beside those of all series.
    pub(crate) labels: Vec<String>,
}

/// The families of a dimension. `value` has the form of its values, as far as a metric shows one before its first event; where it
/// is empty, the declaration decides.
///
/// A dimension that does not declare how it merges is in no totals, so it has no family.
pub(crate) fn families_of(
    metric: &str,
    metric_help: &str,
    declared: &DimensionDescriptor,
    value: &DimensionValue,
) -> Vec<DeclaredFamily> {
    let mut families = Vec::new();
    if declared.merge.is_none() {
        return families;
    }
    let options = ExpositionOptions::new();
    let labels = SeriesLabels::of(&options, &[], &[] as &[&BTreeMap<_, _>]);
    for_each_part(declared, value, &mut |part, value| {
        let Some((family_type, has_quantiles)) = FamilyType::expected(&part, &value) else { return };
        let key = FamilyKey {
            of_library: false,
            metric: Cow::Borrowed(metric),
            dimension: Cow::Borrowed(&part.name),
            family_type,
            unit: part.base_unit().map(Cow::Borrowed),
        };
        let FamilyNames { unit, name: base, .. } = FamilyNames::of(&key);
        let parts = match &value {
            DimensionValue::Breakdown(entries) => {
                entries.first().map_or_else(|| part.label_parts(), |entry| entry.labels.len())
            }
            _ if part.is_breakdown() => part.label_parts(),
            _ => 0,
        };
        let mut names = label_names(&part.labels, parts, labels.used());
        if has_quantiles {
            names.push(QUANTILE.to_owned());
        }
        families.push(DeclaredFamily {
            dimension: part.name.to_string(),
            name: format!("{base}{}", family_type.head_suffix()),
            base,
            family_type,
            unit,
            help: help_of(metric, metric_help, &part).trim().to_owned(),
            labels: names,
        });
    });
    families
}

/// The families of the library's own health, which no metric can displace.
pub(crate) fn families_of_library() -> Vec<DeclaredFamily> {
    let families = DECLARED_HEALTH.iter();
    families.flat_map(|declared| families_of(HEALTH_METRIC, "", declared, &DimensionValue::Empty)).collect()
}
