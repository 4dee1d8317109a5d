//! The registers of a `HyperLogLog` sketch: an estimate of how many different hashes a set has.
//!
//! The sketch has 4,096 registers, so the standard error of the estimate is 1.04 / sqrt(4,096) = 1.6%. The first 12 bits of a hash
//! choose a register. The register keeps the largest rank of its hashes: the number of zeros in front of the first one among the
//! other 52 bits, plus one. Both forms below hold the same registers, so nothing jumps when the form changes.

/// How many bits of a hash choose its register.
const INDEX_BITS: u32 = 12;
/// The number of registers.
const COUNT: usize = 1 << INDEX_BITS;
/// The largest rank: all 52 other bits of the hash are zero.
const MAX_RANK: u8 = 53;
/// How many bits of a sparse register hold its rank.
const RANK_BITS: u32 = 6;
/// With more registers than this the dense form is used. The sparse form takes at most half of its memory.
const MAX_SPARSE: usize = 512;

/// The digits of the text form: those of base64url (RFC 4648, section 5). A digit has 6 bits, so one digit holds a rank.
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The registers that are not zero. Equal sets of hashes have equal registers, in the same form.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Registers {
    /// At most `MAX_SPARSE` registers, ordered: the index in front of the rank.
    Sparse(Vec<u32>),
    /// The rank of each register.
    Dense(Box<[u8; COUNT]>),
}

/// A sparse register.
fn packed(index: u16, rank: u8) -> u32 {
    u32::from(index) << RANK_BITS | u32::from(rank)
}

/// The index and the rank of a sparse register.
#[expect(clippy::cast_possible_truncation, reason = "an index has 12 bits")]
fn unpacked(register: u32) -> (u16, u8) {
    ((register >> RANK_BITS) as u16, (register & ((1 << RANK_BITS) - 1)) as u8)
}

impl Registers {
    pub(super) const EMPTY: Self = Self::Sparse(Vec::new());

    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::Sparse(registers) if registers.is_empty())
    }

    /// Adds a hash to the set.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "an index has 12 bits, and a rank is at most 53")]
    pub(super) fn insert(&mut self, hash: u64) {
        let index = (hash >> (u64::BITS - INDEX_BITS)) as u16;
        // The added bit ends the search when all other bits are zero.
        let rest = hash << INDEX_BITS | 1 << (INDEX_BITS - 1);
        self.raise(index, rest.leading_zeros() as u8 + 1);
    }

    /// Raises a register to at least this rank.
    #[inline]
    fn raise(&mut self, index: u16, rank: u8) {
        match self {
            Self::Dense(ranks) => {
                let own = &mut ranks[usize::from(index)];
                *own = rank.max(*own);
            }
            Self::Sparse(_) => self.raise_sparse(index, rank),
        }
    }

    fn raise_sparse(&mut self, index: u16, rank: u8) {
        let Self::Sparse(registers) = self else { return };
        let position = registers.partition_point(|register| unpacked(*register).0 < index);
        match registers.get(position).copied() {
            Some(register) if unpacked(register).0 == index => {
                registers[position] = register.max(packed(index, rank));
            }
            _ if registers.len() < MAX_SPARSE => registers.insert(position, packed(index, rank)),
            _ => {
                let mut ranks = Box::new([0; COUNT]);
                for (index, rank) in registers.iter().copied().map(unpacked).chain([(index, rank)]) {
                    ranks[usize::from(index)] = rank;
                }
                *self = Self::Dense(ranks);
            }
        }
    }

    /// The rank of a register.
    fn rank(&self, index: u16) -> u8 {
        match self {
            Self::Dense(ranks) => ranks[usize::from(index)],
            Self::Sparse(registers) => {
                let found = registers.binary_search_by_key(&index, |register| unpacked(*register).0);
                found.map_or(0, |position| unpacked(registers[position]).1)
            }
        }
    }

    /// Adds all hashes of another set.
    pub(super) fn merge(&mut self, other: &Self) {
        match (&mut *self, other) {
            (Self::Dense(ranks), Self::Dense(others)) => {
                for (rank, other) in ranks.iter_mut().zip(&**others) {
                    *rank = (*rank).max(*other);
                }
            }
            (Self::Sparse(registers), Self::Dense(others)) => {
                let own = std::mem::take(registers);
                *self = Self::Dense(others.clone());
                self.raise_all(&own);
            }
            (_, Self::Sparse(others)) => self.raise_all(others),
        }
    }

    fn raise_all(&mut self, registers: &[u32]) {
        for (index, rank) in registers.iter().copied().map(unpacked) {
            self.raise(index, rank);
        }
    }

    /// Whether a register is lower than it was. Registers of one set that only grows never are.
    pub(super) fn has_fallen_since(&self, earlier: &Self) -> bool {
        match (self, earlier) {
            (_, Self::Sparse(earlier)) => {
                earlier.iter().copied().map(unpacked).any(|(index, rank)| self.rank(index) < rank)
            }
            // The dense form has more registers that are not zero.
            (Self::Sparse(_), Self::Dense(_)) => true,
            (Self::Dense(ranks), Self::Dense(earlier)) => {
                ranks.iter().zip(&**earlier).any(|(rank, earlier)| rank < earlier)
            }
        }
    }

    /// The estimate of Otmar Ertl: "New cardinality estimation algorithms for `HyperLogLog` sketches" (2017,
    /// arXiv:1702.01284), algorithm 6. One formula serves all sizes, so the estimate has no jumps, and it never falls when a register rises.
    ///
    /// Square roots are the only operation beside basic arithmetic, so all platforms compute the same number.
    pub(super) fn estimate(&self) -> f64 {
        let all = f64::from(1_u32 << INDEX_BITS);
        let counts = self.count_by_rank().map(f64::from);
        let of_largest_rank = counts[usize::from(MAX_RANK)];
        let mut sum = all * tau(1.0 - of_largest_rank / all);
        for count in counts[1..usize::from(MAX_RANK)].iter().rev() {
            sum = 0.5 * (sum + count);
        }
        sum += all * sigma(counts[0] / all);
        all * all / (2.0 * std::f64::consts::LN_2 * sum)
    }

    /// The number of registers of each rank.
    fn count_by_rank(&self) -> [u32; MAX_RANK as usize + 1] {
        let mut counts = [0; MAX_RANK as usize + 1];
        match self {
            Self::Dense(ranks) => {
                for rank in ranks.iter() {
                    counts[usize::from(*rank)] += 1;
                }
            }
            Self::Sparse(registers) => {
                for (_, rank) in registers.iter().copied().map(unpacked) {
                    counts[usize::from(rank)] += 1;
                }
                counts[0] = (1 << INDEX_BITS) - counts.iter().sum::<u32>();
            }
        }
        counts
    }

    /// The text form. The dense form has one digit for each register, its rank. The sparse form has three digits for each
    /// register that is not zero: two of the index, one of the rank. Their lengths differ.
    pub(super) fn to_text(&self) -> String {
        let digit = |bits: u16| char::from(DIGITS[usize::from(bits & 63)]);
        match self {
            Self::Dense(ranks) => ranks.iter().map(|rank| digit(u16::from(*rank))).collect(),
            Self::Sparse(registers) => {
                let mut text = String::with_capacity(registers.len() * 3);
                for (index, rank) in registers.iter().copied().map(unpacked) {
                    text.extend([digit(index >> 6), digit(index), digit(u16::from(rank))]);
                }
                text
            }
        }
    }

    /// Reads the text form, or names the mistake in it.
    pub(super) fn from_text(text: &str) -> Result<Self, &'static str> {
        let mut values = Vec::with_capacity(text.len().min(COUNT));
        for digit in text.bytes() {
            if values.len() == COUNT {
                return Err("the text of the registers is too long");
            }
            values.push(value_of(digit).ok_or("a character of the registers is no base64url digit")?);
        }
        let mut registers = Self::EMPTY;
        if values.len() == COUNT {
            if values.iter().any(|rank| *rank > MAX_RANK) {
                return Err("a register is larger than 53");
            }
            // A set that fits the sparse form has that form.
            for (index, rank) in (0..).zip(values).filter(|(_, rank)| *rank > 0) {
                registers.raise(index, rank);
            }
            return Ok(registers);
        }
        let (entries, []) = values.as_chunks::<3>() else {
            return Err("the text of the registers has a wrong length");
        };
        let mut last = None;
        for [high, low, rank] in entries {
            let index = u16::from(*high) << 6 | u16::from(*low);
            if !(1..=MAX_RANK).contains(rank) {
                return Err("a register is not between 1 and 53");
            }
            if last.is_some_and(|last| index <= last) {
                return Err("the registers are not in order");
            }
            last = Some(index);
            registers.raise(index, *rank);
        }
        Ok(registers)
    }
}

/// The value of a digit.
fn value_of(digit: u8) -> Option<u8> {
    Some(match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'-' => 62,
        b'_' => 63,
        _ => return None,
    })
}

/// The sum of x and of 2^(k-1) x^(2^k) for all k from 1 on: the contribution of the registers that are zero.
fn sigma(mut x: f64) -> f64 {
    if x >= 1.0 {
        return f64::INFINITY;
    }
    let (mut weight, mut sum) = (1.0, x);
    loop {
        x *= x;
        let before = sum;
        sum += x * weight;
        weight += weight;
        if sum <= before {
            return sum;
        }
    }
}

/// A third of 1 - x less the sum of (1 - x^(2^-k))^2 2^-k for all k from 1 on: the contribution of the registers with the largest
/// rank.
fn tau(mut x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return 0.0;
    }
    let (mut weight, mut sum) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = sum;
        weight *= 0.5;
        sum -= (1.0 - x) * (1.0 - x) * weight;
        if sum >= before {
            return sum / 3.0;
        }
    }
}

#[cfg(test)]
mod tests;
