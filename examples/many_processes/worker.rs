//! A worker process. The parent writes commands to its standard input, and the worker answers each of them when it is done.
//!
//! | command | effect | answer |
//! |---|---|---|
//! | `work COUNT` | accepts so many jobs more | `worked` |
//! | `push` | hands its state over | `pushed` |
//! | `stop` | shuts its runtime down, hands its last state over and ends | `stopped` |
//!
//! A worker also ends with its input, so none outlives a parent that is killed.

use std::fs;
use std::io::stdin;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use mvx_metrics::{MetricsRuntime, Scope};
use mvx_metrics_otlp::{OtlpOptions, OtlpPusher, Temporality};

use crate::Failure;
use crate::jobs::{Jobs, NAMESPACE, jobs_of};

/// Where a worker hands its state over, as the parent writes it into the arguments.
#[derive(Debug, Clone)]
pub enum Target {
    /// A folder, which gets a file for each worker.
    Files(PathBuf),
    /// A collector of OTLP.
    Collector(SocketAddr),
}

impl Target {
    pub fn arguments(&self) -> [String; 2] {
        match self {
            Self::Files(folder) => ["files".to_owned(), folder.display().to_string()],
            Self::Collector(address) => ["collector".to_owned(), address.to_string()],
        }
    }

    fn of(arguments: [&str; 2]) -> Result<Self, Failure> {
        match arguments {
            ["files", folder] => Ok(Self::Files(folder.into())),
            ["collector", address] => Ok(Self::Collector(address.parse()?)),
            [other, _] => Err(format!("there is no target `{other}`").into()),
        }
    }
}

/// Hands the state of one worker over.
enum Push {
    File { path: PathBuf, next: PathBuf },
    Otlp(OtlpPusher),
}

impl Push {
    fn start(target: Target, runtime: &MetricsRuntime, worker: u64) -> Result<Self, Failure> {
        Ok(match target {
            Target::Files(folder) => Self::File {
                path: folder.join(format!("{worker}.json")),
                next: folder.join(format!("{worker}.next")),
            },
            Target::Collector(address) => {
                let options = OtlpOptions::new()
                    .endpoint(format!("http://{address}"))
                    // The parent decides when there is a push.
                    .interval(Duration::from_hours(1))
                    .temporality(Temporality::Delta)
                    .resource_attribute("service.instance.id", worker.to_string())
                    // The example's collector does not decompress.
                    .gzip(false);
                Self::Otlp(OtlpPusher::start(runtime, options)?)
            }
        })
    }

    fn push(&self, runtime: &MetricsRuntime) -> Result<(), Failure> {
        match self {
            // A rename is atomic. A worker that is killed leaves the state before or the one after, and never half of one.
            Self::File { path, next } => {
                fs::write(next, serde_json::to_string(&runtime.totals(Scope::Rollup)?)?)?;
                fs::rename(next, path)?;
            }
            Self::Otlp(pusher) => pusher.push()?,
        }
        Ok(())
    }

    /// The last push, after the shutdown of the runtime: its final state has every accepted event.
    fn finish(self, runtime: &MetricsRuntime) -> Result<(), Failure> {
        match self {
            Self::File { .. } => self.push(runtime)?,
            Self::Otlp(pusher) => drop(pusher.shutdown(Duration::from_secs(5))?),
        }
        Ok(())
    }
}

/// Runs the worker with this number.
pub fn run(target: [&str; 2], number: &str) -> Result<(), Failure> {
    let number = number.parse()?;
    let runtime = MetricsRuntime::new(NAMESPACE)?;
    runtime.start()?;
    let recorder = runtime.create_recorder(&format!("worker-{number}"))?;
    recorder.metric::<Jobs>()?;
    let push = Push::start(Target::of(target)?, &runtime, number)?;
    let mut jobs = jobs_of(number);
    for command in stdin().lines() {
        let command = command?;
        match command.split_once(' ').unwrap_or((&command, "")) {
            ("work", count) => {
                for job in jobs.by_ref().take(count.parse()?) {
                    // The call waits for room, so every job is accepted.
                    recorder.register_event_blocking(job, Duration::from_secs(10))?;
                }
                println!("worked");
            }
            ("push", "") => {
                push.push(&runtime)?;
                println!("pushed");
            }
            ("stop", "") => {
                runtime.shutdown()?;
                push.finish(&runtime)?;
                println!("stopped");
                return Ok(());
            }
            _ => return Err(format!("there is no command `{command}`").into()),
        }
    }
    Ok(())
}
