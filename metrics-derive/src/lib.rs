//! Derive macros of `mvx-metrics`. They are documented where that crate re-exports them.

mod ast;
mod attr;
mod ctxt;
mod expand;
mod generics;
mod name;
mod resolved;
mod shape;
mod source_text;
mod span;
mod valid;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

#[allow(missing_docs, reason = "documented on the re-export")]
#[proc_macro_derive(Metric, attributes(metric, dimension))]
pub fn derive_metric(input: TokenStream) -> TokenStream {
    expand::metric(&parse_macro_input!(input as DeriveInput)).into()
}

#[allow(missing_docs, reason = "documented on the re-export")]
#[proc_macro_derive(Label, attributes(label))]
pub fn derive_label(input: TokenStream) -> TokenStream {
    expand::label(&parse_macro_input!(input as DeriveInput)).into()
}

#[allow(missing_docs, reason = "documented on the re-export")]
#[proc_macro_attribute]
pub fn metric_event(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::event(arguments.into(), &item.into()).into()
}
