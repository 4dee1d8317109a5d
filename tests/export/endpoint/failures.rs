//! Covers failures of the system: no thread for the endpoint, no file descriptor for a connection. LG2: `Silent` logs nothing.
//!
//! Such a failure hits a whole process, so each test runs itself again as a process of its own, with a low limit.

use std::fs::File;
use std::process::Command;
use std::sync::Mutex;
use std::{env, thread};

use mvx_metrics::http::{EndpointError, EndpointOptions, ServiceOptions};
use mvx_metrics::{LogPolicy, MetricsRuntime};
use mvx_metrics_tests::capture::Listener;
use mvx_metrics_tests::eventually;
use tokio::net::TcpSocket;
use tracing::Event;

use crate::client::get;
use crate::server::call;

/// Names the test that a process was started for.
const TEST: &str = "MVX_FAILURE_TEST";

/// Runs a test again in a process of its own, after a shell command that sets a limit.
fn run_again(test: &str, limit: &str) {
    let program = env::current_exe().expect("the test program has a path");
    let name = format!("{}::{test}", module_path!().rsplit("::").next().expect("a path has an end"));
    let output = Command::new("sh")
        .args(["-c", &format!("{limit} && exec \"$0\" --exact {name} --nocapture --test-threads=1")])
        .arg(program)
        .env(TEST, test)
        .output()
        .expect("there is a shell");
    let printed = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && printed.contains("1 passed"), "{printed}");
}

fn is_run_again() -> bool {
    env::var_os(TEST).is_some()
}

#[test]
fn an_endpoint_without_a_thread_is_an_error_in_async_code_too() {
    if !is_run_again() {
        // Larger than any address space.
        let limit = format!("export RUST_MIN_STACK={}", 1_u64 << 60);
        return run_again("an_endpoint_without_a_thread_is_an_error_in_async_code_too", &limit);
    }
    let tokio = tokio::runtime::Builder::new_current_thread().build().expect("a runtime without threads");
    tokio.block_on(async {
        let runtime = MetricsRuntime::new("thread").expect("a valid namespace");
        let error = runtime.serve_http(EndpointOptions::new().port(0)).expect_err("there is no thread");
        assert!(matches!(error, EndpointError::Thread { .. }), "{error:?}");
        assert_eq!(error.reason(), "ENDPOINT_STARTUP_ERROR");
    });
}

#[test]
fn a_service_without_a_thread_is_unavailable() {
    if !is_run_again() {
        let limit = format!("export RUST_MIN_STACK={}", 1_u64 << 60);
        return run_again("a_service_without_a_thread_is_unavailable", &limit);
    }
    let runtime = MetricsRuntime::new("thread").expect("a valid namespace");
    let service = runtime.metrics_service(ServiceOptions::default());
    for _ in 0..2 {
        let (status, text) = call(&service, "/metrics");
        assert!(status == 503 && text.starts_with("cannot create the thread that renders: "), "{text}");
    }
}

/// The name of the thread, for each event that was logged.
static LOGGING_THREADS: Mutex<Vec<String>> = Mutex::new(Vec::new());

#[test]
fn a_connection_without_a_file_descriptor_is_logged_unless_the_runtime_is_silent() {
    if !is_run_again() {
        let test = "a_connection_without_a_file_descriptor_is_logged_unless_the_runtime_is_silent";
        return run_again(test, "ulimit -n 64");
    }
    let log = |_: &Event<'_>| {
        let thread = thread::current();
        LOGGING_THREADS.lock().expect("not poisoned").push(thread.name().unwrap_or_default().to_owned());
    };
    tracing::subscriber::set_global_default(Listener(log)).expect("no other subscriber in this process");
    let [silent, normal] = [LogPolicy::Silent, LogPolicy::Normal].map(|policy| {
        let builder = MetricsRuntime::builder(format!("{policy:?}")).log_policy(policy);
        let runtime = builder.build().expect("valid choices");
        runtime.serve_http(EndpointOptions::new().port(0)).expect("the system has a port")
    });
    let tokio = tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime");
    tokio.block_on(async {
        let [to_silent, to_normal] = [(); 2].map(|()| TcpSocket::new_v4().expect("a socket"));
        let files: Vec<File> =
            std::iter::repeat_with(|| File::open("/dev/null")).map_while(Result::ok).collect();
        let _connections = [
            to_silent.connect(silent.address()).await.expect("the endpoint listens"),
            to_normal.connect(normal.address()).await.expect("the endpoint listens"),
        ];
        let logged_by = |name: &str| {
            LOGGING_THREADS.lock().expect("not poisoned").iter().filter(|thread| *thread == name).count()
        };
        // The silent endpoint had a client first, so it has failed to accept it by now.
        eventually("the failures are logged", || logged_by("Normal.metrics_http") >= 3);
        assert_eq!(logged_by("Silent.metrics_http"), 0);
        drop(files);
    });
    for address in [silent.address(), normal.address()] {
        assert_eq!(get(address, "/healthz").status, 503, "the endpoint accepts again");
    }
}
