//! A program for `.ci/prometheus`: histograms without declared bounds. A server with native histograms computes their quantiles.
//!
//! `native_histograms` prints lines `exact SERIES QUANTILE VALUE BOUND`, then its address, and serves the histograms. A quantile that
//! the server computes may differ from the exact value by so large a part of it. The program reads commands from its standard
//! input, answers each with the command's name, and ends with its input.
//!
//! | command | effect |
//! |---|---|
//! | `again` | the program records all values once more |

use std::error::Error;
use std::io::stdin;
use std::time::Duration;

use mvx_metrics::http::EndpointOptions;
use mvx_metrics::{Breakdown, Histogram, Label, Metric, MetricsRecorder, MetricsRuntime, metric_event};

/// How many values each distribution has.
const VALUES: u32 = 20_000;
const QUANTILES: [f64; 5] = [0.05, 0.3, 0.5, 0.95, 0.99];
/// The width of a bucket as a part of its lower bound, for values up to 950 times the smallest one: scale 4.
const NARROW: f64 = 0.0443;
/// The same up to 900,000 times: scale 3.
const WIDE: f64 = 0.0906;

#[derive(Label, Debug, Clone, Copy, PartialEq, Eq)]
enum Distribution {
    Uniform,
    Exponential,
    LogNormal,
    TwoPeaks,
    Signed,
}

#[metric_event]
struct Observed {
    distribution: Distribution,
    value: f64,
}

#[metric_event]
struct Finished {
    elapsed: Duration,
}

#[metric_event]
struct Failed {
    elapsed: Duration,
}

/// The observed values.
#[derive(Metric, Default)]
#[metric(name = "observed", on(Observed))]
struct Distributions {
    /// The values by distribution.
    #[dimension(by = distribution, value = value)]
    values: Breakdown<Distribution, Histogram<f64>>,
    /// How long the work took.
    #[dimension(on(Finished), value = elapsed)]
    work: Histogram<Duration>,
    /// How long a failure took. There is none.
    #[dimension(on(Failed), value = elapsed)]
    failures: Histogram<Duration>,
}

/// Pseudo-random numbers, the same in every run.
struct Random(u64);

impl Random {
    /// A number above 0, and up to 1.
    fn unit(&mut self) -> f64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let high = u32::try_from((mixed ^ (mixed >> 31)) >> 32).unwrap_or(u32::MAX);
        (f64::from(high) + 1.0) / 4_294_967_296.0
    }

    fn between(&mut self, least: f64, most: f64) -> f64 {
        least + (most - least) * self.unit()
    }

    fn value(&mut self, distribution: Distribution) -> f64 {
        match distribution {
            Distribution::Uniform => self.between(1.0, 100.0),
            Distribution::Exponential => 0.5 - 10.0 * self.unit().ln(),
            Distribution::LogNormal => {
                let normal: f64 = (0..12).map(|_| self.unit()).sum::<f64>() - 6.0;
                (1.2 * normal).exp()
            }
            // An outlier in a thousand, slow ones in ten, and the others.
            Distribution::TwoPeaks => match self.unit() {
                share if share < 0.001 => 60.0,
                share if share < 0.1 => self.between(0.9, 1.3),
                _ => self.between(0.000_1, 0.000_3),
            },
            Distribution::Signed => match self.unit() {
                share if share < 0.25 => -self.between(1.0, 100.0),
                share if share < 0.375 => 0.0,
                _ => self.between(1.0, 100.0),
            },
        }
    }
}

/// The values of a distribution, and how exact their quantiles are.
fn values_of(distribution: Distribution) -> (Vec<f64>, f64) {
    let mut random = Random(1);
    let values = (0..VALUES).map(|_| random.value(distribution)).collect();
    let bound = match distribution {
        Distribution::Uniform | Distribution::Exponential => NARROW,
        Distribution::LogNormal | Distribution::TwoPeaks | Distribution::Signed => WIDE,
    };
    (values, bound)
}

/// Prints the quantiles of values: the smallest value that is not below so large a share of them.
fn print_exact(series: &str, values: &[f64], bound: f64) {
    let mut values = values.to_vec();
    values.sort_unstable_by(f64::total_cmp);
    for quantile in QUANTILES {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and `VALUES`")]
        let rank = (quantile * f64::from(VALUES)).ceil() as usize;
        println!("exact {series} {quantile} {:?} {bound}", values[rank - 1]);
    }
}

const ALL: [(Distribution, &str); 5] = [
    (Distribution::Uniform, "uniform"),
    (Distribution::Exponential, "exponential"),
    (Distribution::LogNormal, "log_normal"),
    (Distribution::TwoPeaks, "two_peaks"),
    (Distribution::Signed, "signed"),
];

fn record(recorder: &MetricsRecorder) -> Result<(), Box<dyn Error>> {
    let wait = Duration::from_secs(10);
    for (distribution, _) in ALL {
        for value in values_of(distribution).0 {
            recorder.register_event_blocking(Observed { distribution, value }, wait)?;
            if distribution == Distribution::TwoPeaks {
                let elapsed = Duration::from_secs_f64(value);
                recorder.register_event_blocking(Finished { elapsed }, wait)?;
            }
        }
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = MetricsRuntime::new("native")?;
    runtime.start()?;
    let recorder = runtime.create_recorder("one")?;
    recorder.metric::<Distributions>()?;
    record(&recorder)?;
    for (distribution, label) in ALL {
        let (values, bound) = values_of(distribution);
        print_exact(&format!("observed_values{{distribution=\"{label}\"}}"), &values, bound);
    }
    let (values, bound) = values_of(Distribution::TwoPeaks);
    print_exact("observed_work_seconds", &values, bound);
    let endpoint = runtime.serve_http(EndpointOptions::new().port(0))?;
    println!("serving {}", endpoint.address());
    for command in stdin().lines() {
        match &*command? {
            "again" => {
                record(&recorder)?;
                println!("again");
            }
            other => return Err(format!("there is no command `{other}`").into()),
        }
    }
    runtime.shutdown()?;
    Ok(())
}
