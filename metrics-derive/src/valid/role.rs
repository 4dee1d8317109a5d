//! Checks of `skip`, `flatten` and `manual`, and of attributes in the wrong place.

use syn::{Attribute, Ident};

use crate::ast::Field;
use crate::ctxt::Ctxt;
use crate::name;
use crate::resolved::{self, Event, Verdict};
use crate::shape::Kind;
use crate::source_text::to_source;

/// Reports options that do not go with `skip`, `flatten` or `manual`.
pub fn check(cx: &Ctxt, field: &Field) {
    report_misplaced(cx, field.attributes, "metric", "the struct", "dimension");
    let options = &field.attrs.options;
    let (key, fitting): (&Ident, &[&str]) = if let Some(skip) = &options.skip {
        (&skip.key, &["skip"])
    } else if let Some(flatten) = &options.flatten {
        (&flatten.key, &["flatten", "on"])
    } else if let Some(manual) = &options.manual {
        (&manual.key, &["manual", "name", "unit", "buckets", "max_buckets", "merge", "zeros"])
    } else {
        return;
    };
    for other in field.attrs.keys() {
        if !fitting.iter().any(|fitting| other == fitting) {
            cx.error(other, format!("`{key}` and `{other}` cannot be combined"));
        }
    }
    if let Some(flatten) = &options.flatten {
        if field.shape.kind != Kind::Unknown {
            let ty = field.shape.ty;
            let message = format!(
                "`{}` cannot be flattened: `flatten` needs a struct with `#[derive(Metric)]`",
                to_source(ty)
            );
            cx.error(ty, message);
        }
        if let Some(prefix) = &flatten.value.prefix {
            name::check(cx, &prefix.value);
        }
    }
}

/// Reports `manual` fields of a metric that listens to events, but without a handler that could change them. A metric without
/// events may be flattened: the handler of the other metric changes it.
pub fn report_unchanged(cx: &Ctxt, events: &[Event], fields: &[resolved::Field]) {
    let Some(event) = events.first().filter(|_| events.iter().all(|event| event.with.is_none())) else {
        return;
    };
    let event = to_source(&event.ty);
    let valid = fields.iter().filter(|field| field.verdict == Verdict::Valid);
    for manual in valid.filter_map(|field| field.options.manual.as_ref()) {
        let message = format!(
            "no handler changes this field: write `on({event}, with = Self::on_event)` on the struct, or remove `manual`"
        );
        cx.error(&manual.key, message);
    }
}

/// Reports attributes that belong elsewhere; true if there are any.
pub fn report_misplaced(
    cx: &Ctxt,
    attributes: &[Attribute],
    name: &str,
    place: &str,
    suggestion: &str,
) -> bool {
    let mut misplaced = attributes.iter().filter(|attribute| attribute.path().is_ident(name)).peekable();
    let any = misplaced.peek().is_some();
    for attribute in misplaced {
        let message = format!("`#[{name}(..)]` belongs on {place}: write `#[{suggestion}(..)]` here");
        cx.error(attribute.path(), message);
    }
    any
}
