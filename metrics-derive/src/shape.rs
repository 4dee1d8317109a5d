use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{GenericArgument, GenericParam, Generics, Path, PathArguments, Type};

/// The dimension types this crate knows by name; everything else is left to the trait bounds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Sum,
    Min,
    Max,
    Mean,
    Gauge,
    InFlight,
    Histogram,
    Breakdown,
    /// A type of which it is known that it cannot be a dimension.
    Foreign,
    /// An alias, or a dimension of the user's own.
    Unknown,
}

/// What can be said about a dimension from the way its type is written.
#[derive(Clone)]
pub struct Shape {
    pub kind: Kind,
    pub arguments: Vec<Type>,
}

const FOREIGN: [&str; 40] = [
    "String",
    "str",
    "bool",
    "char",
    "u8",
    "u16",
    "u32",
    "u64",
    "u128",
    "usize",
    "i8",
    "i16",
    "i32",
    "i64",
    "i128",
    "isize",
    "f32",
    "f64",
    "Vec",
    "VecDeque",
    "Option",
    "Result",
    "Box",
    "Rc",
    "Arc",
    "Cow",
    "HashMap",
    "HashSet",
    "BTreeMap",
    "BTreeSet",
    "Duration",
    "Instant",
    "SystemTime",
    "PhantomData",
    "Cell",
    "RefCell",
    "Mutex",
    "RwLock",
    "AtomicU64",
    "AtomicUsize",
];

impl Shape {
    pub fn of(ty: &Type, root: &Path) -> Self {
        let unknown = Self { kind: Kind::Unknown, arguments: Vec::new() };
        let path = match ty {
            Type::Group(group) => return Self::of(&group.elem, root),
            Type::Paren(paren) => return Self::of(&paren.elem, root),
            Type::Path(path) if path.qself.is_none() => &path.path,
            Type::Tuple(_) | Type::Array(_) | Type::Slice(_) | Type::Reference(_) | Type::Ptr(_) => {
                return Self { kind: Kind::Foreign, arguments: Vec::new() };
            }
            _ => return unknown,
        };
        let Some(last) = path.segments.last() else { return unknown };
        let name = last.ident.to_string();
        let first = path.segments.first().map(|segment| segment.ident.to_string()).unwrap_or_default();
        let own = path.segments.len() == 1
            || first == "mvx_metrics"
            || root.segments.first().is_some_and(|segment| segment.ident == first);
        let standard = path.segments.len() == 1 || ["std", "core", "alloc"].contains(&first.as_str());
        let kind = match name.as_str() {
            "Counter" if own => Kind::Counter,
            "Sum" if own => Kind::Sum,
            "Min" if own => Kind::Min,
            "Max" if own => Kind::Max,
            "Mean" if own => Kind::Mean,
            "Gauge" if own => Kind::Gauge,
            "InFlight" if own => Kind::InFlight,
            "Histogram" if own => Kind::Histogram,
            "Breakdown" if own => Kind::Breakdown,
            name if standard && FOREIGN.contains(&name) => Kind::Foreign,
            _ => Kind::Unknown,
        };
        let mut arguments = Vec::new();
        if let PathArguments::AngleBracketed(given) = &last.arguments {
            arguments.extend(given.args.iter().filter_map(|argument| match argument {
                GenericArgument::Type(ty) => Some(ty.clone()),
                _ => None,
            }));
        }
        Self { kind, arguments }
    }

    /// The type of the values, if it is written out: `T` of `Sum<T>`.
    pub fn measure(&self) -> Option<&Type> {
        let measured = match self.kind {
            Kind::Sum | Kind::Min | Kind::Max | Kind::Mean | Kind::Gauge | Kind::Histogram => true,
            Kind::Counter | Kind::InFlight | Kind::Breakdown | Kind::Foreign | Kind::Unknown => false,
        };
        if measured { self.arguments.first() } else { None }
    }

    /// The dimension that is kept for each label, or the dimension itself.
    pub fn each(&self, root: &Path) -> Self {
        match (self.kind, self.arguments.get(1)) {
            (Kind::Breakdown, Some(each)) => Self::of(each, root),
            (Kind::Breakdown, None) => Self { kind: Kind::Unknown, arguments: Vec::new() },
            _ => self.clone(),
        }
    }
}

/// Whether a type is one of the measures, as it is usually written.
pub fn is_measure(ty: &Type) -> bool {
    ["u64", "i64", "f64", "Duration"].contains(&last_word(ty).as_str())
}

/// Whether there is a bound to the number of labels of a type; `None` when that cannot be seen.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Bounded {
    Yes,
    No,
}

pub fn label(ty: &Type) -> Option<Bounded> {
    match ty {
        Type::Group(group) => label(&group.elem),
        Type::Paren(paren) => label(&paren.elem),
        Type::Tuple(tuple) => {
            let parts: Option<Vec<_>> = tuple.elems.iter().map(label).collect();
            let open = parts?.contains(&Bounded::No);
            Some(if open { Bounded::No } else { Bounded::Yes })
        }
        Type::Reference(reference) => label(&reference.elem),
        _ => match last_word(ty).as_str() {
            "bool" => Some(Bounded::Yes),
            "String" | "str" | "u8" | "u16" | "u32" | "u64" | "usize" | "i8" | "i16" | "i32" | "i64"
            | "isize" => Some(Bounded::No),
            _ => None,
        },
    }
}

/// Whether a type certainly is no label.
pub fn no_label(ty: &Type) -> bool {
    match ty {
        Type::Group(group) => no_label(&group.elem),
        Type::Tuple(tuple) => tuple.elems.is_empty() || tuple.elems.iter().any(no_label),
        _ => {
            let word = last_word(ty);
            ["f32", "f64", "u128", "i128", "char", "Duration", "Instant", "Option", "Vec"]
                .contains(&word.as_str())
        }
    }
}

/// The last segment of a plain type: `Duration` of `std::time::Duration`.
pub fn last_word(ty: &Type) -> String {
    match ty {
        Type::Group(group) => last_word(&group.elem),
        Type::Path(path) if path.qself.is_none() => {
            path.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default()
        }
        _ => String::new(),
    }
}

/// Code as the user would write it.
pub fn written(tokens: &impl ToTokens) -> String {
    let mut text = tokens.to_token_stream().to_string();
    for (from, to) in [
        (" :: ", "::"),
        (":: ", "::"),
        (" <", "<"),
        ("< ", "<"),
        (" >", ">"),
        (" ,", ","),
        ("& ", "&"),
        (" . ", "."),
        (" (", "("),
        ("( ", "("),
        (" )", ")"),
    ] {
        text = text.replace(from, to);
    }
    text
}

/// The names of the type parameters and the like.
pub fn parameters(generics: &Generics) -> Vec<String> {
    let names = generics.params.iter().map(|param| match param {
        GenericParam::Lifetime(param) => param.lifetime.ident.to_string(),
        GenericParam::Type(param) => param.ident.to_string(),
        GenericParam::Const(param) => param.ident.to_string(),
    });
    names.collect()
}

/// Whether one of the names occurs in the tokens.
pub fn mentions(tokens: &impl ToTokens, names: &[String]) -> bool {
    fn any(tokens: TokenStream, names: &[String]) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(ident) => names.iter().any(|name| ident == name),
            TokenTree::Group(group) => any(group.stream(), names),
            _ => false,
        })
    }
    !names.is_empty() && any(tokens.to_token_stream(), names)
}
