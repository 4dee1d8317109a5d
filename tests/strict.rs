//! Events, labels and metrics under every lint of the workspace, `clippy::pedantic` included, and with `missing_docs`
//! denied. The generated code must be free of warnings. There is nothing to run.

use std::time::Duration;

use mvx_metrics::{
    Breakdown, Counter, Distinct, Gauge, Histogram, InFlight, Label, Max, Mean, Metric, Min, Recent, Sum,
    Top, metric_event,
};

/// How a request ended.
#[derive(Label, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// With an answer.
    Success,
    /// With an error.
    Failure,
}

/// A request was answered.
#[metric_event(name = "strict.answered")]
pub struct Answered {
    /// How the request ended.
    pub outcome: Outcome,
    /// The host that asked.
    pub host: String,
    /// The time from the request to the answer.
    pub elapsed: Duration,
    /// The size of the answer.
    pub bytes: u64,
    /// The load of the server at the end.
    pub load: f64,
}

/// A request arrived or was given up.
#[metric_event]
pub enum Request {
    /// The request arrived.
    Arrived,
    /// The request was given up after this time.
    GivenUp(Duration),
}

/// A dimension of every type.
#[derive(Metric, Debug, Default)]
#[metric(name = "strict.requests", on(Answered), on(Request, with = Self::given_up))]
pub struct Requests {
    /// Answered requests.
    pub total: Counter,
    #[dimension(on(Answered, value = bytes), unit = bytes)]
    bytes: Sum<u64>,
    #[dimension(on(Answered, value = elapsed, when = |e| e.outcome == Outcome::Success))]
    shortest: Min<Duration>,
    #[dimension(on(Answered, value = elapsed))]
    longest: Max<Duration>,
    #[dimension(on(Answered, value = |e| e.load * 100.0))]
    mean: Mean<f64>,
    #[dimension(on(Answered, set = load), on(Request, set = 0), merge = max)]
    load: Gauge<f64>,
    #[dimension(on(Request, add), on(Answered, sub))]
    in_flight: InFlight,
    #[dimension(on(Answered, value = bytes), buckets = [100, 1_000])]
    sizes: Histogram<u64>,
    #[dimension(on(Answered, value = host))]
    hosts: Distinct,
    #[dimension(on(Answered, by(outcome, host), limit = 10, value = elapsed))]
    by_outcome: Breakdown<(Outcome, String), Histogram<Duration>>,
    #[dimension(on(Answered, by(outcome, host), keep = 10, value = elapsed))]
    slowest: Top<(Outcome, String), Sum<Duration>>,
    #[dimension(on(Answered, by = outcome, value = elapsed))]
    lately: Breakdown<Outcome, Recent<Max<Duration>, 60>>,
    #[dimension(manual)]
    given_up: Counter,
}

impl Requests {
    fn given_up(&mut self, event: &Request) -> bool {
        match event {
            Request::Arrived => false,
            Request::GivenUp(after) => {
                self.given_up.increment_by(after.as_secs());
                true
            }
        }
    }
}

/// A metric that flattens another one.
#[derive(Metric, Debug, Default)]
#[metric(on(Answered), on(Request))]
pub struct Service {
    /// All requests.
    #[dimension(flatten(prefix = "requests_"))]
    pub requests: Requests,
}

/// A public metric that may get more dimensions, and so may its snapshot.
#[derive(Metric, Debug, Default)]
#[metric(name = "strict.arrivals", on(Answered))]
#[non_exhaustive]
pub struct Arrivals {
    /// All arrivals.
    pub total: Counter,
}
