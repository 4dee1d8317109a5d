use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{
    Attribute, Expr, ExprClosure, ExprLit, Ident, Index, Lit, LitStr, Path, Token, Type, parenthesized, token,
};

use crate::ctxt::Ctxt;
use crate::name::{Rule, closest};
use crate::shape::written;

/// An option together with the word that names it.
pub struct Given<T> {
    pub word: Ident,
    pub value: T,
}

/// Where a value, a label or a condition comes from.
pub enum Source {
    Field(Ident),
    Index(Index),
    Path(Path),
    Closure(ExprClosure),
    Tuple(Vec<Source>),
    Constant(Expr),
}

impl ToTokens for Source {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Field(field) => field.to_tokens(tokens),
            Self::Index(index) => index.to_tokens(tokens),
            Self::Path(path) => path.to_tokens(tokens),
            Self::Closure(closure) => closure.to_tokens(tokens),
            Self::Tuple(parts) => parts.iter().for_each(|part| part.to_tokens(tokens)),
            Self::Constant(expr) => expr.to_tokens(tokens),
        }
    }
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
                    "name" => once(cx, &mut attrs.name, word, assigned(word, input)?),
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
                    "name" => once(cx, &mut attrs.name, word, assigned(word, input)?),
                    "on" => {
                        let on = field_on(cx, word, input, &mut attrs)?;
                        attrs.on.push(on);
                    }
                    "limit" => once(cx, &mut attrs.limit, word, assigned(word, input)?),
                    "buckets" => once(cx, &mut attrs.buckets, word, assigned(word, input)?),
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
                let name = assigned(word, input)?;
                once(cx, &mut attrs.name, word, name);
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
                "name" => once(cx, &mut attrs.name, word, assigned(word, input)?),
                _ => once(cx, &mut attrs.krate, word, krate(input)?),
            }
            Ok(())
        });
        attrs
    }
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

type Handle<'a> = &'a mut dyn FnMut(&Ident, ParseStream) -> syn::Result<()>;

fn attribute_options(cx: &Ctxt, attribute: &Attribute, known: &[&str], handle: Handle) {
    let name = attribute.path().get_ident().map(ToString::to_string).unwrap_or_default();
    let Ok(list) = attribute.meta.require_list() else {
        let message = format!("write the options of `{name}` in parentheses: `#[{name}(..)]`");
        return cx.error(attribute.path(), message);
    };
    let parsed = list.parse_args_with(|input: ParseStream| {
        options(cx, input, &name, known, handle);
        Ok(())
    });
    if let Err(error) = parsed {
        cx.push(error);
    }
}

/// Reads options to the end. A mistake in one of them does not hide the next ones.
fn options(cx: &Ctxt, input: ParseStream, context: &str, known: &[&str], handle: Handle) {
    while !input.is_empty() {
        if let Err(error) = option(input, context, known, handle) {
            cx.push(error);
            skip_to_comma(input);
        } else if !input.is_empty() && !input.peek(Token![,]) {
            cx.push(input.error("expected `,` and another option"));
            skip_to_comma(input);
        }
        if input.parse::<Token![,]>().is_err() {
            skip_to_comma(input);
        }
    }
}

fn option(input: ParseStream, context: &str, known: &[&str], handle: Handle) -> syn::Result<()> {
    if input.peek(Lit) {
        let literal: Lit = input.parse()?;
        return Err(syn::Error::new(literal.span(), format!("expected an option, one of {}", list(known))));
    }
    let word = input.call(Ident::parse_any)?;
    let name = word.to_string();
    if !known.contains(&name.as_str()) {
        let mut message = format!("unknown `{context}` option `{name}`, expected one of {}", list(known));
        if let Some(closest) = closest(&name, known) {
            message = format!("{message}; did you mean `{closest}`?");
        }
        return Err(syn::Error::new(word.span(), message));
    }
    handle(&word, input)
}

fn list(known: &[&str]) -> String {
    known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn skip_to_comma(input: ParseStream) {
    while !input.is_empty() && !input.peek(Token![,]) {
        if input.parse::<TokenTree>().is_err() {
            return;
        }
    }
}

fn once<T>(cx: &Ctxt, slot: &mut Option<Given<T>>, word: &Ident, value: T) {
    if slot.is_some() {
        cx.error(word, format!("duplicate `{word}`"));
    } else {
        *slot = Some(Given { word: word.clone(), value });
    }
}

/// `= ..` after an option that needs it.
fn assigned<T: syn::parse::Parse>(word: &Ident, input: ParseStream) -> syn::Result<T> {
    equals(word, input)?;
    input.parse()
}

fn equals(word: &Ident, input: ParseStream) -> syn::Result<()> {
    if !input.peek(Token![=]) {
        let example = match word.to_string().as_str() {
            "name" => "\"..\"",
            "limit" => "<N>",
            "buckets" => "[..]",
            "unit" => "bytes",
            "merge" => "max",
            "when" => "|e| ..",
            _ => "<event field>",
        };
        return Err(syn::Error::new(
            word.span(),
            format!("`{word}` needs something: write `{word} = {example}`"),
        ));
    }
    input.parse::<Token![=]>().map(drop)
}

/// A text, with or without quotation marks.
fn text(word: &Ident, input: ParseStream) -> syn::Result<LitStr> {
    equals(word, input)?;
    if input.peek(LitStr) {
        return input.parse();
    }
    let ident = input.call(Ident::parse_any)?;
    Ok(LitStr::new(&ident.unraw().to_string(), ident.span()))
}

fn krate(input: ParseStream) -> syn::Result<Path> {
    input.parse::<Token![=]>()?;
    if input.peek(LitStr) {
        return input.parse::<LitStr>()?.parse_with(Path::parse_mod_style);
    }
    input.call(Path::parse_mod_style)
}

fn rename_all(input: ParseStream, rules: &[Rule]) -> syn::Result<Rule> {
    input.parse::<Token![=]>()?;
    let text: LitStr = input.parse()?;
    let rule = rules.iter().find(|rule| rule.name() == text.value());
    rule.copied().ok_or_else(|| {
        let names: Vec<_> = rules.iter().map(|rule| rule.name()).collect();
        syn::Error::new(text.span(), format!("unknown `rename_all`, expected one of {}", list(&names)))
    })
}

fn flatten(cx: &Ctxt, input: ParseStream) -> syn::Result<Option<LitStr>> {
    if !input.peek(token::Paren) {
        return Ok(None);
    }
    let content;
    parenthesized!(content in input);
    let mut prefix = None;
    options(cx, &content, "flatten", &["prefix"], &mut |word, input| {
        let text = assigned(word, input)?;
        once(cx, &mut prefix, word, text);
        Ok(())
    });
    Ok(prefix.map(|prefix| prefix.value))
}

/// The event of `on(Event, ..)`, and the rest of what stands in the parentheses.
fn event(word: &Ident, content: ParseStream) -> syn::Result<Type> {
    if content.is_empty() {
        return Err(syn::Error::new(word.span(), "`on` needs an event: write `on(Event)`"));
    }
    let event = content.parse()?;
    if !content.is_empty() {
        content.parse::<Token![,]>()?;
    }
    Ok(event)
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
            "limit" => once(cx, &mut attrs.limit, word, assigned(word, input)?),
            "buckets" => once(cx, &mut attrs.buckets, word, assigned(word, input)?),
            _ => feed_option(cx, &mut on.feed, word, input)?,
        }
        Ok(())
    });
    Ok(on)
}

fn on_parentheses(word: &Ident, input: ParseStream) -> syn::Result<()> {
    if input.peek(token::Paren) {
        return Ok(());
    }
    Err(syn::Error::new(word.span(), "`on` needs an event: write `on(Event)`"))
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

fn amount(word: &Ident, input: ParseStream) -> syn::Result<Option<Source>> {
    if input.peek(Token![=]) { source(word, input).map(Some) } else { Ok(None) }
}

fn source(word: &Ident, input: ParseStream) -> syn::Result<Source> {
    equals(word, input)?;
    let expr: Expr = input.parse()?;
    classify(&word.to_string(), expr)
}

fn classify(word: &str, expr: Expr) -> syn::Result<Source> {
    let constant = matches!(word, "add" | "sub" | "set");
    match expr {
        Expr::Closure(closure) => Ok(Source::Closure(closure)),
        Expr::Group(group) => classify(word, *group.expr),
        Expr::Paren(paren) => classify(word, *paren.expr),
        Expr::Path(path) if path.qself.is_none() => match path.path.get_ident() {
            Some(field) if word != "when" => Ok(Source::Field(field.clone())),
            _ => Ok(Source::Path(path.path)),
        },
        Expr::Tuple(tuple) if word == "by" && !tuple.elems.is_empty() => {
            let parts = tuple.elems.into_iter().map(|part| classify(word, part));
            parts.collect::<syn::Result<_>>().map(Source::Tuple)
        }
        Expr::Lit(ExprLit { lit: Lit::Int(index), .. })
            if !constant && word != "when" && index.suffix().is_empty() =>
        {
            let position = index.base10_parse()?;
            Ok(Source::Index(Index { index: position, span: index.span() }))
        }
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Err(syn::Error::new(
            text.span(),
            format!("`{word}` takes no quotation marks: write `{word} = {}`", text.value()),
        )),
        other if constant => Ok(Source::Constant(other)),
        other => {
            let takes = match word {
                "when" => "a closure or the path of a function",
                _ => "an event field, a closure or the path of a function",
            };
            let event = if begins_with_name(&other) { "e." } else { "" };
            let message = format!("`{word}` takes {takes}: write `{word} = |e| {event}{}`", written(&other));
            Err(syn::Error::new_spanned(other, message))
        }
    }
}

/// Whether an expression such as `pool.size()` begins with what is probably a field of the event.
fn begins_with_name(expr: &Expr) -> bool {
    match expr {
        Expr::MethodCall(call) => begins_with_name(&call.receiver),
        Expr::Field(field) => begins_with_name(&field.base),
        Expr::Index(index) => begins_with_name(&index.expr),
        Expr::Path(path) => path.path.get_ident().is_some_and(|ident| ident != "self"),
        _ => false,
    }
}

/// The place of a user's token, with the hygiene of generated code.
pub fn at(span: Span) -> Span {
    Span::call_site().located_at(span)
}

/// Generated tokens at the place of a user's token: a message about them then underlines what the user wrote.
pub fn moved(tokens: &impl ToTokens, span: Span) -> TokenStream {
    let moved = tokens.to_token_stream().into_iter().map(|mut token| {
        token.set_span(span);
        token
    });
    moved.collect()
}
