//! Names in options: a text, or a constant that rustc evaluates.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident};
use syn::parse::ParseStream;
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, ExprMacro, Lit, LitStr};

use super::values::expression;
use crate::source_text::to_source;
use crate::span::located_at;

/// A name. As a token it is the text, or the generated constant with the value of the user's expression.
#[derive(Clone)]
pub enum Name {
    Text(LitStr),
    Constant { expr: Expr, constant: Ident },
}

impl Name {
    /// The text; `None` if only rustc knows it.
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.value()),
            Self::Constant { .. } => None,
        }
    }

    /// The name with another generated constant: each constant of a type has a name of its own.
    pub fn held_by(mut self, name: &str) -> Self {
        if let Self::Constant { expr, constant } = &mut self {
            *constant = Ident::new(name, located_at(expr.span()));
        }
        self
    }
}

impl ToTokens for Name {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Text(text) => text.to_tokens(tokens),
            Self::Constant { constant, .. } => constant.to_tokens(tokens),
        }
    }
}

/// A string literal, or an expression that may be a constant.
pub fn name(key: &Ident, input: ParseStream) -> syn::Result<Name> {
    let expr = expression(key, input)?;
    let write = match &expr {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => return Ok(Name::Text(text.clone())),
        Expr::Lit(ExprLit { lit, .. }) => literal(lit),
        // A word in lower case is a text without its quotation marks.
        Expr::Path(path) => {
            let word = path.path.get_ident().filter(|_| path.qself.is_none()).map(Ident::to_string);
            match word.filter(|word| word.starts_with(|first: char| first.is_lowercase())) {
                Some(word) => word,
                None => return Ok(constant(expr)),
            }
        }
        Expr::MethodCall(call) => match &*call.receiver {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => text.value(),
            _ => return Ok(constant(expr)),
        },
        Expr::Macro(call) if call.mac.path.is_ident("format") => formatted(call),
        Expr::Closure(_) => "..".to_owned(),
        _ => return Ok(constant(expr)),
    };
    let takes = if matches!(expr, Expr::Path(_)) { "a string" } else { "a string or a constant" };
    Err(syn::Error::new_spanned(&expr, format!("`{key}` takes {takes}: write `{key} = {write:?}`")))
}

fn constant(expr: Expr) -> Name {
    Name::Constant { constant: format_ident!("__NAME", span = located_at(expr.span())), expr }
}

/// The text that a literal of another type stands for.
fn literal(literal: &Lit) -> String {
    match literal {
        Lit::Char(character) => character.value().to_string(),
        Lit::ByteStr(text) => String::from_utf8_lossy(&text.value()).into_owned(),
        Lit::CStr(text) => text.value().to_string_lossy().into_owned(),
        Lit::Byte(byte) => char::from(byte.value()).to_string(),
        Lit::Bool(value) => value.value().to_string(),
        _ => "..".to_owned(),
    }
}

/// The text of a `format!` without arguments.
fn formatted(call: &ExprMacro) -> String {
    let text = call.mac.parse_body::<LitStr>().map(|text| text.value());
    text.ok().filter(|text| !text.contains(['{', '}'])).unwrap_or_else(|| "..".to_owned())
}

/// The message for a name that no constant can have, if it is one.
pub fn unusable(name: &Name, item: &Ident, parameters: &[String]) -> Option<String> {
    let Name::Constant { expr, .. } = name else { return None };
    let has_self = crate::generics::mentions(expr, &["Self".to_owned()]);
    if crate::generics::mentions(expr, parameters) || (has_self && !parameters.is_empty()) {
        return Some(format!("a name cannot depend on a type parameter: use a constant outside of `{item}`"));
    }
    let write = to_source(expr).replace("Self", &item.to_string());
    has_self.then(|| format!("an attribute does not know `Self`: write `{write}`"))
}
