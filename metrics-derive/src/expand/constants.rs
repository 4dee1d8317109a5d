//! Constants of the user's own in options: rustc evaluates each once, and reports a mistake once, on the user's word.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::spanned::Spanned;
use syn::{Expr, Lit};

use super::context::Context;
use super::snapshot;
use crate::ast::{Role, Variant};
use crate::attr::Name;
use crate::generics::{mentions, parameters};
use crate::resolved::{Field, Verdict};
use crate::shape::Measure;
use crate::span::located_at;

/// The constants with the user's names, each with its check.
pub fn names(cx: &Context) -> Vec<TokenStream> {
    let private = &cx.private;
    let invalid = snapshot::invalid(cx.metric).to_string();
    let mut constants = vec![name(private, &cx.metric.name, "assert_name")];
    for field in cx.metric.visible_fields() {
        if field.role == Role::Flatten {
            let flatten = field.options.flatten.as_ref();
            let prefix = flatten.and_then(|flatten| flatten.value.prefix.as_ref());
            constants.push(prefix.and_then(|prefix| name(private, &prefix.value, "assert_prefix")));
        } else if let Name::Constant { expr, constant } = &field.name {
            constants.push(name(private, &field.name, "assert_name"));
            constants.push(Some(quote_at!(private, located_at(expr.span()) =>
                const _: () = #private::assert_not_invalid(#constant, #invalid);
            )));
        }
    }
    constants.into_iter().flatten().collect()
}

/// The constant with one name, and its check; `None` for a text.
pub fn name(private: &TokenStream, name: &Name, check: &str) -> Option<TokenStream> {
    let Name::Constant { expr, constant } = name else { return None };
    let check = Ident::new(check, located_at(expr.span()));
    Some(quote_at!(private, located_at(expr.span()) =>
        const #constant: &'static #private::primitive::str = #expr;
        const _: () = #private::#check(#constant);
    ))
}

/// The constants with the user's texts of labels, and their check.
pub fn label_texts(private: &TokenStream, variants: &[Variant]) -> TokenStream {
    let constants = variants.iter().filter_map(|variant| {
        let Name::Constant { expr, constant } = &variant.text else { return None };
        Some((
            expr,
            quote_at!(private, located_at(expr.span()) =>
                const #constant: &'static #private::primitive::str = #expr;
            ),
        ))
    });
    let (exprs, constants): (Vec<_>, Vec<_>) = constants.unzip();
    let check = exprs.first().map(|first| {
        quote_at!(private, located_at(first.span()) => const _: () = #private::assert_label_texts(__TEXTS);)
    });
    quote!(#(#constants)* #check)
}

/// The checks of units whose dimension has an alias: rustc knows whether it measures durations.
pub fn units(cx: &Context) -> impl Iterator<Item = TokenStream> {
    let (private, parameters) = (&cx.private, parameters(&cx.metric.input.generics));
    let fields = cx.metric.visible_fields().filter(|field| field.verdict == Verdict::Valid);
    fields.filter_map(move |field| {
        let unit = &field.options.unit.as_ref()?.value;
        let (ty, inner) = (field.shape.ty, field.shape.inner());
        if inner.measure().is_some_and(Measure::is_known) || mentions(ty, &parameters) {
            return None;
        }
        Some(
            quote_at!(private, located_at(unit.span()) => const _: () = #private::assert_unit::<#ty>(#unit);),
        )
    })
}

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
    // `between` checks the limit of ids.
    let is_of_labels = field.verdict == Verdict::Valid && !field.is_between_events();
    let written = &field.options.limit.as_ref().filter(|_| is_of_labels)?.value;
    let is_number = matches!(written, Expr::Lit(literal) if matches!(literal.lit, Lit::Int(_)));
    if is_number || mentions(written, &parameters(&cx.metric.input.generics)) {
        return None;
    }
    let mut name = format_ident!("__LIMIT_{}", field.index);
    name.set_span(located_at(written.span()));
    Some(name)
}
