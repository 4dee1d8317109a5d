//! The command `mvx-metrics`.

mod catalogue;
mod dashboard;
mod file;
mod generation;
mod promql;
mod ratio;
mod rules;
mod top;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Catalogues of metrics, what is generated from them, and a look at a running program.
#[derive(Debug, Parser)]
#[command(name = "mvx-metrics", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Catalogues that programs have written with `Catalogue::to_json`.
    #[command(subcommand)]
    Catalogue(catalogue::Command),
    /// Writes a Grafana dashboard for a catalogue, as JSON.
    Dashboard(dashboard::Options),
    /// Writes Prometheus recording and alerting rules for a catalogue, as YAML.
    Rules(rules::Options),
    /// Shows a running program in the terminal.
    Top(top::Options),
}

/// The exit code of a command that could not do its work, as `clap` has it for wrong arguments.
const ERROR: u8 = 2;

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Catalogue(command) => catalogue::run(&command),
        Command::Dashboard(options) => dashboard::run(&options),
        Command::Rules(options) => rules::run(&options),
        Command::Top(options) => return top::run(&options),
    };
    result.unwrap_or_else(|error| {
        file::say(&error.to_string());
        ExitCode::from(ERROR)
    })
}
