//! The groups of an exposition: recorders with equal labels of their series, of one runtime or of several.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use super::labels::SeriesLabels;
use crate::snapshot::Timestamp;
use crate::totals::{GroupTotals, LeftOut, Memory, NamespaceRecorders, Scope, Totals};

/// All groups, in the order in which families show them.
pub(super) struct Groups<'a> {
    pub(super) list: Vec<Group<'a>>,
    /// The dimensions that the groups do not contain.
    pub(super) left_out: Vec<LeftOut>,
}

/// Recorders with equal labels of their series.
pub(super) struct Group<'a> {
    /// The labels as text, ready to be copied.
    pub(super) labels: Vec<u8>,
    /// `None` for a namespace that is shown entity by entity.
    pub(super) totals: Option<Cow<'a, GroupTotals>>,
    /// `None` for an entity that is not shown as its namespace.
    pub(super) recorders: Option<Cow<'a, NamespaceRecorders>>,
    /// Since when the recorders of a namespace are counted.
    pub(super) created: Timestamp,
}

/// What belongs to one group.
#[derive(Default)]
struct Members<'a> {
    labels: Vec<u8>,
    groups: Vec<&'a GroupTotals>,
    namespaces: Vec<&'a NamespaceRecorders>,
    created: Timestamp,
}

impl<'a> Groups<'a> {
    /// Sorts the groups and the namespaces of all totals by the labels of their series.
    pub(super) fn of(totals: &'a [Totals], labels: &SeriesLabels<'_>, memory: &Arc<Memory>) -> Self {
        let mut members: Vec<Members<'a>> = Vec::new();
        let mut indexes: HashMap<Vec<u8>, usize> = HashMap::new();
        let mut find_or_push = |members: &mut Vec<Members<'a>>, labels: Vec<u8>| {
            *indexes.entry(labels).or_insert_with_key(|labels| {
                members.push(Members { labels: labels.clone(), ..Members::default() });
                members.len() - 1
            })
        };
        for (number, totals) in totals.iter().enumerate() {
            for group in &totals.groups {
                let index = find_or_push(&mut members, labels.of_group(number, group));
                members[index].groups.push(group);
            }
        }
        for (number, totals) in totals.iter().enumerate() {
            for namespace in &totals.namespaces {
                let index = find_or_push(&mut members, labels.of_namespace(number, &namespace.namespace));
                members[index].namespaces.push(namespace);
                members[index].created = members[index].created.earliest(totals.runtime_started_at());
            }
        }
        let mut left_out: Vec<LeftOut> =
            totals.iter().flat_map(|totals| totals.left_out.iter().cloned()).collect();
        // A namespace of a rollup may coincide with another one later. So it is added up under its memory from the beginning.
        let may_coincide = totals.len() > 1 || labels.leave_out_namespace();
        let is_remembered = may_coincide && totals.iter().all(|totals| totals.scope == Scope::Rollup);
        let add_up = |members: Members<'a>| {
            // No namespace has a NUL character, so this key belongs to no namespace of the runtime.
            let key = format!("\0{}", String::from_utf8_lossy(labels.distinctive(&members.labels)));
            let key: Arc<str> = key.into();
            members.add_up(is_remembered.then_some((memory, &key)), &mut left_out)
        };
        let list = members.into_iter().map(add_up).collect();
        Self { list, left_out }
    }
}

impl Group<'_> {
    /// The group of series that belong to no recorder.
    pub(super) fn without_recorders(labels: Vec<u8>) -> Self {
        Self { labels, totals: None, recorders: None, created: Timestamp::default() }
    }
}

impl<'a> Members<'a> {
    /// Adds the members up. What they show is kept in a memory under a key, if there is one.
    fn add_up(self, memory: Option<(&Arc<Memory>, &Arc<str>)>, left_out: &mut Vec<LeftOut>) -> Group<'a> {
        let Self { labels, groups, namespaces, created } = self;
        let totals = match (&groups[..], memory) {
            ([group], None) => Some(Cow::Borrowed(*group)),
            _ => GroupTotals::add_up(&groups, memory, left_out).map(Cow::Owned),
        };
        let mut namespaces = namespaces.into_iter();
        let recorders = namespaces.next().map(|first| {
            let mut recorders = Cow::Borrowed(first);
            namespaces.for_each(|other| recorders.to_mut().merge(other));
            recorders
        });
        Group { labels, totals, recorders, created }
    }
}
