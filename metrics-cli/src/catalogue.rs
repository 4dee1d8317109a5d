//! `mvx-metrics catalogue`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Lists what changed between two catalogues; ends with 1 when a change is breaking.
    Diff {
        /// The catalogue that is in use.
        old: PathBuf,
        /// The catalogue that would take its place.
        new: PathBuf,
    },
}

pub(crate) fn run(command: &Command) -> ExitCode {
    let Command::Diff { .. } = command;
    ExitCode::FAILURE
}
