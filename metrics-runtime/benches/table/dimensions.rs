//! One metric for each dimension type, for callgrind: what one value costs inside of the metric's loop.

use std::time::Duration;

use mvx_metrics::{
    Breakdown, Counter, Distinct, Gauge, Histogram, InFlight, Max, Mean, Metric, MetricsRuntime,
    QueueOverflowPolicy, Recent, RecorderOptions, Sum, Top, metric_event,
};

use crate::workload::SaveOutcome;

/// The events of one batch.
const BATCH: u64 = 256;

/// An event with a value for each dimension type, as large as an event may be that is stored in place.
#[metric_event]
struct Measured {
    elapsed: Duration,
    bytes: u64,
    load: f64,
    name: &'static str,
    level: i32,
    outcome: SaveOutcome,
}

/// An event that no row emits.
#[metric_event]
struct Unmeasured;

impl Measured {
    /// The event of that number: the same in every run, with times from 16 us to 33 ms.
    fn number(number: u64) -> Self {
        let product = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mixed = product ^ (product >> 29);
        let bytes = (((mixed >> 32) & 0xFF_FFFF) >> (mixed & 7)) + (1 << 14);
        Self {
            elapsed: Duration::from_nanos(bytes),
            bytes,
            #[expect(clippy::cast_precision_loss, reason = "any number will do")]
            load: bytes as f64 / 7.0,
            name: ["north", "east", "south", "west"][(mixed & 3) as usize],
            level: (mixed & 0xFFFF) as i32,
            outcome: if mixed & 0x70 == 0 { SaveOutcome::Failure } else { SaveOutcome::Success },
        }
    }
}

/// Declares a metric for each dimension, and the list of their names.
macro_rules! dimensions {
    ($($name:literal => $metric:ident: $dimension:ty [$($option:tt)*];)*) => {
        $(
            #[derive(Metric, Default)]
            #[metric(on(Measured))]
            struct $metric {
                #[dimension($($option)*)]
                dimension: $dimension,
            }
        )*

        /// Applies batches of events to the metric with that dimension; `false` when there is no such dimension.
        pub fn apply(dimension: &str, batches: u64) -> bool {
            match dimension {
                $($name => dispatch($metric::default(), batches),)*
                "three_breakdowns" => dispatch(ThreeBreakdowns::default(), batches),
                _ => return false,
            }
            true
        }
    };
}

/// Three dimensions of one label.
#[derive(Metric, Default)]
#[metric(on(Measured))]
struct OfName {
    events: Counter,
    #[dimension(value = bytes)]
    bytes: Sum<u64>,
    #[dimension(value = elapsed)]
    longest: Max<Duration>,
}

/// The same, with a table of labels for each dimension.
#[derive(Metric, Default)]
#[metric(on(Measured), by = name, limit = 100)]
struct ThreeBreakdowns {
    events: Breakdown<String, Counter>,
    #[dimension(value = bytes)]
    bytes: Breakdown<String, Sum<u64>>,
    #[dimension(value = elapsed)]
    longest: Breakdown<String, Max<Duration>>,
}

dimensions! {
    "counter" => OfCounter: Counter [];
    "sum" => OfSum: Sum<u64> [value = bytes];
    "max" => OfMax: Max<u64> [value = bytes];
    "mean" => OfMean: Mean<Duration> [value = elapsed];
    "gauge" => OfGauge: Gauge<i64> [set = level];
    "in_flight" => OfInFlight: InFlight [on(Measured, add), on(Unmeasured, sub)];
    "breakdown_enum" => OfEnum: Breakdown<SaveOutcome, Counter> [by = outcome];
    "breakdown_string" => OfString: Breakdown<String, Counter> [by = name, limit = 100];
    "breakdown_metric" => OfMetric: Breakdown<String, OfName> [by = name, limit = 100];
    "histogram_duration" => OfTimes: Histogram<Duration> [value = elapsed];
    "histogram_u64" => OfIntegers: Histogram<u64> [value = bytes];
    "histogram_f64" => OfFloats: Histogram<f64> [value = load];
    "distinct" => OfDistinct: Distinct [value = bytes];
    "top" => OfTop: Top<String, Counter> [by = name, keep = 100];
    "recent_counter" => OfRecentCounter: Recent<Counter, 60> [];
    "recent_histogram" => OfRecentTimes: Recent<Histogram<Duration>, 60> [value = elapsed];
    "histogram_explicit" => OfExplicit: Histogram<Duration> [value = elapsed, buckets = exponential(0.000_016, 2, 12)];
}

/// Makes the loop find complete batches of events: it processes them only when a flush asks for it.
fn dispatch(metric: impl Metric, batches: u64) {
    let runtime = MetricsRuntime::new("bench").expect("a valid namespace");
    runtime.start().expect("the runtime starts");
    let options = RecorderOptions::new()
        .poll_interval(Duration::from_secs(1))
        .queue_overflow_policy(QueueOverflowPolicy::Error);
    let recorder = runtime.create_recorder_with("recorder", options).expect("a fresh id");
    recorder.register_metric(metric).expect("the recorder runs");
    for number in 0..batches * BATCH {
        let event = Measured::number(number);
        assert!(recorder.register_event(event).is_ok(), "an event within the limit was refused");
        if number % BATCH == BATCH - 1 {
            recorder.flush().wait().expect("this is not the runtime's thread");
        }
    }
    runtime.shutdown().expect("everything stops");
}
