//! The page of a running program, and the data that it shows. Feature `page`.

mod data;

pub use self::data::{
    DimensionCard, Distribution, LabelRow, LabelRows, Listed, MetricCard, NamespaceRow, PageData, Problem,
    ProblemKind, RecorderRow, RuntimeRow,
};
