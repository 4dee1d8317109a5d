//! Metrics that Prometheus scrapes: one feature and three lines in `main`.
//!
//! Run with `cargo run --example prometheus_endpoint`, and look at it with `curl http://127.0.0.1:9464/metrics`. Jobs come
//! and go in it for ten seconds, or for as many as the first argument says; at the end it prints the exposition. Another port
//! may follow.

use std::error::Error;
use std::thread::sleep;
use std::time::{Duration, Instant};

use mvx_metrics::export::{Format, Scope};
use mvx_metrics::http::EndpointOptions;
use mvx_metrics::{Breakdown, Counter, Histogram, Label, Metric, MetricsRuntime, metric_event};

#[derive(Label, Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Done,
    Failed,
}

/// A job ended.
#[metric_event(name = "job.ended")]
struct JobEnded {
    outcome: Outcome,
    elapsed: Duration,
}

/// What workers do.
#[derive(Metric, Default)]
#[metric(name = "worker.jobs", on(JobEnded))]
struct WorkerJobs {
    /// Jobs that ended, by outcome.
    #[dimension(by = outcome)]
    ended: Breakdown<Outcome, Counter>,
    /// The time a job takes.
    #[dimension(value = elapsed)]
    time: Histogram<Duration>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let seconds: f64 = arguments.next().map_or(Ok(10.0), |argument| argument.parse())?;
    let options = match arguments.next() {
        Some(port) => EndpointOptions::new().port(port.parse()?),
        None => EndpointOptions::new(),
    };
    let runtime = MetricsRuntime::new("example.workers")?;
    runtime.start()?;
    let endpoint = runtime.serve_http(options)?;
    eprintln!("curl http://{}/metrics", endpoint.address());

    let begun = Instant::now();
    for number in 1.. {
        work(&runtime, number)?;
        if begun.elapsed().as_secs_f64() >= seconds {
            break;
        }
    }
    println!("{}", runtime.exposition(Scope::Rollup, Format::OpenMetrics)?.text);
    drop(endpoint);
    runtime.shutdown()?;
    Ok(())
}

/// One worker of many: its recorder ends with it, and its counts stay in the totals.
fn work(runtime: &MetricsRuntime, number: u32) -> Result<(), Box<dyn Error>> {
    let id = format!("worker-{number}");
    let recorder = runtime.create_recorder(&id)?;
    recorder.metric::<WorkerJobs>()?;
    for job in 0..number % 5 {
        let started = Instant::now();
        sleep(Duration::from_millis(u64::from(job)));
        let outcome = if job == 3 { Outcome::Failed } else { Outcome::Done };
        recorder.emit(JobEnded { outcome, elapsed: started.elapsed() });
    }
    runtime.stop_and_remove_recorder(&id)?;
    Ok(())
}
