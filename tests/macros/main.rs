//! What the macros generate, seen through the public API.

mod basics;
