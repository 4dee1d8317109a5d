//! What an editor shows when the pointer rests on an option.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use crate::attr::meaning;
use crate::ctxt::Ctxt;

/// The page with all options.
const LANGUAGE: &str = "https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html";

/// A documented item for each option, at the place where the user wrote the option: editors show its documentation there.
///
/// The compiler leaves the items out. The language server rust-analyzer sets the condition `miri` unless told otherwise, and each
/// compiler knows it. A condition that the compiler does not know would be reported in the user's crate.
pub fn options(cx: &Ctxt) -> TokenStream {
    let items = cx.options().into_iter().filter(|(_, word)| is_free(word)).filter_map(|(place, word)| {
        let meaning = meaning(&place, &word.to_string())?;
        let documentation = format!("{meaning}\n\n[All options, with examples]({LANGUAGE}).");
        Some(quote!(#[cfg(miri)] const _: () = { #[doc = #documentation] mod #word {} };))
    });
    items.collect()
}

/// Whether an item can have this name. The option `crate` cannot.
fn is_free(word: &Ident) -> bool {
    syn::parse_str::<Ident>(&word.to_string()).is_ok()
}
