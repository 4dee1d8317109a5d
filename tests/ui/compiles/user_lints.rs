//! Lints that the user allows for an item are allowed in its generated code. That code causes no warning about deprecated
//! items.
#![deny(warnings)]

use mvx_metrics::{Counter, HandleEvent as _, Label, Metric, Sum, TypedMetric as _, metric_event};

mod old {
    use super::*;

    #[metric_event]
    pub struct Saved {
        #[deprecated]
        pub size: u64,
        pub bytes: u64,
    }

    #[metric_event]
    pub enum Step {
        #[deprecated]
        Began,
        Ended {
            #[deprecated]
            reason: u8,
        },
    }

    #[deprecated]
    #[metric_event]
    #[allow(dead_code)]
    pub struct Stored {
        pub bytes: u64,
    }

    #[derive(Label)]
    #[allow(dead_code)]
    pub enum Outcome {
        #[deprecated]
        Fine,
        Success,
    }

    #[deprecated]
    #[derive(Label)]
    #[allow(dead_code)]
    pub enum Result {
        Success,
    }

    #[deprecated]
    #[derive(Metric, Default)]
    #[metric(on(Saved))]
    #[allow(dead_code)]
    pub struct Stores {
        total: Counter,
    }
}

/// Reads deprecated fields.
#[derive(Metric, Default)]
#[metric(on(old::Saved))]
#[allow(deprecated)]
struct Saves {
    #[dimension(value = size)]
    size: Sum<u64>,
}

#[derive(Metric, Default)]
#[metric(on(old::Saved))]
#[allow(non_camel_case_types)]
#[expect(non_snake_case, reason = "the names of a form")]
struct saves_of_the_form {
    savesTotal: Counter,
    #[deprecated]
    saves: Counter,
}

fn main() {
    #[allow(deprecated)]
    let saved = old::Saved { size: 3, bytes: 3 };
    let (mut saves, mut form) = (Saves::default(), saves_of_the_form::default());
    assert!(saves.handle(&saved) && form.handle(&saved));
    let snapshot: saves_of_the_formSnapshot = form.typed_snapshot();
    assert_eq!((saves.typed_snapshot().size, snapshot.savesTotal, snapshot.saves), (saved.bytes, 1, 1));
    #[allow(deprecated)]
    let steps = [old::Step::Began, old::Step::Ended { reason: 1 }];
    let _ = (steps, old::Outcome::Success);
}
