//! What the committed messages of the UI cases must have in common: the number of errors that a case announces, and no
//! name that only the library knows.

use std::fs;
use std::path::Path;

use crate::{COMPILES, cases, folders, name_of};

/// Cases whose messages still show a generated name or a private item, with the reason. A case that no longer does so must
/// leave the list.
const SHOWS_INTERNALS: &[(&str, &str)] = &[
    ("between/constant_limit_is_zero", PRIVATE_TRAIT),
    ("buckets/bounds_of_another_type", PRIVATE_TRAIT),
    ("buckets/constant_is_empty", CONSTANT),
    ("buckets/constant_is_unsorted", CONSTANT),
    ("buckets/durations_are_unsorted", CONSTANT),
    ("buckets/exponential_bounds", CONSTANT),
    ("buckets/exponential_constants", CONSTANT),
    ("buckets/less_than_a_nanosecond_apart", CONSTANT),
    ("buckets/max_buckets_out_of_range", CONSTANT),
    ("buckets/with_a_computed_bound", CONSTANT),
    ("by_metric/neither_dimension_nor_metric", PRIVATE_TRAIT),
    ("by_metric/with_a_value", PRIVATE_FUNCTION),
    ("event/flattened_struct_without_derive", PRIVATE_TRAIT),
    ("generics/label_without_bound", PRIVATE_TRAIT),
    ("handwritten/output_without_serialize", "rustc names serde by the path that generated code takes"),
    ("item/snapshot_is_non_exhaustive", "the case itself writes the hidden field"),
    ("item/snapshot_literal_without_its_rest", "the literal lacks the hidden field"),
    ("keep/alias_without_keep", PRIVATE_TRAIT),
    ("keep/alias_without_top", PRIVATE_TRAIT),
    ("keep/constant_is_too_large", PRIVATE_TRAIT),
    ("label/alias_of_an_open_breakdown", PRIVATE_FUNCTION),
    ("label/alias_that_is_no_breakdown", PRIVATE_TRAIT),
    ("label/label_of_another_type", PRIVATE_TRAIT),
    ("label/nested_tuple", PRIVATE_TRAIT),
    ("label/option_of_another_type", PRIVATE_TRAIT),
    ("label/order_of_a_tuple", PRIVATE_TRAIT),
    ("label/other_enum", PRIVATE_TRAIT),
    ("label/text_for_a_bool", PRIVATE_TRAIT),
    ("label/three_arguments", PRIVATE_TRAIT),
    ("label/wrong_type_of_an_integer", PRIVATE_TRAIT),
    ("labels_of_the_struct/own_type_without_labels", PRIVATE_TRAIT),
    ("option/zeros_without_a_breakdown", PRIVATE_TRAIT),
    ("recent/user_type_without_default", PRIVATE_FUNCTION),
    ("value/closure_of_an_owned_event", PRIVATE_FUNCTION),
];

const CONSTANT: &str = "rustc names the constant in which an assertion failed";
const PRIVATE_TRAIT: &str = "rustc names the trait that generated code requires";
const PRIVATE_FUNCTION: &str = "rustc names the function that generated code calls";

/// The modules of `mvx_metrics` that users may name.
const PUBLIC_MODULES: &[&str] = &["export", "feed", "guide", "http", "testing"];

/// How a case announces its errors, usually in its first line.
const ANNOUNCEMENT: &str = "//~ ";

#[test]
fn each_case_has_as_many_errors_as_it_announces() {
    let mut failures = Vec::new();
    for case in mistakes() {
        let announced = case.source.lines().filter_map(|line| line.split_once(ANNOUNCEMENT));
        let announced: Vec<_> = announced.map(|(_, errors)| errors).collect();
        let found = announcement(count_errors(&case.message));
        if announced != [&*found] {
            failures.push(format!("{}: write `{ANNOUNCEMENT}{found}` in place of {announced:?}", case.name));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn no_message_shows_a_name_that_only_the_library_knows() {
    let cases = mistakes();
    let mut failures = Vec::new();
    for case in &cases {
        let internals = internals(&case.message);
        let listed = SHOWS_INTERNALS.iter().any(|(name, _)| *name == case.name);
        if !listed && !internals.is_empty() {
            failures.push(format!("{} shows {internals:?}", case.name));
        } else if listed && internals.is_empty() {
            failures.push(format!("{} shows nothing any more: it must leave the list", case.name));
        }
    }
    let is_case = |name: &str| cases.iter().any(|case| case.name == name);
    let gone = SHOWS_INTERNALS.iter().filter(|(name, _)| !is_case(name));
    failures.extend(gone.map(|(name, _)| format!("there is no case {name}")));
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn errors_are_counted_without_the_summary() {
    let message = "error: one\n --> ui/a.rs\n\nerror[E0277]: two\n  = note: error: no\n\nwarning: unused\n\n\
                   error: aborting due to 2 previous errors\n";
    assert_eq!(announcement(count_errors(message)), "2 errors");
    assert_eq!(announcement(count_errors("error: one\n")), "1 error");
}

#[test]
fn generated_names_and_private_items_are_found() {
    let message = "error: a local variable with a similar name exists: `__event`\n\
                   note: required by a bound in `mvx_metrics::__private::with`\n\
                   note: required for `mvx_metrics::metric::histogram::Within<'_, u64>`\n \
                   --> $WORKSPACE/metrics-runtime/src/private/names.rs\n";
    let expected = ["__event", "__private", "mvx_metrics::metric::", "/src/private"];
    assert_eq!(internals(message), expected);
}

#[test]
fn names_of_users_and_public_items_may_show() {
    let message = "error: no field `re__try` on type `&Sent`: MAX__TRIES, _unused\n\
                   note: required for `u64` to implement `mvx_metrics::feed::Add`, `mvx_metrics::Counter`\n \
                   --> $WORKSPACE/metrics-runtime/src/dimension/counter.rs\n";
    assert_eq!(internals(message), [""; 0]);
}

/// A case of a mistake with its committed message.
pub struct Mistake {
    /// `folder/file` without an extension.
    pub name: String,
    pub source: String,
    pub message: String,
}

pub fn mistakes() -> Vec<Mistake> {
    let folders = folders();
    let folders = folders.iter().filter(|folder| !folder.ends_with(COMPILES));
    folders.flat_map(|folder| cases(folder)).map(|path| mistake(&path)).collect()
}

fn mistake(path: &Path) -> Mistake {
    let message = path.with_extension("stderr");
    let message =
        fs::read_to_string(&message).unwrap_or_else(|error| panic!("{}: {error}", message.display()));
    Mistake { name: name_of(path), source: fs::read_to_string(path).unwrap(), message }
}

fn count_errors(message: &str) -> usize {
    message.lines().filter(|line| line.starts_with("error") && !line.contains("aborting due to")).count()
}

fn announcement(errors: usize) -> String {
    format!("{errors} error{}", if errors == 1 { "" } else { "s" })
}

/// The names in a message that users do not know: generated identifiers, private modules and their files.
fn internals(message: &str) -> Vec<&str> {
    let is_of_a_word = |character: char| character.is_alphanumeric() || character == '_';
    let words = message.split(|character| !is_of_a_word(character));
    let mut internals: Vec<_> = words.filter(|word| word.starts_with("__")).collect();
    for (start, root) in message.match_indices("mvx_metrics::") {
        let module = &message[start + root.len()..];
        let module = &module[..module.find(|character| !is_of_a_word(character)).unwrap_or(module.len())];
        let path = &message[start..start + root.len() + module.len()];
        let is_module = message[start + path.len()..].starts_with("::");
        let is_private = module.starts_with(char::is_lowercase) && !PUBLIC_MODULES.contains(&module);
        if is_module && is_private {
            internals.push(&message[start..start + path.len() + "::".len()]);
        }
    }
    internals.extend(message.matches("/src/private"));
    internals
}
