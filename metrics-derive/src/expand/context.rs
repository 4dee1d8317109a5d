//! What all impls of a metric have in common.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::{WhereClause, WherePredicate, parse_quote};

use super::bounds;
use super::per_label::PerLabel;
use crate::ast::Role;
use crate::generics::{mentions, parameters};
use crate::resolved::{Field, Metric};

/// A metric with what all of its impls need.
pub struct Context<'a> {
    pub metric: &'a Metric<'a>,
    /// The name of the module for generated code, inside of the constant that [`import`](super::import) begins.
    pub private: TokenStream,
    where_clause: Option<WhereClause>,
}

impl<'a> Context<'a> {
    pub fn new(metric: &'a Metric<'a>) -> Self {
        let private = quote!(__private);
        Self { metric, where_clause: where_clause(metric, &private), private }
    }

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

/// The struct's own bounds, and those that its events and fields need.
fn where_clause(metric: &Metric, private: &TokenStream) -> Option<WhereClause> {
    let generics = &metric.input.generics;
    let mut predicates: Vec<WherePredicate> = Vec::new();
    if !generics.params.is_empty() {
        let (ident, (_, ty_generics, _)) = (&metric.input.ident, generics.split_for_impl());
        predicates.push(parse_quote!(#ident #ty_generics: #private::Send + 'static));
    }
    let events = metric.event_types();
    predicates.extend(events.iter().filter_map(|(ty, _)| bounds::of_event(private, ty)));
    predicates.extend(metric.visible_fields().flat_map(|field| bounds::of_field(private, field)));
    let per_label = metric.visible_fields().filter_map(|field| PerLabel::of(private, field));
    predicates.extend(per_label.flat_map(|per_label| per_label.bounds_of_feeds(&metric.events)));
    let skipped = metric.fields.iter().filter(|field| field.role == Role::Skip);
    let names = parameters(generics);
    // Of a generic metric the first bound asks for it.
    let skipped = skipped.filter(|field| !mentions(field.shape.ty, &names));
    predicates.extend(skipped.filter_map(|field| bounds::of_skipped(private, field)));
    let mut clause = generics.where_clause.clone();
    if !predicates.is_empty() {
        clause.get_or_insert_with(|| parse_quote!(where)).predicates.extend(predicates);
    }
    clause
}

/// The constant with the bounds of a histogram.
pub fn buckets_name(field: &Field) -> Ident {
    format_ident!("__BUCKETS_{}", field.index)
}

/// The static with the bounds of a histogram, and with the table that finds a value's bucket. As a static it has one address.
pub fn layout_name(field: &Field) -> Ident {
    format_ident!("__LAYOUT_{}", field.index)
}

/// The constant with the number of a histogram's exponential buckets.
pub fn max_buckets_name(field: &Field) -> Ident {
    format_ident!("__MAX_BUCKETS_{}", field.index)
}
