//! Reports options, types and names that do not fit together: each mistake once, on the word to change.

mod arguments;
mod between;
mod buckets;
mod dimension;
mod events;
mod feeds;
mod inherited;
mod labels;
mod resolve;
mod role;
mod top;
mod units;
mod variants;

use std::collections::HashMap;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, Data, Fields, Ident, Item};

use self::inherited::Inherited;
use crate::ast::{self, EventItem, Role, Variant};
use crate::attr::{FeedOptions, FieldAttrs};
use crate::ctxt::Ctxt;
use crate::generics::parameters;
use crate::name;
use crate::resolved::{Event, Field, Metric, Verdict};
use crate::shape::Kind;
use crate::source_text::to_source;

impl<'a> ast::Metric<'a> {
    /// Reports the mistakes of a metric. No event feeds a field with a mistake, so that no other message follows from it.
    pub fn validate(self, cx: &Ctxt) -> Metric<'a> {
        let Self { input, root, mut name, help, attrs, mut fields, is_broken } = self;
        if !matches!(&input.data, Data::Struct(data) if matches!(data.fields, Fields::Named(_))) {
            cx.error(&input.ident, "`Metric` can only be derived for structs with named fields");
        }
        let misplaced = role::report_misplaced(cx, &input.attrs, "dimension", "a field", "metric");
        name::check_text(cx, &name);
        let parameters = parameters(&input.generics);
        name::replace_unusable(cx, &mut name, &input.ident, &parameters);
        for field in &mut fields {
            name::replace_unusable(cx, &mut field.name, &input.ident, &parameters);
            if let Some(prefix) = field.prefix_mut() {
                name::replace_unusable(cx, prefix, &input.ident, &parameters);
            }
        }
        let inherited = Inherited::of(cx, &attrs.options, &fields);
        let errors = cx.error_count();
        let has_mistake = is_broken || misplaced;
        let (lists_events, has_feed_option) = (!attrs.on.is_empty(), attrs.has_feed_option);
        let mut events = resolve::container_events(cx, attrs.on, &parameters);
        // A mistake in the attribute may have hidden an event, or what an event does to the fields.
        let may_lack_events =
            (has_mistake && (!lists_events || has_feed_option)) || cx.error_count() > errors;
        let fields = fields.into_iter();
        let fields: Vec<_> = fields
            .map(|field| {
                field.validate(cx, &mut events, may_lack_events, &inherited, &parameters, &input.ident)
            })
            .collect();
        if let Some(when) = attrs.options.when.filter(|_| !may_lack_events) {
            resolve::container_when(cx, when, &mut events);
        }
        if !has_mistake {
            role::report_unchanged(cx, &events, &fields);
        }
        report_same_names(cx, &fields);
        if cx.error_count() == 0 && fields.iter().all(|field| field.role == Role::Skip) {
            let ident = &input.ident;
            cx.error(ident, format!("`{ident}` has no dimension: add a field such as `total: Counter`"));
        }
        Metric { input, root, name, help, events, fields }
    }
}

impl<'a> ast::Field<'a> {
    /// The events of the field join `events`, those of the metric. With `may_lack_events`, a broken attribute of the struct
    /// may have hidden an event: a field without events is then no mistake.
    fn validate(
        self,
        cx: &Ctxt,
        events: &mut Vec<Event>,
        may_lack_events: bool,
        inherited: &Inherited,
        parameters: &[String],
        metric: &Ident,
    ) -> Field<'a> {
        let errors = cx.error_count();
        role::check(cx, &self);
        let inherits_labels = inherited.has_labels_for(&self);
        let Self { index, ident, shape, name, help, role, attrs, is_broken, .. } = self;
        let FieldAttrs { on, bare, options } = attrs;
        let is_fed = match role {
            Role::Skip => false,
            Role::Flatten => true,
            Role::Dimension => options.manual.is_none() && shape.kind != Kind::NotADimension,
        };
        let is_broken =
            is_broken || cx.error_count() > errors || (is_fed && on.is_empty() && may_lack_events);
        let bare = if is_broken { FeedOptions::default() } else { bare };
        let feeds = match (is_fed, on.is_empty()) {
            (false, _) => Vec::new(),
            (true, false) => resolve::own_feeds(cx, events, on, bare, parameters),
            (true, true) if is_broken => Vec::new(),
            (true, true) => resolve::container_feeds(cx, events, ident, role, bare),
        };
        let is_broken = is_broken || cx.error_count() > errors;
        let is_broken = is_broken || (inherits_labels && inherited.is_broken());
        let verdict = if is_broken { Verdict::Broken } else { Verdict::Valid };
        let is_of_parameter = parameters.contains(&to_source(shape.inner().ty));
        let mut field = Field {
            index,
            ident,
            shape,
            name,
            help,
            role,
            options,
            feeds,
            inherits_labels,
            is_of_parameter,
            verdict,
        };
        if inherits_labels || (inherited.lacks_labels() && field.has_by()) {
            inherited.give_labels(&mut field, events);
        }
        field.verdict = match role {
            Role::Flatten if field.shape.kind != Kind::Unknown => Verdict::Unusable,
            // rustc reports a metric that contains itself.
            Role::Flatten | Role::Dimension if field.shape.is(metric) => Verdict::Unusable,
            Role::Flatten | Role::Skip => verdict,
            Role::Dimension if inherits_labels && !inherited.fit(cx, &field) => Verdict::Unusable,
            Role::Dimension => dimension::check(cx, &field, parameters),
        };
        if field.verdict != Verdict::Valid {
            field.feeds.clear();
        }
        field
    }
}

impl ast::Label<'_> {
    /// Reports the mistakes of a label.
    pub fn validate(&mut self, cx: &Ctxt) {
        let parameters = parameters(&self.input.generics);
        for variant in &mut self.variants {
            name::replace_unusable(cx, &mut variant.text, &self.input.ident, &parameters);
        }
        if !matches!(self.input.data, Data::Enum(_)) {
            cx.error(&self.input.ident, "`Label` can only be derived for enums without data");
        }
        for Variant { ident, fields, text } in &self.variants {
            if !matches!(fields, Fields::Unit) {
                let data = to_source(fields);
                let message = format!(
                    "a `Label` cannot have data: remove `{data}` from `{ident}`, or break down by a separate field"
                );
                cx.error(fields, message);
            }
            if text.text().is_some_and(|text| text.is_empty()) {
                cx.error(text, "a label text must not be empty");
            }
        }
        report_same_texts(cx, &self.variants);
    }
}

impl EventItem {
    /// Reports the mistakes of an event. `None` for an item that is no type.
    pub fn validate(self, cx: &Ctxt) -> Option<ast::Event> {
        let wrong_item = "`#[metric_event]` goes on a struct or an enum";
        let mut event = match self {
            Self::Type(event) => {
                let same = |attribute: &&Attribute| {
                    attribute.path().segments.last().is_some_and(|word| word.ident == "metric_event")
                };
                if let Some(second) = event.input.attrs.iter().find(same) {
                    // The second attribute writes the impls.
                    cx.error(
                        second.path(),
                        "`#[metric_event]` stands twice on this type: remove one of them",
                    );
                    return None;
                }
                event
            }
            Self::Other(item) => {
                cx.error(keyword(&item), wrong_item);
                return None;
            }
        };
        if let Data::Union(data) = &event.input.data {
            cx.error(data.union_token, wrong_item);
        }
        name::check_text(cx, &event.name);
        name::replace_unusable(cx, &mut event.name, &event.input.ident, &parameters(&event.input.generics));
        for lifetime in event.input.generics.lifetimes() {
            cx.error(&lifetime.lifetime, "metric events must be `'static`: own the data or use `Arc<str>`");
        }
        Some(event)
    }
}

/// The keyword that begins an item, behind its attributes.
fn keyword(item: &Item) -> TokenStream {
    let tokens = item.to_token_stream().into_iter();
    tokens.skip_while(|token| matches!(token, TokenTree::Punct(_) | TokenTree::Group(_))).take(1).collect()
}

fn report_same_names(cx: &Ctxt, fields: &[Field]) {
    let mut names: HashMap<String, &Field> = HashMap::new();
    for field in fields.iter().filter(|field| field.role == Role::Dimension) {
        let Some(name) = field.name.text() else { continue };
        if let Some(first) = names.get(&name) {
            let message = format!("two dimensions are named `{name}`: give one of them another `name`");
            cx.error(&field.name, message);
            cx.error(&first.name, format!("`{name}` is first used here"));
        } else {
            names.insert(name, field);
        }
    }
}

fn report_same_texts(cx: &Ctxt, variants: &[Variant]) {
    let mut texts: HashMap<String, &Variant> = HashMap::new();
    for variant in variants {
        let Some(text) = variant.text.text() else { continue };
        if let Some(first) = texts.get(&text) {
            let message = format!("duplicate label text `{text}`: give one of the variants another `name`");
            cx.error(&variant.text, message);
            cx.error(&first.text, format!("`{text}` is first used here"));
        } else {
            texts.insert(text, variant);
        }
    }
}
