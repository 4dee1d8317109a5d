//! The client: one look at an endpoint, bounded in time and size.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper::header::{self, HeaderValue};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use mvx_metrics::page::PageData;
use serde_json::Value;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::address::Address;
use super::query::Query;
use super::text::escaped;

const USER_AGENT: &str = concat!("mvx-metrics-cli/", env!("CARGO_PKG_VERSION"));
/// How much of the reason in a refusal is read, in bytes.
const MAX_REASON: usize = 2_000;
/// The head of an answer may have this size.
const MAX_HEAD_SIZE: usize = 64 << 10;

/// How long a look may take, and how large its answer may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) connect: Duration,
    /// Sending the request and reading the whole answer.
    pub(super) answer: Duration,
    /// The size of a body in bytes.
    pub(super) size: usize,
}

impl Limits {
    pub(super) const USUAL: Self =
        Self { connect: Duration::from_secs(3), answer: Duration::from_secs(10), size: 16 << 20 };
}

/// The endpoint cuts names with more characters.
const MAX_NAMED: usize = 256;

/// An answer of the endpoint. All texts in `data` are escaped.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) data: PageData,
    /// The names of the namespaces in the order of `data`, as the endpoint knows them.
    pub(super) namespaces: Vec<String>,
}

/// Whether a program may have a namespace. The endpoint names only some of many, and cuts long names.
pub(super) fn may_have_namespace(data: &PageData, name: &str) -> bool {
    let shown = escaped(name);
    let mut named = namespaces(data);
    name.chars().count() > MAX_NAMED
        || data.namespaces.len() < data.namespaces_total
        // Recorders may be newer than the list of namespaces.
        || data.recorders.matching > 0
        || data.metrics.matching > 0
        || named.any(|name| name == shown)
}

/// The namespaces that an answer names. A runtime without recorders is in no row.
pub(super) fn namespaces(data: &PageData) -> impl Iterator<Item = &str> {
    let runtimes = data.runtimes.iter().map(|runtime| &*runtime.namespace);
    data.namespaces.iter().map(|row| &*row.namespace).chain(runtimes)
}

/// Why a look has brought no data. No text of it has control characters.
#[derive(Debug, Error)]
pub(super) enum LookError {
    #[error("cannot connect: {0}")]
    Connect(io::Error),
    #[error("no connection within {}", seconds(*.0))]
    ConnectTimeout(Duration),
    #[error("no whole answer within {}", seconds(*.0))]
    AnswerTimeout(Duration),
    #[error("the connection broke: {0}")]
    Broken(hyper::Error),
    #[error(
        "no page here: the program needs the feature `page` and `ServiceOptions::page(true)`, the URL no path such as `/metrics`"
    )]
    NoPage,
    #[error("the endpoint answers {}{reason}", .status.as_str())]
    Refused {
        status: StatusCode,
        /// What the endpoint says, after a colon; or nothing.
        reason: String,
    },
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    #[error("the answer is not the data of a page: {0}")]
    Unreadable(serde_json::Error),
    #[error("the URL is too long")]
    InvalidQuery,
}

fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs_f64())
}

/// Looks at one endpoint. Each look has a connection of its own.
#[derive(Debug, Clone)]
pub(super) struct Client {
    address: Address,
    limits: Limits,
}

impl Client {
    pub(super) fn new(address: Address, limits: Limits) -> Self {
        Self { address, limits }
    }

    pub(super) async fn look(&self, query: &Query) -> Result<Look, LookError> {
        let Limits { connect, answer, size } = self.limits;
        let mut request = Request::new(String::new());
        *request.uri_mut() = self.address.data(&query.encoded()).ok_or(LookError::InvalidQuery)?;
        let headers = request.headers_mut();
        headers.insert(header::HOST, self.address.authority.clone());
        headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        let stream = timeout(connect, TcpStream::connect((&*self.address.host, self.address.port))).await;
        let stream = stream.map_err(|_| LookError::ConnectTimeout(connect))?.map_err(LookError::Connect)?;
        let exchanged = timeout(answer, exchange(stream, request, size)).await;
        exchanged.map_err(|_| LookError::AnswerTimeout(answer))?
    }
}

async fn exchange(stream: TcpStream, request: Request<String>, max_size: usize) -> Result<Look, LookError> {
    let mut builder = http1::Builder::new();
    builder.max_buf_size(MAX_HEAD_SIZE);
    let (mut sender, connection) =
        builder.handshake(TokioIo::new(stream)).await.map_err(LookError::Broken)?;
    // The task ends with the connection, which `aborted` closes when this future ends or is dropped.
    let task = tokio::spawn(async { drop(connection.await) });
    let _aborted = AbortOnDrop(task);
    let (head, body) = sender.send_request(request).await.map_err(LookError::Broken)?.into_parts();
    match head.status {
        StatusCode::OK => parsed(&read(body, max_size, Excess::Fails).await?),
        StatusCode::NOT_FOUND => Err(LookError::NoPage),
        status => {
            // A reason that breaks off is better than none, and no reason is no other problem.
            let reason = read(body, MAX_REASON, Excess::IsCut).await.unwrap_or_default();
            let reason = escaped(String::from_utf8_lossy(&reason).trim());
            let reason = if reason.is_empty() { reason } else { format!(": {reason}") };
            Err(LookError::Refused { status, reason })
        }
    }
}

struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        // An endpoint that neither reads nor closes would keep the task alive.
        self.0.abort();
    }
}

/// What becomes of a body that is too large.
#[derive(PartialEq)]
enum Excess {
    Fails,
    IsCut,
}

async fn read(mut incoming: Incoming, max_size: usize, excess: Excess) -> Result<Vec<u8>, LookError> {
    let mut body = Vec::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut incoming).poll_frame(context)).await {
        let Ok(data) = frame.map_err(LookError::Broken)?.into_data() else { continue };
        let room = max_size - body.len();
        if data.len() > room {
            body.extend_from_slice(&data[..room]);
            return if excess == Excess::IsCut { Ok(body) } else { Err(LookError::TooLarge(max_size)) };
        }
        body.extend_from_slice(&data);
    }
    Ok(body)
}

fn parsed(body: &[u8]) -> Result<Look, LookError> {
    let mut value: Value = serde_json::from_slice(body).map_err(LookError::Unreadable)?;
    let name = |row: &Value| row["namespace"].as_str().unwrap_or_default().to_owned();
    let namespaces = value["namespaces"].as_array().map(|rows| rows.iter().map(name).collect());
    escape(&mut value);
    let data = serde_json::from_value(value).map_err(LookError::Unreadable)?;
    Ok(Look { data, namespaces: namespaces.unwrap_or_default() })
}

/// Escapes all texts of an answer, so that none can be forgotten later.
fn escape(value: &mut Value) {
    match value {
        Value::String(text) => *text = escaped(text),
        Value::Array(values) => values.iter_mut().for_each(escape),
        Value::Object(values) => {
            // Keys are the names of fields and of states. A hostile one makes the answer unreadable, with an error that names it.
            *values = std::mem::take(values).into_iter().map(|(key, value)| (escaped(&key), value)).collect();
            values.values_mut().for_each(escape);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::time::Instant;

    use super::*;
    use crate::top::fixtures::{FakeEndpoint, Reply, answer, page_json};

    const LIMITS: Limits =
        Limits { connect: Duration::from_secs(5), answer: Duration::from_secs(30), size: 1 << 20 };

    fn look_at(address: &str, limits: Limits) -> Result<Look, LookError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let client = Client::new(Address::parse(address).expect("an address"), limits);
        runtime.block_on(client.look(&Query::new(25)))
    }

    /// What a look says about an endpoint that answers in this way.
    fn error_of(reply: Reply, limits: Limits) -> String {
        let endpoint = FakeEndpoint::start(vec![reply]);
        look_at(&endpoint.address(), limits).expect_err("no data").to_string()
    }

    #[test]
    fn a_look_asks_for_the_data_and_reads_it() {
        let endpoint = FakeEndpoint::start(vec![Reply::Bytes(answer("200 OK", &page_json().to_string()))]);
        let look = look_at(&format!("{}/inner/", endpoint.address()), LIMITS).expect("data");
        assert_eq!((look.data.sample, &*look.namespaces), (12, &["shop".to_owned(), "mail".to_owned()][..]));
        let request = endpoint.requests().remove(0);
        let (first, headers) = request.split_once("\r\n").expect("a head");
        assert_eq!(first, "GET /inner/page/data?sort=rate&order=desc&page=1&size=25&metric_page=1 HTTP/1.1");
        assert!(headers.contains(&format!("host: {}\r\n", endpoint.address())), "{headers}");
    }

    #[test]
    fn an_answer_of_many_pieces_is_read() {
        let pieces = answer("200 OK", &page_json().to_string()).chunks(700).map(<[u8]>::to_vec).collect();
        let endpoint = FakeEndpoint::start(vec![Reply::Pieces(pieces)]);
        assert_eq!(look_at(&endpoint.address(), LIMITS).expect("data").data.sample, 12);
    }

    #[test]
    fn an_endpoint_without_a_page_says_how_to_get_one() {
        let error = error_of(Reply::Bytes(answer("404 Not Found", "there is /metrics\n")), LIMITS);
        assert_eq!(
            error,
            "no page here: the program needs the feature `page` and `ServiceOptions::page(true)`, the URL no path such as `/metrics`"
        );
    }

    #[test]
    fn refusals_have_the_reason_of_the_endpoint() {
        let refusal = |status, reason: &str| error_of(Reply::Bytes(answer(status, reason)), LIMITS);
        assert_eq!(
            refusal("503 Service Unavailable", "the runtime `shop` is STOPPED\n"),
            "the endpoint answers 503: the runtime `shop` is STOPPED"
        );
        assert_eq!(refusal("500 Oh", ""), "the endpoint answers 500");
        assert_eq!(refusal("421 No", "\u{1b}[2J\n"), "the endpoint answers 421: \\u{1b}[2J");
        assert!(refusal("503 Long", &"x".repeat(1 << 20)).len() < 1_100);
    }

    #[test]
    fn answers_that_are_no_data_are_errors() {
        let data = |body: &str| error_of(Reply::Bytes(answer("200 OK", body)), LIMITS);
        for body in ["", "<html>", "{}", "[]", "{\"\u{1b}[2J\":1}", &"[".repeat(10_000)] {
            let error = data(body);
            assert!(error.starts_with("the answer is not the data of a page: "), "{error}");
            assert!(!error.contains(char::is_control), "{error:?}");
        }
        let mut unknown = page_json();
        unknown["runtimes"][0]["status"] = "\u{1b}[2J".into();
        let error = data(&unknown.to_string());
        assert!(error.contains("unknown variant `\\u{1b}[2J`"), "{error}");
        let error = error_of(Reply::Bytes(b"\x00\xffnot http".to_vec()), LIMITS);
        assert!(
            error.starts_with("the connection broke: ") && !error.contains(char::is_control),
            "{error:?}"
        );
        let error = error_of(Reply::Bytes(Vec::new()), LIMITS);
        assert!(error.starts_with("the connection broke: "), "{error}");
    }

    #[test]
    fn an_answer_that_breaks_off_is_an_error() {
        let whole = answer("200 OK", &page_json().to_string());
        for length in [20, whole.len() - 1] {
            let error = error_of(Reply::Bytes(whole[..length].to_vec()), LIMITS);
            assert!(error.starts_with("the connection broke: "), "{error}");
        }
    }

    #[test]
    fn large_answers_are_not_read_to_their_end() {
        let error = error_of(Reply::Bytes(answer("200 OK", &" ".repeat((1 << 20) + 1))), LIMITS);
        assert_eq!(error, "the answer is larger than 1048576 bytes");
        let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
        let error = error_of(
            Reply::Endless { head, again: [b"1000\r\n", &*b" ".repeat(4_096), b"\r\n"].concat() },
            LIMITS,
        );
        assert_eq!(error, "the answer is larger than 1048576 bytes");
        let head = b"HTTP/1.1 200 OK\r\n".to_vec();
        let error = error_of(Reply::Endless { head, again: b"a: b\r\n".repeat(1_000) }, LIMITS);
        assert!(error.starts_with("the connection broke: "), "{error}");
    }

    #[test]
    fn waits_end() {
        let limits = Limits { answer: Duration::from_millis(100), ..LIMITS };
        let begin = Instant::now();
        assert_eq!(error_of(Reply::Silence, limits), "no whole answer within 0.1 s");
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{".to_vec();
        assert_eq!(error_of(Reply::Stuck(head), limits), "no whole answer within 0.1 s");
        assert!(begin.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn a_closed_port_is_an_error() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        drop(listener);
        let error = look_at(&address, LIMITS).expect_err("nobody listens").to_string();
        assert!(error.starts_with("cannot connect: "), "{error}");
    }

    /// Adds something to all texts but those that are one of a few words.
    fn spoil(value: &mut Value, hostile: &str) {
        match value {
            Value::String(text) if text.len() > 2 && text.chars().all(|c| c.is_ascii_uppercase()) => {}
            Value::String(text) => text.push_str(hostile),
            Value::Array(values) => values.iter_mut().for_each(|value| spoil(value, hostile)),
            Value::Object(values) => values
                .iter_mut()
                .filter(|(key, _)| *key != "kind")
                .for_each(|(_, value)| spoil(value, hostile)),
            _ => {}
        }
    }

    #[test]
    fn all_texts_of_an_answer_are_escaped() {
        let hostile = "\u{1b}]0;x\u{7}\u{202e}\n";
        let mut page = page_json();
        spoil(&mut page, hostile);
        let look = parsed(page.to_string().as_bytes()).expect("data");
        assert_eq!(look.namespaces[0], format!("shop{hostile}"), "the query has the name itself");
        let written = format!("{:?}", look.data);
        let escaped_once = written.matches("\\\\u{1b}]0;x\\\\u{7}\\\\u{202e}\\\\n").count();
        let texts = page.to_string().matches("\\u001b]0;x").count();
        assert!(texts > 30 && escaped_once == texts, "{escaped_once} of {texts}");
        assert!(!serde_json::to_string(&look.data).expect("JSON").contains("\\u001b"));
    }
}
