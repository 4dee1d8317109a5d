//! The wire format of Protocol Buffers, as far as messages of metrics need it: numbers, texts, and messages inside of messages.
//!
//! The format is at <https://protobuf.dev/programming-guides/encoding>, and does not change.

/// How a field is stored; the low three bits of its key.
#[derive(Clone, Copy)]
enum WireType {
    Varint = 0,
    Fixed64 = 1,
    LengthDelimited = 2,
}

/// Messages as bytes. Each method appends one field to the message that is being written.
#[derive(Default)]
pub(super) struct Wire(Vec<u8>);

impl Wire {
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// A field of the type `uint32`, `uint64` or `enum`, or a nonnegative `int32` or `int64`.
    pub(super) fn unsigned(&mut self, field: u32, number: u64) {
        self.key(field, WireType::Varint);
        self.varint(number);
    }

    /// A field of the type `sint32` or `sint64`.
    pub(super) fn signed(&mut self, field: u32, number: i64) {
        self.unsigned(field, zigzag(number));
    }

    /// A field of the type `repeated sint64`, packed. Every reader of Protocol Buffers takes it for a repeated one, too.
    pub(super) fn packed_signed(&mut self, field: u32, numbers: impl Iterator<Item = i64>) {
        self.message(field, |packed| numbers.for_each(|number| packed.varint(zigzag(number))));
    }

    /// A field of the type `double`.
    pub(super) fn double(&mut self, field: u32, number: f64) {
        self.key(field, WireType::Fixed64);
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    /// A field of the type `string`.
    pub(super) fn text(&mut self, field: u32, text: &str) {
        self.key(field, WireType::LengthDelimited);
        self.varint(text.len() as u64);
        self.0.extend_from_slice(text.as_bytes());
    }

    /// A field with a message.
    pub(super) fn message(&mut self, field: u32, write: impl FnOnce(&mut Self)) {
        self.key(field, WireType::LengthDelimited);
        self.delimited(write);
    }

    /// Fields that were written before.
    pub(super) fn fields(&mut self, written: &Self) {
        self.0.extend_from_slice(&written.0);
    }

    /// A message after its length.
    pub(super) fn delimited(&mut self, write: impl FnOnce(&mut Self)) {
        let start = self.0.len();
        // Most messages are so short that their length takes one byte. It is known only at the end.
        self.0.push(0);
        write(self);
        let end = self.0.len();
        let length = (end - start - 1) as u64;
        if length < 0x80 {
            self.0[start] = low_bits(length);
        } else {
            self.0[start] = low_bits(length) | 0x80;
            self.varint(length >> 7);
            let further = self.0.len() - end;
            self.0[start + 1..].rotate_right(further);
        }
    }

    fn key(&mut self, field: u32, wire_type: WireType) {
        self.varint(u64::from(field << 3 | wire_type as u32));
    }

    /// Seven bits in each byte, lowest first. All bytes but the last one have the highest bit.
    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(low_bits(number) | 0x80);
            number >>= 7;
        }
        self.0.push(low_bits(number));
    }
}

fn low_bits(number: u64) -> u8 {
    (number & 0x7F) as u8
}

/// Numbers close to zero become small ones: 0, -1, 1, -2 become 0, 1, 2, 3.
fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63).cast_unsigned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Wire)) -> Vec<u8> {
        let mut wire = Wire::default();
        write(&mut wire);
        wire.into_bytes()
    }

    /// The examples of the specification, and the ends of the ranges.
    #[test]
    fn fields_have_the_bytes_of_the_specification() {
        assert_eq!(written(|wire| wire.unsigned(1, 150)), [0x08, 0x96, 0x01]);
        assert_eq!(written(|wire| wire.text(2, "testing")), b"\x12\x07testing");
        assert_eq!(
            written(|wire| wire.message(3, |wire| wire.unsigned(1, 150))),
            [0x1a, 3, 0x08, 0x96, 0x01]
        );
        assert_eq!(
            written(|wire| wire.packed_signed(6, [3, 270, -1].into_iter())),
            [0x32, 4, 6, 0x9c, 0x04, 1]
        );
        assert_eq!(written(|wire| wire.double(2, 1.0)), [0x11, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f]);
        assert_eq!(
            written(|wire| wire.unsigned(16, u64::MAX)),
            [0x80, 0x01, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1]
        );
        let signed = [(0, 0), (-1, 1), (1, 2), (-2, 3), (i64::MAX, u64::MAX - 1), (i64::MIN, u64::MAX)];
        for (number, expected) in signed {
            assert_eq!(written(|wire| wire.signed(1, number)), written(|wire| wire.unsigned(1, expected)));
        }
    }

    #[test]
    fn a_long_message_has_its_length_in_front() {
        for length in [0, 1, 127, 128, 16_383, 16_384, 70_000] {
            let text = "x".repeat(length);
            let message =
                written(|wire| wire.delimited(|wire| wire.fields(&Wire(text.clone().into_bytes()))));
            let mut expected = written(|wire| wire.varint(length as u64));
            expected.extend_from_slice(text.as_bytes());
            assert!(message == expected, "{length}");
        }
    }
}
