//! What can be wrong with a catalogue.

use std::fmt;

use thiserror::Error;

/// Why there is no catalogue.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CatalogueError {
    /// Names that stand for two things. It has all of them.
    #[error("{}", lines(.0))]
    SameName(Vec<NameClash>),
    /// The text is no catalogue.
    #[error("the text is no catalogue: {0}")]
    Json(#[source] serde_json::Error),
    /// A later version has written the catalogue.
    #[error("the catalogue has the schema {0}, and this version knows the schema 1")]
    Schema(u64),
}

/// A name that stands for two things.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameClash {
    /// Two types of metrics with different declarations have one name. A runtime does not show both.
    Metric {
        /// The name of the metrics.
        name: String,
        /// The Rust type that was listed first.
        first: String,
        /// The other one.
        second: String,
    },
    /// A metric declares two dimensions of one name.
    Dimension {
        /// The metric.
        metric: String,
        /// The name of the dimensions.
        name: String,
    },
    /// Two dimensions would be exported as series of one name. An exposition shows only one of them.
    Series {
        /// The name. It may be a name with a suffix: `uploads_count` belongs to a histogram `uploads`, too.
        name: String,
        /// The dimension that has the name.
        first: String,
        /// The dimension that cannot have it.
        second: String,
    },
}

impl fmt::Display for NameClash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Metric { name, first, second } => write!(
                formatter,
                "the metric `{}` is declared by `{first}`, and in another way by `{second}`",
                name.escape_debug()
            ),
            Self::Dimension { metric, name } => write!(
                formatter,
                "the metric `{}` declares the dimension `{}` twice",
                metric.escape_debug(),
                name.escape_debug()
            ),
            Self::Series { name, first, second } => {
                write!(formatter, "`{name}` would be exported for {first}, and for {second}")
            }
        }
    }
}

fn lines(clashes: &[NameClash]) -> String {
    clashes.iter().map(NameClash::to_string).collect::<Vec<_>>().join("\n")
}
