//! Durations that JSON shows in another unit are in seconds in all text formats. Covers DL5.

use std::time::Duration;

use mvx_metrics::export::{Format, Scope};
use mvx_metrics::{Breakdown, Histogram, Max, Mean, Metric, MetricsRuntime, Recent, Sum, Top, metric_event};
use mvx_metrics_tests::messages;

use crate::fixtures::{FORMATS, Outcome, SCOPES, running};

#[metric_event]
#[derive(Clone)]
struct Saved {
    outcome: Outcome,
    elapsed: Duration,
}

mod shown_in_seconds {
    use super::*;

    #[derive(Metric, Default)]
    #[metric(name = "saves", on(Saved))]
    pub struct Saves {
        #[dimension(value = elapsed)]
        spent: Sum<Duration>,
        #[dimension(value = elapsed)]
        longest: Max<Duration>,
        #[dimension(value = elapsed)]
        mean: Mean<Duration>,
        #[dimension(value = elapsed)]
        powers: Histogram<Duration>,
        #[dimension(value = elapsed, buckets = [0.001, 1, 60])]
        bounds: Histogram<Duration>,
        #[dimension(value = elapsed, by = outcome)]
        by_outcome: Breakdown<Outcome, Mean<Duration>>,
        #[dimension(value = elapsed)]
        lately: Recent<Max<Duration>, 3_600>,
        #[dimension(value = elapsed, by = outcome, keep = 2)]
        slowest: Top<Outcome, Sum<Duration>>,
    }
}

mod shown_in_other_units {
    use super::*;

    const BOUNDS: [Duration; 3] = [Duration::from_millis(1), Duration::from_secs(1), Duration::from_mins(1)];

    #[derive(Metric, Default)]
    #[metric(name = "saves", on(Saved))]
    pub struct Saves {
        #[dimension(value = elapsed, unit = milliseconds)]
        spent: Sum<Duration>,
        #[dimension(value = elapsed, unit = microseconds)]
        longest: Max<Duration>,
        #[dimension(value = elapsed, unit = nanoseconds)]
        mean: Mean<Duration>,
        #[dimension(value = elapsed, unit = milliseconds)]
        powers: Histogram<Duration>,
        #[dimension(value = elapsed, unit = microseconds, buckets = BOUNDS)]
        bounds: Histogram<Duration>,
        #[dimension(value = elapsed, by = outcome, unit = milliseconds)]
        by_outcome: Breakdown<Outcome, Mean<Duration>>,
        #[dimension(value = elapsed, unit = milliseconds)]
        lately: Recent<Max<Duration>, 3_600>,
        #[dimension(value = elapsed, by = outcome, keep = 2, unit = milliseconds)]
        slowest: Top<Outcome, Sum<Duration>>,
    }
}

fn runtime_of<M: Metric + Default>() -> MetricsRuntime {
    let runtime = running("shop");
    let recorder = runtime.create_recorder("store").expect("the id is free");
    recorder.register_metric(M::default()).expect("the recorder runs");
    for nanos in [1_500_000, 20, 3_000_000_007_u64] {
        recorder.emit(Saved { outcome: Outcome::Success, elapsed: Duration::from_nanos(nanos) });
    }
    recorder.metric_snapshots().expect("the recorder runs");
    runtime
}

/// The lines about the metric, without the times of creation.
fn lines(runtime: &MetricsRuntime, format: Format, scope: Scope) -> Vec<String> {
    let text = runtime.totals(scope).expect("the runtime runs").exposition(format).text;
    let lines = text.lines().filter(|line| line.contains("saves_") && !line.contains("_created"));
    lines.map(str::to_owned).collect()
}

#[test]
fn dl5_the_texts_are_in_seconds_whatever_unit_json_has() {
    let seconds = runtime_of::<shown_in_seconds::Saves>();
    let others = runtime_of::<shown_in_other_units::Saves>();
    for format in FORMATS {
        for scope in SCOPES {
            let expected = lines(&seconds, format, scope);
            assert!(expected.len() > 30, "{expected:?}");
            assert!(
                expected.iter().any(|line| line.starts_with("saves_spent_seconds_total{")),
                "{expected:?}"
            );
            assert_eq!(lines(&others, format, scope), expected);
        }
    }
    let units = [&seconds, &others].map(|runtime| {
        let exposition = runtime.exposition(Scope::Rollup, Format::Protobuf).expect("the runtime runs");
        let families = messages::decode(exposition.as_bytes()).into_iter();
        families.map(|family| (family.name, family.unit)).collect::<Vec<_>>()
    });
    assert_eq!(units[0], units[1]);
    assert!(units[0].iter().any(|(_, unit)| unit.as_deref() == Some("seconds")), "{:?}", units[0]);
}
