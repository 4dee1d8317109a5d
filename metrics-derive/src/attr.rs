//! The attributes as plain data. The rows below are all options there are.

#[macro_use]
mod options;
mod help;
mod labels;
mod meaning;
mod name;
mod source;
mod suggest;
mod synonyms;
mod values;

use proc_macro2::TokenTree;
use quote::ToTokens;
use syn::parse::ParseStream;
use syn::{Attribute, Expr, Ident, LitStr, Path, Type, parenthesized, token};

pub use self::help::Help;
use self::labels::labels;
pub use self::labels::{LabelPart, Labels};
pub use self::meaning::meaning;
use self::name::name;
pub use self::name::{Name, unusable};
pub use self::options::{Keyed, OptionSet};
use self::options::{Place, attributes, named, rest_of_option};
pub use self::source::Source;
use self::source::{amount, source};
use self::synonyms::given;
pub use self::synonyms::is_meant;
use self::values::{
    assigned, case, choice, crate_path, event, expect_parentheses, expression, flag, handler, word,
};
use crate::ctxt::Ctxt;
use crate::name::{Case, closest};

options! {
    /// `#[metric(..)]`, but for `on(..)`.
    pub struct MetricOptions {
        "name" => name: Name = assigned("\"..\"", name),
        "when" => when: Source = assigned("|e| ..", source),
        "by" => by: Labels = labels,
        "limit" => limit: Expr = assigned("<N>", expression),
        "keep" => keep: Expr = assigned("<N>", expression),
        "rename_all" => rename_all: Case = assigned("\"camelCase\"", case(Case::OF_NAMES)),
        "crate" => krate: Path = assigned("path::to::mvx_metrics", crate_path),
    }
}

options! {
    /// `on(Event, ..)` of the struct.
    pub struct ListenOptions {
        "with" => with: Path = assigned("Self::on_event", handler),
        "when" => when: Source = assigned("|e| ..", source),
    }
}

options! {
    /// What one event does to one field: `on(Event, ..)` of the field.
    pub struct FeedOptions {
        "value" => value: Source = assigned("<event field>", source),
        "from" => from: LitStr = assigned("nanoseconds", word),
        "when" => when: Source = assigned("|e| ..", source),
        "by" => by: Labels = labels,
        "add" => add: Option<Source> = amount,
        "sub" => sub: Option<Source> = amount,
        "set" => set: Source = assigned("<event field>", source),
        "begin" => begin: Source = assigned("<event field>", source),
        "end" => end: Source = assigned("<event field>", source),
        "at" => at: Source = assigned("<event field>", source),
    }
}

options! {
    /// What concerns the field itself, whatever event feeds it.
    pub struct FieldOptions {
        "name" => name: Name = assigned("\"..\"", name),
        "limit" => limit: Expr = assigned("<N>", expression),
        "keep" => keep: Expr = assigned("<N>", expression),
        "buckets" => buckets: Expr = assigned("[..]", expression),
        "max_buckets" => max_buckets: Expr = assigned("<N>", expression),
        "unit" => unit: LitStr = assigned("bytes", word),
        "merge" => merge: Ident = assigned("max", choice),
        "zeros" => zeros: Ident = assigned("off", choice),
        "flatten" => flatten: FlattenOptions = flatten,
        "skip" => skip: () = flag,
        "manual" => manual: () = flag,
    }
}

options! {
    /// `flatten(..)`.
    pub struct FlattenOptions {
        "prefix" => prefix: Name = assigned("\"..\"", name),
    }
}

options! {
    /// `#[label(..)]` of an enum.
    pub struct LabelOptions {
        "rename_all" => rename_all: Case = assigned("\"kebab-case\"", case(Case::ALL)),
        "crate" => krate: Path = assigned("path::to::mvx_metrics", crate_path),
    }
}

options! {
    /// `#[label(..)]` of a variant.
    pub struct VariantOptions {
        "name" => name: Name = assigned("\"..\"", name),
    }
}

options! {
    /// The arguments of `#[metric_event(..)]`.
    pub struct EventOptions {
        "name" => name: Name = assigned("\"..\"", name),
        "crate" => krate: Path = assigned("path::to::mvx_metrics", crate_path),
    }
}

/// Options of a field that may also stand inside one `on(..)`, beside the `by` or `value` that they belong to. They hold for all
/// events.
const ALSO_INSIDE_ON: [&str; 4] = ["limit", "keep", "buckets", "max_buckets"];

/// `#[metric(..)]`.
#[derive(Default)]
pub struct MetricAttrs {
    pub on: Vec<MetricOn>,
    /// Whether an option of the fields stands on the struct, by mistake.
    pub has_feed_option: bool,
    /// Whether the options stand in an attribute with a misspelt name.
    pub is_misspelt: bool,
    pub options: MetricOptions,
}

/// `on(Event, ..)` of the struct.
pub struct MetricOn {
    pub event: Type,
    pub options: ListenOptions,
}

/// `#[dimension(..)]`.
#[derive(Default)]
pub struct FieldAttrs {
    pub on: Vec<FieldOn>,
    /// The options of a feed that stand outside of `on(..)`.
    pub bare: FeedOptions,
    pub options: FieldOptions,
}

/// `on(Event, ..)` of a field.
pub struct FieldOn {
    pub key: Ident,
    pub event: Type,
    pub options: FeedOptions,
}

impl MetricAttrs {
    pub fn from_syn(cx: &Ctxt, attrs: &[Attribute]) -> Self {
        let mut metric = Self::default();
        let known = [&["on"], MetricOptions::KEYS].concat();
        let place = Place { name: "metric", event: None, known: &known };
        attributes(cx, attrs, &place, &mut |key, input| {
            if key == "on" {
                metric.on.push(MetricOn::parse(cx, key, input)?);
                return Ok(());
            }
            metric.options.parse(cx, key, input).map(drop)
        });
        metric.is_misspelt = is_misspelt(attrs, "metric", &known);
        metric.has_feed_option =
            named(attrs, "metric").any(|attribute| mentions_feed_option(attribute, &known));
        metric
    }
}

/// Whether an attribute of the struct has an option that is known only inside the `on(..)` of a field.
fn mentions_feed_option(attribute: &Attribute, known: &[&str]) -> bool {
    let Ok(list) = attribute.meta.require_list() else { return false };
    let of_fields = FeedOptions::KEYS.iter().filter(|key| !known.contains(key));
    let of_fields: Vec<_> = of_fields.collect();
    list.tokens
        .clone()
        .into_iter()
        .any(|token| matches!(token, TokenTree::Ident(word) if of_fields.iter().any(|key| word == **key)))
}

/// Whether an attribute with a similar name has an option of this one. rustc reports the name.
fn is_misspelt(attributes: &[Attribute], name: &str, keys: &[&str]) -> bool {
    let words = attributes.iter().filter_map(|attribute| Some((attribute.path().get_ident()?, attribute)));
    let mut similar =
        words.filter(|(word, _)| *word != name && closest(&word.to_string(), &[name]).is_some());
    similar.any(|(_, attribute)| {
        let first =
            attribute.meta.require_list().ok().and_then(|list| list.tokens.clone().into_iter().next());
        matches!(first, Some(TokenTree::Ident(word)) if keys.iter().any(|key| word == key))
    })
}

impl MetricOn {
    fn parse(cx: &Ctxt, key: &Ident, input: ParseStream) -> syn::Result<Self> {
        expect_parentheses(key, input)?;
        let content;
        parenthesized!(content in input);
        let event = event(key, &content)?;
        let mut options = ListenOptions::default();
        let place = Place { name: "on", event: Some(&event), known: ListenOptions::KEYS };
        options::options(cx, &content, &place, &mut |key, input| options.parse(cx, key, input).map(drop));
        Ok(Self { event, options })
    }
}

impl FieldAttrs {
    pub fn from_syn(cx: &Ctxt, attrs: &[Attribute]) -> Self {
        let mut field = Self::default();
        let known = [&["on"], FeedOptions::KEYS, FieldOptions::KEYS].concat();
        let place = Place { name: "dimension", event: None, known: &known };
        attributes(cx, attrs, &place, &mut |key, input| {
            if key == "on" {
                let on = FieldOn::parse(cx, key, input, &mut field.options)?;
                field.on.push(on);
            } else if !field.bare.parse(cx, key, input)? {
                field.options.parse_once(cx, key, input)?;
            }
            Ok(())
        });
        field
    }

    /// Whether the options of the field stand in an attribute with a misspelt name.
    pub fn are_misspelt(attributes: &[Attribute]) -> bool {
        is_misspelt(attributes, "dimension", &[&["on"], FeedOptions::KEYS, FieldOptions::KEYS].concat())
    }

    /// The keys of all options that the user wrote.
    pub fn keys(&self) -> Vec<&Ident> {
        let mut keys = self.bare.keys();
        keys.extend(self.options.keys());
        keys.extend(self.on.first().map(|on| &on.key));
        keys.extend(self.on.iter().flat_map(|on| on.options.keys()));
        keys
    }
}

impl FeedOptions {
    /// Where values, labels and the condition come from.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        let labels = self.by.iter().flat_map(|by| &by.value.parts).map(|part| &part.source);
        let amounts = [&self.add, &self.sub].into_iter().flatten().filter_map(|amount| amount.value.as_ref());
        let values = [&self.value, &self.set, &self.begin, &self.end, &self.at];
        let values = values.into_iter().flatten().map(|value| &value.value);
        labels.chain(amounts).chain(values).chain(self.when.iter().map(|when| &when.value))
    }

    /// The same, to be changed.
    pub fn sources_mut(&mut self) -> impl Iterator<Item = &mut Source> {
        let labels = self.by.iter_mut().flat_map(|by| &mut by.value.parts).map(|part| &mut part.source);
        let amounts = [&mut self.add, &mut self.sub].into_iter().flatten();
        let values = [&mut self.value, &mut self.set, &mut self.begin, &mut self.end, &mut self.at];
        let values = values.into_iter().flatten().map(|value| &mut value.value);
        let when = self.when.iter_mut().map(|when| &mut when.value);
        labels.chain(amounts.filter_map(|amount| amount.value.as_mut())).chain(values).chain(when)
    }
}

impl FieldOptions {
    /// Parses the option `key`; false if it is not in the set. An option that stands in two `on(..)` gets a message of its own.
    fn parse_once(&mut self, cx: &Ctxt, key: &Ident, input: ParseStream) -> syn::Result<bool> {
        let is_shared = ALSO_INSIDE_ON.iter().any(|shared| key == shared);
        if !is_shared || !self.keys().contains(&key) {
            return self.parse(cx, key, input);
        }
        Self::default().parse(cx, key, input)?;
        cx.error(key, format!("duplicate `{key}`: one `{key}` holds for all events of the field"));
        Ok(true)
    }
}

impl FieldOn {
    fn parse(cx: &Ctxt, key: &Ident, input: ParseStream, field: &mut FieldOptions) -> syn::Result<Self> {
        expect_parentheses(key, input)?;
        let content;
        parenthesized!(content in input);
        let (event, mut options) = (event(key, &content)?, FeedOptions::default());
        let known = [FeedOptions::KEYS, &ALSO_INSIDE_ON].concat();
        let place = Place { name: "on", event: Some(&event), known: &known };
        options::options(cx, &content, &place, &mut |key, input| {
            if !options.parse(cx, key, input)? {
                field.parse_once(cx, key, input)?;
            }
            Ok(())
        });
        Ok(Self { key: key.clone(), event, options })
    }
}

impl LabelOptions {
    pub fn from_syn(cx: &Ctxt, attrs: &[Attribute]) -> Self {
        attribute_set(cx, attrs, "label")
    }
}

impl VariantOptions {
    pub fn from_syn(cx: &Ctxt, attrs: &[Attribute]) -> Self {
        attribute_set(cx, attrs, "label")
    }
}

impl EventOptions {
    pub fn from_arguments(cx: &Ctxt, arguments: ParseStream) -> Self {
        option_set(cx, arguments, "metric_event")
    }
}

fn attribute_set<T: OptionSet + Default>(cx: &Ctxt, attrs: &[Attribute], name: &str) -> T {
    let mut set = T::default();
    let place = Place { name, event: None, known: T::KEYS };
    attributes(cx, attrs, &place, &mut |key, input| set.parse(cx, key, input).map(drop));
    set
}

fn option_set<T: OptionSet + Default>(cx: &Ctxt, input: ParseStream, name: &str) -> T {
    let mut set = T::default();
    let place = Place { name, event: None, known: T::KEYS };
    options::options(cx, input, &place, &mut |key, input| set.parse(cx, key, input).map(drop));
    set
}

fn flatten(cx: &Ctxt, key: &Ident, input: ParseStream) -> syn::Result<FlattenOptions> {
    let text = given(input).and_then(|given| syn::parse_str::<LitStr>(&given.text).ok());
    if let Some(text) = text {
        rest_of_option(input);
        cx.error(
            key,
            format!("`{key}` has the option `prefix`: write `{key}(prefix = {})`", text.to_token_stream()),
        );
        return Ok(FlattenOptions::default());
    }
    if !input.peek(token::Paren) {
        return flag(cx, key, input).map(|()| FlattenOptions::default());
    }
    let content;
    parenthesized!(content in input);
    Ok(option_set(cx, &content, "flatten"))
}
