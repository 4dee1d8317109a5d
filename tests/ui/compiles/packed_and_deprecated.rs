//! Packed and deprecated events, labels and metrics.
#![deny(warnings)]

use mvx_metrics::{Counter, Label, Metric, metric_event};

#[metric_event]
#[derive(Clone, Copy)]
#[repr(C, packed(2))]
pub struct Packed {
    pub short: u8,
    pub long: u64,
}

#[metric_event]
#[deprecated]
pub struct Old {
    pub bytes: u64,
}

#[metric_event]
pub enum Step {
    #[deprecated]
    Began,
    Ended {
        #[deprecated]
        bytes: u64,
    },
}

#[derive(Label)]
#[deprecated]
pub enum Outcome {
    #[deprecated]
    Success,
    Failure,
}

#[derive(Metric, Default)]
#[metric(on(Packed), on(Step))]
#[deprecated]
pub struct Steps {
    #[deprecated]
    pub total: Counter,
}

fn main() {}
