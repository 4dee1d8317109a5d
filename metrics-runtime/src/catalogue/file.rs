//! The committed catalogue: a file that a test compares.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use thiserror::Error;

use super::{Catalogue, CatalogueDiff, CatalogueError};

/// The environment variable with which the file is written.
const UPDATE: &str = "MVX_METRICS_UPDATE";

/// Why a file is not the catalogue of the program. Each message says how to write the file.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CatalogueFileError {
    /// There is no such file yet.
    #[error("there is no catalogue in `{}`; to write it: {}", path.display(), how())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The program has other metrics than the file says.
    #[error("the metrics are not those of `{}`:\n{}\nif that is meant, write the file: {}", path.display(), what(diff), how())]
    Outdated {
        /// The file.
        path: PathBuf,
        /// What changed from the file to the program. It is empty when the file only says another thing than this version writes of the
        /// same declarations: another text behind `# HELP`, for example.
        diff: CatalogueDiff,
    },
    /// The file is no catalogue.
    #[error("`{}` cannot be read: {error}; to write it anew: {}", path.display(), how())]
    NoCatalogue {
        /// The file.
        path: PathBuf,
        /// What is wrong with the text.
        #[source]
        error: CatalogueError,
    },
    /// The file cannot be read or written.
    #[error("`{}` cannot be read or written: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        error: io::Error,
    },
}

fn how() -> String {
    format!("run the test with {UPDATE}=1, and commit the file")
}

fn what(diff: &CatalogueDiff) -> String {
    if diff.is_empty() { "it says the same in another way".to_owned() } else { diff.to_string() }
}

impl Catalogue {
    /// Asserts that a committed file is the JSON of this catalogue: for a test.
    ///
    /// A program changes its metrics, the test fails and shows what breaks, and the review of the new file shows it again. With the
    /// environment variable `MVX_METRICS_UPDATE=1` the file is written and nothing fails. The file may have line ends of Windows, other
    /// blanks, and keys that this version does not know.
    ///
    /// `cargo test` runs in the folder of the package, to which a relative path belongs.
    ///
    /// ```no_run
    /// # use mvx_metrics::{Counter, Metric, metric_event};
    /// # #[metric_event]
    /// # struct Rang;
    /// # #[derive(Metric, Default)]
    /// # #[metric(name = "bell", on(Rang))]
    /// # struct Bell {
    /// #     rings: Counter,
    /// # }
    /// #[test]
    /// fn the_committed_metrics_are_those_of_the_program() {
    ///     let catalogue = mvx_metrics::catalogue![Bell].expect("no names clash");
    ///     catalogue.assert_file("metrics.json");
    /// }
    /// ```
    ///
    /// # Panics
    /// If [`check_file`](Self::check_file) is an error, with its message.
    #[track_caller]
    pub fn assert_file(&self, path: impl AsRef<Path>) {
        if let Err(error) = self.check_file(path) {
            panic!("{error}");
        }
    }

    /// Like [`assert_file`](Self::assert_file), with an error in place of a panic.
    ///
    /// # Errors
    /// [`CatalogueFileError`] if the file is not the JSON of this catalogue, and if it cannot be read or written.
    pub fn check_file(&self, path: impl AsRef<Path>) -> Result<(), CatalogueFileError> {
        let path = path.as_ref();
        let is_update = env::var_os(UPDATE).is_some_and(|value| !value.is_empty() && value != "0");
        if is_update { self.write_file(path) } else { self.compare_file(path) }
    }

    fn compare_file(&self, path: &Path) -> Result<(), CatalogueFileError> {
        let json = match fs::read_to_string(path) {
            Ok(json) => json,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(CatalogueFileError::Missing { path: path.to_owned() });
            }
            Err(error) => return Err(CatalogueFileError::Io { path: path.to_owned(), error }),
        };
        let committed = Self::from_json(&json)
            .map_err(|error| CatalogueFileError::NoCatalogue { path: path.to_owned(), error })?;
        if committed == *self {
            return Ok(());
        }
        Err(CatalogueFileError::Outdated { path: path.to_owned(), diff: committed.diff(self) })
    }

    fn write_file(&self, path: &Path) -> Result<(), CatalogueFileError> {
        // A file that fits stays as it is, so that no build sees a new one.
        if self.compare_file(path).is_ok() {
            return Ok(());
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let written =
            folder.map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(path, self.to_json()));
        written.map_err(|error| CatalogueFileError::Io { path: path.to_owned(), error })
    }
}
