//! Covers ED8 over HTTP: which clients get messages, and their bytes.

use std::io::Read;

use flate2::read::GzDecoder;
use mvx_metrics::export::Scope;
use mvx_metrics::http::ServiceOptions;
use mvx_metrics_tests::messages::{MetricFamily, decode};

use crate::client::{Answer, ask, connect};
use crate::fixtures::{Worked, endpoint, endpoint_with, recorder, running};
use crate::requests::request;

const PROTOBUF: &str =
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";

/// The header of Prometheus 2.42 with native histograms.
fn accept(rest: &str) -> String {
    format!("accept: {PROTOBUF},application/openmetrics-text;version=1.0.0;q=0.8,*/*;q=0.1\r\n{rest}")
}

fn work_bytes(families: &[MetricFamily]) -> Vec<f64> {
    let family = families.iter().find(|family| family.name.as_deref() == Some("work_bytes_total"));
    let counters = family.expect("the family is there").metric.iter().filter_map(|metric| metric.counter);
    counters.filter_map(|counter| counter.value).collect()
}

fn assert_protobuf(answer: &Answer) {
    assert_eq!(
        answer.header("content-type"),
        Some("application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited")
    );
    assert_eq!(answer.header("vary"), Some("accept, accept-encoding"));
}

#[test]
fn ed8_a_client_that_asks_for_messages_gets_them_and_others_get_text() {
    let runtime = running("protobuf");
    recorder(&runtime, "one").emit(Worked { bytes: 7 });
    let endpoint = endpoint(&runtime, Scope::Rollup);
    let mut stream = connect(endpoint.address());
    let answer = ask(&mut stream, &request("GET", "/metrics", &accept(""))).expect("an answer");
    assert_protobuf(&answer);
    assert_eq!(work_bytes(&decode(&answer.bytes)), [7.0]);
    // On the same connection.
    let texts = [
        "",
        "accept: */*\r\n",
        "accept: application/vnd.google.protobuf\r\n",
        &format!("accept: {PROTOBUF};q=0.1, text/plain;q=0.2\r\n"),
    ];
    for headers in texts {
        let answer = ask(&mut stream, &request("GET", "/metrics", headers)).expect("an answer");
        assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
        assert_eq!(answer.value("work_bytes_total{namespace=\"protobuf\"}").to_string(), "7", "{headers}");
    }
    let answer = ask(&mut stream, &request("GET", "/snapshot", &accept(""))).expect("an answer");
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

#[test]
fn ed8_messages_are_compressed_for_clients_that_ask_for_it() {
    let runtime = running("gzip");
    for number in 0..200 {
        recorder(&runtime, &format!("{number}")).emit(Worked { bytes: number });
    }
    let endpoint = endpoint_with(&runtime, ServiceOptions::new().scope(Scope::PerEntity));
    let ask_for = |method: &str, headers: &str| {
        ask(&mut connect(endpoint.address()), &request(method, "/metrics", &accept(headers)))
    };
    let plain = ask_for("GET", "").expect("an answer");
    let compressed = ask_for("GET", "accept-encoding: gzip\r\n").expect("an answer");
    assert_protobuf(&plain);
    assert_protobuf(&compressed);
    assert_eq!(compressed.header("content-encoding"), Some("gzip"));
    let mut messages = Vec::new();
    GzDecoder::new(&*compressed.bytes).read_to_end(&mut messages).expect("whole and valid");
    assert!(messages == plain.bytes);
    let mut values = work_bytes(&decode(&messages));
    values.sort_unstable_by(f64::total_cmp);
    assert!(values.iter().copied().eq((0..200).map(f64::from)), "{values:?}");
}
