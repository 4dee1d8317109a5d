//! The catalogue of a program: its JSON and its page, names that clash, and what a change breaks.
//!
//! Run with `cargo run --example catalogue`. No runtime is started and no event is emitted: all comes from the declarations. A real
//! program has one list of its metrics, and a test that calls `Catalogue::assert_file`. The older version, which a test would read from the
//! committed file, stands in a module of its own here.

use std::error::Error;
use std::time::Duration;

use mvx_metrics::catalogue::{Catalogue, CatalogueError};
use mvx_metrics::{Breakdown, Counter, Histogram, Label, Max, Metric, catalogue, metric_event};

#[expect(dead_code, reason = "nothing is uploaded here")]
#[derive(Label, Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Stored,
    Refused,
    Failed,
}

/// An upload ended.
#[metric_event(name = "upload.ended")]
struct UploadEnded {
    outcome: Outcome,
    bucket: String,
    elapsed: Duration,
    bytes: u64,
}

/// Uploads to the store.
#[derive(Metric, Default)]
#[metric(name = "uploads", on(UploadEnded))]
struct Uploads {
    /// All uploads.
    total: Counter,
    /// Uploads by their end.
    #[dimension(by = outcome)]
    by_outcome: Breakdown<Outcome, Counter>,
    #[dimension(by = bucket, limit = 50)]
    by_bucket: Breakdown<String, Counter>,
    /// How long an upload took.
    #[dimension(value = elapsed, buckets = [0.1, 0.5, 2])]
    elapsed: Histogram<Duration>,
    #[dimension(value = bytes, unit = bytes)]
    largest: Max<u64>,
}

/// The same metric as an earlier version had it.
mod before {
    use super::{Breakdown, Counter, Duration, Histogram, Label, Max, Metric, UploadEnded};

    #[derive(Label, Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Outcome {
        Stored,
        Rejected,
        Failed,
    }

    impl Outcome {
        fn of(outcome: super::Outcome) -> Self {
            match outcome {
                super::Outcome::Stored => Self::Stored,
                super::Outcome::Refused => Self::Rejected,
                super::Outcome::Failed => Self::Failed,
            }
        }
    }

    /// Uploads.
    #[derive(Metric, Default)]
    #[metric(name = "uploads", on(UploadEnded))]
    pub struct Uploads {
        /// All uploads.
        count: Counter,
        /// Uploads by their end.
        #[dimension(by(outcome = |e| Outcome::of(e.outcome)))]
        by_outcome: Breakdown<Outcome, Counter>,
        #[dimension(by = bucket, limit = 20)]
        by_bucket: Breakdown<String, Counter>,
        /// How long an upload took.
        #[dimension(value = elapsed, buckets = [0.1, 1])]
        elapsed: Histogram<Duration>,
        #[dimension(value = bytes, unit = bytes)]
        largest: Max<u64>,
    }
}

/// A metric whose name and dimension spell the name of a series that `Uploads` has.
#[derive(Metric, Default)]
#[metric(name = "uploads.elapsed", on(UploadEnded))]
struct Clashing {
    #[dimension(value = bytes)]
    seconds_count: Max<u64>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let newer = catalogue![Uploads]?;

    println!("== What dashboards may ask for\n");
    for family in
        newer.metrics.iter().flat_map(|metric| &metric.dimensions).flat_map(|dimension| &dimension.families)
    {
        println!("{} by {:?}", family.series().join(", "), family.labels);
    }

    println!("\n== A page for people\n");
    print!("{}", newer.to_markdown());

    println!("\n== The beginning of the JSON, which a repository has and `mvx-metrics` reads\n");
    let json = newer.to_json();
    for line in json.lines().take(26) {
        println!("{line}");
    }
    assert_eq!(Catalogue::from_json(&json)?, newer);

    println!("\n== Names that clash\n");
    match catalogue![Uploads, Clashing] {
        Err(error @ CatalogueError::SameName(_)) => println!("{error}"),
        other => println!("no names clash: {other:?}"),
    }

    println!("\n== What this version breaks\n");
    println!("{}", catalogue![before::Uploads]?.diff(&newer));
    Ok(())
}
