//! A metric as the user meant it: each feed has its event. [`valid`](crate::valid) has reported all mistakes, so code can be
//! written for it.

use syn::{DeriveInput, Expr, Ident, LitStr, Path, Type};

use crate::ast::Role;
use crate::attr::{FeedOptions, FieldOptions, Help, Keyed, Source};
use crate::shape::{Kind, TypeShape};

pub struct Metric<'a> {
    pub input: &'a DeriveInput,
    /// The path of the `mvx_metrics` crate.
    pub root: Path,
    pub name: LitStr,
    pub help: Help,
    pub events: Vec<Event>,
    pub fields: Vec<Field<'a>>,
}

/// An event that the metric listens to.
pub struct Event {
    pub ty: Type,
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
    pub name: LitStr,
    pub help: Help,
    pub role: Role,
    pub options: FieldOptions,
    pub feeds: Vec<Feed>,
    pub verdict: Verdict,
}

/// What one event does to a field.
pub struct Feed {
    /// The position in [`Metric::events`].
    pub event: usize,
    pub options: FeedOptions,
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
    /// The fields that are part of the snapshot.
    pub fn visible_fields(&self) -> impl Iterator<Item = &Field<'a>> {
        self.fields.iter().filter(|field| field.role != Role::Skip && field.verdict != Verdict::Unusable)
    }
}

impl Field<'_> {
    /// The text in front of the names of the dimensions of a flattened metric.
    pub fn prefix(&self) -> String {
        let prefix = self.options.flatten.as_ref().and_then(|flatten| flatten.value.prefix.as_ref());
        prefix.map_or_else(String::new, |prefix| prefix.value.value())
    }

    /// Whether an event names a label.
    pub fn has_by(&self) -> bool {
        self.feeds.iter().any(|feed| feed.options.by.is_some())
    }

    /// The number of labels that a `Top` keeps, if the option has no mistake.
    pub fn keep(&self) -> Option<&Expr> {
        let keep = self.options.keep.as_ref().filter(|_| self.verdict == Verdict::Valid);
        keep.map(|keep| &keep.value)
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
