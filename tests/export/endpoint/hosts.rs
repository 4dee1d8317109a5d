//! Covers the check of the host, and routes that are switched off.

use std::net::{Ipv4Addr, SocketAddr};

use mvx_metrics::MetricsRuntime;
use mvx_metrics::http::{Endpoint, EndpointOptions, ServiceOptions};
use mvx_metrics_tests::bounded;

use crate::client::{ask, connect, get};
use crate::fixtures::{Worked, endpoint_with, recorder, running};
use crate::server::{Server, call};

/// The status of the answer to a request that is written as it is.
fn status(address: SocketAddr, request: &str) -> u16 {
    ask(&mut connect(address), request).expect("an answer").status
}

/// The status for a request with this `Host`.
fn status_of_host(address: SocketAddr, host: &str) -> u16 {
    status(address, &format!("GET /metrics HTTP/1.1\r\nhost: {host}\r\n\r\n"))
}

const OWN: [&str; 8] = [
    "localhost",
    "LOCALHOST:1234",
    "localhost.",
    "localhost.:80",
    "127.0.0.1",
    "127.0.0.1:9464",
    "[::1]:9464",
    "192.0.2.7",
];
const FOREIGN: [&str; 6] = [
    "attacker.example",
    "attacker.example:9464",
    "localhost.attacker.example",
    "127.0.0.1.attacker.example",
    "metrics.internal",
    "localhost..",
];
const MALFORMED: [&str; 8] = [
    "",
    ":9464",
    "localhost@attacker.example",
    "attacker.example@localhost",
    "localhost:80x",
    "localhost:99999",
    "[::1",
    "localhost attacker.example",
];

#[test]
fn ed4_on_loopback_a_foreign_host_is_refused() {
    let runtime = running("hosts");
    recorder(&runtime, "secret").emit(Worked { bytes: 7 });
    let endpoint = endpoint_with(&runtime, ServiceOptions::new());
    let address = endpoint.address();
    let long = "a".repeat(10_000);
    for (hosts, expected) in [(&OWN[..], 200), (&FOREIGN, 421), (&[&*long], 421), (&MALFORMED, 400)] {
        for host in hosts {
            assert_eq!(status_of_host(address, host), expected, "{host}");
        }
    }
    // hyper refuses control characters itself.
    for host in ["local\0host", "localhost\u{b}", "\u{1}"] {
        assert_eq!(status_of_host(address, host), 400, "{host:?}");
    }
    // Whatever a foreign page asks for, it learns nothing.
    for target in ["GET /", "GET /snapshot", "GET /healthz", "POST /metrics", "OPTIONS *"] {
        let request = format!("{target} HTTP/1.1\r\nhost: attacker.example\r\ncontent-length: 0\r\n\r\n");
        let answer = ask(&mut connect(address), &request).expect("an answer");
        let own_text = "this host name is not allowed here: see `ServiceOptions::allowed_hosts`\n";
        assert_eq!((answer.status, &*answer.body), (421, own_text), "{target}");
    }
}

#[test]
fn ed4_a_missing_or_doubled_host_is_a_bad_request() {
    let runtime = running("missing");
    let endpoint = endpoint_with(&runtime, ServiceOptions::new());
    let public = public_endpoint(&runtime, ServiceOptions::new());
    let requests = [
        ("GET /metrics HTTP/1.1\r\n\r\n", 400),
        ("GET /metrics HTTP/1.1\r\nhost: localhost\r\nhost: localhost\r\n\r\n", 400),
        ("GET /metrics HTTP/1.1\r\nhost: localhost\r\nHost: attacker.example\r\n\r\n", 400),
        ("GET http://localhost/metrics HTTP/1.1\r\n\r\n", 400),
        ("GET /metrics HTTP/1.0\r\nhost: localhost\r\nhost: localhost\r\n\r\n", 400),
        ("GET /metrics HTTP/1.0\r\n\r\n", 200),
    ];
    for (request, expected) in requests {
        for address in [endpoint.address(), local(&public)] {
            let answer = ask(&mut connect(address), request).expect("an answer");
            assert_eq!(answer.status, expected, "{request:?}");
        }
    }
}

#[test]
fn ed4_the_host_of_an_absolute_target_counts() {
    let runtime = running("absolute");
    let endpoint = endpoint_with(&runtime, ServiceOptions::new());
    let cases = [
        ("http://localhost/metrics", "localhost", 200),
        ("http://localhost:1/metrics", "attacker.example", 200),
        ("http://attacker.example/metrics", "localhost", 421),
        ("http://attacker.example:80/metrics", "127.0.0.1", 421),
        ("http://localhost@attacker.example/metrics", "localhost", 400),
        ("http://[::1]/metrics", "localhost", 200),
    ];
    for (target, host, expected) in cases {
        let request = format!("GET {target} HTTP/1.1\r\nhost: {host}\r\n\r\n");
        assert_eq!(status(endpoint.address(), &request), expected, "{target} {host}");
    }
}

/// An endpoint on all addresses of the machine.
fn public_endpoint(runtime: &MetricsRuntime, options: ServiceOptions) -> Endpoint {
    let address = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let service = runtime.metrics_service(options);
    service.serve(EndpointOptions::new().address(address)).expect("the system has a port")
}

/// The address at which this machine reaches the public endpoint.
fn local(endpoint: &Endpoint) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, endpoint.address().port()))
}

#[test]
fn ed4_on_a_public_address_hosts_are_checked_when_asked() {
    let runtime = running("public");
    let unchecked = public_endpoint(&runtime, ServiceOptions::new());
    let checked = public_endpoint(&runtime, ServiceOptions::new().check_host(true));
    let named = public_endpoint(&runtime, ServiceOptions::new().allowed_hosts(["Metrics.Internal:9464"]));
    let unasked =
        endpoint_with(&runtime, ServiceOptions::new().allowed_hosts(["metrics.internal"]).check_host(false));
    for host in OWN {
        let of = |address| status_of_host(address, host);
        let addresses = [local(&unchecked), local(&checked), local(&named), unasked.address()];
        assert_eq!(addresses.map(of), [200; 4], "{host}");
    }
    for host in FOREIGN {
        let of = |address| status_of_host(address, host);
        let of_named = if host == "metrics.internal" { 200 } else { 421 };
        let addresses = [local(&unchecked), local(&checked), local(&named), unasked.address()];
        assert_eq!(addresses.map(of), [200, 421, of_named, 200], "{host}");
    }
    // A host that is none is refused everywhere.
    for host in MALFORMED {
        assert_eq!(status_of_host(local(&unchecked), host), 400, "{host}");
        assert_eq!(status_of_host(unasked.address(), host), 400, "{host}");
    }
}

#[test]
fn ed4_a_mounted_service_checks_when_asked() {
    bounded(|| {
        let runtime = running("mounted");
        let [unchecked, checked, named] = [
            ServiceOptions::new(),
            ServiceOptions::new().check_host(true),
            ServiceOptions::new().allowed_hosts(["metrics.internal."]),
        ]
        .map(|options| Server::start(runtime.metrics_service(options)));
        let of = |host| [&unchecked, &checked, &named].map(|server| status_of_host(server.address, host));
        assert_eq!(of("attacker.example"), [200, 421, 421]);
        assert_eq!(of("metrics.internal"), [200, 421, 200]);
        assert_eq!(of("localhost"), [200; 3]);
        assert_eq!(of("localhost@attacker.example"), [200, 400, 400]);
    });
}

#[test]
fn ed5_the_snapshot_can_be_switched_off() {
    bounded(|| {
        let runtime = running("off");
        recorder(&runtime, "secret").emit(Worked { bytes: 7 });
        let options = ServiceOptions::new().snapshot(false);
        let endpoint = endpoint_with(&runtime, options.clone());
        let answer = get(endpoint.address(), "/snapshot");
        assert_eq!((answer.status, &*answer.body), (404, "there are /metrics and /healthz\n"));
        assert_eq!(get(endpoint.address(), "/metrics").status, 200);
        let service = runtime.metrics_service(options).routes();
        assert_eq!(["/snapshot", "/metrics", "/healthz"].map(|path| call(&service, path).0), [404, 200, 200]);
    });
}
