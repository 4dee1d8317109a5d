//! Measures what it costs a program that somebody looks at its page: CPU time of 10 s with a look each second, less that of 10 s without.
//!
//! It prints the figure: `cargo test --release -p mvx-metrics-tests --test page_cost -- --nocapture`.

#![cfg(target_os = "linux")]

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use mvx_metrics::http::{EndpointOptions, ServiceOptions};
use mvx_metrics::{
    Breakdown, Counter, Histogram, Label, Metric, MetricsRecorder, MetricsRuntime, Sum, metric_event,
};

const RECORDERS: u64 = 10_000;
const LOOKS: u32 = 10;
/// Of a core. Without optimisation an answer costs several times as much; samples do not, because they are taken more rarely then.
const MAX_SHARE: f64 = if cfg!(debug_assertions) { 0.04 } else { 0.02 };

#[derive(Label, Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Success,
    Failure,
}

#[metric_event]
struct Answered {
    outcome: Outcome,
    elapsed: Duration,
    bytes: u64,
}

/// Requests.
#[derive(Metric, Default)]
#[metric(on(Answered))]
struct Requests {
    total: Counter,
    #[dimension(value = bytes, unit = bytes)]
    sent: Sum<u64>,
    #[dimension(value = elapsed)]
    duration: Histogram<Duration>,
    #[dimension(by = outcome)]
    outcomes: Breakdown<Outcome, Counter>,
}

/// The CPU time of the process in seconds.
fn cpu_time() -> f64 {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = fs::read_to_string("/proc/self/stat").expect("Linux has it");
    // The name of the program may have spaces, and ends with the last parenthesis.
    let fields: Vec<&str> = stat.rsplit(')').next().expect("a name").split_whitespace().collect();
    let ticks = |field: usize| fields[field].parse::<f64>().expect("a number of ticks");
    (ticks(11) + ticks(12)) / TICKS_PER_SECOND
}

/// Each fourth recorder answers a request. Both halves of the measurement have these.
fn emit(recorders: &[MetricsRecorder], second: u64) {
    for (number, recorder) in recorders.iter().enumerate().skip(1).step_by(4) {
        let number = number as u64 + second;
        let outcome = if number.is_multiple_of(10) { Outcome::Failure } else { Outcome::Success };
        let elapsed = Duration::from_micros(100 + number % 5_000 * 17);
        recorder.emit(Answered { outcome, elapsed, bytes: number });
    }
}

fn look(address: SocketAddr) -> usize {
    let mut stream = TcpStream::connect(address).expect("the endpoint listens");
    let request = "GET /page/data?sort=rate HTTP/1.1\r\nhost: localhost\r\naccept-encoding: gzip\r\nconnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("it answers");
    assert!(answer.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&answer));
    answer.len()
}

/// The CPU time of ten seconds.
fn measure(recorders: &[MetricsRecorder], mut each_second: impl FnMut()) -> f64 {
    let (began, before) = (Instant::now(), cpu_time());
    for second in 1..=LOOKS {
        emit(recorders, second.into());
        each_second();
        thread::sleep((Duration::from_secs(1) * second).saturating_sub(began.elapsed()));
    }
    (cpu_time() - before) / began.elapsed().as_secs_f64()
}

#[test]
fn pg3_a_look_each_second_costs_at_most_2_percent_of_a_core_with_10_000_recorders() {
    let runtime = MetricsRuntime::new("cost").expect("a valid namespace");
    runtime.start().expect("it starts");
    let recorders: Vec<_> = (0..RECORDERS)
        .map(|number| {
            let recorder = runtime.create_recorder(&format!("connection-{number}")).expect("the id is free");
            recorder.metric::<Requests>().expect("it runs");
            recorder
        })
        .collect();
    emit(&recorders, 0);
    let service = runtime.metrics_service(ServiceOptions::new().page(true));
    let endpoint = service.serve(EndpointOptions::new().port(0)).expect("the system has a port");
    let address = endpoint.address();
    let began = Instant::now();
    look(address);
    let first = began.elapsed();
    let without = measure(&recorders, || ());
    let mut bytes = 0;
    let with = measure(&recorders, || bytes += look(address));
    let share = with - without;
    println!(
        "{:.2}% of a core for looks ({:.2}% with, {:.2}% without); the first look took {first:?}; {} bytes each",
        share * 100.0,
        with * 100.0,
        without * 100.0,
        bytes / LOOKS as usize,
    );
    assert!(share <= MAX_SHARE, "{share}");
}
