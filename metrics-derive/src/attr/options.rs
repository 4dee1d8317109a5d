//! Lists of options, such as `name = "saves", on(Saved), skip`.

use proc_macro2::TokenTree;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Attribute, Ident, Lit, Token};

use crate::ctxt::Ctxt;
use crate::name::{backticked, closest};

/// The value of an option, with the key that the user wrote for it.
pub struct Keyed<T> {
    pub key: Ident,
    pub value: T,
}

/// Options that may stand in the same parentheses, at most once each.
pub trait OptionSet {
    const KEYS: &'static [&'static str];

    /// Parses the option `key`; false if it is not in the set.
    fn parse(&mut self, cx: &Ctxt, key: &Ident, input: ParseStream) -> syn::Result<bool>;

    /// The keys that the user wrote.
    fn keys(&self) -> Vec<&Ident>;

    /// Moves all options of `other` into this set.
    fn merge(&mut self, cx: &Ctxt, other: Self);
}

/// Declares the struct of an [`OptionSet`]. A row is `"key" => field: Type = parser`. The parser is a function of the module
/// `values` or of `source`.
macro_rules! options {
    ($(#[$doc:meta])* pub struct $name:ident { $($key:literal => $field:ident: $ty:ty = $parser:expr,)* }) => {
        $(#[$doc])*
        #[derive(Default)]
        pub struct $name {
            $(pub $field: Option<$crate::attr::options::Keyed<$ty>>,)*
        }

        impl $crate::attr::options::OptionSet for $name {
            const KEYS: &'static [&'static str] = &[$($key),*];

            fn parse(
                &mut self,
                cx: &$crate::ctxt::Ctxt,
                key: &syn::Ident,
                input: syn::parse::ParseStream,
            ) -> syn::Result<bool> {
                match key.to_string().as_str() {
                    $($key => $crate::attr::options::set_once(cx, &mut self.$field, key, ($parser)(cx, key, input)?),)*
                    _ => return Ok(false),
                }
                Ok(true)
            }

            fn keys(&self) -> Vec<&syn::Ident> {
                [$(self.$field.as_ref().map(|option| &option.key)),*].into_iter().flatten().collect()
            }

            fn merge(&mut self, cx: &$crate::ctxt::Ctxt, other: Self) {
                $(if let Some($crate::attr::options::Keyed { key, value }) = other.$field {
                    $crate::attr::options::set_once(cx, &mut self.$field, &key, value);
                })*
            }
        }
    };
}

pub fn set_once<T>(cx: &Ctxt, option: &mut Option<Keyed<T>>, key: &Ident, value: T) {
    if option.is_some() {
        cx.error(key, format!("duplicate `{key}`"));
    } else {
        *option = Some(Keyed { key: key.clone(), value });
    }
}

/// Where options stand, and which of them are known there.
pub struct Place<'a> {
    /// The attribute, or the option with parentheses.
    pub name: &'a str,
    pub known: &'a [&'a str],
    /// The options that users write here although they belong inside `on(..)`.
    pub known_inside_on: &'a [&'a str],
}

/// Parses the value of one option. The place knows its key.
pub type ParseOption<'a> = &'a mut dyn FnMut(&Ident, ParseStream) -> syn::Result<()>;

/// Parses the options of all attributes that are named like the place.
pub fn attributes(cx: &Ctxt, attributes: &[Attribute], place: &Place, parse: ParseOption) {
    for attribute in named(attributes, place.name) {
        let Ok(list) = attribute.meta.require_list() else {
            let name = place.name;
            let message = format!("write the options of `{name}` in parentheses: `#[{name}(..)]`");
            cx.error(attribute.path(), message);
            continue;
        };
        let parsed = list.parse_args_with(|input: ParseStream| {
            options(cx, input, place, parse);
            Ok(())
        });
        if let Err(error) = parsed {
            cx.push(error);
        }
    }
}

pub fn named<'a>(attributes: &'a [Attribute], name: &str) -> impl Iterator<Item = &'a Attribute> {
    attributes.iter().filter(move |attribute| attribute.path().is_ident(name))
}

/// Parses options to the end of the input. A mistake in one option does not hide mistakes in the next ones.
pub fn options(cx: &Ctxt, input: ParseStream, place: &Place, parse: ParseOption) {
    while !input.is_empty() {
        if let Err(error) = option(cx, input, place, parse) {
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

fn option(cx: &Ctxt, input: ParseStream, place: &Place, parse: ParseOption) -> syn::Result<()> {
    let Place { name, known, known_inside_on } = place;
    if input.peek(Lit) {
        let literal: Lit = input.parse()?;
        let message = format!("expected an option, one of {}", backticked(known));
        return Err(syn::Error::new(literal.span(), message));
    }
    let key = input.call(Ident::parse_any)?;
    let text = key.to_string();
    if known.contains(&text.as_str()) {
        cx.note_option(name, &key);
        return parse(&key, input);
    }
    if known_inside_on.contains(&text.as_str()) {
        let message = format!("`{text}` belongs to an event: write `on(Event, {text} = ..)`");
        return Err(syn::Error::new(key.span(), message));
    }
    let mut message = format!("unknown `{name}` option `{text}`, expected one of {}", backticked(known));
    if let Some(instead) = instead(&text, known) {
        message = format!("unknown `{name}` option `{text}`: {instead}");
    } else if let Some(closest) = closest(&text, known) {
        message = format!("{message}; did you mean `{closest}`?");
    }
    Err(syn::Error::new(key.span(), message))
}

/// What to write in place of an option that does not exist, although users of other libraries expect one.
fn instead(key: &str, known: &[&str]) -> Option<&'static str> {
    let (option, instead) = match key {
        "top" | "top_k" | "keep_top" | "n" | "k" | "size" | "max_labels" => {
            ("keep", "write `keep = <N>` for a `Top<L, D>`, `limit = <N>` for a `Breakdown<L, D>`")
        }
        "window" | "last" | "secs" | "seconds" => {
            ("keep", "a window is part of the type, write `Recent<D, 60>`")
        }
        "quantiles" | "percentiles" | "precision" | "bounds" | "bucket_count" => {
            ("buckets", "a histogram takes `max_buckets = 160` or `buckets = [1, 2, 4]`")
        }
        "exponential" => ("buckets", "write `buckets = exponential(1, 2, 10)`"),
        _ => return None,
    };
    known.contains(&option).then_some(instead)
}

fn skip_to_comma(input: ParseStream) {
    while !input.is_empty() && !input.peek(Token![,]) {
        if input.parse::<TokenTree>().is_err() {
            return;
        }
    }
}
