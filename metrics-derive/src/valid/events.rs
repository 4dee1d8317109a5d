//! Checks of the types in `on(..)`, as far as their spelling tells.

use syn::{GenericArgument, PathArguments, Type};

use crate::ctxt::Ctxt;
use crate::source_text::to_source;

/// Types of the standard library that only point to an event.
const POINTERS: [&str; 3] = ["Box", "Arc", "Rc"];

/// Whether a type can be an event. Trait bounds decide about types that their spelling does not give away.
pub fn check(cx: &Ctxt, event: &Type) -> bool {
    let Some(message) = mistake(event) else { return true };
    cx.error(event, message);
    false
}

fn mistake(event: &Type) -> Option<String> {
    let one_type = "`on` takes one type, no trait: write `on(Event)` for each event";
    Some(match event {
        Type::Group(group) => return mistake(&group.elem),
        Type::Paren(paren) => return mistake(&paren.elem),
        Type::TraitObject(_) | Type::ImplTrait(_) => one_type.to_owned(),
        Type::Reference(reference) => mistake(&reference.elem).unwrap_or_else(|| {
            format!("`on` takes the event itself: write `on({})`", to_source(&reference.elem))
        }),
        Type::Tuple(tuple) if !tuple.elems.is_empty() => {
            let events: Vec<_> =
                tuple.elems.iter().map(|event| format!("on({})", to_source(event))).collect();
            format!("`on` takes one event: write `{}`", events.join(", "))
        }
        Type::Path(path) => {
            let last = path.path.segments.last()?;
            match &last.arguments {
                PathArguments::Parenthesized(_) => {
                    let pattern = to_source(event);
                    let ty = pattern.split('(').next().unwrap_or_default();
                    format!(
                        "`on` takes a type, no pattern: write `on({ty}, when = |e| matches!(e, {pattern}))`"
                    )
                }
                PathArguments::AngleBracketed(given)
                    if POINTERS.iter().any(|pointer| last.ident == pointer) =>
                {
                    let Some(GenericArgument::Type(inner)) = given.args.first() else { return None };
                    let write = format!("`on` takes the event itself: write `on({})`", to_source(inner));
                    mistake(inner).unwrap_or(write)
                }
                _ => return None,
            }
        }
        _ => return None,
    })
}
