//! The items as the user wrote them. Parsing reports wrong syntax and options that an attribute does not have.
//! [`valid`](crate::valid) reports all other mistakes.

use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Data, DeriveInput, Fields, Ident, Item, LitStr, Path, parse_quote};

use crate::attr::{
    EventOptions, FieldAttrs, Help, Keyed, LabelOptions, MetricAttrs, MetricOptions, Name, VariantOptions,
    is_meant,
};
use crate::ctxt::Ctxt;
use crate::name::Case;
use crate::shape::TypeShape;

/// An item with `#[derive(Metric)]`.
pub struct Metric<'a> {
    pub input: &'a DeriveInput,
    /// The path of the `mvx_metrics` crate.
    pub root: Path,
    pub name: Name,
    pub help: Help,
    pub attrs: MetricAttrs,
    pub fields: Vec<Field<'a>>,
    /// Whether the attributes of the struct have a mistake.
    pub is_broken: bool,
}

/// A named field of the struct.
pub struct Field<'a> {
    /// Its position in the struct.
    pub index: usize,
    pub ident: &'a Ident,
    pub attributes: &'a [Attribute],
    pub shape: TypeShape<'a>,
    pub name: Name,
    pub help: Help,
    pub role: Role,
    pub attrs: FieldAttrs,
    /// Whether the attributes have a mistake.
    pub is_broken: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Dimension,
    Flatten,
    Skip,
}

impl<'a> Metric<'a> {
    pub fn from_syn(cx: &Ctxt, input: &'a DeriveInput) -> Self {
        let errors = cx.error_count();
        let attrs = MetricAttrs::from_syn(cx, &input.attrs);
        let is_broken = cx.error_count() > errors || attrs.is_misspelt;
        let MetricOptions { name, rename_all, krate, .. } = &attrs.options;
        let (root, name) = (root(krate.as_ref()), own_name(name.as_ref(), &input.ident));
        let case = rename_all.as_ref().map(|case| case.value);
        let fields = fields(&input.data).enumerate();
        let fields =
            fields.filter_map(|(index, field)| Field::from_syn(cx, index, field, case, &root)).collect();
        Self { input, root, name, help: Help::of(&input.attrs), attrs, fields, is_broken }
    }
}

fn fields(data: &Data) -> impl Iterator<Item = &syn::Field> {
    let data = if let Data::Struct(data) = data { Some(data) } else { None };
    data.into_iter().flat_map(|data| &data.fields)
}

impl<'a> Field<'a> {
    /// `None` for a field without a name.
    fn from_syn(
        cx: &Ctxt,
        index: usize,
        field: &'a syn::Field,
        case: Option<Case>,
        root: &Path,
    ) -> Option<Self> {
        let ident = field.ident.as_ref()?;
        let errors = cx.error_count();
        let attrs = FieldAttrs::from_syn(cx, &field.attrs);
        let is_broken = cx.error_count() > errors || FieldAttrs::are_misspelt(&field.attrs);
        // A misspelt option is reported. A message about the type would follow from it.
        let is_meant = |option| is_broken && is_meant(&field.attrs, option);
        let role = if attrs.options.skip.is_some() || is_meant("skip") {
            Role::Skip
        } else if attrs.options.flatten.is_some() || is_meant("flatten") {
            Role::Flatten
        } else {
            Role::Dimension
        };
        let name = attrs.options.name.as_ref().map_or_else(
            || {
                let name = case.map_or_else(|| ident.unraw().to_string(), |case| case.apply(ident));
                Name::Text(LitStr::new(&name, ident.span()))
            },
            |name| name.value.clone().held_by(&format!("__NAME_{index}")),
        );
        let (shape, help) = (TypeShape::of(&field.ty, root), Help::of(&field.attrs));
        let mut field =
            Self { index, ident, attributes: &field.attrs, shape, name, help, role, attrs, is_broken };
        if let Some(prefix) = field.prefix_mut() {
            *prefix = prefix.clone().held_by(&format!("__PREFIX_{index}"));
        }
        Some(field)
    }

    /// The text in front of the names of a flattened metric.
    pub fn prefix_mut(&mut self) -> Option<&mut Name> {
        Some(&mut self.attrs.options.flatten.as_mut()?.value.prefix.as_mut()?.value)
    }
}

/// An item with `#[derive(Label)]`.
pub struct Label<'a> {
    pub input: &'a DeriveInput,
    pub root: Path,
    pub variants: Vec<Variant<'a>>,
}

pub struct Variant<'a> {
    pub ident: &'a Ident,
    pub fields: &'a Fields,
    pub text: Name,
}

impl<'a> Label<'a> {
    pub fn from_syn(cx: &Ctxt, input: &'a DeriveInput) -> Self {
        let options = LabelOptions::from_syn(cx, &input.attrs);
        let case = options.rename_all.map_or(Case::Snake, |case| case.value);
        let data = if let Data::Enum(data) = &input.data { Some(data) } else { None };
        let variants = data.into_iter().flat_map(|data| &data.variants).enumerate();
        let variants = variants.map(|(index, variant)| Variant::from_syn(cx, index, variant, case)).collect();
        Self { input, root: root(options.krate.as_ref()), variants }
    }
}

impl<'a> Variant<'a> {
    fn from_syn(cx: &Ctxt, index: usize, variant: &'a syn::Variant, case: Case) -> Self {
        let ident = &variant.ident;
        let name = VariantOptions::from_syn(cx, &variant.attrs).name;
        let text = name.map_or_else(
            || Name::Text(LitStr::new(&case.apply(ident), ident.span())),
            |name| name.value.held_by(&format!("__TEXT_{index}")),
        );
        Self { ident, fields: &variant.fields, text }
    }
}

/// An item with `#[metric_event]`.
pub enum EventItem {
    Type(Event),
    /// An item that is no type, such as a function.
    Other(Item),
}

/// A struct, enum or union with `#[metric_event]`.
pub struct Event {
    pub input: DeriveInput,
    pub root: Path,
    pub name: Name,
}

impl EventItem {
    /// `None` for tokens that are no item.
    pub fn from_syn(cx: &Ctxt, arguments: TokenStream, item: TokenStream) -> Option<Self> {
        let options = |input: ParseStream| Ok(EventOptions::from_arguments(cx, input));
        let options = options.parse2(arguments).unwrap_or_else(|error| {
            cx.push(error);
            EventOptions::default()
        });
        match syn::parse2::<DeriveInput>(item.clone()) {
            Ok(input) => {
                let name = own_name(options.name.as_ref(), &input.ident);
                Some(Self::Type(Event { root: root(options.krate.as_ref()), name, input }))
            }
            Err(error) => {
                let item = syn::parse2(item).map_err(|_| cx.push(error));
                item.ok().map(Self::Other)
            }
        }
    }
}

/// The path of the `mvx_metrics` crate.
fn root(krate: Option<&Keyed<Path>>) -> Path {
    krate.map_or_else(|| parse_quote!(::mvx_metrics), |krate| krate.value.clone())
}

/// The name of a metric or an event; without one, the type's name in snake case.
fn own_name(name: Option<&Keyed<Name>>, ident: &Ident) -> Name {
    name.map_or_else(
        || Name::Text(LitStr::new(&Case::Snake.apply(ident), ident.span())),
        |name| name.value.clone(),
    )
}
