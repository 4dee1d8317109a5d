/// [`quote_spanned!`](quote::quote_spanned) with the path of the private module at the same place, so that a message
/// about the expression underlines what the user wrote and not the derive.
macro_rules! quote_at {
    ($private:ident, $span:expr => $($tokens:tt)*) => {{
        let span = $span;
        let $private = $crate::span::moved(&$private, span);
        ::quote::quote_spanned!(span=> $($tokens)*)
    }};
}

mod bounds;
mod event;
mod feed;
mod fields;
mod label;
mod lints;
mod metric;
mod snapshot;
mod source;

use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

use crate::ast;
use crate::ctxt::Ctxt;
use crate::valid;

/// `#[derive(Metric)]`.
pub fn metric(input: &DeriveInput) -> TokenStream {
    let cx = Ctxt::new();
    let mut metric = ast::Metric::from_syn(&cx, input);
    valid::validate(&cx, &mut metric);
    let expanded = metric::expand(&metric);
    let errors = cx.check();
    quote!(#errors #expanded)
}

/// `#[derive(Label)]`.
pub fn label(input: &DeriveInput) -> TokenStream {
    let cx = Ctxt::new();
    let label = label::Label::from_syn(&cx, input);
    let expanded = label.expand();
    let errors = cx.check();
    quote!(#errors #expanded)
}

/// `#[metric_event]`; the item stays as it was written.
pub fn event(arguments: TokenStream, item: &TokenStream) -> TokenStream {
    let cx = Ctxt::new();
    let expanded = event::Event::from_syn(&cx, arguments, item.clone()).map(|event| event.expand());
    let errors = cx.check();
    quote!(#item #errors #expanded)
}

#[cfg(test)]
mod tests;
