//! JSON: exact, stable, and open for later versions.

use std::time::Duration;

use mvx_metrics::catalogue::{Catalogue, CatalogueError};
use mvx_metrics::{DimensionKind, Number, NumberType};
use proptest::prelude::*;

use crate::program::{Program, dimension, program};

fn with_buckets(number: Option<NumberType>, buckets: Vec<Number>) -> Catalogue {
    let mut histogram = dimension("sizes", DimensionKind::Histogram, NumberType::Unsigned, &[]);
    (histogram.number, histogram.buckets) = (number, buckets.into());
    let mut only = program().metrics.remove(1);
    only.dimensions = vec![histogram];
    Program { metrics: vec![only] }.catalogue()
}

#[test]
fn a_catalogue_reads_back_equal_and_is_the_same_text_in_any_order() {
    let mut other = program();
    other.metrics.reverse();
    let json = program().catalogue().to_json();
    assert_eq!(json, other.catalogue().to_json());
    assert_eq!(Catalogue::from_json(&json).expect("it was written"), program().catalogue());
    assert!(
        json.starts_with("{\n  \"schema\": 1,\n  \"metrics\": [\n") && json.ends_with("]\n}\n"),
        "{json}"
    );
    let mut shuffled = program().catalogue();
    shuffled.metrics.reverse();
    assert_eq!(shuffled.to_json(), json);
}

#[test]
fn a_mark_of_the_byte_order_before_the_json_is_ignored() {
    let json = format!("\u{feff}{}", program().catalogue().to_json());
    assert_eq!(Catalogue::from_json(&json).expect("it was written"), program().catalogue());
}

#[test]
fn another_json_is_told_what_a_catalogue_is() {
    let error = Catalogue::from_json("[]").expect_err("a list is no catalogue").to_string();
    assert!(error.contains("expected an object with the keys `schema` and `metrics`"), "{error}");
}

/// The keys and their values, as the module documents them.
#[test]
fn the_keys_are_those_of_the_documentation() {
    let json: serde_json::Value = serde_json::from_str(&program().catalogue().to_json()).expect("it is JSON");
    let expected = serde_json::json!({
        "name": "took",
        "kind": "histogram",
        "number": "duration",
        "unit": "seconds",
        "buckets": [0.1, 1.0],
        "merge": "sum",
        "families": [{
            "name": "uploads_took_seconds",
            "type": "histogram",
            "unit": "seconds",
            "help": "Uploads to the store.",
        }],
    });
    assert_eq!(json["metrics"][1]["dimensions"][4], expected);
    let expected = serde_json::json!({
        "name": "by_outcome",
        "kind": "counter",
        "number": "u64",
        "labels": [{"name": "outcome", "values": ["success", "failure"]}],
        "merge": "sum",
        "families": [{
            "name": "uploads_by_outcome_total",
            "type": "counter",
            "help": "Uploads to the store.",
            "labels": ["outcome"],
        }],
    });
    assert_eq!(json["metrics"][1]["dimensions"][2], expected);
}

proptest! {
    #[test]
    fn buckets_of_all_types_come_back_exactly(
        unsigned: u64,
        signed: i64,
        float in proptest::num::f64::ANY.prop_filter("finite", |number| number.is_finite()),
        (seconds, nanos) in (any::<u64>(), 0..1_000_000_000_u32),
    ) {
        let duration = Duration::new(seconds >> 1, nanos);
        let cases = [
            (NumberType::Unsigned, Number::Unsigned(unsigned)),
            (NumberType::Signed, Number::Signed(signed)),
            (NumberType::Float, Number::Float(float)),
            (NumberType::Float, Number::Float(float.round())),
            (NumberType::Duration, Number::Duration(duration)),
            (NumberType::Duration, Number::Duration(Duration::from_nanos(unsigned))),
        ];
        for (number, bound) in cases {
            for declared in [Some(number), None] {
                let catalogue = with_buckets(declared, vec![bound]);
                prop_assert_eq!(&Catalogue::from_json(&catalogue.to_json()).expect("it was written"), &catalogue);
                if declared.is_some() {
                    prop_assert_eq!(&catalogue.metrics[0].dimensions[0].buckets, &[bound]);
                }
            }
        }
    }
}

#[test]
fn bounds_that_json_cannot_write_are_left_out() {
    let infinite = vec![Number::Float(1.0), Number::Float(f64::INFINITY), Number::Float(f64::NAN)];
    let catalogue = with_buckets(Some(NumberType::Float), infinite);
    assert_eq!(catalogue.metrics[0].dimensions[0].buckets, [Number::Float(1.0)]);
    assert_eq!(Catalogue::from_json(&catalogue.to_json()).expect("it was written"), catalogue);
}

#[test]
fn keys_of_later_versions_are_ignored() {
    let catalogue = program().catalogue();
    let json = catalogue.to_json();
    let json = json.replace("{\n", "{\n\"later\": {\"x\": [1, null]},\n");
    assert_eq!(Catalogue::from_json(&json).expect("unknown keys do not matter"), catalogue);
}

#[test]
fn what_is_no_catalogue_is_refused_with_the_reason() {
    let error = |json: &str| Catalogue::from_json(json).expect_err("it is no catalogue").to_string();
    assert_eq!(
        error(r#"{"schema": 2, "metrics": "in a form of later versions"}"#),
        "the catalogue has the schema 2, and this version knows the schema 1"
    );
    assert!(matches!(
        Catalogue::from_json(r#"{"schema": 0, "metrics": []}"#),
        Err(CatalogueError::Schema(0))
    ));
    assert_eq!(error("{}"), "the text is no catalogue: missing field `schema` at line 1 column 2");
    let cut: String = program().catalogue().to_json().chars().take(500).collect();
    assert!(error(&cut).contains("EOF while parsing"), "{}", error(&cut));
    let twice = r#"{"schema": 1, "metrics": [{"name": "a", "events": [], "dimensions": []}, {"name": "a", "events": [], "dimensions": []}]}"#;
    assert_eq!(error(twice), "the text is no catalogue: the metric `a` stands twice");
    let buckets = program().catalogue().to_json().replace("0.1,", "-0.1,");
    let expected = "the text is no catalogue: a bucket of `took` has another type than its numbers";
    assert_eq!(error(&buckets), expected);
    let kind = program().catalogue().to_json().replace("\"kind\": \"gauge\"", "\"kind\": \"spectrum\"");
    assert!(error(&kind).contains("unknown variant `spectrum`"), "{}", error(&kind));
}
