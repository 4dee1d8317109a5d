use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Fields, Ident, LitStr, Path, Type, parse_quote};

use crate::attr::{ContainerAttrs, ContainerOn, FeedAttrs, FieldAttrs, FieldOn, Given, Source, help};
use crate::ctxt::Ctxt;
use crate::name::Rule;
use crate::shape::{Kind, Shape, written};

/// A struct with `#[derive(Metric)]`.
pub struct Metric<'a> {
    pub input: &'a DeriveInput,
    /// The path of the `mvx_metrics` crate.
    pub root: Path,
    pub name: LitStr,
    pub help: String,
    pub events: Vec<Event>,
    pub fields: Vec<Field<'a>>,
}

/// An event the metric listens to.
pub struct Event {
    pub ty: Type,
    /// The hand-written handler.
    pub with: Option<Given<Path>>,
    pub when: Option<Given<Source>>,
    /// Whether the struct lists it, so that fields need not.
    pub common: bool,
}

pub struct Field<'a> {
    /// Its position in the struct.
    pub index: usize,
    pub ident: &'a Ident,
    pub ty: &'a Type,
    pub shape: Shape,
    /// The shape of what is fed in the end: `D` of a `Breakdown<L, D>`.
    pub each: Shape,
    pub name: LitStr,
    pub help: String,
    pub attrs: FieldAttrs,
    pub role: Role,
    pub feeds: Vec<Feed>,
    /// Whether a mistake was found in its options, so that nothing more should be said about them.
    pub broken: bool,
    /// Whether its type cannot be that of a dimension, so that the snapshot leaves it out.
    pub unusable: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Dimension,
    Flatten,
    Skip,
}

/// What one event does to a field.
pub struct Feed {
    /// The position in [`Metric::events`].
    pub event: usize,
    pub attrs: FeedAttrs,
}

impl<'a> Metric<'a> {
    pub fn from_syn(cx: &Ctxt, input: &'a DeriveInput) -> Self {
        let mistakes = cx.count();
        let attrs = ContainerAttrs::from_syn(cx, &input.attrs);
        misplaced(cx, &input.attrs, "dimension", "a field", "metric");
        let broken = cx.count() > mistakes;
        let root = root(attrs.krate);
        let name = attrs.name.map_or_else(|| default_name(&input.ident), |given| given.value);
        let mut events = common_events(cx, attrs.on);
        let rule = attrs.rename_all.map(|given| given.value);
        let mut fields: Vec<_> = named_fields(cx, input)
            .into_iter()
            .enumerate()
            .filter_map(|(index, field)| Some((index, field, field.ident.as_ref()?)))
            .map(|(index, field, ident)| Field { index, ..Field::from_syn(cx, field, ident, rule, &root) })
            .collect();
        for field in &mut fields {
            // A mistake in the attribute of the struct may be about the very event that a field seems to lack.
            field.broken |= broken && events.is_empty();
            field.resolve(cx, &mut events);
        }
        if let Some(when) = attrs.when.filter(|_| !(broken && events.is_empty())) {
            container_when(cx, when, &mut events);
        }
        Self { input, root, name, help: help(&input.attrs), events, fields }
    }
}

/// The path of the crate, as `crate = ..` gives it.
pub fn root(krate: Option<Given<Path>>) -> Path {
    krate.map_or_else(|| parse_quote!(::mvx_metrics), |given| given.value)
}

/// The name of a type in snake case.
pub fn default_name(ident: &Ident) -> LitStr {
    LitStr::new(&Rule::Snake.apply(ident), ident.span())
}

fn misplaced(cx: &Ctxt, attributes: &[syn::Attribute], name: &str, place: &str, instead: &str) {
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident(name)) {
        cx.error(
            attribute.path(),
            format!("`#[{name}(..)]` belongs on {place}: write `#[{instead}(..)]` here"),
        );
    }
}

fn named_fields<'a>(cx: &Ctxt, input: &'a DeriveInput) -> Vec<&'a syn::Field> {
    match &input.data {
        Data::Struct(data) => {
            if let Fields::Named(fields) = &data.fields {
                return fields.named.iter().collect();
            }
        }
        Data::Enum(_) | Data::Union(_) => {}
    }
    cx.error(&input.ident, "`Metric` can only be derived for structs with named fields");
    Vec::new()
}

fn common_events(cx: &Ctxt, on: Vec<ContainerOn>) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    for ContainerOn { event, with, when } in on {
        if let Some(first) = events.iter().find(|listed| written(&listed.ty) == written(&event)) {
            cx.error(&event, format!("duplicate event `{}`", written(&event)));
            cx.error(&first.ty, "first listed here");
        } else {
            events.push(Event { ty: event, with, when, common: true });
        }
    }
    events
}

/// Gives the condition of the whole metric to its one event.
fn container_when(cx: &Ctxt, when: Given<Source>, events: &mut [Event]) {
    let common = events.iter().any(|event| event.common);
    let listed: Vec<_> = (0..events.len()).filter(|index| events[*index].common == common).collect();
    match *listed.as_slice() {
        [only] if events[only].when.is_some() => cx.error(&when.word, "duplicate `when`"),
        [only] => events[only].when = Some(when),
        [] => cx.error(&when.word, "no event for `when`: add `on(Event)`"),
        _ => ambiguous(cx, &when.word, "metric", listed.iter().map(|index| &events[*index].ty)),
    }
}

fn ambiguous<'e>(cx: &Ctxt, word: &Ident, listener: &str, events: impl Iterator<Item = &'e Type>) {
    let events: Vec<_> = events.map(|event| format!("`{}`", written(event))).collect();
    let first = events.first().cloned().unwrap_or_default();
    let first = first.trim_matches('`');
    let events = events.join(" and ");
    cx.error(
        word,
        format!(
            "`{word}` is ambiguous: this {listener} listens to {events}; write `on({first}, {word} = ..)`"
        ),
    );
}

impl<'a> Field<'a> {
    fn from_syn(cx: &Ctxt, field: &'a syn::Field, ident: &'a Ident, case: Option<Rule>, root: &Path) -> Self {
        let mistakes = cx.count();
        misplaced(cx, &field.attrs, "metric", "the struct", "dimension");
        let attrs = FieldAttrs::from_syn(cx, &field.attrs);
        let shape = Shape::of(&field.ty, root);
        let given = attrs.name.as_ref().map(|given| given.value.clone());
        let name = given.unwrap_or_else(|| {
            let name = case.map_or_else(|| ident.unraw().to_string(), |case| case.apply(ident));
            LitStr::new(&name, ident.span())
        });
        let role = if attrs.skip.is_some() {
            Role::Skip
        } else if attrs.flatten.is_some() {
            Role::Flatten
        } else {
            Role::Dimension
        };
        let each = shape.each(root);
        let unusable = shape.kind == Kind::Foreign;
        let (help, broken) = (help(&field.attrs), cx.count() > mistakes);
        Self {
            ident,
            ty: &field.ty,
            shape,
            each,
            name,
            help,
            attrs,
            role,
            index: 0,
            feeds: Vec::new(),
            broken,
            unusable,
        }
    }

    /// What comes before the names of the dimensions of a flattened metric.
    pub fn prefix(&self) -> String {
        let prefix = self.attrs.flatten.as_ref().and_then(|flatten| flatten.value.as_ref());
        prefix.map_or_else(String::new, LitStr::value)
    }

    /// Finds out which events feed the field.
    fn resolve(&mut self, cx: &Ctxt, events: &mut Vec<Event>) {
        if self.role == Role::Skip
            || self.attrs.manual.is_some()
            || (self.role == Role::Dimension && self.shape.kind == Kind::Foreign)
        {
            return;
        }
        let mut on = std::mem::take(&mut self.attrs.on);
        let bare = std::mem::take(&mut self.attrs.feed);
        let word = bare.words().first().map(|word| (*word).clone());
        let mistakes = cx.count();
        match on.as_mut_slice() {
            [] if self.broken => return,
            [] => return self.resolve_common(cx, events, bare),
            [only] => only.feed.merge(cx, bare),
            several => {
                if let Some(word) = word {
                    ambiguous(cx, &word, "field", several.iter().map(|on| &on.event));
                }
            }
        }
        self.broken |= cx.count() > mistakes;
        for FieldOn { event, feed } in on {
            let position = events.iter().position(|listed| written(&listed.ty) == written(&event));
            let event = position.unwrap_or_else(|| {
                events.push(Event { ty: event, with: None, when: None, common: false });
                events.len() - 1
            });
            self.feeds.push(Feed { event, attrs: feed });
        }
    }

    /// Feeds the field from the events that the struct lists.
    fn resolve_common(&mut self, cx: &Ctxt, events: &[Event], bare: FeedAttrs) {
        let common = |event: &Event| event.common && (event.with.is_none() || self.role == Role::Flatten);
        let listed: Vec<_> = (0..events.len()).filter(|index| common(&events[*index])).collect();
        match *listed.as_slice() {
            [] => {
                let mut message =
                    format!("no event for `{}`: add `on(Event)` here or on the struct", self.ident.unraw());
                if events.iter().any(|event| event.with.is_some()) {
                    message.push_str(", or `manual` if a `with` handler sets it");
                }
                cx.error(self.ident, message);
                self.broken = true;
            }
            [event] => self.feeds.push(Feed { event, attrs: bare }),
            _ => match bare.words().first() {
                Some(word) => {
                    ambiguous(cx, word, "metric", listed.iter().map(|index| &events[*index].ty));
                    self.broken = true;
                }
                None => {
                    self.feeds
                        .extend(listed.iter().map(|&event| Feed { event, attrs: FeedAttrs::default() }));
                }
            },
        }
    }
}
