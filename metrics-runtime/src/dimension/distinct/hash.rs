//! The hash of `Distinct`: XXH64 by Yann Collet, after the specification `doc/xxhash_spec.md` of the project xxHash, version 0.1.1.
//!
//! It passes the statistical tests of `SMHasher`, also for keys that differ in a few bits, such as integers that follow one another.
//! Snapshots of other processes and versions are merged, so it never changes.

const PRIME_1: u64 = 0x9E37_79B1_85EB_CA87;
const PRIME_2: u64 = 0xC2B2_AE3D_27D4_EB4F;
const PRIME_3: u64 = 0x1656_67B1_9E37_79F9;
const PRIME_4: u64 = 0x85EB_CA77_C2B2_AE63;
const PRIME_5: u64 = 0x27D4_EB2F_1656_67C5;

/// Hashes bytes of any number.
#[inline]
pub(super) fn xxh64(bytes: &[u8], seed: u64) -> u64 {
    let (stripes, rest) = bytes.as_chunks::<32>();
    let start = if stripes.is_empty() { seed.wrapping_add(PRIME_5) } else { of_stripes(stripes, seed) };
    let mut hash = start.wrapping_add(bytes.len() as u64);
    let (words, rest) = rest.as_chunks::<8>();
    for word in words {
        hash ^= round(0, u64::from_le_bytes(*word));
        hash = hash.rotate_left(27).wrapping_mul(PRIME_1).wrapping_add(PRIME_4);
    }
    let (halves, rest) = rest.as_chunks::<4>();
    for half in halves {
        hash ^= u64::from(u32::from_le_bytes(*half)).wrapping_mul(PRIME_1);
        hash = hash.rotate_left(23).wrapping_mul(PRIME_2).wrapping_add(PRIME_3);
    }
    for byte in rest {
        hash ^= u64::from(*byte).wrapping_mul(PRIME_5);
        hash = hash.rotate_left(11).wrapping_mul(PRIME_1);
    }
    hash = (hash ^ hash >> 33).wrapping_mul(PRIME_2);
    hash = (hash ^ hash >> 29).wrapping_mul(PRIME_3);
    hash ^ hash >> 32
}

/// The start for inputs of at least 32 bytes: four lanes, each of which takes 8 bytes of every stripe.
fn of_stripes(stripes: &[[u8; 32]], seed: u64) -> u64 {
    let mut lanes = [
        seed.wrapping_add(PRIME_1).wrapping_add(PRIME_2),
        seed.wrapping_add(PRIME_2),
        seed,
        seed.wrapping_sub(PRIME_1),
    ];
    for stripe in stripes {
        let (words, _) = stripe.as_chunks::<8>();
        for (lane, word) in lanes.iter_mut().zip(words) {
            *lane = round(*lane, u64::from_le_bytes(*word));
        }
    }
    let [one, two, three, four] = lanes;
    let mut hash = one.rotate_left(1);
    hash = hash.wrapping_add(two.rotate_left(7));
    hash = hash.wrapping_add(three.rotate_left(12));
    hash = hash.wrapping_add(four.rotate_left(18));
    for lane in lanes {
        hash = (hash ^ round(0, lane)).wrapping_mul(PRIME_1).wrapping_add(PRIME_4);
    }
    hash
}

fn round(lane: u64, word: u64) -> u64 {
    lane.wrapping_add(word.wrapping_mul(PRIME_2)).rotate_left(31).wrapping_mul(PRIME_1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes of xxHash's own test of its implementations.
    fn published_bytes(count: usize) -> Vec<u8> {
        let mut state = 2_654_435_761_u64;
        let bytes = std::iter::repeat_with(|| {
            let byte = state >> 56;
            state = state.wrapping_mul(11_400_714_785_074_694_797);
            u8::try_from(byte).expect("it has 8 bits")
        });
        bytes.take(count).collect()
    }

    #[test]
    fn di9_the_hash_is_the_published_one() {
        const SEED: u64 = 2_654_435_761;
        for (count, seed, expected) in [
            (0, 0, 0xEF46_DB37_51D8_E999),
            (0, SEED, 0xAC75_FDA2_929B_17EF),
            (1, 0, 0xE934_A84A_DB05_2768),
            (1, SEED, 0x5014_6076_43A9_B4C3),
            (4, 0, 0x9136_A0DC_A574_57EE),
            (14, 0, 0x8282_DCC4_994E_35C8),
            (14, SEED, 0xC3BD_6BF6_3DEB_6DF0),
            (222, 0, 0xB641_AE8C_B691_C174),
            (222, SEED, 0x20CB_8AB7_AE10_C14A),
        ] {
            assert_eq!(xxh64(&published_bytes(count), seed), expected, "{count} bytes, seed {seed}");
        }
    }
}
