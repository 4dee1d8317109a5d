//! The memory of a pusher while its collector does not take what it pushes.
#![cfg(target_os = "linux")]

use std::net::TcpListener;
use std::time::Duration;

use mvx_metrics::{Counter, Metric, MetricsRuntime, Scope, metric_event};
use mvx_metrics_otlp::{OtlpOptions, OtlpPusher, Temporality};
use mvx_metrics_tests::collector::{FakeCollector, Reply, Then};
use mvx_metrics_tests::{bounded, eventually, running_runtime};

#[metric_event]
struct Hit;

#[derive(Metric, Default)]
#[metric(name = "hits", on(Hit))]
struct Hits {
    total: Counter,
}

/// The pushes before the memory is looked at, and those until it is looked at again.
const PUSHES: [u64; 2] = [20, 80];
/// The requests of all later pushes together have more than twice as much.
const MAX_GROWTH: usize = 2 << 20;

fn resident_bytes() -> usize {
    let text = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("the resident memory");
    let kib: usize = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kib << 10
}

/// How much the memory has grown during many pushes to a URL.
fn growth(runtime: &MetricsRuntime, url: &str, done: fn(&OtlpPusher) -> u64) -> usize {
    let options = OtlpOptions::new()
        .endpoint(url)
        .scope(Scope::PerEntity)
        .temporality(Temporality::Delta)
        .interval(Duration::from_millis(10));
    let pusher = OtlpPusher::start(runtime, options).expect("a pusher");
    eventually("the first pushes are over", || done(&pusher) >= PUSHES[0]);
    let (before, size) = (resident_bytes(), pusher.stats().uncompressed_bytes / pusher.stats().pushes);
    let size = usize::try_from(size * PUSHES[1]).expect("some megabytes");
    assert!(size > 2 * MAX_GROWTH, "the requests have {size} bytes only");
    eventually("the later pushes are over", || done(&pusher) >= PUSHES[0] + PUSHES[1]);
    resident_bytes().saturating_sub(before)
}

#[test]
fn ot3_the_memory_does_not_grow_while_the_collector_takes_nothing() {
    bounded(|| {
        let runtime = running_runtime("memory");
        for index in 0..500 {
            let recorder = runtime.create_recorder(&format!("recorder {index}")).expect("a recorder");
            recorder.metric::<Hits>().expect("a metric");
            recorder.emit(Hit);
        }
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        drop(listener);
        let grown = growth(&runtime, &format!("http://{address}"), |pusher| pusher.stats().failures);
        assert!(grown < MAX_GROWTH, "away: {grown} bytes");

        // Each answer has as many bytes as the client reads.
        let head = "HTTP/1.1 200 OK\r\n\r\n";
        let endless = FakeCollector::start(move |_, _| Reply::raw(head, Then::Repeat(vec![b'x'; 65_536])));
        endless.forget();
        let grown = growth(&runtime, &endless.url(), |pusher| pusher.stats().unreadable_answers);
        assert!(grown < MAX_GROWTH, "endless answers: {grown} bytes");
    });
}
