use proc_macro2::{TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Attribute, Expr, Ident, Lit, LitStr, Path, Token, Type, parenthesized, token};

use super::{FEED, Given};
use crate::ctxt::Ctxt;
use crate::name::{Rule, closest};
use crate::shape::written;

pub type Handle<'a> = &'a mut dyn FnMut(&Ident, ParseStream) -> syn::Result<()>;

pub fn attribute_options(cx: &Ctxt, attribute: &Attribute, known: &[&str], handle: Handle) {
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
pub fn options(cx: &Ctxt, input: ParseStream, context: &str, known: &[&str], handle: Handle) {
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

pub fn option(input: ParseStream, context: &str, known: &[&str], handle: Handle) -> syn::Result<()> {
    if input.peek(Lit) {
        let literal: Lit = input.parse()?;
        return Err(syn::Error::new(literal.span(), format!("expected an option, one of {}", list(known))));
    }
    let word = input.call(Ident::parse_any)?;
    let name = word.to_string();
    if !known.contains(&name.as_str()) {
        if context == "metric" && (name == "with" || FEED.contains(&name.as_str())) {
            let message = format!("`{name}` belongs to an event: write `on(Event, {name} = ..)`");
            return Err(syn::Error::new(word.span(), message));
        }
        let mut message = format!("unknown `{context}` option `{name}`, expected one of {}", list(known));
        if let Some(closest) = closest(&name, known) {
            message = format!("{message}; did you mean `{closest}`?");
        }
        return Err(syn::Error::new(word.span(), message));
    }
    handle(&word, input)
}

pub fn list(known: &[&str]) -> String {
    known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

pub fn skip_to_comma(input: ParseStream) {
    while !input.is_empty() && !input.peek(Token![,]) {
        if input.parse::<TokenTree>().is_err() {
            return;
        }
    }
}

pub fn once<T>(cx: &Ctxt, slot: &mut Option<Given<T>>, word: &Ident, value: T) {
    if slot.is_some() {
        cx.error(word, format!("duplicate `{word}`"));
    } else {
        *slot = Some(Given { word: word.clone(), value });
    }
}

/// A name, in quotation marks.
pub fn name(word: &Ident, input: ParseStream) -> syn::Result<LitStr> {
    equals(word, input)?;
    if input.peek(LitStr) {
        return input.parse();
    }
    let other: Expr = input.parse()?;
    let written = written(&other);
    Err(syn::Error::new_spanned(other, format!("`{word}` takes a text: write `{word} = \"{written}\"`")))
}

/// `= ..` after an option that needs it.
pub fn assigned<T: syn::parse::Parse>(word: &Ident, input: ParseStream) -> syn::Result<T> {
    equals(word, input)?;
    input.parse()
}

/// An expression, without the invisible parentheses that `macro_rules!` puts around `$name:expr`.
pub fn expression(word: &Ident, input: ParseStream) -> syn::Result<Expr> {
    let mut expr = assigned(word, input)?;
    while let Expr::Group(group) = expr {
        expr = *group.expr;
    }
    Ok(expr)
}

pub fn equals(word: &Ident, input: ParseStream) -> syn::Result<()> {
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
pub fn text(word: &Ident, input: ParseStream) -> syn::Result<LitStr> {
    equals(word, input)?;
    if input.peek(LitStr) {
        return input.parse();
    }
    if input.peek(Lit) {
        let message = format!("`{word}` takes a word or a text: write `{word} = bytes`");
        return Err(syn::Error::new(input.parse::<Lit>()?.span(), message));
    }
    let ident = input.call(Ident::parse_any)?;
    Ok(LitStr::new(&ident.unraw().to_string(), ident.span()))
}

pub fn krate(input: ParseStream) -> syn::Result<Path> {
    input.parse::<Token![=]>()?;
    if input.peek(LitStr) {
        return input.parse::<LitStr>()?.parse_with(Path::parse_mod_style);
    }
    input.call(Path::parse_mod_style)
}

pub fn rename_all(input: ParseStream, rules: &[Rule]) -> syn::Result<Rule> {
    input.parse::<Token![=]>()?;
    let text: LitStr = input.parse()?;
    let rule = rules.iter().find(|rule| rule.name() == text.value());
    rule.copied().ok_or_else(|| {
        let names: Vec<_> = rules.iter().map(|rule| rule.name()).collect();
        syn::Error::new(text.span(), format!("unknown `rename_all`, expected one of {}", list(&names)))
    })
}

pub fn flatten(cx: &Ctxt, input: ParseStream) -> syn::Result<Option<LitStr>> {
    if !input.peek(token::Paren) {
        return Ok(None);
    }
    let content;
    parenthesized!(content in input);
    let mut prefix = None;
    options(cx, &content, "flatten", &["prefix"], &mut |word, input| {
        once(cx, &mut prefix, word, name(word, input)?);
        Ok(())
    });
    Ok(prefix.map(|prefix| prefix.value))
}

/// The event of `on(Event, ..)`. What follows a mistake in it is not read, so that no other message comes of it.
pub fn event(word: &Ident, content: ParseStream) -> syn::Result<Type> {
    one_event(word, content).inspect_err(|_| drop(content.parse::<TokenStream>()))
}

fn one_event(word: &Ident, content: ParseStream) -> syn::Result<Type> {
    if content.is_empty() {
        return Err(syn::Error::new(word.span(), "`on` needs an event: write `on(Event)`"));
    }
    if content.peek(Lit) {
        let literal: Lit = content.parse()?;
        let message = if let Lit::Str(text) = &literal {
            let event = text.parse::<Type>().map_or_else(|_| "Event".to_owned(), |event| written(&event));
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
    if let Some(second) = type_ahead(content) {
        let (first, other) = (written(&event), written(&second));
        let message = format!("`on` takes one event: write `on({first}), on({other})`");
        return Err(syn::Error::new_spanned(second, message));
    }
    Ok(event)
}

/// The type that comes next: all options are spelled in lower case.
fn type_ahead(input: ParseStream) -> Option<Type> {
    let ahead = input.fork();
    let path = ahead.peek(Ident) && ahead.peek2(Token![::]);
    let word = ahead.fork().parse::<Ident>().ok()?;
    if path || word.to_string().starts_with(char::is_uppercase) { ahead.parse().ok() } else { None }
}

pub fn on_parentheses(word: &Ident, input: ParseStream) -> syn::Result<()> {
    if input.peek(token::Paren) {
        return Ok(());
    }
    Err(syn::Error::new(word.span(), "`on` needs an event: write `on(Event)`"))
}
