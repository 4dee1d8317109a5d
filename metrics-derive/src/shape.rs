//! The meaning of types, as far as their spelling tells it.

use syn::{Expr, GenericArgument, Ident, Path, PathArguments, Type};

/// The dimension types that this crate knows by name. Trait bounds decide about all other types.
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
    Distinct,
    Breakdown,
    Top,
    Recent,
    /// A well-known type that is no dimension.
    NotADimension,
    /// An alias, or a dimension that the user has written.
    Unknown,
}

impl Kind {
    /// Whether a type of this kind has so many types and constants between its angle brackets. The constant may be a name, which
    /// looks like a type.
    fn fits(self, types: usize, constants: usize) -> bool {
        match self {
            Self::Counter | Self::InFlight | Self::Distinct => types == 0 && constants == 0,
            Self::Sum | Self::Min | Self::Max | Self::Mean | Self::Gauge | Self::Histogram => {
                types == 1 && constants == 0
            }
            Self::Breakdown | Self::Top => types == 2 && constants == 0,
            Self::Recent => types >= 1 && types + constants == 2,
            Self::NotADimension | Self::Unknown => true,
        }
    }

    /// Whether the first type between the angle brackets is a label.
    pub fn has_labels(self) -> bool {
        matches!(self, Self::Breakdown | Self::Top)
    }
}

/// The types of values that a dimension can measure.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    U64,
    I64,
    F64,
    Duration,
    /// An unsigned integer other than `u64`.
    OtherUnsigned,
    /// A signed integer other than `i64`.
    OtherSigned,
    F32,
    /// A well-known type that is no number.
    NotNumeric,
    /// An alias or a type parameter.
    Unknown,
}

impl Measure {
    fn of(name: &str) -> Self {
        match name {
            "u64" => Self::U64,
            "i64" => Self::I64,
            "f64" => Self::F64,
            "Duration" => Self::Duration,
            "u8" | "u16" | "u32" | "u128" | "usize" => Self::OtherUnsigned,
            "i8" | "i16" | "i32" | "i128" | "isize" => Self::OtherSigned,
            "f32" => Self::F32,
            "String" | "str" | "bool" | "char" | "Option" | "Vec" | "Instant" | "SystemTime" => {
                Self::NotNumeric
            }
            _ => Self::Unknown,
        }
    }

    /// Whether `mvx_metrics` certainly measures values of this type.
    pub fn is_known(self) -> bool {
        matches!(self, Self::U64 | Self::I64 | Self::F64 | Self::Duration)
    }

    /// Whether bounds and constants are written as floating-point numbers. Durations are written in seconds.
    pub fn is_written_as_float(self) -> bool {
        matches!(self, Self::F64 | Self::Duration)
    }
}

/// A type with the meanings that it has as a dimension and as a measure.
pub struct TypeShape<'a> {
    pub ty: &'a Type,
    pub kind: Kind,
    pub measure: Measure,
    /// The types between the angle brackets.
    pub arguments: Vec<TypeShape<'a>>,
    /// The constants between them, but names, which look like types.
    pub constants: Vec<&'a Expr>,
}

const NOT_DIMENSIONS: [&str; 40] = [
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

impl<'a> TypeShape<'a> {
    /// `root` is the path of the `mvx_metrics` crate.
    pub fn of(ty: &'a Type, root: &Path) -> Self {
        let (measure, arguments, constants) = (Measure::of(&last_word(ty)), Vec::new(), Vec::new());
        let path = match ty {
            Type::Group(group) => return Self { ty, ..Self::of(&group.elem, root) },
            Type::Paren(paren) => return Self { ty, ..Self::of(&paren.elem, root) },
            Type::Path(path) if path.qself.is_none() => &path.path,
            Type::Tuple(_)
            | Type::Array(_)
            | Type::Slice(_)
            | Type::Reference(_)
            | Type::Ptr(_)
            | Type::FnPtr(_)
            | Type::Never(_)
            | Type::TraitObject(_)
            | Type::ImplTrait(_) => {
                return Self { ty, kind: Kind::NotADimension, measure, arguments, constants };
            }
            _ => return Self { ty, kind: Kind::Unknown, measure, arguments, constants },
        };
        let (arguments, constants) = generic_arguments(path, root);
        let kind = kind(path, root);
        // rustc reports another number of arguments. It may also be another type of the same name.
        let fits = kind.fits(arguments.len(), constants.len())
            && !(kind != Kind::NotADimension
                && arguments.iter().any(|argument| argument.has_other_number(root)));
        let kind = if fits { kind } else { Kind::Unknown };
        Self { ty, kind, measure, arguments, constants }
    }

    /// The type of the values, if it is written out: `T` of `Sum<T>`.
    pub fn measured(&self) -> Option<&Self> {
        let measures = match self.kind {
            Kind::Sum | Kind::Min | Kind::Max | Kind::Mean | Kind::Gauge | Kind::Histogram => true,
            Kind::Counter
            | Kind::InFlight
            | Kind::Distinct
            | Kind::Breakdown
            | Kind::Top
            | Kind::Recent
            | Kind::NotADimension
            | Kind::Unknown => false,
        };
        if measures { self.arguments.first() } else { None }
    }

    /// Whether a type of this crate has another number of types or constants than it needs.
    fn has_other_number(&self, root: &Path) -> bool {
        matches!(self.ty, Type::Path(path) if path.qself.is_none() && self.kind != kind(&path.path, root))
    }

    /// Whether the type is the item of this name.
    pub fn is(&self, item: &Ident) -> bool {
        matches!(self.ty, Type::Path(path) if path.qself.is_none() && path.path.segments.len() == 1)
            && last_word(self.ty) == item.to_string()
    }

    /// The word in front of the angle brackets.
    pub fn name(&self) -> String {
        last_word(self.ty)
    }

    /// [`measured`](Self::measured) as a measure.
    pub fn measure(&self) -> Option<Measure> {
        self.measured().map(|measured| measured.measure)
    }

    /// The dimension that is kept for each label, `D` of `Breakdown<L, D>` and `Top<L, D>`; else the dimension itself.
    pub fn of_label(&self) -> &Self {
        self.arguments.get(1).filter(|_| self.kind.has_labels()).unwrap_or(self)
    }

    /// The dimension that records: for each label, and within a window.
    pub fn inner(&self) -> &Self {
        let of_label = self.of_label();
        of_label.arguments.first().filter(|_| of_label.kind == Kind::Recent).unwrap_or(of_label)
    }
}

fn kind(path: &Path, root: &Path) -> Kind {
    let first = path.segments.first().map(|segment| segment.ident.to_string()).unwrap_or_default();
    let single = path.segments.len() == 1;
    let from_root = root.segments.first().is_some_and(|segment| segment.ident == first);
    let ours = single || first == "mvx_metrics" || from_root;
    let standard = single || ["std", "core", "alloc"].contains(&first.as_str());
    match last_segment(path).as_str() {
        "Counter" if ours => Kind::Counter,
        "Sum" if ours => Kind::Sum,
        "Min" if ours => Kind::Min,
        "Max" if ours => Kind::Max,
        "Mean" if ours => Kind::Mean,
        "Gauge" if ours => Kind::Gauge,
        "InFlight" if ours => Kind::InFlight,
        "Histogram" if ours => Kind::Histogram,
        "Distinct" if ours => Kind::Distinct,
        "Breakdown" if ours => Kind::Breakdown,
        "Top" if ours => Kind::Top,
        "Recent" if ours => Kind::Recent,
        name if standard && NOT_DIMENSIONS.contains(&name) => Kind::NotADimension,
        _ => Kind::Unknown,
    }
}

/// The types and the constants between the angle brackets.
fn generic_arguments<'a>(path: &'a Path, root: &Path) -> (Vec<TypeShape<'a>>, Vec<&'a Expr>) {
    let (mut types, mut constants) = (Vec::new(), Vec::new());
    if let Some(last) = path.segments.last()
        && let PathArguments::AngleBracketed(given) = &last.arguments
    {
        for argument in &given.args {
            match argument {
                GenericArgument::Type(ty) => types.push(TypeShape::of(ty, root)),
                GenericArgument::Const(constant) => constants.push(constant),
                _ => {}
            }
        }
    }
    (types, constants)
}

/// The number of different labels that a type allows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Cardinality {
    Bounded,
    Unbounded,
}

/// The cardinality of a label type; `None` if its spelling does not tell.
pub fn cardinality(ty: &Type) -> Option<Cardinality> {
    match ty {
        Type::Group(group) => cardinality(&group.elem),
        Type::Paren(paren) => cardinality(&paren.elem),
        Type::Tuple(tuple) => {
            let parts: Option<Vec<_>> = tuple.elems.iter().map(cardinality).collect();
            let unbounded = parts?.contains(&Cardinality::Unbounded);
            Some(if unbounded { Cardinality::Unbounded } else { Cardinality::Bounded })
        }
        Type::Reference(reference) => cardinality(&reference.elem),
        _ => match last_word(ty).as_str() {
            "bool" => Some(Cardinality::Bounded),
            "String" | "str" | "u8" | "u16" | "u32" | "u64" | "usize" | "i8" | "i16" | "i32" | "i64"
            | "isize" => Some(Cardinality::Unbounded),
            _ => None,
        },
    }
}

/// Whether a type certainly is no label.
pub fn is_not_a_label(ty: &Type) -> bool {
    match ty {
        Type::Group(group) => is_not_a_label(&group.elem),
        Type::Tuple(tuple) => tuple.elems.is_empty() || tuple.elems.iter().any(is_not_a_label),
        _ => {
            let word = last_word(ty);
            ["f32", "f64", "u128", "i128", "char", "Duration", "Instant", "Option", "Vec"]
                .contains(&word.as_str())
        }
    }
}

/// Whether a type is an `Option`.
pub fn is_option(ty: &Type) -> bool {
    match ty {
        Type::Group(group) => is_option(&group.elem),
        _ => last_word(ty) == "Option",
    }
}

/// The last segment of a plain type: `Duration` of `std::time::Duration`.
fn last_word(ty: &Type) -> String {
    match ty {
        Type::Group(group) => last_word(&group.elem),
        Type::Path(path) if path.qself.is_none() => last_segment(&path.path),
        _ => String::new(),
    }
}

fn last_segment(path: &Path) -> String {
    path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default()
}
