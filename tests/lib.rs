//! Helpers of the integration tests.

/// The code blocks of the documents compile and run.
#[cfg(doctest)]
mod documents {
    #[doc = include_str!("../README.md")]
    struct Readme;
}

pub mod strict;
