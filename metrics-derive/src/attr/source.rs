//! Where values, labels and conditions come from.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Expr, ExprClosure, ExprLit, Ident, Index, Lit, Path, Token};

use super::suggest::suggest;
use crate::ctxt::Ctxt;

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

/// `= source`, or nothing for an amount of 1.
pub fn amount(_: &Ctxt, key: &Ident, input: ParseStream) -> syn::Result<Option<Source>> {
    if input.parse::<Option<Token![=]>>()?.is_some() { source(key, input).map(Some) } else { Ok(None) }
}

pub fn source(key: &Ident, input: ParseStream) -> syn::Result<Source> {
    let begin = input.fork();
    let expr = input.parse().map_err(|error| keyword(key, &begin).unwrap_or(error))?;
    classify(&key.to_string(), true, expr)
}

/// The error for a value that is a single keyword: probably the name of a field.
fn keyword(key: &Ident, input: ParseStream) -> Option<syn::Error> {
    let keyword = input.call(Ident::parse_any).ok()?;
    let message = format!("`{keyword}` is a keyword: write `{key} = r#{keyword}`");
    (input.is_empty() || input.peek(Token![,])).then(|| syn::Error::new(keyword.span(), message))
}

/// The source that an expression means. With `assign` the expression is the whole value of the option `key`, otherwise a
/// part of a tuple.
fn classify(key: &str, assign: bool, expr: Expr) -> syn::Result<Source> {
    let constant = matches!(key, "add" | "sub" | "set");
    match expr {
        Expr::Closure(closure) => Ok(Source::Closure(closure)),
        Expr::Group(group) => classify(key, assign, *group.expr),
        Expr::Paren(paren) => classify(key, assign, *paren.expr),
        Expr::Path(path) if path.qself.is_none() => match path.path.get_ident() {
            Some(field) if key != "when" => Ok(Source::Field(field.clone())),
            _ => Ok(Source::Path(path.path)),
        },
        Expr::Tuple(tuple) if key == "by" && !tuple.elems.is_empty() => {
            let parts = tuple.elems.into_iter().map(|part| classify(key, false, part));
            parts.collect::<syn::Result<_>>().map(Source::Tuple)
        }
        Expr::Lit(ExprLit { lit: Lit::Int(index), .. })
            if !constant && key != "when" && index.suffix().is_empty() =>
        {
            let position = index.base10_parse()?;
            Ok(Source::Index(Index { index: position, span: index.span() }))
        }
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => {
            let write = text.parse().ok().and_then(|expr| unquoted(key, assign, expr, &text.value()));
            let write = write.unwrap_or_else(|| format!("`{key} = ..`"));
            let message = format!("`{key}` takes no quotation marks: write {write}");
            Err(syn::Error::new(text.span(), message))
        }
        other if constant => Ok(Source::Constant(other)),
        other => {
            let takes = match key {
                "when" => "a closure or the path of a function",
                _ => "an event field, a closure or the path of a function",
            };
            let write = suggest(key, assign, &other);
            let write = write.unwrap_or_else(|| "a closure that takes the event, `|e| ..`".to_owned());
            Err(syn::Error::new_spanned(other, format!("`{key}` takes {takes}: write {write}")))
        }
    }
}

/// The code to suggest in place of a string literal that contains the expression.
fn unquoted(key: &str, assign: bool, expr: Expr, text: &str) -> Option<String> {
    let suggestion = suggest(key, assign, &expr);
    match classify(key, assign, expr) {
        Ok(Source::Path(path)) if path.get_ident().is_some() => suggestion,
        Ok(Source::Constant(constant)) if !matches!(constant, Expr::Lit(_) | Expr::Unary(_)) => suggestion,
        Ok(_) if assign => Some(format!("`{key} = {text}`")),
        Ok(_) => Some(format!("`{text}`")),
        Err(_) => suggestion,
    }
}
