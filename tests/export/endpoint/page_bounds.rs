//! Covers the bounds of the page's data: hostile names, many recorders, metrics and labels, and many clients.

use std::borrow::Cow;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use hyper::Request;
use hyper::service::Service;
use mvx_metrics::http::{MetricsService, ResponseFuture};
use mvx_metrics::page::PageData;
use mvx_metrics::{BreakdownEntry, DimensionDescriptor, DimensionKind, DimensionValue, RecorderOptions};
use mvx_metrics_tests::{Handwritten, bounded};

use crate::fixtures::{Work, Worked, running};
use crate::page::{card, dimension, look, page};
use crate::server::{answer_of, call, poll_once};
use crate::service::watched;

/// The bound that `PageData` documents.
const MAX_ANSWER: usize = 4 * 1024 * 1024;
const MARKUP: &str = "</script><img src=x onerror=alert(1)>";

fn named(name: String, kind: DimensionKind) -> DimensionDescriptor {
    let mut declared = DimensionDescriptor::new("", kind);
    declared.name = name.into();
    declared
}

fn entry(label: String, value: u64) -> BreakdownEntry {
    BreakdownEntry { labels: vec![Cow::Owned(label)], value: value.into() }
}

#[test]
fn pg2_hostile_names_are_texts_of_the_json() {
    bounded(|| {
        let runtime = running("hostile");
        let options = RecorderOptions::new().entity_id(MARKUP).namespace(MARKUP);
        let recorder = runtime.create_recorder_with(MARKUP, options).expect("the id is free");
        let entries = vec![entry(MARKUP.to_owned(), 7), entry("\u{0}\"\\\n\u{202e}\u{2028}".to_owned(), 3)];
        let mut declared = named(MARKUP.to_owned(), DimensionKind::Counter);
        declared.labels = vec![Cow::Borrowed(MARKUP)].into();
        declared.unit = Some(Cow::Borrowed(MARKUP));
        let metric = Handwritten::new(MARKUP, vec![(declared, DimensionValue::Breakdown(entries))]);
        recorder.register_metric(metric.with_help(MARKUP)).expect("it runs");
        let service = page(&runtime);
        let data = look(&service, "search=%3C%2FSCRIPT%3E");
        let row = &data.recorders.rows[0];
        assert_eq!([&*row.id, &*row.entity_id, &*row.namespace], [MARKUP; 3]);
        let card = card(&data, MARKUP);
        let shown = &card.dimensions[0];
        assert_eq!([&*card.help, &*shown.name, shown.unit.as_deref().unwrap_or_default()], [MARKUP; 3]);
        let labels = shown.labels.as_ref().expect("labels");
        assert_eq!((&*labels.names[0], &*labels.rows[0].label[0]), (MARKUP, MARKUP));
        assert_eq!(labels.rows[1].label[0], "\u{0}\"\\\n\u{202e}\u{2028}");
        let namespace = MARKUP.replace('<', "%3C").replace('>', "%3E").replace('=', "%3D").replace(' ', "+");
        assert_eq!(look(&service, &format!("namespace={namespace}")).recorders.matching, 1);
    });
}

#[test]
fn pg2_names_of_10_000_characters_are_cut() {
    bounded(|| {
        let runtime = running("long");
        let (long, cut) = ("ü".repeat(10_000), format!("{}…", "ü".repeat(256)));
        let options = RecorderOptions::new().entity_id(&*long).namespace(&*long);
        let recorder = runtime.create_recorder_with(&long, options).expect("the id is free");
        let mut declared = named(long.clone(), DimensionKind::Counter);
        declared.help = long.clone().into();
        let value = DimensionValue::Breakdown(vec![entry(long.clone(), 7)]);
        declared.labels = vec![long.clone().into()].into();
        let metric = Handwritten::new(long.clone(), vec![(declared, value)]).with_help(long.clone());
        recorder.register_metric(metric).expect("it runs");
        let service = page(&runtime);
        let data = look(&service, "");
        let row = &data.recorders.rows[0];
        let (card, namespace) = (&data.metrics.rows[0], &data.namespaces[1].namespace);
        let shown = &card.dimensions[0];
        let labels = shown.labels.as_ref().expect("labels");
        for text in [
            &row.id,
            &row.entity_id,
            &row.namespace,
            namespace,
            &card.name,
            &card.help,
            &shown.name,
            &shown.help,
            &labels.names[0],
            &labels.rows[0].label[0],
        ] {
            assert_eq!(*text, cut);
        }
        // A client knows the cut name alone.
        assert_eq!(
            look(&service, &format!("namespace={}", "%C3%BC".repeat(256) + "%E2%80%A6")).recorders.matching,
            1
        );
    });
}

#[test]
fn pg2_an_answer_is_bounded_with_many_long_names_labels_and_dimensions() {
    // A character of the first kind has four bytes, and JSON writes the second one as `\u0001`.
    for character in ["\u{1F600}", "\u{1}"] {
        assert_answer_is_bounded(character);
    }
}

fn assert_answer_is_bounded(character: &'static str) {
    bounded(move || {
        let runtime = running("large");
        // Longer than what an answer shows.
        let long = |number: usize| format!("{}{number}", character.repeat(300));
        for number in 0..200 {
            let options = RecorderOptions::new().entity_id(long(number)).namespace(long(number));
            runtime.create_recorder_with(&long(number), options).expect("the id is free");
        }
        let recorder = runtime.create_recorder("metrics").expect("the id is free");
        for number in 0..24 {
            let dimensions = (0..100).map(|dimension| {
                let mut declared = named(long(dimension), DimensionKind::Counter);
                declared.help = long(dimension).into();
                let value = if dimension == 0 {
                    declared.labels = vec![long(0).into()].into();
                    DimensionValue::Breakdown((0..50).map(|label| entry(long(label), 1)).collect())
                } else {
                    7_u64.into()
                };
                (declared, value)
            });
            let name = format!("a{number}{}", long(number));
            let metric = Handwritten::new(name, dimensions.collect()).with_help(long(number));
            recorder.register_metric(metric).expect("it runs");
        }
        let (status, json) = call(&page(&runtime), "/page/data?size=200&namespace=");
        assert_eq!(status, 200);
        assert!(json.len() < MAX_ANSWER, "{} bytes", json.len());
        let data: PageData = serde_json::from_str(&json).expect("the data");
        assert_eq!((data.recorders.rows.len(), data.metrics.rows.len()), (200, 24));
        assert_eq!((data.namespaces.len(), data.namespaces_total), (100, 201));
        for card in &data.metrics.rows {
            assert_eq!(card.dimensions.len() + card.more_dimensions, 100);
            assert!(!card.dimensions.is_empty() && card.more_dimensions > 0);
            assert_eq!(
                card.dimensions[0].labels.as_ref().map(|labels| (labels.total, labels.rows.len())),
                Some((50, 10))
            );
        }
    });
}

#[test]
fn pg2_65_536_labels_and_4_096_metrics_have_a_page() {
    bounded(|| {
        let runtime = running("many");
        let recorder = runtime.create_recorder("one").expect("the id is free");
        for number in 0..4_095 {
            let dimensions = vec![(named("count".to_owned(), DimensionKind::Counter), 7_u64.into())];
            recorder.register_metric(Handwritten::new(format!("m{number:04}"), dimensions)).expect("it runs");
        }
        let labels = (0..65_536_u64).map(|label| entry(format!("{label:05}"), label)).collect();
        let mut declared = named("labels".to_owned(), DimensionKind::Counter);
        declared.labels = vec![Cow::Borrowed("label")].into();
        let metric = Handwritten::new("a", vec![(declared, DimensionValue::Breakdown(labels))]);
        recorder.register_metric(metric).expect("it runs");
        let (status, json) = call(&page(&runtime), "/page/data");
        assert_eq!(status, 200);
        assert!(json.len() < 100 * 1024, "{} bytes", json.len());
        let data: PageData = serde_json::from_str(&json).expect("the data");
        assert_eq!(
            (data.metrics.total, data.metrics.rows.len(), &*data.metrics.rows[0].name),
            (4_096, 24, "a")
        );
        let shown = dimension(&data, "a", "labels");
        let labels = shown.labels.as_ref().expect("labels");
        assert_eq!((shown.value, labels.total), (Some(65_535.0 * 32_768.0), 65_536));
        let largest: Vec<_> = labels.rows.iter().map(|row| &*row.label[0]).collect();
        assert_eq!((largest.len(), largest[0], largest[9]), (10, "65535", "65526"));
    });
}

#[test]
fn pg3_100_000_recorders_have_a_page() {
    bounded(|| {
        const RECORDERS: u32 = 100_000;
        let runtime = running("crowd");
        for number in 0..RECORDERS {
            let recorder = runtime.create_recorder(&format!("recorder-{number:06}")).expect("the id is free");
            if number % 1_000 == 0 {
                recorder.metric::<Work>().expect("it runs");
                recorder.emit(Worked { bytes: 1 });
            }
        }
        let service = page(&runtime);
        let data = look(&service, "sort=id&size=200&page=499");
        let recorders = &data.recorders;
        assert_eq!(
            (recorders.total, recorders.matching, recorders.page, recorders.rows.len()),
            (100_000, 100_000, 499, 200)
        );
        assert_eq!(
            (&*recorders.rows[0].id, &*recorders.rows[199].id),
            ("recorder-099600", "recorder-099799")
        );
        assert_eq!(dimension(&data, "work", "total").value, Some(100.0));
        assert_eq!(data.namespaces[0].accepted, 100);
        let found = look(&service, "search=R-0425&sort=id");
        assert_eq!((found.recorders.matching, &*found.recorders.rows[0].id), (100, "recorder-042500"));
        let (status, json) = call(&service, "/page/data?size=200");
        assert!(status == 200 && json.len() < 100 * 1024, "{status}, {} bytes", json.len());
        // The sample took more than 10 ms, so the next one is not due in a second.
        assert!(found.next_look > 1.0, "{}", found.next_look);
    });
}

fn ask_service(service: &MetricsService, query: &str) -> ResponseFuture {
    let request = Request::get(format!("/page/data?{query}")).body(()).expect("a request");
    let mut response = Service::call(service, request);
    assert!(matches!(poll_once(&mut response), Poll::Pending));
    response
}

#[test]
fn pg3_clients_with_different_queries_share_one_sample() {
    bounded(|| {
        let (runtime, gate, snapshots) = watched("clients");
        let service = page(&runtime);
        let first = ask_service(&service, "");
        gate.wait_for_arrival();
        let others: Vec<_> =
            (1..=100).map(|size| ask_service(&service.clone(), &format!("size={size}"))).collect();
        gate.open();
        assert_eq!(answer_of(first).0, 200);
        for (response, size) in others.into_iter().zip(1..) {
            let (status, json) = answer_of(response);
            let data: PageData = serde_json::from_str(&json).expect("the data");
            assert_eq!((status, data.sample, data.recorders.size), (200, 1, size));
        }
        assert_eq!(snapshots.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn pg3_a_sample_keeps_no_client_waiting_after_it() {
    bounded(|| {
        let (runtime, gate, _) = watched("pauses");
        let service = page(&runtime);
        let first = ask_service(&service, "");
        gate.wait_for_arrival();
        // As long as this sample took, a pause for it would be a whole second, eight times as long as that of a scrape.
        std::thread::sleep(Duration::from_millis(500));
        gate.open();
        assert_eq!(answer_of(first).0, 200);
        let times = (1..=5).map(|size| {
            let began = std::time::Instant::now();
            assert_eq!(call(&service, &format!("/page/data?size={size}")).0, 200);
            began.elapsed()
        });
        // The machine may be busy for one of them.
        let shortest = times.min().expect("there are five");
        assert!(shortest < Duration::from_millis(500), "{shortest:?}");
    });
}
