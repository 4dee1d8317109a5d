//! Endpoints with TLS. The certificates that a process trusts are in its environment, so processes of their own push.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use mvx_metrics_otlp::{OtlpOptions, OtlpPusher};
use mvx_metrics_tests::bounded;
use mvx_metrics_tests::collector::{FakeCollector, Reply, Then};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::support::{hit, hits, hits_in};

/// The variable with the URL for the process that pushes.
const URL: &str = "MVX_OTLP_TEST_URL";

/// Accepts TLS in front of a collector, one connection after the other. Returns the port.
fn secure(collector: &FakeCollector) -> u16 {
    let certificate = CertificateDer::from_pem_slice(include_bytes!("tls/collector.pem")).expect("PEM");
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("tls/collector.key")).expect("PEM");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions of TLS")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a certificate and its key");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("a socket");
    let (port, target) = (listener.local_addr().expect("an address").port(), collector.address());
    // The thread ends with the process of the tests.
    thread::spawn(move || {
        let executor =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("an executor");
        executor.block_on(async {
            let listener = TcpListener::from_std(listener).expect("a listener");
            while let Ok((stream, _)) = listener.accept().await {
                let (Ok(mut secured), Ok(mut plain)) =
                    (acceptor.accept(stream).await, TcpStream::connect(target).await)
                else {
                    continue;
                };
                let _ = copy_bidirectional(&mut secured, &mut plain).await;
            }
        });
    });
    port
}

/// What a process says that trusts one authority and pushes to a URL.
fn push_from_a_process(authority: &str, url: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/push/tls").join(authority);
    let this = std::env::current_exe().expect("the program of the tests");
    let output = Command::new(this)
        .args(["--exact", "tls::process_that_pushes", "--ignored", "--nocapture"])
        .env("SSL_CERT_FILE", file)
        .env_remove("SSL_CERT_DIR")
        .env(URL, url)
        .output()
        .expect("a process");
    let text = String::from_utf8(output.stdout).expect("text");
    let said = text.lines().find_map(|line| line.split_once("said: ")).map(|(_, said)| said.to_owned());
    said.unwrap_or_else(|| panic!("it said nothing: {text}"))
}

#[test]
#[ignore = "other tests run it in a process of its own"]
#[expect(clippy::print_stdout, reason = "the process that waits reads it")]
fn process_that_pushes() {
    let Ok(url) = std::env::var(URL) else { return };
    let (runtime, recorder) = hits("secure");
    hit(&recorder, 3);
    let options = OtlpOptions::new().endpoint(url).timeout(Duration::from_secs(1));
    let result = OtlpPusher::start(&runtime, options).and_then(|pusher| pusher.push());
    println!("said: {result:?}");
}

#[test]
fn ot3_https_works_with_a_certificate_that_the_system_trusts() {
    bounded(|| {
        let collector = FakeCollector::accepting();
        let port = secure(&collector);
        for host in ["localhost", "127.0.0.1"] {
            let url = format!("https://{host}:{port}");
            assert_eq!(push_from_a_process("authority.pem", &url), "Ok(())", "{host}");
        }
        assert_eq!(collector.requests().first().map(hits_in), Some(vec![3]));
    });
}

#[test]
fn ot3_a_certificate_that_the_system_does_not_trust_is_refused() {
    bounded(|| {
        let collector = FakeCollector::accepting();
        let port = secure(&collector);
        let said = push_from_a_process("other_authority.pem", &format!("https://localhost:{port}"));
        assert!(said.contains("Unreachable") && said.contains("UnknownIssuer"), "{said}");
        assert!(collector.requests().is_empty());
    });
}

#[test]
fn ot3_a_collector_without_tls_is_unreachable_by_https() {
    bounded(|| {
        let collector = FakeCollector::start(|_, _| Reply::raw("", Then::Close));
        let url = format!("https://{}", collector.address());
        let said = push_from_a_process("authority.pem", &url);
        assert!(said.contains("Unreachable") || said.contains("TimedOut"), "{said}");
    });
}

#[test]
fn ot3_no_certificates_are_an_error_of_the_start() {
    let said = push_from_a_process("README.md", "https://localhost:1");
    assert!(said.starts_with("Err(Certificates"), "{said}");
}
