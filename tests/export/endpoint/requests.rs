//! Covers requests and their answers: paths, methods, formats, pipelining, addresses, and a runtime that has ended.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use mvx_metrics::export::Scope;
use mvx_metrics::http::{EndpointError, EndpointOptions};

use crate::client::{ask, connect, get, read_answer};
use crate::fixtures::{Worked, endpoint, recorder, running};

/// The text of a request.
pub fn request(method: &str, path: &str, headers: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n")
}

#[test]
fn a_scrape_has_the_accepted_format() {
    let runtime = running("scrape");
    recorder(&runtime, "one").emit(Worked { bytes: 7 });
    let endpoint = endpoint(&runtime, Scope::Rollup);
    let mut stream = connect(endpoint.address());
    let answer = ask(&mut stream, &request("GET", "/metrics", "")).expect("an answer");
    assert!(
        answer.head.contains("content-type: text/plain; version=0.0.4; charset=utf-8\r\n"),
        "{}",
        answer.head
    );
    assert!(
        answer.body.contains("# TYPE work_bytes_total counter\nwork_bytes_total{namespace=\"scrape\"} 7\n")
    );
    // On the same connection.
    let accept = "accept: application/openmetrics-text;version=1.0.0;q=0.5\r\naccept: text/plain;q=0.2\r\n";
    let answer = ask(&mut stream, &request("GET", "/metrics?collect[]=all", accept)).expect("an answer");
    assert!(
        answer.head.contains("content-type: application/openmetrics-text; version=1.0.0;"),
        "{}",
        answer.head
    );
    assert!(answer.body.contains("# TYPE work_bytes counter\nwork_bytes_total{namespace=\"scrape\"} 7\n"));
    assert!(answer.body.ends_with("# EOF\n"));
}

#[test]
fn the_scope_of_the_options_is_obeyed() {
    let runtime = running("scope");
    recorder(&runtime, "one").emit(Worked { bytes: 7 });
    let endpoint = endpoint(&runtime, Scope::PerEntity);
    let answer = get(endpoint.address(), "/metrics");
    assert_eq!(answer.value("work_bytes_total{namespace=\"scope\",entity_id=\"one\"}").to_string(), "7");
}

#[test]
fn a_snapshot_is_json() {
    let runtime = running("json");
    recorder(&runtime, "one").emit(Worked { bytes: 7 });
    let endpoint = endpoint(&runtime, Scope::Rollup);
    let answer = get(endpoint.address(), "/snapshot");
    assert!(answer.head.contains("content-type: application/json\r\n"), "{}", answer.head);
    let snapshot: serde_json::Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!(snapshot["recorders"][0]["metrics"]["work"]["dimensions"]["bytes"], 7);
}

#[test]
fn a_head_request_gets_no_body() {
    let runtime = running("head");
    let endpoint = endpoint(&runtime, Scope::Rollup);
    let mut stream = connect(endpoint.address());
    let head = ask(&mut stream, &request("HEAD", "/metrics", "")).expect("an answer");
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    let next = ask(&mut stream, &request("GET", "/healthz", "connection: close\r\n")).expect("an answer");
    assert_eq!((next.status, next.body.as_str()), (200, "RUNNING\n"));
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).expect("the endpoint closes the connection");
    assert_eq!(rest, b"");
}

#[test]
fn unknown_paths_and_methods_are_refused() {
    let runtime = running("refuse");
    let endpoint = endpoint(&runtime, Scope::Rollup);
    for path in ["/", "/metrics/", "/../metrics", "//metrics", "/%6Detrics", "/favicon.ico"] {
        assert_eq!(get(endpoint.address(), path).status, 404, "{path}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "BREW"] {
        let headers = "content-length: 3\r\n";
        let mut stream = connect(endpoint.address());
        let answer = ask(&mut stream, &(request(method, "/metrics", headers) + "abc")).expect("an answer");
        assert_eq!(answer.status, 405, "{method}");
        assert!(answer.head.contains("allow: GET, HEAD\r\n"), "{}", answer.head);
    }
}

#[test]
fn every_form_of_a_request_is_understood() {
    let runtime = running("forms");
    let endpoint = endpoint(&runtime, Scope::Rollup);
    let bodies = [
        "GET http://localhost/healthz?a=b HTTP/1.1\r\nhost: localhost\r\n\r\n",
        "GET /healthz HTTP/1.0\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nhost: localhost\r\ncontent-length: 3\r\n\r\nabc",
        "GET /healthz HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    ];
    for request in bodies {
        let answer = ask(&mut connect(endpoint.address()), request).expect("an answer");
        assert_eq!((answer.status, &*answer.body), (200, "RUNNING\n"), "{request:?}");
    }
    // HTTP/1.0 closes the connection, and a body is not read as the next request.
    let mut stream = connect(endpoint.address());
    stream.write_all(bodies[1].as_bytes()).expect("the endpoint reads");
    let mut all = String::new();
    stream.read_to_string(&mut all).expect("the endpoint closes the connection");
    assert!(all.starts_with("HTTP/1.0 200 OK\r\n"), "{all}");
    let mut stream = connect(endpoint.address());
    ask(&mut stream, bodies[2]).expect("an answer");
    let next = ask(&mut stream, &request("GET", "/healthz", ""));
    assert!(next.is_none_or(|next| next.status == 200));
}

#[test]
fn the_body_of_a_request_is_ignored() {
    let runtime = running("bodies");
    let endpoint = endpoint(&runtime, Scope::Rollup);
    // The answer comes before the body, without an invitation to send it.
    for headers in [
        "content-length: 1000000000000\r\n",
        "content-length: 1000000000000\r\nexpect: 100-continue\r\n",
        "transfer-encoding: chunked\r\ncontent-encoding: gzip\r\nexpect: 100-continue\r\n",
        "content-length: 1000000000000\r\nexpect: anything\r\n",
    ] {
        let answer = ask(&mut connect(endpoint.address()), &request("GET", "/healthz", headers));
        let answer = answer.expect("an answer");
        assert_eq!((answer.status, &*answer.body), (200, "RUNNING\n"), "{headers}");
    }
    // A client that sends a large body at once may lose the answer, and nobody else does.
    let mut stream = connect(endpoint.address());
    let large = request("GET", "/metrics", "content-length: 10000000\r\n") + &"x".repeat(10_000_000);
    assert!(ask(&mut stream, &large).is_none_or(|answer| answer.status == 200));
    assert_eq!(get(endpoint.address(), "/healthz").status, 200);
}

#[test]
fn clients_that_disconnect_early_do_not_disturb_others() {
    let runtime = running("away");
    for number in 0..500 {
        recorder(&runtime, &format!("{number}")).emit(Worked { bytes: 1 });
    }
    let endpoint = endpoint(&runtime, Scope::PerEntity);
    for (sent, read) in [("", 0), ("GET /met", 0), ("GET /metrics", 0), ("GET /metrics", 100)] {
        for _ in 0..100 {
            let mut stream = connect(endpoint.address());
            let request =
                if sent == "GET /metrics" { request("GET", "/metrics", "") } else { sent.to_owned() };
            // The endpoint may have closed the connection.
            let _ = stream.write_all(request.as_bytes());
            if read > 0 {
                let _ = stream.set_read_timeout(Some(Duration::from_millis(20)));
                let _ = stream.read(&mut vec![0; read]);
            }
        }
        let answer = get(endpoint.address(), "/metrics");
        let series = "work_bytes_total{namespace=\"away\",entity_id=\"499\"}";
        assert_eq!((answer.status, answer.value(series).to_string()), (200, "1".to_owned()));
    }
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let runtime = running("pipeline");
    let endpoint = endpoint(&runtime, Scope::Rollup);
    let mut stream = connect(endpoint.address());
    let paths = ["/healthz", "/nothing", "/metrics", "/snapshot", "/healthz"];
    let requests: String = paths.iter().map(|path| request("GET", path, "")).collect();
    stream.write_all(requests.as_bytes()).expect("the endpoint reads");
    let answers: Vec<_> = paths.iter().map(|_| read_answer(&mut stream, false).expect("an answer")).collect();
    assert_eq!(answers.iter().map(|answer| answer.status).collect::<Vec<_>>(), [200, 404, 200, 200, 200]);
    assert!(answers[2].body.starts_with("# HELP ") && answers[3].body.starts_with('{'));
}

#[test]
fn an_endpoint_answers_with_the_final_state_after_shutdown() {
    let runtime = running("ended");
    let endpoint = endpoint(&runtime, Scope::Rollup);
    runtime.shutdown().expect("it ends");
    for (path, status) in [("/healthz", 503), ("/metrics", 200), ("/snapshot", 200)] {
        assert_eq!(get(endpoint.address(), path).status, status, "{path}");
    }
    assert_eq!(get(endpoint.address(), "/healthz").body, "CLOSED\n");
}

#[test]
fn an_address_in_use_is_an_error_that_names_it() {
    let runtime = running("address");
    let first = endpoint(&runtime, Scope::Rollup);
    let error =
        runtime.serve_http(EndpointOptions::new().address(first.address())).expect_err("it is in use");
    assert!(matches!(error, EndpointError::Address { address, .. } if address == first.address()));
    assert_eq!(error.to_string(), format!("cannot listen on {}", first.address()));
    assert_eq!(error.reason(), "ENDPOINT_ADDRESS_UNAVAILABLE");
}

#[test]
fn an_endpoint_is_on_loopback_and_closes_when_it_is_dropped() {
    let runtime = running("drop");
    let endpoint = endpoint(&runtime, Scope::Rollup);
    let address = endpoint.address();
    assert_eq!(address.ip(), Ipv4Addr::LOCALHOST);
    let idle = connect(address);
    drop(endpoint);
    drop(idle);
    let again =
        runtime.serve_http(EndpointOptions::new().address(SocketAddr::from((address.ip(), address.port()))));
    assert_eq!(again.expect("the address is free").address(), address);
}

#[test]
fn max_connections_may_be_any_number() {
    let runtime = running("most");
    recorder(&runtime, "one").emit(Worked { bytes: 7 });
    for most in [0, 1, usize::MAX] {
        let options = EndpointOptions::new().port(0).max_connections(most);
        let endpoint = runtime.serve_http(options).expect("the system has a port");
        let answer = get(endpoint.address(), "/metrics");
        assert_eq!(answer.value("work_bytes_total{namespace=\"most\"}").to_string(), "7");
    }
}
