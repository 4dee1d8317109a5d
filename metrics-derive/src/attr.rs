mod instead;
mod options;
mod source;

use syn::parse::ParseStream;
use syn::{Attribute, Expr, ExprLit, Ident, Lit, LitStr, Path, Token, Type, parenthesized};

use self::options::{
    assigned, attribute_options, event, expression, flatten, krate, name, on_parentheses, once, options,
    rename_all, text,
};
pub use self::source::Source;
use self::source::{amount, source};
use crate::ctxt::Ctxt;
use crate::name::Rule;

/// An option together with the word that names it.
pub struct Given<T> {
    pub word: Ident,
    pub value: T,
}

/// What one event does to one dimension.
#[derive(Default)]
pub struct FeedAttrs {
    pub value: Option<Given<Source>>,
    pub when: Option<Given<Source>>,
    pub by: Option<Given<Source>>,
    pub add: Option<Given<Option<Source>>>,
    pub sub: Option<Given<Option<Source>>>,
    pub set: Option<Given<Source>>,
}

impl FeedAttrs {
    /// Takes over options that were written outside the parentheses of `on(..)`.
    pub fn merge(&mut self, cx: &Ctxt, bare: Self) {
        fn merge<T>(cx: &Ctxt, slot: &mut Option<Given<T>>, given: Option<Given<T>>) {
            if let Some(Given { word, value }) = given {
                once(cx, slot, &word, value);
            }
        }
        merge(cx, &mut self.value, bare.value);
        merge(cx, &mut self.when, bare.when);
        merge(cx, &mut self.by, bare.by);
        merge(cx, &mut self.add, bare.add);
        merge(cx, &mut self.sub, bare.sub);
        merge(cx, &mut self.set, bare.set);
    }

    /// The words of the options that were given.
    pub fn words(&self) -> Vec<&Ident> {
        let words = [
            self.value.as_ref().map(|given| &given.word),
            self.when.as_ref().map(|given| &given.word),
            self.by.as_ref().map(|given| &given.word),
            self.add.as_ref().map(|given| &given.word),
            self.sub.as_ref().map(|given| &given.word),
            self.set.as_ref().map(|given| &given.word),
        ];
        words.into_iter().flatten().collect()
    }
}

/// `on(Event, ..)` of a field.
pub struct FieldOn {
    pub event: Type,
    pub feed: FeedAttrs,
}

/// `on(Event, ..)` of the struct.
pub struct ContainerOn {
    pub event: Type,
    pub with: Option<Given<Path>>,
    pub when: Option<Given<Source>>,
}

/// `#[metric(..)]`.
#[derive(Default)]
pub struct ContainerAttrs {
    pub name: Option<Given<LitStr>>,
    pub on: Vec<ContainerOn>,
    pub when: Option<Given<Source>>,
    pub rename_all: Option<Given<Rule>>,
    pub krate: Option<Given<Path>>,
}

/// `#[dimension(..)]`.
#[derive(Default)]
pub struct FieldAttrs {
    pub name: Option<Given<LitStr>>,
    pub on: Vec<FieldOn>,
    pub feed: FeedAttrs,
    pub limit: Option<Given<Expr>>,
    pub buckets: Option<Given<Expr>>,
    pub unit: Option<Given<LitStr>>,
    pub merge: Option<Given<Ident>>,
    pub flatten: Option<Given<Option<LitStr>>>,
    pub skip: Option<Given<()>>,
    pub manual: Option<Given<()>>,
}

impl FieldAttrs {
    /// The words of the options that were given, but for `name`, which goes with everything.
    pub fn words(&self) -> Vec<&Ident> {
        let mut words = self.feed.words();
        words.extend(self.limit.iter().map(|given| &given.word));
        words.extend(self.buckets.iter().map(|given| &given.word));
        words.extend(self.unit.iter().map(|given| &given.word));
        words.extend(self.merge.iter().map(|given| &given.word));
        words.extend(self.flatten.iter().map(|given| &given.word));
        words.extend(self.skip.iter().map(|given| &given.word));
        words.extend(self.manual.iter().map(|given| &given.word));
        words
    }
}

/// `#[label(..)]` of an enum or of a variant, and the arguments of `#[metric_event]`.
#[derive(Default)]
pub struct NameAttrs {
    pub name: Option<Given<LitStr>>,
    pub rename_all: Option<Given<Rule>>,
    pub krate: Option<Given<Path>>,
}

const FEED: [&str; 6] = ["value", "when", "by", "add", "sub", "set"];

impl ContainerAttrs {
    pub fn from_syn(cx: &Ctxt, attributes: &[Attribute]) -> Self {
        let mut attrs = Self::default();
        for attribute in named(attributes, "metric") {
            let known = ["name", "on", "when", "rename_all", "crate"];
            attribute_options(cx, attribute, &known, &mut |word, input| {
                match word.to_string().as_str() {
                    "name" => once(cx, &mut attrs.name, word, name(word, input)?),
                    "on" => attrs.on.push(container_on(cx, word, input)?),
                    "when" => once(cx, &mut attrs.when, word, source(word, input)?),
                    "rename_all" => once(cx, &mut attrs.rename_all, word, rename_all(input, Rule::NAMES)?),
                    _ => once(cx, &mut attrs.krate, word, krate(input)?),
                }
                Ok(())
            });
        }
        attrs
    }
}

impl FieldAttrs {
    pub fn from_syn(cx: &Ctxt, attributes: &[Attribute]) -> Self {
        let mut attrs = Self::default();
        for attribute in named(attributes, "dimension") {
            let mut known = vec!["name", "on"];
            known.extend(FEED);
            known.extend(["limit", "buckets", "unit", "merge", "flatten", "skip", "manual"]);
            attribute_options(cx, attribute, &known, &mut |word, input| {
                match word.to_string().as_str() {
                    "name" => once(cx, &mut attrs.name, word, name(word, input)?),
                    "on" => {
                        let on = field_on(cx, word, input, &mut attrs)?;
                        attrs.on.push(on);
                    }
                    "limit" => once(cx, &mut attrs.limit, word, expression(word, input)?),
                    "buckets" => once(cx, &mut attrs.buckets, word, expression(word, input)?),
                    "unit" => once(cx, &mut attrs.unit, word, text(word, input)?),
                    "merge" => once(cx, &mut attrs.merge, word, assigned(word, input)?),
                    "flatten" => once(cx, &mut attrs.flatten, word, flatten(cx, input)?),
                    "skip" => once(cx, &mut attrs.skip, word, ()),
                    "manual" => once(cx, &mut attrs.manual, word, ()),
                    _ => feed_option(cx, &mut attrs.feed, word, input)?,
                }
                Ok(())
            });
        }
        attrs
    }
}

impl NameAttrs {
    /// `#[label(..)]` of the enum.
    pub fn from_label(cx: &Ctxt, attributes: &[Attribute]) -> Self {
        let mut attrs = Self::default();
        for attribute in named(attributes, "label") {
            attribute_options(cx, attribute, &["rename_all", "crate"], &mut |word, input| {
                match word.to_string().as_str() {
                    "rename_all" => once(cx, &mut attrs.rename_all, word, rename_all(input, Rule::ALL)?),
                    _ => once(cx, &mut attrs.krate, word, krate(input)?),
                }
                Ok(())
            });
        }
        attrs
    }

    /// `#[label(..)]` of a variant.
    pub fn from_variant(cx: &Ctxt, attributes: &[Attribute]) -> Self {
        let mut attrs = Self::default();
        for attribute in named(attributes, "label") {
            attribute_options(cx, attribute, &["name"], &mut |word, input| {
                once(cx, &mut attrs.name, word, name(word, input)?);
                Ok(())
            });
        }
        attrs
    }

    /// The arguments of `#[metric_event(..)]`.
    pub fn from_event(cx: &Ctxt, input: ParseStream) -> Self {
        let mut attrs = Self::default();
        options(cx, input, "metric_event", &["name", "crate"], &mut |word, input| {
            match word.to_string().as_str() {
                "name" => once(cx, &mut attrs.name, word, name(word, input)?),
                _ => once(cx, &mut attrs.krate, word, krate(input)?),
            }
            Ok(())
        });
        attrs
    }
}

fn container_on(cx: &Ctxt, word: &Ident, input: ParseStream) -> syn::Result<ContainerOn> {
    on_parentheses(word, input)?;
    let content;
    parenthesized!(content in input);
    let mut on = ContainerOn { event: event(word, &content)?, with: None, when: None };
    options(cx, &content, "on", &["with", "when"], &mut |word, input| {
        match word.to_string().as_str() {
            "with" => once(cx, &mut on.with, word, with(input)?),
            _ => once(cx, &mut on.when, word, source(word, input)?),
        }
        Ok(())
    });
    Ok(on)
}

/// `limit` and `buckets` belong to the field; beside the `by` or `value` they go with, they are as good.
fn field_on(cx: &Ctxt, word: &Ident, input: ParseStream, attrs: &mut FieldAttrs) -> syn::Result<FieldOn> {
    on_parentheses(word, input)?;
    let content;
    parenthesized!(content in input);
    let mut on = FieldOn { event: event(word, &content)?, feed: FeedAttrs::default() };
    let known: Vec<_> = FEED.into_iter().chain(["limit", "buckets"]).collect();
    options(cx, &content, "on", &known, &mut |word, input| {
        match word.to_string().as_str() {
            "limit" => once(cx, &mut attrs.limit, word, expression(word, input)?),
            "buckets" => once(cx, &mut attrs.buckets, word, expression(word, input)?),
            _ => feed_option(cx, &mut on.feed, word, input)?,
        }
        Ok(())
    });
    Ok(on)
}

fn with(input: ParseStream) -> syn::Result<Path> {
    input.parse::<Token![=]>()?;
    let expr: Expr = input.parse()?;
    match expr {
        Expr::Path(path) if path.qself.is_none() => Ok(path.path),
        other => Err(syn::Error::new_spanned(
            other,
            "`with` takes the path of a handler `fn(&mut Self, &Event) -> bool`: write `with = Self::on_event`",
        )),
    }
}

fn feed_option(cx: &Ctxt, feed: &mut FeedAttrs, word: &Ident, input: ParseStream) -> syn::Result<()> {
    match word.to_string().as_str() {
        "value" => once(cx, &mut feed.value, word, source(word, input)?),
        "when" => once(cx, &mut feed.when, word, source(word, input)?),
        "by" => once(cx, &mut feed.by, word, source(word, input)?),
        "add" => once(cx, &mut feed.add, word, amount(word, input)?),
        "sub" => once(cx, &mut feed.sub, word, amount(word, input)?),
        _ => once(cx, &mut feed.set, word, source(word, input)?),
    }
    Ok(())
}

/// The doc comment as one text: lines of a paragraph joined by spaces, paragraphs by an empty line.
pub fn help(attributes: &[Attribute]) -> String {
    let mut help = String::new();
    let mut glue = "";
    for attribute in named(attributes, "doc") {
        let Ok(meta) = attribute.meta.require_name_value() else { continue };
        let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &meta.value else { continue };
        for line in text.value().lines().map(str::trim) {
            if line.is_empty() {
                glue = if help.is_empty() { "" } else { "\n\n" };
            } else {
                help.push_str(glue);
                help.push_str(line);
                glue = " ";
            }
        }
    }
    help
}

fn named<'a>(attributes: &'a [Attribute], name: &str) -> impl Iterator<Item = &'a Attribute> {
    attributes.iter().filter(move |attribute| attribute.path().is_ident(name))
}
