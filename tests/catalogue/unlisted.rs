//! The check that no metric was forgotten: CA1.

use std::time::Duration;

use mvx_metrics::catalogue::Catalogue;
use mvx_metrics::{
    Breakdown, Counter, DimensionDescriptor, DimensionKind, EventHandler, Histogram, Metric,
    MetricDescriptor, MetricSnapshot, MetricsRuntime, NumberType, Scope, Totals, catalogue, metric_event,
};

use crate::program::{Declared, program};

#[metric_event]
struct Ended {
    route: &'static str,
    took: Duration,
}

#[derive(Metric, Default)]
#[metric(name = "calls", on(Ended))]
struct Calls {
    all: Counter,
    #[dimension(by = route, limit = 3)]
    by_route: Breakdown<&'static str, Counter>,
    #[dimension(value = took, buckets = [0.1, 1])]
    took: Histogram<Duration>,
}

#[derive(Metric, Default)]
#[metric(name = "jobs", on(Ended))]
struct Jobs {
    all: Counter,
}

/// Shows a metric of another library.
#[derive(Default)]
struct Adapter;

impl Metric for Adapter {
    fn metric_name(&self) -> &'static str {
        "adapter"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        &[]
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::new("adapter")
    }

    fn further_metrics(&self) -> Vec<MetricSnapshot> {
        let hits = DimensionDescriptor::new("hits", DimensionKind::Counter);
        let cache = MetricDescriptor::new("cache").with_dimensions(vec![hits]);
        vec![MetricSnapshot::new("cache").with("hits", 3_u64).declared(cache)]
    }
}

fn totals_of(register: impl Fn(&mvx_metrics::MetricsRecorder)) -> Totals {
    let runtime = MetricsRuntime::new("shop").expect("a valid namespace");
    runtime.start().expect("a thread can be started");
    for id in ["one", "two"] {
        let recorder = runtime.create_recorder(id).expect("the id is free");
        register(&recorder);
        recorder.emit(Ended { route: "/", took: Duration::from_millis(1) });
    }
    let totals = runtime.totals(Scope::Rollup).expect("it runs");
    runtime.shutdown().expect("it ends");
    totals
}

#[test]
fn ca1_metrics_that_no_list_names_are_found() {
    let totals = totals_of(|recorder| {
        recorder.metric::<Calls>().expect("it runs");
        recorder.metric::<Jobs>().expect("it runs");
        recorder.register_metric(Adapter).expect("it runs");
    });
    let all = catalogue![Calls, Jobs, Adapter].expect("no names clash");
    assert_eq!(
        all.unlisted(&totals),
        ["`cache` is not in the catalogue"],
        "the adapter shows it beside itself"
    );
    let some = catalogue![Calls].expect("no names clash");
    let expected = [
        "`adapter` is not in the catalogue",
        "`cache` is not in the catalogue",
        "`jobs` is not in the catalogue",
    ];
    assert_eq!(some.unlisted(&totals), expected);
    let read = Catalogue::from_json(&all.to_json()).expect("it was written");
    assert_eq!(read.unlisted(&totals), all.unlisted(&totals));
}

#[test]
fn ca1_metrics_that_are_declared_in_another_way_are_found() {
    let listed = program();
    let catalogue = listed.catalogue();
    let totals = |change: fn(&mut Declared)| {
        totals_of(|recorder| {
            let mut uploads = program().metrics.swap_remove(0);
            change(&mut uploads);
            recorder.register_metric(uploads).expect("it runs");
        })
    };
    assert_eq!(catalogue.unlisted(&totals(|_| ())), [""; 0]);
    let other = totals(|uploads| {
        uploads.dimensions[1].unit = Some("kilobytes".into());
        uploads.dimensions[3].labels = vec!["path".into(), "method".into()].into();
        uploads.dimensions[6].number = Some(NumberType::Float);
        uploads.dimensions[0].name = "all".into();
        uploads.dimensions[4].help = "Another help.".into();
        uploads.dimensions[5].max_buckets = Some(20);
    });
    let expected = [
        "`uploads` is declared in another way: the catalogue does not have its dimension `all`",
        "`uploads` is declared in another way: the labels of `by_route` differ",
        "`uploads` is declared in another way: the program does not have its dimension `total`",
        "`uploads` is declared in another way: the types of numbers of `open` differ",
        "`uploads` is declared in another way: the units of `sent` differ",
    ];
    assert_eq!(catalogue.unlisted(&other), expected);
}
