//! A program for `.ci/page`: what it does is known, and a browser looks at its page.
//!
//! `shown_page RECORDERS [PORT]` prints its address. It reads commands from its standard input, answers each with a line that begins with the
//! command's name, and ends with its input. The recorders are `recorder-00000` and so on, and INDEX is such a number.
//!
//! | command | effect |
//! |---|---|
//! | `requests INDEX COUNT` | so many requests for `/cart`, of 100 ms and 1,024 bytes each, are measured |
//! | `load on`, `load off` | each recorder measures about a request each second, at least 100 in all |
//! | `fail INDEX` | a metric of the recorder panics |
//! | `fail_recorder` | a recorder fails when it starts |
//! | `drop` | a small queue overflows; the answer has the number of dropped events |
//! | `hostile` | ids, names, help and labels that try to be markup, or are 10,000 characters long |
//! | `remove` | the last recorder is removed |
//! | `shutdown` | the runtime begins to shut down, and cannot end yet |
//! | `release` | the shutdown ends |

use std::error::Error;
use std::io::stdin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, sleep};
use std::time::Duration;

use mvx_metrics::http::{EndpointOptions, ServiceOptions};
use mvx_metrics::{
    Breakdown, Counter, DimensionDescriptor, DimensionKind, EventHandler, Gauge, Histogram, HookError,
    Metric, MetricDescriptor, MetricSnapshot, MetricsRecorder, MetricsRuntime, QueueOverflowPolicy,
    RecorderContext, RecorderHooks, RecorderOptions, Sum, Top, metric_event,
};
use tokio::sync::Notify;

const MARKUP: &str = "</script><img src=x onerror=alert(1)>";
const LENGTH: usize = 10_000;

#[metric_event]
struct Requested {
    route: String,
    bytes: u64,
    elapsed: Duration,
}

/// Requests that were answered.
#[derive(Metric, Default)]
#[metric(on(Requested))]
struct Requests {
    /// How many there were.
    served: Counter,
    #[dimension(value = bytes, unit = bytes)]
    sent: Sum<u64>,
    #[dimension(value = elapsed)]
    duration: Histogram<Duration>,
    #[dimension(by = route, limit = 50)]
    by_route: Breakdown<String, Counter>,
    #[dimension(by = route, keep = 20, value = bytes, unit = bytes)]
    heaviest: Top<String, Sum<u64>>,
    #[dimension(set = elapsed)]
    last: Gauge<Duration>,
}

#[metric_event]
struct Broke;

/// A metric with a mistake.
#[derive(Metric, Default)]
#[metric(on(Broke))]
struct Fragile {
    #[dimension(value = |_| no_value())]
    value: Sum<u64>,
}

fn no_value() -> u64 {
    panic!("the stock is gone");
}

/// A metric whose texts come from elsewhere.
struct Hostile {
    name: &'static str,
    help: &'static str,
}

impl Metric for Hostile {
    fn metric_name(&self) -> &'static str {
        self.name
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        &[]
    }

    fn descriptor(&self) -> MetricDescriptor {
        let mut dimension = DimensionDescriptor::new(self.name, DimensionKind::Counter);
        dimension.help = self.help.into();
        MetricDescriptor::new(self.name).with_help(self.help).with_dimensions(vec![dimension])
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::new(self.name).with(self.name, 7_u64)
    }
}

/// Lets no recorder stop until it is told to.
struct Hold(Arc<Notify>);

impl RecorderHooks for Hold {
    async fn on_stopped(&self, _: RecorderContext<'_>) -> Result<(), HookError> {
        self.0.notified().await;
        Ok(())
    }
}

struct Broken;

impl RecorderHooks for Broken {
    async fn on_starting(&self, _: RecorderContext<'_>) -> Result<(), HookError> {
        Err("the database is not there".into())
    }
}

fn request(recorder: &MetricsRecorder, route: &str, elapsed: Duration) {
    recorder.emit(Requested { route: route.to_owned(), bytes: 1024, elapsed });
}

/// Goes through all recorders once a second.
fn load(recorders: &[MetricsRecorder], is_on: &AtomicBool) {
    let routes = ["/", "/cart", "/product", "/checkout"];
    for (number, recorder) in recorders.iter().cycle().enumerate() {
        if number % (recorders.len() / 50).max(2) == 0 {
            sleep(Duration::from_millis(20));
        }
        if !is_on.load(Ordering::Relaxed) {
            return;
        }
        let elapsed = Duration::from_millis(1 << (number / 5 % 9));
        request(recorder, routes[number % 4], elapsed);
    }
}

/// Overflows a queue, and returns the number of dropped events.
fn overflow(runtime: &MetricsRuntime) -> Result<u64, Box<dyn Error>> {
    let options = RecorderOptions::new().queue_max_size(1).queue_overflow_policy(QueueOverflowPolicy::Drop);
    let recorder = runtime.create_recorder_with("narrow", options)?;
    recorder.metric::<Requests>()?;
    while recorder.stats().dropped < 3 {
        request(&recorder, "/narrow", Duration::from_millis(100));
    }
    Ok(recorder.stats().dropped)
}

fn be_hostile(runtime: &MetricsRuntime) -> Result<(), Box<dyn Error>> {
    let long = |start: &str| -> &'static str {
        Box::leak(format!("{start}{}", "W".repeat(LENGTH - start.len())).into())
    };
    let entity = format!("entity {MARKUP}");
    let recorder = runtime.create_recorder_with(MARKUP, RecorderOptions::new().entity_id(entity))?;
    recorder.metric::<Requests>()?;
    for route in [MARKUP, long("label-"), "\u{202e}backwards", "e\u{301}<b>bold</b>"] {
        request(&recorder, route, Duration::from_millis(100));
    }
    recorder.register_metric(Hostile { name: MARKUP, help: MARKUP })?;
    let recorder = runtime.create_recorder(long("id-"))?;
    recorder.register_metric(Hostile { name: long("name-"), help: long("help-") })?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let count: usize = arguments.next().ok_or("usage: shown_page RECORDERS [PORT]")?.parse()?;
    let port = arguments.next().map_or(Ok(0), |port| port.parse())?;
    let runtime = Arc::new(MetricsRuntime::new("tests.page")?);
    runtime.start()?;
    let mut recorders = Vec::new();
    for number in 0..count {
        let recorder = runtime.create_recorder(&format!("recorder-{number:05}"))?;
        recorder.metric::<Requests>()?;
        recorders.push(recorder);
    }
    let service = runtime.metrics_service(ServiceOptions::new());
    let endpoint = service.serve(EndpointOptions::new().port(port))?;
    println!("serving {}", endpoint.address());
    let (is_loaded, is_released) = (Arc::new(AtomicBool::new(false)), Arc::new(Notify::new()));
    let mut shutdown = None;
    for command in stdin().lines() {
        let command = command?;
        let of = |index: &str| -> Result<&MetricsRecorder, Box<dyn Error>> {
            Ok(recorders.get(index.parse::<usize>()?).ok_or("there is no such recorder")?)
        };
        match command.split(' ').collect::<Vec<_>>()[..] {
            ["requests", index, count] => {
                let recorder = of(index)?;
                (0..count.parse()?).for_each(|_: u32| request(recorder, "/cart", Duration::from_millis(100)));
                recorder.metric::<Requests>()?.snapshot()?;
            }
            ["load", "on"] => {
                is_loaded.store(true, Ordering::Relaxed);
                let (recorders, is_loaded) = (recorders.clone(), Arc::clone(&is_loaded));
                thread::spawn(move || load(&recorders, &is_loaded));
            }
            ["load", "off"] => is_loaded.store(false, Ordering::Relaxed),
            ["fail", index] => {
                let recorder = of(index)?;
                recorder.metric::<Fragile>()?;
                recorder.emit(Broke);
                recorder.metric_snapshots()?;
            }
            ["fail_recorder"] => {
                let failing = runtime.create_recorder_with("broken", RecorderOptions::new().hooks(Broken))?;
                failing.start().wait().err().ok_or("the recorder has started")?;
            }
            ["drop"] => {
                println!("drop {}", overflow(&runtime)?);
                continue;
            }
            ["hostile"] => be_hostile(&runtime)?,
            ["remove"] => {
                recorders.pop().ok_or("there is no recorder")?;
                runtime.stop_and_remove_recorder(&format!("recorder-{:05}", recorders.len()))?;
            }
            ["shutdown"] => {
                let hooks = Hold(Arc::clone(&is_released));
                runtime.create_recorder_with("held", RecorderOptions::new().hooks(hooks))?.start().wait()?;
                let runtime = Arc::clone(&runtime);
                shutdown = Some(thread::spawn(move || runtime.shutdown()));
            }
            ["release"] => {
                is_released.notify_one();
                let ended = shutdown.take().ok_or("there is no shutdown")?.join();
                ended.map_err(|_| "the shutdown panicked")??;
            }
            _ => return Err(format!("there is no command `{command}`").into()),
        }
        println!("{command}");
    }
    Ok(())
}
