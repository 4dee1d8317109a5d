//! The JSON of a catalogue.

use std::collections::HashSet;

use serde::de::Error as _;
use serde::{Deserialize, Serialize};

use super::error::CatalogueError;
use super::{Catalogue, CatalogueMetric};

/// The only schema that this version knows.
const SCHEMA: u64 = 1;

#[derive(Serialize)]
struct Written<'a> {
    schema: u64,
    metrics: Vec<&'a CatalogueMetric>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object with the keys `schema` and `metrics`")]
struct Head {
    schema: u64,
}

#[derive(Deserialize)]
#[serde(expecting = "an object with the keys `schema` and `metrics`")]
struct Read {
    metrics: Vec<CatalogueMetric>,
}

impl Catalogue {
    /// The catalogue as JSON, which [`from_json`](Self::from_json) reads back equal: `{"schema": 1, "metrics": [..]}`. It is
    /// indented, ends with a line break, and is the same for the same declarations in any order.
    ///
    /// The [module](mod@crate::catalogue#json) lists all keys.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut metrics: Vec<_> = self.metrics.iter().collect();
        metrics.sort_by(|one, other| one.name.cmp(&other.name));
        // A value without maps and without users' types is always written.
        let mut json = serde_json::to_string_pretty(&Written { schema: SCHEMA, metrics }).unwrap_or_default();
        json.push('\n');
        json
    }

    /// Reads a catalogue that [`to_json`](Self::to_json) has written. Keys that this version does not know are ignored, and so is the mark
    /// of the byte order, with which some editors begin a file.
    ///
    /// # Errors
    /// [`CatalogueError::Json`] for a text that is no catalogue, [`CatalogueError::Schema`] for a schema that this version does not know.
    pub fn from_json(json: &str) -> Result<Self, CatalogueError> {
        // Some editors of Windows begin a file with this mark.
        let json = json.strip_prefix('\u{feff}').unwrap_or(json);
        let Head { schema } = serde_json::from_str(json).map_err(CatalogueError::Json)?;
        if schema != SCHEMA {
            return Err(CatalogueError::Schema(schema));
        }
        let Read { mut metrics } = serde_json::from_str(json).map_err(CatalogueError::Json)?;
        restore_buckets(&mut metrics).map_err(CatalogueError::Json)?;
        metrics.sort_by(|one, other| one.name.cmp(&other.name));
        let mut names = HashSet::new();
        match metrics.iter().find(|metric| !names.insert(&metric.name)) {
            Some(twice) => {
                let problem = format!("the metric `{}` stands twice", twice.name.escape_debug());
                Err(CatalogueError::Json(serde_json::Error::custom(problem)))
            }
            None => Ok(Self { metrics }),
        }
    }
}

/// Gives bounds the type of their dimension: JSON writes `1` for numbers of several types.
fn restore_buckets(metrics: &mut [CatalogueMetric]) -> Result<(), serde_json::Error> {
    for dimension in metrics.iter_mut().flat_map(|metric| &mut metric.dimensions) {
        let Some(number) = dimension.number else { continue };
        for bound in &mut dimension.buckets {
            *bound = bound.with_type(number).ok_or_else(|| {
                let name = dimension.name.escape_debug();
                serde_json::Error::custom(format_args!(
                    "a bucket of `{name}` has another type than its numbers"
                ))
            })?;
        }
    }
    Ok(())
}
