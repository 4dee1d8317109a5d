//! The life of requests as one enum event: each variant is an event of its own for the dimensions.
//!
//! Run with `cargo run --example request_life`. It shows variants in `on(..)`, and the time between two events of one request.

use std::error::Error;
use std::time::{Duration, Instant};

use mvx_metrics::{Breakdown, Counter, Histogram, InFlight, Metric, MetricsRuntime, Sum, metric_event};

/// What happens to a request, from its arrival to its end.
#[metric_event]
enum Request {
    Arrived { id: u64, route: &'static str, at: Instant },
    Started { id: u64, at: Instant },
    Answered { id: u64, status: u16, bytes: u64, at: Instant },
    Aborted(u64, Instant),
}

#[derive(Metric, Default)]
struct Requests {
    #[dimension(on(Request::Arrived, by = route, limit = 100))]
    by_route: Breakdown<&'static str, Counter>,
    #[dimension(on(Request::Answered, by = status, limit = 20))]
    by_status: Breakdown<u16, Counter>,
    #[dimension(on(Request::Answered, value = bytes), unit = bytes)]
    sent: Sum<u64>,
    #[dimension(on(Request::Arrived, add), on(Request::Answered, sub), on(Request::Aborted, sub))]
    open: InFlight,
    /// From arrival to start.
    #[dimension(on(Request::Arrived, begin = id, at = at), on(Request::Started, end = id, at = at), limit = 1_000)]
    waiting: Histogram<Duration>,
    /// From start to answer. A request that is aborted ends, too.
    #[dimension(
        on(Request::Started, begin = id, at = at),
        on(Request::Answered, end = id, at = at),
        on(Request::Aborted, end = 0, at = 1),
        limit = 1_000
    )]
    serving: Histogram<Duration>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = MetricsRuntime::builder("example.requests").build()?;
    runtime.start()?;
    let recorder = runtime.create_recorder("server")?;
    recorder.metric::<Requests>()?;

    // A server would take `Instant::now()` for each event.
    let begin = Instant::now();
    let at = |millis| begin + Duration::from_millis(millis);
    for (id, route) in [(1, "/"), (2, "/cart"), (3, "/cart"), (4, "/")] {
        recorder.emit(Request::Arrived { id, route, at: at(10 * id) });
        if id < 4 {
            recorder.emit(Request::Started { id, at: at(10 * id + 5) });
        }
    }
    recorder.emit(Request::Answered { id: 1, status: 200, bytes: 4_000, at: at(45) });
    recorder.emit(Request::Answered { id: 2, status: 503, bytes: 90, at: at(125) });
    recorder.emit(Request::Aborted(3, at(135)));

    let requests = recorder.metric_snapshot::<Requests>()?.ok_or("the metric is registered")?;
    for (labels, count) in &requests.by_route {
        println!("{}: {count} requests", labels[0]);
    }
    for (labels, count) in &requests.by_status {
        println!("status {}: {count}", labels[0]);
    }
    println!("{} bytes sent, {} request open", requests.sent, requests.open.current());
    println!("{} requests waited {:?} in all", requests.waiting.count, requests.waiting.sum);
    println!("{} requests were served in {:?} in all", requests.serving.count, requests.serving.sum);
    runtime.shutdown()?;
    Ok(())
}
