//! `mvx-metrics top`: a running program in the terminal.
//!
//! `watcher` is the thread that asks the endpoint with `client`, and `terminal` the loop of keys, answers and the screen. `state` has
//! what they change, `draw` shows it, and `once` writes it as text. `text` escapes and measures whatever other programs name.

mod address;
mod client;
mod draw;
#[cfg(test)]
mod fixtures;
mod history;
mod number;
mod once;
mod query;
mod state;
mod terminal;
mod text;
mod watcher;

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use clap::Args;
use thiserror::Error;

use self::address::{Address, InvalidAddress};
use self::client::{Client, Limits, LookError};
use self::query::{Query, SortKey};
use self::watcher::{block_on, pause_after};

/// How many recorders a page has in a terminal.
const PAGE_SIZE: usize = 25;
/// How many recorders a text has.
const TEXT_SIZE: usize = 200;
/// The exit code for all errors.
const ERROR: u8 = 2;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The address of the endpoint, such as `http://127.0.0.1:9464`.
    url: String,
    /// Writes one look as text, with rates between two samples, and ends.
    #[arg(long)]
    once: bool,
    /// Shows this namespace alone.
    #[arg(long, value_name = "NAME")]
    namespace: Option<String>,
    /// Shows the recorders whose ids contain this text.
    #[arg(long, value_name = "TEXT", default_value = "")]
    search: String,
    /// Sorts the recorders.
    #[arg(long, value_name = "KEY", value_enum, default_value_t)]
    sort: SortKey,
}

/// Why the command has failed.
#[derive(Debug, Error)]
enum TopError {
    #[error(transparent)]
    Address(#[from] InvalidAddress),
    #[error("{url}: {cause}")]
    Look { url: String, cause: LookError },
    #[error("the output is not a terminal: `--once` writes text")]
    NoTerminal,
    #[error("{0}")]
    Terminal(#[from] io::Error),
}

pub(crate) fn run(options: &Options) -> ExitCode {
    match try_run(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody can be told when this fails, too.
            let _ = writeln!(io::stderr(), "mvx-metrics: {error}");
            ExitCode::from(ERROR)
        }
    }
}

fn try_run(options: &Options) -> Result<(), TopError> {
    let address = Address::parse(&options.url)?;
    let url = address.url();
    let client = Client::new(address, Limits::USUAL);
    let size = if options.once { TEXT_SIZE } else { PAGE_SIZE };
    let query = Query {
        namespace: options.namespace.clone(),
        search: options.search.clone(),
        sort: options.sort,
        ..Query::new(size)
    };
    if options.once {
        let text = block_on(text_of(&client, &url, query))?;
        let text = text.map_err(|cause| TopError::Look { url, cause })?;
        return match io::stdout().write_all(text.as_bytes()) {
            // A reader such as `head` has enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => Ok(written?),
        };
    }
    if !io::stdout().is_terminal() {
        return Err(TopError::NoTerminal);
    }
    Ok(terminal::run(client, &url, query)?)
}

/// Looks twice, because rates need two samples, and once more for each further page of metrics.
async fn text_of(client: &Client, url: &str, query: Query) -> Result<String, LookError> {
    let first = client.look(&query).await?;
    tokio::time::sleep(pause_after(&first)).await;
    let mut look = client.look(&query).await?;
    let pages = state::pages(&look.data.metrics);
    for metric_page in 2..=pages {
        let further = client.look(&Query { metric_page, ..query.clone() }).await?;
        look.data.metrics.rows.extend(further.data.metrics.rows);
    }
    Ok(once::text(url, &look.data))
}
