//! The encoding of protobuf, as far as messages are put together from parts that are encoded already.
//!
//! The attributes of a group stand in each of its points. They are encoded once and copied, which no message type allows. The
//! numbers of fields are those of
//! <https://github.com/open-telemetry/opentelemetry-proto/blob/v1.7.0/opentelemetry/proto/metrics/v1/metrics.proto>.

use prost::encoding::{encode_varint, encoded_len_varint};

/// The tag of a field whose value has a length.
const fn tag(field: u8) -> u8 {
    (field << 3) | 2
}

/// Pushes a field that has a length in front: a text, a message, or several parts of one message.
pub(super) fn push(out: &mut Vec<u8>, field: u8, parts: &[&[u8]]) {
    push_head(out, field, parts.iter().map(|part| part.len()).sum());
    for part in parts {
        out.extend_from_slice(part);
    }
}

/// Pushes the tag and the length of a field.
pub(super) fn push_head(out: &mut Vec<u8>, field: u8, length: usize) {
    out.push(tag(field));
    encode_varint(length as u64, out);
}

/// The length of a field with a value of this length.
pub(super) fn field_length(length: usize) -> usize {
    1 + encoded_len_varint(length as u64) + length
}

/// The attributes of a point, or the first ones of them.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    /// Messages `KeyValue`, each after its length.
    bytes: Vec<u8>,
    /// Where each message ends.
    ends: Vec<usize>,
}

impl Attributes {
    pub(super) fn clear(&mut self) {
        self.truncate(0);
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Keeps the first attributes.
    pub(super) fn truncate(&mut self, len: usize) {
        self.ends.truncate(len);
        self.bytes.truncate(self.ends.last().copied().unwrap_or(0));
    }

    pub(super) fn push(&mut self, key: &str, text: &str) {
        // `KeyValue { 1: key, 2: AnyValue { 1: text } }`
        let value = field_length(text.len());
        encode_varint((field_length(key.len()) + field_length(value)) as u64, &mut self.bytes);
        push(&mut self.bytes, 1, &[key.as_bytes()]);
        push_head(&mut self.bytes, 2, value);
        push(&mut self.bytes, 1, &[text.as_bytes()]);
        self.ends.push(self.bytes.len());
    }

    /// The length of all attributes in a message.
    pub(super) fn length(&self) -> usize {
        self.bytes.len() + self.ends.len()
    }

    /// Pushes all attributes, as this field of their message.
    pub(super) fn push_to(&self, out: &mut Vec<u8>, field: u8) {
        let mut start = 0;
        for end in &self.ends {
            out.push(tag(field));
            out.extend_from_slice(&self.bytes[start..*end]);
            start = *end;
        }
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::common::v1::any_value;
    use opentelemetry_proto::tonic::metrics::v1::NumberDataPoint;
    use prost::Message;

    use super::*;

    #[test]
    fn attributes_are_those_of_the_message() {
        let texts = ["", "plain", "ü\u{1f980}\0", &"x".repeat(300), &"y".repeat(70_000)];
        let mut attributes = Attributes::default();
        for text in texts {
            attributes.push(text, text);
        }
        attributes.push("more", "than is kept");
        attributes.truncate(texts.len());
        let mut out = Vec::new();
        attributes.push_to(&mut out, 7);
        assert_eq!(out.len(), attributes.length());
        let point = NumberDataPoint::decode(&*out).expect("a message");
        let read = point.attributes.iter().map(|attribute| {
            let value = attribute.value.as_ref().and_then(|value| value.value.as_ref());
            (&*attribute.key, value)
        });
        let written = texts.map(|text| any_value::Value::StringValue(text.to_owned()));
        assert!(
            read.eq(texts.into_iter().zip(written.iter().map(Some))),
            "{} attributes",
            point.attributes.len()
        );
    }
}
