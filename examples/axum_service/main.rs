//! An HTTP service whose requests are counted by method, route and status, with `/metrics` in the same router.
//!
//! Run with `cargo run --example axum_service`. The program serves on a free port of loopback, a client in the same program sends
//! requests over real connections, and one client goes away in the middle of a request. Then the program shuts down
//! gracefully, and compares the totals with what the clients sent. With `-- --serve` it serves until its
//! standard input ends.

mod client;
mod measured;

use std::net::Ipv4Addr;
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::middleware;
use axum::routing::{get, post};
use mvx_metrics::http::ServiceOptions;
use mvx_metrics::{MetricsRuntime, Scope};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::client::BoxError;
use crate::measured::{Requests, RequestsSnapshot, measure};

const NAMESPACE: &str = "example.web";

async fn get_item(Path(id): Path<u64>) -> Result<String, StatusCode> {
    if id < 100 { Ok(format!("item {id}\n")) } else { Err(StatusCode::NOT_FOUND) }
}

async fn post_item(body: String) -> StatusCode {
    if body.is_empty() { StatusCode::BAD_REQUEST } else { StatusCode::CREATED }
}

async fn slow() -> &'static str {
    tokio::time::sleep(Duration::from_mins(1)).await;
    "done\n"
}

fn router(runtime: &MetricsRuntime) -> Result<Router, BoxError> {
    let recorder = runtime.create_recorder("web")?;
    recorder.metric::<Requests>()?;
    Ok(Router::new()
        .route("/items/{id}", get(get_item))
        .route("/items", post(post_item))
        .route("/slow", get(slow))
        .layer(middleware::from_fn_with_state(recorder, measure))
        // Below the layer, so that scrapes are not counted as requests.
        .route_service("/metrics", runtime.metrics_service(ServiceOptions::default())))
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let goes_on = std::env::args().any(|argument| argument == "--serve");
    let runtime = MetricsRuntime::new(NAMESPACE)?;
    runtime.start_async().await?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let server = axum::serve(listener, router(&runtime)?).with_graceful_shutdown(async {
        // Any result means the end.
        let _ = stopped.await;
    });
    let server = tokio::spawn(server.into_future());

    let sent = if goes_on {
        println!("curl http://{address}/metrics");
        tokio::io::copy(&mut tokio::io::stdin(), &mut tokio::io::sink()).await?;
        None
    } else {
        Some(client::send_all(address).await?)
    };

    // 1. The server ends after its last response. 2. Nothing emits any more. 3. The runtime processes what is pending.
    drop(stop);
    server.await??;
    runtime.shutdown_async().await?;

    let totals = runtime.totals(Scope::Rollup)?;
    let requests = totals.get::<Requests>(NAMESPACE).ok_or("no recorder has this metric")?;
    print(&requests);
    match sent {
        Some(sent) => client::compare(&sent, &requests),
        None => Ok(()),
    }
}

fn print(requests: &RequestsSnapshot) {
    for (labels, count) in &requests.handled {
        println!("{count:>6}  {}", labels.join(" "));
    }
    println!("{:>6}  in flight", requests.in_flight.current());
}
