//! Scheduling delay: how long a thread was ready to run and had no processor.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::time::Duration;

/// The scheduling delay of one thread, as Linux measures it.
pub struct Delay(Option<File>);

impl Delay {
    /// The delay of the calling thread. It is always zero on systems that do not measure it.
    pub fn of_this_thread() -> Self {
        Self(File::open("/proc/thread-self/schedstat").ok())
    }

    /// The delay since the thread started.
    pub fn so_far(&self) -> Duration {
        self.0.as_ref().and_then(|file| read(file).ok()).unwrap_or_default()
    }
}

fn read(file: &File) -> io::Result<Duration> {
    let mut text = [0; 96];
    let length = file.read_at(&mut text, 0)?;
    // Run time, delay, number of time slices.
    let text = String::from_utf8_lossy(&text[..length]);
    let waited = text.split_whitespace().nth(1).and_then(|nanos| nanos.parse().ok());
    Ok(Duration::from_nanos(waited.unwrap_or_default()))
}
