//! The line protocol: a sync component that holds a recorder and knows nothing of tokio or of the network.
//!
//! A request is a line `ECHO <text>`, `UPPER <text>` or `SUM <numbers>`; the reply is a line `OK <text>` or `ERR <why>`.

use std::time::{Duration, Instant};

use mvx_metrics::{Counter, Label, Max, Mean, Metric, MetricsRecorderError, Recorder, Sum, metric_event};

/// How a request ended.
#[derive(Label, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The reply was `OK`.
    Ok,
    /// The request broke the protocol.
    ProtocolError,
}

/// A request was answered.
#[metric_event(name = "connection.request")]
pub struct RequestAnswered {
    outcome: Outcome,
    received: u64,
    sent: u64,
    elapsed: Duration,
}

/// What went over one connection.
#[derive(Metric, Default)]
#[metric(name = "connection.traffic", on(RequestAnswered))]
pub struct ConnectionTraffic {
    /// All requests.
    requests: Counter,
    /// Requests that broke the protocol.
    #[dimension(when = |e| e.outcome == Outcome::ProtocolError)]
    protocol_errors: Counter,
    /// Bytes received, line ends included.
    #[dimension(value = received, unit = "bytes")]
    received: Sum<u64>,
    /// Bytes sent, line ends included.
    #[dimension(value = sent, unit = "bytes")]
    sent: Sum<u64>,
    /// The largest request.
    #[dimension(value = received, unit = "bytes")]
    largest_request: Max<u64>,
    /// The time it took to answer a request.
    #[dimension(value = elapsed)]
    answer_time: Mean<Duration>,
}

/// The server's side of one connection.
pub struct Session<R> {
    recorder: R,
}

impl<R: Recorder> Session<R> {
    /// A session. The recorder counts its requests.
    pub fn new(recorder: R) -> Result<Self, MetricsRecorderError> {
        recorder.metric::<ConnectionTraffic>()?;
        Ok(Self { recorder })
    }

    /// Answers a request; both lines come with their line ends.
    pub fn answer(&self, request: &str) -> String {
        let started = Instant::now();
        let result = execute(request.trim_end_matches(['\r', '\n']));
        let reply = match &result {
            Ok(text) => format!("OK {text}\n"),
            Err(why) => format!("ERR {why}\n"),
        };
        self.recorder.emit(RequestAnswered {
            outcome: if result.is_ok() { Outcome::Ok } else { Outcome::ProtocolError },
            received: request.len() as u64,
            sent: reply.len() as u64,
            elapsed: started.elapsed(),
        });
        reply
    }
}

fn execute(request: &str) -> Result<String, &'static str> {
    let (command, argument) = request.split_once(' ').ok_or("a request is a command and an argument")?;
    match command {
        "ECHO" => Ok(argument.to_owned()),
        "UPPER" => Ok(argument.to_uppercase()),
        "SUM" => {
            let numbers: Result<Vec<i64>, _> = argument.split(' ').map(str::parse).collect();
            let numbers = numbers.map_err(|_| "SUM takes whole numbers")?;
            let sum = numbers.into_iter().try_fold(0_i64, i64::checked_add);
            sum.map(|sum| sum.to_string()).ok_or("the sum is too large")
        }
        _ => Err("the commands are ECHO, UPPER and SUM"),
    }
}
