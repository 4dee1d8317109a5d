//! The catalogue: its comparison, its forms, its clashes, and the file that a test compares. Covers CA2.
//!
//! `tests/export/catalogue.rs` compares it with the text of a running program.

mod changes;
mod clashes;
mod files;
mod json;
mod markdown;
mod mutations;
mod program;
mod unlisted;
