//! How long an event waits that nobody reads after: the poll interval, which a recorder may choose for itself.

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

/// Tells how long each event took from its making to here.
struct Delays(Sender<Duration>);

impl HandleEvent<Sent> for Delays {
    fn handle(&mut self, event: &Sent) -> bool {
        // A test that has failed listens no more.
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

/// The longest that can be chosen.
const MAX_INTERVAL: Duration = Duration::from_secs(1);
/// What no wait for a short interval takes, also on a loaded machine, while one for a long interval takes more.
const MAX_IMMEDIATE_DELAY: Duration = Duration::from_millis(100);
const MAX_DEFAULT_DELAY: Duration = Duration::from_millis(200);
/// Shorter, and far longer, than a recorder with an interval of a millisecond stays awake after an event.
const SHORT_PAUSE: Duration = Duration::from_millis(4);
const LONG_PAUSE: Duration = Duration::from_millis(100);
const EVENTS: usize = 21;

fn listen(recorder: &MetricsRecorder) -> Receiver<Duration> {
    let (delays, listener) = mpsc::channel();
    recorder.register_metric(Delays(delays)).expect("registers");
    listener
}

/// The median of what lone events take, each emitted so long after the one before was processed. Nothing else is asked of
/// the recorder: readers and statistics must not be what makes it look.
fn median(recorder: &MetricsRecorder, listener: &Receiver<Duration>, pause: Duration) -> Duration {
    let mut delays = Vec::new();
    // One that is too long is certain after half of them.
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

/// Checks a recorder with an interval of its own, in a runtime whose interval is the longest, while another recorder has
/// traffic that may wait for as long.
fn assert_own_interval_wins(own: Duration, limit: Duration) {
    let runtime = runtime_with(MAX_INTERVAL);
    let patient = runtime.create_recorder("patient").expect("creates");
    let options = RecorderOptions::new().poll_interval(own);
    let recorder = runtime.create_recorder_with("a", options).expect("creates");
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            // Never enough of them to be looked at for their number.
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
fn latency_a_recorder_without_an_interval_does_not_wait_for_that_of_its_runtime() {
    bounded(|| assert_own_interval_wins(Duration::ZERO, MAX_IMMEDIATE_DELAY));
}

#[test]
fn latency_the_interval_of_a_recorder_replaces_that_of_its_runtime() {
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
        // Right after a look the next one is nearly a whole interval away.
        let median = median(&recorder, &listener, SHORT_PAUSE);
        assert!(median > INTERVAL / 2, "a lone event takes {median:?}");
        runtime.shutdown().expect("shuts down");
    });
}
