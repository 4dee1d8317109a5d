//! Collects the mistakes of an item.

use std::cell::RefCell;
use std::fmt::Display;
use std::thread;

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;

/// Collects the mistakes of one item, so that one compilation reports all of them.
///
/// Each macro ends with [`check`](Ctxt::check). Dropping an unchecked context panics: it would hide mistakes.
pub struct Ctxt {
    errors: RefCell<Option<Vec<syn::Error>>>,
    /// The options that the user wrote, each with the attribute or the option around it.
    options: RefCell<Vec<(String, Ident)>>,
}

impl Ctxt {
    pub fn new() -> Self {
        Self { errors: RefCell::new(Some(Vec::new())), options: RefCell::default() }
    }

    /// Reports a mistake and underlines `tokens`, which should be the word to change.
    pub fn error(&self, tokens: impl ToTokens, message: impl Display) {
        self.push(syn::Error::new_spanned(tokens, message));
    }

    pub fn push(&self, error: syn::Error) {
        if let Some(errors) = &mut *self.errors.borrow_mut() {
            errors.push(error);
        }
    }

    /// The number of mistakes so far.
    pub fn error_count(&self) -> usize {
        self.errors.borrow().as_ref().map_or(0, Vec::len)
    }

    /// Notes an option that the user wrote.
    pub fn note_option(&self, place: &str, word: &Ident) {
        self.options.borrow_mut().push((place.to_owned(), word.clone()));
    }

    /// The options so far.
    pub fn options(&self) -> Vec<(String, Ident)> {
        self.options.borrow().clone()
    }

    /// All mistakes as `compile_error!` invocations.
    pub fn check(self) -> TokenStream {
        let errors = self.errors.borrow_mut().take().unwrap_or_default();
        errors.iter().map(syn::Error::to_compile_error).collect()
    }
}

impl Drop for Ctxt {
    fn drop(&mut self) {
        assert!(thread::panicking() || self.errors.borrow().is_none(), "forgot to check for errors");
    }
}
