use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Expr, ExprClosure, ExprLit, Ident, Index, Lit, Path, Token};

use super::instead::instead;
use super::options::equals;

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

pub fn amount(word: &Ident, input: ParseStream) -> syn::Result<Option<Source>> {
    if input.peek(Token![=]) { source(word, input).map(Some) } else { Ok(None) }
}

pub fn source(word: &Ident, input: ParseStream) -> syn::Result<Source> {
    equals(word, input)?;
    let begin = input.fork();
    let expr = input.parse().map_err(|error| keyword(word, &begin).unwrap_or(error))?;
    classify(&word.to_string(), true, expr)
}

/// What to say when there is nothing but a keyword, which is probably the name of a field.
fn keyword(word: &Ident, input: ParseStream) -> Option<syn::Error> {
    let keyword = input.call(Ident::parse_any).ok()?;
    let message = format!("`{keyword}` is a keyword: write `{word} = r#{keyword}`");
    (input.is_empty() || input.peek(Token![,])).then(|| syn::Error::new(keyword.span(), message))
}

/// What kind of source an expression is; with `assign` it is all that stands behind `word =`, otherwise a part of it.
fn classify(word: &str, assign: bool, expr: Expr) -> syn::Result<Source> {
    let constant = matches!(word, "add" | "sub" | "set");
    match expr {
        Expr::Closure(closure) => Ok(Source::Closure(closure)),
        Expr::Group(group) => classify(word, assign, *group.expr),
        Expr::Paren(paren) => classify(word, assign, *paren.expr),
        Expr::Path(path) if path.qself.is_none() => match path.path.get_ident() {
            Some(field) if word != "when" => Ok(Source::Field(field.clone())),
            _ => Ok(Source::Path(path.path)),
        },
        Expr::Tuple(tuple) if word == "by" && !tuple.elems.is_empty() => {
            let parts = tuple.elems.into_iter().map(|part| classify(word, false, part));
            parts.collect::<syn::Result<_>>().map(Source::Tuple)
        }
        Expr::Lit(ExprLit { lit: Lit::Int(index), .. })
            if !constant && word != "when" && index.suffix().is_empty() =>
        {
            let position = index.base10_parse()?;
            Ok(Source::Index(Index { index: position, span: index.span() }))
        }
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => {
            let write = text.parse().ok().and_then(|expr| unquoted(word, assign, expr, &text.value()));
            let write = write.unwrap_or_else(|| format!("`{word} = ..`"));
            let message = format!("`{word}` takes no quotation marks: write {write}");
            Err(syn::Error::new(text.span(), message))
        }
        other if constant => Ok(Source::Constant(other)),
        other => {
            let takes = match word {
                "when" => "a closure or the path of a function",
                _ => "an event field, a closure or the path of a function",
            };
            let write = instead(word, assign, &other);
            let write = write.unwrap_or_else(|| "a closure that takes the event, `|e| ..`".to_owned());
            Err(syn::Error::new_spanned(other, format!("`{word}` takes {takes}: write {write}")))
        }
    }
}

/// What to write instead of a text.
fn unquoted(word: &str, assign: bool, expr: Expr, text: &str) -> Option<String> {
    let instead = instead(word, assign, &expr);
    match classify(word, assign, expr) {
        Ok(Source::Path(path)) if path.get_ident().is_some() => instead,
        Ok(Source::Constant(constant)) if !matches!(constant, Expr::Lit(_) | Expr::Unary(_)) => instead,
        Ok(_) if assign => Some(format!("`{word} = {text}`")),
        Ok(_) => Some(format!("`{text}`")),
        Err(_) => instead,
    }
}
