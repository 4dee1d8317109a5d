//! What the macros generate, seen through the public API.

mod agreement;
mod basics;
mod breakdowns;
mod composition;
mod distributions;
mod labels;
