//! Covers the limits of one client: headers, connections, eviction, and responses that the client does not read.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use mvx_metrics::export::Scope;
use mvx_metrics::http::EndpointOptions;

use crate::client::{ask, connect, get};
use crate::fixtures::{Worked, endpoint, recorder, running};
use crate::requests::request;

#[test]
fn oversized_headers_are_refused() {
    let runtime = running("headers");
    let endpoint = endpoint(&runtime, Scope::Rollup);
    let long = format!("GET /metrics HTTP/1.1\r\nhost: localhost\r\nx: {}\r\n\r\n", "x".repeat(100_000));
    let many = format!("GET /metrics HTTP/1.1\r\nhost: localhost\r\n{}\r\n", "x: y\r\n".repeat(1_000));
    let path = format!("GET /{} HTTP/1.1\r\nhost: localhost\r\n\r\n", "m".repeat(100_000));
    for request in [long, many, path] {
        let answer = ask(&mut connect(endpoint.address()), &request);
        // The answer may be lost when the endpoint closes while the client still writes.
        let refused = answer.is_none_or(|answer| answer.status == 431);
        assert!(refused, "{}", &request[..40]);
    }
    assert_eq!(get(endpoint.address(), "/healthz").status, 200);
}

#[test]
fn invalid_requests_are_refused() {
    let runtime = running("invalid");
    let endpoint = endpoint(&runtime, Scope::Rollup);
    let invalid =
        ["\0\u{1}\u{2}\r\n\r\n", "GET\r\n\r\n", "GET /metrics HTTP/9.9\r\n\r\n", "\r\n\r\n\r\nhello\r\n\r\n"];
    for request in invalid {
        let answer = ask(&mut connect(endpoint.address()), request);
        assert!(answer.is_none_or(|answer| answer.status >= 400), "{request:?}");
    }
    assert_eq!(get(endpoint.address(), "/healthz").status, 200);
}

#[test]
fn a_thousand_idle_connections_do_not_shut_others_out() {
    let runtime = running("idle");
    recorder(&runtime, "one").emit(Worked { bytes: 7 });
    let endpoint = endpoint(&runtime, Scope::Rollup);
    let idle: Vec<_> = (0..1_000).map(|_| connect(endpoint.address())).collect();
    let answer = get(endpoint.address(), "/metrics");
    assert_eq!(answer.value("work_bytes_total{namespace=\"idle\"}").to_string(), "7");
    drop(idle);
}

/// Sets the flag when it is dropped.
struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn busy_clients_do_not_shut_others_out() {
    const BUSY: usize = 64;
    let runtime = running("busy");
    recorder(&runtime, "one").emit(Worked { bytes: 7 });
    let endpoint = endpoint(&runtime, Scope::Rollup);
    let (address, over) = (endpoint.address(), AtomicBool::new(false));
    let answered = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..BUSY {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let mut stream = connect(address);
                    while !over.load(Ordering::Relaxed)
                        && ask(&mut stream, "GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").is_some()
                    {
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        while answered.load(Ordering::Relaxed) < 10 * BUSY {
            thread::yield_now();
        }
        let _over = SetOnDrop(&over);
        let began = Instant::now();
        for _ in 0..5 {
            let request = "GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n";
            // A client that sends its request late, on a busy machine, may be evicted itself.
            let answer = (0..10).find_map(|_| ask(&mut connect(address), request));
            let answer = answer.expect("the client is not shut out");
            assert_eq!(answer.value("work_bytes_total{namespace=\"busy\"}").to_string(), "7");
        }
        let elapsed = began.elapsed();
        println!("5 scrapes beside {BUSY} busy clients took {elapsed:?}");
        assert!(elapsed < Duration::from_secs(10), "the client was almost shut out: {elapsed:?}");
    });
}

#[test]
fn a_client_that_does_not_read_is_disconnected() {
    let runtime = running("take");
    for number in 0..2_000 {
        recorder(&runtime, &format!("{number}-{}", "x".repeat(200)));
    }
    let endpoint = endpoint(&runtime, Scope::PerEntity);
    let mut stream = connect(endpoint.address());
    // More answers than the system keeps for a client.
    let requests = "GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(8);
    stream.write_all(requests.as_bytes()).expect("the endpoint reads");
    let started = Instant::now();
    assert_eq!(get(endpoint.address(), "/healthz").status, 200);
    // A write fails once the endpoint has closed the connection. What a client sends does not keep a connection open.
    while stream.write_all(b"\r\n").is_ok() {
        assert!(started.elapsed() < Duration::from_secs(40), "the connection is still open");
        thread::sleep(Duration::from_millis(100));
    }
    let elapsed = started.elapsed();
    assert!(elapsed > Duration::from_secs(5), "the connection was closed after {elapsed:?}");
    let mut rest = Vec::new();
    let ended = stream.read_to_end(&mut rest);
    let whole = rest.windows(15).filter(|window| window == b"HTTP/1.1 200 OK").count();
    assert!(whole < 8, "{whole} answers, {ended:?}, after {elapsed:?}");
    assert_eq!(get(endpoint.address(), "/healthz").status, 200);
}

/// Whether the endpoint closes the connection within a time. Reads and ignores everything it still sends.
fn is_closed(stream: &mut TcpStream, within: Duration) -> bool {
    stream.set_read_timeout(Some(within)).expect("a stream has a timeout");
    match stream.read_to_end(&mut Vec::new()) {
        Ok(_) => true,
        Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
    }
}

#[test]
fn beyond_max_connections_the_one_idle_for_longest_is_evicted() {
    let runtime = running("room");
    let options = EndpointOptions::new().port(0).max_connections(2);
    let endpoint = runtime.serve_http(options).expect("the system has a port");
    let health = request("GET", "/healthz", "");
    // After its answer a connection is idle. The first one has been idle for longer.
    let [mut first, mut second] = [(), ()].map(|()| {
        let mut stream = connect(endpoint.address());
        assert_eq!(ask(&mut stream, &health).expect("an answer").status, 200);
        stream
    });
    let mut third = connect(endpoint.address());
    assert_eq!(ask(&mut third, &health).expect("an answer").status, 200);
    assert!(is_closed(&mut first, Duration::from_secs(5)), "three connections where two are allowed");
    assert_eq!(ask(&mut second, &health).expect("two are allowed").status, 200);
    assert_eq!(ask(&mut third, &health).expect("two are allowed").status, 200);
}

/// `REQUEST_HEADER_TIMEOUT` of the endpoint.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the endpoint takes to close a connection with a request that never ends.
fn closed_after(address: SocketAddr, first: &str, trickle: Option<&str>) -> Option<Duration> {
    let mut stream = connect(address);
    let started = Instant::now();
    stream.write_all(first.as_bytes()).expect("the endpoint reads");
    while started.elapsed() < 3 * HEADER_TIMEOUT {
        if is_closed(&mut stream, Duration::from_millis(500)) {
            return Some(started.elapsed());
        }
        if let Some(trickle) = trickle {
            // The endpoint may have closed the connection.
            let _ = stream.write_all(trickle.as_bytes());
        }
    }
    None
}

#[test]
fn a_request_without_complete_headers_ends_after_ten_seconds() {
    let runtime = running("slow");
    let endpoint = endpoint(&runtime, Scope::Rollup);
    let (address, whole) = (endpoint.address(), request("GET", "/healthz", ""));
    let half = "GET /healthz HTTP/1.1\r\nhost: loc";
    let cases = [("", None), (half, None), (half, Some("x")), (half, Some("\r\nx: y")), (&*whole, None)];
    thread::scope(|scope| {
        let slow = cases.map(|(first, trickle)| {
            (first, trickle, scope.spawn(move || closed_after(address, first, trickle)))
        });
        for (first, trickle, thread) in slow {
            let closed = thread.join().expect("no panic");
            // Later on a busy machine, but never much earlier.
            let in_time =
                closed.is_some_and(|closed| (HEADER_TIMEOUT / 2..5 * HEADER_TIMEOUT / 2).contains(&closed));
            assert!(in_time, "{first:?} and then {trickle:?}: closed after {closed:?}");
        }
    });
    assert_eq!(get(address, "/healthz").status, 200);
}
