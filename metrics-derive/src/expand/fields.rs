//! `impl Fields`: the dimensions one by one.

use proc_macro2::TokenStream;
use quote::quote;
use syn::spanned::Spanned;

use super::context::{Context, buckets_name};
use super::source;
use crate::ast::Role;
use crate::resolved::{Field, Verdict};
use crate::span::located_at;

/// `impl Fields`: the dimensions one by one. The metric itself uses them, and metrics that it is flattened into.
pub fn expand(cx: &Context) -> TokenStream {
    let private = &cx.private;
    let implement = cx.implement(quote!(#private::Fields));
    let dimensions = cx
        .metric
        .visible_fields()
        .filter(|field| field.role == Role::Dimension)
        .map(|field| describe(cx, field));
    let values = cx.metric.visible_fields().map(|field| {
        let (ident, name, span) = (field.ident, &field.name, located_at(field.shape.ty.span()));
        if field.role == Role::Flatten {
            let prefix = field.prefix();
            return quote!(#private::Fields::values(&self.#ident, &#private::prefixed(__prefix, #prefix), __dimensions););
        }
        let value = if field.is_histogram() {
            let buckets = buckets_name(field);
            quote_at!(private, span => #private::Bucketed::value_within(&self.#ident, #buckets))
        } else {
            quote_at!(private, span => #private::Dimension::value(&self.#ident))
        };
        quote!(#private::push(__dimensions, __prefix, #name, #value);)
    });
    let counts = cx.metric.visible_fields().map(|field| {
        let (ident, span) = (field.ident, located_at(field.shape.ty.span()));
        if field.role == Role::Flatten {
            quote_at!(private, span => #private::Fields::invalid(&self.#ident))
        } else {
            quote_at!(private, span => #private::Dimension::invalid(&self.#ident))
        }
    });
    let describe = describe_flattened(cx);
    let distinct = distinct_names(cx);
    quote! {
        #distinct

        #implement {
            const DIMENSIONS: &'static [#private::DimensionDescriptor] = &[#(#dimensions),*];

            #describe

            fn values(&self, __prefix: &#private::primitive::str, __dimensions: &mut #private::Dimensions) {
                #(#values)*
            }

            fn invalid(&self) -> #private::primitive::u64 {
                #private::sum(&[#(#counts),*])
            }
        }
    }
}

fn describe(cx: &Context, field: &Field) -> TokenStream {
    let private = &cx.private;
    let (name, help, ty) = (&field.name, &field.help, field.shape.ty);
    let by = field.feeds.iter().find_map(|feed| feed.options.by.as_ref());
    let labels = by.map_or_else(Vec::new, |by| source::label_names(&by.value, &field.name.value()));
    let limit =
        field.options.limit.as_ref().filter(|_| field.verdict == Verdict::Valid).map(|limit| &limit.value);
    let limit = limit.map_or_else(
        || quote!(#private::None),
        |limit| quote_at!(private, located_at(ty.span()) => #private::limit::<<#ty as #private::HasLabel>::Label>(#limit)),
    );
    let merge = match field.options.merge.as_ref().map(|merge| merge.value.to_string()).as_deref() {
        Some("min") => quote!(Min),
        Some("max") => quote!(Max),
        _ => quote!(Sum),
    };
    let dimension = quote_at!(private, located_at(ty.span()) => <#ty as #private::Dimension>);
    let unit = field.options.unit.as_ref().map(|unit| &unit.value);
    let unit = unit.map_or_else(|| quote!(#dimension::UNIT), |unit| quote!(#private::Some(#unit)));
    quote! {
        #private::describe(
            #name,
            #dimension::KIND,
            #unit,
            #help,
            const { &[#(#private::label_name(#labels)),*] },
            #limit,
            #private::MergeRule::#merge,
        )
    }
}

/// Compares the names of flattened metrics when rustc evaluates constants: only rustc knows them.
fn distinct_names(cx: &Context) -> Option<TokenStream> {
    let (private, metric) = (&cx.private, &cx.metric.input.ident);
    let flattened = cx.metric.visible_fields().find(|field| field.role == Role::Flatten)?;
    if cx.metric.fields.iter().any(|field| field.verdict != Verdict::Valid)
        || !cx.metric.input.generics.params.is_empty()
    {
        return None;
    }
    Some(quote_at!(private, located_at(flattened.ident.span()) =>
        const _: () = #private::assert_distinct(&<#metric as #private::Fields>::NAMES);
    ))
}

/// Overrides `describe` of a metric with flattened ones, so that the dimensions have the order of the fields.
fn describe_flattened(cx: &Context) -> Option<TokenStream> {
    let private = &cx.private;
    // Qualified: the metric may have a constant of that name.
    let dimensions = quote!(<Self as #private::Fields>::DIMENSIONS);
    let mut own = 0_usize;
    let mut from = 0_usize;
    let mut steps = Vec::new();
    let mut names = Vec::new();
    for field in cx.metric.visible_fields() {
        if field.role == Role::Dimension {
            own += 1;
            continue;
        }
        let (ty, prefix, span) = (field.shape.ty, field.prefix(), located_at(field.shape.ty.span()));
        steps.push(quote_at!(private, span =>
            #private::describe_all(__prefix, &#dimensions[#from..#own], __dimensions);
            <#ty as #private::Fields>::describe(&#private::prefixed(__prefix, #prefix), __dimensions);
        ));
        names.push(quote_at!(private, span => (#prefix, <#ty as #private::Fields>::NAMES)));
        from = own;
    }
    if steps.is_empty() {
        return None;
    }
    Some(quote! {
        const NAMES: #private::Names = #private::Names { own: #dimensions, flattened: &[#(#names),*] };

        fn describe(
            __prefix: &#private::primitive::str,
            __dimensions: &mut #private::Vec<#private::DimensionDescriptor>,
        ) {
            #(#steps)*
            #private::describe_all(__prefix, &#dimensions[#from..], __dimensions);
        }
    })
}
