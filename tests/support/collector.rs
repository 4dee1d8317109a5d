//! A fake collector on loopback: it takes requests of HTTP, and gives the answers that a test wants.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// A request that waits longer than this for its end is none.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// One request.
#[derive(Debug, Clone)]
pub struct Received {
    /// The request line and the headers.
    pub head: String,
    /// The body as it was sent.
    pub body: Vec<u8>,
    /// The number of its connection.
    pub connection: usize,
    /// When its last byte came.
    pub at: Instant,
}

impl Received {
    /// The value of a header, `None` without it.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// What a collector does after the bytes of its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Then {
    /// It waits for the next request.
    Keep,
    /// It closes the connection.
    Close,
    /// It does nothing, until the client closes the connection.
    Hang,
    /// It repeats these bytes until the client closes the connection.
    Repeat(Vec<u8>),
}

/// An answer: bytes, after a while, and what follows them.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The pause before the bytes.
    pub after: Duration,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// What follows.
    pub then: Then,
}

impl Reply {
    /// Any bytes.
    pub fn raw(bytes: impl Into<Vec<u8>>, then: Then) -> Self {
        Self { after: Duration::ZERO, bytes: bytes.into(), then }
    }

    /// An answer of HTTP.
    pub fn http(status: u16, headers: &str, body: &[u8]) -> Self {
        let head = format!("HTTP/1.1 {status} Said\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
        Self::raw([head.as_bytes(), body].concat(), Then::Keep)
    }

    /// A success without a word.
    pub fn success() -> Self {
        Self::http(200, "Content-Type: application/x-protobuf\r\n", b"")
    }

    /// The same answer, later.
    #[must_use]
    pub fn after(self, after: Duration) -> Self {
        Self { after, ..self }
    }
}

#[derive(Default)]
struct Seen {
    requests: Mutex<Vec<Received>>,
    arrived: Condvar,
    is_forgetful: AtomicBool,
}

impl Seen {
    fn lock(&self) -> MutexGuard<'_, Vec<Received>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A collector that listens until it is dropped.
pub struct FakeCollector {
    address: SocketAddr,
    seen: Arc<Seen>,
    is_stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl FakeCollector {
    /// A collector that takes everything.
    pub fn accepting() -> Self {
        Self::start(|_, _| Reply::success())
    }

    /// A collector that takes everything and keeps nothing of it, for benches.
    pub fn forgetful() -> Self {
        let collector = Self::accepting();
        collector.forget();
        collector
    }

    /// From now on requests are not kept, and their numbers no longer count.
    pub fn forget(&self) {
        // Relaxed: a request more or less that is kept changes nothing.
        self.seen.is_forgetful.store(true, Ordering::Relaxed);
    }

    /// A collector that answers each request by a function of its number, counted from 0.
    pub fn start(reply: impl Fn(usize, &Received) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        Self::on(listener, reply)
    }

    /// The same with a listener.
    pub fn on(
        listener: TcpListener,
        reply: impl Fn(usize, &Received) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let address = listener.local_addr().expect("an address");
        let (seen, is_stopped) = (Arc::new(Seen::default()), Arc::new(AtomicBool::new(false)));
        let (reply, shared, stopped) = (Arc::new(reply), Arc::clone(&seen), Arc::clone(&is_stopped));
        let thread = thread::spawn(move || {
            for (connection, stream) in listener.incoming().enumerate() {
                // Relaxed: the connection that wakes this thread comes after the store.
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let (Ok(stream), reply, seen) = (stream, Arc::clone(&reply), Arc::clone(&shared)) else {
                    continue;
                };
                // The thread ends when the client closes the connection.
                thread::spawn(move || serve(stream, connection, &*reply, &seen));
            }
        });
        Self { address, seen, is_stopped, thread: Some(thread) }
    }

    /// The base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<Received> {
        self.seen.lock().clone()
    }

    /// Waits for a number of requests, at most 20 s, and returns all.
    pub fn wait_for(&self, count: usize) -> Vec<Received> {
        let timeout = Duration::from_secs(20);
        let waited =
            self.seen.arrived.wait_timeout_while(self.seen.lock(), timeout, |seen| seen.len() < count);
        let (requests, result) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(!result.timed_out(), "{} of {count} requests came", requests.len());
        requests.clone()
    }
}

impl Drop for FakeCollector {
    fn drop(&mut self) {
        // Relaxed: see the load.
        self.is_stopped.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(mut stream: TcpStream, connection: usize, reply: &dyn Fn(usize, &Received) -> Reply, seen: &Seen) {
    let _ = stream.set_nodelay(true);
    let _ = stream.set_read_timeout(Some(READ_TIMEOUT));
    while let Some(received) = read_request(&mut stream, connection) {
        let reply = {
            let mut requests = seen.lock();
            let reply = reply(requests.len(), &received);
            // Relaxed: see the store.
            if !seen.is_forgetful.load(Ordering::Relaxed) {
                requests.push(received);
            }
            seen.arrived.notify_all();
            reply
        };
        thread::sleep(reply.after);
        if stream.write_all(&reply.bytes).is_err() {
            return;
        }
        match reply.then {
            Then::Keep => {}
            Then::Close => return,
            Then::Hang => {
                let _ = stream.read_to_end(&mut Vec::new());
                return;
            }
            Then::Repeat(bytes) => {
                while stream.write_all(&bytes).is_ok() {}
                return;
            }
        }
    }
}

/// Reads a request with a `Content-Length`; `None` at the end of the connection.
fn read_request(stream: &mut TcpStream, connection: usize) -> Option<Received> {
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 65_536];
    let (head, body_from) = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break (String::from_utf8_lossy(&bytes[..end]).into_owned(), end + 4);
        }
        let length = read(stream, &mut buffer)?;
        bytes.extend_from_slice(&buffer[..length]);
    };
    let mut received = Received { head, body: Vec::new(), connection, at: Instant::now() };
    let length: usize = received.header("content-length")?.parse().ok()?;
    while bytes.len() < body_from + length {
        let length = read(stream, &mut buffer)?;
        bytes.extend_from_slice(&buffer[..length]);
    }
    received.body = bytes[body_from..body_from + length].to_vec();
    received.at = Instant::now();
    Some(received)
}

fn read(stream: &mut TcpStream, buffer: &mut [u8]) -> Option<usize> {
    loop {
        match stream.read(buffer) {
            Ok(0) => return None,
            Ok(length) => return Some(length),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
}
