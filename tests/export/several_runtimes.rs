//! Covers ED2 (several runtimes in one exposition), for the text.

use std::collections::BTreeSet;
use std::sync::{Mutex, mpsc};
use std::thread;

use mvx_metrics::export::{ExpositionOptions, Format, Scope};
use mvx_metrics::{
    Breakdown, Counter, EventHandler, Gauge, HandleEvent, Metric, MetricDescriptor, MetricSnapshot,
    MetricsRuntime, MetricsRuntimeState, RecorderOptions, metric_event,
};
use mvx_metrics_tests::{Step, bounded, eventually};

use crate::everything::{Work, emit, worker};
use crate::fixtures::{FORMATS, SCOPES, assert_grouped, recorder, running, value};
use crate::samples::{of_text, of_totals};

#[test]
fn ed2_runtimes_of_different_namespaces_share_heads_and_keep_their_series() {
    let (shop, depot) = (running("shop"), running("depot"));
    emit(&worker(&shop, "one"), 7);
    emit(&worker(&depot, "two"), 4);
    recorder(&depot, "three");
    for (scope, format) in SCOPES.iter().flat_map(|scope| FORMATS.map(|format| (*scope, format))) {
        let options = ExpositionOptions::new().scope(scope).format(format);
        let both = MetricsRuntime::exposition_of(&[&shop, &depot], &options).expect("they run");
        assert_eq!((both.skipped.len(), both.unread.len()), (0, 0));
        assert_grouped(&both.text);
        let mut alone = of_text(&shop.exposition_with(&options).expect("it runs").text);
        alone.extend(of_text(&depot.exposition_with(&options).expect("it runs").text));
        // The whole text has this count once.
        alone.retain(|series, _| {
            !(series.starts_with("mvx_metrics_dimensions_left_out") && series.contains("depot"))
        });
        assert_eq!(of_text(&both.text), alone, "{scope:?} {format:?}");
    }
}

#[test]
fn ed2_series_of_one_namespace_are_merged_as_totals_are() {
    let (north, south) = (running("shop"), running("shop"));
    emit(&worker(&north, "one"), 12);
    emit(&worker(&north, "gone"), 3);
    emit(&worker(&south, "one"), 30);
    emit(&worker(&south, "two"), 5);
    north.stop_and_remove_recorder("gone").expect("it stops");
    for (scope, format) in SCOPES.iter().flat_map(|scope| FORMATS.map(|format| (*scope, format))) {
        let options = ExpositionOptions::new().scope(scope).format(format);
        let both = MetricsRuntime::exposition_of(&[&north, &south], &options).expect("they run");
        assert_grouped(&both.text);
        let mut merged = north.totals(scope).expect("it runs");
        merged.merge(&south.totals(scope).expect("it runs")).expect("they are of one declaration");
        assert_eq!(of_text(&both.text), of_totals(&merged, both.skipped.len()), "{scope:?} {format:?}");
    }
    let text =
        MetricsRuntime::exposition_of(&[&north, &south], &ExpositionOptions::new()).expect("they run").text;
    assert_eq!(value(&text, "work_all_total{namespace=\"shop\"}").to_bits(), 50_f64.to_bits());
}

#[test]
fn ed2_the_start_of_a_runtime_changes_no_label_of_another_one() {
    let labelled = |name: &str, value: &str| {
        MetricsRuntime::builder("shop").label(name, value).build().expect("valid options")
    };
    let early = labelled("region", "north");
    early.start().expect("a virgin runtime");
    emit(&worker(&early, "one"), 2);
    for target_info in [false, true] {
        let options = ExpositionOptions::new().target_info(target_info);
        let late = labelled("kind", "late");
        let of_early = || -> BTreeSet<String> {
            let text = MetricsRuntime::exposition_of(&[&early, &late], &options).expect("one runs").text;
            let lines =
                text.lines().filter(|line| line.contains("region=") || line.starts_with("target_info"));
            lines.map(|line| line.split(' ').next().unwrap_or_default().to_owned()).collect()
        };
        let before = of_early();
        assert!(before.len() > 20, "{before:?}");
        late.start().expect("a virgin runtime");
        worker(&late, "two");
        assert_eq!(of_early(), before);
        late.shutdown().expect("it runs");
    }
    early.shutdown().expect("it runs");
}

/// Prometheus takes `a{region=""}` and `a` for one series, and refuses one of two samples.
#[test]
fn ed2_a_label_without_a_text_is_no_label() {
    let plain = running("shop");
    let labelled = MetricsRuntime::builder("shop").label("region", "").build().expect("valid options");
    labelled.start().expect("a virgin runtime");
    emit(&worker(&plain, "one"), 2);
    emit(&worker(&labelled, "one"), 3);
    for target_info in [false, true] {
        let options = ExpositionOptions::new().target_info(target_info).label("zone", "");
        let text = MetricsRuntime::exposition_of(&[&labelled, &plain], &options).expect("both run").text;
        assert_eq!(value(&text, "work_all_total{namespace=\"shop\"}").to_bits(), 5_f64.to_bits());
        assert!(
            !text.contains("region=") && !text.contains("zone=") && !text.contains("target_info"),
            "{text}"
        );
        labelled.exposition_with(&options).expect("it runs").text.lines().for_each(|line| {
            assert!(!line.contains("=\"\"") && !line.starts_with("target_info"), "{line}");
        });
    }
    labelled.shutdown().expect("it runs");
}

#[test]
fn ed2_a_runtime_that_is_listed_twice_counts_once() {
    let runtime = running("shop");
    emit(&worker(&runtime, "one"), 12);
    let options = ExpositionOptions::new();
    let twice = MetricsRuntime::exposition_of(&[&runtime, &runtime], &options).expect("it runs");
    assert_eq!(twice.text, runtime.exposition_with(&options).expect("it runs").text);
}

#[test]
fn ed2_a_runtime_that_cannot_be_read_is_listed_and_the_others_are_shown() {
    let options = ExpositionOptions::new();
    let (virgin, other) = (MetricsRuntime::new("virgin"), MetricsRuntime::new("other virgin"));
    let (virgin, other) = (virgin.expect("a valid namespace"), other.expect("a valid namespace"));
    let runtime = running("shop");
    emit(&worker(&runtime, "one"), 2);
    let shown = MetricsRuntime::exposition_of(&[&virgin, &runtime], &options).expect("one runs");
    assert_eq!(shown.text, runtime.exposition_with(&options).expect("it runs").text);
    let unread: Vec<_> =
        shown.unread.iter().map(|unread| (&*unread.namespace, unread.error.reason())).collect();
    assert_eq!(unread, [("virgin", "INVALID_RUNTIME_STATE")]);

    let error = MetricsRuntime::exposition_of(&[&virgin, &other], &options).expect_err("none runs");
    assert_eq!(error.reason(), "INVALID_RUNTIME_STATE");
    let error = MetricsRuntime::exposition_of(&[], &options).expect_err("there is none");
    assert_eq!(error.reason(), "INVALID_ARGUMENT");

    // A runtime that was shut down has a final state.
    runtime.shutdown().expect("it shuts down");
    let last = MetricsRuntime::exposition_of(&[&runtime, &virgin], &options).expect("one has run");
    assert_eq!(value(&last.text, "work_all_total{namespace=\"shop\"}").to_bits(), 2_f64.to_bits());
}

/// A metric whose handler waits for a message.
struct Blocked(Mutex<mpsc::Receiver<()>>);

impl HandleEvent<Step> for Blocked {
    fn handle(&mut self, _: &Step) -> bool {
        self.0.lock().expect("no panic").recv().is_ok()
    }
}

impl Metric for Blocked {
    fn metric_name(&self) -> &'static str {
        "blocked"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        const { &[EventHandler::of::<Step>()] }
    }

    fn descriptor(&self) -> MetricDescriptor {
        MetricDescriptor::new("blocked")
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::new("blocked")
    }
}

#[test]
fn ed2_while_a_runtime_shuts_down_no_counter_falls_for_want_of_it() {
    bounded(|| {
        let (runtime, other) = (running("shop"), running("shop"));
        emit(&worker(&runtime, "one"), 2);
        emit(&worker(&other, "two"), 3);
        let all = || {
            let both = MetricsRuntime::exposition_of(&[&other, &runtime], &ExpositionOptions::new());
            both.map(|both| value(&both.text, "work_all_total{namespace=\"shop\"}").to_string())
        };
        assert_eq!(all().expect("both run"), "5");
        let (release, blocked) = mpsc::channel();
        let recorder = runtime.create_recorder("blocked").expect("the id is free");
        recorder.register_metric(Blocked(Mutex::new(blocked))).expect("it runs");
        recorder.emit(Step(0));
        thread::scope(|threads| {
            let shutdown = threads.spawn(|| runtime.shutdown());
            eventually("the shutdown begins", || runtime.status() == MetricsRuntimeState::Stopping);
            let error = all().expect_err("one of them is not readable");
            assert_eq!(error.reason(), "INVALID_RUNTIME_STATE");
            release.send(()).expect("the handler waits");
            shutdown.join().expect("no panic").expect("it shuts down");
        });
        assert_eq!(all().expect("the last state is there"), "5");
    });
}

#[metric_event]
struct Visited(&'static str);

#[derive(Metric, Default)]
#[metric(name = "visits", on(Visited))]
struct Visits {
    total: Counter,
    #[dimension(by(page = 0), limit = 2)]
    by_page: Breakdown<&'static str, Counter>,
}

/// The same name, another unit and another type.
#[derive(Metric, Default)]
#[metric(name = "visits", on(Visited))]
struct OtherVisits {
    #[dimension(value = |_| 5_i64)]
    total: Gauge<i64>,
}

#[test]
fn ed2_a_name_of_two_declarations_belongs_to_the_first_runtime_and_the_other_is_listed() {
    for namespaces in [["shop", "shop"], ["shop", "depot"]] {
        let runtimes = namespaces.map(running);
        let recorders =
            [&runtimes[0], &runtimes[1]].map(|runtime| runtime.create_recorder("one").expect("free"));
        recorders[0].register_metric(Visits::default()).expect("it runs");
        recorders[1].register_metric(OtherVisits::default()).expect("it runs");
        for recorder in &recorders {
            recorder.emit(Visited("a"));
        }
        for scope in SCOPES {
            let options = ExpositionOptions::new().scope(scope).format(Format::OpenMetrics);
            let both =
                MetricsRuntime::exposition_of(&[&runtimes[0], &runtimes[1]], &options).expect("they run");
            assert_grouped(&both.text);
            assert!(both.text.contains("\nvisits_total{namespace=\"shop\""), "{}", both.text);
            let skipped: Vec<_> =
                both.skipped.iter().map(|skipped| (&*skipped.metric, &*skipped.dimension)).collect();
            assert_eq!(skipped, [("visits", "total")], "{scope:?} {namespaces:?}");
        }
    }
}

#[test]
fn ed2_labels_that_were_shown_keep_their_series_whatever_runtime_sees_them_later() {
    let (north, south) = (running("shop"), running("shop"));
    let add = |runtime: &MetricsRuntime, id: &str, pages: &[&'static str]| {
        let options = RecorderOptions::new().entity_id("entity");
        let recorder = runtime.create_recorder_with(id, options).expect("the id is free");
        recorder.metric::<Visits>().expect("it runs");
        for page in pages {
            recorder.emit(Visited(page));
        }
    };
    let pages = || {
        let both =
            MetricsRuntime::exposition_of(&[&north, &south], &ExpositionOptions::new()).expect("they run");
        let of_pages = |line: &&str| line.starts_with("visits_by_page_total{");
        both.text
            .lines()
            .filter(of_pages)
            .map(|line| line.split("page=").nth(1).expect("a page").to_owned())
            .collect::<Vec<_>>()
    };
    add(&south, "one", &["a", "b", "c"]);
    let expected = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<BTreeSet<_>>();
    let sorted = |lines: Vec<String>| lines.into_iter().collect::<BTreeSet<_>>();
    assert_eq!(sorted(pages()), expected(&["\"a\"} 1", "\"b\"} 1", "\"other\"} 1"]));
    // The first runtime sees other labels first. Those that were shown before keep their series.
    add(&north, "one", &["x", "y", "a"]);
    assert_eq!(sorted(pages()), expected(&["\"a\"} 1", "\"b\"} 1", "\"other\"} 4"]));
}

#[test]
fn ed2_typed_totals_of_both_agree_with_the_text() {
    let (north, south) = (running("shop"), running("shop"));
    emit(&worker(&north, "one"), 8);
    emit(&worker(&south, "one"), 9);
    let text =
        MetricsRuntime::exposition_of(&[&north, &south], &ExpositionOptions::new()).expect("they run").text;
    let mut merged = north.totals(Scope::Rollup).expect("it runs");
    merged.merge(&south.totals(Scope::Rollup).expect("it runs")).expect("they are of one declaration");
    let work = merged.get::<Work>("shop").expect("there is work");
    let moved = value(&text, "work_moved_bytes_total{namespace=\"shop\"}");
    assert_eq!(moved.to_string(), work.moved.to_string());
}
