//! What can be wrong with a catalogue.

use thiserror::Error;

/// Why there is no catalogue.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CatalogueError {
    /// Two dimensions would export series of one name.
    #[error("`{family}` would be exported for `{first}` and for `{second}`")]
    SameName {
        /// The name of the series.
        family: String,
        /// The metric and the dimension that have the name.
        first: String,
        /// The metric and the dimension that cannot have it.
        second: String,
    },
    /// The text is no catalogue.
    #[error("the text is no catalogue: {0}")]
    Json(#[source] serde_json::Error),
    /// A later version has written the catalogue.
    #[error("the catalogue has the schema {0}, and this version knows the schema 1")]
    Schema(u64),
}
