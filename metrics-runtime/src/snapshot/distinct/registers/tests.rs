// Numbers only: under Miri they take minutes and show nothing.
#![cfg(not(miri))]

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// `SplitMix64`: hashes of 0, 1, 2, .. as good as random numbers.
fn hash_of(number: u64) -> u64 {
    let mut hash = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    hash = (hash ^ hash >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    hash = (hash ^ hash >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    hash ^ hash >> 31
}

fn of(hashes: impl IntoIterator<Item = u64>) -> Registers {
    let mut registers = Registers::EMPTY;
    hashes.into_iter().for_each(|hash| registers.insert(hash));
    registers
}

fn merged(one: &Registers, other: &Registers) -> Registers {
    let mut merged = one.clone();
    merged.merge(other);
    merged
}

fn is_sparse(registers: &Registers) -> bool {
    matches!(registers, Registers::Sparse(_))
}

/// The rank of each register that is not zero, computed in the most simple way.
fn model(hashes: impl IntoIterator<Item = u64>) -> BTreeMap<u16, u8> {
    let mut ranks = BTreeMap::new();
    for hash in hashes {
        let bits = format!("{hash:064b}");
        let (index, rest) = bits.split_at(12);
        let rank = rest.find('1').map_or(53, |zeros| u8::try_from(zeros).expect("at most 52") + 1);
        let register = ranks.entry(u16::from_str_radix(index, 2).expect("12 bits")).or_default();
        *register = rank.max(*register);
    }
    ranks
}

/// Few or many hashes: with up to 512 of them the form is sparse.
fn hashes() -> impl Strategy<Value = Vec<u64>> {
    let numbers = |count| proptest::collection::vec(0..2_000_u64, 0..count);
    prop_oneof![numbers(20), numbers(600), numbers(3_000)]
        .prop_map(|numbers| numbers.into_iter().map(hash_of).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn di9_each_register_has_the_largest_rank_of_its_hashes(hashes in hashes()) {
        let registers = of(hashes.iter().copied());
        let expected = model(hashes);
        for index in 0..4_096 {
            prop_assert_eq!(registers.rank(index), expected.get(&index).copied().unwrap_or_default());
        }
        prop_assert_eq!(is_sparse(&registers), expected.len() <= MAX_SPARSE);
    }

    #[test]
    fn di9_merging_equals_one_sketch_of_both_sets(one in hashes(), other in hashes()) {
        let expected = of(one.iter().chain(&other).copied());
        let (one, other) = (of(one), of(other));
        prop_assert!(merged(&one, &other) == expected);
        prop_assert!(merged(&other, &one) == expected);
        prop_assert!(merged(&expected, &one) == expected);
        prop_assert!(merged(&one, &one) == one);
        prop_assert!(merged(&one, &Registers::EMPTY) == one);
    }

    #[test]
    fn di9_merging_is_associative(one in hashes(), two in hashes(), three in hashes()) {
        let (one, two, three) = (of(one), of(two), of(three));
        prop_assert!(merged(&merged(&one, &two), &three) == merged(&one, &merged(&two, &three)));
    }

    #[test]
    fn di9_registers_fall_only_when_counting_began_anew(one in hashes(), other in hashes()) {
        let (one, other) = (of(one), of(other));
        let both = merged(&one, &other);
        prop_assert!(!both.has_fallen_since(&one) && !one.has_fallen_since(&one));
        prop_assert_eq!(one.has_fallen_since(&both), both != one);
        prop_assert_eq!(one.has_fallen_since(&other), merged(&one, &other) != one);
    }

    #[test]
    fn di9_the_text_form_is_read_back(hashes in hashes()) {
        let registers = of(hashes);
        let read = Registers::from_text(&registers.to_text());
        prop_assert!(read.is_ok_and(|read| read == registers));
    }

    #[test]
    fn di9_no_text_makes_reading_panic(text in "[A-Za-z0-9_ä!-]{0,40}", repeats in 1..200_usize) {
        if let Ok(registers) = Registers::from_text(&text.repeat(repeats)) {
            prop_assert!(Registers::from_text(&registers.to_text()).is_ok_and(|read| read == registers));
        }
    }
}

#[test]
fn di9_the_estimate_never_falls_and_has_no_jump_where_the_form_changes() {
    let mut registers = Registers::EMPTY;
    let mut last = registers.estimate();
    assert_eq!(last.to_bits(), 0.0_f64.to_bits());
    for number in 0..20_000 {
        registers.insert(hash_of(number));
        let estimate = registers.estimate();
        assert!(estimate >= last, "{number}: {last} fell to {estimate}");
        assert!(estimate - last < 40.0, "{number}: {last} jumped to {estimate}");
        last = estimate;
    }
    assert!(!is_sparse(&registers));
}

/// Over 200 independent sets of each size: the mean error is near zero, and the standard error at most 1.04 / 64 and its tenth.
#[test]
fn di9_the_estimate_is_unbiased_with_the_stated_standard_error() {
    let mut next = 0;
    for size in [1_u32, 10, 100, 400, 600, 1_000, 4_096, 12_000, 20_000] {
        let errors: Vec<f64> = (0..200)
            .map(|_| {
                let registers = of((next..next + u64::from(size)).map(hash_of));
                next += u64::from(size);
                registers.estimate() / f64::from(size) - 1.0
            })
            .collect();
        let mean = errors.iter().sum::<f64>() / 200.0;
        let standard = (errors.iter().map(|error| error * error).sum::<f64>() / 200.0).sqrt();
        assert!(mean.abs() < 0.004, "{size} values: mean error {mean}");
        assert!(standard < 1.1 * 1.04 / 64.0, "{size} values: standard error {standard}");
    }
}

#[test]
fn di9_extreme_registers_have_an_estimate() {
    let all_of_rank_1 = (0..COUNT as u64).map(|index| index << 52 | 1 << 51);
    assert!(of(all_of_rank_1).estimate() > 4_096.0);
    // The hash that is zero but for its index has the rank 53.
    let full = of((0..COUNT as u64).map(|index| index << 52));
    assert_eq!(full.rank(17), MAX_RANK);
    assert!(full.estimate() > 1e18);
    let mut almost = full.clone();
    if let Registers::Dense(ranks) = &mut almost {
        ranks[0] = 0;
    }
    assert!(almost.estimate().is_finite());
    assert_eq!(of([0]).rank(0), MAX_RANK);
    assert_eq!(of([u64::MAX]).rank(4_095), 1);
    assert!((of([0]).estimate() - 1.0).abs() < 0.01);
}

#[test]
fn di9_the_memory_is_bounded_and_allocations_are_few() {
    let mut registers = Registers::EMPTY;
    let (mut largest, mut allocations) = (0, 0);
    for number in 0..5_000 {
        registers.insert(hash_of(number));
        let bytes = match &registers {
            Registers::Sparse(registers) => registers.capacity() * size_of::<u32>(),
            Registers::Dense(ranks) => size_of_val(&**ranks),
        };
        if is_sparse(&registers) {
            assert!(bytes <= 2_048, "{number}: {bytes}");
        }
        allocations += usize::from(bytes > largest);
        largest = largest.max(bytes);
    }
    assert_eq!((largest, allocations), (4_096, 9));
    assert_eq!(size_of::<Registers>(), 24);
}

#[test]
fn di9_the_text_form_is_always_the_same() {
    assert_eq!(Registers::EMPTY.to_text(), "");
    assert_eq!(of([0, u64::MAX, 1 << 52 | 1 << 51]).to_text(), "AA1ABB__B");
    let dense = of((0..5_000).map(hash_of));
    let text = dense.to_text();
    assert_eq!(text.len(), COUNT);
    assert!((0..).zip(text.bytes()).all(|(index, digit)| value_of(digit) == Some(dense.rank(index))));
    // A dense text with few registers is read in the form that such a set has.
    let few = format!("B{}", "A".repeat(COUNT - 1));
    assert!(Registers::from_text(&few).is_ok_and(|read| read.to_text() == "AAB"));
}

#[test]
fn di9_a_text_that_is_wrong_is_refused() {
    for (text, problem) in [
        ("AA".to_owned(), "the text of the registers has a wrong length"),
        ("AAB".repeat(COUNT / 3), "the registers are not in order"),
        ("A".repeat(COUNT + 1), "the text of the registers is too long"),
        ("AA!".to_owned(), "a character of the registers is no base64url digit"),
        ("AAÄ".to_owned(), "a character of the registers is no base64url digit"),
        ("AAA".to_owned(), "a register is not between 1 and 53"),
        ("AA2".to_owned(), "a register is not between 1 and 53"),
        ("AABAAB".to_owned(), "the registers are not in order"),
        ("ABBAAB".to_owned(), "the registers are not in order"),
        ("2".repeat(COUNT), "a register is larger than 53"),
    ] {
        assert_eq!(Registers::from_text(&text).err(), Some(problem), "{} digits", text.len());
    }
}
