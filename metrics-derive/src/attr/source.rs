//! Where values, labels and conditions come from. [`labels`](mod@super::labels) names labels.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Expr, ExprClosure, ExprLit, Ident, Index, Lit, Path, Token};

use super::labels::{closure_text, tuple_in_place_of_a_label, written};
use super::suggest::suggest;
use super::synonyms::given;
use super::values::equals;
use crate::ctxt::Ctxt;
use crate::source_text::to_source;

/// Where a value, a label or a condition comes from.
pub enum Source {
    Field(Ident),
    Index(Index),
    Path(Path),
    Closure(ExprClosure),
    Constant(Expr),
}

impl ToTokens for Source {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Field(field) => field.to_tokens(tokens),
            Self::Index(index) => index.to_tokens(tokens),
            Self::Path(path) => path.to_tokens(tokens),
            Self::Closure(closure) => closure.to_tokens(tokens),
            Self::Constant(expr) => expr.to_tokens(tokens),
        }
    }
}

/// Where a source stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It is the whole value of an option: `value = source`.
    Option,
    /// It is a part of `by(..)`.
    Part,
    /// It is a part of `by(..)` and has a name: `by(name = source)`.
    NamedPart,
    /// It is a part of `by = (..)`.
    Tuple,
}

/// `= source`, or nothing for an amount of 1.
pub fn amount(_: &Ctxt, key: &Ident, input: ParseStream) -> syn::Result<Option<Source>> {
    if given(input).is_none() && !input.peek(Token![=]) {
        return Ok(None);
    }
    equals(key, "1", input)?;
    source(key, input).map(Some)
}

pub fn source(key: &Ident, input: ParseStream) -> syn::Result<Source> {
    classify(&key.to_string(), Place::Option, expression(key, Place::Option, input)?)
}

/// Parses an expression.
pub fn expression(key: &Ident, place: Place, input: ParseStream) -> syn::Result<Expr> {
    let begin = input.fork();
    input.parse().map_err(|error| keyword(key, place, &begin).unwrap_or(error))
}

/// The error for a value that is a single keyword: probably the name of a field.
fn keyword(key: &Ident, place: Place, input: ParseStream) -> Option<syn::Error> {
    let keyword = input.call(Ident::parse_any).ok()?;
    let write = written(&key.to_string(), place, &format!("r#{keyword}"));
    let message = format!("`{keyword}` is a keyword: write `{write}`");
    (input.is_empty() || input.peek(Token![,])).then(|| syn::Error::new(keyword.span(), message))
}

/// The source that an expression means.
pub fn classify(key: &str, place: Place, expr: Expr) -> syn::Result<Source> {
    let constant = matches!(key, "add" | "sub" | "set");
    match expr {
        Expr::Closure(closure) => Ok(Source::Closure(closure)),
        Expr::Group(group) => classify(key, place, *group.expr),
        Expr::Paren(paren) => classify(key, place, *paren.expr),
        Expr::Path(path) if path.qself.is_none() => match path.path.get_ident() {
            Some(field) => Ok(Source::Field(field.clone())),
            _ => Ok(Source::Path(path.path)),
        },
        Expr::Lit(ExprLit { lit: Lit::Int(index), .. }) if !constant && index.suffix().is_empty() => {
            let position = index.base10_parse()?;
            Ok(Source::Index(Index { index: position, span: index.span() }))
        }
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => {
            let write = text.parse().ok().and_then(|expr| unquoted(key, place, expr, &text.value()));
            let write = write.unwrap_or_else(|| format!("`{key} = ..`"));
            let message = format!("`{key}` takes no quotation marks: write {write}");
            Err(syn::Error::new(text.span(), message))
        }
        // `by = name = source`, or the same in a tuple.
        Expr::Assign(assign) if key == "by" && matches!(place, Place::Option | Place::Tuple) => {
            let rest = if place == Place::Tuple { ".., " } else { "" };
            let source = match &*assign.right {
                Expr::Closure(closure) => closure_text(closure, &closure.body),
                other => to_source(other),
            };
            let message = format!(
                "a name stands inside `by(..)`: write `by({rest}{} = {source})`",
                to_source(&assign.left)
            );
            Err(syn::Error::new_spanned(assign, message))
        }
        Expr::Tuple(tuple) if key == "by" && !tuple.elems.is_empty() => Err(tuple_in_place_of_a_label(tuple)),
        other if constant => Ok(Source::Constant(other)),
        other => {
            let write = suggest(key, place, &other);
            let write = write.unwrap_or_else(|| {
                let code = if key == "by" { written(key, place, "|e| ..") } else { "|e| ..".to_owned() };
                format!("a closure that takes the event, `{code}`")
            });
            Err(syn::Error::new_spanned(
                other,
                format!("`{key}` takes an event field, a closure or the path of a function: write {write}"),
            ))
        }
    }
}

/// The code to suggest in place of a string literal that contains the expression.
fn unquoted(key: &str, place: Place, expr: Expr, text: &str) -> Option<String> {
    let suggestion = suggest(key, place, &expr);
    match classify(key, place, expr) {
        Ok(Source::Path(path)) if path.get_ident().is_some() => suggestion,
        Ok(Source::Constant(constant)) if !matches!(constant, Expr::Lit(_) | Expr::Unary(_)) => suggestion,
        Ok(_) => Some(format!("`{}`", written(key, place, text))),
        Err(_) => suggestion,
    }
}
