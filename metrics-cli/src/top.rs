//! `mvx-metrics top`: a running program in the terminal.
//!
//! `watcher` is the thread that asks the endpoint with `client`, and `terminal` the loop of keys, answers and the screen. `state` is
//! changed by both, `draw` shows it, and `once` writes an answer as text. `text` escapes and measures all names of other programs.

mod address;
mod client;
mod draw;
#[cfg(test)]
mod fixtures;
mod history;
mod name;
mod number;
mod once;
mod query;
mod state;
mod terminal;
mod text;
mod watcher;

use std::collections::BTreeSet;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use mvx_metrics::MetricsRuntimeState;
use mvx_metrics::page::PageData;
use thiserror::Error;
use tokio::time::{Instant, sleep_until};

use self::address::{Address, InvalidAddress};
use self::client::{Client, Limits, LookError, may_have_namespace};
use self::query::{Query, SortKey};
use self::watcher::{block_on, pause_after};

/// How many recorders a page has in a terminal.
const PAGE_SIZE: usize = 25;
/// How many recorders a text has.
const TEXT_SIZE: usize = 200;
/// How long a text waits for rates.
const MAX_WAIT: Duration = Duration::from_secs(30);
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
    #[error("{url}: no namespace `{name}`; the program has {known}")]
    Namespace { url: String, name: String, known: String },
    #[error("the output is not a terminal: `--once` writes text")]
    NoTerminal,
    #[error("{0}")]
    Terminal(#[from] io::Error),
}

pub(crate) fn run(options: &Options) -> ExitCode {
    match try_run(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Without standard error there is no place for the message.
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
        let text = block_on(text_of(&client, &url, query))??;
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

/// Looks until there are rates, which need two samples, and once more for each further page of metrics.
async fn text_of(client: &Client, url: &str, query: Query) -> Result<String, TopError> {
    let failed = |cause| TopError::Look { url: url.to_owned(), cause };
    let deadline = Instant::now() + MAX_WAIT;
    let mut look = client.look(&query).await.map_err(failed)?;
    if let Some(name) = query.namespace.as_ref().filter(|name| !may_have_namespace(&look.data, name)) {
        let known: BTreeSet<&str> = client::namespaces(&look.data).collect();
        let known = if known.is_empty() { "none".to_owned() } else { Vec::from_iter(known).join(", ") };
        return Err(TopError::Namespace { url: url.to_owned(), name: text::escaped(name), known });
    }
    let first = look.data.sample;
    loop {
        sleep_until(deadline.min(Instant::now() + pause_after(&look))).await;
        look = client.look(&query).await.map_err(failed)?;
        if has_rates(&look.data, first) || Instant::now() >= deadline {
            break;
        }
    }
    let pages = state::pages(&look.data.metrics);
    for metric_page in 2..=pages {
        let further =
            client.look(&Query { metric_page, ..query.clone() }).await.map_err(failed)?.data.metrics;
        // There are fewer metrics by now, and the endpoint has answered with its last page.
        if further.page != metric_page || further.rows.is_empty() {
            break;
        }
        look.data.metrics.rows.extend(further.rows);
    }
    Ok(once::text(url, &look.data))
}

/// Whether the data are those of a later sample than the first one. The endpoint samples recorders and metrics at their own pace.
fn has_rates(data: &PageData, first: u64) -> bool {
    let rows = &data.recorders.rows;
    let is_running = |status| status == MetricsRuntimeState::Running;
    let is_sampled = data.sample != first && (rows.is_empty() || rows.iter().any(|row| row.rate.is_some()));
    // A program that is shut down has no further samples.
    is_sampled || !data.runtimes.iter().any(|runtime| is_running(runtime.status))
}

#[cfg(test)]
mod tests {
    use super::fixtures::{FakeEndpoint, Reply, answer, page_json};
    use super::*;

    #[test]
    fn a_namespace_that_the_program_lacks_is_an_error() {
        let mut data = page_json();
        for list in ["recorders", "metrics"] {
            data[list]["matching"] = 0.into();
        }
        let endpoint = FakeEndpoint::start(vec![Reply::Bytes(answer("200 OK", &data.to_string()))]);
        let client = Client::new(Address::parse(&endpoint.address()).expect("an address"), Limits::USUAL);
        let query = Query { namespace: Some("shob\u{1b}".to_owned()), ..Query::new(25) };
        let error =
            block_on(text_of(&client, "x", query)).expect("a runtime").expect_err("no such namespace");
        assert_eq!(error.to_string(), "x: no namespace `shob\\u{1b}`; the program has mail, shop");
    }

    #[test]
    fn a_page_of_metrics_that_is_gone_repeats_no_metric() {
        let page = |change: fn(&mut serde_json::Value)| {
            let mut data = page_json();
            data["runtimes"][0]["status"] = "CLOSED".into();
            data["next_look"] = 0.2.into();
            change(&mut data);
            Reply::Bytes(answer("200 OK", &data.to_string()))
        };
        // Three pages at first, then one.
        let three = || page(|data| data["metrics"]["matching"] = 60.into());
        let endpoint = FakeEndpoint::start(vec![three(), three(), page(|_| {})]);
        let client = Client::new(Address::parse(&endpoint.address()).expect("an address"), Limits::USUAL);
        let text = block_on(text_of(&client, "x", Query::new(25))).expect("a runtime").expect("data");
        let rows = fixtures::page_data().metrics.rows.len();
        assert!(text.contains(&format!("\nmetrics {rows} of 60\n")), "{text}");
        assert_eq!(endpoint.requests().len(), 3);
    }
}
