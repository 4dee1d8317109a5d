//! A hyper server of a program's own, and calls without a server, for services that are mounted.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, JoinHandle, Thread};

use hyper::body::{Body, Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use mvx_metrics::http::{MetricsService, ResponseFuture};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// A server that ends when it is dropped.
pub struct Server {
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub fn start<S, B>(service: S) -> Self
    where
        S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
        S::Future: Send,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: std::error::Error + Send + Sync,
    {
        let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let listener = tokio.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).expect("a free port");
        let address = listener.local_addr().expect("the listener has an address");
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            tokio.block_on(async {
                let accept = tokio::spawn(async move {
                    loop {
                        let (stream, _) = listener.accept().await.expect("a connection");
                        let connection =
                            http1::Builder::new().serve_connection(TokioIo::new(stream), service.clone());
                        tokio::spawn(connection);
                    }
                });
                // Any result means that the server was dropped.
                let _ = stopped.await;
                accept.abort();
            });
        });
        Self { address, stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        self.thread.take().map(JoinHandle::join);
    }
}

/// Wakes the thread that waits for a future.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future without any executor.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// Polls a future once.
pub fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// What a service answers to a GET request that has no body, without a server.
pub fn call(service: &MetricsService, path: &str) -> (u16, String) {
    let request = Request::get(path).body(()).expect("a request");
    answer_of(Service::call(service, request))
}

/// The status and the text of a response.
pub fn answer_of(response: ResponseFuture) -> (u16, String) {
    let Ok(response) = block_on(response);
    let (head, body) = response.into_parts();
    let mut body = pin!(body);
    let mut text = Vec::new();
    while let Some(Ok(frame)) = block_on(std::future::poll_fn(|context| body.as_mut().poll_frame(context))) {
        text.extend_from_slice(&frame.into_data().expect("a body without trailers"));
    }
    (head.status.as_u16(), String::from_utf8(text).expect("a body is UTF-8"))
}
