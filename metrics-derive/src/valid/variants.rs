//! Variants of an enum as events: `on(Request::Ended, ..)`.

use syn::{Member, PathArguments, Type};

use crate::attr::{FeedOptions, Keyed, Source};
use crate::ctxt::Ctxt;
use crate::resolved::Event;
use crate::source_text::to_source;

/// The event of `on(..)`. A path whose last but one segment is in `UpperCamelCase` names a variant. `parameters` are those of the
/// metric: the path of a type behind one of them is no variant.
pub fn event(cx: &Ctxt, listed: Type, parameters: &[String]) -> Event {
    let (ty, variant) = split(cx, &listed, parameters).unwrap_or_else(|| (listed.clone(), None));
    Event { listed, ty, variant, with: None, when: None, container_level: false }
}

fn split(cx: &Ctxt, listed: &Type, parameters: &[String]) -> Option<(Type, Option<syn::Ident>)> {
    let mut path = match listed {
        Type::Group(group) => return split(cx, &group.elem, parameters),
        Type::Path(path) if path.qself.is_none() => path.clone(),
        _ => return None,
    };
    let last = path.path.segments.pop()?;
    path.path.segments.pop_punct();
    let owner = path.path.segments.last()?.ident.to_string();
    let is_parameter = path.path.segments.len() == 1 && parameters.contains(&owner);
    if is_parameter || !is_upper_camel_case(&owner) {
        return None;
    }
    for segment in &mut path.path.segments {
        if let PathArguments::AngleBracketed(arguments) = &mut segment.arguments {
            arguments.colon2_token = None;
        }
    }
    if let PathArguments::AngleBracketed(arguments) = &last.arguments {
        let (owner, arguments, variant) = (to_source(&path), to_source(&arguments.args), &last.ident);
        let message =
            format!("the enum takes the types, not the variant: write `{owner}<{arguments}>::{variant}`");
        cx.error(&last.arguments, message);
        path.path.segments.last_mut()?.arguments = last.arguments;
    }
    Some((Type::Path(path), Some(last.ident)))
}

fn is_upper_camel_case(name: &str) -> bool {
    name.starts_with(char::is_uppercase)
}

impl Event {
    /// Sets the condition of the whole metric. Of a variant it names fields of the variant.
    pub fn set_when(&mut self, mut when: Option<Keyed<Source>>) {
        if let Some(when) = when.as_mut().filter(|_| self.variant.is_some()) {
            bind_source(&mut when.value);
        }
        self.when = when;
    }
}

/// Whether both are the same type, or the same variant of it.
pub fn are_equal(one: &Event, other: &Event) -> bool {
    one.variant == other.variant && to_source(&one.ty) == to_source(&other.ty)
}

/// Reports a variant that stands beside its enum: its events would count twice. Each event comes with whether its `on(..)` has a
/// condition: with one in both, at most one of them may hold.
pub fn report_overlap(cx: &Ctxt, listed: &[(&Event, bool)]) {
    for (event, is_conditional) in listed.iter().filter(|(event, _)| event.variant.is_some()) {
        let whole = listed.iter().find(|(whole, other)| {
            whole.variant.is_none()
                && to_source(&whole.ty) == to_source(&event.ty)
                && !(*other && *is_conditional)
        });
        if let Some((whole, _)) = whole {
            let (whole, variant) = (to_source(&whole.listed), to_source(&event.listed));
            let message =
                format!("`on({whole})` brings the events of `{variant}` too: remove one of the two `on(..)`");
            return cx.error(&event.listed, message);
        }
    }
}

/// Makes names of fields those of the variant.
pub fn bind(options: &mut FeedOptions) {
    options.sources_mut().for_each(bind_source);
}

/// The same for one source.
pub fn bind_source(source: &mut Source) {
    let member = match source {
        Source::Field(field) => Member::Named(field.clone()),
        Source::Index(index) => Member::Unnamed(index.clone()),
        _ => return,
    };
    *source = Source::OfVariant(member);
}
