//! Each answer that the specification names.

use std::time::{Duration, SystemTime};

use mvx_metrics::Scope;
use mvx_metrics_otlp::{OtlpError, PushStats, Temporality};
use mvx_metrics_tests::collector::{FakeCollector, Received, Reply};
use mvx_metrics_tests::{bounded, in_threads};

use crate::support::{decoded, hit, hits, hits_in, options, partial, start};

/// The result of one push to a collector with these answers, the counts, and the requests.
fn push_to(
    reply: impl Fn(usize, &Received) -> Reply + Send + Sync + 'static,
) -> (Result<(), OtlpError>, PushStats, Vec<Received>) {
    let collector = FakeCollector::start(reply);
    let (runtime, recorder) = hits("answers");
    hit(&recorder, 3);
    let pusher = start(&runtime, options(&collector));
    let result = pusher.push();
    (result, pusher.stats(), collector.requests())
}

#[test]
fn ot3_a_taken_push_is_counted() {
    bounded(|| {
        let (result, stats, requests) = push_to(|_, _| Reply::success());
        assert!(result.is_ok(), "{result:?}");
        assert_eq!((stats.pushes, stats.successes, stats.failures), (1, 1, 0));
        assert_eq!((stats.requests, stats.retries, stats.unreadable_answers), (1, 0, 0));
        assert!(stats.points > 0 && stats.last_success.is_some() && stats.last_error.is_none(), "{stats:?}");
        assert_eq!(stats.bytes, requests[0].body.len() as u64);
        assert_eq!(hits_in(&requests[0]), [3]);
        let head = &requests[0].head;
        assert!(head.starts_with("POST /v1/metrics HTTP/1.1\r\n"), "{head}");
        assert_eq!(requests[0].header("content-type"), Some("application/x-protobuf"));
        assert!(requests[0].header("user-agent").is_some_and(|agent| agent.starts_with("mvx-metrics-otlp/")));
        assert!(requests[0].header("host").is_some_and(|host| host.starts_with("127.0.0.1:")));
    });
}

#[test]
fn ot3_answers_that_no_retry_heals_end_the_push_with_their_message() {
    bounded(|| {
        for status in [301, 307, 400, 401, 403, 404, 405, 415, 500, 501, 505] {
            let location = "Location: http://127.0.0.1:1/\r\nRetry-After: 0\r\n";
            let (result, stats, requests) =
                push_to(move |_, _| Reply::http(status, location, b" not \r\n today"));
            let Err(OtlpError::Refused { status: said, message }) = result else { panic!("{status}") };
            assert_eq!((said, &*message), (status, "not    today"));
            assert_eq!((requests.len(), stats.failures, stats.retries), (1, 1, 0), "{status}");
            assert!(stats.undelivered_points > 0 && stats.points == 0, "{status}: {stats:?}");
            assert_eq!(stats.last_error.map(|error| error.reason()), Some("OTLP_REFUSED"));
        }
    });
}

#[test]
fn ot3_answers_that_may_pass_are_retried_with_the_same_request() {
    bounded(|| {
        in_threads(4, |index| {
            let code = [429, 502, 503, 504][index];
            let (result, stats, requests) = push_to(move |number, _| match number {
                0 => Reply::http(code, "", b"busy"),
                _ => Reply::success(),
            });
            assert!(result.is_ok(), "{code}: {result:?}");
            assert_eq!((stats.requests, stats.retries, stats.successes, stats.failures), (2, 1, 1, 0));
            assert_eq!(requests[0].body, requests[1].body, "{code}");
            let pause = requests[1].at - requests[0].at;
            assert!(pause >= Duration::from_millis(500), "{code}: retried after {pause:?}");
        });
    });
}

#[test]
fn ot3_retry_after_is_honoured_in_seconds_and_as_a_date() {
    bounded(|| {
        in_threads(4, |index| {
            let status = [429, 503][index % 2];
            let (result, _, requests) = push_to(move |number, _| {
                let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(3));
                let pause = if index < 2 { "2".to_owned() } else { date };
                match number {
                    0 => Reply::http(status, &format!("Retry-After: {pause}\r\n"), b""),
                    _ => Reply::success(),
                }
            });
            assert!(result.is_ok(), "{result:?}");
            let pause = requests[1].at - requests[0].at;
            // A date has whole seconds.
            assert!(pause >= Duration::from_millis(1_990), "{status}: retried after {pause:?}");
        });
    });
}

#[test]
fn ot3_a_pause_of_nothing_is_no_reason_to_ask_without_end() {
    bounded(|| {
        // The second is what a collector with a clock that is behind says.
        for pause in ["0", "Sun, 06 Nov 1994 08:49:37 GMT"] {
            let collector =
                FakeCollector::start(move |_, _| Reply::http(503, &format!("Retry-After: {pause}\r\n"), b""));
            let (runtime, _recorder) = hits("hasty");
            let pusher = start(&runtime, options(&collector).timeout(Duration::from_secs(2)));
            pusher.push().expect_err("a collector that takes nothing");
            // Pauses are half a second at least, so there are four tries at most.
            let requests = collector.requests().len();
            assert!((2..=4).contains(&requests), "{requests} requests for `{pause}`");
        }
    });
}

#[test]
fn ot3_a_pause_beyond_the_push_ends_it_and_skips_those_within_the_pause() {
    bounded(|| {
        for absurd in ["60", "99999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"] {
            let collector = FakeCollector::start(move |number, _| match number {
                0 => Reply::http(503, &format!("Retry-After: {absurd}\r\n"), b""),
                _ => Reply::success(),
            });
            let (runtime, _recorder) = hits("absurd");
            let pusher = start(&runtime, options(&collector).interval(Duration::from_millis(300)));
            collector.wait_for(1);
            mvx_metrics_tests::eventually("a push is skipped", || pusher.stats().skipped > 2);
            let stats = pusher.stats();
            assert_eq!((stats.requests, stats.failures), (1, 1), "{absurd}");
            assert!(matches!(stats.last_error, Some(OtlpError::Refused { status: 503, .. })));
            // A call is made at once, and its success ends the pause.
            pusher.push().expect("the second answer");
            collector.wait_for(4);
        }
    });
}

#[test]
fn ot3_points_that_were_rejected_are_counted_and_not_sent_again() {
    bounded(|| {
        let body = partial(2, "too old");
        let (result, stats, requests) = push_to(move |_, _| Reply::http(200, "", &body));
        let error = result.expect_err("a partial success");
        assert_eq!(error.to_string(), "the collector rejected 2 points: too old");
        assert_eq!((stats.rejected_points, stats.failures, stats.retries), (2, 1, 0));
        assert_eq!((requests.len(), stats.undelivered_points), (1, 0));

        let body = partial(0, "only a warning");
        let (result, stats, _) = push_to(move |_, _| Reply::http(200, "", &body));
        assert!(result.is_ok() && stats.rejected_points == 0, "{result:?} {stats:?}");
    });
}

#[test]
fn ot3_a_delta_that_did_not_arrive_is_part_of_the_next_one() {
    bounded(|| {
        let collector = FakeCollector::start(|number, _| match number {
            1 => Reply::http(400, "", b""),
            2 => Reply::http(401, "", b""),
            _ => Reply::success(),
        });
        let (runtime, recorder) = hits("delta");
        let pusher = start(&runtime, options(&collector).temporality(Temporality::Delta));
        for (times, arrives) in [(3, true), (4, false), (10, false), (100, true), (1, true)] {
            hit(&recorder, times);
            assert_eq!(pusher.push().is_ok(), arrives, "{times}");
        }
        let deltas: Vec<_> = collector.requests().iter().flat_map(hits_in).collect();
        assert_eq!(deltas, [3, 4, 14, 114, 1]);
    });
}

#[test]
fn ot3_a_request_that_is_too_large_is_halved() {
    bounded(|| {
        let limit = 40_000;
        let collector = FakeCollector::start(move |_, request| {
            if decoded_size(request) > limit { Reply::http(413, "", b"") } else { Reply::success() }
        });
        let (runtime, _recorder) = hits("large");
        for index in 0..1_000 {
            let recorder = runtime.create_recorder(&format!("recorder {index}")).expect("a recorder");
            recorder.metric::<crate::support::Hits>().expect("a metric");
            hit(&recorder, 1);
        }
        let pusher = start(&runtime, options(&collector).scope(Scope::PerEntity));
        pusher.push().expect("smaller requests");
        let stats = pusher.stats();
        assert!(stats.too_large > 0, "{stats:?}");
        let taken = |request: &&Received| decoded_size(request) <= limit;
        let hits: i64 = collector.requests().iter().filter(taken).flat_map(hits_in).sum();
        assert_eq!(hits, 1_000);
        // The smaller size is kept.
        pusher.push().expect("smaller requests");
        assert_eq!(pusher.stats().too_large, stats.too_large);
    });
}

fn decoded_size(request: &Received) -> usize {
    prost::Message::encoded_len(&decoded(request))
}

#[test]
fn ot3_a_collector_for_which_all_is_too_large_is_asked_a_bounded_number_of_times() {
    bounded(|| {
        let (result, stats, requests) = push_to(|_, _| Reply::http(413, "", b"no"));
        assert!(matches!(result, Err(OtlpError::Refused { status: 413, .. })), "{result:?}");
        assert_eq!((requests.len(), stats.too_large, stats.failures), (1, 1, 1));
    });
}

#[test]
fn ot3_one_invalid_request_does_not_hold_up_the_others() {
    bounded(|| {
        let collector = FakeCollector::start(|number, _| match number {
            0 => Reply::http(400, "", b"not this one"),
            _ => Reply::success(),
        });
        let (runtime, _recorder) = hits("several");
        for index in 0..100 {
            let recorder = runtime.create_recorder(&format!("recorder {index}")).expect("a recorder");
            recorder.metric::<crate::support::Hits>().expect("a metric");
        }
        let options = options(&collector).scope(Scope::PerEntity).max_request_size(4_096);
        let pusher = start(&runtime, options);
        assert!(matches!(pusher.push(), Err(OtlpError::Refused { status: 400, .. })));
        let stats = pusher.stats();
        assert!(stats.requests > 2 && stats.points > 0 && stats.undelivered_points > 0, "{stats:?}");
    });
}

#[test]
fn headers_and_compression_are_as_the_options_say() {
    bounded(|| {
        let collector = FakeCollector::accepting();
        let (runtime, _recorder) = hits("headers");
        for index in 0..100 {
            let recorder = runtime.create_recorder(&format!("recorder {index}")).expect("a recorder");
            recorder.metric::<crate::support::Hits>().expect("a metric");
        }
        for gzip in [true, false] {
            let options = options(&collector).scope(Scope::PerEntity).gzip(gzip);
            let options = options.header("Authorization", "Bearer 1").header("user-agent", "mine");
            let pusher = start(&runtime, options);
            pusher.push().expect("a collector that takes all");
            let request = collector.requests().pop().expect("a request");
            assert_eq!(request.header("authorization"), Some("Bearer 1"));
            assert_eq!(request.header("user-agent"), Some("mine"));
            assert_eq!(request.header("content-encoding"), gzip.then_some("gzip"));
            assert_eq!(hits_in(&request).len(), 101);
            let stats = pusher.stats();
            assert_eq!(stats.bytes < stats.uncompressed_bytes, gzip, "{stats:?}");
        }
    });
}
