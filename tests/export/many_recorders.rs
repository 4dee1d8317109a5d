//! Covers expositions of 10,000 recorders, in both scopes.

use std::time::Instant;

use mvx_metrics::export::{Format, Scope};

use crate::fixtures::{Outcome, finished, recorder, running, value};

#[test]
fn ten_thousand_recorders_are_rendered_in_both_scopes() {
    const RECORDERS: u32 = 10_000;
    let runtime = running("shop");
    for number in 0..RECORDERS {
        recorder(&runtime, &format!("connection-{number}")).emit(finished(Outcome::Success, 2));
    }
    for format in [Format::OpenMetrics, Format::Prometheus] {
        let started = Instant::now();
        let exposition = runtime.exposition(Scope::PerEntity, format).expect("the runtime runs");
        assert_eq!(exposition.skipped, []);
        let text = exposition.text;
        for number in [0, 1, RECORDERS / 2, RECORDERS - 1] {
            let series =
                format!("service_requests_total{{namespace=\"shop\",entity_id=\"connection-{number}\"}}");
            assert_eq!(value(&text, &series).to_string(), "1");
        }
        let totals = text.lines().filter(|line| line.starts_with("service_requests_total{")).count();
        assert_eq!(totals, RECORDERS as usize);
        assert_eq!(
            text.lines().filter(|line| line.starts_with("# TYPE service_requests_in_flight ")).count(),
            1
        );
        println!("{} lines in {:?}", text.lines().count(), started.elapsed());
    }
    let text = runtime.exposition(Scope::Rollup, Format::OpenMetrics).expect("the runtime runs").text;
    assert_eq!(value(&text, "service_requests_total{namespace=\"shop\"}").to_string(), RECORDERS.to_string());
    assert_eq!(
        value(&text, "mvx_metrics_recorders{namespace=\"shop\",state=\"RUNNING\"}").to_string(),
        "10000"
    );
}
