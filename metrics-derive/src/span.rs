use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// The place of a user's token, with the hygiene of generated code.
pub fn at(span: Span) -> Span {
    Span::call_site().located_at(span)
}

/// Generated tokens at the place of a user's token: a message about them then underlines what the user wrote.
pub fn moved(tokens: &impl ToTokens, span: Span) -> TokenStream {
    let moved = tokens.to_token_stream().into_iter().map(|mut token| {
        token.set_span(span);
        token
    });
    moved.collect()
}

/// The first and the last place of tokens: code between the two is underlined from end to end.
pub fn ends(tokens: &impl ToTokens) -> (Span, Span) {
    let mut tokens = tokens.to_token_stream().into_iter();
    let first = tokens.next();
    let last = tokens.last().or_else(|| first.clone());
    let span =
        |token: Option<proc_macro2::TokenTree>| at(token.map_or_else(Span::call_site, |token| token.span()));
    (span(first), span(last))
}
