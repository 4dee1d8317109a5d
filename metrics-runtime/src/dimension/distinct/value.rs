//! The values that `Distinct` tells apart, and the hash of each.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::{
    NonZeroI8, NonZeroI16, NonZeroI32, NonZeroI64, NonZeroI128, NonZeroIsize, NonZeroU8, NonZeroU16,
    NonZeroU32, NonZeroU64, NonZeroU128, NonZeroUsize,
};
use std::rc::Rc;
use std::sync::Arc;

use super::hash::xxh64;

/// The seeds of the hash. Bytes of one kind are no value of another one.
const BYTES: u64 = 0;
const INTEGER: u64 = 1;
const NEGATIVE: u64 = 2;
const TUPLE: u64 = 3;

/// The hash of a value, the same in all processes, on all platforms and in all versions.
///
/// Only the types of this crate make one, so that each hash is a good one: take the hash of one value, or that of a tuple.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DistinctHash(u64);

impl DistinctHash {
    /// The 64 bits of the hash.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0
    }
}

/// A value that [`Distinct`](crate::Distinct) tells apart from others.
///
/// It is implemented for texts, integers, `bool`, `char`, slices, vectors and arrays of bytes, IP addresses, enums with
/// [`#[derive(Label)]`](macro@crate::Label), tuples of two to four values, and for references, pointers and `Option`s to all
/// of these. Values count as one when these are equal:
///
/// * of integers and `bool` the number, whatever the type: `7_u8` and `7_i64` are one value;
/// * of texts, characters, labels, bytes and IP addresses the bytes: `"a"` and `b"a"` are one value;
/// * of tuples all parts. A tuple with a `None` is not counted.
///
/// It is not [`std::hash::Hash`], because that trait promises no equal bytes on other platforms and in other versions. A type of
/// your own takes the hash of what identifies it:
///
/// ```
/// use mvx_metrics::Distinct;
/// use mvx_metrics::feed::{DistinctHash, DistinctValue};
///
/// struct Account {
///     tenant: u32,
///     name: String,
///     visits: u64,
/// }
///
/// impl DistinctValue for Account {
///     fn distinct_hash(&self) -> Option<DistinctHash> {
///         (self.tenant, &self.name).distinct_hash()
///     }
/// }
///
/// let mut accounts = Distinct::default();
/// for (tenant, name, visits) in [(1, "ada", 7), (2, "ada", 7), (1, "ada", 8)] {
///     accounts.record(Account { tenant, name: name.to_owned(), visits });
/// }
/// assert_eq!(accounts.estimate(), 2);
/// ```
///
/// Floating-point numbers are no such values: two results that mean the same number often differ in their last bits. Round
/// them to an integer, or take their bits with `to_bits`.
#[diagnostic::on_unimplemented(
    message = "`Distinct` cannot tell values of type `{Self}` apart",
    label = "not a text, an integer, a `bool`, bytes or the like",
    note = "take what identifies the value, such as `|e| e.elapsed.as_nanos()` or `|e| e.ratio.to_bits()`",
    note = "a type of your own becomes such a value with `impl DistinctValue for ..`"
)]
pub trait DistinctValue {
    /// The hash of the value; `None` when there is nothing to count.
    fn distinct_hash(&self) -> Option<DistinctHash>;
}

macro_rules! pointers {
    ($($pointer:ty),*) => {
        $(impl<T: DistinctValue + ?Sized> DistinctValue for $pointer {
            #[inline]
            fn distinct_hash(&self) -> Option<DistinctHash> {
                T::distinct_hash(self)
            }
        })*
    };
}

pointers!(&T, &mut T, Box<T>, Rc<T>, Arc<T>);

impl<T: DistinctValue + ToOwned + ?Sized> DistinctValue for Cow<'_, T> {
    #[inline]
    fn distinct_hash(&self) -> Option<DistinctHash> {
        T::distinct_hash(self)
    }
}

/// `None` is not counted.
impl<T: DistinctValue> DistinctValue for Option<T> {
    #[inline]
    fn distinct_hash(&self) -> Option<DistinctHash> {
        self.as_ref().and_then(T::distinct_hash)
    }
}

impl DistinctValue for [u8] {
    #[inline]
    fn distinct_hash(&self) -> Option<DistinctHash> {
        Some(DistinctHash(xxh64(self, BYTES)))
    }
}

macro_rules! bytes {
    ($([$($parameter:tt)*] $type:ty: |$value:ident| $bytes:expr;)*) => {
        $(impl $($parameter)* DistinctValue for $type {
            #[inline]
            fn distinct_hash(&self) -> Option<DistinctHash> {
                let $value = self;
                <[u8]>::distinct_hash($bytes)
            }
        })*
    };
}

bytes! {
    [] str: |text| text.as_bytes();
    [] String: |text| text.as_bytes();
    [] char: |character| character.encode_utf8(&mut [0; 4]).as_bytes();
    [] Vec<u8>: |bytes| bytes;
    [<const N: usize>] [u8; N]: |bytes| bytes;
    [] Ipv4Addr: |address| &address.octets();
    [] Ipv6Addr: |address| &address.octets();
}

impl DistinctValue for IpAddr {
    #[inline]
    fn distinct_hash(&self) -> Option<DistinctHash> {
        match self {
            Self::V4(address) => address.distinct_hash(),
            Self::V6(address) => address.distinct_hash(),
        }
    }
}

/// The hash of a number: of 8 bytes, or of 16 where these are too few.
#[inline]
fn of_number(number: u128, seed: u64) -> DistinctHash {
    DistinctHash(match u64::try_from(number) {
        Ok(number) => xxh64(&number.to_le_bytes(), seed),
        Err(_) => xxh64(&number.to_le_bytes(), seed),
    })
}

macro_rules! unsigned {
    ($($type:ty: |$value:ident| $number:expr;)*) => {
        $(impl DistinctValue for $type {
            #[inline]
            fn distinct_hash(&self) -> Option<DistinctHash> {
                let $value = *self;
                Some(of_number($number, INTEGER))
            }
        })*
    };
}

unsigned! {
    u8: |number| number.into();
    u16: |number| number.into();
    u32: |number| number.into();
    u64: |number| number.into();
    u128: |number| number;
    bool: |value| value.into();
}

macro_rules! signed {
    ($($type:ty),*) => {
        $(impl DistinctValue for $type {
            #[inline]
            fn distinct_hash(&self) -> Option<DistinctHash> {
                let seed = if *self < 0 { NEGATIVE } else { INTEGER };
                Some(of_number(self.unsigned_abs().into(), seed))
            }
        })*
    };
}

signed!(i8, i16, i32, i64, i128);

impl DistinctValue for usize {
    #[inline]
    fn distinct_hash(&self) -> Option<DistinctHash> {
        (*self as u64).distinct_hash()
    }
}

impl DistinctValue for isize {
    #[inline]
    fn distinct_hash(&self) -> Option<DistinctHash> {
        (*self as i64).distinct_hash()
    }
}

macro_rules! not_zero {
    ($($type:ty),*) => {
        $(impl DistinctValue for $type {
            #[inline]
            fn distinct_hash(&self) -> Option<DistinctHash> {
                self.get().distinct_hash()
            }
        })*
    };
}

not_zero!(NonZeroU8, NonZeroU16, NonZeroU32, NonZeroU64, NonZeroU128, NonZeroUsize);
not_zero!(NonZeroI8, NonZeroI16, NonZeroI32, NonZeroI64, NonZeroI128, NonZeroIsize);

macro_rules! tuples {
    ($(($($part:ident),*);)*) => {
        $(impl<$($part: DistinctValue),*> DistinctValue for ($($part,)*) {
            #[inline]
            fn distinct_hash(&self) -> Option<DistinctHash> {
                #[expect(non_snake_case, reason = "one name for a type and its value")]
                let ($($part,)*) = self;
                let hashes = [$($part.distinct_hash()?.0.to_le_bytes()),*];
                Some(DistinctHash(xxh64(hashes.as_flattened(), TUPLE)))
            }
        })*
    };
}

tuples! {
    (A, B);
    (A, B, C);
    (A, B, C, D);
}

/// The hash of a derived label: that of its text.
#[doc(hidden)]
#[must_use]
pub fn hash_of_label(texts: &[&'static str], index: usize) -> Option<DistinctHash> {
    texts.get(index)?.distinct_hash()
}
