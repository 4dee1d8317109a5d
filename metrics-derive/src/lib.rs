//! Derive macros of `mvx-metrics`. Most of their documentation stands where that crate re-exports them. Editors show the lines
//! that stand here.
//!
//! # How a macro works
//!
//! Each macro takes three steps, which `expand.rs` lists in one short function for each macro:
//!
//! 1. `from_syn` (`attr`, `ast`) parses the item and its options. It reports wrong syntax, and options
//!    that an attribute does not have.
//! 2. `validate` (`valid`) reports options, types and names that do not fit together. For a metric it returns the
//!    `resolved` form, in which each feed has its event. No later step reports a mistake.
//! 3. `expand` writes code, also for an item with mistakes: one mistake then gives one error.
//!
//! `ctxt` collects the mistakes of all steps. `shape` parses types, `name` makes and checks names, `span` and
//! `source_text` lead from tokens to locations and to text, and `generics` knows type parameters.
//!
//! # How to add an option
//!
//! An option touches four places:
//!
//! 1. `attr.rs`: a row in the `options!` table of its attribute. The row is enough to parse the option, and to report
//!    a duplicate, a missing value or a misspelt key. It also refuses the option beside `skip`, `flatten` and `manual`.
//! 2. `valid/`: a check which items and values the option fits. `feeds.rs` checks the options inside `on(..)`,
//!    `dimension.rs` the other options of a field. `role.rs` lists the options that fit `skip`, `flatten` and `manual`.
//! 3. `expand/`: the code that the option changes.
//! 4. `attr/meaning.rs`: what editors show. A row with the same sentence in `metrics-runtime/src/docs/options_of_*.md`, and
//!    an example in `metrics-runtime/src/guide/language_examples.md`.
//!
//! Each mistake gets a case in `tests/ui`.

mod ast;
mod attr;
mod ctxt;
mod expand;
mod generics;
mod hover;
mod name;
mod resolved;
mod shape;
mod source_text;
mod span;
mod valid;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Options: `#[metric(..)]` of the struct, `#[dimension(..)]` of its fields.
/// [All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).
#[proc_macro_derive(Metric, attributes(metric, dimension))]
pub fn derive_metric(input: TokenStream) -> TokenStream {
    expand::metric(&parse_macro_input!(input as DeriveInput)).into()
}

/// Options: `#[label(..)]` of the enum and of its variants.
/// [All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).
#[proc_macro_derive(Label, attributes(label))]
pub fn derive_label(input: TokenStream) -> TokenStream {
    expand::label(&parse_macro_input!(input as DeriveInput)).into()
}

/// Options: `#[metric_event(name = "..", crate = path)]`.
/// [All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).
#[proc_macro_attribute]
pub fn metric_event(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::event(arguments.into(), &item.into()).into()
}
