//! An endpoint for tests, and data as a page has it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use mvx_metrics::page::PageData;
use serde_json::{Value, json};

/// What an endpoint does with a connection.
#[derive(Clone)]
pub(super) enum Reply {
    /// It answers with these bytes, and closes the connection.
    Bytes(Vec<u8>),
    /// The same, in several writes.
    Pieces(Vec<Vec<u8>>),
    /// It sends these bytes, and then others again and again until the client goes.
    Endless { head: Vec<u8>, again: Vec<u8> },
    /// It reads the request and says nothing until the client goes.
    Silence,
    /// It sends these bytes, and no more until the client goes.
    Stuck(Vec<u8>),
}

/// A server for one connection after the other. The last reply is repeated.
pub(super) struct FakeEndpoint {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl FakeEndpoint {
    pub(super) fn start(replies: Vec<Reply>) -> Self {
        Self::start_on(TcpListener::bind("127.0.0.1:0").expect("a port"), replies)
    }

    pub(super) fn start_on(listener: TcpListener, replies: Vec<Reply>) -> Self {
        let address = listener.local_addr().expect("an address");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        thread::spawn(move || {
            let mut replies = replies.into_iter().peekable();
            let mut last = None;
            for stream in listener.incoming() {
                let reply = replies.next().or_else(|| last.clone());
                last.clone_from(&reply);
                if let (Ok(stream), Some(reply)) = (stream, reply) {
                    // The client may be gone already.
                    let _ = serve(stream, reply, &seen);
                }
            }
        });
        Self { address, requests }
    }

    pub(super) fn address(&self) -> String {
        self.address.to_string()
    }

    /// The heads of all requests so far.
    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no panic").clone()
    }
}

fn serve(mut stream: TcpStream, reply: Reply, requests: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte)? > 0 {
        head.push(byte[0]);
    }
    requests.lock().expect("no panic").push(String::from_utf8_lossy(&head).into_owned());
    match reply {
        Reply::Bytes(bytes) => stream.write_all(&bytes),
        Reply::Pieces(pieces) => {
            stream.set_nodelay(true)?;
            pieces.iter().try_for_each(|piece| stream.write_all(piece))
        }
        Reply::Endless { head, again } => {
            stream.write_all(&head)?;
            loop {
                stream.write_all(&again)?;
            }
        }
        Reply::Silence => stream.read(&mut byte).map(drop),
        Reply::Stuck(bytes) => {
            stream.write_all(&bytes)?;
            stream.read(&mut byte).map(drop)
        }
    }
}

/// An answer of HTTP.
pub(super) fn answer(status: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}").into_bytes()
}

pub(super) fn page_data() -> PageData {
    serde_json::from_value(page_json()).expect("data of a page")
}

/// Two namespaces, three of forty recorders, and metrics of several kinds.
pub(super) fn page_json() -> Value {
    let recorder = |id: &str, namespace: &str, status: &str, rate: Option<f64>, dropped: u64| {
        json!({
            "id": id, "entity_id": id, "namespace": namespace, "status": status, "age": 7_260.0, "rate": rate,
            "accepted": 12_034, "pending": 5, "dropped": dropped, "rejected": 0, "discarded": 0,
        })
    };
    let dimension = |name: &str, kind: &str, unit: Option<&str>, value: f64, rate: Option<f64>| {
        json!({
            "name": name, "help": "", "kind": kind, "unit": unit, "window": null, "value": value, "text": null,
            "rate": rate, "distribution": null, "labels": null,
        })
    };
    let mut latency = dimension("latency", "histogram", Some("seconds"), 0.012, Some(20.0));
    latency["help"] = "How long an answer takes.".into();
    latency["distribution"] = json!({
        "count": 40, "bounds": [0.0, 0.001, 0.01, 0.1, 1.0, null], "recent": [0, 4, 16, 2, 0],
        "quantiles": [0.008, 0.05, 0.09],
    });
    let mut by_status = dimension("by_status", "counter", None, 40.0, Some(20.0));
    by_status["labels"] = json!({
        "names": ["method", "status"], "total": 12, "rows": [
            {"label": ["GET", "200"], "value": 30.0, "rate": 15.0},
            {"label": ["", "größe"], "value": 10.0, "rate": 5.0},
        ],
    });
    let mut version = dimension("version", "custom", None, 0.0, None);
    version["value"] = Value::Null;
    version["text"] = "1.2.3-beta".into();
    let namespace = |name: &str, running: u64, rate: f64, dropped: u64| {
        json!({
            "namespace": name, "recorders": {"RUNNING": running, "FAILURE": 1}, "removed": 3, "stalled": 0,
            "accepted": 24_000, "rate": rate, "pending": 5, "dropped": dropped, "rejected": 0, "discarded": 0,
        })
    };
    json!({
        "sample": 12, "taken_at": 1_780_000_000.0, "interval": 1.0, "next_look": 1.0,
        "runtimes": [
            {"namespace": "shop", "status": "RUNNING"}, {"namespace": "mail", "status": "CLOSED"},
        ],
        "namespaces": [namespace("shop", 37, 1_200.5, 7), namespace("mail", 2, 0.0, 0)],
        "namespaces_total": 2, "problems_total": 2,
        "problems": [
            {"kind": "failed_recorder", "namespace": "shop", "subject": "session-9", "count": 1, "detail": "a hook failed"},
            {"kind": "dropped_events", "namespace": "shop", "subject": "Answered", "count": 7, "detail": ""},
        ],
        "recorders": {
            "total": 40, "matching": 40, "page": 1, "size": 3, "rows": [
                recorder("session-1", "shop", "RUNNING", Some(1_200.5), 7),
                recorder("日本語", "shop", "RUNNING", Some(0.5), 0),
                recorder("outbox", "mail", "STOPPED", None, 0),
            ],
        },
        "metrics": {
            "total": 2, "matching": 2, "page": 1, "size": 50, "rows": [
                {
                    "namespace": "shop", "name": "http", "help": "Answers.", "failed": 0, "invalid": 0, "more_dimensions": 0,
                    "dimensions": [
                        dimension("total", "counter", None, 40.0, Some(20.0)), latency, by_status,
                    ],
                },
                {
                    "namespace": "mail", "name": "build", "help": "", "failed": 1, "invalid": 2, "more_dimensions": 7,
                    "dimensions": [version, dimension("size", "gauge", Some("bytes"), 1_536.0, None)],
                },
            ],
        },
    })
}
