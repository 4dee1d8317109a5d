//! The option `by`: where the labels of a breakdown come from, and their names.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{
    Expr, ExprClosure, ExprTuple, Ident, LitStr, Member, Pat, ReturnType, Token, parenthesized, token,
};

use super::source::{Place, Source, classify, expression};
use super::synonyms::given;
use super::values::equals;
use crate::ctxt::Ctxt;
use crate::source_text::to_source;

/// The labels of a breakdown: `by = source`, `by = (a, b)` or `by(a, name = b)`.
pub struct Labels {
    pub parts: Vec<LabelPart>,
    /// Whether the parts stand in a tuple, `by = (a, b)`.
    pub is_tuple: bool,
}

/// One label: `name = source`, or a source that has a name.
pub struct LabelPart {
    given_name: Option<Ident>,
    pub source: Source,
}

impl ToTokens for Labels {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.parts.iter().for_each(|part| part.source.to_tokens(tokens));
    }
}

impl ToTokens for LabelPart {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.given_name.to_tokens(tokens);
        self.source.to_tokens(tokens);
    }
}

/// Parses `= source`, `= (a, b)` or `(a, name = b)`.
pub fn labels(_: &Ctxt, key: &Ident, input: ParseStream) -> syn::Result<Labels> {
    if input.peek(token::Paren) {
        let content;
        parenthesized!(content in input);
        // After a mistake the rest of the list would only cause more messages.
        return list(key, &content).inspect_err(|_| drop(content.parse::<TokenStream>()));
    }
    if !input.peek(Token![=]) && given(input).is_none() {
        let message = format!("`{key}` needs a label: write `{key} = <event field>`");
        return Err(syn::Error::new(key.span(), message));
    }
    equals(key, "<event field>", input)?;
    match ungrouped(expression(key, Place::Option, input)?) {
        Expr::Tuple(tuple) if !tuple.elems.is_empty() => {
            let parts = tuple.elems.into_iter().map(|part| classify("by", Place::Tuple, part));
            let parts = parts.map(|source| Ok(LabelPart { given_name: None, source: source? }));
            Ok(Labels { parts: parts.collect::<syn::Result<_>>()?, is_tuple: true })
        }
        source => {
            let source = classify("by", Place::Option, source)?;
            Ok(Labels { parts: vec![LabelPart { given_name: None, source }], is_tuple: false })
        }
    }
}

/// The expression without parentheses, and without the invisible groups that `macro_rules!` puts around `$name:expr`.
fn ungrouped(expr: Expr) -> Expr {
    match expr {
        Expr::Group(group) => ungrouped(*group.expr),
        Expr::Paren(paren) => ungrouped(*paren.expr),
        expr => expr,
    }
}

/// The parts between the parentheses of `by(..)`.
fn list(key: &Ident, content: ParseStream) -> syn::Result<Labels> {
    if content.is_empty() {
        let message = format!("`{key}` needs a label: write `{key} = <event field>`");
        return Err(syn::Error::new(key.span(), message));
    }
    let mut parts = Vec::new();
    while !content.is_empty() {
        parts.push(part(key, content)?);
        if !content.is_empty() && !content.peek(Token![,]) {
            return Err(content.error("expected `,` and another label"));
        }
        content.parse::<Option<Token![,]>>()?;
    }
    Ok(Labels { parts, is_tuple: false })
}

fn part(key: &Ident, content: ParseStream) -> syn::Result<LabelPart> {
    if content.peek(LitStr) && content.peek2(Token![=]) {
        let name: LitStr = content.parse()?;
        let word =
            syn::parse_str::<Ident>(&name.value()).map_or_else(|_| "name".to_owned(), |_| name.value());
        let message = format!("the name of a label is a word without quotation marks: write `{word} = ..`");
        return Err(syn::Error::new(name.span(), message));
    }
    let is_named = content.peek(Ident::peek_any) && content.peek2(Token![=]) && !content.peek2(Token![==]);
    if !is_named {
        let source = classify("by", Place::Part, expression(key, Place::Part, content)?)?;
        return Ok(LabelPart { given_name: None, source });
    }
    let name = content.call(Ident::parse_any)?;
    content.parse::<Token![=]>()?;
    let source = classify("by", Place::NamedPart, expression(&name, Place::Option, content)?)?;
    Ok(LabelPart { given_name: Some(name), source })
}

/// The error for a tuple that stands in the place of one label.
pub fn tuple_in_place_of_a_label(tuple: ExprTuple) -> syn::Error {
    let parts = tuple.elems.iter().map(|part| classify("by", Place::Part, part.clone()));
    let parts = parts.map(|source| Ok(LabelPart { given_name: None, source: source? }));
    match parts.collect::<syn::Result<_>>() {
        Ok(parts) => {
            let list = Labels { parts, is_tuple: false }.list_with_names();
            let message = format!("each part of `by` is one label: write `{list}`");
            syn::Error::new_spanned(tuple, message)
        }
        Err(error) => error,
    }
}

/// Code for a message: the source as it stands in its place, under the name `name` where it has none of its own.
pub fn written(key: &str, place: Place, code: &str) -> String {
    let is_named = key != "by" || place == Place::NamedPart || has_name(code);
    match place {
        Place::Option if is_named => format!("{key} = {code}"),
        Place::Option => format!("{key}(name = {code})"),
        _ if is_named => code.to_owned(),
        Place::Tuple => format!("{key}(.., name = {code})"),
        Place::Part | Place::NamedPart => format!("name = {code}"),
    }
}

/// Whether a source has a name of its own.
fn has_name(code: &str) -> bool {
    let source = syn::parse_str(code).and_then(|expr| classify("by", Place::NamedPart, expr));
    source.is_ok_and(|source| LabelPart { given_name: None, source }.name().is_some())
}

impl Labels {
    /// The number of labels, also where one closure returns a tuple of them.
    pub fn count(&self) -> usize {
        self.names_and_texts().len()
    }

    /// The names of all labels; `None` if one of them has no name.
    pub fn names(&self) -> Option<Vec<String>> {
        self.parts.iter().map(LabelPart::name).collect()
    }

    /// The list to write in place of these labels, so that they have these names.
    pub fn renamed(&self, names: &[String]) -> String {
        let parts = self.names_and_texts().into_iter().enumerate().zip(names);
        let parts = parts.map(|((index, (own, text)), name)| match self.parts.get(index) {
            Some(part) if self.parts.len() == names.len() => part.text_named(name),
            _ if own.as_ref() == Some(name) => text,
            _ => format!("{name} = {text}"),
        });
        format!("by({})", parts.collect::<Vec<_>>().join(", "))
    }

    /// The list to write in place of labels of which some have no name.
    pub fn with_names(&self) -> String {
        format!("by({})", self.list_with_names())
    }

    fn list_with_names(&self) -> String {
        let parts = self.names_and_texts();
        let mut names: Vec<String> = parts.iter().filter_map(|(name, _)| name.clone()).collect();
        let mut unique = || {
            let numbered = (2..).map(|number| format!("name_{number}"));
            let name = ["name".to_owned()].into_iter().chain(numbered).find(|name| !names.contains(name));
            let name = name.unwrap_or_default();
            names.push(name.clone());
            name
        };
        let parts = parts.into_iter().map(|(name, text)| match name {
            Some(_) => text,
            None => format!("{} = {text}", unique()),
        });
        parts.collect::<Vec<_>>().join(", ")
    }

    /// The labels with their names, if they have some. The labels that one closure returns as a tuple are split.
    fn names_and_texts(&self) -> Vec<(Option<String>, String)> {
        if let [LabelPart { given_name: None, source: Source::Closure(closure) }] = self.parts.as_slice() {
            return parts_of_closure(closure);
        }
        let text = |part: &LabelPart| match part.name() {
            Some(name) => (Some(name.clone()), part.text_named(&name)),
            None => (None, part.source_text()),
        };
        self.parts.iter().map(text).collect()
    }
}

impl LabelPart {
    /// The name of the label; `None` if the source has no name.
    pub fn name(&self) -> Option<String> {
        self.given_name.as_ref().map(|name| name.unraw().to_string()).or_else(|| self.own_name())
    }

    fn own_name(&self) -> Option<String> {
        match &self.source {
            Source::Field(field) => Some(field.unraw().to_string()),
            Source::Path(path) => path.segments.last().map(|segment| segment.ident.unraw().to_string()),
            Source::Closure(closure) => field_of_closure(closure, &closure.body),
            Source::Index(_) | Source::Constant(_) => None,
        }
    }

    /// The part as it is written under this name.
    pub fn text_named(&self, name: &str) -> String {
        if self.own_name().is_some_and(|own| own == name) {
            self.source_text()
        } else {
            format!("{name} = {}", self.source_text())
        }
    }

    fn source_text(&self) -> String {
        match &self.source {
            Source::Closure(closure) => closure_text(closure, &closure.body),
            source => to_source(source),
        }
    }
}

/// The parts of `|e| (a, b)`, or the closure as the only part. Each with its name, if it has one.
fn parts_of_closure(closure: &ExprClosure) -> Vec<(Option<String>, String)> {
    let bodies: Vec<&Expr> = match &*closure.body {
        Expr::Tuple(tuple) if !tuple.elems.is_empty() => tuple.elems.iter().collect(),
        body => vec![body],
    };
    let parts = bodies.into_iter().map(|body| (field_of_closure(closure, body), body));
    parts
        .map(|(name, body)| {
            let text = name.clone().map_or_else(|| closure_text(closure, body), raw_if_keyword);
            (name, text)
        })
        .collect()
}

/// The name of a field as an identifier.
fn raw_if_keyword(name: String) -> String {
    if syn::parse_str::<Ident>(&name).is_ok() { name } else { format!("r#{name}") }
}

/// A closure with the parameters of `closure` and another body.
pub fn closure_text(closure: &ExprClosure, body: &Expr) -> String {
    let (moved, inputs) = (closure.capture.map(|_| "move ").unwrap_or_default(), to_source(&closure.inputs));
    let output = match &closure.output {
        ReturnType::Default => String::new(),
        ReturnType::Type(_, ty) => format!("-> {} ", to_source(ty)),
    };
    format!("{moved}|{inputs}| {output}{}", to_source(body))
}

/// The name of the event's field that a body such as `e.field` or `&e.field` reads, and nothing else.
fn field_of_closure(closure: &ExprClosure, body: &Expr) -> Option<String> {
    match body {
        Expr::Reference(reference) if reference.mutability.is_none() => {
            field_of_closure(closure, &reference.expr)
        }
        Expr::Paren(paren) => field_of_closure(closure, &paren.expr),
        Expr::Group(group) => field_of_closure(closure, &group.expr),
        Expr::Field(field) => match &field.member {
            Member::Named(name) if is_parameter(closure, &field.base) => Some(name.unraw().to_string()),
            _ => None,
        },
        _ => None,
    }
}

fn is_parameter(closure: &ExprClosure, expr: &Expr) -> bool {
    let Some(mut parameter) = closure.inputs.first() else { return false };
    if let Pat::Type(typed) = parameter {
        parameter = &typed.pat;
    }
    match (parameter, expr) {
        (Pat::Ident(parameter), Expr::Path(path)) => path.path.is_ident(&parameter.ident),
        (_, Expr::Paren(paren)) => is_parameter(closure, &paren.expr),
        (_, Expr::Group(group)) => is_parameter(closure, &group.expr),
        _ => false,
    }
}
