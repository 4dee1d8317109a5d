//! The labels of the struct: `by`, `limit` and `keep` of `#[metric(..)]` hold for each dimension without `by` of its own.

use syn::{Expr, Type};

use super::{dimension, labels, top, variants};
use crate::ast::{Field, Role};
use crate::attr::{Keyed, Labels, MetricOptions};
use crate::ctxt::Ctxt;
use crate::resolved::{self, Event};
use crate::shape::{Cardinality, Kind, TypeShape, cardinality};
use crate::source_text::to_source;

/// What fields inherit.
#[derive(Default)]
pub struct Inherited {
    by: Option<Keyed<Labels>>,
    limit: Option<Keyed<Expr>>,
    keep: Option<Keyed<Expr>>,
    /// The type of the labels, for messages.
    label: String,
    /// Whether the options have a mistake: then no event feeds a field that inherits them.
    is_broken: bool,
}

impl Inherited {
    /// Reports the mistakes of the options themselves, so that no field repeats them.
    pub fn of(cx: &Ctxt, options: &MetricOptions, fields: &[Field]) -> Self {
        let MetricOptions { by, limit, keep, .. } = options;
        let errors = cx.error_count();
        let Some(by) = by else {
            let has_by = |field: &Field| {
                let mut feeds = field.attrs.on.iter().map(|on| &on.options).chain([&field.attrs.bare]);
                feeds.any(|feed| feed.by.is_some())
            };
            let are_of_fields = fields.iter().any(has_by);
            for Keyed { key, value } in [limit, keep].into_iter().flatten() {
                let message = if are_of_fields {
                    let write = format!("write `#[dimension({key} = {})]` there", to_source(value));
                    format!("`{key}` belongs on a field, beside its `by`: {write}")
                } else {
                    format!("`{key}` of the struct needs `by`: add `by = <event field>`")
                };
                cx.error(key, message);
            }
            // The limit that the user wrote in the wrong place is not missing elsewhere.
            return Self { limit: limit.clone(), keep: keep.clone(), ..Self::default() };
        };
        let mut inherited = Self {
            by: Some(by.clone()),
            limit: limit.clone(),
            keep: keep.clone(),
            label: String::new(),
            is_broken: false,
        };
        let heirs: Vec<_> = fields.iter().filter(|field| inherited.has_labels_for(field)).collect();
        let labels = heirs.iter().filter_map(|field| label_of(&field.shape));
        inherited.label = labels
            .map(to_source)
            .next()
            .unwrap_or_else(|| unknown_label(by, limit.is_some() || keep.is_some()));
        dimension::check_limit(cx, limit.as_ref());
        top::check_keep(cx, keep.as_ref());
        if labels::names_fit(cx, &[by]) && cx.error_count() == errors {
            inherited.check_use(cx, by, &heirs);
        }
        inherited.is_broken = cx.error_count() > errors;
        inherited
    }

    /// Reports an option that is missing, or that no field takes.
    fn check_use(&self, cx: &Ctxt, by: &Keyed<Labels>, heirs: &[&Field]) {
        if heirs.is_empty() {
            let message = "`by` of the struct holds for dimensions without `by` of their own, and there is none: remove it";
            return cx.error(&by.key, message);
        }
        let unbounded = heirs.iter().filter(|field| field.attrs.options.limit.is_none());
        let unbounded = unbounded.filter(|field| field.shape.kind == Kind::Breakdown);
        let mut unbounded = unbounded
            .filter_map(|field| label_of(&field.shape))
            .filter(|label| self.limit.is_none() && cardinality(label) == Some(Cardinality::Unbounded));
        if let Some(label) = unbounded.next() {
            let label = to_source(label);
            let message = format!(
                "labels of type `{label}` are unbounded: add `limit = <N>`, or use an enum with `#[derive(Label)]`"
            );
            return cx.error(&by.key, message);
        }
        for (option, kind, ty) in
            [(&self.limit, Kind::Breakdown, "Breakdown<L, D>"), (&self.keep, Kind::Top, "Top<L, D>")]
        {
            let is_taken = heirs.iter().any(|field| {
                [kind, Kind::Unknown].contains(&field.shape.kind) || !field.shape.kind.has_labels()
            });
            if let Some(Keyed { key, .. }) = option.as_ref().filter(|_| !is_taken) {
                let message = format!(
                    "`{key}` applies to `{ty}` only, and no dimension with these labels is one: remove it"
                );
                cx.error(key, message);
            }
        }
    }

    /// Whether a field takes the labels of the struct.
    pub fn has_labels_for(&self, field: &Field) -> bool {
        let attrs = &field.attrs;
        let feeds = || attrs.on.iter().map(|on| &on.options).chain([&attrs.bare]);
        let has_own = feeds().any(|feed| feed.by.is_some());
        // The time between two events has no label.
        let is_between = feeds().any(|feed| feed.begin.is_some() || feed.end.is_some());
        self.by.is_some()
            && !has_own
            && !is_between
            && field.role == Role::Dimension
            && attrs.options.manual.is_none()
            && field.shape.kind != Kind::NotADimension
    }

    /// Whether the struct has a limit, and no labels: a mistake.
    pub fn lacks_labels(&self) -> bool {
        self.by.is_none() && (self.limit.is_some() || self.keep.is_some())
    }

    pub fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// Gives the labels to a field, and the limit that its type takes. An alias may be of both types: it gets `limit`.
    pub fn give_labels(&self, field: &mut resolved::Field, events: &[Event]) {
        for feed in field.feeds.iter_mut().filter(|_| field.inherits_labels) {
            feed.options.by.clone_from(&self.by);
            if events[feed.event].variant.is_some() {
                variants::bind(&mut feed.options);
            }
        }
        let options = &mut field.options;
        let has_own = options.limit.is_some() || options.keep.is_some();
        let is_top =
            field.shape.kind == Kind::Top || (field.shape.kind == Kind::Unknown && self.limit.is_none());
        match (has_own, is_top) {
            (true, _) => {}
            (false, true) => options.keep.clone_from(&self.keep),
            (false, false) => options.limit.clone_from(&self.limit),
        }
    }

    /// Whether the type of a field can have these labels.
    pub fn fit(&self, cx: &Ctxt, field: &resolved::Field) -> bool {
        let shape = &field.shape;
        let Some(by) = self.by.as_ref().filter(|_| !self.is_broken) else { return true };
        if !shape.kind.has_labels() && shape.kind != Kind::Unknown {
            let (ty, label) = (to_source(shape.ty), &self.label);
            let of = if self.limit.is_none() && self.keep.is_some() && top::is_weight(shape) {
                "Top"
            } else {
                "Breakdown"
            };
            let message = format!(
                "`{ty}` has no labels, and `by` of the struct gives it some: write `{of}<{label}, {ty}>`"
            );
            cx.error(shape.ty, message);
            return false;
        }
        let count = by.value.count();
        if let Some(Type::Tuple(label)) = label_of(shape)
            && label.elems.len() > 1
            && label.elems.len() != count
        {
            let (source, parts) = (to_source(label), label.elems.len());
            let sources = vec!["<event field>"; parts].join(", ");
            let message = format!(
                "a label of type `{source}` has {parts} parts, and `by` of the struct names {count}: write `by({sources})` here or there"
            );
            cx.error(label, message);
            return false;
        }
        true
    }
}

/// `L` of `Breakdown<L, D>` and `Top<L, D>`.
fn label_of<'a>(shape: &TypeShape<'a>) -> Option<&'a Type> {
    let label = shape.arguments.first().filter(|_| shape.kind.has_labels() && shape.arguments.len() > 1);
    label.map(|label| label.ty)
}

/// The type of the labels where no field has it: only the event knows.
fn unknown_label(by: &Keyed<Labels>, has_limit: bool) -> String {
    let label = if has_limit { "String" } else { "L" };
    match by.value.count() {
        1 => label.to_owned(),
        count => format!("({})", vec![label; count].join(", ")),
    }
}
