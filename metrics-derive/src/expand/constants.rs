//! Constants of the user's own in options: rustc evaluates each once, and reports a mistake once, on the user's word.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident};
use syn::spanned::Spanned;
use syn::{Expr, Lit};

use super::context::Context;
use crate::generics::{mentions, parameters};
use crate::resolved::{Field, Verdict};
use crate::span::located_at;

/// The constants with the limits of breakdowns, each with its check.
pub fn limits(cx: &Context) -> impl Iterator<Item = TokenStream> {
    let private = &cx.private;
    cx.metric.fields.iter().filter_map(move |field| {
        let (name, limit) = (limit_name(cx, field)?, &field.options.limit.as_ref()?.value);
        Some(quote_at!(private, located_at(limit.span()) =>
            const #name: #private::primitive::usize = #limit;
            const _: () = #private::assert_limit(#name);
        ))
    })
}

/// The limit of a breakdown: the name of its constant, or what the user wrote.
pub fn limit(cx: &Context, field: &Field) -> Option<TokenStream> {
    let written = &field.options.limit.as_ref()?.value;
    Some(limit_name(cx, field).map_or_else(|| written.to_token_stream(), ToTokens::into_token_stream))
}

/// The constant with a limit. `None` for a number, which validation has checked, and for what depends on a parameter.
fn limit_name(cx: &Context, field: &Field) -> Option<Ident> {
    let written = &field.options.limit.as_ref().filter(|_| field.verdict == Verdict::Valid)?.value;
    let is_number = matches!(written, Expr::Lit(literal) if matches!(literal.lit, Lit::Int(_)));
    if is_number || mentions(written, &parameters(&cx.metric.input.generics)) {
        return None;
    }
    let mut name = format_ident!("__LIMIT_{}", field.index);
    name.set_span(located_at(written.span()));
    Some(name)
}
