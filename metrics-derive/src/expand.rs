//! The steps of each macro, and the code it generates. Expansion reports no mistakes.

/// [`quote_spanned!`](quote::quote_spanned) with the path of the private module at the same location, so that rustc
/// underlines the user's token and not the derive.
macro_rules! quote_at {
    ($private:ident, $span:expr => $($tokens:tt)*) => {{
        let span = $span;
        let $private = $crate::span::respan(&$private, span);
        ::quote::quote_spanned!(span=> $($tokens)*)
    }};
}

mod between;
mod bounds;
mod constants;
mod context;
mod event;
mod feed;
mod fields;
mod label;
mod lints;
mod metric;
mod per_label;
mod shards;
mod snapshot;
mod source;
mod units;
mod variant;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Path};

use crate::ast::{EventItem, Label, Metric};
use crate::ctxt::Ctxt;
use crate::hover;

/// Imports the module for generated code into a `const _`. A wrong `crate` is one mistake then: rustc reports no use of a name that
/// it cannot import. Where generated code stands at a user's word, editors show the documentation of the name, not of the crate.
fn import(root: &Path) -> TokenStream {
    quote!(
        use #root::__private;
    )
}

/// `#[derive(Metric)]`.
pub fn metric(input: &DeriveInput) -> TokenStream {
    let cx = Ctxt::new();
    let metric = Metric::from_syn(&cx, input).validate(&cx);
    let expanded = metric.expand();
    let hover = hover::options(&cx);
    let errors = cx.check();
    quote!(#errors #expanded #hover)
}

/// `#[derive(Label)]`.
pub fn label(input: &DeriveInput) -> TokenStream {
    let cx = Ctxt::new();
    let mut label = Label::from_syn(&cx, input);
    label.validate(&cx);
    let expanded = label.expand();
    let hover = hover::options(&cx);
    let errors = cx.check();
    quote!(#errors #expanded #hover)
}

/// `#[metric_event]`; the item stays as it was written.
pub fn event(arguments: TokenStream, item: &TokenStream) -> TokenStream {
    let cx = Ctxt::new();
    let event = EventItem::from_syn(&cx, arguments, item.clone()).and_then(|item| item.validate(&cx));
    let expanded = event.map(|event| event.expand());
    let hover = hover::options(&cx);
    let errors = cx.check();
    quote!(#item #errors #expanded #hover)
}

#[cfg(test)]
mod tests;
