//! `impl Fields`: the dimensions one by one.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::spanned::Spanned;

use super::context::{Context, buckets_name, layout_name, max_buckets_name};
use super::feed::checked_keep;
use crate::ast::Role;
use crate::attr::LabelPart;
use crate::generics::{mentions, parameters};
use crate::resolved::{Field, Verdict};
use crate::shape::Kind;
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
        let (ident, name) = (field.ident, &field.name);
        if field.role == Role::Flatten {
            let prefix = field.prefix();
            return quote!(#private::Fields::values(&self.#ident, &#private::prefixed(__prefix, #prefix), __dimensions););
        }
        let value = read(private, field, Form::Erased);
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
    let (distinct, windows) = (distinct_names(cx), windows(cx));
    quote! {
        #distinct
        #(#windows)*

        #implement {
            const DIMENSIONS: &'static [#private::DimensionDescriptor] = &[#(#dimensions),*];

            #describe

            #[inline]
            fn values(&self, __prefix: &#private::primitive::str, __dimensions: &mut #private::Dimensions) {
                #(#values)*
            }

            #[inline]
            fn invalid(&self) -> #private::primitive::u64 {
                #private::sum(&[#(#counts),*])
            }
        }
    }
}

/// The snapshot for which a dimension is read.
#[derive(Clone, Copy)]
pub enum Form {
    Typed,
    Erased,
}

/// The expression that reads a dimension.
pub fn read(private: &TokenStream, field: &Field, form: Form) -> TokenStream {
    let (ident, span) = (field.ident, located_at(field.shape.ty.span()));
    let has_zeros = field.options.zeros.is_none();
    let method = |typed: &str, erased: &str| match form {
        Form::Typed => Ident::new(typed, span),
        Form::Erased => Ident::new(erased, span),
    };
    if field.has_buckets() && field.shape.inner().measured().is_some() {
        let (layout, method) = (layout_name(field), method("read_within", "read_value_within"));
        quote_at!(private, span => #private::BucketedReading::#method(&self.#ident, &#layout, #has_zeros))
    } else if !has_zeros && matches!(field.shape.kind, Kind::Breakdown | Kind::Unknown) {
        // `validate` has reported the option of any other type.
        let method = method("read_seen", "read_seen_value");
        quote_at!(private, span => #private::HasLabel::#method(&self.#ident))
    } else if let Some(keep) = field.keep() {
        let (keep, method) = (checked_keep(private, keep), method("read_keeping", "read_value_keeping"));
        quote_at!(private, span => #private::KeepsLabels::#method(&self.#ident, #keep))
    } else {
        let method = method("read", "read_value");
        quote_at!(private, span => #private::Dimension::#method(&self.#ident))
    }
}

fn describe(cx: &Context, field: &Field) -> TokenStream {
    let private = &cx.private;
    let (name, help, ty) = (&field.name, &field.help, field.shape.ty);
    let by = field.feeds.iter().find_map(|feed| feed.options.by.as_ref());
    let labels = by.into_iter().flat_map(|by| &by.value.parts).filter_map(LabelPart::name);
    let limit =
        field.options.limit.as_ref().filter(|_| field.verdict == Verdict::Valid).map(|limit| &limit.value);
    let limit = limit.map_or_else(
        || quote!(#private::None),
        |limit| quote_at!(private, located_at(ty.span()) => #private::limit::<<#ty as #private::HasLabel>::Label>(#limit)),
    );
    let merge = merge_rule(private, field);
    let unit = field.options.unit.as_ref().map(|unit| &unit.value);
    let unit = unit.map_or_else(|| quote!(#private::None), |unit| quote!(#private::Some(#unit)));
    let buckets = if field.has_buckets() && field.shape.inner().measured().is_some() {
        let measure = field.shape.inner().measured().map(|measured| measured.ty);
        let mut buckets = buckets_name(field);
        // When the bounds are wrong, rustc names each use of the constant.
        if let Some(written) = &field.options.buckets {
            buckets.set_span(located_at(written.value.span()));
        }
        quote!(#private::Some(const { &#private::BucketsOf::<#measure>::numbers::<{ #buckets.len() }>(#buckets) }))
    } else {
        quote!(#private::None)
    };
    let describe = quote_at!(private, located_at(ty.span()) => #private::describe::<#ty>);
    let described = quote! {
        #describe(
            #name,
            #unit,
            #help,
            const { &[#(#private::label_name(#labels)),*] },
            #limit,
            #merge,
            #buckets,
        )
    };
    if let Some(keep) = field.keep() {
        let keep = checked_keep(private, keep);
        quote!(#private::keeping(#described, #keep))
    } else if field.has_max_buckets() && field.shape.inner().measured().is_some() {
        let mut max_buckets = max_buckets_name(field);
        // When the number is wrong, rustc names each use of the constant.
        if let Some(written) = &field.options.max_buckets {
            max_buckets.set_span(located_at(written.value.span()));
        }
        quote!(#private::with_max_buckets(#described, #max_buckets))
    } else {
        described
    }
}

/// The rule of the option `merge`.
pub fn merge_rule(private: &TokenStream, field: &Field) -> TokenStream {
    match field.options.merge.as_ref().map(|merge| merge.value.to_string()).as_deref() {
        Some("min") => quote!(#private::Some(#private::MergeRule::Min)),
        Some("max") => quote!(#private::Some(#private::MergeRule::Max)),
        Some(_) => quote!(#private::Some(#private::MergeRule::Sum)),
        None => quote!(#private::None),
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

/// Checks windows when rustc evaluates constants: only rustc knows whether a type of the user's own merges.
fn windows(cx: &Context) -> impl Iterator<Item = TokenStream> {
    let private = &cx.private;
    let parameters = parameters(&cx.metric.input.generics);
    let fields = cx.metric.visible_fields().filter(|field| field.verdict == Verdict::Valid);
    let windows = fields.map(|field| field.shape.of_label()).filter(|shape| shape.kind == Kind::Recent);
    windows.filter(move |window| !mentions(window.ty, &parameters)).map(move |window| {
        let ty = window.ty;
        // The item itself is not there: rustc would suggest a type parameter for it.
        let assert = quote_at!(private, located_at(ty.span()) => #private::assert_window::<#ty>());
        quote!(const _: () = #assert;)
    })
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

        #[inline]
        fn describe(
            __prefix: &#private::primitive::str,
            __dimensions: &mut #private::Vec<#private::DimensionDescriptor>,
        ) {
            #(#steps)*
            #private::describe_all(__prefix, &#dimensions[#from..], __dimensions);
        }
    })
}
