//! Covers compressed answers, and answers that are not compressed.

use std::io::Read;

use flate2::read::GzDecoder;
use mvx_metrics::MetricsRuntime;
use mvx_metrics::export::Scope;
use mvx_metrics::http::{Endpoint, ServiceOptions};

use crate::client::{Answer, ask, connect, get};
use crate::fixtures::{Worked, endpoint, endpoint_with, recorder, running};
use crate::requests::request;

fn ask_for(endpoint: &Endpoint, method: &str, path: &str, headers: &str) -> Answer {
    ask(&mut connect(endpoint.address()), &request(method, path, headers)).expect("an answer")
}

/// The text of a compressed answer.
pub fn decompressed(answer: &Answer) -> String {
    assert_eq!(answer.header("content-encoding"), Some("gzip"), "{}", answer.head);
    let mut text = String::new();
    let mut decoder = GzDecoder::new(&*answer.bytes);
    decoder.read_to_string(&mut text).expect("whole and valid");
    assert!(decoder.into_inner().is_empty(), "nothing follows");
    text
}

/// A runtime with many series.
fn large(namespace: &str) -> MetricsRuntime {
    let runtime = running(namespace);
    for number in 0..200 {
        recorder(&runtime, &format!("{number}")).emit(Worked { bytes: number });
    }
    runtime
}

#[test]
fn ed3_a_compressed_answer_reads_back_to_the_same_bytes() {
    let runtime = large("gzip");
    let endpoint = endpoint(&runtime, Scope::PerEntity);
    let formats = ["accept: text/plain\r\n", "accept: application/openmetrics-text\r\n"];
    for accept in formats {
        let plain = ask_for(&endpoint, "GET", "/metrics", accept);
        assert_eq!(plain.header("content-encoding"), None);
        let compressed = ask_for(&endpoint, "GET", "/metrics", &format!("{accept}accept-encoding: gzip\r\n"));
        assert_eq!(decompressed(&compressed), plain.body);
        assert_eq!(compressed.header("content-type"), plain.header("content-type"));
        assert!(compressed.bytes.len() * 5 < plain.bytes.len(), "{} bytes", compressed.bytes.len());
        for answer in [plain, compressed] {
            assert_eq!(answer.header("vary"), Some("accept, accept-encoding"));
        }
    }
    let json = |text: &str| {
        let mut snapshot: serde_json::Value = serde_json::from_str(text).expect("JSON");
        assert!(snapshot["taken_at"].take().is_number());
        snapshot
    };
    let plain = get(endpoint.address(), "/snapshot");
    let compressed = ask_for(&endpoint, "GET", "/snapshot", "accept-encoding: br, gzip;q=0.5\r\n");
    assert_eq!(json(&decompressed(&compressed)), json(&plain.body));
}

#[test]
fn ed3_clients_that_do_not_ask_for_gzip_get_none() {
    let runtime = large("plain");
    let endpoint = endpoint(&runtime, Scope::PerEntity);
    for headers in
        ["", "accept-encoding: gzip;q=0\r\n", "accept-encoding: *;q=0\r\n", "accept-encoding: br\r\n"]
    {
        let answer = ask_for(&endpoint, "GET", "/metrics", headers);
        assert_eq!(answer.header("content-encoding"), None, "{headers}");
        assert!(answer.body.starts_with("# HELP "), "{headers}");
    }
    let switched_off = endpoint_with(&runtime, ServiceOptions::new().gzip(false));
    let answer = ask_for(&switched_off, "GET", "/metrics", "accept-encoding: gzip\r\n");
    assert_eq!(answer.header("content-encoding"), None);
}

#[test]
fn ed3_a_small_answer_is_not_compressed() {
    let runtime = running("small");
    let endpoint = endpoint(&runtime, Scope::Rollup);
    for path in ["/snapshot", "/healthz", "/nothing"] {
        let answer = ask_for(&endpoint, "GET", path, "accept-encoding: gzip\r\n");
        assert!(answer.bytes.len() <= 1024, "{}", answer.body);
        assert_eq!(answer.header("content-encoding"), None, "{path}");
    }
}

#[test]
fn ed3_a_head_request_has_the_headers_of_the_compressed_answer() {
    let runtime = large("head");
    let endpoint = endpoint(&runtime, Scope::PerEntity);
    for headers in ["", "accept-encoding: gzip\r\n"] {
        let [get, head] = ["GET", "HEAD"].map(|method| ask_for(&endpoint, method, "/metrics", headers));
        let lines = |answer: &Answer| -> Vec<String> {
            let lines = answer.head.lines().filter(|line| !line.starts_with("date: "));
            lines.map(str::to_owned).collect()
        };
        assert_eq!(lines(&head), lines(&get));
        assert_eq!(get.header("content-length"), Some(&*get.bytes.len().to_string()));
    }
}

#[test]
fn ed3_concurrent_clients_with_and_without_gzip_get_what_they_ask_for() {
    let runtime = large("mixed");
    let endpoint = endpoint(&runtime, Scope::PerEntity);
    std::thread::scope(|scope| {
        for number in 0..8 {
            let endpoint = &endpoint;
            scope.spawn(move || {
                for _ in 0..5 {
                    let headers = if number % 2 == 0 { "accept-encoding: gzip\r\n" } else { "" };
                    let answer = ask_for(endpoint, "GET", "/metrics", headers);
                    let text = if number % 2 == 0 { decompressed(&answer) } else { answer.body };
                    assert!(text.contains("entity_id=\"199\""));
                }
            });
        }
    });
}
