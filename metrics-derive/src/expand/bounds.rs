use proc_macro2::TokenStream;
use syn::{Type, WherePredicate, parse2};

use crate::ast::{Event, Field, Role};
use crate::shape::{Kind, Shape, is_measure, label};
use crate::span::ends;

/// What must hold for the type of a field and cannot be seen from the way it is written.
///
/// Bounds in the head of an impl make one message of a mistake that would otherwise be reported by every line that uses
/// the field; for the struct's own type parameters there is no other way.
pub fn of_field(private: &TokenStream, field: &Field) -> Vec<WherePredicate> {
    if field.role == Role::Flatten {
        return bound(private, field.ty, "Fields").into_iter().collect();
    }
    if let (Kind::Breakdown, [label, each]) = (field.shape.kind, field.shape.arguments.as_slice()) {
        let limited = field.attrs.limit.is_some() || field.feeds.is_empty();
        let label = of_label(private, label, if limited { "Label" } else { "BoundedLabel" });
        return label.into_iter().chain(of_dimension(private, &field.each, each)).collect();
    }
    of_dimension(private, &field.shape, field.ty).into_iter().collect()
}

pub fn of_event(private: &TokenStream, event: &Event) -> Option<WherePredicate> {
    bound(private, &event.ty, "MetricEvent")
}

fn of_dimension(private: &TokenStream, shape: &Shape, ty: &Type) -> Option<WherePredicate> {
    match shape.kind {
        Kind::Counter | Kind::InFlight => None,
        _ if shape.measure().is_some_and(is_measure) => None,
        _ => bound(private, ty, "Dimension"),
    }
}

fn of_label(private: &TokenStream, ty: &Type, name: &str) -> Option<WherePredicate> {
    if label(ty).is_some() { None } else { bound(private, ty, name) }
}

fn bound(private: &TokenStream, ty: &Type, name: &str) -> Option<WherePredicate> {
    let (_, last) = ends(ty);
    let name = syn::Ident::new(name, last);
    parse2(quote_at!(private, last => #ty: #private::#name)).ok()
}
