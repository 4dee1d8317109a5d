//! Parsers of the values of options. A row of the `options!` macro names one of them.

use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Expr, Ident, Lit, LitStr, Path, Token, Type, token};

use crate::ctxt::Ctxt;
use crate::name::{Case, backticked};
use crate::source_text::to_source;

/// Parses `= value`. A missing value is reported with the example.
pub fn assigned<T>(
    example: &'static str,
    value: impl Fn(&Ident, ParseStream) -> syn::Result<T>,
) -> impl Fn(&Ctxt, &Ident, ParseStream) -> syn::Result<T> {
    move |_, key, input| {
        if !input.peek(Token![=]) {
            let message = format!("`{key}` needs a value: write `{key} = {example}`");
            return Err(syn::Error::new(key.span(), message));
        }
        input.parse::<Token![=]>()?;
        value(key, input)
    }
}

/// An option without a value.
#[expect(clippy::unnecessary_wraps, reason = "has the signature of all parsers")]
pub fn flag(_: &Ctxt, _: &Ident, _: ParseStream) -> syn::Result<()> {
    Ok(())
}

/// A value that syn can parse.
pub fn plain<T: Parse>(_: &Ident, input: ParseStream) -> syn::Result<T> {
    input.parse()
}

/// A word, with or without quotation marks.
pub fn word(key: &Ident, input: ParseStream) -> syn::Result<LitStr> {
    if input.peek(LitStr) {
        return input.parse();
    }
    if input.peek(Lit) {
        let example = if key == "from" { "nanoseconds" } else { "bytes" };
        let message = format!("`{key}` takes a word or a string: write `{key} = {example}`");
        return Err(syn::Error::new(input.parse::<Lit>()?.span(), message));
    }
    let ident = input.call(Ident::parse_any)?;
    Ok(LitStr::new(&ident.unraw().to_string(), ident.span()))
}

/// An expression, without the invisible group that `macro_rules!` puts around `$name:expr`.
pub fn expression(_: &Ident, input: ParseStream) -> syn::Result<Expr> {
    let mut expr = input.parse()?;
    while let Expr::Group(group) = expr {
        expr = *group.expr;
    }
    Ok(expr)
}

/// The path of the `mvx_metrics` crate, with or without quotation marks.
pub fn crate_path(_: &Ident, input: ParseStream) -> syn::Result<Path> {
    if input.peek(LitStr) {
        return input.parse::<LitStr>()?.parse_with(Path::parse_mod_style);
    }
    input.call(Path::parse_mod_style)
}

/// The path of a handler.
pub fn handler(_: &Ident, input: ParseStream) -> syn::Result<Path> {
    match input.parse()? {
        Expr::Path(path) if path.qself.is_none() => Ok(path.path),
        other => Err(syn::Error::new_spanned(
            other,
            "`with` takes the path of a handler `fn(&mut Self, &Event) -> bool`: write `with = Self::on_event`",
        )),
    }
}

/// One of the cases, in quotation marks.
pub fn case(cases: &'static [Case]) -> impl Fn(&Ident, ParseStream) -> syn::Result<Case> {
    move |key, input| {
        let text: LitStr = input.parse()?;
        let case = cases.iter().find(|case| case.name() == text.value());
        case.copied().ok_or_else(|| {
            let names: Vec<_> = cases.iter().map(|case| case.name()).collect();
            syn::Error::new(text.span(), format!("unknown `{key}`, expected one of {}", backticked(&names)))
        })
    }
}

/// The event of `on(Event, ..)`. After a mistake, the rest of the parentheses is skipped: it would only cause more
/// messages.
pub fn event(on: &Ident, content: ParseStream) -> syn::Result<Type> {
    single_event(on, content).inspect_err(|_| drop(content.parse::<TokenStream>()))
}

fn single_event(on: &Ident, content: ParseStream) -> syn::Result<Type> {
    if content.is_empty() {
        return Err(no_event(on));
    }
    if content.peek(Lit) {
        let literal: Lit = content.parse()?;
        let message = if let Lit::Str(text) = &literal {
            let event = text.parse::<Type>().map_or_else(|_| "Event".to_owned(), |event| to_source(&event));
            format!("`on` takes the event's type, without quotation marks: write `on({event})`")
        } else {
            "`on` takes the event's type: write `on(Event)`".to_owned()
        };
        return Err(syn::Error::new(literal.span(), message));
    }
    let event = content.parse()?;
    if content.is_empty() {
        return Ok(event);
    }
    content.parse::<Token![,]>()?;
    if let Some(second) = peek_type(content) {
        let message =
            format!("`on` takes one event: write `on({}), on({})`", to_source(&event), to_source(&second));
        return Err(syn::Error::new_spanned(second, message));
    }
    Ok(event)
}

/// The type that comes next, if any. All options are spelled in lower case.
fn peek_type(input: ParseStream) -> Option<Type> {
    let ahead = input.fork();
    let path = ahead.peek(Ident) && ahead.peek2(Token![::]);
    let word = ahead.fork().parse::<Ident>().ok()?;
    if path || word.to_string().starts_with(char::is_uppercase) { ahead.parse().ok() } else { None }
}

pub fn expect_parentheses(on: &Ident, input: ParseStream) -> syn::Result<()> {
    if input.peek(token::Paren) { Ok(()) } else { Err(no_event(on)) }
}

fn no_event(on: &Ident) -> syn::Error {
    syn::Error::new(on.span(), "`on` needs an event: write `on(Event)`")
}
