//! The macros never panic, whatever item they are given, and their output is Rust.
//!
//! An input is a source file. Each of its items goes through each macro, with the arguments of its own
//! `#[metric_event(..)]` if there is one.

#![no_main]
#![allow(dead_code, reason = "the derive's modules have more than these entry functions use")]

include!(concat!(env!("OUT_DIR"), "/derive/modules.rs"));

use libfuzzer_sys::{Corpus, fuzz_target};
use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Attribute, Item, Meta};

/// The parser calls itself for each level, so a deeper input would only overflow its stack.
const MAX_DEPTH: usize = 40;

fuzz_target!(|source: &str| -> Corpus {
    if depth(source) > MAX_DEPTH {
        return Corpus::Reject;
    }
    let Ok(file) = syn::parse_file(source) else {
        return Corpus::Reject;
    };
    for item in file.items {
        expand_item(&item);
    }
    Corpus::Keep
});

fn expand_item(item: &Item) {
    let tokens = item.to_token_stream();
    if let Ok(input) = syn::parse2(tokens.clone()) {
        assert_is_rust(&expand::metric(&input));
        assert_is_rust(&expand::label(&input));
    }
    let (arguments, item) = without_event_attribute(item.clone());
    assert_is_rust(&expand::event(arguments, &item));
}

/// What the compiler gives an attribute macro: the arguments, and the item without the attribute.
fn without_event_attribute(mut item: Item) -> (TokenStream, TokenStream) {
    let attributes = match &mut item {
        Item::Struct(item) => &mut item.attrs,
        Item::Enum(item) => &mut item.attrs,
        Item::Union(item) => &mut item.attrs,
        _ => return (TokenStream::new(), item.into_token_stream()),
    };
    let is_event = |attribute: &Attribute| attribute.path().is_ident("metric_event");
    let arguments = match attributes.iter().position(is_event).map(|index| attributes.remove(index).meta) {
        Some(Meta::List(list)) => list.tokens,
        _ => TokenStream::new(),
    };
    (arguments, item.into_token_stream())
}

fn assert_is_rust(expansion: &TokenStream) {
    if let Err(error) = syn::parse2::<syn::File>(expansion.clone()) {
        panic!("{error}:\n{expansion}");
    }
}

/// At least as deep as the groups, types and operators of `source` nest.
fn depth(source: &str) -> usize {
    let mut depth = 0_usize;
    let mut deepest = 0;
    let mut operators = 0;
    for character in source.chars() {
        match character {
            '(' | '[' | '{' | '<' => depth += 1,
            ')' | ']' | '}' | '>' => depth = depth.saturating_sub(1),
            '&' | '*' | '!' | '-' | '|' => operators += 1,
            ';' | ',' => operators = 0,
            _ => {}
        }
        deepest = deepest.max(depth + operators);
    }
    deepest
}
