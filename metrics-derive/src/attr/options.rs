//! Lists of options, such as `name = "saves", on(Saved), skip`.

use proc_macro2::{TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseBuffer, ParseStream};
use syn::{Attribute, Expr, Ident, Token, Type};

use super::synonyms::{elsewhere, instead, without_key};
use crate::ctxt::Ctxt;
use crate::name::{backticked, closest};
use crate::source_text::to_source;

/// The value of an option, with the key that the user wrote for it.
#[derive(Clone)]
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
    /// The event of `on(Event, ..)`.
    pub event: Option<&'a Type>,
    pub known: &'a [&'a str],
}

/// Parses the value of one option. The place knows its key.
pub type ParseOption<'a> = &'a mut dyn FnMut(&Ident, ParseStream) -> syn::Result<()>;

/// Parses the options of all attributes that are named like the place.
pub fn attributes(cx: &Ctxt, attributes: &[Attribute], place: &Place, parse: ParseOption) {
    for attribute in named(attributes, place.name) {
        let Ok(list) = attribute.meta.require_list() else {
            let name = place.name;
            let given = attribute.meta.require_name_value().ok().filter(|_| place.known.contains(&"name"));
            let options =
                given.map_or_else(|| "..".to_owned(), |given| format!("name = {}", to_source(&given.value)));
            let message = format!("write the options of `{name}` in parentheses: `#[{name}({options})]`");
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
    let mut previous = None;
    while !input.is_empty() {
        let begin = input.fork();
        if let Err(error) = option(cx, input, place, previous.as_ref(), parse) {
            cx.push(error);
            skip_to_comma(input);
        } else if !input.is_empty() && !input.peek(Token![,]) {
            cx.push(input.error("expected `,` and another option"));
            skip_to_comma(input);
        }
        if input.parse::<Token![,]>().is_err() {
            skip_to_comma(input);
        }
        previous = Some(Previous(begin));
    }
}

fn option(
    cx: &Ctxt,
    input: ParseStream,
    place: &Place,
    previous: Option<&Previous>,
    parse: ParseOption,
) -> syn::Result<()> {
    let Place { name, known, .. } = place;
    if let Some(error) = without_key(place, input) {
        return Err(error);
    }
    let key = input.call(Ident::parse_any)?;
    let text = key.to_string();
    if known.contains(&text.as_str()) {
        cx.note_option(name, &key);
        return parse(&key, input);
    }
    let message = if text == "let" && input.peek(Ident::peek_any) {
        format!("an option has no `let` in front: write `{}`", rest_of_option(&input.fork()))
    } else if known.contains(&"on") && text.starts_with(char::is_uppercase) {
        let event = format!("{text}{}", rest_of_option(&input.fork()));
        format!("an event stands inside `on(..)`: write `on({event})`")
    } else if let Some(elsewhere) = elsewhere(&text, place, input) {
        elsewhere
    } else if let Some(instead) = instead(&text, place, input) {
        format!("unknown `{name}` option `{text}`: {instead}")
    } else if let Some(closest) = closest(&text, known) {
        format!(
            "unknown `{name}` option `{text}`, expected one of {}; did you mean `{closest}`?",
            backticked(known)
        )
    } else if let Some(labels) = previous.and_then(|previous| previous.with_further_labels(&key, input)) {
        format!("several labels stand in parentheses: write `{labels}`")
    } else {
        format!("unknown `{name}` option `{text}`, expected one of {}", backticked(known))
    };
    Err(syn::Error::new(key.span(), message))
}

/// The option in front of another one.
struct Previous<'a>(ParseBuffer<'a>);

impl Previous<'_> {
    /// The labels of `by = host, route`, where this option is `by = host` and `route` stands alone. The further labels are
    /// taken from the input.
    fn with_further_labels(&self, further: &Ident, input: ParseStream) -> Option<String> {
        let by = self.0.call(Ident::parse_any).ok().filter(|key| key == "by")?;
        self.0.parse::<Token![=]>().ok()?;
        let first: Expr = self.0.parse().ok()?;
        let mut labels = vec![to_source(&first), further.to_string()];
        if !input.is_empty() && !input.peek(Token![,]) {
            return None;
        }
        while input.peek(Token![,]) && input.peek2(Ident::peek_any) && !input.peek3(Token![=]) {
            input.parse::<Token![,]>().ok()?;
            labels.push(input.call(Ident::parse_any).ok()?.to_string());
        }
        Some(format!("{by}({})", labels.join(", ")))
    }
}

/// The tokens in front of the next comma, as text.
pub fn rest_of_option(input: ParseStream) -> String {
    let mut tokens = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) {
        tokens.extend(input.parse::<TokenTree>());
    }
    to_source(&tokens)
}

fn skip_to_comma(input: ParseStream) {
    while !input.is_empty() && !input.peek(Token![,]) {
        if input.parse::<TokenTree>().is_err() {
            return;
        }
    }
}
