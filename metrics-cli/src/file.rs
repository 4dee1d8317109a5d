//! Reads catalogues and writes results. Every error names its file.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use mvx_metrics::catalogue::{Catalogue, CatalogueError};
use thiserror::Error;

use crate::promql;

/// Why a file is of no use.
#[derive(Debug, Error)]
pub(crate) enum FileError {
    #[error("{} cannot be read: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} is empty: a catalogue without metrics is {{\"schema\": 1, \"metrics\": []}}", path.display())]
    Empty { path: PathBuf },
    #[error("{}: {source}", path.display())]
    Catalogue { path: PathBuf, source: CatalogueError },
    #[error(
        "{}: the family `{}` has the invalid name `{}`",
        path.display(), family.escape_debug(), name.escape_debug()
    )]
    Name { path: PathBuf, family: String, name: String },
    #[error("{} cannot be written: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("the standard output cannot be written: {0}")]
    Output(#[source] io::Error),
}

/// The text of a file, in which invalid UTF-8 is replaced.
pub(crate) fn read(path: &Path) -> Result<String, FileError> {
    let bytes = fs::read(path).map_err(|source| FileError::Read { path: path.to_owned(), source })?;
    Ok(String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// The catalogue in a file.
pub(crate) fn read_catalogue(path: &Path) -> Result<Catalogue, FileError> {
    let text = read(path)?;
    if text.trim().is_empty() {
        return Err(FileError::Empty { path: path.to_owned() });
    }
    Catalogue::from_json(&text).map_err(|source| FileError::Catalogue { path: path.to_owned(), source })
}

/// The catalogue in a file whose names can stand in queries. A program writes no other ones; people who edit the file may.
pub(crate) fn read_for_queries(path: &Path) -> Result<Catalogue, FileError> {
    let catalogue = read_catalogue(path)?;
    let dimensions = catalogue.metrics.iter().flat_map(|metric| &metric.dimensions);
    for family in dimensions.flat_map(|dimension| &dimension.families) {
        let mut names = std::iter::once(&family.name).chain(&family.labels);
        if let Some(name) = names.find(|name| !promql::is_identifier(name)) {
            let (family, name) = (family.name.clone(), name.clone());
            return Err(FileError::Name { path: path.to_owned(), family, name });
        }
    }
    Ok(catalogue)
}

/// A text of a file that neither ends the line nor steers the terminal, whatever it has.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}

/// Says something to the user. It is no error if nobody reads it.
pub(crate) fn say(text: &str) {
    let _ = writeln!(io::stderr(), "mvx-metrics: {}", one_line(text));
}

/// Writes a text to a file, or to the standard output.
pub(crate) fn write(path: Option<&Path>, text: &str) -> Result<(), FileError> {
    let Some(path) = path else {
        return match io::stdout().lock().write_all(text.as_bytes()) {
            // The reader has seen enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            result => result.map_err(FileError::Output),
        };
    };
    fs::write(path, text).map_err(|source| FileError::Write { path: path.to_owned(), source })
}
