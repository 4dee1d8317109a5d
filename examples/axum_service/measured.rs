//! What is measured: the events of a request, their metric, and the middleware that emits them.

use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use mvx_metrics::{Breakdown, Counter, Histogram, InFlight, Metric, MetricsRecorder, metric_event};

/// The status of a request whose client went away before the response.
pub const CLIENT_CLOSED: u16 = 499;

#[metric_event(name = "http.request.started")]
struct RequestStarted;

#[metric_event(name = "http.request.ended")]
struct RequestEnded {
    method: Method,
    /// The pattern of the route, such as `/items/{id}`. A path of the client would be a new label for each item.
    route: Option<MatchedPath>,
    status: u16,
    elapsed: Duration,
}

impl RequestEnded {
    /// A client can make up methods. They share one label, so that they take no places below the limit.
    fn method(&self) -> &str {
        match self.method {
            Method::GET | Method::HEAD | Method::POST | Method::PUT | Method::PATCH | Method::DELETE => {
                self.method.as_str()
            }
            _ => "unknown",
        }
    }

    fn route(&self) -> &str {
        self.route.as_ref().map_or("unmatched", MatchedPath::as_str)
    }
}

/// The requests of the service.
#[derive(Metric, Default)]
#[metric(name = "http.requests", on(RequestEnded))]
pub struct Requests {
    /// Requests in work.
    #[dimension(on(RequestStarted, add), on(RequestEnded, sub))]
    pub in_flight: InFlight,
    /// Requests by method, route and status.
    #[dimension(by(RequestEnded::method, RequestEnded::route, status), limit = 200)]
    pub handled: Breakdown<(String, String, u16), Counter>,
    /// Time until the response, by route.
    #[dimension(by = RequestEnded::route, value = elapsed, limit = 100)]
    pub duration: Breakdown<String, Histogram<Duration>>,
}

/// Emits the events of one request. Its end is an event also when the client goes away, and axum drops the future.
pub async fn measure(
    State(recorder): State<MetricsRecorder>,
    route: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let (method, started) = (request.method().clone(), Instant::now());
    recorder.emit(RequestStarted);
    let mut status = recorder.emit_on_drop_with(CLIENT_CLOSED, move |status| RequestEnded {
        method,
        route,
        status,
        elapsed: started.elapsed(),
    });
    let response = next.run(request).await;
    *status = response.status().as_u16();
    response
}
