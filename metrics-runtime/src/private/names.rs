//! Checks at compile time that no two dimensions of a metric have the same name, those of flattened metrics included.
//!
//! The checks are `#[track_caller]`: rustc then shows the user's field and none of the functions that found the mistake.

use std::borrow::Cow;

use super::const_names::panic_with;
use crate::descriptor::{DimensionDescriptor, DimensionKind};
use crate::dimension::NeedsOrder;

/// The names of a metric's dimensions.
#[derive(Debug)]
pub struct Names {
    pub own: &'static [DimensionDescriptor],
    /// Names in place of descriptors.
    pub names: &'static [&'static str],
    /// Flattened metrics, each with its prefix.
    pub flattened: &'static [(&'static str, Names)],
    /// Whether the dimensions are those of a breakdown.
    pub by_label: bool,
    /// The parts of the metric that need the events of all threads in one order, as far as the descriptors do not tell.
    pub ordered: &'static [(&'static str, NeedsOrder)],
}

/// Why a metric cannot be kept in parts, one for each thread: the first reason, in words.
#[must_use]
pub fn order_problem(names: &Names) -> Option<String> {
    first_ordered(names, "")
}

fn first_ordered(names: &Names, prefix: &str) -> Option<String> {
    let in_words = |(name, needs_order): (&str, NeedsOrder)| match needs_order {
        NeedsOrder::Handler => needs_order.in_words(name),
        _ => needs_order.in_words(&format!("{prefix}{name}")),
    };
    let own = names.own.iter().filter_map(|declared| Some((&*declared.name, NeedsOrder::of(declared)?)));
    let ordered = names.ordered.iter().copied();
    let mut inner = names.flattened.iter();
    own.chain(ordered)
        .map(in_words)
        .next()
        .or_else(|| inner.find_map(|(inner, names)| first_ordered(names, &format!("{prefix}{inner}"))))
}

/// Fails the compilation when two dimensions have the same name, those of flattened metrics included.
///
/// # Panics
///
/// At compile time, when two names are equal; where a flattened metric depends on a type parameter, as soon as the metric is used:
///
/// ```compile_fail,E0080
/// use mvx_metrics::{Counter, Metric, metric_event};
///
/// #[metric_event]
/// struct Saved;
///
/// #[derive(Metric, Default)]
/// #[metric(on(Saved))]
/// struct Loads<T: Default + Send + 'static> {
///     total: Counter,
///     #[dimension(skip)]
///     state: T,
/// }
///
/// #[derive(Metric, Default)]
/// #[metric(on(Saved))]
/// struct Saves<T: Default + Send + 'static> {
///     total: Counter,
///     #[dimension(flatten)]
///     loads: Loads<T>,
/// }
///
/// Saves::<u8>::handlers();
/// ```
#[track_caller]
pub const fn assert_distinct(names: &Names) {
    let mut seen = Seen { hashes: [0; 256], count: 0, name: [0; 256] };
    seen.add_all(names, 0, false);
}

/// Fails the compilation when a metric that is kept for each label has labels itself.
///
/// # Panics
///
/// At compile time, when it has.
#[track_caller]
pub const fn assert_without_labels(names: &Names) {
    let mut index = 0;
    while index < names.own.len() {
        let dimension = &names.own[index];
        if dimension.parts > 0 || matches!(dimension.kind, DimensionKind::Top) {
            match &dimension.name {
                Cow::Borrowed(name) => panic_labels(name),
                Cow::Owned(_) => panic_labels(".."),
            }
        }
        index += 1;
    }
    let mut index = 0;
    while index < names.flattened.len() {
        let (name, flattened) = &names.flattened[index];
        if flattened.by_label {
            panic_labels(name);
        }
        assert_without_labels(flattened);
        index += 1;
    }
}

#[track_caller]
const fn panic_labels(name: &str) -> ! {
    panic_with(&[
        "a breakdown of a metric that has labels in `",
        name,
        "`: break that down beside this field, by a tuple of labels, `by(a, b)`",
    ])
}

/// The hashes of the names seen so far. Names beyond the first 256 are compared with these only.
struct Seen {
    hashes: [u64; 256],
    count: usize,
    /// The current name: the prefixes of the metrics around it, then its own.
    name: [u8; 256],
}

impl Seen {
    #[track_caller]
    const fn add_all(&mut self, names: &Names, prefix: usize, is_flattened: bool) {
        let mut index = 0;
        while index < names.own.len() {
            if let Cow::Borrowed(name) = &names.own[index].name {
                let end = self.append(prefix, name);
                self.add(end, is_flattened);
            }
            index += 1;
        }
        let mut index = 0;
        while index < names.names.len() {
            let end = self.append(prefix, names.names[index]);
            self.add(end, is_flattened);
            index += 1;
        }
        let mut index = 0;
        while index < names.flattened.len() {
            let (name, flattened) = &names.flattened[index];
            let end = self.append(prefix, name);
            self.add_all(flattened, end, !names.by_label && !flattened.by_label);
            index += 1;
        }
    }

    /// Writes a text after the first `end` bytes of the name; returns the new end. A name that is too long is cut off.
    const fn append(&mut self, mut end: usize, text: &str) -> usize {
        let mut index = 0;
        while index < text.len() && end < self.name.len() {
            self.name[end] = text.as_bytes()[index];
            end += 1;
            index += 1;
        }
        end
    }

    #[track_caller]
    const fn add(&mut self, end: usize, is_flattened: bool) {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut index = 0;
        while index < end {
            hash = (hash ^ self.name[index] as u64).wrapping_mul(0x0100_0000_01b3);
            index += 1;
        }
        let mut index = 0;
        while index < self.count {
            if self.hashes[index] == hash {
                match std::str::from_utf8(self.name.split_at(end).0) {
                    Ok(name) => panic_twice(name, is_flattened),
                    Err(_) => panic_twice("..", is_flattened),
                }
            }
            index += 1;
        }
        if self.count < self.hashes.len() {
            self.hashes[self.count] = hash;
            self.count += 1;
        }
    }
}

#[track_caller]
const fn panic_twice(name: &str, is_flattened: bool) -> ! {
    let advice = if is_flattened {
        "`: add a prefix, `flatten(prefix = \"..\")`"
    } else {
        "`: give one of them another `name`"
    };
    panic_with(&["two dimensions are named `", name, advice])
}
