//! A program for `.ci/prometheus`: three runtimes behind one address, with labels of the process, and with means.
//!
//! `several_runtimes` prints its address and answers every request there with one exposition of all. It reads commands
//! from its standard input, answers each with the command's name, and ends with its input.
//!
//! | command | effect |
//! |---|---|
//! | `call` | each runtime counts two calls: one took 0.1 s for 200 bytes, one failed after 0.4 s and 800 bytes |

use std::error::Error;
use std::io::{BufRead, BufReader, Write, stdin};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use mvx_metrics::export::{ExpositionOptions, Format};
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

/// Answers one request.
fn answer(mut client: TcpStream, runtimes: &[&MetricsRuntime]) -> Result<(), Box<dyn Error>> {
    let mut accept = String::new();
    for line in BufReader::new(client.try_clone()?).lines() {
        let line = line?;
        match line.split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("accept") => {
                value.trim().clone_into(&mut accept);
            }
            _ if line.is_empty() => break,
            _ => {}
        }
    }
    let format = Format::negotiate(&accept);
    let options = ExpositionOptions::new().format(format).target_info(true).process(true);
    let text = MetricsRuntime::exposition_of(runtimes, &options)?.text;
    let (content_type, length) = (format.content_type(), text.len());
    write!(
        client,
        "HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{text}"
    )?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let start = |rack: &str| -> Result<(Arc<MetricsRuntime>, MetricsRecorder), Box<dyn Error>> {
        let runtime =
            MetricsRuntime::builder("service").label("region", "north").label("rack", rack).build()?;
        runtime.start()?;
        let recorder = runtime.create_recorder("one")?;
        recorder.metric::<Calls>()?;
        // Long before the first scrape.
        call(&recorder, Outcome::Success, 10_000, 1);
        Ok((Arc::new(runtime), recorder))
    };
    // These two have different labels, and the third one has those of the first.
    let started = [start("r1")?, start("r2")?, start("r1")?];
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("serving {}", listener.local_addr()?);
    let served = started.each_ref().map(|(runtime, _)| Arc::clone(runtime));
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            // A client that has gone needs no answer.
            let _ = answer(client, &served.each_ref().map(|runtime| &**runtime));
        }
    });
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
