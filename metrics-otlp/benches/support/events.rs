//! The events of the benches.

use mvx_metrics::{Label, MetricsRecorder, metric_event};

#[derive(Label, Debug, Clone, Copy)]
pub enum Outcome {
    Success,
    Failure,
}

#[metric_event]
pub struct Requested {
    pub outcome: Outcome,
    pub bytes: u64,
}

/// Emits the event of this number: every eighth one is a failure, and the bytes are spread over many powers of two.
pub fn emit(recorder: &MetricsRecorder, number: u64) {
    let outcome = if number.is_multiple_of(8) { Outcome::Failure } else { Outcome::Success };
    recorder.emit(Requested { outcome, bytes: number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40 });
}
