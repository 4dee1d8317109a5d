//! A metric in parts, one for each thread: how an empty one is made, and how the metric absorbs it.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::spanned::Spanned;

use super::context::Context;
use super::per_label::PerLabel;
use crate::ast::Role;
use crate::resolved::Verdict;
use crate::source_text::to_source;
use crate::span::located_at;

/// The methods of `impl Metric`. A metric of which the attributes say that it needs an order has only the reason.
pub fn methods(cx: &Context) -> TokenStream {
    let private = &cx.private;
    let problem = quote! {
        #[inline]
        fn order_problem() -> #private::Option<#private::String> {
            #private::order_problem(const { &<Self as #private::Fields>::NAMES })
        }
    };
    let fields = &cx.metric.fields;
    // An item without fields is a mistake that has its error already. It may be an enum.
    let is_mistaken = fields.is_empty() || fields.iter().any(|field| field.verdict != Verdict::Valid);
    if is_mistaken || !reasons(cx).is_empty() {
        return problem;
    }
    let (mut made, mut absorbed) = (Vec::new(), Vec::new());
    for field in fields {
        let (ident, span) = (field.ident, located_at(field.shape.ty.span()));
        if let Some(per_label) = PerLabel::of(private, field) {
            made.push(per_label.empty_shard());
            absorbed.push(per_label.absorb());
            continue;
        }
        let (of, empty_shard) = if field.role == Role::Flatten {
            (quote!(Metric), quote!(Metric::empty_shard))
        } else {
            (quote!(Dimension), quote!(shard_of))
        };
        made.push(quote_at!(private, span => #ident: #private::#empty_shard(&self.#ident)));
        absorbed.push(
            quote_at!(private, span => #private::#of::absorb_shard(&mut self.#ident, &mut __shard.#ident);),
        );
    }
    quote! {
        #problem

        #[inline]
        fn empty_shard(&self) -> Self {
            Self { #(#made),* }
        }

        #[inline]
        fn absorb_shard(&mut self, __shard: &mut Self) {
            #(#absorbed)*
        }
    }
}

/// The constant with the reasons that only the attributes tell.
pub fn ordered(cx: &Context) -> Option<TokenStream> {
    let private = &cx.private;
    let reasons = reasons(cx);
    let reasons = reasons.iter().map(|(name, reason)| quote!((#name, #private::NeedsOrder::#reason)));
    (reasons.len() > 0).then(|| {
        quote! {
            const ORDERED: &'static [(&'static #private::primitive::str, #private::NeedsOrder)] = &[#(#reasons),*];
        }
    })
}

fn reasons(cx: &Context) -> Vec<(TokenStream, TokenStream)> {
    let mut reasons = Vec::new();
    for with in cx.metric.events.iter().filter_map(|event| event.with.as_ref()) {
        reasons.push((to_source(&with.value).to_token_stream(), quote!(Handler)));
    }
    for field in &cx.metric.fields {
        if field.role == Role::Skip {
            reasons.push((field.ident.to_string().to_token_stream(), quote!(Skipped)));
        } else if field.is_between_events() {
            reasons.push((field.name.to_token_stream(), quote!(BetweenEvents)));
        }
    }
    reasons
}
