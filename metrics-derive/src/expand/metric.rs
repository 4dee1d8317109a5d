//! The impls of `#[derive(Metric)]`.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::{Expr, ExprCall};

use super::context::{Context, buckets_name, layout_name, max_buckets_name};
use super::fields::{self, Form};
use super::per_label::PerLabel;
use super::{constants, feed, import, lints, shards, snapshot, source, units};
use crate::ast::Role;
use crate::resolved::{Field, Metric, Verdict};
use crate::shape::{Measure, TypeShape};
use crate::span::located_at;

impl Metric<'_> {
    pub fn expand(&self) -> TokenStream {
        let cx = Context::new(self);
        let buckets = self.fields.iter().filter_map(|field| buckets(&cx, field));
        let events = self.event_types();
        let units = constants::units(&cx);
        let (names, limits) = (constants::names(&cx), constants::limits(&cx));
        let handlers =
            events.iter().enumerate().map(|(index, (ty, listed))| feed::handle_event(&cx, index, ty, listed));
        let (implementation, fields) = (implementation(&cx), fields::expand(&cx));
        let (snapshot, snapshot_impls) = snapshot::expand(&cx);
        let (lints, import) = (lints::allowed(self.input), import(&self.root));
        quote! {
            #lints
            #snapshot

            #lints
            const _: () = {
                #import
                #(#buckets)*
                #(#names)*
                #(#limits)*
                #(#units)*
                #(#handlers)*
                #implementation
                #fields
                #snapshot_impls
            };
        }
    }
}

/// The constants with the buckets that a histogram declares.
fn buckets(cx: &Context, field: &Field) -> Option<TokenStream> {
    let measured = field.shape.inner().measured()?;
    if field.has_max_buckets() {
        return Some(max_buckets(cx, field));
    }
    let written = field.options.buckets.as_ref().filter(|_| field.has_buckets())?;
    let (private, name, measure) = (&cx.private, buckets_name(field), measured.ty);
    let bounds = match &written.value {
        _ if field.verdict != Verdict::Valid => quote!(&[]),
        Expr::Array(array) => {
            let mut array = array.clone();
            if measured.measure.is_written_as_float() {
                array.elems.iter_mut().for_each(|bound| *bound = source::float(bound));
            }
            let count = array.elems.len();
            let has_seconds = array.elems.iter().any(source::is_number);
            let written = if has_seconds { quote!(#private::primitive::f64) } else { quote!(_) };
            checked_bounds(private, measured, &array, &written, &quote!(#count))
        }
        Expr::Call(call) if call.args.len() == 3 => exponential(private, measured, call),
        path => checked_bounds(private, measured, path, &quote!(_), &quote!({ #path.len() })),
    };
    // When the bounds are wrong, rustc names each use of the constant.
    let (mut used, layout) = (name.clone(), layout_name(field));
    used.set_span(located_at(written.value.span()));
    Some(quote! {
        const #name: &[#measure] = #bounds;
        static #layout: #private::BucketLayout<#measure> = #private::BucketLayout::new(
            #used,
            const { &#private::BucketsOf::<#measure>::guesses::<{ #used.len() }>(#used) },
        );
    })
}

fn max_buckets(cx: &Context, field: &Field) -> TokenStream {
    let (private, name) = (&cx.private, max_buckets_name(field));
    let written = field.options.max_buckets.as_ref().filter(|_| field.verdict == Verdict::Valid);
    let number = written.map_or_else(
        || quote!(0),
        |written| {
            let number = &written.value;
            quote_at!(private, located_at(number.span()) => #private::max_buckets(#number))
        },
    );
    quote!(const #name: #private::primitive::u16 = #number;)
}

/// The bounds of `exponential(start, factor, n)`. The start of durations is a duration or a number of seconds.
fn exponential(private: &TokenStream, measured: &TypeShape, call: &ExprCall) -> TokenStream {
    let (measure, span) = (measured.ty, located_at(call.span()));
    let [start, factor, count] = [0, 1, 2].map(|index| &call.args[index]);
    let factor = source::float(factor);
    let start = match measured.measure {
        Measure::Duration => {
            let written = if source::is_number(start) { quote!(#private::primitive::f64) } else { quote!(_) };
            let start = source::float(start);
            let span = located_at(start.span());
            quote_at!(private, span => #private::DurationStart::<#written>(#start).duration_or_seconds())
        }
        Measure::F64 => source::float(start).to_token_stream(),
        _ => start.to_token_stream(),
    };
    quote_at!(private, span => &#private::BucketsOf::<#measure>::exponential::<{ #count }>(#start, #factor))
}

/// The bounds as values of the measure. Bounds of a `Duration` are durations or seconds. Their type is `written_as`; for `_` rustc
/// finds out which.
fn checked_bounds(
    private: &TokenStream,
    measured: &TypeShape,
    written: &(impl ToTokens + Spanned),
    written_as: &TokenStream,
    count: &TokenStream,
) -> TokenStream {
    let (measure, span) = (measured.ty, located_at(written.span()));
    if measured.measure == Measure::Duration {
        quote_at!(private, span => &#private::DurationBounds::<#written_as>(&#written).of_durations_or_seconds::<#count>())
    } else {
        quote_at!(private, span => &#private::BucketsOf::<#measure>::bounds::<#count>(&#written))
    }
}

fn implementation(cx: &Context) -> TokenStream {
    let private = &cx.private;
    let Metric { name, help, .. } = cx.metric;
    let metric = cx.implement(quote!(#private::Metric));
    let typed = cx.implement(quote!(#private::TypedMetric));
    let events = cx.metric.event_types();
    let handlers = events
        .iter()
        .map(|(ty, _)| quote_at!(private, located_at(ty.span()) => #private::EventHandler::of::<#ty>()));
    let distinct = fields::distinct_names_of_instance(cx);
    let per_label = cx.implement(quote!(#private::per_label::PerLabel));
    let flattened = cx.metric.visible_fields().any(|field| !field.is_one_dimension());
    let descriptor = if flattened { quote!(descriptor) } else { quote!(own_descriptor) };
    let read_snapshot = if units::may_have_units(cx) { quote!(snapshot_in_units) } else { quote!(snapshot) };
    let snapshot = snapshot::ident(cx.metric);
    let generics = snapshot::generics(cx, private);
    let (_, snapshot_generics, _) = generics.split_for_impl();
    let readings = cx.metric.visible_fields().map(|field| {
        let ident = field.ident;
        let reading = if let Some(per_label) = PerLabel::of(private, field) {
            per_label.read()
        } else if field.role == Role::Flatten {
            quote_at!(private, located_at(field.shape.ty.span()) => #private::flattened(&self.#ident))
        } else {
            fields::read(private, field, Form::Typed)
        };
        quote!(#ident: #reading)
    });
    let invalid = snapshot::invalid(cx.metric);
    let shards = shards::methods(cx);
    quote! {
        #metric {
            #[inline]
            fn metric_name(&self) -> &#private::primitive::str {
                #name
            }

            #[inline]
            fn handlers() -> &'static [#private::EventHandler<Self>] {
                #distinct
                const { &[#(#handlers),*] }
            }

            #[inline]
            fn snapshot(&self) -> #private::MetricSnapshot {
                #private::#read_snapshot(#name, self)
            }

            #[inline]
            fn descriptor(&self) -> #private::MetricDescriptor {
                #private::#descriptor::<Self>(#name, #help)
            }

            #[inline]
            fn is_derived() -> #private::primitive::bool {
                true
            }

            #shards
        }

        #per_label {
            type Way = #private::per_label::OfMetric;
        }

        #typed {
            type Snapshot = #snapshot #snapshot_generics;

            #[inline]
            fn typed_snapshot(&self) -> Self::Snapshot {
                #private::TypedMetric::typed_snapshot_at(self, #private::Times::default())
            }

            #[inline]
            fn typed_snapshot_at(&self, __times: #private::Times) -> Self::Snapshot {
                #snapshot {
                    #(#readings,)*
                    #invalid: #private::Fields::invalid(self),
                    __times,
                }
            }

            const NAME: &'static #private::primitive::str = #name;

            #[inline]
            fn restore(
                __snapshot: &#private::MetricSnapshot,
                __taken_at: #private::Timestamp,
            ) -> #private::Option<Self::Snapshot> {
                #private::restore::<Self>(__snapshot, __taken_at)
            }
        }
    }
}
