//! One recorder for each connection of a real TCP server, removed when the connection is closed.
//!
//! Run with `cargo run --example connection_pool`. A server on loopback and three hundred clients talk a small line
//! protocol in this one process. At the end it prints the five busiest connections and the totals, and checks that the
//! metrics counted exactly what the clients sent. Ends by itself after a second or two.
//!
//! With `cargo run --example connection_pool -- --serve` Prometheus can scrape it at <http://127.0.0.1:9464/metrics>; another
//! port may follow `--serve`. It then goes on until its standard input ends (Ctrl-D). The totals that Prometheus reads are the
//! ones that are printed, although each connection's recorder is gone by then.

mod clients;
mod protocol;
mod server;

use std::error::Error;
use std::net::Ipv4Addr;
use std::sync::Arc;

use mvx_metrics::http::{Endpoint, EndpointOptions};
use mvx_metrics::{MetricsRecorder, MetricsRuntime};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::clients::Traffic;
use crate::protocol::{ConnectionTraffic, ConnectionTrafficSnapshot};
use crate::server::PoolConnections;

const CONNECTIONS: u32 = 300;

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let runtime = Arc::new(MetricsRuntime::new("example.pool")?);
    runtime.start_async().await?;
    let endpoint = serve_if_asked_to(&runtime)?;
    let pool = runtime.create_recorder_async("pool").await?;

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let (closed, mut closing) = mpsc::unbounded_channel();
    let in_pool = pool.metric::<PoolConnections>()?;
    let server = tokio::spawn(server::serve(listener, Arc::clone(&runtime), pool, closed));
    let sent = clients::run(CONNECTIONS, address).await?;
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        let recorder = closing.recv().await.ok_or("the server ended early")?;
        connections.push(Connection::of(&recorder)?);
    }
    server.abort();

    let counted = print_report(&mut connections);
    let pool = in_pool.snapshot()?;
    println!("opened {}, closed {}", pool.opened, pool.closed);
    let left = runtime.list_recorder_ids()?;
    if let Some(endpoint) = endpoint {
        println!("serving http://{}/metrics until the standard input ends", endpoint.address());
        tokio::io::copy(&mut tokio::io::stdin(), &mut tokio::io::sink()).await?;
    }
    runtime.shutdown_async().await?;

    if counted != sent
        || pool.opened != u64::from(CONNECTIONS)
        || pool.closed != pool.opened
        || left != ["pool"]
    {
        return Err(format!("check failed: counted {counted:?}, sent {sent:?}, left {left:?}").into());
    }
    println!("check passed: the metrics equal what the clients sent");
    Ok(())
}

/// An endpoint for Prometheus if `--serve` is among the arguments, on the port that follows it.
fn serve_if_asked_to(runtime: &MetricsRuntime) -> Result<Option<Endpoint>, Box<dyn Error + Send + Sync>> {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--serve");
    if arguments.next().is_none() {
        return Ok(None);
    }
    let options = match arguments.next() {
        Some(port) => EndpointOptions::new().port(port.parse()?),
        None => EndpointOptions::new(),
    };
    Ok(Some(runtime.serve_http(options)?))
}

/// The final state of a closed connection.
struct Connection {
    id: String,
    traffic: ConnectionTrafficSnapshot,
}

impl Connection {
    fn of(recorder: &MetricsRecorder) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let stats = recorder.stats();
        if stats.dropped + stats.rejected + stats.discarded > 0 {
            return Err(format!("{} lost events: {stats:?}", recorder.entity_id()).into());
        }
        // The session has registered the metric, so the stopped recorder still has it.
        let traffic = recorder.metric::<ConnectionTraffic>()?.snapshot()?;
        Ok(Self { id: recorder.entity_id().to_owned(), traffic })
    }
}

/// Prints the busiest connections and returns the totals of all.
fn print_report(connections: &mut [Connection]) -> Traffic {
    connections.sort_by(|one, other| {
        other.traffic.requests.cmp(&one.traffic.requests).then_with(|| one.id.cmp(&other.id))
    });
    println!(
        "{:<16} {:>9} {:>7} {:>10} {:>10} {:>8}",
        "connection", "requests", "errors", "received", "sent", "largest"
    );
    for Connection { id, traffic } in connections.iter().take(5) {
        println!(
            "{id:<16} {:>9} {:>7} {:>10} {:>10} {:>8}",
            traffic.requests,
            traffic.protocol_errors,
            traffic.received,
            traffic.sent,
            traffic.largest_request.known().unwrap_or_default(),
        );
    }
    let mut total = Traffic::default();
    for Connection { traffic, .. } in connections.iter() {
        total += Traffic {
            requests: traffic.requests,
            protocol_errors: traffic.protocol_errors,
            // What the server received is what the clients sent.
            sent: traffic.received,
            received: traffic.sent,
        };
    }
    println!(
        "{:<16} {:>9} {:>7} {:>10} {:>10}",
        format!("all {}", connections.len()),
        total.requests,
        total.protocol_errors,
        total.sent,
        total.received,
    );
    total
}
