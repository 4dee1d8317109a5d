//! Locations for generated code: rustc reports at the user's tokens.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;

/// The location of a user's token, with the hygiene of generated code.
pub fn located_at(span: Span) -> Span {
    Span::call_site().located_at(span)
}

/// Generated tokens at the location of a user's token, so that rustc underlines that token.
///
/// The names of a path that begins with `::` stay behind. rustc takes the location of a path from its ends, and editors would
/// show the documentation of the crate at the user's token.
pub fn respan(tokens: &impl ToTokens, span: Span) -> TokenStream {
    let mut tokens = tokens.to_token_stream().into_iter().peekable();
    let is_global = matches!(tokens.peek(), Some(TokenTree::Punct(_)));
    let tokens = tokens.map(|mut token| {
        if !is_global || !matches!(token, TokenTree::Ident(_)) {
            token.set_span(span);
        }
        token
    });
    tokens.collect()
}

/// The locations of the first and the last token. rustc underlines code that begins and ends there from end to end.
pub fn ends(tokens: &impl ToTokens) -> (Span, Span) {
    let mut tokens = tokens.to_token_stream().into_iter();
    let first = tokens.next();
    let last = tokens.last().or_else(|| first.clone());
    let span =
        |token: Option<TokenTree>| located_at(token.map_or_else(Span::call_site, |token| token.span()));
    (span(first), span(last))
}
