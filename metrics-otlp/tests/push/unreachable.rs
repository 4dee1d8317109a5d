//! Collectors that cannot be reached.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use mvx_metrics_otlp::{OtlpError, OtlpOptions, OtlpPusher};
use mvx_metrics_tests::collector::{FakeCollector, Reply};
use mvx_metrics_tests::{bounded, eventually};

use crate::support::{hit, hits, hits_in, start};

#[test]
fn ot3_a_collector_that_is_away_costs_nothing_but_pushes() {
    bounded(|| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        drop(listener);
        let (runtime, recorder) = hits("away");
        let options =
            OtlpOptions::new().endpoint(format!("http://{address}")).timeout(Duration::from_millis(400));
        let pusher = start(&runtime, options.interval(Duration::from_millis(50)));
        let begin = Instant::now();
        let error = pusher.push().expect_err("no collector");
        assert!(begin.elapsed() < Duration::from_secs(3), "{:?}", begin.elapsed());
        assert!(matches!(error, OtlpError::Unreachable { .. }), "{error:?}");
        assert_eq!(error.to_string(), format!("cannot reach the collector at {address}"));
        hit(&recorder, 7);
        eventually("pushes fail", || pusher.stats().failures > 3);
        assert_eq!(pusher.stats().successes, 0);

        // It comes back, and the next push has everything.
        let listener = TcpListener::bind(address).expect("the same port");
        let collector = FakeCollector::on(listener, |_, _| Reply::success());
        let requests = collector.wait_for(1);
        assert_eq!(hits_in(&requests[0]), [7]);
        eventually("a push succeeds", || pusher.stats().successes > 0);
        assert!(pusher.stats().last_error.is_none());
    });
}

#[test]
fn ot3_a_host_without_an_address_fails_in_time() {
    bounded(|| {
        let (runtime, _recorder) = hits("nowhere");
        // The domain is reserved: https://www.rfc-editor.org/rfc/rfc6761#section-6.4.
        let options = OtlpOptions::new().endpoint("http://collector.invalid").timeout(Duration::from_secs(1));
        let pusher = start(&runtime, options);
        let begin = Instant::now();
        let error = pusher.push().expect_err("no such host");
        // A system whose resolver does not answer lets the time pass.
        assert!(matches!(error, OtlpError::Unreachable { .. } | OtlpError::TimedOut { .. }), "{error:?}");
        assert!(pusher.shutdown(Duration::from_millis(500)).is_err());
        assert!(begin.elapsed() < Duration::from_secs(6), "{:?}", begin.elapsed());
    });
}

#[test]
fn ot3_an_address_that_swallows_packets_fails_in_time() {
    bounded(|| {
        let (runtime, _recorder) = hits("swallowed");
        // The network is reserved for documents: https://www.rfc-editor.org/rfc/rfc5737.
        let options =
            OtlpOptions::new().endpoint("http://192.0.2.1:4318").timeout(Duration::from_millis(300));
        let pusher = start(&runtime, options);
        let begin = Instant::now();
        let error = pusher.push().expect_err("no such machine");
        assert!(matches!(error, OtlpError::Unreachable { .. } | OtlpError::TimedOut { .. }), "{error:?}");
        drop(pusher);
        assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    });
}

#[test]
fn ot3_an_invalid_address_is_an_error_of_the_start() {
    let (runtime, _recorder) = hits("invalid");
    let error =
        OtlpPusher::start(&runtime, OtlpOptions::new().endpoint("localhost:4318")).expect_err("no URL");
    let expected = "invalid endpoint `localhost:4318`: must begin with http:// or https://";
    assert_eq!((error.to_string().as_str(), error.reason()), (expected, "OTLP_INVALID_OPTION"));
}

#[cfg(not(feature = "tls"))]
#[test]
fn ot3_https_without_the_feature_is_an_error_of_the_start() {
    let (runtime, _recorder) = hits("plain");
    let error =
        OtlpPusher::start(&runtime, OtlpOptions::new().endpoint("https://localhost")).expect_err("no TLS");
    assert!(error.to_string().ends_with("https needs the feature `tls` of mvx-metrics-otlp"), "{error}");
}
