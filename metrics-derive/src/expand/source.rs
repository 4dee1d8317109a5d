//! Code that takes values, labels and conditions from the event.

use proc_macro2::{Delimiter, Group, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, Lit, LitFloat, Path};

use super::variant;
use crate::attr::{Labels, Source};
use crate::span::{ends, located_at, respan, spread};

/// The type of constants such as `add = 1`.
pub struct Constant {
    pub ty: TokenStream,
    pub is_float: bool,
}

/// The expression that takes a value from the event.
pub fn value(private: &TokenStream, source: &Source, constant: Option<&Constant>) -> TokenStream {
    let span = located_at(source.span());
    match source {
        Source::Field(field) => quote_spanned!(span=> __e.#field),
        Source::Index(index) => quote_spanned!(span=> __e.#index),
        Source::OfVariant(member) => {
            let binding = variant::binding(member);
            quote_spanned!(span=> *#binding)
        }
        Source::Path(path) => call(path, &quote!(__e)),
        Source::Closure(_) => {
            // The parentheses end where the source ends, so that rustc underlines all of it.
            let (first, last) = ends(source);
            let mut arguments = Group::new(Delimiter::Parenthesis, quote!(__e, #source));
            arguments.set_span(last);
            let with = spread(&quote!(#private::with), first, last);
            quote_spanned!(first=> #with #arguments)
        }
        Source::Constant(expr) => match constant {
            Some(Constant { ty, is_float }) if unsuffixed(expr) => {
                let expr = if *is_float { float(expr) } else { expr.clone() };
                quote_spanned!(span=> { let __constant: #ty = #expr; __constant })
            }
            _ => expr.to_token_stream(),
        },
    }
}

/// The expression that takes the label from the event: a tuple, if the label has several parts.
pub fn label(private: &TokenStream, labels: &Labels) -> TokenStream {
    match labels.parts.as_slice() {
        [only] => value_by_reference(private, &only.source),
        parts => {
            let parts = parts.iter().map(|part| value_by_reference(private, &part.source));
            quote_spanned!(located_at(labels.span())=> (#(#parts,)*))
        }
    }
}

/// A label or a value that is only read. A field is taken by reference: it need not be `Copy`.
pub fn value_by_reference(private: &TokenStream, source: &Source) -> TokenStream {
    let taken = value(private, source, None);
    match source {
        Source::OfVariant(member) => variant::binding(member).to_token_stream(),
        Source::Field(_) | Source::Index(_) => quote_spanned!(located_at(source.span())=> &#taken),
        _ => taken,
    }
}

/// The expression that checks a condition on the event.
pub fn condition(private: &TokenStream, source: &Source) -> TokenStream {
    let span = located_at(source.span());
    if let Source::Closure(_) = source {
        return quote_at!(private, span => #private::when(__e, #source));
    }
    let value = value(private, source, None);
    quote_at!(private, span => {
        let __condition: #private::primitive::bool = #value;
        __condition
    })
}

/// The call of a function that the user names. rustc underlines the end of its path when the arguments do not fit.
pub fn call(function: &Path, arguments: &TokenStream) -> TokenStream {
    let (first, last) = ends(function);
    let mut arguments = Group::new(Delimiter::Parenthesis, respan(arguments, last));
    arguments.set_span(last);
    quote_spanned!(first=> #function #arguments)
}

/// Whether a number is written without its type.
fn unsuffixed(expr: &Expr) -> bool {
    match expr {
        Expr::Unary(unary) => unsuffixed(&unary.expr),
        Expr::Group(group) => unsuffixed(&group.expr),
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => number.suffix().is_empty(),
        Expr::Lit(ExprLit { lit: Lit::Float(number), .. }) => number.suffix().is_empty(),
        _ => false,
    }
}

/// Whether an expression is written as a number, with or without its type.
pub fn is_number(expr: &Expr) -> bool {
    match expr {
        Expr::Unary(unary) => is_number(&unary.expr),
        Expr::Group(group) => is_number(&group.expr),
        Expr::Lit(ExprLit { lit, .. }) => matches!(lit, Lit::Int(_) | Lit::Float(_)),
        _ => false,
    }
}

/// A number such as `1` as a floating-point number, `1.0`.
pub fn float(expr: &Expr) -> Expr {
    let mut expr = expr.clone();
    match &mut expr {
        Expr::Unary(unary) => *unary.expr = float(&unary.expr),
        Expr::Group(group) => *group.expr = float(&group.expr),
        Expr::Lit(ExprLit { lit, .. }) => {
            if let Lit::Int(number) = lit
                && number.suffix().is_empty()
            {
                *lit = Lit::Float(LitFloat::new(&format!("{}.0", number.base10_digits()), number.span()));
            }
        }
        _ => {}
    }
    expr
}
