//! Conditions that read a field, handlers from `macro_rules!`, bounds of a `const fn`, references as values, a field of an event
//! that `cfg_attr` removes, and computed doc comments.
#![deny(warnings)]

use mvx_metrics::{Counter, HandleEvent as _, Histogram, Metric, Sum, TypedMetric as _, metric_event};

#[metric_event]
struct Saved {
    bytes: u64,
    large: bool,
    #[cfg_attr(all(), cfg(any()))]
    gone: Missing,
}

#[metric_event]
struct Flags(bool);

const fn bounds() -> [u64; 2] {
    [10, 100]
}

macro_rules! with_handlers {
    ($metric:ident, $path:path, $expr:expr) => {
        #[derive(Metric, Default)]
        #[metric(on(Saved, with = $path), on(Flags, with = $expr))]
        struct $metric {
            #[dimension(manual)]
            total: Counter,
        }
    };
}

with_handlers!(Handled, Handled::on_saved, count_flags);

impl Handled {
    fn on_saved(&mut self, _: &Saved) -> bool {
        self.total.increment();
        true
    }
}

fn count_flags(handled: &mut Handled, _: &Flags) -> bool {
    handled.total.increment();
    true
}

/// What was
#[doc = concat!("saved", "!")]
#[derive(Metric, Default)]
#[metric(on(Saved, when = large))]
struct Large {
    #[doc = concat!("All ", "of it.")]
    total: Counter,
}

#[derive(Metric, Default)]
#[metric(on(Flags))]
struct Set {
    #[dimension(when = 0)]
    total: Counter,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(when = large)]
    large: Counter,
    #[dimension(value = |e| &e.bytes)]
    bytes: Sum<u64>,
    #[dimension(value = bytes, buckets = bounds())]
    sizes: Histogram<u64>,
}

fn main() {
    let saved = [Saved { bytes: 3, large: false }, Saved { bytes: 50, large: true }];
    let (mut saves, mut large, mut set) = (Saves::default(), Large::default(), Set::default());
    assert_eq!(saved.each_ref().map(|saved| saves.handle(saved)), [true, true]);
    assert_eq!(saved.each_ref().map(|saved| large.handle(saved)), [false, true]);
    let snapshot = saves.typed_snapshot();
    assert_eq!((snapshot.large, snapshot.bytes, snapshot.sizes.count), (1, 53, 2));
    assert_eq!([true, false].map(|flag| set.handle(&Flags(flag))), [true, false]);
    assert_eq!((large.typed_snapshot().total, set.typed_snapshot().total), (1, 1));
    let descriptor = large.descriptor();
    assert_eq!((&*descriptor.help, &*descriptor.dimensions[0].help), ("What was saved!", "All of it."));
    let mut handled = Handled::default();
    assert!(handled.handle(&saved[0]) && handled.handle(&Flags(false)));
    assert_eq!(handled.typed_snapshot().total, 2);
}
