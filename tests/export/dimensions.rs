//! What exporters see of totals: `Totals::dimensions`, compared with the text and with the fields of the totals.

use std::collections::BTreeSet;
use std::time::Duration;

use mvx_metrics::export::{Format, Scope};
use mvx_metrics::{Counter, DimensionValue, Metric, Top, metric_event};

use crate::everything::{Worked, worker};
use crate::fixtures::{Outcome, SCOPES, running};

fn worked() -> Worked {
    Worked {
        outcome: Outcome::Success,
        urgent: true,
        place: "here",
        elapsed: Duration::from_millis(5),
        bytes: 7,
        balance: -3,
        ratio: 0.5,
    }
}

#[test]
fn exporters_see_every_dimension_of_the_totals_and_the_librarys_own_ones_first() {
    let runtime = running("shop");
    for id in ["north", "south"] {
        worker(&runtime, id).emit(worked());
    }
    for scope in SCOPES {
        let totals = runtime.totals(scope).expect("it runs");
        let dimensions: Vec<_> = totals.dimensions().collect();
        let own = dimensions.iter().take_while(|dimension| dimension.is_of_library).count();
        // Three of each namespace, eight of each group.
        assert_eq!(own, 3 * totals.namespaces.len() + 8 * totals.groups.len());
        assert!(
            dimensions[own..].iter().all(|dimension| !dimension.is_of_library && dimension.metric == "work")
        );
        let mut of_metrics = dimensions[own..].iter();
        for group in &totals.groups {
            for metric in &group.metrics {
                for (name, value) in metric.dimensions.iter() {
                    let parts: Vec<_> = match value {
                        // The parts of `Spread`, alone and broken down.
                        DimensionValue::Map(_) => vec![format!("{name}_values"), format!("{name}_largest")],
                        _ if name == "spread_by" => vec![format!("{name}_values"), format!("{name}_largest")],
                        _ => vec![name.to_owned()],
                    };
                    for part in parts {
                        let dimension = of_metrics.next().expect("a dimension");
                        assert_eq!(dimension.declared().name, part);
                        assert_eq!(
                            (dimension.namespace, dimension.entity_id),
                            (&group.namespace, group.entity_id.as_ref())
                        );
                        assert_eq!(dimension.metric_help, "Work of all kinds.");
                        assert_eq!(dimension.counting_since(), metric.counting_since());
                        if part == name {
                            assert_eq!(dimension.value(), value, "{name}");
                        }
                    }
                }
            }
        }
        assert!(of_metrics.next().is_none());
    }
}

#[test]
fn the_text_has_a_family_for_each_dimension_that_exporters_see() {
    let runtime = running("shop");
    worker(&runtime, "north").emit(worked());
    let totals = runtime.totals(Scope::Rollup).expect("it runs");
    let text = totals.exposition(Format::Prometheus).text;
    let families: BTreeSet<_> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let is_empty =
        |value: &DimensionValue| matches!(value, DimensionValue::Breakdown(entries) if entries.is_empty());
    let mut count = 0;
    for dimension in totals.dimensions().chain([totals.left_out_by_exporter(0)]) {
        let name = format!("{}_{}", dimension.metric, dimension.declared().name);
        let has_family = families.iter().any(|family| family.starts_with(&*name));
        assert_eq!(has_family, !is_empty(dimension.value()), "{name}");
        count += usize::from(has_family);
    }
    assert_eq!(count, families.len());
}

#[metric_event]
struct Visited {
    place: &'static str,
}

#[derive(Metric, Default)]
#[metric(name = "visits", on(Visited))]
struct Visits {
    all: Counter,
    #[dimension(by = place, keep = 2)]
    busiest: Top<&'static str, Counter>,
}

#[test]
fn a_top_is_its_values_and_their_errors_as_breakdowns() {
    let runtime = running("shop");
    let recorder = runtime.create_recorder("north").expect("the id is free");
    recorder.metric::<Visits>().expect("it runs");
    for place in ["a", "a", "b", "c"] {
        recorder.emit(Visited { place });
    }
    let totals = runtime.totals(Scope::Rollup).expect("it runs");
    let values = |name: &str| -> Vec<(String, Option<f64>)> {
        let dimension =
            totals.dimensions().find(|dimension| dimension.declared().name == name).expect("a dimension");
        let DimensionValue::Breakdown(entries) = dimension.value() else { panic!("{:?}", dimension.value()) };
        entries.iter().map(|entry| (entry.labels[0].to_string(), entry.value.as_f64())).collect()
    };
    let places =
        |values: &[(String, Option<f64>)]| values.iter().map(|(place, _)| place.clone()).collect::<Vec<_>>();
    let (kept, errors) = (values("busiest"), values("busiest_error"));
    assert_eq!((kept.len(), places(&kept)), (2, places(&errors)));
    assert!(kept.iter().any(|(place, value)| place == "a" && *value == Some(2.0)), "{kept:?}");
    assert_eq!(totals.dimensions().filter(|dimension| dimension.metric == "visits").count(), 3);
}

#[test]
fn what_an_exporter_leaves_out_is_a_dimension_of_the_library() {
    let runtime = running("shop");
    let totals = runtime.totals(Scope::Rollup).expect("it runs");
    let left_out = totals.left_out_by_exporter(7);
    assert_eq!((left_out.metric, &*left_out.declared().name), ("mvx_metrics", "dimensions_left_out"));
    assert_eq!((&**left_out.namespace, left_out.value()), ("shop", &DimensionValue::Unsigned(7)));
    assert!(left_out.is_of_library && left_out.counting_since().is_none());
}
