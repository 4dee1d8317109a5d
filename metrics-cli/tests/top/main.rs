//! `mvx-metrics top` against real endpoints: of this process, and of nobody.

mod once;
mod program;
// The programs `script` and `stty` of other systems have other options.
#[cfg(target_os = "linux")]
mod terminal;
