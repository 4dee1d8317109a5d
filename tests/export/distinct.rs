//! Covers DI9 in totals and in the text: what several recorders have seen counts once, also when one was removed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use mvx_metrics::export::{Format, Scope};
use mvx_metrics::{
    Counter, DimensionValue, Distinct, DistinctSnapshot, EventHandler, HandleEvent, Metric, MetricDescriptor,
    MetricSnapshot, MetricsRuntime, Recent,
};
use mvx_metrics_tests::visits::{Page, Visited, Visits, visit};

use crate::fixtures::{FORMATS, running, value};

fn record(runtime: &MetricsRuntime, id: &str, numbers: impl Iterator<Item = u64>) {
    let recorder = runtime.create_recorder(id).expect("the id is free");
    recorder.metric::<Visits>().expect("it runs");
    numbers.for_each(|number| recorder.emit(visit(number)));
}

fn text(runtime: &MetricsRuntime, scope: Scope, format: Format) -> String {
    runtime.exposition(scope, format).expect("it can be read").text
}

fn visitors(runtime: &MetricsRuntime) -> u64 {
    let totals = runtime.totals(Scope::Rollup).expect("it can be read");
    totals.get::<Visits>("site").expect("it is registered").visitors.estimate()
}

#[test]
fn di9_totals_count_a_value_of_several_recorders_once() {
    let runtime = running("site");
    record(&runtime, "north", 1..=20);
    record(&runtime, "south", 11..=25);
    assert_eq!(visitors(&runtime), 25);
    let totals = runtime.totals(Scope::Rollup).expect("it can be read").get::<Visits>("site");
    let by_page = totals.expect("it is registered").visitors_by_page;
    assert_eq!(by_page.get(Page::Home).map(DistinctSnapshot::estimate), Some(8));
    for format in FORMATS {
        let text = text(&runtime, Scope::Rollup, format);
        assert!(text.contains("# TYPE visits_visitors gauge\n"), "{text}");
        assert!(text.contains("# HELP visits_visitors Different visitors.\n"), "{text}");
        assert_eq!(value(&text, "visits_visitors{namespace=\"site\"}").to_string(), "25");
        let help = "visits_visitors_by_page{namespace=\"site\",page=\"help\"}";
        assert_eq!(value(&text, help).to_string(), "0", "labels of an enum begin with 0");
    }
    let text = text(&runtime, Scope::PerEntity, Format::Prometheus);
    let north = "visits_visitors{namespace=\"site\",entity_id=\"north\"}";
    assert_eq!(value(&text, north).to_string(), "20");
}

#[test]
fn di9_totals_keep_what_a_removed_recorder_has_seen() {
    let runtime = running("site");
    record(&runtime, "north", 1..=20);
    record(&runtime, "south", 11..=25);
    runtime.stop_and_remove_recorder("north").expect("it stops");
    assert_eq!(visitors(&runtime), 25);
    record(&runtime, "north", 1..=3);
    assert_eq!(visitors(&runtime), 25, "the new recorder has seen nothing new");
    let text = text(&runtime, Scope::Rollup, Format::Prometheus);
    assert_eq!(value(&text, "visits_visitors{namespace=\"site\"}").to_string(), "25");
}

/// Visits with snapshots that panic while the flag is set.
struct Moody {
    visits: Visits,
    panics: Arc<AtomicBool>,
}

impl HandleEvent<Visited> for Moody {
    fn handle(&mut self, visited: &Visited) -> bool {
        self.visits.handle(visited)
    }
}

impl Metric for Moody {
    fn metric_name(&self) -> &'static str {
        "visits"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        const { &[EventHandler::of::<Visited>()] }
    }

    fn descriptor(&self) -> MetricDescriptor {
        self.visits.descriptor()
    }

    fn snapshot(&self) -> MetricSnapshot {
        assert!(!self.panics.load(SeqCst), "no snapshot now");
        self.visits.snapshot()
    }
}

#[test]
fn di9_no_total_falls_while_a_recorder_cannot_be_read() {
    let runtime = running("site");
    let panics = Arc::new(AtomicBool::new(false));
    let recorder = runtime.create_recorder("north").expect("the id is free");
    let moody = Moody { visits: Visits::default(), panics: Arc::clone(&panics) };
    recorder.register_metric(moody).expect("it runs");
    (1..=600).for_each(|number| recorder.emit(visit(number)));
    record(&runtime, "south", 500..=700);
    let totals = |name: &str| -> DimensionValue {
        let totals = runtime.totals(Scope::Rollup).expect("it can be read");
        let metric = totals.groups[0].metrics.get("visits").expect("it is registered");
        metric.get(name).expect("it is declared").clone()
    };
    let names = ["visitors", "referrers", "visitors_by_page"];
    let before = names.map(totals);
    panics.store(true, SeqCst);
    assert_eq!(names.map(totals), before);
    // New values join those that were known.
    let south = runtime.get_recorder("south").expect("it is registered");
    (701..=800).for_each(|number| south.emit(visit(number)));
    let during = totals("visitors");
    assert!(during.as_u64() > before[0].as_u64());
    panics.store(false, SeqCst);
    assert_eq!(totals("visitors"), during);
}

#[derive(Metric, Default)]
#[metric(name = "lately", on(Visited))]
struct Lately {
    #[dimension(value = visitor)]
    users: Recent<Distinct, 3_600>,
    all: Counter,
}

#[test]
fn di7_a_window_of_different_values_can_be_read_when_its_last_recorder_is_gone() {
    let runtime = running("shop");
    let recorder = runtime.create_recorder("one").expect("the id is free");
    recorder.register_metric(Lately::default()).expect("the recorder runs");
    recorder.emit(visit(7));
    let lately = || {
        let totals = runtime.totals(Scope::Rollup).expect("the runtime runs");
        totals.get::<Lately>("shop").map(|lately| (lately.users.estimate(), lately.all))
    };
    assert_eq!(lately(), Some((1, 1)));
    runtime.stop_and_remove_recorder("one").expect("it stops");
    assert_eq!(lately(), Some((0, 1)));
}
