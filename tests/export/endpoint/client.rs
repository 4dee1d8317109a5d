//! An HTTP client that writes its requests by hand.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// An answer that takes longer fails the test.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

pub struct Answer {
    pub status: u16,
    pub head: String,
    /// The body as text. Bytes that are no text are replaced.
    pub body: String,
    pub bytes: Vec<u8>,
}

pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&address, ANSWER_TIMEOUT).expect("the endpoint listens");
    stream.set_read_timeout(Some(ANSWER_TIMEOUT)).expect("a stream has a timeout");
    stream.set_write_timeout(Some(ANSWER_TIMEOUT)).expect("a stream has a timeout");
    stream
}

/// Sends a request and reads one answer; `None` when the endpoint closes the connection instead.
pub fn ask(stream: &mut TcpStream, text: &str) -> Option<Answer> {
    // The endpoint may have answered and closed before it has read everything.
    let _ = stream.write_all(text.as_bytes());
    read_answer(stream, text.starts_with("HEAD"))
}

pub fn read_answer(stream: &mut TcpStream, head_only: bool) -> Option<Answer> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                panic!("no answer within {ANSWER_TIMEOUT:?}")
            }
            _ => return None,
        }
    }
    let head = String::from_utf8(head).expect("a head is ASCII");
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?;
    let mut body = vec![0; if head_only { 0 } else { length.parse().ok()? }];
    stream.read_exact(&mut body).ok()?;
    Some(Answer { status, head, body: String::from_utf8_lossy(&body).into_owned(), bytes: body })
}

/// One request on a connection of its own.
pub fn get(address: SocketAddr, path: &str) -> Answer {
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    ask(&mut connect(address), &request).expect("an answer")
}

impl Answer {
    /// The value of a header; the name is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// The value of a series.
    pub fn value(&self, series: &str) -> f64 {
        let value = self.body.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("no {series} in\n{}", self.body)).parse().expect("a number")
    }
}
