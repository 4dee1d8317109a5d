//! Trait bounds on the types of fields and events.

use proc_macro2::TokenStream;
use syn::{Type, WherePredicate, parse2};

use crate::ast::Role;
use crate::attr::FeedOptions;
use crate::resolved::{Event, Feed, Field};
use crate::shape::{Kind, Measure, TypeShape, cardinality};
use crate::span::ends;

/// Bounds that the type of a field must meet, unless its spelling shows that it meets them.
///
/// With a bound in the head of an impl, rustc reports a mistake once; without, in each line that uses the field. Type
/// parameters of the struct need the bound.
pub fn of_field(private: &TokenStream, field: &Field) -> Vec<WherePredicate> {
    if field.role == Role::Flatten {
        return bound(private, field.shape.ty, "Fields").into_iter().collect();
    }
    if let (Kind::Breakdown, [label, inner]) = (field.shape.kind, field.shape.arguments.as_slice()) {
        let limited = field.options.limit.is_some() || field.feeds.is_empty();
        let label = of_label(private, label.ty, if limited { "Label" } else { "BoundedLabel" });
        return label.into_iter().chain(of_dimension(private, inner)).collect();
    }
    if let (Kind::Top, [label, inner]) = (field.shape.kind, field.shape.arguments.as_slice()) {
        let label = of_label(private, label.ty, "Label");
        return label.into_iter().chain(of_weight(private, inner)).collect();
    }
    // The message about a type of the user's own then tells both what it lacks and what else its field may be.
    let counts = |feed: &Feed| {
        let FeedOptions { value, add, sub, set, by, .. } = &feed.options;
        value.is_none() && add.is_none() && sub.is_none() && set.is_none() && by.is_none()
    };
    if field.shape.kind == Kind::Unknown && !field.feeds.is_empty() && field.feeds.iter().all(counts) {
        return bound(private, field.shape.ty, "Count").into_iter().collect();
    }
    of_dimension(private, &field.shape).into_iter().collect()
}

pub fn of_event(private: &TokenStream, event: &Event) -> Option<WherePredicate> {
    bound(private, &event.ty, "MetricEvent")
}

fn of_dimension(private: &TokenStream, shape: &TypeShape) -> Option<WherePredicate> {
    match shape.kind {
        Kind::Counter | Kind::InFlight | Kind::Distinct => None,
        // Of a type of the user's own the window needs more.
        Kind::Recent
            if shape.inner().kind != Kind::Unknown && of_dimension(private, shape.inner()).is_none() =>
        {
            None
        }
        _ if shape.measure().is_some_and(Measure::is_known) => None,
        _ => bound(private, shape.ty, "Dimension"),
    }
}

/// The bound of a field that is not a dimension: the metric goes to another thread.
pub fn of_skipped(private: &TokenStream, field: &Field) -> Option<WherePredicate> {
    let is_known = field.shape.kind == Kind::NotADimension && field.shape.arguments.is_empty();
    let is_word = matches!(field.shape.ty, Type::Path(_));
    if is_known && is_word { None } else { bound(private, field.shape.ty, "Send") }
}

/// The bound of `D` of `Top<L, D>`.
fn of_weight(private: &TokenStream, shape: &TypeShape) -> Option<WherePredicate> {
    match shape.kind {
        Kind::Counter => None,
        _ if shape.measure().is_some_and(Measure::is_known) => None,
        _ => bound(private, shape.ty, "Weighted"),
    }
}

fn of_label(private: &TokenStream, ty: &Type, name: &str) -> Option<WherePredicate> {
    if cardinality(ty).is_some() { None } else { bound(private, ty, name) }
}

fn bound(private: &TokenStream, ty: &Type, name: &str) -> Option<WherePredicate> {
    let (first, last) = ends(ty);
    let name = syn::Ident::new(name, last);
    parse2(quote_at!(private, first => #ty: #private::#name)).ok()
}
