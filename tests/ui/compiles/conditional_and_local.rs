//! Fields that `cfg` removes, and items inside a function.
#![deny(warnings)]

use mvx_metrics::{Counter, HandleEvent as _, Label, Metric, Sum, TypedMetric as _, metric_event};

fn main() {
    #[derive(Label)]
    enum Outcome {
        Success,
        #[cfg(any())]
        Failure(Missing),
    }

    #[metric_event]
    enum Step {
        #[cfg(any())]
        Removed(Missing),
        Began {
            bytes: u64,
            #[cfg(any())]
            removed: Missing,
        },
    }

    #[metric_event]
    struct Measured(u64, #[cfg(any())] Missing, #[cfg(all())] u8, u16);

    #[metric_event]
    enum Measures {
        Some(u64, #[cfg(any())] Missing, u8),
    }

    impl Step {
        fn bytes(&self) -> u64 {
            match self {
                Self::Began { bytes } => *bytes,
            }
        }
    }

    fn is_long(step: &Step) -> bool {
        step.bytes() > 1
    }

    #[derive(Metric, Default)]
    #[metric(on(Step))]
    struct Steps {
        total: Counter,
        #[cfg(any())]
        #[dimension(value = removed)]
        removed: Missing,
        #[cfg_attr(all(), dimension(value = Step::bytes))]
        bytes: Sum<u64>,
        #[dimension(when = |step| is_long(step))]
        long: Counter,
    }

    let mut metric = Steps::default();
    assert!(metric.handle(&Step::Began { bytes: 3 }));
    let snapshot = metric.typed_snapshot();
    assert_eq!((snapshot.bytes, snapshot.long), (3, 1));
    let _ = Outcome::Success;
    let Measured(.., _shorter, _short) = Measured(1, 2, 3);
    let Measures::Some(_, _short) = Measures::Some(1, 2);
}
