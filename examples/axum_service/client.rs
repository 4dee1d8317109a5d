//! Clients: each sends requests over a connection of its own, and keeps count of what it sent and what it got.

use std::collections::BTreeMap;
use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::measured::{CLIENT_CLOSED, RequestsSnapshot};

const CLIENTS: u64 = 8;
const REQUESTS_PER_CLIENT: u64 = 250;

/// The requests by method, route and status.
pub type Sent = BTreeMap<[String; 3], u64>;

/// An error of the program.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Sends all requests, and scrapes once. Returns the requests that the service should have counted.
pub async fn send_all(address: SocketAddr) -> Result<Sent, BoxError> {
    let clients: Vec<_> = (0..CLIENTS).map(|client| tokio::spawn(send(address, client))).collect();
    let mut all = Sent::new();
    for client in clients {
        for (request, count) in client.await?? {
            *all.entry(request).or_default() += count;
        }
    }
    go_away(address).await?;
    count(&mut all, "GET", "/slow", CLIENT_CLOSED);

    let mut connection = connect(address).await?;
    let text = connection.send_request(request("GET", "/metrics", "")?).await?;
    if text.status() != StatusCode::OK {
        return Err(format!("/metrics answered {}", text.status()).into());
    }
    Ok(all)
}

/// The requests of one client.
async fn send(address: SocketAddr, client: u64) -> Result<Sent, BoxError> {
    let mut connection = connect(address).await?;
    let mut sent = Sent::new();
    for number in 0..REQUESTS_PER_CLIENT {
        let id = client * 7 + number;
        let (method, route, path, body) = match number % 5 {
            0 => ("POST", "/items", "/items".to_owned(), "a new item"),
            1 => ("POST", "/items", "/items".to_owned(), ""),
            _ => ("GET", "/items/{id}", format!("/items/{id}"), ""),
        };
        connection.ready().await?;
        let response = connection.send_request(request(method, &path, body)?).await?;
        count(&mut sent, method, route, response.status().as_u16());
    }
    Ok(sent)
}

/// Closes the connection while its request waits for the response.
async fn go_away(address: SocketAddr) -> Result<(), BoxError> {
    let mut connection = connect(address).await?;
    let response = connection.send_request(request("GET", "/slow", "")?);
    let gave_up = tokio::time::timeout(Duration::from_millis(200), response).await.is_err();
    if gave_up { Ok(()) } else { Err("the slow response came at once".into()) }
}

fn count(sent: &mut Sent, method: &str, route: &str, status: u16) {
    *sent.entry([method.to_owned(), route.to_owned(), status.to_string()]).or_default() += 1;
}

fn request(method: &str, path: &str, body: &'static str) -> Result<Request<Body>, axum::http::Error> {
    Request::builder().method(method).uri(path).header("host", "localhost").body(Body::from(body))
}

async fn connect(address: SocketAddr) -> Result<SendRequest<Body>, BoxError> {
    let (sender, connection) = handshake(TokioIo::new(TcpStream::connect(address).await?)).await?;
    // The task ends with the connection, and its error belongs to the requests.
    tokio::spawn(async { drop(connection.await) });
    Ok(sender)
}

/// Compares what the clients sent with what the service counted.
pub fn compare(sent: &Sent, requests: &RequestsSnapshot) -> Result<(), BoxError> {
    let counted: Sent = requests
        .handled
        .iter()
        .map(|(labels, count)| {
            ([labels[0].to_string(), labels[1].to_string(), labels[2].to_string()], *count)
        })
        .collect();
    if counted != *sent {
        return Err(format!("the clients sent {sent:?}, the service counted {counted:?}").into());
    }
    if requests.in_flight.current() != 0 {
        return Err(format!("{} requests have not ended", requests.in_flight.current()).into());
    }
    println!("check passed: {} requests", sent.values().sum::<u64>());
    Ok(())
}
