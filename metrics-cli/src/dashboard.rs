//! `mvx-metrics dashboard`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The catalogue, as `Catalogue::to_json` writes it.
    catalogue: PathBuf,
}

pub(crate) fn run(options: &Options) -> ExitCode {
    let _ = &options.catalogue;
    ExitCode::FAILURE
}
