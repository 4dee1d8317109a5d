//! How long an event waits when no reader asks for it: the poll interval of the runtime, or of the recorder.
//! No ids; the contract's section on the poll interval.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use mvx_metrics::{
    EventHandler, HandleEvent, Metric, MetricSnapshot, MetricsRecorder, MetricsRuntime, RecorderOptions,
    metric_event,
};
use mvx_metrics_tests::{Step, bounded, running_runtime};

#[metric_event]
struct Sent(Instant);

/// Reports the time from the creation of each event to its handler.
struct Delays(Sender<Duration>);

impl HandleEvent<Sent> for Delays {
    fn handle(&mut self, event: &Sent) -> bool {
        // A failed test has dropped the receiver.
        let _ = self.0.send(event.0.elapsed());
        true
    }
}

impl Metric for Delays {
    fn metric_name(&self) -> &'static str {
        "delays"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        const { &[EventHandler::of::<Sent>()] }
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::of_static("delays")
    }
}

/// The longest interval that an option accepts.
const MAX_INTERVAL: Duration = Duration::from_secs(1);
/// Waits for a short interval take less than these, on a loaded machine too. Waits for a long interval take more.
const MAX_IMMEDIATE_DELAY: Duration = Duration::from_millis(100);
const MAX_DEFAULT_DELAY: Duration = Duration::from_millis(200);
/// A recorder with an interval of 1 ms stays awake for about 16 ms after an event: longer than the first, shorter than the
/// second.
const SHORT_PAUSE: Duration = Duration::from_millis(4);
const LONG_PAUSE: Duration = Duration::from_millis(100);
const EVENTS: usize = 21;

fn listen(recorder: &MetricsRecorder) -> Receiver<Duration> {
    let (delays, listener) = mpsc::channel();
    recorder.register_metric(Delays(delays)).expect("registers");
    listener
}

/// The median delay of lone events, each emitted this long after the previous one was processed. The test reads neither
/// metrics nor stats meanwhile, because a reader would wake the event loop.
fn median(recorder: &MetricsRecorder, listener: &Receiver<Duration>, pause: Duration) -> Duration {
    let mut delays = Vec::new();
    // When half of the delays are too long, the median is.
    while delays.len() < EVENTS
        && delays.iter().filter(|delay| **delay >= MAX_DEFAULT_DELAY).count() <= EVENTS / 2
    {
        thread::sleep(pause);
        recorder.emit(Sent(Instant::now()));
        delays.push(listener.recv().expect("the metric lives"));
    }
    delays.sort();
    delays[delays.len() / 2]
}

fn runtime_with(interval: Duration) -> MetricsRuntime {
    let runtime = MetricsRuntime::builder("latency").poll_interval(interval).build().expect("valid");
    runtime.start().expect("starts");
    runtime
}

fn assert_processed_within(limit: Duration, recorder: &MetricsRecorder) {
    let listener = listen(recorder);
    for (pause, when) in [(SHORT_PAUSE, "while traffic is recent"), (LONG_PAUSE, "after a pause")] {
        let median = median(recorder, &listener, pause);
        assert!(median < limit, "a lone event {when} takes {median:?}");
    }
}

#[test]
fn latency_without_an_interval_a_lone_event_is_processed_at_once() {
    bounded(|| {
        let runtime = runtime_with(Duration::ZERO);
        let recorder = runtime.create_recorder("a").expect("creates");
        assert_processed_within(MAX_IMMEDIATE_DELAY, &recorder);
        runtime.shutdown().expect("shuts down");
    });
}

#[test]
fn latency_by_default_a_lone_event_waits_for_milliseconds() {
    bounded(|| {
        let runtime = running_runtime("latency");
        let recorder = runtime.create_recorder("a").expect("creates");
        assert_processed_within(MAX_DEFAULT_DELAY, &recorder);
        runtime.shutdown().expect("shuts down");
    });
}

/// Checks a recorder with its own interval in a runtime with the longest one. Another recorder has traffic meanwhile, and
/// waits for the runtime's interval.
fn assert_own_interval_wins(own: Duration, limit: Duration) {
    let runtime = runtime_with(MAX_INTERVAL);
    let patient = runtime.create_recorder("patient").expect("creates");
    let options = RecorderOptions::new().poll_interval(own);
    let recorder = runtime.create_recorder_with("a", options).expect("creates");
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            // Few enough that the queue never reaches the watermark that wakes the event loop.
            while !over.load(Ordering::Relaxed) {
                patient.emit(Step(1));
                thread::sleep(Duration::from_millis(2));
            }
        });
        let listener = listen(&recorder);
        let recent = median(&recorder, &listener, SHORT_PAUSE);
        let after_pause = median(&recorder, &listener, LONG_PAUSE);
        over.store(true, Ordering::Relaxed);
        assert!(
            recent.max(after_pause) < limit,
            "lone events take {recent:?}, {after_pause:?} after a pause"
        );
    });
    runtime.shutdown().expect("shuts down");
}

#[test]
fn latency_a_recorder_with_interval_zero_does_not_wait_for_its_runtimes_interval() {
    bounded(|| assert_own_interval_wins(Duration::ZERO, MAX_IMMEDIATE_DELAY));
}

#[test]
fn latency_a_recorders_interval_replaces_its_runtimes_interval() {
    bounded(|| assert_own_interval_wins(Duration::from_millis(1), MAX_DEFAULT_DELAY));
}

#[test]
fn latency_a_long_interval_is_waited_for_while_traffic_is_recent() {
    const INTERVAL: Duration = Duration::from_millis(300);
    bounded(|| {
        let runtime = running_runtime("latency");
        let options = RecorderOptions::new().poll_interval(INTERVAL);
        let recorder = runtime.create_recorder_with("a", options).expect("creates");
        let listener = listen(&recorder);
        // Right after a poll the next one is nearly a whole interval away.
        let median = median(&recorder, &listener, SHORT_PAUSE);
        assert!(median > INTERVAL / 2, "a lone event takes {median:?}");
        runtime.shutdown().expect("shuts down");
    });
}
