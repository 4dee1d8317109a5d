//! Derive macros of `mvx-metrics`.
