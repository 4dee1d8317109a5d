//! Waits that fail the test instead of hanging.

use std::future::Future;
use std::sync::Barrier;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// Longer than any test takes on a loaded machine.
const DEADLINE: Duration = Duration::from_secs(40);

/// Runs the body of a test in a new thread, and fails the test when the body does not end.
pub fn bounded<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, ended) = mpsc::sync_channel(1);
    let thread = thread::spawn(move || {
        // After the deadline the receiver is gone.
        let _ = done.send(body());
    });
    match ended.recv_timeout(DEADLINE) {
        Ok(value) => value,
        Err(RecvTimeoutError::Timeout) => panic!("the test hangs"),
        Err(RecvTimeoutError::Disconnected) => match thread.join() {
            Err(panic) => std::panic::resume_unwind(panic),
            Ok(()) => unreachable!("a body that ends sends its value"),
        },
    }
}

/// As [`bounded`], for an async body in a single-threaded tokio runtime.
pub fn bounded_async<F: Future<Output = ()>>(body: impl FnOnce() -> F + Send + 'static) {
    bounded(|| {
        let tokio =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a tokio runtime");
        tokio.block_on(body());
    });
}

/// Waits for a condition that other threads bring about.
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE / 2;
    while !condition() {
        assert!(Instant::now() < deadline, "it never happens that {what}");
        thread::yield_now();
    }
}

/// Runs a task in several threads that begin at the same moment. Returns the results in the order of the threads.
pub fn in_threads<T: Send>(threads: usize, task: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let start = Barrier::new(threads);
    let (start, task) = (&start, &task);
    thread::scope(|scope| {
        let spawn = |index| {
            scope.spawn(move || {
                start.wait();
                task(index)
            })
        };
        let threads: Vec<_> = (0..threads).map(spawn).collect();
        threads.into_iter().map(|thread| thread.join().expect("a thread of the test")).collect()
    })
}
