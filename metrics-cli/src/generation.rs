//! What the commands that write something for a catalogue have in common.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use mvx_metrics::catalogue::Catalogue;

use crate::file::{self, FileError};
use crate::promql::label_name;

#[derive(Debug, Args)]
pub(crate) struct Generation {
    /// The catalogue, as `Catalogue::to_json` writes it.
    catalogue: PathBuf,
    /// The label with the namespace, where the program or Prometheus renames it.
    #[arg(long, value_name = "NAME", default_value = "namespace", value_parser = label_name)]
    pub(crate) namespace_label: String,
    /// The file to write instead of the standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Generation {
    /// Writes what `text` makes of the catalogue.
    pub(crate) fn run(
        &self,
        text: impl FnOnce(&Catalogue) -> Result<String, FileError>,
    ) -> Result<ExitCode, FileError> {
        let catalogue = file::read_for_queries(&self.catalogue)?;
        if catalogue.metrics.is_empty() {
            let path = self.catalogue.display();
            file::say(&format!(
                "{path} has no metrics: the result is about the health of the measurement alone"
            ));
        }
        file::write(self.output.as_deref(), &text(&catalogue)?)?;
        Ok(ExitCode::SUCCESS)
    }
}
