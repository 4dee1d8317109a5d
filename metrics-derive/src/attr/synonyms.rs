//! Words that users bring along from other libraries, with what to write in their place.

use proc_macro2::{TokenStream, TokenTree};
use syn::parse::ParseStream;
use syn::{Attribute, Lit, LitStr, Token, Type, token};

use super::options::{OptionSet, Place, named};
use super::{FeedOptions, FieldOptions};
use crate::name::backticked;
use crate::source_text::to_source;

/// Words in place of which an attribute takes something else.
struct Row {
    words: &'static [&'static str],
    /// The row holds where this option is known.
    option: &'static str,
    write: Write,
}

/// What to write in place of a word.
enum Write {
    /// The option, with the value that the user has given, or else with this one.
    Option(&'static str),
    /// The option, with the user's value if there is one.
    OptionAlone,
    /// The labels in `by`.
    Labels,
    /// Each value as an event of its own.
    Events,
    /// The value as a doc comment.
    DocComment,
    /// The value as the prefix of a flattened metric.
    Prefix,
    /// A sentence that says it.
    Text(&'static str),
}

const ROWS: &[Row] = &[
    Row {
        words: &["filter", "if", "where", "cond", "condition", "predicate", "only", "only_if", "unless"],
        option: "when",
        write: Write::Option("|e| .."),
    },
    Row {
        words: &[
            "label",
            "labels",
            "label_by",
            "group",
            "group_by",
            "tag",
            "tags",
            "partition_by",
            "attributes",
        ],
        option: "by",
        write: Write::Labels,
    },
    Row {
        words: &[
            "event",
            "events",
            "listen",
            "listens",
            "listen_to",
            "handle",
            "handles",
            "subscribe",
            "source",
        ],
        option: "on",
        write: Write::Events,
    },
    Row {
        words: &["help", "description", "describe", "desc", "doc", "docs", "comment"],
        option: "rename_all",
        write: Write::DocComment,
    },
    Row {
        words: &["help", "description", "describe", "desc", "doc", "docs", "comment"],
        option: "skip",
        write: Write::DocComment,
    },
    Row {
        words: &["field", "measure", "measurement", "amount", "record", "observe", "observation"],
        option: "value",
        write: Write::Option("<event field>"),
    },
    Row {
        words: &["inc", "incr", "increment", "increase", "count", "plus", "up"],
        option: "add",
        write: Write::Text("write `add` for a `Counter` or an `InFlight`, `set = <event field>` for a gauge"),
    },
    Row {
        words: &["dec", "decr", "decrement", "decrease", "minus", "subtract", "down"],
        option: "sub",
        write: Write::Text("write `sub` for an `InFlight`, `set = <event field>` for a gauge"),
    },
    Row {
        words: &["rename", "metric_name", "event_name", "event_type", "id", "alias", "namespace"],
        option: "name",
        write: Write::Option("\"..\""),
    },
    Row { words: &["prefix"], option: "flatten", write: Write::Prefix },
    Row { words: &["nested", "inline", "embed", "include"], option: "flatten", write: Write::OptionAlone },
    Row {
        words: &["ignore", "ignored", "skipped", "no_metric", "hidden", "internal"],
        option: "skip",
        write: Write::OptionAlone,
    },
    Row {
        words: &["boundaries", "bounds", "explicit_bounds", "bins"],
        option: "buckets",
        write: Write::Option("[1, 2, 4]"),
    },
    Row {
        words: &["quantiles", "percentiles", "precision", "bucket_count", "objectives", "sigfigs"],
        option: "buckets",
        write: Write::Text("a histogram takes `max_buckets = 160` or `buckets = [1, 2, 4]`"),
    },
    Row {
        words: &["exponential"],
        option: "buckets",
        write: Write::Text("write `buckets = exponential(1, 2, 10)`"),
    },
    Row {
        words: &[
            "top",
            "top_k",
            "keep_top",
            "n",
            "k",
            "size",
            "max",
            "max_labels",
            "cardinality",
            "capacity",
        ],
        option: "keep",
        write: Write::Text("write `keep = <N>` for a `Top<L, D>`, `limit = <N>` for a `Breakdown<L, D>`"),
    },
    Row {
        words: &["window", "last", "secs", "seconds", "interval"],
        option: "keep",
        write: Write::Text("a window is part of the type, write `Recent<D, 60>`"),
    },
    Row {
        words: &["aggregate", "aggregation", "combine", "reduce", "multiprocess_mode"],
        option: "merge",
        write: Write::Option("max"),
    },
    Row {
        words: &[
            "type",
            "kind",
            "metric_type",
            "instrument",
            "counter",
            "gauge",
            "histogram",
            "summary",
            "timer",
        ],
        option: "manual",
        write: Write::Text(
            "the type of the field says what it measures, such as `Counter` or `Histogram<f64>`",
        ),
    },
    Row { words: &["name", "namespace", "with"], option: "prefix", write: Write::Option("\"..\"") },
];

/// What to write in place of `key`, an option that the place does not have. The input stands behind the key.
pub fn instead(key: &str, place: &Place, input: ParseStream) -> Option<String> {
    let mut rows = ROWS.iter().filter(|row| row.words.contains(&key));
    let row = rows.find(|row| place.known.contains(&row.option))?;
    let option = row.option;
    let given = given(input);
    let values = given.as_ref().map(|given| given.values.as_slice());
    let value = given.as_ref().map(|given| given.text.clone());
    Some(match &row.write {
        Write::Text(text) => (*text).to_owned(),
        Write::Option(example) => {
            format!("write `{option} = {}`", value.as_deref().unwrap_or(example))
        }
        Write::OptionAlone => format!("write `{option}`"),
        Write::Labels => match values.map(unquoted) {
            Some(labels) if labels.len() > 1 => format!("write `{option}({})`", labels.join(", ")),
            Some(labels) => format!("write `{option} = {}`", labels.join(", ")),
            None => format!("write `{option} = <event field>`"),
        },
        Write::Events => {
            let values = values.unwrap_or_default();
            let types = values.iter().all(|value| syn::parse_str::<Type>(value).is_ok());
            let event = ["Event".to_owned()];
            let events = if values.is_empty() || !types { &event } else { values };
            let events: Vec<_> = events.iter().map(|event| format!("{option}({event})")).collect();
            format!("write `{}`", events.join(", "))
        }
        Write::DocComment => {
            let text = value.and_then(|value| Some(syn::parse_str::<LitStr>(&value).ok()?.value()));
            let text = text.filter(|text| !text.contains(['\n', '`']));
            format!("the doc comment is the help text, write `/// {}`", text.as_deref().unwrap_or(".."))
        }
        Write::Prefix => {
            format!("write `flatten(prefix = {})`", value.as_deref().unwrap_or("\"..\""))
        }
    })
}

/// Where an option belongs that this place does not have; `None` for a word that is no option at all.
pub fn elsewhere(key: &str, place: &Place, input: ParseStream) -> Option<String> {
    let with_value = || match given(input) {
        Some(given) => format!("{key} = {}", given.text),
        None if ["skip", "manual", "flatten", "add", "sub"].contains(&key) => key.to_owned(),
        None => format!("{key} = .."),
    };
    let event = place.event.map_or_else(|| "Event".to_owned(), to_source);
    let of_field = || [FeedOptions::KEYS, FieldOptions::KEYS].concat().contains(&key);
    // Only the struct's own lists know these.
    let is_struct = place.name == "metric" || place.known.contains(&"with");
    let is_field = place.known.contains(&"value");
    match key {
        "name" if place.name == "label" => {
            Some(format!("`name` belongs on a variant: write `#[label({})]` there", with_value()))
        }
        "rename_all" | "crate" if place.name == "label" => {
            Some(format!("`{key}` belongs on the enum: write `#[label({})]` there", with_value()))
        }
        "with" if place.name == "metric" => {
            Some(format!("`with` belongs to an event: write `on(Event, {})`", with_value()))
        }
        "with" if is_field => {
            let write = format!("#[metric(on(Event, {}))]", with_value());
            Some(format!("`with` belongs on the struct: write `{write}` there"))
        }
        "rename_all" | "crate" if is_field => {
            Some(format!("`{key}` belongs on the struct: write `#[metric({})]` there", with_value()))
        }
        "name" | "rename_all" | "crate" if is_struct => {
            Some(format!("`{key}` belongs outside of `on(..)`: write `on({event}), {}`", with_value()))
        }
        _ if is_struct && of_field() => {
            Some(format!("`{key}` belongs on a field: write `#[dimension({})]` there", with_value()))
        }
        _ if is_field && of_field() => {
            Some(format!("`{key}` belongs outside of `on(..)`: write `on({event}, ..), {}`", with_value()))
        }
        _ => None,
    }
}

/// The error for something that is no key of an option, such as a closure or a literal.
pub fn without_key(place: &Place, input: ParseStream) -> Option<syn::Error> {
    let (known, next) = (place.known, input.fork());
    if input.peek(Token![|]) || input.peek(Token![||]) || input.peek(Token![move]) {
        let closure: syn::ExprClosure = next.parse().ok()?;
        let source = to_source(&closure);
        let write = ["when", "value", "by"].into_iter().filter(|key| known.contains(key));
        let write: Vec<_> = write.map(|key| format!("`{key} = {source}`")).collect();
        let write = if write.is_empty() { backticked(known) } else { write.join(" or ") };
        return Some(syn::Error::new_spanned(
            closure,
            format!("an option begins with its key: write {write}"),
        ));
    }
    if input.peek(Lit) {
        let literal: Lit = next.parse().ok()?;
        let key = ["name", "prefix"].into_iter().find(|key| known.contains(key));
        let message = match (key, &literal) {
            (Some(key), Lit::Str(text)) => {
                format!("an option begins with its key: write `{key} = {}`", to_source(text))
            }
            _ => format!("expected an option, one of {}", backticked(known)),
        };
        return Some(syn::Error::new(literal.span(), message));
    }
    let token: TokenTree = next.parse().ok()?;
    if matches!(token, TokenTree::Ident(_)) {
        return None;
    }
    if matches!(&token, TokenTree::Punct(comma) if comma.as_char() == ',') {
        return Some(syn::Error::new(token.span(), "no option stands in front of this `,`: remove it"));
    }
    Some(syn::Error::new(token.span(), format!("expected an option, one of {}", backticked(known))))
}

/// What a user has given to an option, in whatever form: `= value`, `(value, ..)`, `: value`, `=> value`.
pub struct Given {
    /// The value as it stands behind `=`.
    pub text: String,
    /// The values of a list: `[a, b]` or `(a, b)`.
    values: Vec<String>,
}

/// Looks ahead for what is given to the option in front of the input.
pub fn given(input: ParseStream) -> Option<Given> {
    let ahead = input.fork();
    let is_list = ahead.peek(token::Paren);
    if !is_list && !ahead.peek(Lit) {
        let is_assigned = ahead.peek(Token![=]) || ahead.peek(Token![+=]) || ahead.peek(Token![-=]);
        if !is_assigned && (!ahead.peek(Token![:]) || ahead.peek(Token![::])) {
            return None;
        }
        if !ahead.peek(Token![=]) && is_assigned {
            ahead.parse::<TokenTree>().ok()?;
        }
        while ahead.peek(Token![=]) || ahead.peek(Token![:]) || ahead.peek(Token![>]) {
            ahead.parse::<TokenTree>().ok()?;
        }
    }
    let mut tokens: Vec<TokenTree> = Vec::new();
    while !ahead.is_empty() && !ahead.peek(Token![,]) {
        tokens.push(ahead.parse().ok()?);
    }
    let whole: TokenStream = tokens.iter().cloned().collect();
    let inner = match tokens.as_slice() {
        [TokenTree::Group(group)] => group.stream(),
        _ => whole.clone(),
    };
    let text = to_source(if is_list && tokens.len() == 1 { &inner } else { &whole });
    let parts: Vec<_> = inner.into_iter().collect();
    let parts = parts.split(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ','));
    let values = parts.map(|tokens| to_source(&tokens.iter().cloned().collect::<TokenStream>()));
    let values: Vec<_> = values.filter(|value| !value.is_empty()).collect();
    if text.is_empty() { None } else { Some(Given { text, values }) }
}

/// Whether an attribute has a word in place of this option.
pub fn is_meant(attributes: &[Attribute], option: &str) -> bool {
    let mut rows = ROWS.iter().filter(|row| row.option == option && !matches!(row.write, Write::DocComment));
    let lists = named(attributes, "dimension").filter_map(|attribute| attribute.meta.require_list().ok());
    let words: Vec<_> = lists.flat_map(|list| list.tokens.clone()).collect();
    rows.any(|row| {
        words.iter().any(
            |token| matches!(token, TokenTree::Ident(word) if row.words.iter().any(|other| word == other)),
        )
    })
}

/// Names of fields without their quotation marks.
fn unquoted(values: &[String]) -> Vec<String> {
    let unquoted = |value: &String| {
        let text = syn::parse_str::<LitStr>(value).ok()?.value();
        syn::parse_str::<syn::Ident>(&text).ok().map(|ident| ident.to_string())
    };
    values.iter().map(|value| unquoted(value).unwrap_or_else(|| value.clone())).collect()
}
