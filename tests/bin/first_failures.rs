//! A program for `.ci/prometheus`: recorders that fail for the first time after a server has scraped them.
//!
//! `first_failures NAMESPACE RECORDERS` serves the metrics of so many recorders at two ports: each entity, and the rollup. It
//! prints both addresses, and reads commands from its standard input. It answers each command with the command's name, and ends
//! with its input.
//!
//! | command | effect |
//! |---|---|
//! | `fail` | every recorder counts its first failure |
//! | `replace` | every recorder replaces its metric; then the new metric counts two successes and a failure |

use std::error::Error;
use std::io::stdin;

use mvx_metrics::export::Scope;
use mvx_metrics::http::{EndpointOptions, ServiceOptions};
use mvx_metrics::{
    Breakdown, Counter, Label, Metric, MetricsRecorder, MetricsRuntime, Registered, metric_event,
};

#[derive(Label, Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Success,
    Failure,
}

#[metric_event]
struct Attempted {
    outcome: Outcome,
}

/// Attempts to do the work.
#[derive(Metric, Default)]
#[metric(on(Attempted))]
struct Attempts {
    /// Attempts by outcome.
    #[dimension(by = outcome)]
    total: Breakdown<Outcome, Counter>,
}

fn count(recorder: &MetricsRecorder, outcomes: &[Outcome]) {
    for outcome in outcomes {
        recorder.emit(Attempted { outcome: *outcome });
    }
}

fn replace_metric(recorder: &MetricsRecorder) -> Result<(), Box<dyn Error>> {
    match recorder.register_metric(Attempts::default())? {
        Registered::Replaced => Ok(()),
        Registered::Added => Err("there was no metric of this name".into()),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    use Outcome::{Failure, Success};
    let mut arguments = std::env::args().skip(1);
    let (Some(namespace), Some(recorders)) = (arguments.next(), arguments.next()) else {
        return Err("usage: first_failures NAMESPACE RECORDERS".into());
    };
    let runtime = MetricsRuntime::new(&namespace)?;
    runtime.start()?;
    let mut all = Vec::new();
    for number in 0..recorders.parse::<u32>()? {
        let recorder = runtime.create_recorder(&format!("{namespace}-{number}"))?;
        recorder.metric::<Attempts>()?;
        count(&recorder, &[Success, Success, Success]);
        all.push(recorder);
    }
    let serve = |scope| {
        let service = runtime.metrics_service(ServiceOptions::new().scope(scope));
        service.serve(EndpointOptions::new().port(0))
    };
    let [entities, rollup] = [serve(Scope::PerEntity)?, serve(Scope::Rollup)?];
    println!("serving {} {}", entities.address(), rollup.address());
    for command in stdin().lines() {
        let command = command?;
        for recorder in &all {
            match &*command {
                "fail" => count(recorder, &[Failure]),
                "replace" => {
                    replace_metric(recorder)?;
                    count(recorder, &[Success, Success, Failure]);
                }
                other => return Err(format!("there is no command `{other}`").into()),
            }
        }
        println!("{command}");
    }
    runtime.shutdown()?;
    Ok(())
}
