//! The cost of a push: the bytes, and the processor's time for encoding them.
//!
//! Run with `cargo bench -p mvx-metrics-otlp --bench push`. Each recorder measures another entity: a counter, a counter by outcome,
//! a sum of bytes, the largest, a histogram of sixteen buckets and one with exponential buckets. The library adds its health. The rows
//! of prost encode the same requests as structures of `opentelemetry-proto`, as exporters of other libraries do: `encode` has them
//! in memory already, and `copy and encode` makes their texts and lists anew, which is the least that building them costs.

#[path = "support/events.rs"]
mod events;

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use mvx_metrics::{
    Breakdown, Counter, Histogram, Max, Metric, MetricsRecorder, MetricsRuntime, Scope, Sum, Totals,
};
use mvx_metrics_otlp::{Encoder, OtlpOptions, Temporality};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use prost::Message;

use self::events::{Outcome, Requested, emit};

#[derive(Metric, Default)]
#[metric(name = "service.requests", on(Requested))]
struct Requests {
    all: Counter,
    #[dimension(by = outcome)]
    by_outcome: Breakdown<Outcome, Counter>,
    #[dimension(value = bytes, unit = bytes)]
    sent: Sum<u64>,
    #[dimension(value = bytes, unit = bytes)]
    largest: Max<u64>,
    #[dimension(value = bytes, unit = bytes, buckets = [
        1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 131_072, 262_144, 524_288, 1_048_576, 2_097_152,
        4_194_304, 8_388_608,
    ])]
    sizes: Histogram<u64>,
    #[dimension(value = bytes, unit = bytes)]
    spread: Histogram<u64>,
}

/// The events of each recorder before the first push, and between two pushes.
const EVENTS: u64 = 50;

/// How often the rows take turns.
const TURNS: usize = 4;

fn main() {
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    println!("{:<52} {:>9} {:>11} {:>10} {:>12} {:>9}", "", "points", "bytes", "requests", "cpu", "a point");
    for (entities, rounds) in [(1_000, 20), (100_000, 3)] {
        let recorded = Recorded::new(entities);
        // First, while the resident memory shows what is allocated.
        recorded.measure_deltas(rounds);
        recorded.measure(Scope::PerEntity, rounds);
        // The system counts the processor's time in milliseconds.
        recorded.measure(Scope::Rollup, 4_000);
        recorded.runtime.shutdown().expect("it stops");
    }
}

/// A runtime with recorders that have recorded.
struct Recorded {
    runtime: MetricsRuntime,
    recorders: Vec<MetricsRecorder>,
}

/// A way to encode totals. It returns the points, the bytes and the requests.
type Encode<'a> = Box<dyn FnMut() -> (u64, usize, usize) + 'a>;

impl Recorded {
    fn new(entities: usize) -> Self {
        let runtime = MetricsRuntime::builder("bench").shutdown_timeout(Duration::from_mins(5));
        let runtime = runtime.build().expect("a valid name");
        runtime.start().expect("a thread can be started");
        let recorders: Vec<_> = (0..entities)
            .map(|number| {
                let recorder =
                    runtime.create_recorder(&format!("entity-{number:06}")).expect("the id is free");
                recorder.metric::<Requests>().expect("it runs");
                recorder
            })
            .collect();
        let recorded = Self { runtime, recorders };
        recorded.emit(0);
        recorded
    }

    fn emit(&self, round: u64) {
        for (number, recorder) in (0_u64..).zip(&self.recorders) {
            for event in 0..EVENTS {
                emit(recorder, number * EVENTS + event + round);
            }
        }
        self.recorders.iter().for_each(|recorder| recorder.flush().wait().expect("it runs"));
    }

    fn totals(&self, scope: Scope) -> Totals {
        self.runtime.totals(scope).expect("it runs")
    }

    fn measure(&self, scope: Scope, rounds: usize) {
        let totals = self.totals(scope);
        let mut encoder = Encoder::new(&OtlpOptions::new());
        let mut bodies = Vec::new();
        let mut requests = encoder.requests(&totals);
        while let Some(request) = requests.next_request() {
            bodies.push((
                ExportMetricsServiceRequest::decode(&*request.body).expect("a message"),
                request.points,
            ));
        }
        drop(requests);
        let of_bodies = |encode: fn(&ExportMetricsServiceRequest) -> Vec<u8>| {
            let bytes = bodies.iter().map(|(body, _)| black_box(encode(body)).len()).sum();
            (bodies.iter().map(|(_, points)| points).sum(), bytes, bodies.len())
        };
        let mut rows: [Row<'_>; 3] = [
            Row::new("cumulative", || encode(&mut encoder, &totals, false)),
            Row::new("prost, encode", || of_bodies(Message::encode_to_vec)),
            Row::new("prost, copy and encode", || of_bodies(|body| body.clone().encode_to_vec())),
        ];
        // They take turns, so that other load of the machine affects all rows alike.
        for _ in 0..TURNS {
            for row in &mut rows {
                row.run(rounds.div_ceil(TURNS));
            }
        }
        let started = cpu_time();
        (0..TURNS).for_each(|_| drop(black_box(self.totals(scope))));
        let reading = cpu_time().saturating_sub(started);
        let head = format!("{} recorders, {scope:?}", self.recorders.len());
        for row in &rows {
            row.print(&head);
        }
        println!("{:<52} {:>45.4} ms", format!("{head}: reading the totals"), milliseconds(reading, TURNS));
    }

    /// Deltas by entity while each recorder goes on.
    fn measure_deltas(&self, rounds: usize) {
        let mut encoder = Encoder::new(&OtlpOptions::new().temporality(Temporality::Delta));
        let before = resident_memory();
        let totals = self.totals(Scope::PerEntity);
        let with_totals = resident_memory();
        encode(&mut encoder, &totals, true);
        let baseline = resident_memory().saturating_sub(with_totals);
        drop(totals);
        let (mut sizes, mut time) = ((0, 0, 0), Duration::ZERO);
        for round in 1..=rounds as u64 {
            self.emit(round);
            let totals = self.totals(Scope::PerEntity);
            let started = cpu_time();
            sizes = encode(&mut encoder, &totals, true);
            time += cpu_time().saturating_sub(started);
        }
        let head = format!("{} recorders, PerEntity", self.recorders.len());
        print_row(&format!("{head}: deltas, all delivered"), sizes, time, rounds);
        let series = encoder.remembered_series();
        println!(
            "{:<52} {series} series take {} KiB, the totals {} KiB",
            format!("{head}: the baseline"),
            baseline >> 10,
            with_totals.saturating_sub(before) >> 10,
        );
    }
}

/// One push, without a transport.
fn encode(encoder: &mut Encoder, totals: &Totals, is_delivered: bool) -> (u64, usize, usize) {
    let mut sizes = (0, 0, 0);
    let mut requests = encoder.requests(totals);
    while let Some(request) = requests.next_request() {
        sizes = (sizes.0 + request.points, sizes.1 + request.body.len(), sizes.2 + 1);
        if is_delivered {
            requests.delivered(request);
        }
    }
    sizes
}

struct Row<'a> {
    name: &'a str,
    encode: Encode<'a>,
    sizes: (u64, usize, usize),
    time: Duration,
    rounds: usize,
}

impl<'a> Row<'a> {
    fn new(name: &'a str, encode: impl FnMut() -> (u64, usize, usize) + 'a) -> Self {
        let encode = Box::new(encode);
        Self { name, encode, sizes: (0, 0, 0), time: Duration::ZERO, rounds: 0 }
    }

    fn run(&mut self, rounds: usize) {
        let started = cpu_time();
        (0..rounds).for_each(|_| self.sizes = black_box((self.encode)()));
        self.time += cpu_time().saturating_sub(started);
        self.rounds += rounds;
    }

    fn print(&self, head: &str) {
        print_row(&format!("{head}: {}", self.name), self.sizes, self.time, self.rounds);
    }
}

fn print_row(name: &str, (points, bytes, requests): (u64, usize, usize), time: Duration, rounds: usize) {
    let mut line = format!("{name:<52} {points:>9} {bytes:>11} {requests:>10}");
    let of_round = milliseconds(time, rounds);
    #[expect(clippy::cast_precision_loss, reason = "a few millions")]
    let of_point = of_round * 1e6 / points as f64;
    let _ = write!(line, " {of_round:>9.4} ms {of_point:>6.1} ns");
    println!("{line}");
}

#[expect(clippy::cast_precision_loss, reason = "a few rounds")]
fn milliseconds(time: Duration, rounds: usize) -> f64 {
    time.as_secs_f64() * 1e3 / rounds as f64
}

/// The processor's time of this thread where the system tells it, else the time on the clock.
fn cpu_time() -> Duration {
    static STARTED: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = text.and_then(|text| text.split_whitespace().next()?.parse().ok());
    nanos.map_or_else(|| STARTED.elapsed(), Duration::from_nanos)
}

/// The resident memory of this process in bytes; 0 where the system does not tell it.
fn resident_memory() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: Option<usize> = text.split_whitespace().nth(1).and_then(|pages| pages.parse().ok());
    pages.unwrap_or(0) * 4_096
}
