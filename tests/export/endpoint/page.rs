//! Covers the page: its files, its data against known counts, and what clients may ask for.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::Router;
use hyper_util::service::TowerToHyperService;
use mvx_metrics::http::{MetricsService, ServiceOptions};
use mvx_metrics::page::{DimensionCard, MetricCard, PageData, ProblemKind};
use mvx_metrics::{
    DimensionDescriptor, DimensionKind, DimensionValue, LogPolicy, MetricFailurePolicy, MetricsRecorder,
    MetricsRecorderState, MetricsRuntime, MetricsRuntimeState, RecorderOptions,
};
use mvx_metrics_tests::{Handwritten, bounded};

use crate::client::{Answer, ask, connect, get};
use crate::fixtures::{Work, Worked, endpoint_with, recorder, running};
use crate::gzip::decompressed;
use crate::requests::request;
use crate::server::{Server, call};

pub fn page(runtime: &MetricsRuntime) -> MetricsService {
    runtime.metrics_service(ServiceOptions::new().page(true)).routes()
}

/// The data of one look at a service with the page.
pub fn look(service: &MetricsService, query: &str) -> PageData {
    let (status, json) = call(service, &format!("/page/data?{query}"));
    assert_eq!(status, 200, "{json}");
    serde_json::from_str(&json).expect("the data is read back")
}

pub fn card<'a>(data: &'a PageData, name: &str) -> &'a MetricCard {
    data.metrics.rows.iter().find(|card| card.name == name).expect("the metric is on this page")
}

pub fn dimension<'a>(data: &'a PageData, metric: &str, name: &str) -> &'a DimensionCard {
    card(data, metric).dimensions.iter().find(|dimension| dimension.name == name).expect("the metric has it")
}

/// Looks until both samples are newer than those of an earlier look.
pub fn look_anew(service: &MetricsService, query: &str, earlier: &PageData) -> PageData {
    loop {
        let data = look(service, query);
        if data.sample > earlier.sample {
            return data;
        }
        std::thread::sleep(Duration::from_secs_f64(data.next_look));
    }
}

fn emit(recorder: &MetricsRecorder, count: u64) {
    (0..count).for_each(|_| recorder.emit(Worked { bytes: 7 }));
    recorder.flush().wait().expect("the recorder runs");
}

fn value(name: &'static str, kind: DimensionKind, value: u64) -> (DimensionDescriptor, DimensionValue) {
    (DimensionDescriptor::new(name, kind), value.into())
}

const FILES: [(&str, &str); 6] = [
    ("/", "text/html; charset=utf-8"),
    ("/page/page.css", "text/css; charset=utf-8"),
    ("/page/page.js", "text/javascript; charset=utf-8"),
    ("/page/view.js", "text/javascript; charset=utf-8"),
    ("/page/charts.js", "text/javascript; charset=utf-8"),
    ("/page/words.js", "text/javascript; charset=utf-8"),
];

fn assert_headers(answer: &Answer, path: &str) {
    let policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
                  base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    assert_eq!(answer.header("content-security-policy"), Some(policy), "{path}");
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{path}");
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
}

#[test]
fn pg2_each_file_has_a_type_and_a_strict_policy() {
    bounded(|| {
        let runtime = running("files");
        let endpoint = endpoint_with(&runtime, ServiceOptions::new().page(true));
        let mut bytes = 0;
        for (path, content_type) in FILES.into_iter().chain([("/page/data", "application/json")]) {
            let answer = get(endpoint.address(), path);
            assert_eq!((answer.status, answer.header("content-type")), (200, Some(content_type)), "{path}");
            assert_headers(&answer, path);
            bytes += if path == "/page/data" { 0 } else { answer.bytes.len() };
            let head = ask(&mut connect(endpoint.address()), &request("HEAD", path, "")).expect("an answer");
            assert_eq!((head.status, head.header("content-type")), (200, Some(content_type)), "{path}");
            let post = ask(&mut connect(endpoint.address()), &request("POST", path, "content-length: 0\r\n"));
            assert_eq!(post.expect("an answer").status, 405, "{path}");
        }
        assert!((1..80 * 1024).contains(&bytes), "{bytes} bytes");
    });
}

#[test]
fn pg2_files_and_data_are_compressed_for_clients_that_ask_for_gzip() {
    bounded(|| {
        let runtime = running("zipped");
        let recorders: Vec<_> = (0..20).map(|number| recorder(&runtime, &format!("r{number}"))).collect();
        let endpoint = endpoint_with(&runtime, ServiceOptions::new().page(true));
        for path in FILES.map(|(path, _)| path).into_iter().chain(["/page/data?size=20"]) {
            let plain = get(endpoint.address(), path);
            let zipped = request("GET", path, "accept-encoding: gzip\r\n");
            let zipped = ask(&mut connect(endpoint.address()), &zipped).expect("an answer");
            assert_eq!(zipped.header("content-encoding"), Some("gzip"), "{path}");
            assert!(zipped.bytes.len() < plain.bytes.len(), "{path}");
            if !path.starts_with("/page/data") {
                assert_eq!(decompressed(&zipped), plain.body, "{path}");
            }
        }
        drop(recorders);
    });
}

#[test]
fn pg2_without_the_option_there_is_no_page() {
    bounded(|| {
        let runtime = running("without");
        let endpoint = endpoint_with(&runtime, ServiceOptions::new());
        for path in FILES.map(|(path, _)| path).into_iter().chain(["/page/data", "/page", "/page/"]) {
            let answer = get(endpoint.address(), path);
            assert_eq!(
                (answer.status, &*answer.body),
                (404, "there are /metrics, /snapshot and /healthz\n"),
                "{path}"
            );
        }
        let endpoint = endpoint_with(&runtime, ServiceOptions::new().page(true));
        for path in ["/page", "/page/", "/page/other.js", "//", "/index.html"] {
            let answer = get(endpoint.address(), path);
            let text = "there are /, /metrics, /snapshot and /healthz\n";
            assert_eq!((answer.status, &*answer.body), (404, text), "{path}");
        }
        // Without routes each path has the exposition.
        let service = runtime.metrics_service(ServiceOptions::new().page(true));
        assert!(call(&service, "/").1.contains("mvx_metrics_recorders_removed_total"));
    });
}

#[test]
fn pg2_other_host_names_are_refused() {
    bounded(|| {
        let runtime = running("hosts");
        let endpoint = endpoint_with(&runtime, ServiceOptions::new().page(true));
        for path in ["/", "/page/page.js", "/page/data"] {
            let request = format!("GET {path} HTTP/1.1\r\nhost: evil.example\r\n\r\n");
            let answer = ask(&mut connect(endpoint.address()), &request).expect("an answer");
            assert_eq!(answer.status, 421, "{path}");
        }
    });
}

#[test]
fn pg1_below_a_prefix_the_page_finds_its_files() {
    bounded(|| {
        let runtime = running("prefix");
        recorder(&runtime, "one");
        let app: Router = Router::new().nest_service("/internal", page(&runtime));
        let server = Server::start(TowerToHyperService::new(app));
        let html = get(server.address, "/internal/");
        assert_eq!((html.status, html.header("content-type")), (200, Some("text/html; charset=utf-8")));
        assert_headers(&html, "/internal/");
        // As a browser resolves them.
        let attributes = ["src=\"", "href=\""].into_iter().flat_map(|name| html.body.split(name).skip(1));
        let files: BTreeSet<&str> = attributes
            .filter_map(|rest| rest.split('"').next())
            .filter(|path| path.starts_with("page/"))
            .collect();
        assert!(files.contains("page/page.js") && files.contains("page/page.css"), "{files:?}");
        for file in files {
            assert_eq!(get(server.address, &format!("/internal/{file}")).status, 200, "{file}");
        }
        let data = get(server.address, "/internal/page/data?size=1");
        let data: PageData = serde_json::from_slice(&data.bytes).expect("the data");
        assert_eq!(data.recorders.rows[0].id, "one");
    });
}

#[test]
fn pg1_the_data_has_the_known_counts() {
    bounded(|| {
        let runtime = running("known");
        let (one, two) = (recorder(&runtime, "one"), recorder(&runtime, "two"));
        emit(&one, 5);
        emit(&two, 3);
        let other = RecorderOptions::new().namespace("other").entity_id("entity");
        let other = runtime.create_recorder_with("three", other).expect("the id is free");
        other.metric::<Work>().expect("it runs");
        emit(&other, 2);
        emit(&recorder(&runtime, "gone"), 4);
        runtime.stop_and_remove_recorder("gone").expect("it ends");

        let service = page(&runtime);
        let data = look(&service, "sort=id");
        assert_eq!((data.sample, data.interval, data.problems_total), (1, None, 0));
        assert!(data.problems.is_empty() && data.next_look >= 0.25, "{data:?}");
        assert_eq!(
            (&*data.runtimes[0].namespace, data.runtimes[0].status),
            ("known", MetricsRuntimeState::Running)
        );
        let rows: Vec<_> = (data.namespaces.iter())
            .map(|row| {
                (&*row.namespace, row.accepted, row.removed, row.recorders[&MetricsRecorderState::Running])
            })
            .collect();
        assert_eq!((rows, data.namespaces_total), (vec![("known", 12, 1, 2), ("other", 2, 0, 1)], 2));
        let recorders = &data.recorders;
        assert_eq!((recorders.total, recorders.matching, recorders.page, recorders.size), (3, 3, 1, 25));
        let rows: Vec<_> = (recorders.rows.iter())
            .map(|row| (&*row.id, &*row.entity_id, &*row.namespace, row.accepted, row.pending, row.rate))
            .collect();
        let expected = [
            ("one", "one", "known", 5, 0, None),
            ("three", "entity", "other", 2, 0, None),
            ("two", "two", "known", 3, 0, None),
        ];
        assert_eq!(rows, expected);
        assert!(recorders.rows.iter().all(|row| (0.0..60.0).contains(&row.age)));
        let cards: Vec<_> =
            data.metrics.rows.iter().map(|card| (&*card.namespace, &*card.name, &*card.help)).collect();
        assert_eq!(cards, [("known", "work", "Work."), ("other", "work", "Work.")]);
        let bytes = dimension(&data, "work", "bytes");
        assert_eq!((bytes.kind, bytes.value, bytes.rate), (DimensionKind::Sum, Some(84.0), None));
        assert_eq!(dimension(&data, "work", "total").value, Some(12.0));

        emit(&one, 10);
        let later = look_anew(&service, "sort=id", &data);
        let interval = later.interval.expect("there is a sample before");
        let rate = later.namespaces[0].rate.expect("the namespace was there");
        assert!((rate * interval - 10.0).abs() < 1e-6, "{rate} in {interval} s");
        let rate = dimension(&later, "work", "bytes").rate.expect("the metric was there");
        assert!((rate * interval - 70.0).abs() < 1e-6, "{rate} in {interval} s");
        let rates: Vec<bool> =
            later.recorders.rows.iter().map(|row| row.rate.is_some_and(|rate| rate > 0.0)).collect();
        assert_eq!(rates, [true, false, false]);
    });
}

#[test]
fn pg1_recorders_are_searched_sorted_and_paged_by_the_server() {
    bounded(|| {
        let runtime = running("listed");
        let recorders: Vec<_> = (0..60)
            .map(|number| {
                let options = RecorderOptions::new().entity_id(format!("Entity {}", number % 6));
                let id = format!("recorder-{number:02}");
                let recorder =
                    runtime.create_recorder_with(&id, options.queue_max_size(2)).expect("the id is free");
                recorder.metric::<Work>().expect("it runs");
                recorder
            })
            .collect();
        let service = page(&runtime);
        let ids = |query: &str| {
            let data = look(&service, query);
            data.recorders.rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
        };
        let named = |numbers: &mut dyn Iterator<Item = u32>| -> Vec<String> {
            numbers.map(|number| format!("recorder-{number:02}")).collect()
        };
        assert_eq!(ids("sort=id"), named(&mut (0..25)));
        assert_eq!(ids("sort=id&page=2"), named(&mut (25..50)));
        assert_eq!(ids("sort=id&page=3"), named(&mut (50..60)));
        assert_eq!(ids("sort=id&page=99"), named(&mut (50..60)));
        assert_eq!(ids("sort=id&order=desc&size=3"), named(&mut [59, 58, 57].into_iter()));
        assert_eq!(ids("sort=age&size=4"), named(&mut (0..4)));
        assert_eq!(ids("sort=age&order=asc&size=2&page=2"), named(&mut [57, 56].into_iter()));
        assert_eq!(ids("sort=id&search=ER-1"), named(&mut (10..20)));
        assert_eq!(ids("sort=id&search=entity+5&size=3"), named(&mut [5, 11, 17].into_iter()));
        assert_eq!(ids("search=nothing"), Vec::<String>::new());
        assert_eq!(ids("namespace=other"), Vec::<String>::new());
        let data = look(&service, "search=ENTITY%205&size=4&page=3&namespace=listed");
        let listed =
            (data.recorders.total, data.recorders.matching, data.recorders.page, data.recorders.rows.len());
        assert_eq!(listed, (60, 10, 3, 2));
        // Broken queries get the defaults.
        assert_eq!(ids("sort=%ff&page=-1&size=abc&order=&namespace=").len(), 25);

        // One recorder has most of the events, another one most of the lost ones.
        let earlier = look(&service, "");
        emit(&recorders[7], 3);
        while recorders[33].stats().dropped == 0 {
            (0..100).for_each(|_| recorders[33].emit(Worked { bytes: 1 }));
        }
        recorders[33].flush().wait().expect("it runs");
        drop(look_anew(&service, "", &earlier));
        let lossy = recorders[33].stats().dropped;
        assert!(lossy > 0);
        let data = look(&service, "sort=loss&size=1");
        assert_eq!((&*data.recorders.rows[0].id, data.recorders.rows[0].dropped), ("recorder-33", lossy));
        assert_eq!(
            ids("sort=rate&size=2").into_iter().collect::<BTreeSet<_>>(),
            named(&mut [7, 33].into_iter()).into_iter().collect()
        );
        let [problem] = &data.problems[..] else { panic!("{:?}", data.problems) };
        // The other one may have lost an event, too.
        let lost = recorders.iter().map(|recorder| recorder.stats().dropped).sum();
        assert_eq!(
            (problem.kind, &*problem.subject, problem.count),
            (ProblemKind::DroppedEvents, "worked", lost)
        );
    });
}

#[test]
fn pg1_metrics_are_searched_and_paged() {
    bounded(|| {
        let runtime = running("cards");
        let recorder = runtime.create_recorder("one").expect("the id is free");
        for number in 0..60 {
            let values = vec![value("count", DimensionKind::Counter, 7)];
            recorder
                .register_metric(Handwritten::new(format!("metric-{number:02}"), values))
                .expect("it runs");
        }
        let service = page(&runtime);
        let names = |query: &str| {
            let data = look(&service, query);
            let metrics = data.metrics;
            let names: Vec<_> = metrics.rows.into_iter().map(|card| card.name).collect();
            (metrics.total, metrics.matching, metrics.page, names)
        };
        let (total, matching, page, shown) = names("");
        assert_eq!((total, matching, page, shown.len(), &*shown[23]), (60, 60, 1, 24, "metric-23"));
        let (.., page, shown) = names("metric_page=3");
        assert_eq!((page, shown.len(), &*shown[0]), (3, 12, "metric-48"));
        assert_eq!(names("metric_page=1000").2, 3);
        let (total, matching, _, shown) = names("metric_search=RIC-1");
        assert_eq!((total, matching, shown.len(), &*shown[9]), (60, 10, 10, "metric-19"));
        assert_eq!(names("namespace=other").1, 0);
    });
}

#[test]
fn pg1_what_is_wrong_stands_among_the_problems() {
    bounded(|| {
        let runtime = MetricsRuntime::builder("wrong").log_policy(LogPolicy::Silent).build().expect("valid");
        runtime.start().expect("it starts");
        let failing = RecorderOptions::new().metric_failure_policy(MetricFailurePolicy::FailRecorder);
        let failed = runtime.create_recorder_with("failed", failing).expect("the id is free");
        let quarantined = runtime.create_recorder("quarantined").expect("the id is free");
        for recorder in [&failed, &quarantined] {
            recorder.register_metric(Broken).expect("it runs");
            recorder.emit(Worked { bytes: 1 });
            let _ = recorder.flush().wait();
        }
        let clashing = runtime.create_recorder("clashing").expect("the id is free");
        let count = |name| vec![value(name, DimensionKind::Counter, 3)];
        clashing.register_metric(Handwritten::new("jobs", count("done"))).expect("it runs");
        clashing.register_metric(Handwritten::new("jobs.done", count("total"))).expect("it runs");
        let own = vec![value("own", DimensionKind::Custom, 3)];
        clashing.register_metric(Handwritten::new("without_rule", own)).expect("it runs");

        let service = page(&runtime);
        let data = look(&service, "metric_search=broken");
        let problems: Vec<_> = (data.problems.iter())
            .map(|problem| (problem.kind, &*problem.namespace, &*problem.subject, problem.count))
            .collect();
        let expected = [
            (ProblemKind::FailedRecorder, "wrong", "failed", 1),
            (ProblemKind::QuarantinedMetric, "wrong", "broken", 2),
            (ProblemKind::LeftOutDimension, "wrong", "without_rule.own", 1),
            (ProblemKind::LeftOutDimension, "", "jobs.done.total", 1),
        ];
        assert_eq!(problems, expected);
        assert!(data.problems[1].detail.contains("on purpose"), "{:?}", data.problems[1]);
        assert!(data.problems[3].detail.contains("`jobs_done` belongs to"), "{:?}", data.problems[3]);
        assert_eq!(card(&data, "broken").failed, 2);
    });
}

/// A metric that panics with every event.
#[derive(Default)]
struct Broken;

impl mvx_metrics::HandleEvent<Worked> for Broken {
    fn handle(&mut self, _: &Worked) -> bool {
        panic!("on purpose")
    }
}

impl mvx_metrics::Metric for Broken {
    fn metric_name(&self) -> &'static str {
        "broken"
    }

    fn handlers() -> &'static [mvx_metrics::EventHandler<Self>] {
        const { &[mvx_metrics::EventHandler::of::<Worked>()] }
    }

    fn snapshot(&self) -> mvx_metrics::MetricSnapshot {
        mvx_metrics::MetricSnapshot::of_static("broken")
    }
}

#[test]
fn pg1_the_data_is_503_before_the_start_and_the_final_state_after_the_shutdown() {
    bounded(|| {
        let runtime = MetricsRuntime::new("ending").expect("a valid namespace");
        let service = page(&runtime);
        let (status, reason) = call(&service, "/page/data");
        assert_eq!((status, reason.contains("VIRGIN")), (503, true), "{reason}");
        assert_eq!(call(&service, "/").0, 200);
        runtime.start().expect("it starts");
        let one = recorder(&runtime, "one");
        emit(&one, 3);
        assert_eq!(dimension(&look(&service, ""), "work", "total").value, Some(3.0));
        emit(&one, 4);
        runtime.shutdown().expect("it ends");
        let data = look(&service, "");
        assert_eq!(dimension(&data, "work", "total").value, Some(7.0));
        assert_eq!(data.runtimes[0].status, MetricsRuntimeState::Closed);
        let row = &data.recorders.rows[0];
        assert_eq!((&*row.id, row.status, row.accepted), ("one", MetricsRecorderState::Stopped, 7));
        drop((runtime, one));
        assert_eq!(dimension(&look(&service, "sort=age"), "work", "total").value, Some(7.0));
        assert_eq!(call(&service, "/").0, 200);
    });
}

#[test]
fn pg1_several_runtimes_are_shown_together() {
    bounded(|| {
        let [fast, slow] = ["fast", "slow"].map(running);
        let virgin = MetricsRuntime::new("virgin").expect("a valid namespace");
        emit(&recorder(&fast, "one"), 2);
        emit(&recorder(&slow, "one"), 3);
        let shared = RecorderOptions::new().namespace("fast");
        let shared = slow.create_recorder_with("two", shared).expect("the id is free");
        shared.metric::<Work>().expect("it runs");
        emit(&shared, 5);
        let service = page(&fast).and(&slow).and(&virgin);
        let data = look(&service, "sort=id");
        let runtimes: Vec<_> = data.runtimes.iter().map(|row| (&*row.namespace, row.status)).collect();
        let (running, virgin) = (MetricsRuntimeState::Running, MetricsRuntimeState::Virgin);
        assert_eq!(runtimes, [("fast", running), ("slow", running), ("virgin", virgin)]);
        let rows: Vec<_> = data.namespaces.iter().map(|row| (&*row.namespace, row.accepted)).collect();
        assert_eq!(rows, [("fast", 7), ("slow", 3)]);
        assert_eq!(data.namespaces[0].recorders[&MetricsRecorderState::Running], 2);
        let rows: Vec<_> = data.recorders.rows.iter().map(|row| (&*row.id, &*row.namespace)).collect();
        assert_eq!(rows, [("one", "fast"), ("one", "slow"), ("two", "fast")]);
        assert_eq!(dimension(&data, "work", "total").value, Some(7.0));
    });
}

#[test]
fn pg1_a_program_without_metrics_has_a_page() {
    bounded(|| {
        let runtime = running("empty");
        let data = look(&page(&runtime), "");
        assert_eq!((data.recorders.total, data.recorders.page, data.metrics.total), (0, 1, 0));
        assert_eq!((data.namespaces.len(), data.problems_total), (1, 0));
        assert!(data.recorders.rows.is_empty() && data.metrics.rows.is_empty());
    });
}
