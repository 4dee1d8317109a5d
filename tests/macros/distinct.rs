//! `Distinct`: how near its estimate is, which values it tells apart, and how it merges. Covers DI9.

// Many values and no `unsafe` code of its own: Miri would take many minutes.
#![cfg(not(miri))]

use std::borrow::Cow;
use std::net::IpAddr;
use std::num::{NonZeroI16, NonZeroU64};
use std::process::Command;
use std::sync::Arc;
use std::thread;

use mvx_metrics::feed::{DistinctHash, DistinctValue};
use mvx_metrics::{
    DimensionKind, DimensionValue, Distinct, DistinctSnapshot, HandleEvent, Label, Merge, MergeRule, Metric,
    MetricSnapshot, Scope, Totals, TypedMetric, metric_event,
};
use mvx_metrics_tests::running_runtime;
use mvx_metrics_tests::visits::{Page, Visits, VisitsSnapshot, visit};
use proptest::prelude::*;

/// 1.04 / sqrt(4,096).
const STANDARD_ERROR: f64 = 1.04 / 64.0;

fn of<V: DistinctValue>(values: impl IntoIterator<Item = V>) -> Distinct {
    let mut distinct = Distinct::default();
    values.into_iter().for_each(|value| distinct.record(value));
    distinct
}

/// Records values, and compares the estimate with their number at each power of ten from 10 on.
#[track_caller]
fn assert_near<V: DistinctValue>(what: &str, values: impl Iterator<Item = V>) -> DistinctSnapshot {
    let mut distinct = Distinct::default();
    let mut next = 10;
    for (count, value) in (1_u32..).zip(values) {
        distinct.record(value);
        if count == next {
            next *= 10;
            let estimate = u32::try_from(distinct.estimate()).expect("a small number");
            let error = f64::from(estimate) / f64::from(count) - 1.0;
            assert!(error.abs() <= 3.0 * STANDARD_ERROR, "{count} {what}: estimated as {estimate}");
        }
    }
    mvx_metrics::Dimension::read(&distinct)
}

#[test]
fn di9_up_to_ten_million_integers_are_within_three_standard_errors() {
    // Each thread compares its own part, and their union has ten million.
    let parts: Vec<_> = (0..4_u64)
        .map(|part| {
            let values = part * 2_500_000..(part + 1) * 2_500_000;
            thread::spawn(move || assert_near("integers", values))
        })
        .collect();
    let mut all = DistinctSnapshot::default();
    for part in parts {
        all.merge(&part.join().expect("the part is near"));
    }
    let estimate = u32::try_from(all.estimate()).expect("a small number");
    let error = f64::from(estimate) / 1e7 - 1.0;
    assert!(error.abs() <= 3.0 * STANDARD_ERROR, "estimated as {estimate}");
}

#[test]
fn di9_texts_bytes_and_tuples_are_within_three_standard_errors() {
    assert_near("texts", (0..100_000).map(|number| format!("user-{number}@example.org")));
    assert_near("long texts", (0..10_000).map(|number| format!("{number}{}", "x".repeat(100))));
    assert_near("UUIDs", (0..100_000_u128).map(|number| (number << 64).to_be_bytes()));
    assert_near("addresses", (0..100_000_u32).map(|number| IpAddr::from(number.to_be_bytes())));
    assert_near("tuples", (0..100_000_u32).map(|number| (number % 300, number / 300)));
    assert_near("spread integers", (0..1_000_000_u64).map(|number| number << 32));
    assert_near("negative integers", (0..100_000_i64).map(|number| -number));
}

#[test]
fn di9_a_value_counts_once_however_often_it_comes() {
    let distinct = of((0..100_000_u32).map(|number| number % 50));
    assert_eq!(distinct.estimate(), of(0..50_u8).estimate());
    assert_eq!(distinct.estimate(), 50);
}

fn hash(value: impl DistinctValue) -> Option<u64> {
    value.distinct_hash().map(DistinctHash::get)
}

/// Snapshots of other processes, platforms and versions are merged, so these numbers never change. Another implementation of
/// XXH64 has computed them.
#[test]
fn di9_a_hash_is_always_the_same() {
    assert_eq!(hash("ada"), Some(0xd36c_3934_0912_06d0));
    assert_eq!(hash(""), Some(0xef46_db37_51d8_e999));
    assert_eq!(hash((0..40_u8).collect::<Vec<_>>()), Some(0xf5da_40f1_b117_41e9));
    assert_eq!(hash(7_u64), Some(0x64fa_e65d_dbfa_c0c8));
    assert_eq!(hash(-7_i64), Some(0xeff8_1508_d70d_8ca5));
    assert_eq!(hash(u128::MAX), Some(0xb3e9_5c50_c646_5085));
    assert_eq!(hash(i128::MIN), Some(0x6964_a028_1173_c0c1));
    assert_eq!(hash((7_u64, "ada")), Some(0xbd38_91ea_454e_b9ab));
    assert_eq!(hash(IpAddr::from([127, 0, 0, 1])), Some(0x862a_17a0_a23f_a096));
    assert_eq!(hash(Page::Search), hash("search"));
}

#[test]
fn di9_a_number_is_one_value_whatever_its_type() {
    let seven = hash(7_u64);
    for other in [hash(7_u8), hash(7_u16), hash(7_u32), hash(7_usize), hash(7_u128), hash(7_i8), hash(7_i128)]
    {
        assert_eq!(other, seven);
    }
    assert_eq!(hash(NonZeroU64::new(7)), seven);
    assert_eq!(hash(NonZeroI16::new(-7)), hash(-7_i64));
    for other in [hash(-7_i8), hash(-7_i32), hash(-7_isize), hash(-7_i128)] {
        assert_eq!(other, hash(-7_i64));
        assert_ne!(other, seven);
    }
    assert_eq!((hash(true), hash(false)), (hash(1_u8), hash(0_i64)));
    assert_ne!(hash(-1_i128), hash(u128::MAX));
    assert_ne!(hash(7_u64), hash(7_u64.to_le_bytes()), "an integer is no value of bytes");
}

#[test]
fn di9_a_text_is_one_value_whatever_its_type() {
    let text = hash("é");
    for other in [hash("é".to_owned()), hash('é'), hash("é".as_bytes()), hash("é".as_bytes().to_vec())] {
        assert_eq!(other, text);
    }
    assert_eq!(hash([0xc3, 0xa9_u8]), text);
    assert_eq!(hash(Cow::Borrowed("é")), text);
    assert_eq!(hash(Arc::<str>::from("é")), text);
    assert_eq!(hash(Some(&&Box::new("é"))), text);
    assert_ne!(hash("é"), hash("e\u{301}"), "texts are compared byte by byte");
}

#[test]
fn di9_nothing_is_no_value() {
    assert_eq!(hash(None::<u64>), None);
    assert_eq!(hash(Some(None::<&str>)), None);
    assert_eq!(hash((7, None::<&str>)), None);
    assert_ne!(hash((1, 2)), hash((2, 1)));
    assert_ne!(hash((1, 2)), hash((1, 2, 2)));
    assert_ne!(hash(("a", "bc")), hash(("ab", "c")));
}

fn fed(numbers: impl IntoIterator<Item = u64>) -> Visits {
    let mut visits = Visits::default();
    for number in numbers {
        assert!(visits.handle(&visit(number)));
    }
    visits
}

#[test]
fn di9_fields_need_not_be_copied_and_none_is_not_counted() {
    let visits = fed([1, 2, 3, 2]).typed_snapshot();
    assert_eq!(visits.total, 4);
    assert_eq!(visits.visitors.estimate(), 3);
    assert_eq!(visits.names.estimate(), 3);
    assert_eq!(visits.referrers.estimate(), 1);
    assert_eq!(visits.tokens.estimate(), 1);
    assert_eq!(visits.pages.estimate(), 2);
    assert_eq!(visits.names_and_pages.estimate(), 3);
    assert_eq!(visits.visitors_by_page.get(Page::Search).map(DistinctSnapshot::estimate), Some(2));
    let help = visits.visitors_by_page.get(Page::Help).expect("labels of an enum begin with 0");
    assert!(help.is_empty());
    assert_eq!(visits.pages_by_name.get("visitor-2").map(DistinctSnapshot::estimate), Some(1));
}

#[derive(Label)]
#[label(rename_all = "UPPERCASE")]
enum Method {
    Get,
}

#[metric_event]
struct Asked {
    method: Method,
    address: Option<IpAddr>,
    account: Account,
    path: &'static str,
}

struct Account {
    id: u64,
    balance: f64,
}

/// An account is told apart by its id.
impl DistinctValue for Account {
    fn distinct_hash(&self) -> Option<DistinctHash> {
        self.id.distinct_hash()
    }
}

type Alias = Distinct;

#[derive(Metric, Default)]
#[metric(on(Asked))]
struct Clients {
    #[dimension(value = address)]
    addresses: Distinct,
    #[dimension(value = account)]
    accounts: Distinct,
    #[dimension(value = |e| e.account.balance.to_bits())]
    balances: Distinct,
    #[dimension(value = method)]
    methods: Distinct,
    #[dimension(value = path)]
    paths: Alias,
    #[dimension(value = |_| 7)]
    constant: Distinct,
    #[dimension(skip)]
    by_hand: Distinct,
}

#[test]
fn di9_values_of_all_types_and_ones_of_the_users_own_are_counted() {
    let mut clients = Clients::default();
    for (id, balance, address) in [(1, 0.5, None), (1, 0.75, Some([1, 2, 3, 4].into())), (2, 0.5, None)] {
        let account = Account { id, balance };
        clients.handle(&Asked { method: Method::Get, address, account, path: "/" });
    }
    clients.by_hand.record("a value");
    let estimates = [&clients.addresses, &clients.accounts, &clients.balances, &clients.methods]
        .map(mvx_metrics::Distinct::estimate);
    assert_eq!(estimates, [1, 2, 2, 1]);
    let estimates = [clients.paths.estimate(), clients.constant.estimate(), clients.by_hand.estimate()];
    assert_eq!(estimates, [1; 3]);
    assert_eq!(hash(Method::Get), hash("GET"));
}

#[derive(Metric, Default)]
#[metric(on(Asked))]
struct Addresses {
    #[dimension(value = address)]
    addresses: Distinct,
}

#[test]
fn di9_an_event_without_a_value_changes_nothing() {
    let mut addresses = Addresses::default();
    let asked =
        |address| Asked { method: Method::Get, address, account: Account { id: 1, balance: 1.0 }, path: "/" };
    assert!(!addresses.handle(&asked(None)));
    assert_eq!(addresses.addresses.estimate(), 0);
    assert!(addresses.handle(&asked(Some([10, 0, 0, 1].into()))));
}

#[test]
fn di9_a_snapshot_is_short_and_readable() {
    let snapshot = of(["ada", "grace"]);
    assert_eq!(format!("{snapshot:?}"), "Distinct { estimate: 2, .. }");
    let snapshot = mvx_metrics::Dimension::read(&snapshot);
    assert_eq!(format!("{snapshot:?}"), "DistinctSnapshot { estimate: 2, .. }");
    let json = serde_json::to_string(&snapshot).unwrap();
    assert_eq!(json, r#"{"estimate":2,"registers":"02B5xB"}"#);
    assert_eq!(
        serde_json::to_string(&DistinctSnapshot::default()).unwrap(),
        r#"{"estimate":0,"registers":""}"#
    );
    let many = mvx_metrics::Dimension::read(&of(0..100_000_u32));
    assert!(serde_json::to_string(&many).unwrap().len() < 4_096 + 50);
}

#[test]
fn di9_a_value_without_types_has_the_estimate() {
    let visits = fed([1, 2, 3]);
    let declared = Metric::descriptor(&visits).dimensions.into_owned();
    let visitors = declared.iter().find(|declared| declared.name == "visitors").expect("it is declared");
    assert_eq!((visitors.kind, visitors.merge), (DimensionKind::Distinct, Some(MergeRule::Union)));
    let snapshot = visits.snapshot();
    let value = snapshot.dimensions.get("visitors").expect("it is shown");
    assert!(matches!(value, DimensionValue::Distinct(visitors) if visitors.estimate() == 3), "{value:?}");
    assert_eq!((value.as_u64(), value.as_f64()), (Some(3), Some(3.0)));
}

fn json_of(registers: &str) -> String {
    format!(r#"{{"estimate":9,"registers":"{registers}"}}"#)
}

#[test]
fn di9_the_estimate_is_computed_when_a_snapshot_is_read() {
    let read: DistinctSnapshot = serde_json::from_str(&json_of("02B5xB")).unwrap();
    assert_eq!(read.estimate(), 2);
    for estimate in ["null", "-1", "[]", "1e400"] {
        let json = format!(r#"{{"estimate":{estimate},"registers":""}}"#);
        if let Ok(read) = serde_json::from_str::<DistinctSnapshot>(&json) {
            assert_eq!(read.estimate(), 0);
        }
    }
    assert!(serde_json::from_str::<DistinctSnapshot>(r#"{"registers":"AAB"}"#).is_ok());
}

#[test]
fn di9_hostile_snapshots_are_refused() {
    let digits = "A".repeat(4_097);
    for registers in ["A", "AAA", "AAé", "A B", "ABBAAB", "AAB=", &digits, &"2".repeat(4_096)] {
        let read = serde_json::from_str::<DistinctSnapshot>(&json_of(registers));
        let problem = read.expect_err("it is refused").to_string();
        assert!(problem.contains("register"), "{problem}");
    }
    for json in ["7", "null", "[]", "{}", r#"{"registers":7}"#, r#"{"registers":"","more":1}"#] {
        assert!(serde_json::from_str::<DistinctSnapshot>(json).is_err(), "{json}");
    }
    // The greatest registers that can be: no overflow.
    let most: DistinctSnapshot = serde_json::from_str(&json_of(&"1".repeat(4_096))).unwrap();
    assert_eq!(most.estimate(), u64::MAX);
    let mut wrong = serde_json::to_value(fed([1]).typed_snapshot()).unwrap();
    wrong["visitors"]["registers"] = "?".into();
    let problem = serde_json::from_value::<VisitsSnapshot>(wrong).unwrap_err().to_string();
    assert!(problem.starts_with("`visitors`: "), "{problem}");
}

fn numbers() -> impl Strategy<Value = Vec<u64>> {
    let numbers = |count| proptest::collection::vec(0..2_000_u64, 0..count);
    prop_oneof![numbers(5), numbers(50), numbers(1_500)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn di9_two_merged_metrics_equal_one_that_got_both_streams(one in numbers(), other in numbers()) {
        let expected = fed(one.iter().chain(&other).copied());
        let (one, other) = (fed(one), fed(other));
        let mut merged = one.typed_snapshot();
        merged.merge(&other.typed_snapshot());
        prop_assert_eq!(&merged.visitors, &expected.typed_snapshot().visitors);
        prop_assert_eq!(&merged.visitors_by_page, &expected.typed_snapshot().visitors_by_page);
        prop_assert_eq!(merged.names_and_pages, expected.typed_snapshot().names_and_pages);
    }

    #[test]
    fn di9_snapshots_come_back_from_json_and_messagepack(numbers in numbers()) {
        let snapshot = fed(numbers).typed_snapshot();
        let json = serde_json::to_string(&snapshot).unwrap();
        prop_assert_eq!(&serde_json::from_str::<VisitsSnapshot>(&json).unwrap(), &snapshot);
        let bytes = rmp_serde::to_vec_named(&snapshot).unwrap();
        prop_assert_eq!(&rmp_serde::from_slice::<VisitsSnapshot>(&bytes).unwrap(), &snapshot);
    }
}

#[test]
fn di9_an_interval_keeps_the_later_values() {
    let (earlier, later) = (fed([1, 2]).typed_snapshot(), fed([1, 2, 3]).typed_snapshot());
    let interval = later.since(&earlier);
    assert_eq!((interval.total, interval.visitors.estimate()), (1, 3));
    assert_eq!(interval.visitors, later.visitors);
    assert!(!later.restarted_since(&earlier));
    // Some of its values are gone, although there are as many as before.
    let other = fed([3, 4]).typed_snapshot();
    assert!(other.restarted_since(&earlier));
}

/// The program `distinct_values` in a process of its own.
fn totals_of_a_process(first: u64, last: u64) -> Totals {
    let program = env!("CARGO_BIN_EXE_distinct_values");
    let output = Command::new(program).args([first.to_string(), last.to_string()]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn di9_the_totals_of_processes_merge_exactly() {
    for (first, second, all) in [((1, 40), (20, 60), 60), ((1, 6_000), (4_001, 10_000), 10_000)] {
        let mut merged = totals_of_a_process(first.0, first.1);
        let other = totals_of_a_process(second.0, second.1);
        merged.merge(&other).unwrap();
        let merged = merged.get::<Visits>("service").expect("both have the metric");
        let here = fed(1..=all).typed_snapshot();
        assert_eq!(merged.total, first.1 - first.0 + second.1 - second.0 + 2);
        assert_eq!(merged.visitors, here.visitors);
        assert_eq!(merged.names, here.names);
        assert_eq!(merged.visitors_by_page, here.visitors_by_page);
    }
}

#[test]
fn di9_snapshots_without_types_merge_like_typed_ones() {
    let runtime = running_runtime("distinct");
    let recorders = [(1, 700), (400, 1_000)].map(|(first, last)| {
        let recorder = runtime.create_recorder(&format!("from-{first}")).expect("a free id");
        recorder.register_metric(fed(first..=last)).expect("it runs");
        recorder
    });
    let read = || {
        recorders.each_ref().map(|recorder| -> MetricSnapshot {
            recorder.metric_snapshots().expect("it can be read").into_iter().next().expect("one metric")
        })
    };
    let [mut merged, other] = read();
    let earlier = merged.clone();
    merged.merge(&other).unwrap();
    let here = fed(1..=1_000).snapshot();
    for name in ["visitors", "names", "referrers", "tokens", "pages", "names_and_pages", "visitors_by_page"] {
        assert_eq!(merged.dimensions.get(name), here.dimensions.get(name), "{name}");
    }
    let interval = merged.since(&earlier).unwrap();
    assert_eq!(interval.dimensions.get("visitors"), merged.dimensions.get("visitors"));
    assert!(!merged.restarted_since(&earlier).unwrap());
    assert!(other.restarted_since(&earlier).unwrap());

    let totals = runtime.totals(Scope::Rollup).expect("it runs");
    let json = serde_json::to_string(&totals).unwrap();
    assert_eq!(serde_json::from_str::<Totals>(&json).unwrap(), totals);
    let bytes = rmp_serde::to_vec_named(&totals).unwrap();
    assert_eq!(rmp_serde::from_slice::<Totals>(&bytes).unwrap(), totals);
}
