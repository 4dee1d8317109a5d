//! `mvx-metrics top`.

use std::process::ExitCode;

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The address of the endpoint, such as `http://127.0.0.1:9464`.
    url: String,
}

pub(crate) fn run(options: &Options) -> ExitCode {
    let _ = &options.url;
    ExitCode::FAILURE
}
