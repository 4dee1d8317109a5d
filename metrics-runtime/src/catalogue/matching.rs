//! Matching: which metric or dimension of the older catalogue is which one of the newer.

use std::collections::{HashMap, VecDeque};

use super::{CatalogueDimension, CatalogueMetric};

/// What has a name, and a rest by which a rename is found.
pub(super) trait Named {
    fn name(&self) -> &str;

    fn help(&self) -> &str;

    /// Whether all but the names, the help texts and what follows from the names is equal.
    fn has_rest_of(&self, other: &Self) -> bool;
}

/// Two lists, one entry beside the other.
pub(super) struct Matched<'a, T> {
    pub(super) kept: Vec<(&'a T, &'a T)>,
    pub(super) renamed: Vec<(&'a T, &'a T)>,
    pub(super) removed: Vec<&'a T>,
    pub(super) added: Vec<&'a T>,
    /// Whether the kept ones stand in the same order.
    pub(super) is_in_order: bool,
}

impl<'a, T: Named> Matched<'a, T> {
    pub(super) fn of(older: &'a [T], newer: &'a [T]) -> Self {
        let mut indexes: HashMap<&str, VecDeque<usize>> = HashMap::new();
        for (index, one) in newer.iter().enumerate() {
            indexes.entry(one.name()).or_default().push_back(index);
        }
        let (mut kept, mut removed, mut positions) = (Vec::new(), Vec::new(), Vec::new());
        for one in older {
            match indexes.get_mut(one.name()).and_then(VecDeque::pop_front) {
                Some(index) => {
                    kept.push((one, &newer[index]));
                    positions.push(index);
                }
                None => removed.push(one),
            }
        }
        let mut left: Vec<usize> = indexes.into_values().flatten().collect();
        left.sort_unstable();
        let mut added: Vec<&T> = left.into_iter().map(|index| &newer[index]).collect();
        // Help texts tell dimensions apart that are alike in all else.
        let mut renamed = renames(&mut removed, &mut added, |one, other| {
            !one.help().is_empty() && one.help() == other.help() && one.has_rest_of(other)
        });
        renamed.extend(renames(&mut removed, &mut added, |one, other| {
            (one.help().is_empty() || other.help().is_empty()) && one.has_rest_of(other)
        }));
        Self { kept, renamed, removed, added, is_in_order: positions.is_sorted() }
    }
}

/// Takes out the pairs of which each is like the other one and like no third one.
fn renames<'a, T>(
    removed: &mut Vec<&'a T>,
    added: &mut Vec<&'a T>,
    is_like: impl Fn(&T, &T) -> bool,
) -> Vec<(&'a T, &'a T)> {
    let only = |candidates: Vec<usize>| match candidates[..] {
        [only] => Some(only),
        _ => None,
    };
    let pairs: Vec<(usize, usize)> = (0..removed.len())
        .filter_map(|from| {
            let to = only((0..added.len()).filter(|to| is_like(removed[from], added[*to])).collect())?;
            let back = only((0..removed.len()).filter(|from| is_like(removed[*from], added[to])).collect());
            back.map(|_| (from, to))
        })
        .collect();
    let renamed = pairs.iter().map(|(from, to)| (removed[*from], added[*to])).collect();
    let retain = |list: &mut Vec<&'a T>, is_taken: &dyn Fn(usize) -> bool| {
        let mut index = 0;
        list.retain(|_| {
            index += 1;
            !is_taken(index - 1)
        });
    };
    retain(removed, &|index| pairs.iter().any(|(from, _)| *from == index));
    retain(added, &|index| pairs.iter().any(|(_, to)| *to == index));
    renamed
}

impl Named for CatalogueMetric {
    fn name(&self) -> &str {
        &self.name
    }

    fn help(&self) -> &str {
        &self.help
    }

    /// A metric without dimensions is like any other one, so it was not renamed.
    fn has_rest_of(&self, other: &Self) -> bool {
        let mut dimensions = self.dimensions.iter().zip(&other.dimensions);
        !self.dimensions.is_empty()
            && self.dimensions.len() == other.dimensions.len()
            && self.events == other.events
            && dimensions.all(|(one, other)| one.name == other.name && one.has_rest_of(other))
    }
}

impl Named for CatalogueDimension {
    fn name(&self) -> &str {
        &self.name
    }

    fn help(&self) -> &str {
        &self.help
    }

    fn has_rest_of(&self, other: &Self) -> bool {
        let Self {
            name: _,
            help: _,
            families,
            kind,
            number,
            unit,
            labels,
            limit,
            keep,
            buckets,
            max_buckets,
            merge,
            window,
        } = self;
        (kind, number, unit, labels, limit, keep)
            == (&other.kind, &other.number, &other.unit, &other.labels, &other.limit, &other.keep)
            && (buckets, max_buckets, merge, window)
                == (&other.buckets, &other.max_buckets, &other.merge, &other.window)
            && families.len() == other.families.len()
    }
}
