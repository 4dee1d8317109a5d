use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::spanned::Spanned;
use syn::{Expr, WhereClause, WherePredicate, parse_quote};

use super::{bounds, feed, fields, lints, snapshot, source};
use crate::ast::{Field, Metric, Role};
use crate::attr::Given;
use crate::shape::{Kind, last_word};
use crate::span::at;

/// The struct's generics with the bounds that the generated impls need.
pub struct Context<'a> {
    pub metric: &'a Metric<'a>,
    pub private: TokenStream,
    where_clause: Option<WhereClause>,
}

pub fn expand(metric: &Metric) -> TokenStream {
    let root = &metric.root;
    let private = quote!(#root::__private);
    let cx = Context { metric, where_clause: where_clause(metric, &private), private };
    let buckets = metric.fields.iter().filter_map(|field| buckets(&cx, field));
    let handlers =
        metric.events.iter().enumerate().map(|(index, event)| feed::handle_event(&cx, index, event));
    let (implementation, fields) = (implementation(&cx), fields::expand(&cx));
    let (snapshot, snapshot_impls) = snapshot::expand(&cx);
    let lints = lints::allowed(metric.input);
    quote! {
        #lints
        #snapshot

        #lints
        const _: () = {
            #(#buckets)*
            #(#handlers)*
            #implementation
            #fields
            #snapshot_impls
        };
    }
}

/// A field that is part of the snapshot.
pub fn shown<'a>(metric: &'a Metric<'a>) -> impl Iterator<Item = &'a Field<'a>> {
    metric.fields.iter().filter(|field| field.role != Role::Skip && !field.unusable)
}

/// The struct's own bounds and what must hold for its events and fields.
fn where_clause(metric: &Metric, private: &TokenStream) -> Option<WhereClause> {
    let generics = &metric.input.generics;
    let mut predicates: Vec<WherePredicate> = Vec::new();
    if !generics.params.is_empty() {
        let (ident, (_, ty_generics, _)) = (&metric.input.ident, generics.split_for_impl());
        predicates.push(parse_quote!(#ident #ty_generics: #private::Send + 'static));
    }
    predicates.extend(metric.events.iter().filter_map(|event| bounds::of_event(private, event)));
    predicates.extend(shown(metric).flat_map(|field| bounds::of_field(private, field)));
    let mut clause = generics.where_clause.clone();
    if !predicates.is_empty() {
        clause.get_or_insert_with(|| parse_quote!(where)).predicates.extend(predicates);
    }
    clause
}

impl Context<'_> {
    /// `impl .. TRAIT for METRIC where ..`.
    pub fn implement(&self, implemented: impl ToTokens) -> TokenStream {
        let (impl_generics, ty_generics, _) = self.metric.input.generics.split_for_impl();
        let (ident, where_clause) = (&self.metric.input.ident, &self.where_clause);
        quote! {
            #[automatically_derived]
            impl #impl_generics #implemented for #ident #ty_generics #where_clause
        }
    }
}

pub fn has_buckets(field: &Field) -> bool {
    field.role == Role::Dimension && !field.unusable && field.each.kind == Kind::Histogram
}

/// Whether the field itself is a histogram with buckets, and not one for each label.
pub fn is_histogram(field: &Field) -> bool {
    has_buckets(field) && field.shape.kind == Kind::Histogram
}

pub fn buckets_name(field: &Field) -> Ident {
    format_ident!("__BUCKETS_{}", field.index)
}

/// The constant with the bounds of a histogram.
fn buckets(cx: &Context, field: &Field) -> Option<TokenStream> {
    let measure = field.each.measure().filter(|_| has_buckets(field))?;
    let (private, name) = (&cx.private, buckets_name(field));
    let bounds = match &field.attrs.buckets {
        _ if field.broken => quote!(&[]),
        Some(Given { value: Expr::Array(array), .. }) => {
            let mut array = array.clone();
            if ["f64", "Duration"].contains(&last_word(measure).as_str()) {
                array.elems.iter_mut().for_each(|bound| *bound = source::float(bound));
            }
            let count = array.elems.len();
            quote_at!(private, at(array.span()) => &#private::BucketsOf::<#measure>::bounds::<#count>(&#array))
        }
        Some(Given { value: path, .. }) => {
            quote_at!(private, at(path.span()) => &#private::BucketsOf::<#measure>::bounds::<{ #path.len() }>(&#path))
        }
        None if field.attrs.unit.as_ref().is_some_and(|unit| unit.value.value() == "bytes") => {
            quote!(#private::BucketsOf::<#measure>::BYTES)
        }
        None => quote_at!(private, at(measure.span()) => #private::default_buckets::<#measure>()),
    };
    Some(quote!(const #name: &[#measure] = #bounds;))
}

fn implementation(cx: &Context) -> TokenStream {
    let private = &cx.private;
    let Metric { name, help, events, .. } = cx.metric;
    let metric = cx.implement(quote!(#private::Metric));
    let typed = cx.implement(quote!(#private::TypedMetric));
    let handlers = events.iter().map(|event| {
        let ty = &event.ty;
        quote_at!(private, at(ty.span()) => #private::EventHandler::of::<#ty>())
    });
    let flattened = shown(cx.metric).any(|field| field.role == Role::Flatten);
    let descriptor = if flattened { quote!(descriptor) } else { quote!(own_descriptor) };
    let snapshot = snapshot::ident(cx.metric);
    let generics = snapshot::generics(cx);
    let (_, snapshot_generics, _) = generics.split_for_impl();
    let readings = shown(cx.metric).map(|field| {
        let (ident, span) = (field.ident, at(field.ty.span()));
        let reading = match field.role {
            Role::Flatten => quote_at!(private, span => #private::flattened(&self.#ident)),
            _ if is_histogram(field) => {
                let buckets = buckets_name(field);
                quote_at!(private, span => #private::Bucketed::read_within(&self.#ident, #buckets))
            }
            _ => quote_at!(private, span => #private::Dimension::read(&self.#ident)),
        };
        quote!(#ident: #reading)
    });
    let invalid = snapshot::invalid(cx.metric);
    quote! {
        #metric {
            fn metric_name(&self) -> &#private::primitive::str {
                #name
            }

            fn handlers() -> &'static [#private::EventHandler<Self>] {
                const { &[#(#handlers),*] }
            }

            fn snapshot(&self) -> #private::MetricSnapshot {
                #private::snapshot(#name, self)
            }

            fn descriptor(&self) -> #private::MetricDescriptor {
                #private::#descriptor::<Self>(#name, #help)
            }
        }

        #typed {
            type Snapshot = #snapshot #snapshot_generics;

            fn typed_snapshot(&self) -> Self::Snapshot {
                #snapshot {
                    #(#readings,)*
                    #invalid: #private::Fields::invalid(self),
                }
            }
        }
    }
}
