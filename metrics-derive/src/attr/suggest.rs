//! Suggests code in place of an expression that is no [`Source`](super::Source). Suggested code compiles.

use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{BinOp, Expr, ExprCall, ExprField, Ident, Macro, Member, Path, Token, UnOp};

use super::labels::written;
use super::source::Place;
use crate::generics::mentions;
use crate::source_text::to_source;

/// Names that users give to the event when they forget the closure.
const EVENT_NAMES: [&str; 4] = ["e", "ev", "evt", "event"];

/// Suggests a value, a label or a condition in place of `expr`; `None` if no code surely compiles. The fields of the event
/// are not known.
pub fn suggest(key: &str, place: Place, expr: &Expr) -> Option<String> {
    let code = |code: String| format!("`{}`", written(key, place, &code));
    let closure = |expr| Closure { event: event_name(expr), used: false }.around(expr);
    if let Some(function) = called_without_arguments(expr) {
        let path = to_source(function);
        return Some(match function.get_ident() {
            // It may be a method of the event or a function of the module.
            Some(name) => format!(
                "{} for a method, or {} for a function",
                code(format!("|e| e.{name}()")),
                code(format!("|e| {name}(e)"))
            ),
            None => code(path),
        });
    }
    match plain(expr) {
        Some(Expr::Path(path)) => Some(code(to_source(path))),
        Some(Expr::Field(access)) if is_event(&access.base) => Some(code(to_source(&access.member))),
        // The name before the dot may mean the event or a field of the event.
        Some(access @ Expr::Field(ExprField { base, member, .. })) if matches!(**base, Expr::Path(_)) => {
            Some(format!("{}, or {} for a field of a field", code(to_source(member)), code(closure(access)?)))
        }
        // In a longer expression `self` may mean the metric: a closure can read its fields. Nothing to suggest.
        None if mentions(expr, &["self".to_owned()]) => None,
        plain => closure(plain.unwrap_or(expr)).map(code),
    }
}

/// The path of a call such as `is_large()`.
fn called_without_arguments(expr: &Expr) -> Option<&Path> {
    match expr {
        Expr::Call(ExprCall { func, args, .. }) if args.is_empty() => match &**func {
            Expr::Path(path) if path.qself.is_none() => Some(&path.path),
            _ => None,
        },
        _ => None,
    }
}

/// The field in an expression such as `&bytes` or `event.bytes`.
fn plain(expr: &Expr) -> Option<&Expr> {
    match expr {
        Expr::Reference(reference) if reference.mutability.is_none() => plain(&reference.expr),
        Expr::Unary(unary) if matches!(unary.op, UnOp::Deref(_)) => plain(&unary.expr),
        Expr::Paren(paren) => plain(&paren.expr),
        Expr::Group(group) => plain(&group.expr),
        Expr::Path(path) if path.path.get_ident().is_some_and(is_value) => Some(expr),
        Expr::Field(ExprField { base, .. }) => plain(base).map(|_| expr),
        _ => None,
    }
}

fn is_event(expr: &Expr) -> bool {
    let Expr::Path(path) = expr else { return false };
    path.path.get_ident().is_some_and(|ident| ident == "self" || EVENT_NAMES.iter().any(|name| ident == name))
}

/// The name of the event in the expression. Without one any name will do.
fn event_name(expr: &Expr) -> &'static str {
    let text = to_source(expr);
    let mut words = text.split(|character: char| !character.is_alphanumeric() && character != '_');
    words.find_map(|word| EVENT_NAMES.into_iter().find(|name| *name == word)).unwrap_or(EVENT_NAMES[0])
}

/// Whether an identifier is spelled like a variable, not like a constant, a variant or a type.
fn is_value(ident: &Ident) -> bool {
    ident.unraw().to_string().starts_with(|first: char| first.is_lowercase() || first == '_')
}

/// A closure under construction.
struct Closure {
    /// The name of its parameter.
    event: &'static str,
    used: bool,
}

impl Closure {
    fn around(mut self, expr: &Expr) -> Option<String> {
        let body = self.spell(expr)?;
        let event = if self.used { self.event } else { "_" };
        Some(format!("|{event}| {body}"))
    }

    /// The body. Each name that is spelled like a variable becomes a field of the event.
    fn spell(&mut self, expr: &Expr) -> Option<String> {
        Some(match expr {
            Expr::Lit(literal) => literal.to_token_stream().to_string(),
            Expr::Path(path) if path.qself.is_none() => match path.path.get_ident() {
                Some(_) if is_event(expr) => self.event().to_owned(),
                Some(ident) if is_value(ident) => format!("{}.{ident}", self.event()),
                _ => to_source(path),
            },
            Expr::Field(field) => {
                let base = self.spell(&field.base)?;
                match &field.member {
                    Member::Named(name) => format!("{base}.{name}"),
                    Member::Unnamed(index) => format!("{base}.{}", index.index),
                }
            }
            Expr::MethodCall(call) => {
                let (receiver, arguments) = (self.spell(&call.receiver)?, self.list(&call.args)?);
                let turbofish = call.turbofish.as_ref().map(to_source).unwrap_or_default();
                format!("{receiver}.{}{turbofish}({arguments})", call.method)
            }
            Expr::Call(call) => match &*call.func {
                Expr::Path(function) => format!("{}({})", to_source(function), self.list(&call.args)?),
                _ => return None,
            },
            Expr::Index(index) => format!("{}[{}]", self.spell(&index.expr)?, self.spell(&index.index)?),
            Expr::Paren(paren) => format!("({})", self.spell(&paren.expr)?),
            Expr::Group(group) if matches!(*group.expr, Expr::Binary(_)) => {
                format!("({})", self.spell(&group.expr)?)
            }
            Expr::Group(group) => self.spell(&group.expr)?,
            // A tuple of fields cannot move them out of the event.
            Expr::Tuple(tuple) if tuple.elems.len() > 1 => {
                let parts: Option<Vec<_>> =
                    tuple.elems.iter().map(|part| self.spell_borrowed(part)).collect();
                format!("({})", parts?.join(", "))
            }
            Expr::Cast(cast) => format!("{} as {}", self.spell(&cast.expr)?, to_source(&cast.ty)),
            Expr::Reference(reference) if reference.mutability.is_none() => {
                format!("&{}", self.spell(&reference.expr)?)
            }
            Expr::Unary(unary) => {
                let operator = match unary.op {
                    UnOp::Not(_) => "!",
                    UnOp::Neg(_) => "-",
                    _ => return None,
                };
                format!("{operator}{}", self.spell(&unary.expr)?)
            }
            Expr::Binary(binary) if !assigns(&binary.op) => {
                format!(
                    "{} {} {}",
                    self.spell(&binary.left)?,
                    to_source(&binary.op),
                    self.spell(&binary.right)?
                )
            }
            Expr::Macro(call) if call.mac.path.is_ident("matches") => self.matches(&call.mac)?,
            _ => return None,
        })
    }

    fn spell_borrowed(&mut self, expr: &Expr) -> Option<String> {
        let is_place = matches!(expr, Expr::Path(_) | Expr::Field(_) | Expr::Index(_));
        Some(format!("{}{}", if is_place { "&" } else { "" }, self.spell(expr)?))
    }

    fn event(&mut self) -> &'static str {
        self.used = true;
        self.event
    }

    fn list<'e>(&mut self, exprs: impl IntoIterator<Item = &'e Expr>) -> Option<String> {
        let exprs: Option<Vec<_>> = exprs.into_iter().map(|expr| self.spell(expr)).collect();
        exprs.map(|exprs| exprs.join(", "))
    }

    /// `matches!(outcome, Outcome::Success)`.
    fn matches(&mut self, call: &Macro) -> Option<String> {
        let parts = |input: ParseStream| {
            let expr: Expr = input.parse()?;
            input.parse::<Token![,]>()?;
            Ok((expr, input.parse::<proc_macro2::TokenStream>()?))
        };
        let (expr, pattern) = parts.parse2(call.tokens.clone()).ok()?;
        Some(format!("matches!({}, {})", self.spell(&expr)?, to_source(&pattern)))
    }
}

fn assigns(op: &BinOp) -> bool {
    let op = to_source(op);
    op.ends_with('=') && !["==", "!=", "<=", ">="].contains(&op.as_str())
}
