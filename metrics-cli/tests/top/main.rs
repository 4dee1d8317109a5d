//! `mvx-metrics top` against endpoints of this process, and closed ports.

mod once;
mod program;
// The programs `script` and `stty` of other systems have other options.
#[cfg(target_os = "linux")]
mod terminal;
