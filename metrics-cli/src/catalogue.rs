//! `mvx-metrics catalogue`.

mod mentions;

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use mvx_metrics::catalogue::{Catalogue, CatalogueDiff, Severity};

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
                used_in.iter().map(|path| Ok(Text::new(path.display().to_string(), &file::read(path)?)));
            let texts = texts.collect::<Result<Vec<Text>, FileError>>()?;
            let diff = old.diff(&new);
            file::write(None, &report(&diff, &texts, &lost_events(&old, &new)))?;
            Ok(if diff.is_breaking() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
        }
    }
}

/// The event types that no metric listens to any more. Of the series of the library, those for these types alone are gone.
fn lost_events(old: &Catalogue, new: &Catalogue) -> Vec<String> {
    let is_kept = |event: &String| new.metrics.iter().any(|metric| metric.events.contains(event));
    let events = old.metrics.iter().flat_map(|metric| &metric.events);
    events.filter(|event| !is_kept(event)).cloned().collect()
}

/// All changes, and where the series that are gone are used.
fn report(diff: &CatalogueDiff, texts: &[Text], lost_events: &[String]) -> String {
    let mut report = String::new();
    let mut broken: HashSet<Place> = HashSet::new();
    for change in &diff.changes {
        // Writing to a string cannot fail.
        let _ = writeln!(report, "{change}");
        if change.severity == Severity::Breaking {
            for mention in mentions::of(&change.series, lost_events, texts) {
                let _ = writeln!(report, "    {mention}");
                broken.insert(mention.place);
            }
        }
    }
    let summary = diff.to_string();
    let _ = writeln!(report, "{}", summary.lines().last().unwrap_or_default());
    if !texts.is_empty() {
        let (this, breaks) =
            if diff.changes.len() == 1 { ("this change", "breaks") } else { ("these changes", "break") };
        let _ = writeln!(report, "{this} {breaks} {}", mentions::counts(&broken));
    }
    report
}
