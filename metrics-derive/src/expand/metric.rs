use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::spanned::Spanned;
use syn::{Expr, Type, WhereClause, WherePredicate, parse_quote};

use super::bounds;
use super::snapshot;
use super::source;
use crate::ast::{Event, Feed, Field, Metric, Role};
use crate::attr::{FeedAttrs, Given, Source, at, moved};
use crate::shape::{Kind, last_word};

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
    let handlers = metric.events.iter().enumerate().map(|(index, event)| handle_event(&cx, index, event));
    let (implementation, fields) = (implementation(&cx), fields(&cx));
    let (snapshot, snapshot_impls) = snapshot::expand(&cx);
    quote! {
        #snapshot

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
    fn implement(&self, implemented: impl ToTokens) -> TokenStream {
        let (impl_generics, ty_generics, _) = self.metric.input.generics.split_for_impl();
        let (ident, where_clause) = (&self.metric.input.ident, &self.where_clause);
        quote! {
            #[automatically_derived]
            impl #impl_generics #implemented for #ident #ty_generics #where_clause
        }
    }
}

fn has_buckets(field: &Field) -> bool {
    field.role == Role::Dimension && !field.unusable && field.each.kind == Kind::Histogram
}

fn buckets_name(field: &Field) -> Ident {
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

fn handle_event(cx: &Context, index: usize, event: &Event) -> TokenStream {
    let private = &cx.private;
    let ty = &event.ty;
    let implement = cx.implement({
        let private = &cx.private;
        quote_at!(private, at(ty.span()) => #private::HandleEvent<#ty>)
    });
    let when = event.when.as_ref().map(|when| {
        let condition = source::condition(private, &when.value);
        quote!(if !#condition { return false; })
    });
    let with = event.with.as_ref().map(|with| {
        let prepare =
            cx.metric.fields.iter().filter(|field| has_buckets(field) && field.shape.kind != Kind::Breakdown);
        let prepare = prepare.map(|field| {
            let (ident, buckets) = (field.ident, buckets_name(field));
            quote!(#private::Bucketed::within(&mut self.#ident, #buckets);)
        });
        let path = &with.value;
        let call = quote_at!(private, at(path.span()) => #private::handle_with(self, __event, #path));
        quote!(#(#prepare)* __accepted |= #call;)
    });
    let feeds: Vec<_> = cx
        .metric
        .fields
        .iter()
        .flat_map(|field| {
            field.feeds.iter().filter(|feed| feed.event == index).map(move |feed| (field, feed))
        })
        .map(|(field, feed)| feed_field(cx, field, feed, ty))
        .collect();
    let body = if with.is_none() && feeds.is_empty() {
        quote!(#when false)
    } else {
        quote! {
            #when
            let mut __accepted = false;
            #with
            #(#feeds)*
            __accepted
        }
    };
    quote! {
        #implement {
            #[inline]
            fn handle(&mut self, __event: &#ty) -> #private::primitive::bool {
                #body
            }
        }
    }
}

fn feed_field(cx: &Context, field: &Field, feed: &Feed, event: &Type) -> TokenStream {
    let private = &cx.private;
    let ident = field.ident;
    if field.role == Role::Flatten {
        let span = at(field.ty.span());
        return quote_at!(private, span =>
            __accepted |= #private::HandleEvent::<#event>::handle(&mut self.#ident, __event);
        );
    }
    let values = values(private, field, &feed.attrs);
    let accepted = match &feed.attrs.by {
        None => steps(private, field, &feed.attrs, &quote!(&mut self.#ident)),
        Some(by) => {
            let label = source::label(private, &by.value);
            let steps = steps(private, field, &feed.attrs, &quote!(__each));
            let limit = limit(private, field, by);
            let span = at(by.value.span());
            quote_at!(private, span =>
                #private::ByLabel::feed_within(&mut self.#ident, #label, #limit, |__each| #steps)
            )
        }
    };
    let statements = quote!(#values __accepted |= #accepted;);
    match &feed.attrs.when {
        Some(when) => {
            let condition = source::condition(private, &when.value);
            quote!(if #condition { #statements })
        }
        None if values.is_empty() => statements,
        None => quote!({ #statements }),
    }
}

/// Takes the values from the event before the field is borrowed, so that they may read other fields.
fn values(private: &TokenStream, field: &Field, feed: &FeedAttrs) -> TokenStream {
    let constant = constant(private, field);
    let let_value = |name: &str, given: Option<&Source>| {
        let name = format_ident!("{name}", span = at(given?.span()));
        let value = source::value(private, given?, constant.as_ref());
        Some(quote!(let #name = #value;))
    };
    let lets = [
        let_value("__value", feed.value.as_ref().map(|given| &given.value)),
        let_value("__add", feed.add.as_ref().and_then(|given| given.value.as_ref())),
        let_value("__sub", feed.sub.as_ref().and_then(|given| given.value.as_ref())),
        let_value("__set", feed.set.as_ref().map(|given| &given.value)),
    ];
    lets.into_iter().flatten().collect()
}

/// The type of a constant such as `add = 1`.
fn constant(private: &TokenStream, field: &Field) -> Option<Type> {
    match field.each.kind {
        Kind::Counter | Kind::InFlight => Some(parse_quote!(#private::primitive::u64)),
        _ => field.each.measure().cloned(),
    }
}

/// The calls that change a dimension; the expression is true when one of them accepted the event.
fn steps(private: &TokenStream, field: &Field, feed: &FeedAttrs, target: &TokenStream) -> TokenStream {
    let target = if has_buckets(field) {
        let (buckets, span) = (buckets_name(field), at(field.ty.span()));
        quote_at!(private, span => #private::Bucketed::within(#target, #buckets))
    } else {
        target.clone()
    };
    let step = |word: &Ident, method: TokenStream, value: Option<&Source>, name: &str| {
        let span = at(value.map_or(word.span(), Spanned::span));
        let name = format_ident!("{name}", span = span);
        let value = if value.is_some() { name.to_token_stream() } else { quote!(1u64) };
        let (method, target, value) = (moved(&method, span), moved(&target, span), moved(&value, span));
        quote_at!(private, span => #private::#method(#target, #value))
    };
    let steps: Vec<_> = [
        feed.value
            .as_ref()
            .map(|given| step(&given.word, quote!(Record::record), Some(&given.value), "__value")),
        feed.add.as_ref().map(|given| step(&given.word, quote!(Add::add), given.value.as_ref(), "__add")),
        feed.sub.as_ref().map(|given| step(&given.word, quote!(Sub::sub), given.value.as_ref(), "__sub")),
        feed.set.as_ref().map(|given| step(&given.word, quote!(Set::set), Some(&given.value), "__set")),
    ]
    .into_iter()
    .flatten()
    .collect();
    if steps.is_empty() {
        let span = at(field.ty.span());
        let target = moved(&target, span);
        return quote_at!(private, span => #private::Count::count(#target));
    }
    quote!(#(#steps)|*)
}

fn limit(private: &TokenStream, field: &Field, by: &Given<Source>) -> TokenStream {
    if let Some(limit) = &field.attrs.limit {
        return limit.value.to_token_stream();
    }
    if field.shape.kind == Kind::Breakdown {
        return quote!(#private::primitive::usize::MAX);
    }
    let ty = field.ty;
    quote_at!(private, at(by.word.span()) => #private::unlimited::<<#ty as #private::Labelled>::Label>())
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
            _ if has_buckets(field) && field.shape.kind != Kind::Breakdown => {
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

/// `impl Fields`: the dimensions one by one, for the metric itself and for those it is flattened into.
fn fields(cx: &Context) -> TokenStream {
    let private = &cx.private;
    let implement = cx.implement(quote!(#private::Fields));
    let dimensions =
        shown(cx.metric).filter(|field| field.role == Role::Dimension).map(|field| describe(cx, field));
    let values = shown(cx.metric).map(|field| {
        let (ident, name, span) = (field.ident, &field.name, at(field.ty.span()));
        if field.role == Role::Flatten {
            let prefix = prefix(field);
            return quote!(#private::Fields::values(&self.#ident, &#private::prefixed(__prefix, #prefix), __dimensions););
        }
        let value = if has_buckets(field) && field.shape.kind != Kind::Breakdown {
            let buckets = buckets_name(field);
            quote_at!(private, span => #private::Bucketed::value_within(&self.#ident, #buckets))
        } else {
            quote_at!(private, span => #private::Dimension::value(&self.#ident))
        };
        quote!(#private::push(__dimensions, __prefix, #name, #value);)
    });
    let counts = shown(cx.metric).map(|field| {
        let (ident, span) = (field.ident, at(field.ty.span()));
        if field.role == Role::Flatten {
            quote_at!(private, span => #private::Fields::invalid(&self.#ident))
        } else {
            quote_at!(private, span => #private::Dimension::invalid(&self.#ident))
        }
    });
    let describe = describe_flattened(cx);
    quote! {
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

fn prefix(field: &Field) -> String {
    let prefix = field.attrs.flatten.as_ref().and_then(|flatten| flatten.value.as_ref());
    prefix.map_or_else(String::new, syn::LitStr::value)
}

fn describe(cx: &Context, field: &Field) -> TokenStream {
    let private = &cx.private;
    let (name, help, ty) = (&field.name, &field.help, field.ty);
    let by = field.feeds.iter().find_map(|feed| feed.attrs.by.as_ref());
    let labels = by.map_or_else(Vec::new, |by| source::label_names(&by.value, &field.name.value()));
    let merge = match field.attrs.merge.as_ref().map(|merge| merge.value.to_string()).as_deref() {
        Some("min") => quote!(Min),
        Some("max") => quote!(Max),
        _ => quote!(Sum),
    };
    let dimension = quote_at!(private, at(ty.span()) => <#ty as #private::Dimension>);
    let unit = field.attrs.unit.as_ref().map(|unit| &unit.value);
    let unit = unit.map_or_else(|| quote!(#dimension::UNIT), |unit| quote!(#private::Some(#unit)));
    let kind = if field.each.kind == Kind::Unknown {
        quote_at!(private, at(ty.span()) => #private::kind::<#ty>())
    } else {
        quote!(#dimension::KIND)
    };
    quote! {
        #private::describe(
            #name,
            #kind,
            #unit,
            #help,
            const { &[#(#private::label_name(#labels)),*] },
            #private::MergeRule::#merge,
        )
    }
}

/// Overrides `describe` when other metrics are flattened into this one, so that the order is that of the fields.
fn describe_flattened(cx: &Context) -> Option<TokenStream> {
    let private = &cx.private;
    let mut own = 0_usize;
    let mut from = 0_usize;
    let mut steps = Vec::new();
    for field in shown(cx.metric) {
        if field.role == Role::Dimension {
            own += 1;
            continue;
        }
        let (ty, prefix, span) = (field.ty, prefix(field), at(field.ty.span()));
        steps.push(quote_at!(private, span =>
            #private::describe_all(__prefix, &Self::DIMENSIONS[#from..#own], __dimensions);
            <#ty as #private::Fields>::describe(&#private::prefixed(__prefix, #prefix), __dimensions);
        ));
        from = own;
    }
    if steps.is_empty() {
        return None;
    }
    Some(quote! {
        fn describe(
            __prefix: &#private::primitive::str,
            __dimensions: &mut #private::Vec<#private::DimensionDescriptor>,
        ) {
            #(#steps)*
            #private::describe_all(__prefix, &Self::DIMENSIONS[#from..], __dimensions);
        }
    })
}
