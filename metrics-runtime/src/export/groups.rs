//! The groups of an exposition: recorders whose series have the same labels, of one runtime or of several.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use super::labels::ConstantLabels;
use crate::snapshot::Timestamp;
use crate::totals::{GroupTotals, LeftOut, Memory, NamespaceRecorders, Scope, Totals};

/// All groups, in the order in which families show them.
pub(super) struct Groups<'a> {
    pub(super) list: Vec<Group<'a>>,
    /// The dimensions that the groups do not contain.
    pub(super) left_out: Vec<LeftOut>,
}

/// Recorders whose series have the same labels.
pub(super) struct Group<'a> {
    /// The labels as text, ready to be copied.
    pub(super) labels: Vec<u8>,
    /// `None` for a namespace that is shown entity by entity.
    pub(super) totals: Option<Cow<'a, GroupTotals>>,
    /// `None` for an entity.
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
    pub(super) fn of(totals: &'a [Totals], labels: &ConstantLabels, memory: &Arc<Memory>) -> Self {
        let mut members: Vec<Members<'a>> = Vec::new();
        let mut indexes: HashMap<Vec<u8>, usize> = HashMap::new();
        let mut find_or_push = |members: &mut Vec<Members<'a>>, labels: Vec<u8>| {
            *indexes.entry(labels).or_insert_with_key(|labels| {
                members.push(Members { labels: labels.clone(), ..Members::default() });
                members.len() - 1
            })
        };
        for group in totals.iter().flat_map(|totals| &totals.groups) {
            let index = find_or_push(&mut members, labels.of_group(group));
            members[index].groups.push(group);
        }
        for totals in totals {
            for namespace in &totals.namespaces {
                let index = find_or_push(&mut members, labels.of_namespace(&namespace.namespace));
                members[index].namespaces.push(namespace);
                members[index].created = members[index].created.earliest(totals.runtime_started_at());
            }
        }
        let mut left_out: Vec<LeftOut> =
            totals.iter().flat_map(|totals| totals.left_out.iter().cloned()).collect();
        // A namespace of a rollup may coincide with another one later. So it is added up under its memory from the beginning.
        let is_remembered = totals.len() > 1 && totals.iter().all(|totals| totals.scope == Scope::Rollup);
        let memory = is_remembered.then_some(memory);
        let list = members.into_iter().map(|members| members.add_up(memory, &mut left_out)).collect();
        Self { list, left_out }
    }
}

impl<'a> Members<'a> {
    fn add_up(self, memory: Option<&Arc<Memory>>, left_out: &mut Vec<LeftOut>) -> Group<'a> {
        let Self { labels, groups, namespaces, created } = self;
        let totals = if let ([group], None) = (&groups[..], memory) {
            Some(Cow::Borrowed(*group))
        } else {
            // No namespace has a NUL character, so this key belongs to no namespace of the runtime.
            let key: Arc<str> = format!("\0{}", String::from_utf8_lossy(&labels)).into();
            let memory = memory.map(|memory| (memory, &key));
            GroupTotals::add_up(&groups, memory, left_out).map(Cow::Owned)
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
