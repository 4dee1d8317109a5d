//! A function for recorders gets something else.

use mvx_metrics::{Recorder, metric_event}; //~ 1 error

#[metric_event]
struct Saved;

struct Storage;

fn save(recorder: &impl Recorder) {
    recorder.emit(Saved);
}

fn main() {
    save(&Storage);
}
