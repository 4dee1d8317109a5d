//! Locations for generated code: rustc reports at the user's tokens.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// The location of a user's token, with the hygiene of generated code.
pub fn located_at(span: Span) -> Span {
    Span::call_site().located_at(span)
}

/// Generated tokens at the location of a user's token, so that rustc underlines that token.
pub fn respan(tokens: &impl ToTokens, span: Span) -> TokenStream {
    let tokens = tokens.to_token_stream().into_iter().map(|mut token| {
        token.set_span(span);
        token
    });
    tokens.collect()
}

/// The locations of the first and the last token. rustc underlines code that begins and ends there from end to end.
pub fn ends(tokens: &impl ToTokens) -> (Span, Span) {
    let mut tokens = tokens.to_token_stream().into_iter();
    let first = tokens.next();
    let last = tokens.last().or_else(|| first.clone());
    let span = |token: Option<proc_macro2::TokenTree>| {
        located_at(token.map_or_else(Span::call_site, |token| token.span()))
    };
    (span(first), span(last))
}

/// Generated tokens of which the last one is at `last` and all others at `first`: rustc underlines from the one to the other.
pub fn spread(tokens: &impl ToTokens, first: Span, last: Span) -> TokenStream {
    let mut tokens: Vec<_> = respan(tokens, first).into_iter().collect();
    if let Some(token) = tokens.last_mut() {
        token.set_span(last);
    }
    tokens.into_iter().collect()
}
