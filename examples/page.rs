//! The page of a running program: a small shop, whose endpoint shows what it does.
//!
//! Run with `cargo run --example page`, and open the address that it prints. The shop runs until Ctrl-C, or for as many seconds
//! as the first argument says; the second one is the port. The load rises and falls, and uploads have a recorder for each tenant. Two things go wrong
//! on purpose: a metric panics for one tenant, and the audit has a small queue that overflows. The page shows both at its top.

use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use mvx_metrics::http::{EndpointOptions, ServiceOptions};
use mvx_metrics::{
    Breakdown, Counter, Distinct, Gauge, Histogram, InFlight, Label, Max, Mean, Metric, MetricsRecorder,
    MetricsRuntime, Recent, RecorderOptions, Sum, Top, metric_event,
};

const TENANTS: [&str; 14] = [
    "acme", "birch", "cedar", "delta", "ember", "fjord", "grove", "harbor", "iris", "juniper", "koala",
    "lotus", "maple", "nectar",
];

#[derive(Label, Debug, Clone, Copy, PartialEq, Eq)]
enum Route {
    #[label(name = "/")]
    Home,
    #[label(name = "/product/{id}")]
    Product,
    #[label(name = "/cart")]
    Cart,
    #[label(name = "/checkout")]
    Checkout,
}

#[metric_event(name = "request.started")]
struct RequestStarted;

#[metric_event(name = "request.finished")]
struct RequestFinished {
    route: Route,
    status: u16,
    visitor: u64,
    bytes: u64,
    elapsed: Duration,
}

impl RequestFinished {
    fn failed(&self) -> bool {
        self.status >= 500
    }
}

/// Requests of the shop, from the first byte of the question to the last byte of the answer.
#[derive(Metric, Default)]
#[metric(name = "shop.requests", on(RequestFinished))]
struct Requests {
    /// Answers of any status.
    answered: Counter,
    /// Answers with a status from 500 on.
    #[dimension(when = RequestFinished::failed)]
    failed: Counter,
    /// Requests that wait for their answer.
    #[dimension(on(RequestStarted, add), on(RequestFinished, sub))]
    in_flight: InFlight,
    #[dimension(value = bytes, unit = bytes)]
    sent: Sum<u64>,
    #[dimension(value = elapsed)]
    duration: Histogram<Duration>,
    #[dimension(by(route, status), limit = 50)]
    by_route: Breakdown<(Route, u16), Counter>,
    /// Different visitors since the start.
    #[dimension(value = visitor)]
    visitors: Distinct,
    /// The slowest answer of the last minute.
    #[dimension(value = elapsed)]
    slowest: Recent<Max<Duration>, 60>,
}

#[metric_event(name = "order.placed")]
struct OrderPlaced {
    items: u64,
    country: &'static str,
    cents: u64,
}

/// Orders that customers placed.
#[derive(Metric, Default)]
#[metric(name = "shop.orders", on(OrderPlaced))]
struct Orders {
    placed: Counter,
    #[dimension(value = items)]
    items: Mean<u64>,
    #[dimension(value = |order| order.cents / 100, unit = "EUR")]
    revenue: Sum<u64>,
    #[dimension(by = country, keep = 100)]
    countries: Top<&'static str, Counter>,
}

#[metric_event(name = "file.uploaded")]
struct FileUploaded {
    bytes: u64,
    elapsed: Duration,
    tenant: &'static str,
}

/// Files that tenants uploaded.
#[derive(Metric, Default)]
#[metric(name = "uploads.files", on(FileUploaded))]
struct Uploads {
    finished: Counter,
    #[dimension(value = bytes, unit = bytes)]
    size: Histogram<u64>,
    #[dimension(value = elapsed)]
    time: Mean<Duration>,
    /// The tenants that upload the most.
    #[dimension(by = tenant, keep = 50, value = bytes, unit = bytes)]
    heaviest: Top<&'static str, Sum<u64>>,
    /// How long the last upload took.
    #[dimension(set = elapsed, merge = max)]
    last: Gauge<Duration>,
}

/// Thumbnails of uploaded pictures.
#[derive(Metric, Default)]
#[metric(name = "uploads.thumbnails", on(FileUploaded))]
struct Thumbnails {
    made: Counter,
    #[dimension(value = pixels)]
    pixels: Mean<u64>,
}

/// One tenant uploads a file that no picture can be.
fn pixels(file: &FileUploaded) -> u64 {
    assert!(
        file.tenant != "koala" || file.bytes < 4_000_000,
        "a picture of {} bytes has no size",
        file.bytes
    );
    file.bytes / 3
}

/// Numbers that look random and are the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    /// Around `middle`, from an eighth to eight times as much.
    fn around(&mut self, middle: u64) -> u64 {
        let doublings = (0..6).map(|_| self.below(1000)).sum::<u64>();
        (middle << (doublings / 1000)).saturating_add(self.below(middle.max(1)) * 4) >> 3
    }
}

/// What rises and falls: 0 to 100 and back, in `period` seconds.
fn tide(since: Instant, period: u64) -> u64 {
    let elapsed = since.elapsed();
    let position = (elapsed.as_secs() * 1000 + u64::from(elapsed.subsec_millis())) % (period * 1000);
    let half = period * 500;
    100 * if position < half { position } else { 2 * half - position } / half
}

fn serve_requests(recorder: &MetricsRecorder, server: u64, since: Instant, ended: &AtomicBool) {
    let mut numbers = Numbers(0x9e37_79b9 + server);
    while !ended.load(Ordering::Relaxed) {
        let requests = 2 + tide(since, 70) / 8 + numbers.below(4);
        for _ in 0..requests {
            recorder.emit(RequestStarted);
        }
        for _ in 0..requests {
            let route = match numbers.below(20) {
                0..8 => Route::Product,
                8..14 => Route::Home,
                14..18 => Route::Cart,
                _ => Route::Checkout,
            };
            let slow = if matches!(route, Route::Checkout) { 160_000 } else { 9_000 + tide(since, 44) * 200 };
            let status = match numbers.below(900) {
                0 => 500,
                1..20 => 404,
                _ => 200,
            };
            let elapsed = Duration::from_micros(numbers.around(slow));
            let (visitor, bytes) = (numbers.below(90_000), numbers.around(18_000));
            recorder.emit(RequestFinished { route, status, visitor, bytes, elapsed });
            if matches!(route, Route::Checkout) && status == 200 {
                let country = match numbers.below(20) {
                    0..9 => "NL",
                    9..15 => "DE",
                    15..18 => "FR",
                    18 => "PL",
                    _ => "SE",
                };
                recorder.emit(OrderPlaced {
                    items: 1 + numbers.below(6),
                    country,
                    cents: numbers.around(4_900),
                });
            }
        }
        sleep(Duration::from_millis(20));
    }
}

fn upload(tenants: &[(&'static str, MetricsRecorder)], since: Instant, ended: &AtomicBool) {
    let mut numbers = Numbers(0x2545_f491);
    while !ended.load(Ordering::Relaxed) {
        for (number, (tenant, recorder)) in tenants.iter().enumerate() {
            let bytes = numbers.around(400_000 + 9_000 * tide(since, 38));
            for _ in 0..=numbers.below(2 + number as u64) / 4 {
                recorder.emit(FileUploaded { bytes, elapsed: Duration::from_nanos(bytes * 40), tenant });
            }
        }
        sleep(Duration::from_millis(60));
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let seconds = arguments.next().map_or(Ok(f64::INFINITY), |seconds| seconds.parse())?;
    let port = arguments.next().map_or(Ok(9464), |port| port.parse())?;
    let shop = MetricsRuntime::new("shop")?;
    let uploads = MetricsRuntime::new("shop.uploads")?;
    shop.start()?;
    uploads.start()?;
    let service = shop.metrics_service(ServiceOptions::new()).and(&uploads);
    let endpoint = service.serve(EndpointOptions::new().port(port))?;
    println!("http://{}/", endpoint.address());

    let (since, ended) = (Instant::now(), AtomicBool::new(false));
    let servers = (1..=4).map(|number| web_server(&shop, number)).collect::<Result<Vec<_>, _>>()?;
    let tenants = TENANTS.iter().map(|tenant| upload_of(&uploads, tenant)).collect::<Result<Vec<_>, _>>()?;
    let audit = shop.create_recorder_with("audit", RecorderOptions::new().queue_max_size(8))?;
    audit.metric::<Orders>()?;
    thread::scope(|scope| {
        for (number, recorder) in (0..).zip(&servers) {
            let ended = &ended;
            scope.spawn(move || serve_requests(recorder, number, since, ended));
        }
        scope.spawn(|| upload(&tenants, since, &ended));
        while since.elapsed().as_secs_f64() < seconds {
            // More than its queue can take at once.
            for _ in 0..12 {
                audit.emit(OrderPlaced { items: 1, country: "NL", cents: 990 });
            }
            sleep(Duration::from_millis(500));
        }
        ended.store(true, Ordering::Relaxed);
    });
    uploads.shutdown()?;
    shop.shutdown()?;
    Ok(())
}

fn web_server(shop: &MetricsRuntime, number: u32) -> Result<MetricsRecorder, Box<dyn Error>> {
    let recorder = shop.create_recorder(&format!("web-{number}"))?;
    recorder.metric::<Requests>()?;
    recorder.metric::<Orders>()?;
    Ok(recorder)
}

fn upload_of(
    uploads: &MetricsRuntime,
    tenant: &&'static str,
) -> Result<(&'static str, MetricsRecorder), Box<dyn Error>> {
    let recorder = uploads.create_recorder(&format!("uploads/{tenant}"))?;
    recorder.metric::<Uploads>()?;
    recorder.metric::<Thumbnails>()?;
    Ok((tenant, recorder))
}
