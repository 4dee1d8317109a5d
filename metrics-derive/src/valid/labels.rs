//! Checks of the labels of breakdowns.

use syn::{Type, TypeReference, TypeTuple};

use crate::attr::{Keyed, Labels};
use crate::ctxt::Ctxt;
use crate::resolved::Field;
use crate::shape::{Cardinality, Kind, TypeShape, cardinality, is_not_a_label, is_option};
use crate::source_text::to_source;

/// Tuples of up to this many labels implement `Label`.
const MAX_LABEL_PARTS: usize = 4;

/// Whether `L` of `Breakdown<L, D>` can be a label. Also checks the sources in `by` and their names.
pub fn check(cx: &Ctxt, field: &Field) -> bool {
    if !matches!(field.shape.kind, Kind::Breakdown | Kind::Top | Kind::Unknown) {
        return true;
    }
    let by: Vec<_> = field.feeds.iter().filter_map(|feed| feed.options.by.as_ref()).collect();
    let Some(label) = field.shape.arguments.first().filter(|_| field.shape.kind.has_labels()) else {
        if !field.inherits_labels {
            names_fit(cx, &by);
        }
        return true;
    };
    let ty = label.ty;
    if let Type::Reference(TypeReference { lifetime: None, elem, .. }) = ty {
        let (of, inner, label) = (field.shape.name(), to_source(field.shape.inner().ty), to_source(elem));
        let owned = if label == "str" { "String" } else { label.as_str() };
        cx.error(ty, format!("a label owns its data: write `{of}<{owned}, {inner}>`"));
        return false;
    }
    if let Type::Tuple(tuple) = ty
        && !parts_fit(cx, field, tuple, by.first().map(|by| &by.value))
    {
        return false;
    }
    // `inherited` has checked the labels of the struct.
    if !field.inherits_labels && (!sources_fit(cx, ty, &by) || !names_fit(cx, &by)) {
        return true;
    }
    if is_not_a_label(ty) {
        cx.error(ty, format!("`{}` is not a label: {}", to_source(ty), instead(field, label)));
        return false;
    }
    let is_breakdown = field.shape.kind == Kind::Breakdown;
    // `top::check` reports a `keep`, and names `limit`.
    let has_limit = field.options.limit.is_some() || field.options.keep.is_some();
    if is_breakdown && !by.is_empty() && !has_limit && cardinality(ty) == Some(Cardinality::Unbounded) {
        cx.error(
            ty,
            format!(
                "labels of type `{}` are unbounded: add `limit = <N>`, or use an enum with `#[derive(Label)]`",
                to_source(ty)
            ),
        );
    }
    true
}

/// What to write in place of a type that is no label.
fn instead(field: &Field, label: &TypeShape) -> String {
    match label.arguments.as_slice() {
        [some] if is_option(label.ty) => {
            let (some, inner) = (to_source(some.ty), to_source(field.shape.inner().ty));
            let of = field.shape.name();
            format!("write `{of}<{some}, {inner}>`, which ignores an event whose label is `None`")
        }
        _ => "use an enum with `#[derive(Label)]`, a string or an integer".to_owned(),
    }
}

fn parts_fit(cx: &Ctxt, field: &Field, tuple: &TypeTuple, by: Option<&Labels>) -> bool {
    match tuple.elems.len() {
        1 => {
            let inner = to_source(field.shape.inner().ty);
            let label = to_source(&tuple.elems);
            let mut message = format!(
                "a label of one part needs no parentheses: write `{}<{}, {inner}>`",
                field.shape.name(),
                label.trim_end_matches(',')
            );
            if let Some(Labels { parts, is_tuple: true }) = by
                && let [only] = parts.as_slice()
            {
                message = format!("{message} and `by = {}`", to_source(only));
            }
            cx.error(tuple, message);
        }
        number if number > MAX_LABEL_PARTS => {
            cx.error(tuple, too_many_parts(number));
        }
        _ => return true,
    }
    false
}

/// Whether the number of sources is that of the label's parts.
fn sources_fit(cx: &Ctxt, ty: &Type, by: &[&Keyed<Labels>]) -> bool {
    let expected = if let Type::Tuple(tuple) = ty { tuple.elems.len() } else { 1 };
    for Keyed { key, value: labels } in by {
        match labels.parts.as_slice() {
            [only] if labels.is_tuple => {
                let message =
                    format!("a label of one part needs no parentheses: write `by = {}`", to_source(only));
                cx.error(only, message);
            }
            [_, _, _, _, beyond, ..] => cx.error(beyond, too_many_parts(labels.parts.len())),
            parts if expected > 1 && labels.count() != expected => {
                let (ty, count) = (to_source(ty), labels.count());
                let message = format!(
                    "a label of type `{ty}` has {expected} parts, and `by` names {count}: write `by({})`",
                    vec!["<event field>"; expected].join(", ")
                );
                match parts {
                    [only] if only.name().is_none() => cx.error(only, message),
                    _ => cx.error(key, message),
                }
            }
            _ => continue,
        }
        return false;
    }
    true
}

/// Whether each label has a name, each another one, and the same ones in each `on(..)`.
pub fn names_fit(cx: &Ctxt, by: &[&Keyed<Labels>]) -> bool {
    // The names of the first event whose labels all have one.
    let known = by.iter().find_map(|by| by.value.names()).unwrap_or_default();
    for Keyed { key, value: labels } in by {
        let mut names = Vec::new();
        for part in &labels.parts {
            let Some(name) = part.name() else {
                let write =
                    if labels.count() == known.len() { labels.renamed(&known) } else { labels.with_names() };
                cx.error(part, format!("this label has no name: write `{write}`"));
                return false;
            };
            if names.contains(&name) {
                let other = part.text_named("other");
                let message =
                    format!("two labels are named `{name}`: give this one another name, `by(.., {other})`");
                cx.error(part, message);
                return false;
            }
            names.push(name);
        }
        if names != known {
            cx.error(key, other_names(labels, &names, &known));
            return false;
        }
    }
    true
}

/// The message about labels that have other names than those of an event before, or the same ones in another order.
fn other_names(labels: &Labels, names: &[String], first: &[String]) -> String {
    if names.len() != first.len() {
        return "the labels of a breakdown have the same names for all events".to_owned();
    }
    let part_named = |name| names.iter().position(|other| other == name).map(|at| &labels.parts[at]);
    let in_order: Option<Vec<_>> =
        first.iter().map(|name| Some(part_named(name)?.text_named(name))).collect();
    if let Some(parts) = in_order {
        let message = "the labels of a breakdown have the same order for all events";
        return format!("{message}: write `by({})`", parts.join(", "));
    }
    let message = "the labels of a breakdown have the same names for all events";
    format!("{message}: write `{}`", labels.renamed(first))
}

fn too_many_parts(number: usize) -> String {
    format!("a tuple of labels has at most {MAX_LABEL_PARTS} parts, this one has {number}")
}
