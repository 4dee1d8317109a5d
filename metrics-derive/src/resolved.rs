//! A metric as the user meant it: each feed has its event. [`valid`](crate::valid) has reported all mistakes, so code can be
//! written for it.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{DeriveInput, Expr, Ident, Path, Type};

use crate::ast::Role;
use crate::attr::{FeedOptions, FieldOptions, Help, Keyed, Name, Source};
use crate::shape::{Kind, TypeShape};
use crate::source_text::to_source;

pub struct Metric<'a> {
    pub input: &'a DeriveInput,
    /// The path of the `mvx_metrics` crate.
    pub root: Path,
    pub name: Name,
    pub help: Help,
    pub events: Vec<Event>,
    pub fields: Vec<Field<'a>>,
}

/// An event that the metric listens to.
pub struct Event {
    /// As the user wrote it.
    pub listed: Type,
    pub ty: Type,
    /// The variant of an enum, where only the events of one variant are listed.
    pub variant: Option<Ident>,
    /// The handler that the user has written.
    pub with: Option<Keyed<Path>>,
    pub when: Option<Keyed<Source>>,
    /// Whether the struct lists the event, so that fields need not.
    pub container_level: bool,
}

pub struct Field<'a> {
    /// Its position in the struct.
    pub index: usize,
    pub ident: &'a Ident,
    pub shape: TypeShape<'a>,
    pub name: Name,
    pub help: Help,
    pub role: Role,
    pub options: FieldOptions,
    pub feeds: Vec<Feed>,
    /// Whether the labels are those of the struct.
    pub inherits_labels: bool,
    /// Whether what the field records is a type parameter of the struct.
    pub is_of_parameter: bool,
    pub verdict: Verdict,
}

/// What one event does to a field.
pub struct Feed {
    /// The position in [`Metric::events`].
    pub event: usize,
    pub options: FeedOptions,
    /// The event, where its options stand outside of `on(..)`.
    pub bare_of: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Valid,
    /// A mistake in the options: the snapshot shows the field, and no event feeds it.
    Broken,
    /// A mistake in the type: the generated code leaves the field out.
    Unusable,
}

impl<'a> Metric<'a> {
    /// The types of the events, each once, with the positions in [`Metric::events`] that list it or variants of it.
    pub fn event_types(&self) -> Vec<(&Type, Vec<usize>)> {
        let mut types: Vec<(&Type, Vec<usize>)> = Vec::new();
        for (index, event) in self.events.iter().enumerate() {
            let source = to_source(&event.ty);
            match types.iter_mut().find(|(ty, _)| to_source(ty) == source) {
                Some((_, listed)) => listed.push(index),
                None => types.push((&event.ty, vec![index])),
            }
        }
        types
    }

    /// The fields that are part of the snapshot.
    pub fn visible_fields(&self) -> impl Iterator<Item = &Field<'a>> {
        self.fields.iter().filter(|field| field.role != Role::Skip && field.verdict != Verdict::Unusable)
    }
}

impl Field<'_> {
    /// The text in front of the names of the dimensions of a flattened metric.
    pub fn prefix(&self) -> TokenStream {
        let prefix = self.options.flatten.as_ref().and_then(|flatten| flatten.value.prefix.as_ref());
        prefix.map_or_else(|| "".to_token_stream(), |prefix| prefix.value.to_token_stream())
    }

    /// Whether an event names a label.
    pub fn has_by(&self) -> bool {
        self.feeds.iter().any(|feed| feed.options.by.is_some())
    }

    /// Whether the field records the time between two events.
    pub fn is_between_events(&self) -> bool {
        self.feeds.iter().any(|feed| feed.options.begin.is_some() || feed.options.end.is_some())
    }

    /// The number of labels that a `Top` keeps, if the option has no mistake.
    pub fn keep(&self) -> Option<&Expr> {
        let keep = self.options.keep.as_ref().filter(|_| self.verdict == Verdict::Valid);
        keep.map(|keep| &keep.value)
    }

    /// The types of a breakdown that may be one of a metric: of labels, and of what it keeps for each label. Only trait bounds
    /// tell a metric from a dimension.
    pub fn per_label(&self) -> Option<(&Type, &Type)> {
        let (Kind::Breakdown, [label, inner, ..]) = (self.shape.kind, self.shape.arguments.as_slice()) else {
            return None;
        };
        let is_open = inner.kind == Kind::Unknown && !self.is_of_parameter && !self.is_of_one_dimension();
        (self.role == Role::Dimension && is_open).then_some((label.ty, inner.ty))
    }

    /// Whether the field is exactly one dimension of the metric.
    pub fn is_one_dimension(&self) -> bool {
        self.role == Role::Dimension && self.per_label().is_none()
    }

    /// Whether options say that a breakdown is one of a dimension.
    pub fn is_of_one_dimension(&self) -> bool {
        let has_values = |feed: &Feed| {
            let FeedOptions { value, add, sub, set, .. } = &feed.options;
            value.is_some() || add.is_some() || sub.is_some() || set.is_some()
        };
        let FieldOptions { unit, merge, .. } = &self.options;
        unit.is_some() || merge.is_some() || self.feeds.iter().any(has_values)
    }

    /// Whether the field is a histogram with declared bounds, or one for each label.
    pub fn has_buckets(&self) -> bool {
        self.is_distribution() && self.options.buckets.is_some()
    }

    /// Whether the field is a histogram with a declared number of exponential buckets, or one for each label.
    pub fn has_max_buckets(&self) -> bool {
        self.is_distribution() && !self.has_buckets() && self.options.max_buckets.is_some()
    }

    fn is_distribution(&self) -> bool {
        self.role == Role::Dimension
            && self.verdict != Verdict::Unusable
            && self.shape.inner().kind == Kind::Histogram
    }
}
