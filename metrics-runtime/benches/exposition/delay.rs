//! How long a thread was ready to run and had no processor: what other threads took from it, and nobody held it up for.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::time::Duration;

/// The scheduler's own account of one thread.
pub struct Delay(Option<File>);

impl Delay {
    /// Of the calling thread. Where the system keeps no such account the delay is always zero.
    pub fn of_this_thread() -> Self {
        Self(File::open("/proc/thread-self/schedstat").ok())
    }

    /// All of it so far.
    pub fn so_far(&self) -> Duration {
        self.0.as_ref().and_then(|file| read(file).ok()).unwrap_or_default()
    }
}

fn read(file: &File) -> io::Result<Duration> {
    let mut text = [0; 96];
    let length = file.read_at(&mut text, 0)?;
    // Time on a processor, time of waiting for one, how often it had one.
    let text = String::from_utf8_lossy(&text[..length]);
    let waited = text.split_whitespace().nth(1).and_then(|nanos| nanos.parse().ok());
    Ok(Duration::from_nanos(waited.unwrap_or_default()))
}
