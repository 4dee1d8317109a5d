//! The help text of a metric or a dimension: its doc comment.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Attribute, Expr, ExprLit, Lit};

use super::options::named;

/// A help text. As tokens it is one constant.
pub struct Help {
    /// The text as far as it is written out: lines of a paragraph joined by spaces, paragraphs by an empty line.
    pub text: String,
    /// The text in parts, if a macro such as `concat!` makes one of them.
    parts: Vec<TokenStream>,
}

impl Help {
    pub fn of(attributes: &[Attribute]) -> Self {
        let (mut help, mut separator) = (Self { text: String::new(), parts: Vec::new() }, "");
        let mut from = 0;
        for attribute in named(attributes, "doc") {
            let Ok(meta) = attribute.meta.require_name_value() else { continue };
            match &meta.value {
                Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => {
                    for line in text.value().lines().map(str::trim) {
                        if line.is_empty() {
                            separator = if help.is_empty() { "" } else { "\n\n" };
                        } else {
                            help.text.push_str(separator);
                            help.text.push_str(line);
                            separator = " ";
                        }
                    }
                }
                computed => {
                    help.text.push_str(separator);
                    help.parts.push(help.text[from..].to_token_stream());
                    help.parts.push(computed.to_token_stream());
                    (from, separator) = (help.text.len(), " ");
                }
            }
        }
        if !help.parts.is_empty() {
            help.parts.push(help.text[from..].to_token_stream());
        }
        help
    }

    fn is_empty(&self) -> bool {
        self.text.is_empty() && self.parts.is_empty()
    }
}

impl ToTokens for Help {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let parts = &self.parts;
        if parts.is_empty() {
            self.text.to_tokens(tokens);
        } else {
            tokens.extend(quote!(::core::concat!(#(#parts),*)));
        }
    }
}
