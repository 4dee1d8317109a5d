//! Parsers of the values of options. A row of the `options!` macro names one of them.

use proc_macro2::{TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Expr, ExprLit, Ident, Lit, LitBool, LitStr, Path, Token, Type, token};

use super::options::rest_of_option;
use super::synonyms::given;
use crate::ctxt::Ctxt;
use crate::name::{Case, backticked, closest};
use crate::source_text::to_source;

/// Parses `= value`. A missing value is reported with the example.
pub fn assigned<T>(
    example: &'static str,
    value: impl Fn(&Ident, ParseStream) -> syn::Result<T>,
) -> impl Fn(&Ctxt, &Ident, ParseStream) -> syn::Result<T> {
    move |_, key, input| {
        equals(key, example, input)?;
        value(key, input)
    }
}

/// Parses the `=` in front of a value. A value that stands there in another form is reported in the right one.
pub fn equals(key: &Ident, example: &str, input: ParseStream) -> syn::Result<()> {
    let is_assigned = input.peek(Token![=]) && !input.peek(Token![==]) && !input.peek(Token![=>]);
    if is_assigned && !input.peek2(Token![,]) {
        input.parse::<Token![=]>()?;
        if !input.is_empty() {
            return Ok(());
        }
    }
    let message = match given(input) {
        Some(given) => format!("`{key}` takes its value after `=`: write `{key} = {}`", given.text),
        None => format!("`{key}` needs a value: write `{key} = {example}`"),
    };
    Err(syn::Error::new(key.span(), message))
}

/// An option without a value.
#[expect(clippy::unnecessary_wraps, reason = "has the signature of all parsers")]
pub fn flag(cx: &Ctxt, key: &Ident, input: ParseStream) -> syn::Result<()> {
    if given(input).is_some() {
        cx.error(key, format!("`{key}` takes no value: write `{key}`, or remove it"));
        rest_of_option(input);
    }
    Ok(())
}

/// One of several words, without quotation marks.
pub fn choice(key: &Ident, input: ParseStream) -> syn::Result<Ident> {
    if input.peek(Ident::peek_any) && !input.peek(LitBool) {
        return input.call(Ident::parse_any);
    }
    let other: Expr = input.parse()?;
    let word = if let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &other {
        text.parse::<Ident>().ok()
    } else {
        None
    };
    let word =
        word.map_or_else(|| (if key == "zeros" { "off" } else { "max" }).to_owned(), |word| word.to_string());
    Err(syn::Error::new_spanned(other, format!("`{key}` takes a word: write `{key} = {word}`")))
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
pub fn crate_path(key: &Ident, input: ParseStream) -> syn::Result<Path> {
    let example = "path::to::mvx_metrics";
    if input.peek(LitStr) {
        let text: LitStr = input.parse()?;
        let message = format!("`{key}` takes the path of the crate: write `{key} = {example}`");
        return text.parse_with(Path::parse_mod_style).map_err(|_| syn::Error::new(text.span(), message));
    }
    let other: Expr = input.fork().parse()?;
    if matches!(other, Expr::Path(_)) {
        return input.call(Path::parse_mod_style);
    }
    input.parse::<Expr>()?;
    let message = format!("`{key}` takes the path of the crate: write `{key} = {example}`");
    Err(syn::Error::new_spanned(other, message))
}

/// The path of a handler. A single word is a function in scope: rustc suggests `Self::` where a method is meant.
pub fn handler(key: &Ident, input: ParseStream) -> syn::Result<Path> {
    let written = expression(key, input)?;
    let path = match &written {
        Expr::Path(path) if path.qself.is_none() => Some(&path.path),
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => {
            let path =
                text.parse::<Path>().map_or_else(|_| "Self::on_event".to_owned(), |path| of_self(&path));
            let message = format!("`{key}` takes no quotation marks: write `{key} = {path}`");
            return Err(syn::Error::new(text.span(), message));
        }
        _ => None,
    };
    let Some(path) = path else {
        return Err(syn::Error::new_spanned(
            written,
            "`with` takes the path of a handler `fn(&mut Self, &Event) -> bool`: write `with = Self::on_event`",
        ));
    };
    Ok(path.clone())
}

/// A single word as the path of a method.
fn of_self(path: &Path) -> String {
    let path_text = to_source(path);
    if path.get_ident().is_some() { format!("Self::{path_text}") } else { path_text }
}

/// One of the cases, in quotation marks.
pub fn case(cases: &'static [Case]) -> impl Fn(&Ident, ParseStream) -> syn::Result<Case> {
    move |key, input| {
        let names: Vec<_> = cases.iter().map(|case| case.name()).collect();
        let (word, span) = if input.peek(LitStr) {
            let text: LitStr = input.parse()?;
            (text.value(), text.span())
        } else {
            let other: Expr = input.parse()?;
            let word = to_source(&other);
            let nearest = nearest_case(&word, &names).unwrap_or("snake_case");
            let message = format!("`{key}` takes a string: write `{key} = \"{nearest}\"`");
            return Err(syn::Error::new_spanned(other, message));
        };
        let case = cases.iter().find(|case| case.name() == word);
        case.copied().ok_or_else(|| {
            let mut message =
                format!("unknown `{key}` case `{word}`, expected one of {}", backticked(&names));
            if let Some(nearest) = nearest_case(&word, &names) {
                message = format!("{message}; did you mean `{nearest}`?");
            }
            syn::Error::new(span, message)
        })
    }
}

/// The case that a user means by `camel`, `KEBAB` or `snake-case`: the one with the same words, or a word fewer.
fn nearest_case<'a>(word: &str, names: &[&'a str]) -> Option<&'a str> {
    let letters = |text: &str| {
        let letters = text.chars().filter(|character| character.is_alphanumeric());
        letters.collect::<String>().to_lowercase()
    };
    let of = |name: &str| letters(name).trim_end_matches("case").to_owned();
    let wanted = of(word);
    let same = names.iter().filter(|name| of(name) == wanted && !wanted.is_empty());
    // `UPPER` and `Pascal` say by their own letters which of two they mean.
    let same = same.min_by_key(|name| name.chars().next() != word.chars().next());
    same.copied().or_else(|| closest(word, names))
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
    if content.peek(Ident::peek_any)
        && content.peek2(token::Paren)
        && content.fork().parse::<Ident>()? == "on"
    {
        content.parse::<Ident>()?;
        let event = to_source(&content.parse::<TokenStream>()?);
        return Err(syn::Error::new(on.span(), format!("`on` stands inside of `on(..)`: write `on{event}`")));
    }
    let is_option = content.peek(Ident::peek_any) && content.peek2(Token![=]);
    if is_option || content.peek(Token![|]) {
        let (first, rest) =
            (content.fork().parse::<TokenTree>()?, to_source(&content.parse::<TokenStream>()?));
        let key = if is_option { "" } else { "when = " };
        let message = format!("`on` begins with an event: write `on(Event, {key}{rest})`");
        return Err(syn::Error::new(first.span(), message));
    }
    let begin = content.fork();
    let event: Type = content.parse().map_err(|error| {
        let first = begin.parse::<TokenTree>().map_or_else(|_| error.span(), |first| first.span());
        syn::Error::new(first, "`on` takes the event's type: write `on(Event)`")
    })?;
    if content.peek(token::Brace) || content.peek(token::Paren) || content.peek(Token![|]) {
        let (ty, rest) = (to_source(&event), to_source(&content.parse::<TokenStream>()?));
        let space = if rest.starts_with('(') { "" } else { " " };
        let pattern = format!("{ty}{space}{rest}");
        let message =
            format!("`on` takes a type, no pattern: write `on({ty}, when = |e| matches!(e, {pattern}))`");
        return Err(syn::Error::new_spanned(event, message));
    }
    if content.is_empty() {
        return Ok(event);
    }
    if !content.peek(Token![,]) {
        let (ty, rest) = (to_source(&event), rest_of_option(content));
        let message =
            format!("`on` takes one event, then its options: write `on({ty}, ..)` without `{rest}`");
        return Err(syn::Error::new_spanned(event, message));
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
    if input.peek(token::Paren) {
        return Ok(());
    }
    let text = given(input).map_or_else(|| rest_of_option(&input.fork()), |given| given.text);
    let brackets: &[char] = &['[', ']', '{', '}', '<', '>', ' '];
    let event = text.trim_matches(brackets);
    if event.is_empty() || syn::parse_str::<Type>(event).is_err() {
        return Err(no_event(on));
    }
    Err(syn::Error::new(on.span(), format!("`on` takes parentheses: write `on({event})`")))
}

fn no_event(on: &Ident) -> syn::Error {
    syn::Error::new(on.span(), "`on` needs an event: write `on(Event)`")
}
