//! Recorders that take no event: a disabled one, a stopped one and a cancelled one, beside one that runs, and the calls on a ring
//! of the thread's own.

use std::hint::black_box;

use mvx_metrics::{Handoff, MetricsRecorder, MetricsRecorderState, MetricsRuntime, RecorderOptions};
use tokio::runtime;

use crate::workload::SaveFinished;

/// The calls of one batch. They fit into the queue of the recorder that runs.
const BATCH: u64 = 8_192;

/// The event of all calls, so that making it costs a copy.
const EVENT: SaveFinished = SaveFinished::number(7);

/// How the event is handed over.
#[derive(Clone, Copy)]
pub enum Call {
    Emit,
    Register,
}

/// Batches of calls on a recorder that runs. Its events are applied in between.
pub fn running(call: Call, batches: u64) {
    let runtime = MetricsRuntime::new("bench").expect("a valid namespace");
    runtime.start().expect("the runtime starts");
    let recorder = runtime.create_recorder("running").expect("a fresh id");
    for _ in 0..batches {
        count(&recorder, call);
        recorder.flush().wait().expect("it runs");
    }
    assert_eq!(recorder.stats().processed, batches * BATCH);
    runtime.shutdown().expect("everything stops");
}

pub fn disabled(call: Call, batches: u64) {
    let recorder = MetricsRecorder::disabled();
    for _ in 0..batches {
        count(&recorder, call);
    }
    assert_eq!((recorder.stats().rejected, recorder.stats().accepted), (0, 0));
}

pub fn stopped(call: Call, batches: u64) {
    let tokio = runtime::Builder::new_current_thread().build().expect("a tokio runtime");
    let recorder = tokio.block_on(async {
        let recorder = MetricsRecorder::new("stopped", RecorderOptions::new()).expect("it is created");
        recorder.start().await.expect("it starts");
        recorder.stop().await.expect("it stops");
        recorder
    });
    assert_eq!(recorder.status(), MetricsRecorderState::Stopped);
    refuse(&recorder, call, batches);
}

pub fn cancelled(call: Call, batches: u64) {
    let tokio = runtime::Builder::new_current_thread().build().expect("a tokio runtime");
    let recorder = tokio.block_on(async {
        let recorder = MetricsRecorder::new("cancelled", RecorderOptions::new()).expect("it is created");
        recorder.start().await.expect("it starts");
        recorder
    });
    // With its task the recorder loses what processes its events.
    drop(tokio);
    assert_eq!(recorder.status(), MetricsRecorderState::Cancelled);
    refuse(&recorder, call, batches);
}

/// The calls on a ring that are counted of each [`RING`]. Those before them fold the ring.
const RING_CALLS: u64 = 200;
/// The events that a thread's ring has room for.
const RING: u64 = 256;

/// Calls on a recorder with a ring for each thread, without those that fold the ring. Nothing else folds it.
pub fn ring(batches: u64) {
    let tokio = runtime::Builder::new_current_thread().build().expect("a tokio runtime");
    let recorder = tokio.block_on(async {
        let options = RecorderOptions::new().handoff(Handoff::PerThread);
        let recorder = MetricsRecorder::new("ring", options).expect("it is created");
        recorder.start().await.expect("it starts");
        recorder
    });
    // Tokio does not run now, and so neither does the recorder's task.
    for _ in 0..batches {
        for _ in RING_CALLS..RING {
            recorder.emit(black_box(EVENT));
        }
        counted_ring_calls(&recorder, black_box(EVENT));
    }
    tokio.block_on(async { recorder.stop().await.expect("it stops") });
    assert_eq!(recorder.stats().processed, batches * RING);
}

#[inline(never)]
fn counted_ring_calls(recorder: &MetricsRecorder, event: SaveFinished) {
    for _ in 0..RING_CALLS {
        recorder.emit(event);
    }
}

fn refuse(recorder: &MetricsRecorder, call: Call, batches: u64) {
    for _ in 0..batches {
        count(recorder, call);
    }
    assert_eq!(recorder.stats().rejected, batches * BATCH);
}

fn count(recorder: &MetricsRecorder, call: Call) {
    match call {
        Call::Emit => counted_emits(recorder, black_box(EVENT)),
        Call::Register => counted_registrations(recorder, black_box(EVENT)),
    }
}

#[inline(never)]
fn counted_emits(recorder: &MetricsRecorder, event: SaveFinished) {
    for _ in 0..BATCH {
        recorder.emit(event);
    }
}

#[inline(never)]
fn counted_registrations(recorder: &MetricsRecorder, event: SaveFinished) {
    for _ in 0..BATCH {
        drop(recorder.register_event(event));
    }
}
