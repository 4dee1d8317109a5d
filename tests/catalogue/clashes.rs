//! Names that stand for two things.

use mvx_metrics::catalogue::{Catalogue, CatalogueError, NameClash};
use mvx_metrics::{Counter, DimensionKind, Histogram, Max, Metric, NumberType, Top, catalogue, metric_event};

use crate::program::{Declared, dimension, program};

#[metric_event]
struct Ended {
    bytes: u64,
    route: &'static str,
}

#[derive(Metric, Default)]
#[metric(name = "files", on(Ended))]
struct Files {
    #[dimension(value = bytes)]
    sizes: Histogram<u64>,
    #[dimension(by = route, keep = 3)]
    busiest: Top<&'static str, Counter>,
}

fn clashes(catalogue: Result<Catalogue, CatalogueError>) -> Vec<String> {
    match catalogue {
        Err(CatalogueError::SameName(clashes)) => clashes.iter().map(NameClash::to_string).collect(),
        other => panic!("no clashes: {other:?}"),
    }
}

#[test]
fn ca1_names_with_suffixes_clash_too() {
    #[derive(Metric, Default)]
    #[metric(name = "files.sizes", on(Ended))]
    struct Sizes {
        count: Counter,
        #[dimension(value = bytes)]
        sum: Max<u64>,
        #[dimension(value = bytes)]
        created: Max<u64>,
        #[dimension(value = bytes)]
        largest: Max<u64>,
    }

    let expected = [
        "`files_sizes_count` would be exported for `sizes` of the metric `files`, and for `count` of the metric `files.sizes`",
        "`files_sizes_sum` would be exported for `sizes` of the metric `files`, and for `sum` of the metric `files.sizes`",
        "`files_sizes_created` would be exported for `sizes` of the metric `files`, and for `created` of the metric \
         `files.sizes`",
    ];
    assert_eq!(clashes(catalogue![Files, Sizes]), expected);
}

#[test]
fn ca1_the_errors_of_a_top_clash_and_so_does_the_librarys_own_health() {
    #[derive(Metric, Default)]
    #[metric(name = "files.busiest", on(Ended))]
    struct Busiest {
        #[dimension(value = bytes)]
        error: Max<u64>,
    }

    #[derive(Metric, Default)]
    #[metric(name = "mvx_metrics", on(Ended))]
    struct OfLibrary {
        events_accepted: Counter,
        #[dimension(value = bytes)]
        dimensions_left_out: Max<u64>,
        others: Counter,
    }

    let expected = [
        "`files_busiest_error` would be exported for `busiest_error` of the metric `files`, and for `error` of the metric \
         `files.busiest`",
        "`mvx_metrics_events_accepted` would be exported for the library's own health, and for `events_accepted` of the \
         metric `mvx_metrics`",
        "`mvx_metrics_dimensions_left_out` would be exported for the library's own health, and for `dimensions_left_out` \
         of the metric `mvx_metrics`",
    ];
    assert_eq!(clashes(catalogue![Files, Busiest, OfLibrary]), expected);
}

#[test]
fn ca1_a_metric_that_is_listed_twice_counts_once_and_another_one_of_its_name_clashes() {
    #[derive(Metric, Default)]
    #[metric(name = "files", on(Ended))]
    struct Others {
        count: Counter,
    }

    let once = catalogue![Files].expect("no names clash");
    assert_eq!(catalogue![Files, Files].expect("they are one"), once);
    let clashes = clashes(catalogue![Files, Others, Files]);
    assert_eq!(clashes.len(), 1, "{clashes:?}");
    assert!(
        clashes[0].starts_with(
            "the metric `files` is declared by `catalogue::clashes::Files`, and in another way by"
        ),
        "{clashes:?}"
    );
}

#[test]
fn ca1_a_dimension_that_is_declared_twice_clashes() {
    let mut twice: Declared = program().metrics.remove(1);
    twice.dimensions.push(dimension("open", DimensionKind::Counter, NumberType::Unsigned, &[]));
    let clashes = clashes(Catalogue::builder().metric_of(&twice).build());
    let expected = [
        "the metric `downloads` declares the dimension `open` twice",
        "`downloads_open` would be exported for `open` of the metric `downloads`, and for `open` of the metric `downloads`",
    ];
    assert_eq!(clashes, expected);
}
