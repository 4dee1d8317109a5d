//! Labels as text.

use super::name::{ENTITY_ID, NAMESPACE};
use crate::totals::GroupTotals;

/// The labels of every series.
#[derive(Default)]
pub(super) struct ConstantLabels {
    names: Vec<String>,
    /// Each label after a comma.
    text: Vec<u8>,
}

impl ConstantLabels {
    pub(super) fn push(&mut self, name: &str, value: &str) {
        self.names.push(name.to_owned());
        self.text.push(b',');
        push_label(&mut self.text, name, value);
    }

    /// The names that no label of a breakdown may have.
    pub(super) fn reserved(&self) -> &[String] {
        &self.names
    }

    /// The labels of the series of a group, ready to be copied.
    pub(super) fn of_group(&self, group: &GroupTotals) -> Vec<u8> {
        let mut labels = Vec::new();
        push_label(&mut labels, NAMESPACE, &group.namespace);
        if let Some(entity_id) = &group.entity_id {
            labels.push(b',');
            push_label(&mut labels, ENTITY_ID, entity_id);
        }
        labels.extend_from_slice(&self.text);
        labels
    }

    /// The labels of the series of a namespace.
    pub(super) fn of_namespace(&self, namespace: &str) -> Vec<u8> {
        let mut labels = Vec::new();
        push_label(&mut labels, NAMESPACE, namespace);
        labels.extend_from_slice(&self.text);
        labels
    }
}

pub(super) fn push_label(out: &mut Vec<u8>, name: &str, value: &str) {
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
