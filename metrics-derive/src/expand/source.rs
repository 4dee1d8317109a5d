//! Code that takes values, labels and conditions from the event.

use proc_macro2::{Delimiter, Group, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, Lit, LitFloat};

use crate::attr::Source;
use crate::span::{ends, located_at};

/// The type of constants such as `add = 1`.
pub struct Constant {
    pub ty: TokenStream,
    pub is_float: bool,
}

/// The expression that takes a value from the event.
pub fn value(private: &TokenStream, source: &Source, constant: Option<&Constant>) -> TokenStream {
    let span = located_at(source.span());
    match source {
        Source::Field(field) => quote_spanned!(span=> __event.#field),
        Source::Index(index) => quote_spanned!(span=> __event.#index),
        Source::Path(_) | Source::Closure(_) => {
            // The parentheses end where the source ends, so that rustc underlines all of it.
            let (first, last) = ends(source);
            let mut arguments = Group::new(Delimiter::Parenthesis, quote!(__event, #source));
            arguments.set_span(last);
            quote_at!(private, first => #private::with #arguments)
        }
        Source::Constant(expr) => match constant {
            Some(Constant { ty, is_float }) if unsuffixed(expr) => {
                let expr = if *is_float { float(expr) } else { expr.clone() };
                quote_spanned!(span=> { let __constant: #ty = #expr; __constant })
            }
            _ => expr.to_token_stream(),
        },
        Source::Tuple(parts) => {
            let parts = parts.iter().map(|part| value(private, part, None));
            quote_spanned!(span=> (#(#parts,)*))
        }
    }
}

/// The expression that takes a label from the event. A field is taken by reference: it need not be `Copy`.
pub fn label(private: &TokenStream, source: &Source) -> TokenStream {
    let span = located_at(source.span());
    match source {
        Source::Field(_) | Source::Index(_) => {
            let field = value(private, source, None);
            quote_spanned!(span=> &#field)
        }
        Source::Tuple(parts) => {
            let parts = parts.iter().map(|part| label(private, part));
            quote_spanned!(span=> (#(#parts,)*))
        }
        other => value(private, other, None),
    }
}

/// The expression that checks a condition on the event.
pub fn condition(private: &TokenStream, source: &Source) -> TokenStream {
    let span = located_at(source.span());
    if let Source::Path(path) = source
        && path.get_ident().is_some()
    {
        // A call: if the path is the name of a field, rustc says that there is no such function.
        return quote_at!(private, span => {
            let __condition: #private::primitive::bool = #path(__event);
            __condition
        });
    }
    quote_at!(private, span => #private::when(__event, #source))
}

/// The names of the labels: the fields that they come from, if the source shows them.
pub fn label_names(source: &Source, dimension: &str) -> Vec<String> {
    let fallback = dimension.strip_prefix("by_").unwrap_or(dimension);
    match source {
        Source::Tuple(parts) => {
            let names = parts.iter().enumerate();
            names
                .map(|(index, part)| name_of(part).unwrap_or_else(|| format!("{fallback}_{}", index + 1)))
                .collect()
        }
        Source::Closure(closure) => {
            let names: Vec<_> = match &*closure.body {
                Expr::Tuple(tuple) => tuple.elems.iter().map(field_of).collect(),
                body => vec![field_of(body)],
            };
            let several = names.len() > 1;
            let numbered = |index: usize| {
                if several { format!("{fallback}_{}", index + 1) } else { fallback.to_owned() }
            };
            names
                .into_iter()
                .enumerate()
                .map(|(index, name)| name.unwrap_or_else(|| numbered(index)))
                .collect()
        }
        source => vec![name_of(source).unwrap_or_else(|| fallback.to_owned())],
    }
}

fn name_of(source: &Source) -> Option<String> {
    use syn::ext::IdentExt;
    match source {
        Source::Field(field) => Some(field.unraw().to_string()),
        Source::Closure(closure) => field_of(&closure.body),
        _ => None,
    }
}

/// The field that an expression such as `&e.host` or `e.host.as_str()` reads.
fn field_of(expr: &Expr) -> Option<String> {
    use syn::ext::IdentExt;
    match expr {
        Expr::Reference(reference) => field_of(&reference.expr),
        Expr::MethodCall(call) => field_of(&call.receiver),
        Expr::Paren(paren) => field_of(&paren.expr),
        Expr::Group(group) => field_of(&group.expr),
        Expr::Unary(unary) => field_of(&unary.expr),
        Expr::Index(index) => field_of(&index.expr),
        Expr::Binary(binary) => field_of(&binary.left),
        Expr::Cast(cast) => field_of(&cast.expr),
        Expr::Field(field) => match &field.member {
            syn::Member::Named(name) => Some(name.unraw().to_string()),
            syn::Member::Unnamed(_) => None,
        },
        _ => None,
    }
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
