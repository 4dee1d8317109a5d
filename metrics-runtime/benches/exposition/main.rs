//! The cost of expositions, beside the encoders of `prometheus-client` and `metrics-exporter-prometheus`.
//!
//! Run with `cargo bench -p mvx-metrics --features openmetrics --bench exposition`. All encode five families of a thousand
//! entities in one run. The families are a counter, a counter by outcome, a counter of bytes, a gauge, and a histogram of
//! sixteen buckets. With the argument `formats` only the formats of this crate are compared, with ten thousand entities.

mod delay;
mod formats;
mod ours;
mod peers;
mod stall;

use std::hint::black_box;
use std::time::{Duration, Instant};

/// How many entities have series of their own.
pub const ENTITIES: usize = 1_000;
/// How many events each entity has recorded.
pub const EVENTS: u64 = 50;
/// The bounds of the histogram, in bytes.
pub const BOUNDS: [u64; 16] = [
    1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 131_072, 262_144, 524_288, 1_048_576, 2_097_152,
    4_194_304, 8_388_608,
];
const ROUNDS: usize = 30;

/// The bytes of an event.
#[must_use]
pub fn bytes(number: u64) -> u64 {
    number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40
}

/// An encoder, the times it took, and its last text.
type Row<'a> = (&'a str, Vec<Duration>, String, &'a dyn Fn() -> String);

fn main() {
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let ours = ours::Ours::new(ENTITIES);
    // For a profiler: one of these over and over.
    let profiled: [(&str, &dyn Fn()); 4] = [
        ("profile-encoding", &|| drop(black_box(ours.encode_open_metrics()))),
        ("profile-reading", &|| drop(black_box(ours.expose()))),
        ("profile-rollup", &|| drop(black_box(ours.roll_up()))),
        ("profile-snapshot", &|| drop(black_box(ours.snapshot()))),
    ];
    let mut asked = profiled.iter().filter(|(name, _)| std::env::args().any(|other| other == *name));
    if let Some((_, profiled)) = asked.next() {
        (0..2_000).for_each(|_| profiled());
        return;
    }
    if std::env::args().any(|argument| argument == "formats") {
        formats::compare();
        return;
    }
    let prometheus_client = peers::prometheus_client();
    let exporter = peers::exporter();
    // The encoders take turns, so that other load of the machine affects all rows alike.
    let mut rows: [Row<'_>; 5] = [
        ("this crate, encoding a snapshot, OpenMetrics", Vec::new(), String::new(), &|| {
            ours.encode_open_metrics()
        }),
        ("this crate, encoding a snapshot, Prometheus", Vec::new(), String::new(), &|| {
            ours.encode_prometheus()
        }),
        ("this crate, reading recorders and encoding", Vec::new(), String::new(), &|| ours.expose()),
        ("prometheus-client", Vec::new(), String::new(), &|| peers::encode(&prometheus_client)),
        ("metrics-exporter-prometheus", Vec::new(), String::new(), &|| exporter.render()),
    ];
    for _ in 0..ROUNDS {
        for (_, times, text, encode) in &mut rows {
            let started = Instant::now();
            *text = black_box(encode());
            times.push(started.elapsed());
        }
    }
    println!("{ENTITIES} entities, median of {ROUNDS} rounds\n");
    println!("{:<48} {:>8} {:>10} {:>12}", "", "samples", "all", "a sample");
    for (name, times, text, _) in &mut rows {
        times.sort_unstable();
        let samples = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).count();
        let median = times[times.len() / 2];
        let per_sample =
            median.as_secs_f64() * 1e9 / f64::from(u32::try_from(samples).expect("not that many samples"));
        println!("{name:<48} {samples:>8} {:>7.2} ms {per_sample:>9.1} ns", median.as_secs_f64() * 1e3);
    }
    drop(ours);
    formats::compare();
    ours::rollup();
    stall::loop_and_registry();
}
