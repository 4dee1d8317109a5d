//! Distributions: errors against exact quantiles, sizes and costs, beside the crates that users would take instead.
//!
//! `cargo bench -p mvx-metrics --bench distributions` prints the tables in about a minute. An error is relative to the exact
//! quantile: the smallest value that at least this share of all values does not exceed. The sketches record in turn, round
//! by round. Times are those of the fastest round: the work is the same in each, and the machine's other load only adds to it.
//! Where valgrind is installed, a table has the instructions per value.

#[path = "../table/allocator.rs"]
#[expect(dead_code, reason = "the other bench uses the rest")]
mod allocator;
#[path = "../table/figure.rs"]
#[expect(dead_code, reason = "the other bench uses the rest")]
mod figure;
mod instructions;
mod ours;
mod peers;
#[path = "../table/report.rs"]
#[expect(dead_code, reason = "the other bench uses the rest")]
mod report;
mod samples;
mod sketch;

use std::env;
use std::fmt::Display;

use figure::{Figure, as_float};
use ours::{BoundedRequests, Durations, Floats, Requests};
use peers::{DdSketch, H2, Hdr, Native};
use report::Report;
use samples::Samples;
use sketch::{Participant, Sketch, Trial};

/// The shares of which quantiles are shown, with their names.
const QUANTILES: [(&str, f64); 4] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)];
const ROUNDS: usize = 21;
/// The sizes after so many values.
const COUNTS: [usize; 6] = [0, 1, 10, 100, 1_000, samples::VALUES];
/// The largest errors in percent that are promised up to a spread of the values.
const PROMISES: [(f64, f64); 2] = [(950.0, 2.2), (900_000.0, 4.5)];
/// What a full histogram may take, in bytes: 1.4 KiB.
const MAX_BYTES: f64 = 1_434.0;
/// Which share of a peer's time a value may take at most.
const GOALS: [(&str, &str, f64); 2] = [
    ("time of a value, as a share of sketches-ddsketch", DdSketch::<1>::NAME, 0.4),
    ("time of a value, as a share of histogram", H2::NAME, 4.0),
];

/// Ours come first.
const PARTICIPANTS: [&dyn Participant; 10] = [
    &Trial::<Durations>::new(),
    &Trial::<Floats>::new(),
    &Trial::<Requests>::new(),
    &Trial::<BoundedRequests>::new(),
    &Trial::<Hdr<3>>::new(),
    &Trial::<Hdr<2>>::new(),
    &Trial::<DdSketch<1>>::new(),
    &Trial::<DdSketch<2>>::new(),
    &Trial::<H2>::new(),
    &Trial::<Native>::new(),
];

/// The exponential histograms among them, which have the goals.
const EXPONENTIAL: [&str; 3] = [Durations::NAME, Floats::NAME, Requests::NAME];

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    // Without this argument of `cargo bench` it is a test run, which has nothing to measure.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    if let Some(run) = instructions::from_arguments(&arguments) {
        return run.execute();
    }
    let report = Report::default();
    println!("{} values of each distribution, the fastest of {ROUNDS} rounds", samples::VALUES);
    let distributions = samples::all();
    let recordings: Vec<_> = distributions.iter().map(|samples| measure(samples, &report)).collect();
    sizes(&report);
    instructions::print();
    ratios(&distributions, &recordings, &report);
    report.close();
}

/// Prints errors, size and costs for one distribution. Returns the nanoseconds per value.
fn measure(samples: &Samples, report: &Report) -> Vec<Figure> {
    let recording = rounds(|participant| participant.record_round(&samples.values));
    let merging = rounds(|participant| participant.merge_round(&samples.values));
    let promise = PROMISES.iter().find(|(spread, _)| samples.spread() <= *spread).map(|(_, error)| *error);
    let promised =
        promise.map_or("which is beyond the promise".to_owned(), |error| format!("promised error {error}%"));
    report.row(
        samples.title,
        &format!("the largest value is {:.0} x the smallest, {promised}", samples.spread()),
    );
    line("error at", QUANTILES.iter().map(|(name, _)| *name).chain(["bytes", "ns/value", "ns/merge"]));
    let mut largest = 0.0_f64;
    for ((participant, recording), merging) in PARTICIPANTS.iter().zip(&recording).zip(merging) {
        let quantiles = participant.quantiles(&samples.values, &QUANTILES.map(|(_, share)| share));
        let error = |((_, share), answer): (&(&str, f64), Option<f64>)| {
            let exact = as_float(samples.quantile(*share));
            answer.map_or(f64::NAN, |answer| 100.0 * (answer - exact) / exact)
        };
        let errors: Vec<f64> = QUANTILES.iter().zip(quantiles).map(error).collect();
        let [recorded, merged] = [recording.lowest(), merging.lowest()];
        let costs = [
            format!("{:.0}", participant.bytes(&samples.values)),
            format!("{recorded:.1}"),
            or_dash(merged, format!("{merged:.0}")),
        ];
        line(
            participant.name(),
            errors.iter().map(|error| or_dash(*error, format!("{error:+.2}%"))).chain(costs),
        );
        if EXPONENTIAL.contains(&participant.name()) {
            // A quantile that is missing fails the goal.
            let sizes = errors.iter().map(|error| if error.is_nan() { f64::INFINITY } else { error.abs() });
            largest = sizes.fold(largest, f64::max);
        }
    }
    if let Some(promise) = promise {
        let measured = match largest {
            f64::INFINITY => "a quantile is missing".to_owned(),
            _ => format!("error of {largest:.2}%"),
        };
        report.judge(measured, format!("{promise}%"), largest <= promise);
    }
    recording
}

/// Prints the sizes after a few values and after many.
fn sizes(report: &Report) {
    let (samples, widest) = (samples::log_normal(), samples::widest());
    let measure = format!("bytes in place and on the heap, {}; when full, {}", samples.title, widest.title);
    report.row("size after so many values", &measure);
    line("values", COUNTS.iter().map(ToString::to_string).chain(["full".to_owned()]));
    let mut largest = 0.0_f64;
    for participant in PARTICIPANTS {
        let growing = COUNTS.iter().map(|count| participant.bytes(&samples.values[..*count]));
        let full = participant.bytes(&widest.values);
        line(participant.name(), growing.chain([full]).map(|bytes| format!("{bytes:.0}")));
        if EXPONENTIAL.contains(&participant.name()) {
            largest = largest.max(full);
        }
    }
    report.judge(format!("{largest:.0} bytes"), format!("{MAX_BYTES}"), largest <= MAX_BYTES);
}

/// Prints how our times compare with those of the peers that there are goals for.
fn ratios(distributions: &[Samples], recordings: &[Vec<Figure>], report: &Report) {
    for (title, peer, at_most) in GOALS {
        report.row(title, peer);
        line(
            "",
            distributions.iter().map(|samples| samples.title.split([',', ' ']).next().unwrap_or_default()),
        );
        for ours in EXPONENTIAL {
            let lowest = |figures: &[Figure], name| {
                figures.iter().find(|figure| figure.name == name).map_or(f64::NAN, Figure::lowest)
            };
            let ratios = recordings.iter().map(|figures| lowest(figures, ours) / lowest(figures, peer));
            let ratios: Vec<f64> = ratios.collect();
            line(ours, ratios.iter().map(|ratio| format!("{ratio:.2}")));
            let largest = ratios.iter().copied().fold(0.0, f64::max);
            report.judge(format!("{largest:.2}, {ours}"), format!("{at_most}"), largest <= at_most);
        }
    }
}

/// A figure as text, or a dash where there is none.
fn or_dash(figure: f64, text: String) -> String {
    if figure.is_nan() { "-".to_owned() } else { text }
}

/// Prints a line of a table.
fn line(name: &str, cells: impl Iterator<Item = impl Display>) {
    print!("    {name:<32}");
    for cell in cells {
        print!("{cell:>12}");
    }
    println!();
}

/// Measures all participants in turn, since a machine's speed drifts.
fn rounds(measure: impl Fn(&dyn Participant) -> f64) -> Vec<Figure> {
    let mut figures: Vec<_> =
        PARTICIPANTS.iter().map(|participant| Figure::new(participant.name())).collect();
    for _ in 0..ROUNDS {
        for (participant, figure) in PARTICIPANTS.iter().zip(&mut figures) {
            figure.push(measure(*participant));
        }
    }
    figures
}
