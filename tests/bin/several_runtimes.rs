//! A program for `.ci/prometheus`: three runtimes behind one address, with labels of the process, and with means.
//!
//! `several_runtimes` prints its address and serves one exposition of all there. It reads commands
//! from its standard input, answers each with the command's name, and ends with its input.
//!
//! | command | effect |
//! |---|---|
//! | `call` | each runtime counts two calls: one took 0.1 s for 200 bytes, one failed after 0.4 s and 800 bytes |

use std::error::Error;
use std::io::stdin;
use std::time::Duration;

use mvx_metrics::export::ExpositionOptions;
use mvx_metrics::http::{EndpointOptions, ServiceOptions};
use mvx_metrics::{Breakdown, Label, Mean, Metric, MetricsRecorder, MetricsRuntime, metric_event};

#[derive(Label, Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Success,
    Failure,
}

#[metric_event]
struct Called {
    outcome: Outcome,
    elapsed: Duration,
    bytes: u64,
}

/// Calls to the service.
#[derive(Metric, Default)]
#[metric(on(Called))]
struct Calls {
    /// How long a call takes.
    #[dimension(value = elapsed)]
    duration: Mean<Duration>,
    /// The size of a response.
    #[dimension(by = outcome, value = bytes, unit = bytes)]
    size: Breakdown<Outcome, Mean<u64>>,
}

fn call(recorder: &MetricsRecorder, outcome: Outcome, millis: u64, bytes: u64) {
    recorder.emit(Called { outcome, elapsed: Duration::from_millis(millis), bytes });
}

fn main() -> Result<(), Box<dyn Error>> {
    let start = |rack: &str| -> Result<(MetricsRuntime, MetricsRecorder), Box<dyn Error>> {
        let runtime =
            MetricsRuntime::builder("service").label("region", "north").label("rack", rack).build()?;
        runtime.start()?;
        let recorder = runtime.create_recorder("one")?;
        recorder.metric::<Calls>()?;
        // Long before the first scrape.
        call(&recorder, Outcome::Success, 10_000, 1);
        Ok((runtime, recorder))
    };
    // These two have different labels, and the third one has those of the first.
    let started = [start("r1")?, start("r2")?, start("r1")?];
    let exposition = ExpositionOptions::new().target_info(true).process(true);
    let service = started[0].0.metrics_service(ServiceOptions::new().exposition(exposition));
    let endpoint = service.and(&started[1].0).and(&started[2].0).serve(EndpointOptions::new().port(0))?;
    println!("serving {}", endpoint.address());
    for command in stdin().lines() {
        match &*command? {
            "call" => {
                for (_, recorder) in &started {
                    call(recorder, Outcome::Success, 100, 200);
                    call(recorder, Outcome::Failure, 400, 800);
                }
                println!("call");
            }
            other => return Err(format!("there is no command `{other}`").into()),
        }
    }
    Ok(())
}
