//! Random changes of one thing: CA2.

use mvx_metrics::catalogue::{Catalogue, CatalogueDimension, CatalogueMetric, CatalogueType};
use mvx_metrics::{DimensionKind, MergeRule, Number, NumberType};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::program::program;

/// Changes one thing of a metric; `false` where there is no such thing.
const OF_METRICS: &[fn(&mut CatalogueMetric) -> bool] = &[
    |metric| {
        metric.name.push('x');
        true
    },
    |metric| {
        metric.help.push('x');
        true
    },
    |metric| metric.events.pop().is_some(),
    |metric| {
        metric.events.push("another".to_owned());
        true
    },
    |metric| metric.dimensions.pop().is_some(),
    |metric| {
        let added = metric.dimensions.first().cloned().map(|mut added| {
            "another".clone_into(&mut added.name);
            added
        });
        metric.dimensions.extend(added);
        true
    },
    |metric| {
        let is_several = metric.dimensions.len() > 1;
        metric.dimensions.reverse();
        is_several
    },
];

const OF_DIMENSIONS: &[fn(&mut CatalogueDimension) -> bool] = &[
    |dimension| {
        dimension.name.push('x');
        true
    },
    |dimension| {
        dimension.help.push('x');
        true
    },
    |dimension| {
        let is_sum = dimension.kind == DimensionKind::Sum;
        dimension.kind = if is_sum { DimensionKind::Mean } else { DimensionKind::Sum };
        true
    },
    |dimension| {
        let is_float = dimension.number == Some(NumberType::Float);
        dimension.number = if is_float { None } else { Some(NumberType::Float) };
        true
    },
    |dimension| {
        dimension.unit = if dimension.unit.is_some() { None } else { Some("bytes".to_owned()) };
        true
    },
    |dimension| dimension.labels.pop().is_some(),
    |dimension| {
        dimension.labels.first_mut().is_some_and(|label| {
            label.name.push('x');
            true
        })
    },
    |dimension| {
        dimension.labels.first_mut().is_some_and(|label| {
            label.values.push("another".to_owned());
            true
        })
    },
    |dimension| dimension.labels.first_mut().is_some_and(|label| label.values.pop().is_some()),
    |dimension| {
        dimension.limit = if dimension.limit.is_some() { None } else { Some(7) };
        true
    },
    |dimension| {
        dimension.keep = if dimension.keep.is_some() { None } else { Some(7) };
        true
    },
    |dimension| dimension.buckets.pop().is_some(),
    |dimension| {
        dimension.buckets.push(Number::Unsigned(1_000_000));
        true
    },
    |dimension| {
        dimension.max_buckets = if dimension.max_buckets.is_some() { None } else { Some(7) };
        true
    },
    |dimension| {
        dimension.max_buckets = dimension.max_buckets.map(|max_buckets| max_buckets + 1);
        dimension.max_buckets.is_some()
    },
    |dimension| {
        let is_min = dimension.merge == Some(MergeRule::Min);
        dimension.merge = if is_min { None } else { Some(MergeRule::Min) };
        true
    },
    |dimension| {
        dimension.window = dimension.window.map_or(Some(1), |_| None);
        true
    },
    |dimension| dimension.families.pop().is_some(),
    |dimension| {
        dimension.families.first_mut().is_some_and(|family| {
            family.name.push('x');
            true
        })
    },
    |dimension| {
        dimension.families.first_mut().is_some_and(|family| {
            let is_summary = family.family_type == CatalogueType::Summary;
            family.family_type = if is_summary { CatalogueType::Gauge } else { CatalogueType::Summary };
            true
        })
    },
    |dimension| {
        dimension.families.first_mut().is_some_and(|family| {
            family.labels.push("another".to_owned());
            true
        })
    },
];

/// A catalogue with one change; `None` where the change does not apply.
fn mutated(mut catalogue: Catalogue, metric: Index, dimension: Index, change: Index) -> Option<Catalogue> {
    let metric = metric.get_mut(&mut catalogue.metrics);
    let change = change.index(OF_METRICS.len() + OF_DIMENSIONS.len());
    let applies = match OF_METRICS.get(change) {
        Some(change) => change(metric),
        None => OF_DIMENSIONS[change - OF_METRICS.len()](dimension.get_mut(&mut metric.dimensions)),
    };
    applies.then_some(catalogue)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn ca2_each_single_change_is_found_in_both_directions(metric: Index, dimension: Index, change: Index) {
        let catalogue = program().catalogue();
        let changed = mutated(catalogue.clone(), metric, dimension, change);
        prop_assume!(changed.is_some());
        let changed = changed.expect("it applies");
        prop_assert!(!catalogue.diff(&changed).is_empty());
        prop_assert!(!changed.diff(&catalogue).is_empty());
        prop_assert!(changed.diff(&changed).is_empty());
        prop_assert_eq!(Catalogue::from_json(&changed.to_json()).is_ok(), true);
    }
}

#[test]
fn ca2_equal_catalogues_have_no_difference() {
    let catalogue = program().catalogue();
    assert_eq!(catalogue.diff(&catalogue.clone()).to_string(), "breaking changes: 0, compatible changes: 0");
    let empty = Catalogue::builder().build().expect("no names clash");
    assert!(empty.diff(&empty).is_empty());
}
