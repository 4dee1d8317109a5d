//! Ids that events of one thing have in common, and the keys under which a histogram keeps them.

use std::borrow::Cow;
use std::hash::{BuildHasher, DefaultHasher, Hasher, RandomState};
use std::marker::PhantomData;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::{
    NonZeroI8, NonZeroI16, NonZeroI32, NonZeroI64, NonZeroI128, NonZeroIsize, NonZeroU8, NonZeroU16,
    NonZeroU32, NonZeroU64, NonZeroU128, NonZeroUsize,
};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use super::open_ids::{self, RecordsDurations};

/// An id that the first and the last event of one thing have in common: the source of `begin` and `end`.
///
/// It is implemented for texts, integers, bytes, network addresses, tuples of two to four ids, and for references, pointers and
/// `Option`s to all of these. An event whose id is `None` does nothing. The type of the id may differ between the events:
///
/// * integers are equal when their numbers are, `7_u32` and `7_i64`;
/// * texts, and bytes, are equal when their bytes are, whoever owns them;
/// * ids of different kinds, such as a text and a number, are never equal: `begin` of one and `end` of the other do not compile.
///
/// A type of your own takes what identifies it:
///
/// ```
/// use mvx_metrics::feed::{EventId, IdHasher};
///
/// struct RequestId(u64);
///
/// impl EventId for RequestId {
///     type Like = u64;
///
///     fn hash_id(&self, hasher: &mut IdHasher) -> bool {
///         self.0.hash_id(hasher)
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no id that events have in common",
    label = "not a text, an integer, bytes or an address",
    note = "take what identifies it, such as `begin = |e| e.id.as_u128()`",
    note = "a type of your own becomes an id with `impl EventId for ..`"
)]
pub trait EventId {
    /// A type that stands for all types with ids that can be equal: `String` for texts, `u64` for integers, `Vec<u8>` for bytes,
    /// `IpAddr` and `SocketAddr`, and a tuple of these for a tuple.
    type Like: EqualTo<Self::Like>;

    /// Adds the id to the hasher. `false` when there is none.
    fn hash_id(&self, hasher: &mut IdHasher) -> bool;

    /// The option `begin`.
    #[doc(hidden)]
    fn begin_in(self, histogram: &mut impl RecordsDurations, at: Option<Instant>, limit: usize) -> bool
    where
        Self: Sized,
    {
        open_ids::begin(histogram, &self, at, limit)
    }

    /// The option `end`.
    #[doc(hidden)]
    fn end_in(self, histogram: &mut impl RecordsDurations, at: Option<Instant>) -> bool
    where
        Self: Sized,
    {
        open_ids::end(histogram, &self, at)
    }

    /// The kind of the id.
    #[doc(hidden)]
    fn id_kind(self) -> IdKind<Self::Like>
    where
        Self: Sized,
    {
        IdKind::new()
    }

    /// The id itself, where ids of the kind can be equal to it. The kind comes first, so that rustc does not guess it from the id.
    #[doc(hidden)]
    #[must_use]
    fn of_kind<L>(_kind: IdKind<L>, id: Self) -> Self
    where
        Self: Sized,
        Self::Like: EqualTo<L>,
    {
        id
    }
}

/// The kind of ids like `L`.
#[doc(hidden)]
#[derive(Debug)]
pub struct IdKind<L>(PhantomData<fn(L)>);

impl<L> IdKind<L> {
    pub(crate) fn new() -> Self {
        Self(PhantomData)
    }
}

/// Kinds of ids that can be equal: the same type [`Like`](EventId::Like), or tuples of such types.
#[diagnostic::on_unimplemented(
    message = "this id is never equal to that of `begin`: it is like `{Self}`, and that of `begin` like `{Other}`",
    label = "never equal to the id of `begin`",
    note = "write the same id in `begin` and in `end`"
)]
pub trait EqualTo<Other> {}

macro_rules! kinds {
    ($($like:ty),*) => {
        $(impl EqualTo<$like> for $like {})*
    };
}

kinds!(String, u64, Vec<u8>, IpAddr, SocketAddr);

/// Takes up an [`EventId`]. Only the ids of this crate can write to it, so that equal ids always have equal hashes.
///
/// The hash has 128 bits: two `SipHash`es with secret keys of the process. Nobody who chooses ids can make two of them collide.
#[derive(Debug, Clone)]
pub struct IdHasher([DefaultHasher; 2]);

/// The hash of an id. Two ids with one key are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct IdKey([u64; 2]);

impl std::hash::Hash for IdKey {
    /// The key is a keyed hash itself.
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u64(self.0[0]);
    }
}

/// Takes the bits of an [`IdKey`] as they are.
#[derive(Debug, Clone, Default)]
pub(super) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64((*byte).into());
        }
    }

    fn write_u64(&mut self, bits: u64) {
        self.0 = self.0.rotate_left(8) ^ bits;
    }
}

impl IdHasher {
    /// A hasher with keys of its own.
    pub(super) fn with_new_keys() -> Self {
        let first = RandomState::new();
        let mut second = RandomState::new().build_hasher();
        // The keys of two `RandomState`s of a thread follow one another. A secret in front makes both hashes independent.
        second.write_u64(first.hash_one(0_u64));
        Self([first.build_hasher(), second])
    }

    /// The key of an id; `None` when the event has none.
    pub(super) fn key(&self, id: &impl EventId) -> Option<IdKey> {
        let mut hasher = self.clone();
        id.hash_id(&mut hasher).then(|| IdKey(hasher.0.map(|hasher| hasher.finish())))
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.iter_mut().for_each(|hasher| hasher.write(bytes));
    }

    /// Bytes of any number. With their length in front, no two lists of parts have the same bytes.
    fn write_bytes(&mut self, bytes: &[u8]) {
        self.write(&(bytes.len() as u64).to_le_bytes());
        self.write(bytes);
    }

    /// A number: its sign and its size, in 8 bytes, or in 16 where these are too few.
    fn write_number(&mut self, is_negative: bool, size: u128) {
        let bytes = size.to_le_bytes();
        let is_long = size > u64::MAX.into();
        let mut written = [0; 17];
        written[0] = u8::from(is_negative) | u8::from(is_long) << 1;
        written[1..].copy_from_slice(&bytes);
        self.write(if is_long { &written } else { &written[..9] });
    }
}

macro_rules! pointers {
    ($($pointer:ty),*) => {
        $(impl<T: EventId + ?Sized> EventId for $pointer {
            type Like = T::Like;

            #[inline]
            fn hash_id(&self, hasher: &mut IdHasher) -> bool {
                T::hash_id(self, hasher)
            }
        })*
    };
}

pointers!(&T, &mut T, Box<T>, Rc<T>, Arc<T>);

impl<T: EventId + ToOwned + ?Sized> EventId for Cow<'_, T> {
    type Like = T::Like;

    #[inline]
    fn hash_id(&self, hasher: &mut IdHasher) -> bool {
        T::hash_id(self, hasher)
    }
}

impl<T: EventId> EventId for Option<T> {
    type Like = T::Like;

    #[inline]
    fn hash_id(&self, hasher: &mut IdHasher) -> bool {
        self.as_ref().is_some_and(|id| id.hash_id(hasher))
    }
}

macro_rules! bytes {
    ($([$($parameter:tt)*] $type:ty as $like:ty: |$value:ident| $bytes:expr;)*) => {
        $(impl $($parameter)* EventId for $type {
            type Like = $like;

            #[inline]
            fn hash_id(&self, hasher: &mut IdHasher) -> bool {
                let $value = self;
                hasher.write_bytes($bytes);
                true
            }
        })*
    };
}

bytes! {
    [] str as String: |text| text.as_bytes();
    [] String as String: |text| text.as_bytes();
    [] [u8] as Vec<u8>: |bytes| bytes;
    [] Vec<u8> as Vec<u8>: |bytes| bytes;
    [<const N: usize>] [u8; N] as Vec<u8>: |bytes| bytes;
    [] Ipv4Addr as IpAddr: |address| &address.octets();
    [] Ipv6Addr as IpAddr: |address| &address.octets();
}

impl EventId for IpAddr {
    type Like = Self;

    #[inline]
    fn hash_id(&self, hasher: &mut IdHasher) -> bool {
        match self {
            Self::V4(address) => address.hash_id(hasher),
            Self::V6(address) => address.hash_id(hasher),
        }
    }
}

impl EventId for SocketAddr {
    type Like = Self;

    #[inline]
    fn hash_id(&self, hasher: &mut IdHasher) -> bool {
        self.ip().hash_id(hasher) && self.port().hash_id(hasher)
    }
}

macro_rules! numbers {
    ($($type:ty: |$value:ident| $is_negative:expr, $size:expr;)*) => {
        $(impl EventId for $type {
            type Like = u64;

            #[inline]
            fn hash_id(&self, hasher: &mut IdHasher) -> bool {
                let $value = *self;
                hasher.write_number($is_negative, $size);
                true
            }
        })*
    };
}

numbers! {
    u8: |number| false, number.into();
    u16: |number| false, number.into();
    u32: |number| false, number.into();
    u64: |number| false, number.into();
    u128: |number| false, number;
    usize: |number| false, number as u128;
    i8: |number| number < 0, number.unsigned_abs().into();
    i16: |number| number < 0, number.unsigned_abs().into();
    i32: |number| number < 0, number.unsigned_abs().into();
    i64: |number| number < 0, number.unsigned_abs().into();
    i128: |number| number < 0, number.unsigned_abs();
    isize: |number| number < 0, number.unsigned_abs() as u128;
}

macro_rules! not_zero {
    ($($type:ty),*) => {
        $(impl EventId for $type {
            type Like = u64;

            #[inline]
            fn hash_id(&self, hasher: &mut IdHasher) -> bool {
                self.get().hash_id(hasher)
            }
        })*
    };
}

not_zero!(NonZeroU8, NonZeroU16, NonZeroU32, NonZeroU64, NonZeroU128, NonZeroUsize);
not_zero!(NonZeroI8, NonZeroI16, NonZeroI32, NonZeroI64, NonZeroI128, NonZeroIsize);

macro_rules! tuples {
    ($(($($part:ident = $other:ident),*);)*) => {
        $(impl<$($part: EqualTo<$other>, $other),*> EqualTo<($($other,)*)> for ($($part,)*) {}

        impl<$($part: EventId),*> EventId for ($($part,)*) {
            type Like = ($($part::Like,)*);

            #[inline]
            fn hash_id(&self, hasher: &mut IdHasher) -> bool {
                #[expect(non_snake_case, reason = "one name for a type and its value")]
                let ($($part,)*) = self;
                $($part.hash_id(hasher))&&*
            }
        })*
    };
}

tuples! {
    (A = E, B = F);
    (A = E, B = F, C = G);
    (A = E, B = F, C = G, D = H);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dl4_equal_ids_have_one_key_whatever_their_type() {
        let hasher = IdHasher::with_new_keys();
        let texts = [
            hasher.key(&"a"),
            hasher.key(&Box::<str>::from("a")),
            hasher.key(&String::from("a")),
            hasher.key(&Arc::<str>::from("a")),
            hasher.key(&Some(Cow::Borrowed("a"))),
        ];
        assert!(texts.iter().all(|key| key.is_some() && *key == texts[0]), "{texts:?}");
        let numbers = [
            hasher.key(&7_u8),
            hasher.key(&7_u32),
            hasher.key(&7_i64),
            hasher.key(&7_u128),
            hasher.key(&7_usize),
            hasher.key(&NonZeroU16::new(7)),
        ];
        assert!(numbers.iter().all(|key| key.is_some() && *key == numbers[0]), "{numbers:?}");
        let addresses = [hasher.key(&Ipv4Addr::LOCALHOST), hasher.key(&IpAddr::V4(Ipv4Addr::LOCALHOST))];
        assert_eq!(addresses[0], addresses[1]);
        assert_eq!(hasher.key(&(7_u8, "a")), hasher.key(&(7_u64, String::from("a"))));
    }

    #[test]
    fn dl4_different_ids_have_different_keys() {
        let hasher = IdHasher::with_new_keys();
        let keys = [
            hasher.key(&7_u8),
            hasher.key(&-7_i8),
            hasher.key(&u64::MAX),
            hasher.key(&(u128::from(u64::MAX) + 1)),
            hasher.key(&i128::MIN),
            hasher.key(&(i128::MIN.unsigned_abs())),
            hasher.key(&""),
            hasher.key(&"a"),
            hasher.key(&("", "ab")),
            hasher.key(&("a", "b")),
            hasher.key(&("ab", "")),
            hasher.key(&("a", "b", "")),
            hasher.key(&SocketAddr::from(([127, 0, 0, 1], 80))),
            hasher.key(&SocketAddr::from(([127, 0, 0, 1], 81))),
        ];
        for (index, key) in keys.iter().enumerate() {
            assert!(key.is_some() && !keys[..index].contains(key), "{index}: {keys:?}");
        }
        let other = IdHasher::with_new_keys();
        assert_ne!(hasher.key(&7_u8), other.key(&7_u8), "the keys are secret");
        let IdKey([one, two]) = hasher.key(&7_u8).expect("an id");
        assert_ne!(one, two);
    }

    #[test]
    fn dl4_an_id_that_is_none_has_no_key() {
        let hasher = IdHasher::with_new_keys();
        assert_eq!(hasher.key(&None::<u64>), None);
        assert_eq!(hasher.key(&(1_u8, None::<&str>)), None);
    }
}
