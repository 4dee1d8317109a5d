//! Units of time: those in which snapshots show durations.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use super::context::Context;
use crate::attr::FeedOptions;
use crate::resolved::Field;
use crate::shape::{Kind, Measure};

/// The units in which a `Duration` is shown, each with its constant.
const TIME_UNITS: [(&str, &str); 3] =
    [("nanoseconds", "Nanoseconds"), ("microseconds", "Microseconds"), ("milliseconds", "Milliseconds")];

/// The unit of the durations of a field; `None` for seconds, and where there surely are no durations.
pub fn time_unit(private: &TokenStream, field: &Field) -> Option<TokenStream> {
    let (ty, inner) = (field.shape.ty, field.shape.inner());
    match &field.options.unit {
        Some(unit) if !matches!(inner.measure(), Some(Measure::U64 | Measure::I64 | Measure::F64)) => {
            let (_, constant) = TIME_UNITS.iter().find(|(name, _)| *name == unit.value.value())?;
            let constant = Ident::new(constant, Span::call_site());
            Some(quote!(#private::TimeUnit::#constant))
        }
        // A type of the user's own may have a unit.
        None if inner.kind == Kind::Unknown && field.per_label().is_none() => {
            Some(quote!(#private::TimeUnit::of(<#ty as #private::Dimension>::UNIT)))
        }
        _ => None,
    }
}

/// The value of a feed as a time of the unit in the option `from`.
pub fn from_unit(
    private: &TokenStream,
    feed: &FeedOptions,
    value: &TokenStream,
    span: Span,
) -> Option<TokenStream> {
    let from = feed.from.as_ref()?.value.value();
    let unit = TIME_UNITS.iter().find(|(name, _)| *name == from).map_or("Seconds", |(_, constant)| constant);
    let unit = Ident::new(unit, Span::call_site());
    Some(quote_at!(private, span => #private::TimeNumber::in_unit(#value, #private::TimeUnit::#unit)))
}

/// Whether the metric may show durations in another unit than seconds.
pub fn may_have_units(cx: &Context) -> bool {
    let mut fields = cx.metric.visible_fields();
    fields.any(|field| !field.is_one_dimension() || time_unit(&cx.private, field).is_some())
}
