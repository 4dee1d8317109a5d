//! What to write instead of an expression that is no source: code that compiles, or nothing.

use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{BinOp, Expr, ExprField, Ident, Macro, Member, Token, UnOp};

use crate::shape::{mentions, written};

/// What the event is called by those who forget the closure.
const EVENT: [&str; 4] = ["e", "ev", "evt", "event"];

/// What to write instead of `expr`, which stands for a value, a label or a condition, as far as that can be told without
/// knowing the fields of the event. With `assign` it begins with `word =`.
pub fn instead(word: &str, assign: bool, expr: &Expr) -> Option<String> {
    let code = |code: String| if assign { format!("`{word} = {code}`") } else { format!("`{code}`") };
    let closure = |expr| Closure { event: called(expr), used: false }.around(expr);
    match plain(expr) {
        Some(Expr::Path(path)) if word != "when" => Some(code(written(path))),
        Some(Expr::Field(access)) if word != "when" && is_event(&access.base) => {
            Some(code(written(&access.member)))
        }
        // The name before the dot may be that of the event as well as that of a field.
        Some(access @ Expr::Field(ExprField { base, member, .. }))
            if word != "when" && matches!(**base, Expr::Path(_)) =>
        {
            Some(format!("{}, or {} for a field of a field", code(written(member)), code(closure(access)?)))
        }
        // Within more than that, `self` may well be the metric, whose own fields a closure can read.
        None if mentions(expr, &["self".to_owned()]) => None,
        plain => closure(plain.unwrap_or(expr)).map(code),
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
    path.path.get_ident().is_some_and(|ident| ident == "self" || EVENT.iter().any(|name| ident == name))
}

/// What the expression calls the event; any name will do for the parameter of a closure.
fn called(expr: &Expr) -> &'static str {
    let text = written(expr);
    let mut words = text.split(|character: char| !character.is_alphanumeric() && character != '_');
    words.find_map(|word| EVENT.into_iter().find(|name| *name == word)).unwrap_or(EVENT[0])
}

/// Whether an identifier is spelled like a variable, not like a constant, a variant or a type.
fn is_value(ident: &Ident) -> bool {
    ident.unraw().to_string().starts_with(|first: char| first.is_lowercase() || first == '_')
}

/// The closure under construction.
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

    /// The body, in which what is spelled like a variable is a field of the event.
    fn spell(&mut self, expr: &Expr) -> Option<String> {
        Some(match expr {
            Expr::Lit(literal) => literal.to_token_stream().to_string(),
            Expr::Path(path) if path.qself.is_none() => match path.path.get_ident() {
                Some(_) if is_event(expr) => self.event().to_owned(),
                Some(ident) if is_value(ident) => format!("{}.{ident}", self.event()),
                _ => written(path),
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
                let turbofish = call.turbofish.as_ref().map(written).unwrap_or_default();
                format!("{receiver}.{}{turbofish}({arguments})", call.method)
            }
            Expr::Call(call) => match &*call.func {
                Expr::Path(function) => format!("{}({})", written(function), self.list(&call.args)?),
                _ => return None,
            },
            Expr::Index(index) => format!("{}[{}]", self.spell(&index.expr)?, self.spell(&index.index)?),
            Expr::Paren(paren) => format!("({})", self.spell(&paren.expr)?),
            Expr::Group(group) if matches!(*group.expr, Expr::Binary(_)) => {
                format!("({})", self.spell(&group.expr)?)
            }
            Expr::Group(group) => self.spell(&group.expr)?,
            Expr::Tuple(tuple) if tuple.elems.len() > 1 => format!("({})", self.list(&tuple.elems)?),
            Expr::Cast(cast) => format!("{} as {}", self.spell(&cast.expr)?, written(&cast.ty)),
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
                    written(&binary.op),
                    self.spell(&binary.right)?
                )
            }
            Expr::Macro(call) if call.mac.path.is_ident("matches") => self.matches(&call.mac)?,
            _ => return None,
        })
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
        Some(format!("matches!({}, {})", self.spell(&expr)?, written(&pattern)))
    }
}

fn assigns(op: &BinOp) -> bool {
    let op = written(op);
    op.ends_with('=') && !["==", "!=", "<=", ">="].contains(&op.as_str())
}
