//! `impl Fields`: the dimensions one by one.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::spanned::Spanned;

use super::between;
use super::constants;
use super::context::{Context, buckets_name, layout_name, max_buckets_name};
use super::feed::checked_keep;
use super::per_label::{self, PerLabel};
use super::shards;
use crate::ast::Role;
use crate::attr::{LabelPart, Name};
use crate::generics::{mentions, parameters};
use crate::resolved::{Field, Verdict};
use crate::shape::Kind;
use crate::span::located_at;

/// `impl Fields`: the dimensions one by one. The metric itself uses them, and metrics that it is flattened into.
pub fn expand(cx: &Context) -> TokenStream {
    let private = &cx.private;
    let implement = cx.implement(quote!(#private::Fields));
    let dimensions =
        cx.metric.visible_fields().filter(|field| field.is_one_dimension()).map(|field| describe(cx, field));
    let values = cx.metric.visible_fields().map(|field| {
        let (ident, name) = (field.ident, &field.name);
        if let Some(per_label) = PerLabel::of(private, field) {
            return per_label.values();
        }
        if field.role == Role::Flatten {
            let prefix = field.prefix();
            return quote!(#private::Fields::values(&self.#ident, &#private::prefixed(__prefix, #prefix), __dimensions););
        }
        let value = read(private, field, Form::Erased);
        quote!(#private::push(__dimensions, __prefix, #name, #value);)
    });
    let counts = cx.metric.visible_fields().map(|field| {
        let (ident, span) = (field.ident, located_at(field.shape.ty.span()));
        if let Some(per_label) = PerLabel::of(private, field) {
            per_label.invalid()
        } else if field.role == Role::Flatten {
            quote_at!(private, span => #private::Fields::invalid(&self.#ident))
        } else {
            quote_at!(private, span => #private::Dimension::invalid(&self.#ident))
        }
    });
    let (describe, ordered) = (describe_flattened(cx), shards::ordered(cx));
    let (distinct, windows) = (distinct_names(cx), windows(cx));
    let breakdowns = per_label::checks(cx);
    quote! {
        #distinct
        #(#windows)*
        #breakdowns

        #implement {
            const DIMENSIONS: &'static [#private::DimensionDescriptor] = &[#(#dimensions),*];

            #ordered

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
    let is_of_labels = field.verdict == Verdict::Valid && !field.is_between_events();
    let limit = constants::limit(cx, field).filter(|_| is_of_labels);
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
    let mut described = quote! {
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
    if let Some(limit) = between::limit(private, field) {
        described = quote!(#private::with_open_limit(#described, #limit));
    }
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
    let private = &cx.private;
    let first = compared(cx)?;
    if depends_on_parameters(cx) {
        return None;
    }
    // `per_label::checks` compares the names of such a metric.
    if cx.metric.visible_fields().any(|field| field.per_label().is_some()) {
        return None;
    }
    let metric = &cx.metric.input.ident;
    if cx.metric.input.generics.params.is_empty() {
        return Some(quote_at!(private, first =>
            const _: () = #private::assert_distinct(&<#metric as #private::Fields>::NAMES);
        ));
    }
    let names = all_names(cx);
    Some(quote_at!(private, first =>
        const _: () = #private::assert_distinct(&#names);
    ))
}

/// The names of all dimensions. It names no impl of the metric, in which a missing bound would be reported once more.
pub fn all_names(cx: &Context) -> TokenStream {
    let private = &cx.private;
    let own = cx.metric.visible_fields().filter(|field| field.is_one_dimension()).map(|field| &field.name);
    let others = cx.metric.visible_fields().filter(|field| !field.is_one_dimension());
    let others = others.map(|field| {
        let (ty, prefix) = (field.shape.ty, field.prefix());
        let flattened = || quote!((#prefix, <#ty as #private::Fields>::NAMES));
        PerLabel::of(private, field).map_or_else(flattened, |per_label| per_label.names())
    });
    quote!(#private::Names { own: &[], names: &[#(#own),*], flattened: &[#(#others),*], by_label: false, ordered: &[] })
}

/// [`distinct_names`] where a metric inside of this one depends on a type parameter: rustc compares when the metric is used.
pub fn distinct_names_of_instance(cx: &Context) -> Option<TokenStream> {
    let private = &cx.private;
    let first = compared(cx).filter(|_| depends_on_parameters(cx))?;
    Some(quote_at!(private, first =>
        const { #private::assert_distinct(&<Self as #private::Fields>::NAMES) }
    ))
}

/// The location of the first name that only rustc can compare with the other ones, if no field has a mistake.
fn compared(cx: &Context) -> Option<Span> {
    let valid = cx.metric.fields.iter().all(|field| field.verdict == Verdict::Valid);
    let mut fields = cx.metric.visible_fields().filter(|_| valid);
    let span = fields.find_map(|field| match &field.name {
        _ if !field.is_one_dimension() => Some(field.ident.span()),
        Name::Constant { constant, .. } => Some(constant.span()),
        Name::Text(_) => None,
    });
    span.map(located_at)
}

/// Whether the names of a metric inside of this one depend on a parameter, so that a constant cannot name them.
pub fn depends_on_parameters(cx: &Context) -> bool {
    let parameters = parameters(&cx.metric.input.generics);
    let mut inner = cx.metric.visible_fields().filter(|field| !field.is_one_dimension());
    inner.any(|field| mentions(field.shape.ty, &parameters))
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
        if field.is_one_dimension() {
            own += 1;
            continue;
        }
        if let Some(per_label) = PerLabel::of(private, field) {
            let describe = per_label.describe(cx);
            steps.push(quote! {
                #private::describe_all(__prefix, &#dimensions[#from..#own], __dimensions);
                #describe
            });
            names.push(per_label.names());
            from = own;
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
        const NAMES: #private::Names = #private::Names {
            own: #dimensions,
            names: &[],
            flattened: &[#(#names),*],
            by_label: false,
            ordered: <Self as #private::Fields>::ORDERED,
        };

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
