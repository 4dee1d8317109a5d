//! `mvx-metrics catalogue`.

mod mentions;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use mvx_metrics::catalogue::{CatalogueDiff, Change, Severity};

use self::mentions::{Place, Text};
use crate::file::{self, FileError};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Lists what changed between two catalogues; ends with 1 when a change is breaking.
    Diff {
        /// The catalogue that is in use.
        old: PathBuf,
        /// The catalogue that would take its place.
        new: PathBuf,
        /// Files with rules, dashboards or other texts, in which the series that a breaking change takes away are looked for.
        #[arg(long, value_name = "FILE", num_args = 1..)]
        used_in: Vec<PathBuf>,
    },
    /// Shows a catalogue as Markdown.
    Show {
        /// The catalogue, as `Catalogue::to_json` writes it.
        catalogue: PathBuf,
    },
}

pub(crate) fn run(command: &Command) -> Result<ExitCode, FileError> {
    match command {
        Command::Show { catalogue } => {
            file::write(None, &file::read_catalogue(catalogue)?.to_markdown())?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Diff { old, new, used_in } => {
            let (old, new) = (file::read_catalogue(old)?, file::read_catalogue(new)?);
            let texts =
                used_in.iter().map(|path| Ok(Text::new(path.display().to_string(), file::read(path)?)));
            let texts = texts.collect::<Result<Vec<Text>, FileError>>()?;
            let diff = old.diff(&new);
            file::write(None, &report(&diff, &texts))?;
            Ok(if diff.is_breaking() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
        }
    }
}

/// All changes, and where the series that are gone are used.
fn report(diff: &CatalogueDiff, texts: &[Text]) -> String {
    let mut report = String::new();
    let mut broken: Vec<Place> = Vec::new();
    for change in &diff.changes {
        // Writing to a string cannot fail.
        let _ = writeln!(report, "{}", line_of(change));
        if change.severity != Severity::Breaking {
            continue;
        }
        for mention in mentions::of(&change.series, texts) {
            let _ = writeln!(report, "    {mention}");
            if !broken.contains(&mention.place) {
                broken.push(mention.place);
            }
        }
    }
    let breaking = diff.changes.iter().filter(|change| change.severity == Severity::Breaking).count();
    let total = counted(diff.changes.len(), "change");
    let _ = match breaking {
        0 => writeln!(report, "{total}, none of them breaking"),
        _ => writeln!(report, "{total}, {breaking} of them breaking"),
    };
    if !texts.is_empty() {
        let (this, breaks) =
            if diff.changes.len() == 1 { ("this change", "breaks") } else { ("these changes", "break") };
        let _ = writeln!(report, "{this} {breaks} {}", counted(broken.len(), "place"));
    }
    report
}

/// `breaking: orders.placed: the unit was seconds and is bytes`
fn line_of(change: &Change) -> String {
    let severity = match change.severity {
        Severity::Breaking => "breaking",
        _ => "compatible",
    };
    match &change.dimension {
        Some(dimension) => format!("{severity}: {}.{dimension}: {}", change.metric, change.what),
        None => format!("{severity}: {}: {}", change.metric, change.what),
    }
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}
