//! The labels that an exposition gives to series, as text.

use std::collections::{BTreeMap, BTreeSet};

use super::name::UsedNames;
use super::options::ExpositionOptions;
use crate::totals::{GroupTotals, Totals};

/// The labels of the series of all groups.
pub(super) struct SeriesLabels<'a> {
    namespace: Option<&'a str>,
    entity_id: Option<&'a str>,
    /// For each of the totals, the labels of all its series, each after a comma.
    of_totals: Vec<Vec<u8>>,
    /// The labels that all totals have, each after a comma.
    common: Vec<u8>,
    /// Whether `target_info` shows the common labels, and the other series do not.
    has_target_info: bool,
    /// The labels of all series of the exposition, each after a comma: the end of the labels of every group.
    of_all: Vec<u8>,
    used: UsedNames,
}

impl<'a> SeriesLabels<'a> {
    /// The labels of valid options. A label of the options takes the place of the process's label of the same name.
    ///
    /// `unread` are the labels of the runtimes that are not in the totals. They count too, so that no series of another runtime gets
    /// other labels when such a runtime starts.
    pub(super) fn of(
        options: &'a ExpositionOptions,
        totals: &[Totals],
        unread: &[&BTreeMap<String, String>],
    ) -> Self {
        let (namespace, entity_id) = (options.namespace.as_deref(), options.entity_id.as_deref());
        let of_scope = || [namespace, entity_id].into_iter().flatten();
        let is_replaced = |name: &str| options.labels.iter().any(|(other, _)| other == name);
        let mut used = UsedNames::default();
        used.extend(of_scope().chain(options.labels.iter().map(|(name, _)| &**name)));
        let all = || totals.iter().map(Totals::labels).chain(unread.iter().copied());
        let of_process: BTreeSet<&str> =
            (all().flat_map(BTreeMap::keys)).map(|name| &**name).filter(|name| !is_replaced(name)).collect();
        used.extend(of_process.iter().copied());
        let mut names: BTreeMap<&str, String> = BTreeMap::new();
        for name in of_process {
            // A renamed label may have the name of a label of the process.
            let spelled =
                if of_scope().any(|other| other == name) { used.prefixed(name) } else { name.to_owned() };
            used.extend([&*spelled]);
            names.insert(name, spelled);
        }
        let is_common = |name: &str, value: &str| {
            all().all(|labels| labels.get(name).is_some_and(|other| other == value))
        };
        let mut common = Vec::new();
        let mut of_totals = vec![Vec::new(); totals.len()];
        for (index, (own, totals)) in of_totals.iter_mut().zip(totals).enumerate() {
            for (name, value) in totals.labels() {
                // For Prometheus a label without a text is no label, so series with and without it are one.
                let Some(spelled) = names.get(&**name).filter(|_| !value.is_empty()) else { continue };
                let is_common = is_common(name, value);
                if is_common && index == 0 {
                    push_further(&mut common, spelled, value);
                }
                if !(is_common && options.target_info) {
                    push_further(own, spelled, value);
                }
            }
        }
        let mut of_all = Vec::new();
        for (name, value) in options.labels.iter().filter(|(_, value)| !value.is_empty()) {
            push_further(&mut of_all, name, value);
        }
        Self { namespace, entity_id, of_totals, common, has_target_info: options.target_info, of_all, used }
    }

    /// The names that no label of a breakdown may have.
    pub(super) fn used(&self) -> &UsedNames {
        &self.used
    }

    /// Whether groups of different namespaces have the same labels.
    pub(super) fn leave_out_namespace(&self) -> bool {
        self.namespace.is_none()
    }

    /// The labels of the series of a group of the totals at `index`.
    pub(super) fn of_group(&self, index: usize, group: &GroupTotals) -> Vec<u8> {
        self.of_names(index, &group.namespace, group.entity_id.as_deref())
    }

    /// The labels of the series of a namespace of the totals at `index`.
    pub(super) fn of_namespace(&self, index: usize, namespace: &str) -> Vec<u8> {
        self.of_names(index, namespace, None)
    }

    /// The labels of `target_info`; `None` when there is nothing to show.
    pub(super) fn of_target_info(&self) -> Option<Vec<u8>> {
        let is_shown = self.has_target_info && !self.common.is_empty();
        is_shown.then(|| without_comma([&*self.common, &*self.of_all].concat()))
    }

    /// The labels of the series of the whole process.
    pub(super) fn of_process(&self) -> Vec<u8> {
        let common: &[u8] = if self.has_target_info { &[] } else { &self.common };
        without_comma([common, &self.of_all].concat())
    }

    /// The labels of a group without the labels that all groups have.
    pub(super) fn distinctive<'g>(&self, labels: &'g [u8]) -> &'g [u8] {
        labels.strip_suffix(&*self.of_all).unwrap_or_default()
    }

    fn of_names(&self, index: usize, namespace: &str, entity_id: Option<&str>) -> Vec<u8> {
        let mut labels = Vec::new();
        if let Some(name) = self.namespace {
            push_further(&mut labels, name, namespace);
        }
        if let (Some(name), Some(entity_id)) = (self.entity_id, entity_id) {
            push_further(&mut labels, name, entity_id);
        }
        labels.extend(self.of_totals.get(index).into_iter().flatten());
        labels.extend_from_slice(&self.of_all);
        without_comma(labels)
    }
}

/// Labels without the comma in front of the first one.
fn without_comma(mut labels: Vec<u8>) -> Vec<u8> {
    if !labels.is_empty() {
        labels.remove(0);
    }
    labels
}

/// Pushes a label after a comma.
pub(super) fn push_further(out: &mut Vec<u8>, name: &str, value: &str) {
    out.push(b',');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"=\"");
    push_escaped(out, value, true);
    out.push(b'"');
}

pub(super) fn push_escaped(out: &mut Vec<u8>, text: &str, quotes: bool) {
    for byte in text.bytes() {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'"' if quotes => out.extend_from_slice(b"\\\""),
            byte => out.push(byte),
        }
    }
}

/// The names and values of labels in the form of the text.
pub(super) fn pairs(labels: &[u8]) -> Vec<(String, String)> {
    let mut pairs: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    let mut name = Vec::new();
    let mut bytes = labels.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b',' => {}
            b'=' => {
                let (mut value, mut is_escaped) = (Vec::new(), false);
                // The text begins after a quotation mark, and ends with one.
                for byte in bytes.by_ref().skip(1) {
                    match byte {
                        b'"' if !is_escaped => break,
                        b'\\' if !is_escaped => is_escaped = true,
                        byte => {
                            value.push(if is_escaped && byte == b'n' { b'\n' } else { byte });
                            is_escaped = false;
                        }
                    }
                }
                pairs.push((std::mem::take(&mut name), value));
            }
            byte => name.push(byte),
        }
    }
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    pairs.into_iter().map(|(name, value)| (text(name), text(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_come_back_from_their_text() {
        let values =
            ["", "plain", "\"", "\\", "\n", "\\n", "x\\", "a=\"b\",c=\"d\"", "ü\u{1f980}\0", "\\\"\n\\\\"];
        let expected: Vec<(String, String)> =
            (0..).zip(values).map(|(number, value)| (format!("label_{number}"), value.to_owned())).collect();
        for start in 0..=expected.len() {
            let mut text = Vec::new();
            for (name, value) in &expected[start..] {
                push_further(&mut text, name, value);
            }
            assert_eq!(pairs(&without_comma(text)), expected[start..]);
        }
    }
}
