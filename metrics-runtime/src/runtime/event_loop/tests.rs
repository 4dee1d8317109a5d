//! What a loop keeps while it cannot run.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Builder;

use super::EventLoop;
use crate::log::LogPolicy;
use crate::queue::Queue;
use crate::recorder::{
    Home, MetricFailurePolicy, MetricsRecorder, QueueOverflowPolicy, RecorderCore, Settings,
};

fn running_recorder(event_loop: &Arc<EventLoop>) -> MetricsRecorder {
    let settings = Settings {
        entity_id: Arc::from("a"),
        namespace: Arc::from("test"),
        overflow: QueueOverflowPolicy::Drop,
        log_policy: LogPolicy::Silent,
        metric_failure: MetricFailurePolicy::Quarantine,
        poll_interval: Duration::ZERO,
    };
    let queue = Queue::new(16, event_loop.pool.clone());
    let home = Home::in_loop(Arc::clone(event_loop));
    let recorder = MetricsRecorder::from_core(RecorderCore::new(queue, settings, None, home));
    recorder.start().wait().expect("starts");
    recorder
}

/// Runs the loop to its end: until then it and the recorders on its list keep each other.
fn run_to_the_end(event_loop: &EventLoop) {
    event_loop.end();
    let tokio = Builder::new_current_thread().enable_time().build().expect("a tokio runtime");
    tokio.block_on(event_loop.run());
}

#[test]
fn a_loop_that_is_held_up_keeps_one_visit_of_each_recorder() {
    let event_loop = Arc::new(EventLoop::new());
    let recorders: Vec<_> = (0..3).map(|_| running_recorder(&event_loop)).collect();
    for _ in 0..1_000 {
        for recorder in &recorders {
            recorder.core().home.schedule(recorder.core(), true);
        }
    }
    assert_eq!(event_loop.lock().visits.len(), 3);

    let (mut busy, mut visits) = (Vec::new(), Vec::new());
    assert!(event_loop.admit(&mut busy, &mut visits));
    assert_eq!((busy.len(), visits.len()), (3, 3));
    // The visits of before may be over already.
    recorders[0].core().home.schedule(recorders[0].core(), true);
    assert_eq!(event_loop.lock().visits.len(), 1);
    run_to_the_end(&event_loop);
}

#[test]
fn a_recorder_that_is_started_again_and_again_is_remembered_once() {
    let event_loop = Arc::new(EventLoop::new());
    let recorders: Vec<_> = (0..3).map(|_| running_recorder(&event_loop)).collect();
    for _ in 0..1_000 {
        for recorder in &recorders {
            recorder.stop().wait().expect("stops");
            recorder.start().wait().expect("starts again");
        }
    }
    assert_eq!(event_loop.lock().restarted.len(), 3);
    run_to_the_end(&event_loop);
}
