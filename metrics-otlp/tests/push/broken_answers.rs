//! Answers that are no answers: garbage, halves, and such without an end.

use std::time::{Duration, Instant};

use mvx_metrics_otlp::{OtlpError, PushStats};
use mvx_metrics_tests::bounded;
use mvx_metrics_tests::collector::{FakeCollector, Reply, Then};

use crate::support::{hit, hits, hits_in, options, start};

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n";

/// The result of one push, which may take `timeout`.
fn push_within(
    timeout: Duration,
    reply: impl Fn(usize) -> Reply + Send + Sync + 'static,
) -> (Result<(), OtlpError>, PushStats, usize) {
    bounded(move || {
        let collector = FakeCollector::start(move |number, _| reply(number));
        let (runtime, recorder) = hits("broken");
        hit(&recorder, 1);
        let pusher = start(&runtime, options(&collector).timeout(timeout));
        let begin = Instant::now();
        let result = pusher.push();
        let took = begin.elapsed();
        assert!(took < timeout + Duration::from_secs(2), "it took {took:?}");
        (result, pusher.stats(), collector.requests().len())
    })
}

const SHORT: Duration = Duration::from_millis(400);
const MIDDLE: Duration = Duration::from_secs(2);
const LONG: Duration = Duration::from_secs(10);

#[test]
fn ot3_a_taken_push_with_garbage_is_taken_and_counted() {
    let (result, stats, _) = push_within(LONG, |_| Reply::http(200, "", b"<html>fine</html>"));
    assert!(result.is_ok(), "{result:?}");
    assert_eq!((stats.unreadable_answers, stats.successes, stats.requests), (1, 1, 1));
}

#[test]
fn ot3_half_a_body_then_the_end_is_taken_and_counted() {
    let (result, stats, _) = push_within(LONG, |_| Reply::raw(format!("{HEAD}half"), Then::Close));
    assert!(result.is_ok(), "{result:?}");
    assert_eq!((stats.unreadable_answers, stats.successes, stats.requests), (1, 1, 1));
}

#[test]
fn ot3_a_body_that_never_ends_is_taken_and_counted_in_time() {
    let (result, stats, _) = push_within(SHORT, |_| Reply::raw(format!("{HEAD}half"), Then::Hang));
    assert!(result.is_ok(), "{result:?}");
    assert_eq!((stats.unreadable_answers, stats.successes, stats.requests), (1, 1, 1));
}

#[test]
fn ot3_an_endless_body_is_read_up_to_its_limit() {
    let begin = Instant::now();
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x1_0000)).into_bytes();
    let (result, stats, _) = push_within(LONG, move |_| Reply::raw(head, Then::Repeat(chunk.clone())));
    assert!(result.is_ok(), "{result:?}");
    assert_eq!((stats.unreadable_answers, stats.successes, stats.requests), (1, 1, 1));
    // Without the limit it is read until the timeout.
    assert!(begin.elapsed() < LONG / 2, "{:?}", begin.elapsed());
}

#[test]
fn ot3_a_refusal_with_an_endless_body_is_a_refusal() {
    let begin = Instant::now();
    let head = "HTTP/1.1 404 Not Found\r\n\r\n";
    let (result, stats, _) = push_within(LONG, move |_| Reply::raw(head, Then::Repeat(vec![b'x'; 65_536])));
    assert!(matches!(result, Err(OtlpError::Refused { status: 404, .. })), "{result:?}");
    assert_eq!((stats.unreadable_answers, stats.failures), (1, 1));
    // Without the limit it is read until the timeout.
    assert!(begin.elapsed() < LONG / 2, "{:?}", begin.elapsed());
}

#[test]
fn ot3_an_endless_header_is_read_up_to_its_limit() {
    let head = "HTTP/1.1 200 OK\r\nX: ";
    let (result, stats, _) = push_within(MIDDLE, move |_| Reply::raw(head, Then::Repeat(vec![b'x'; 65_536])));
    assert!(matches!(result, Err(OtlpError::Disconnected { .. })), "{result:?}");
    assert_eq!((stats.successes, stats.failures), (0, 1));
}

#[test]
fn ot3_endless_headers_are_read_up_to_their_limit() {
    let (result, ..) = push_within(MIDDLE, move |_| {
        Reply::raw("HTTP/1.1 200 OK\r\n", Then::Repeat(b"X: y\r\n".repeat(1_000)))
    });
    assert!(matches!(result, Err(OtlpError::Disconnected { .. })), "{result:?}");
}

#[test]
fn ot3_endless_interim_answers_end_in_time() {
    let interim = b"HTTP/1.1 100 Continue\r\n\r\n".to_vec();
    let (result, ..) = push_within(SHORT, move |_| Reply::raw("", Then::Repeat(interim.clone())));
    assert!(matches!(result, Err(OtlpError::TimedOut { .. } | OtlpError::Disconnected { .. })), "{result:?}");
}

#[test]
fn ot3_bytes_that_are_no_http_are_no_answer() {
    for garbage in ["SSH-2.0-OpenSSH_9.2\r\n", "\0\u{1}\u{2}\u{3}", "HTTP/9.9 200 OK\r\n\r\n"] {
        let (result, stats, _) = push_within(MIDDLE, move |_| Reply::raw(garbage, Then::Close));
        assert!(matches!(result, Err(OtlpError::Disconnected { .. })), "{garbage:?}: {result:?}");
        assert_eq!(stats.failures, 1);
    }
}

#[test]
fn ot3_half_a_head_then_the_end_is_retried() {
    let (result, stats, requests) = push_within(LONG, |number| match number {
        0 => Reply::raw("HTTP/1.1 200 O", Then::Close),
        _ => Reply::success(),
    });
    assert!(result.is_ok(), "{result:?}");
    assert_eq!((requests, stats.retries, stats.successes), (2, 1, 1));
}

#[test]
fn ot3_a_collector_that_never_answers_is_given_up_in_time() {
    let (result, stats, _) = push_within(SHORT, |_| Reply::raw("", Then::Hang));
    assert!(matches!(result, Err(OtlpError::TimedOut { .. })), "{result:?}");
    assert_eq!((stats.failures, stats.requests), (1, 1));
}

#[test]
fn ot3_a_slow_collector_is_waited_for() {
    let (result, stats, _) = push_within(LONG, |_| Reply::success().after(Duration::from_millis(700)));
    assert!(result.is_ok(), "{result:?}");
    assert_eq!((stats.requests, stats.successes), (1, 1));
}

#[test]
fn ot3_http_1_0_is_understood() {
    let (result, stats, _) = push_within(LONG, |_| Reply::raw("HTTP/1.0 200 OK\r\n\r\n", Then::Close));
    assert!(result.is_ok(), "{result:?}");
    assert_eq!((stats.successes, stats.unreadable_answers), (1, 0));
}

#[test]
fn ot3_a_second_answer_to_one_request_answers_no_other_request() {
    bounded(|| {
        let collector = FakeCollector::start(|number, _| match number {
            0 => {
                let twice = [Reply::success().bytes, Reply::http(400, "", b"").bytes].concat();
                Reply::raw(twice, Then::Keep)
            }
            _ => Reply::success(),
        });
        let (runtime, _recorder) = hits("twice");
        let pusher = start(&runtime, options(&collector));
        pusher.push().expect("the first answer");
        pusher.push().expect("an answer of its own");
        let connections: Vec<_> = collector.requests().iter().map(|request| request.connection).collect();
        assert_eq!(connections, [0, 1]);
    });
}

#[test]
fn ot3_one_connection_is_kept_and_replaced_when_the_collector_closes_it() {
    bounded(|| {
        let collector = FakeCollector::start(|number, _| {
            let then = if number == 1 { Then::Close } else { Then::Keep };
            Reply { then, ..Reply::success() }
        });
        let (runtime, recorder) = hits("kept");
        let pusher = start(&runtime, options(&collector));
        for _ in 0..4 {
            hit(&recorder, 1);
            pusher.push().expect("a collector that takes all");
        }
        let requests = collector.requests();
        let connections: Vec<_> = requests.iter().map(|request| request.connection).collect();
        assert_eq!(connections, [0, 0, 1, 1]);
        assert_eq!(requests.iter().flat_map(hits_in).collect::<Vec<_>>(), [1, 2, 3, 4]);
        let stats = pusher.stats();
        assert_eq!((stats.successes, stats.failures, stats.retries), (4, 0, 0));
    });
}
